/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which messages a queue run is about: sendmail's -qI -qR -qS -qQ -qG -qL and their negations.
 *
 * An administrator says `sendmail -qRexample.org -qRexample.net -q!Sowner-`: what goes to one of the two domains and does not come
 * from a list.  The words of one letter are alternatives, the letters must all hold; a word is part of the field, in any case of letters;
 * `!` turns one word round.  -qR!x holds when some recipient that still waits does not contain x, as sendmail has it.
 *
 *   selection_add      one -q after the other, from a command line
 *   selection_print    as one line of text, for the control socket and the courier
 *   selection_parse    that line again
 *   selection_is_kind, selection_matches   first the entry, then - only if needed - its envelope
 *
 * Always true: pure logic; strings are borrowed from who gave them.  Messages that are quarantined or lost are meant only with Q or L.
 */
#ifndef KERNEL_QUEUE_SELECTION_H
#define KERNEL_QUEUE_SELECTION_H

#include <postrider/store.h>

#define SELECTION_TERMS_MAX 64
#define SELECTION_RUNS_MAX 8    /* walks over the queue for such runs that a courier makes at once */
#define SELECTION_TEXT_MAX 3000 /* bytes of the printed line */

enum selection_kind { SELECTION_WAITING = 0, SELECTION_QUARANTINED = 1, SELECTION_LOST = 2 };

struct selection_term {
	char letter; /* I R S Q */
	bool negated;
	struct pr_str text;
};

struct queue_selection {
	enum selection_kind kind;
	struct pr_str group; /* absent: every queue group */
	struct selection_term terms[SELECTION_TERMS_MAX];
	size_t count;
};

/* As mailq shows it and -qS looks for it: a notice of our own is MAILER-DAEMON's, though its sender is null. */
struct pr_str selection_sender(const struct pr_envelope *envelope);
/* Does the text behind a -q choose messages (or is it an interval)? */
bool selection_is_one(struct pr_str text);
/* False and sendmail's sentence. */
bool selection_add(struct queue_selection *selection, struct pr_str text, struct pr_text *why);
/* Says it less than "everything that waits"? */
bool selection_is_given(const struct queue_selection *selection);
bool selection_print(const struct queue_selection *selection, struct pr_text *out);
/* Texts are decoded into the arena. */
bool selection_parse(struct pr_str line, struct pr_arena *arena, struct queue_selection *selection_out);

/* The state and the id are settled; true: selection_matches decides (or nothing more is asked). */
bool selection_is_kind(const struct queue_selection *selection, const struct pr_entry *entry);
bool selection_needs_envelope(const struct queue_selection *selection);
/* envelope NULL: unreadable; only ids can match then. */
bool selection_matches(const struct queue_selection *selection, const struct pr_entry *entry, const struct pr_envelope *envelope);

/* Is `part` in `text`, in any case of letters? */
bool selection_contains(struct pr_str text, struct pr_str part);

#endif
