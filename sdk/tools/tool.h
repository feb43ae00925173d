/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pieces of postrider-module: a module without a daemon around it.
 *
 * load.c opens the object and gives it the memory a kernel would; host.c is what the module sees of a
 * kernel here; message.c reads a message from the standard input; deliver.c hands it to a mailer or a filter;
 * store.h says how a store is tried; new.c writes a project.  Every command returns the exit status of the program (sysexits.h).
 */
#ifndef SDK_TOOLS_TOOL_H
#define SDK_TOOLS_TOOL_H

#include <postrider/filter.h>
#include <postrider/mailer.h>
#include <postrider/map.h>

struct loaded {
	const struct pr_module *module;
	struct pr_arena options; /* strings of the instance */
	struct pr_arena arena;   /* the call's */
	struct pr_call call;
	bool opened;
};

/* Opens FILE, fills its options from "name=value" words, runs check() and, when `run`, open() and thread_open().
 * False and a sentence on stderr when any of it fails. */
bool tool_load(struct loaded *loaded, const char *file, char *const *settings, bool run);
/* The option table of FILE; NULL when it cannot be loaded or has none. */
const struct pr_option *tool_options(const char *file);
/* Undoes it: thread_close(), close(), session memory. */
void tool_unload(struct loaded *loaded);

extern const struct pr_host tool_host;
extern struct pr_str tool_own_name; /* what own_name() says: the module that was loaded last */

/* A message as the kernel would hand it over. */
struct tool_message {
	struct pr_text bytes;
	struct pr_arena arena;
	struct pr_envelope envelope;
	struct pr_recipient recipient;
	struct pr_str body_bytes;
	size_t body_at;
	struct pr_body body;
};

/* Reads standard input; false and a sentence on stderr. */
bool tool_message_read(struct tool_message *message, const char *recipient);
void tool_message_fini(struct tool_message *message);

/* The exit status for an answer: 0, 1 not found, EX_TEMPFAIL, EX_UNAVAILABLE, EX_USAGE; the reason goes to stderr. */
int tool_answer(const struct loaded *loaded, enum pr_status status);

int tool_deliver(struct loaded *loaded, struct tool_message *message);
int tool_filter(struct loaded *loaded, struct tool_message *message);
int tool_new(const char *templates, const char *kind, const char *name);

/* "postrider-module: ..." on stderr */
void tool_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
