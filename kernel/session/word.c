/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DeliveryMode i: the wake-up carries one end of a socket pair along, and the courier says a byte there when the first attempt of that message
 * has ended.  A courier that dies or loses the wake-up closes that end without a word, so nobody waits for the dead.
 */
#include "kernel/session/word.h"

#include "kernel/log/log.h"
#include "kernel/queue/queue.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORD_SECONDS 60 /* mail programs of people give up after 100, RFC 5321 clients after 600 */

bool word_is_wanted(const struct transaction *transaction)
{
	return transaction->mode == 'i' && transaction->quarantine.data == NULL;
}

/* True: it was asked for word. */
static bool wake(const struct transaction *transaction, const struct part *part, int word_fd)
{
	const struct receiver *receiver = transaction->session->receiver;
	struct pr_str order = receiver->options->queue_sort_order;
	char mode = transaction->verbose ? QUEUE_MODE_VERBOSE : transaction->mode;

	if (word_fd >= 0 && queue_wake_for(receiver->role->wake, part->envelope, order, mode, word_fd))
		return true;
	queue_wake_for(receiver->role->wake, part->envelope, order, mode, -1);
	return false;
}

/* What we ourselves would wait for such an answer, but never more than people do. */
static int64_t patience(const struct options *options)
{
	return options->timeout_datafinal > 0 && options->timeout_datafinal < WORD_SECONDS ? options->timeout_datafinal : WORD_SECONDS;
}

static bool watch(struct session *session, int fd)
{
	struct receiver *receiver = session->receiver;

	if (!loop_watch_other(receiver->loop, &session->task, fd))
		return false;
	timer_set(&receiver->wheel, &session->timer, session_now() + patience(receiver->options) + 1);
	return true;
}

static bool is_stored(const struct part *part)
{
	return part->recipient_count > 0 && (part->result == PR_COMMIT_DURABLE || part->result == PR_COMMIT_WRITTEN);
}

bool word_wake(struct transaction *transaction, bool ask)
{
	int ends[2] = {-1, -1};
	bool asked = false;

	if (transaction->quarantine.data != NULL)
		return false;
	ask = ask && word_is_wanted(transaction) && atomic_load(&transaction->session->receiver->leaving) == 0;
	/* without descriptors or a courier nobody waits: the message is in the queue all the same */
	if (ask && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		ends[0] = ends[1] = -1;
	for (size_t i = 0; i < transaction->part_count; i++) {
		if (!is_stored(&transaction->parts[i]))
			continue;
		asked |= wake(transaction, &transaction->parts[i], ends[1]);
		transaction->words_due++;
	}
	if (ends[1] >= 0)
		close(ends[1]);
	transaction->word_fd = ends[0];
	if (asked && watch(transaction->session, ends[0]))
		return true;
	word_close(transaction);
	return false;
}

/* True at the end of what will come. */
static bool hear(struct transaction *transaction)
{
	char words[64];
	ssize_t got;

	for (;;) {
		got = recv(transaction->word_fd, words, sizeof words, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 || errno != EAGAIN;
		for (ssize_t i = 0; i < got; i++)
			transaction->words_delivered += words[i] == QUEUE_WORD_DELIVERED;
	}
}

bool word_is_over(struct session *session, uint32_t events)
{
	struct transaction *transaction = session->transaction;

	if (hear(transaction))
		return true;
	if (atomic_load(&session->receiver->leaving) != 0)
		return true;
	if ((events & LOOP_TIMER) == 0 || atomic_load(&session->timer.due) != 0)
		return false;
	log_at(8, LOGP_INFO, transaction->parts[0].id.data, "the first delivery takes long; the client waits for it no more");
	return true;
}

void word_close(struct transaction *transaction)
{
	if (transaction->word_fd >= 0)
		close(transaction->word_fd);
	transaction->word_fd = -1;
}
