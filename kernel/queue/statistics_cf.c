/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two kinds of lines of a sendmail.cf, read as its own mailstats does: "Mname, ..." gives the next number, a second one of that name
 * the same, and the last StatusFile counts.  Whether it is a sendmail.cf at all is told by its version line, or by a mailer's.
 */
#include "kernel/queue/statistics.h"

#define OPTION_LONG "O StatusFile="
#define OPTION_SHORT "OS"

static struct pr_str name_in(struct pr_str line)
{
	size_t end = 1;

	while (end < line.len && line.data[end] != ',' && line.data[end] != ' ' && line.data[end] != '\t')
		end++;
	return pr_str_slice(line, 1, end);
}

static bool begins(struct pr_str line, struct pr_str with)
{
	return pr_str_equal(pr_str_slice(line, 0, with.len), with);
}

static bool is_version(struct pr_str line)
{
	return line.len > 1 && line.data[0] == 'V' && line.data[1] >= '0' && line.data[1] <= '9';
}

/* "Mlocal, P=/bin/mail"; libconfig has no comma in such a place. */
static bool is_mailer(struct pr_str line)
{
	return line.len > 1 && line.data[0] == 'M' && pr_str_find(line, '=') < line.len && pr_str_find(line, ',') < pr_str_find(line, '=');
}

static bool is_cf(struct pr_str text)
{
	struct pr_str line;

	while (pr_str_next(&text, '\n', &line))
		if (is_version(line) || is_mailer(line))
			return true;
	return false;
}

bool statistics_cf_parse(struct pr_str text, struct statistics_names *names_out, struct pr_str *file_out)
{
	struct pr_str line;

	if (!is_cf(text))
		return false;
	statistics_names_init(names_out);
	*file_out = PR_NONE;
	while (pr_str_next(&text, '\n', &line)) {
		if (line.len > 0 && line.data[0] == 'M')
			(void)statistics_names_add(names_out, name_in(line));
		else if (begins(line, PR_STR(OPTION_LONG)))
			*file_out = pr_str_trim(pr_str_slice(line, sizeof OPTION_LONG - 1, line.len));
		else if (begins(line, PR_STR(OPTION_SHORT)))
			*file_out = pr_str_trim(pr_str_slice(line, sizeof OPTION_SHORT - 1, line.len));
	}
	return true;
}
