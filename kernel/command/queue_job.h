/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl queue, from inside: the verbs (queue_verbs.c), the words of the command line (queue_words.c), and the work (queue_tool.c).
 */
#ifndef KERNEL_COMMAND_QUEUE_JOB_H
#define KERNEL_COMMAND_QUEUE_JOB_H

#include "kernel/command/modes.h"
#include "kernel/command/queue_terms.h"

struct job {
	struct module_scope *scope;
	const struct verb *verb;
	struct term *terms;
	size_t term_count;
	struct message *chosen; /* without envelopes; ids on the heap */
	size_t count, room;
	struct pr_text out;
	struct pr_str reason; /* --reason */
	struct pr_edit edit;  /* --sender, and how many of the next two */
	struct pr_str *removed, *added;
	struct pr_arena words;
	bool progress;        /* --progress, or a terminal watches */
	bool json;
	bool by_id;
};

/* Either shows or changes, and says `done` of what it changed. */
struct verb {
	const char *name;
	const char *help;
	void (*show)(struct pr_text *out, const struct message *message);
	enum pr_status (*change)(struct job *job, struct pr_str id);
	const char *done;
	uint32_t states; /* that terms may choose */
	bool ids, terms, reason, json, wakes, edits;
};

/* queue_verbs.c: NULL, there is none of that name */
const struct verb *queue_verb(const char *name);
int queue_usage(void);
/* queue_words.c: 0, or EX_USAGE and why on stderr */
int queue_words(struct job *job, char **words, size_t count);
void queue_choose(struct job *job, const struct pr_entry *entry);

#endif
