/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -X of the small program: what comes from its caller and its daemon (<<<), and what goes to them (>>>), as sendmail writes it.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_TRACED_H
#define KERNEL_COMMAND_SENDMAIL_TRACED_H

#include "kernel/command/sendmail/message.h"

#include <stdio.h>

struct traced {
	FILE *file;       /* NULL: nobody wants it */
	const char *side; /* whose line was begun and not ended, or NULL */
};

#define TRACED_HEARD "<<<"
#define TRACED_SAID ">>>"

/* False with errno; a path that is NULL is good. */
bool traced_open(struct traced *traced, const char *path);
void traced_close(struct traced *traced);
/* In any pieces; lines end with LF. */
void traced_bytes(struct traced *traced, const char *side, struct pr_str bytes);
void traced_line(struct traced *traced, const char *side, struct pr_str line);
/* The message as it was read, and as it goes out with its dots doubled. */
void traced_message(struct traced *traced, const char *side, const struct message *message);

#endif
