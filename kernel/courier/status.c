/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The enhanced status code of a result.  A host that gives none still says something with its reply code, and what a code
 * means depends on the command that it answers: the table is sendmail's (RFC 1893 had left it open).
 */
#include "kernel/courier/internal.h"

static bool answers(const struct parcel *parcel, struct pr_str verb)
{
	return pr_str_has_prefix_nocase(parcel->command, verb);
}

static const struct {
	uint32_t code;
	const char *verb; /* the command it answers; "": any */
	const char *enhanced;
} meanings[] = {
	{450, "", "4.2.0"},     {451, "", "4.3.0"}, {452, "", "4.3.1"}, {501, "RCPT", "5.5.4"}, {550, "RCPT", "5.1.1"}, {550, "DATA", "5.2.0"},
	{551, "RCPT", "5.1.6"}, {552, "", "5.2.2"}, {553, "RCPT", "5.1.3"},
};

struct pr_str parcel_enhanced(const struct parcel *parcel)
{
	if (parcel->enhanced.len > 0)
		return parcel->enhanced;
	for (size_t i = 0; parcel->status != PR_OK && i < sizeof meanings / sizeof meanings[0]; i++)
		if (meanings[i].code == parcel->code && answers(parcel, pr_str(meanings[i].verb)))
			return pr_str(meanings[i].enhanced);
	return parcel->status == PR_OK ? PR_STR("2.0.0") : parcel->status == PR_PERMFAIL ? PR_STR("5.0.0") : PR_STR("4.0.0");
}
