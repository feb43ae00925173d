/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a program and takes the first line that it prints.
 *
 * It gets a clean environment, nothing to read, no descriptors but its own three, and a session of its own, so that it and its
 * children can be ended when the time is over.
 */
#ifndef MODULES_MAPS_PROGRAM_RUN_H
#define MODULES_MAPS_PROGRAM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct run {
	char *const *argv;  /* argv[0] is the path */
	uid_t uid;          /* who it runs as, when this process is root */
	gid_t gid;
	int64_t timeout_ms;
	char line[2048];    /* the first line, without its end */
	size_t length;
	int exit_status;    /* RUN_KILLED: by a signal */
	int error;          /* errno when false */
};

#define RUN_KILLED (-1)

/* False: it could not be started (error says why) or did not end in time (ETIMEDOUT). */
bool run_program(struct run *run);

#endif
