/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The query language of `postriderctl queue`: NAME=VALUE, all of which must hold.
 *
 *   postriderctl queue list domain=example.org older=1d larger=1M reason=refused
 *
 * A term is a row of a table.  Those that need no envelope are asked first, while the store is walked.
 */
#ifndef KERNEL_COMMAND_QUEUE_TERMS_H
#define KERNEL_COMMAND_QUEUE_TERMS_H

#include "kernel/command/queue_tool.h"

struct term_kind;

struct term {
	const struct term_kind *kind;
	struct pr_str text;
	int64_t number;
};

/* False: the sentence in `why`. */
bool term_parse(struct pr_str word, struct term *term_out, struct pr_text *why);
/* Does it ask the envelope? */
bool term_is_full(const struct term *term);
bool term_holds(const struct term *term, const struct message *message);
/* One line for each, for people. */
void term_print_help(struct pr_text *out);

#endif
