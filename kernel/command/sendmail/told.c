/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What -v says besides the conversation, in sendmail's words: who goes where, and what came of it.
 * On standard output at once, because whoever watches wants to see what is being waited for.
 */
#include "kernel/command/sendmail/dialogue.h"

#include <string.h>

static void print_who(const struct submission *submission, uint32_t fate)
{
	bool first = true;

	for (size_t i = 0; i < submission->recipients->count; i++) {
		if (submission->recipients->items[i].fate != fate)
			continue;
		printf("%s%.*s", first ? "" : ",", PR_PRINT(submission->recipients->items[i].address));
		first = false;
	}
	printf("... ");
}

void told_connecting(const struct submission *submission)
{
	if (!submission->verbose)
		return;
	print_who(submission, RECIPIENT_WAITING);
	printf("Connecting to %s via relay...\n", submission->place);
	(void)fflush(stdout);
}

void told_deferred(const struct submission *submission, int error)
{
	if (!submission->verbose)
		return;
	print_who(submission, RECIPIENT_WAITING);
	printf("Deferred: %s by %s\n", strerror(error), submission->place);
}

/* "250 2.0.0 ID Message accepted for delivery" without its numbers */
void told_sent(const struct submission *submission, struct pr_str reply)
{
	struct pr_str text = pr_str_slice(reply, 4, reply.len);

	if (!submission->verbose)
		return;
	if (text.len > 1 && text.data[0] == '2' && text.data[1] == '.')
		text = pr_str_trim(pr_str_slice(text, pr_str_find(text, ' '), text.len));
	print_who(submission, RECIPIENT_TAKEN);
	printf("Sent (%.*s)\n", PR_PRINT(text));
}

void told_closing(const struct submission *submission)
{
	if (submission->verbose)
		printf("Closing connection to %s\n", submission->place);
}
