/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line of a role, as the master's spawn.c writes it:
 *
 *   postrider --role receiver --config F --generation N --channel FD --wake FD --listen MTA:5:0 ... --log syslog -O Name=value
 */
#ifndef KERNEL_ROLE_ARGUMENTS_H
#define KERNEL_ROLE_ARGUMENTS_H

#include "kernel/config/role.h"

#define ROLE_LISTENERS_MAX 64
#define ROLE_OVERRIDES_MAX 512

struct role_arguments {
	struct role role;
	const char *log; /* --log, or NULL */
	const char *identity; /* --identity: whom to become before anything else; NULL: stay who we are */
	struct role_listener listeners[ROLE_LISTENERS_MAX];
	struct pr_str overrides[ROLE_OVERRIDES_MAX];
};

/* The name after --role, or NULL when this is no role's command line. */
const char *role_name(int argc, char **argv);
/* Strings are borrowed from argv.  False and a sentence. */
bool role_arguments_parse(int argc, char **argv, struct role_arguments *arguments, struct pr_text *why);

#endif
