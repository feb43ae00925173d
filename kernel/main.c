/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program of many names.  `--role NAME` is how the master executes it again for its children; everything else is a
 * command that an administrator typed, and argv[0] says which.
 */
#include "kernel/command/command.h"
#include "kernel/courier/courier.h"
#include "kernel/helper/helper.h"
#include "kernel/log/log.h"
#include "kernel/master/master.h"
#include "kernel/module/crash.h"
#include "kernel/module/module.h"
#include "kernel/role/arguments.h"
#include "kernel/role/plan_role.h"
#include "kernel/session/receiver.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	const char *name;
	int (*run)(const struct role *role);
} roles[] = {{"plan", plan_main}, {"receiver", receiver_main}, {"courier", courier_main}};

static int role_main(const char *name, int argc, char **argv)
{
	struct role_arguments *arguments = pr_alloc(sizeof *arguments);
	struct pr_text why;
	int status = EX_USAGE;

	pr_text_init(&why, 1000);
	if (!role_arguments_parse(argc, argv, arguments, &why)) {
		(void)fprintf(stderr, "postrider: %s\n", why.data);
	} else {
		crash_install(arguments->role.channel);
		module_trust(arguments->role.master_uid);
		if (arguments->log != NULL)
			(void)log_open(arguments->log, "postrider");
		for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
			if (strcmp(roles[i].name, name) == 0)
				status = roles[i].run(&arguments->role);
	}
	pr_text_fini(&why);
	pr_free(arguments);
	return status;
}

int main(int argc, char **argv)
{
	const struct master_roles threads = {.plan = plan_main, .receiver = receiver_main, .courier = courier_main};
	const char *name = role_name(argc, argv);

	if (name == NULL) {
		master_set_roles(&threads);
		return command_main(argc, argv);
	}
	crash_hide();
	return strcmp(name, "helper") == 0 ? helper_main(argc, argv) : role_main(name, argc, argv);
}
