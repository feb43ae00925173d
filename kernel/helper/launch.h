/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starting a program for mail: its words, a clean environment, its directory, and three descriptors of the caller's choice.
 *
 *   launch_init(&launch, rights, request);
 *   launch.input = launch.output = socket;
 *   if (launch_start(&launch)) ...            launch.pid leads a process group of its own; launch.pid_fd tells its end
 *   launch_fini(&launch);                     the pid_fd is closed; the descriptors are the caller's
 */
#ifndef KERNEL_HELPER_LAUNCH_H
#define KERNEL_HELPER_LAUNCH_H

#include "kernel/helper/helper.h"

#include <sys/types.h>

#define LAUNCH_VARIABLES_MAX (HELPER_ARGS_MAX + 8)

struct launch {
	char *argv[HELPER_ARGS_MAX + 1];
	char *environment[LAUNCH_VARIABLES_MAX + 1];
	size_t variables;
	const char *home;
	const struct helper_request *request; /* directories, root, niceness */
	int input, output, error;             /* error -1: nobody reads it */
	pid_t pid;
	int pid_fd;
};

void launch_init(struct launch *launch, const struct helper_rights *rights, const struct helper_request *request);
/* False with errno. */
bool launch_start(struct launch *launch);
/* Ends what was started, and waits for it; its wait status. */
int launch_kill(struct launch *launch);
int launch_wait(struct launch *launch);
void launch_fini(struct launch *launch);

/* prison.c: chroot without any right, in a user namespace of its own; in the child only.  False: it cannot be. */
bool prison_enter(const char *root);

#endif
