/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The modes of the full program; each returns the exit status of the process.
 */
#ifndef KERNEL_COMMAND_MODES_H
#define KERNEL_COMMAND_MODES_H

#include "kernel/command/sendmail/arguments.h"
#include "kernel/module/module.h"
#include "kernel/queue/selection.h"

#include <stdio.h>

struct tool;

int daemon_mode(const struct arguments *arguments);  /* -bd -bD, -q30m alone */
int run_mode(const struct arguments *arguments);     /* -q */
int quarantine_mode(const struct arguments *arguments, const struct queue_selection *selection); /* -Q */
int mailq_mode(const struct arguments *arguments);   /* -bp */
int mailq_counts_mode(const struct arguments *arguments); /* -bP */
int aliases_mode(const struct arguments *arguments); /* -bi */
int verify_mode(const struct arguments *arguments);  /* -bv */
int host_status_mode(const struct arguments *arguments); /* -bh, hoststat */
int host_purge_mode(const struct arguments *arguments);  /* -bH, purgestat */
int console_mode(const struct arguments *arguments); /* -bt */
/* -d0: who we are, printed to stdout; nothing without it. */
void identity_show(const struct arguments *arguments, struct tool *tool);
/* Parses and runs; a wrong word is told on stderr.  The exit status. */
int arguments_run(int argc, char **argv, int (*mode)(const struct arguments *));
int check_mode(const struct arguments *arguments);   /* -bC, postriderctl check */
/* What is named and not there: told on stderr; EX_CONFIG when the daemon would not start with it. */
int check_paths(const struct config *config);
/* Entries of the mailertable that name no mailer: told on stderr. */
void check_routes(const struct arguments *arguments);
int makemap_main(int argc, char **argv);
int mailstats_main(int argc, char **argv);
int control_main(int argc, char **argv); /* postriderctl */

int handback_mode(const struct arguments *arguments); /* postriderctl handback */
int queue_tool(const struct arguments *arguments); /* postriderctl queue */
int explain_tool(const struct arguments *arguments); /* postriderctl explain */
int tlsrpt_tool(const struct arguments *arguments); /* postriderctl tlsrpt */

/* A configuration with its modules open, for the length of one command. */
struct tool {
	struct config *config;
	struct module_set *set;
	struct module_thread *thread;
	struct pr_arena arena;
	struct module_scope scope;
	char mode; /* of -b */
};

/* macros.c; the context is the tool */
struct pr_str tool_macro(void *context, struct pr_str name);
/* Only the configuration, with what a sendmail.cf declares; prints what is wrong with it and gives EX_CONFIG, or EX_SOFTWARE for an unknown
 * -O name.  Lines of a sendmail.cf that are no good are told and left out. */
int tool_config(const struct arguments *arguments, struct config **config_out);
int tool_open(const struct arguments *arguments, uint32_t roles, struct tool *tool);
/* The same without the store: newaliases and -bv work before there is a queue, and for those who may not enter it. */
int tool_open_tables(const struct arguments *arguments, struct tool *tool);
/* The same, without what cannot be used: each is told on `out`, with what the engine says of its own file, in the order of its lines. */
int tool_open_lenient(const struct arguments *arguments, struct tool *tool, FILE *out);
/* The store alone: the operator can reach the queue when a map or filter is broken. */
int tool_open_store(const struct arguments *arguments, struct tool *tool);
void tool_close(struct tool *tool);
/* -O and -o as the configuration takes them: letters that mean nothing here are left out.  Items point into
 * `arguments`. */
int tool_overrides(const struct arguments *arguments, struct pr_str *items, struct pr_list *list_out);
/* EX_OSFILE, and sendmail's words for it: the file given with -C cannot be opened. */
int tool_config_access(const struct arguments *arguments);
/* -C: a postrider.conf, or a sendmail.cf beside the site's postrider.conf; then *routing_out is not NULL. */
const char *tool_config_path(const struct arguments *arguments, const char **routing_out);
/* The same for what stands behind -C of any program; NULL: nothing. */
const char *tool_config_choose(const char *given, const char **routing_out);
/* "30m" behind -q, or -qp, as seconds (a bare number counts minutes; -qp alone is 1; persistent_out may be NULL); EX_USAGE with the sentence printed. */
int tool_interval(const struct arguments *arguments, int64_t *seconds_out, bool *persistent_out);
/* -X: opened for append; 0 when nobody wants it. */
int tool_trace(const struct arguments *arguments, int *fd_out);
/* What -qI -qR -qS -qQ -qG -qL choose; EX_USAGE with the sentence printed. */
int tool_selection(const struct arguments *arguments, struct queue_selection *selection_out);

/* One request to a running daemon; what it says goes to `lines`, a refusal to stderr.  EX_OK, EX_UNAVAILABLE (no
 * daemon), EX_NOPERM, EX_SOFTWARE (ERROR). */
int control_ask(const char *config, const char *request, struct pr_text *lines);
int control_tell(const char *config, const char *request); /* whose answer has nothing to say but the status */

#endif
