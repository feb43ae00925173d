/* SPDX-License-Identifier: BSD-2-Clause
 *
 * To whom: addresses of the command line and of header fields, each once, in their order.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_RECIPIENTS_H
#define KERNEL_COMMAND_SENDMAIL_RECIPIENTS_H

#include "kernel/command/sendmail/message.h"

#define RECIPIENTS_MAX 1000000u /* far above any list that comes by a command line; bounds the memory */

enum recipient_fate { RECIPIENT_WAITING = 0, RECIPIENT_TAKEN, RECIPIENT_SENT, RECIPIENT_REFUSED, RECIPIENT_EXCLUDED };

struct recipient {
	struct pr_str address; /* without brackets, no control characters */
	uint32_t fate;         /* enum recipient_fate */
};

struct recipients {
	struct pr_arena arena;
	struct recipient *items;
	size_t count, room;
	size_t *index; /* open addressing over addresses: position + 1 */
	size_t index_size;
	bool comma_seen; /* from then on blanks no longer separate (OldStyleHeaders) */
};

void recipients_init(struct recipients *recipients);
void recipients_fini(struct recipients *recipients);
/* A comma separated list; a piece that is no address gives "ADDR... why" lines in `error` and EX_DATAERR, and the
 * others count. fate is RECIPIENT_WAITING, or RECIPIENT_EXCLUDED for the argv addresses of -t. */
int recipients_add_list(
    struct recipients *recipients, struct pr_str list, bool blanks_separate, uint32_t fate, struct pr_text *error);
/* To, Cc, Bcc; the Resent- ones instead when there are any. */
int recipients_add_header(struct recipients *recipients, const struct message *message, struct pr_text *error);
size_t recipients_with_fate(const struct recipients *recipients, uint32_t fate);

#endif
