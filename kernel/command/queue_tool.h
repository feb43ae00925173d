/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `postriderctl queue` knows of one message, and the three ways to show it.
 */
#ifndef KERNEL_COMMAND_QUEUE_TOOL_H
#define KERNEL_COMMAND_QUEUE_TOOL_H

#include <postrider/store.h>

/* One message as it is shown and asked about; what cannot be read has no envelope but a reason why. */
struct message {
	struct pr_entry entry;
	const struct pr_envelope *envelope;
	struct pr_str why;
	bool changed; /* by the verb */
};

#define QUEUE_STATES (PR_ENTRY_LOST + 1)
extern const char *const queue_states[QUEUE_STATES];

/* Why it is still here: of the quarantine, the message, a recipient, or why it cannot be read. */
struct pr_str queue_reason(const struct message *message);
/* Not delivered yet. */
bool queue_is_open(const struct pr_recipient *recipient);

void queue_list_line(struct pr_text *out, const struct message *message);
void queue_list_json(struct pr_text *out, const struct message *message);
/* All of it but the body; the message has an envelope. */
void queue_show(struct pr_text *out, const struct message *message);

#endif
