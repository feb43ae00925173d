/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -O and -o by name: which options there are, and which mean something elsewhere or nothing any more.
 * A name that is none ends the program before it has done anything, as it ends sendmail.
 */
#include "kernel/command/sendmail/submit.h"

#include "kernel/config/options.h"
#include "kernel/config/options_idle.h"

/* Names that stand for several options of the table. */
static bool is_collective(struct pr_str name)
{
	static const char *const names[] = {"DaemonPortOptions", "QueueTimeout", "Timeout", NULL};

	for (size_t i = 0; names[i] != NULL; i++)
		if (pr_str_equal_nocase(name, pr_str(names[i])))
			return true;
	return false;
}

struct pr_str override_name(struct pr_str override)
{
	return pr_str_trim(pr_str_slice(override, 0, pr_str_find(override, '=')));
}

bool overrides_check(const struct arguments *arguments, struct pr_text *error)
{
	for (size_t i = 0; i < arguments->override_count; i++) {
		struct pr_str name = override_name(arguments->overrides[i]);
		if (pr_option_find(options_table, name) != NULL || option_idle_find(name) != NULL || is_collective(name))
			continue;
		const char *near = pr_option_nearest(options_table, name);
		pr_text_addf(error, "readcf: unknown option name %.*s%s%s%s", PR_PRINT(name), near != NULL ? "; did you mean " : "",
		             near != NULL ? near : "", near != NULL ? "?" : "");
		return false;
	}
	return true;
}
