/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program of many names.  `--role NAME` is how the master executes it again for its children; everything else is a
 * command that an administrator typed, and argv[0] says which.
 */
#include "kernel/command/command.h"
#include "kernel/courier/courier.h"
#include "kernel/helper/helper.h"
#include "kernel/log/log.h"
#include "kernel/master/identity.h"
#include "kernel/master/master.h"
#include "kernel/module/crash.h"
#include "kernel/module/module.h"
#include "kernel/net/tls/file.h"
#include "kernel/role/arguments.h"
#include "kernel/role/plan_role.h"
#include "kernel/session/receiver.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(const struct role *role);
} roles[] = {{"plan", plan_main}, {"receiver", receiver_main}, {"courier", courier_main}};

/* Before a module, a file of the configuration or the log is touched. */
static bool become(const struct role_arguments *arguments)
{
	struct identity identity;

	if (arguments->identity == NULL)
		return geteuid() != 0; /* root loads no modules */
	if (!identity_parse(pr_str(arguments->identity), &identity) || !identity_become(&identity))
		return false;
	crash_hide(); /* again: a change of the user sets what the system likes */
	return true;
}

static int role_main(const char *name, int argc, char **argv)
{
	struct role_arguments *arguments = pr_alloc(sizeof *arguments);
	struct pr_text why;
	int status = EX_USAGE;

	pr_text_init(&why, 1000);
	if (!role_arguments_parse(argc, argv, arguments, &why)) {
		(void)fprintf(stderr, "postrider: %s\n", why.data);
	} else if (!become(arguments)) {
		status = EX_NOPERM;
	} else {
		if (strcmp(name, "plan") == 0) /* after the change of the user, which takes it away */
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)prctl(PR_SET_NAME, "postrider", 0, 0, 0); /* and not "exe", for ps and top */
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* nothing a role executes may gain rights; helpers are not roles */
		crash_install(arguments->role.channel);
		module_trust(arguments->role.master_uid);
		net_tls_file_ask(arguments->role.files);
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
