/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file knows mailers by number only, so whoever writes and whoever shows must count them alike: in the order of the configuration,
 * after the three that sendmail has before it reads a line.  The mailers of a sendmail.cf come first, those nobody declared last: so a
 * sendmail.cf alone tells the same numbers.  Our "file" is sendmail's "*file*", and is shown as such.
 */
#include "kernel/queue/statistics.h"

#define FIRST_OWN 3

void statistics_names_init(struct statistics_names *names)
{
	*names = (struct statistics_names){.names = {PR_STR("prog"), PR_STR("*file*"), PR_STR("*include*")}, .next = FIRST_OWN};
}

int statistics_number(const struct statistics_names *names, struct pr_str name)
{
	for (size_t i = 0; i < names->next; i++)
		if (pr_str_equal(names->names[i], name))
			return (int)i;
	return pr_str_equal(name, PR_STR("file")) ? 1 : STATISTICS_NO_MAILER;
}

bool statistics_names_add(struct statistics_names *names, struct pr_str name)
{
	if (statistics_number(names, name) != STATISTICS_NO_MAILER)
		return true;
	if (names->next == STATISTICS_MAILERS)
		return false;
	names->names[names->next++] = name;
	return true;
}

static int rank(const struct config_instance *instance)
{
	return instance->is_of_rules != 0 ? 0 : instance->line > 0 ? 1 : 2;
}

void statistics_names_add_all(const struct config *config, struct statistics_names *names)
{
	for (int wanted = 0; wanted <= 2; wanted++)
		for (size_t i = 0; i < config->instance_count; i++)
			if (config->instances[i].kind == PR_KIND_MAILER && rank(&config->instances[i]) == wanted)
				(void)statistics_names_add(names, config->instances[i].name);
}

void statistics_names_of(const struct config *config, struct statistics_names *names_out)
{
	statistics_names_init(names_out);
	statistics_names_add_all(config, names_out);
}
