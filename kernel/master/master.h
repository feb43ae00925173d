/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The master: owns the sockets, starts generations, loads nothing.
 *
 * The administrator says `sendmail -bd`.  A plan child reads the configuration and answers with a table; the master
 * checks it (table.h), makes the directories, binds, starts a receiver and a courier, and when both say READY the
 * shell gets its prompt back: generation 1 is in force.  From then on one poll loop serves signals, children,
 * the control socket (control.h), the courier's helper requests and the drop directory.
 *
 *     SIGHUP, reload:   plan -> table -> bind -> start N+1 -> both READY -> in force -> DRAIN to N
 *                        `------------- anything else ------------------> N+1 killed, one log line, N never noticed
 *
 * Always true: at most two generations live; no listener of the generation in force is ever closed; nothing is
 * read from a user's file with root's rights but the copying of drop files.
 */
#ifndef KERNEL_MASTER_MASTER_H
#define KERNEL_MASTER_MASTER_H

#include "kernel/config/role.h"

struct master_settings {
	const char *config_path;  /* CONFIG_DEFAULT_PATH unless told */
	const char *routing_path; /* -C of another dialect, or NULL */
	struct pr_list overrides; /* -O Name=value */
	const char *command_line; /* second line of the pid file */
	bool foreground;          /* -bD */
	bool single;              /* --single: roles are threads; implies foreground */
	bool queue_only;          /* -q30m without -bd: only the submission socket is listened on */
	bool selected;            /* the courier takes only what it is told to take (sendmail -qI...) */
	bool verbose;             /* the courier tells on standard output what it does (-v) */
	int trace;                /* -X: what receiver and courier hear and say is appended to this descriptor; 0: none */
	int64_t queue_interval;   /* seconds, 0: the configuration's */
	bool persistent;          /* it is that of -qp */
};

/* The exit status (sysexits.h).  In the background it is returned, in the parent, when the daemon serves or failed. */
int master_main(const struct master_settings *settings);

/* What --single runs in threads; kernel/main.c says it before anything else, so that the master itself
 * depends on no role. */
struct master_roles {
	int (*plan)(const struct role *role);
	int (*receiver)(const struct role *role);
	int (*courier)(const struct role *role);
};
void master_set_roles(const struct master_roles *roles);

#endif
