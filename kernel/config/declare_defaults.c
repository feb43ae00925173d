/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an option is that neither the sendmail.cf, nor the site's postrider.conf, nor -O names.  The option table has the values that are best
 * for a configuration of our own; a sendmail.cf was written for those of sendmail's binary, so where they differ these count.
 * Not here, because the numbers count other things: ConnectionCacheSize and MaxRunnersPerQueue are of each process there, of all
 * threads here.
 */
#include "kernel/config/build.h"

#include <pwd.h>

static const struct {
	const char *name, *value;
} defaults[] = {
    {"MinFreeBlocks", "0"},      {"MinQueueAge", "0"}, {"Precedence", ""},   {"PrivacyOptions", ""},
    {"RejectNUL", "false"}, {"Timeout.queuewarn", "0"}, {"TrustedUsers", ""},
};

static void set_default(struct config_builder *builder, const char *name, const char *value)
{
	const struct pr_option *option = pr_option_find(options_table, pr_str(name));
	struct pr_str why = PR_NONE;

	if (option == NULL || config_option_place(builder->config, name)->file != NULL)
		return;
	if (pr_option_parse(option, pr_str(value), &builder->config->options, &builder->config->arena, &why) != PR_OK)
		config_complain(builder, &(struct config_node){.file = "sendmail's defaults"}, "%s: %.*s", name, PR_PRINT(why));
}

/* The first of these accounts that this machine has. */
static const char *default_user(void)
{
	static const char *const names[] = {"mailnull", "sendmail", "daemon"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (getpwnam(names[i]) != NULL)
			return names[i];
	return NULL;
}

void config_declare_defaults(struct config_builder *builder)
{
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		set_default(builder, defaults[i].name, defaults[i].value);
	const char *user = config_option_place(builder->config, "DefaultUser")->file == NULL ? default_user() : NULL;
	if (user != NULL)
		set_default(builder, "DefaultUser", user);
}
