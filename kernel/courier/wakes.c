/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wake-ups of the receiver become entries of the plan.  Whoever sleeps in the set of nap.c reads them, or the first thread, while all
 * workers are busy; one at a time, so that what a listing shows is complete.
 */
#include "kernel/courier/internal.h"
#include "kernel/plan/order.h"
#include "kernel/queue/queue.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAKES_AT_ONCE 16
#define WAKE_TURNS_MAX 1000 /* mail that comes while we read is not ours to wait for */

/* True: somebody asks for a run with ETRN. */
static bool take_run(struct courier *courier, const char *bytes, const struct mmsghdr *message)
{
	struct pr_str line;
	int fd = queue_wake_descriptor(&message->msg_hdr);

	if (!queue_wake_is_run(bytes, message->msg_len, &line))
		return false;
	if (fd >= 0)
		close(fd);
	if (!load_skips_run(courier))
		selected_start(courier, line);
	return true;
}

/* One wake-up into the plan, with the lock held; true: it is due now. */
static bool put_wake(struct courier *courier, const char *bytes, const struct mmsghdr *message)
{
	struct plan_item item = {.group = PLAN_GROUP_UNKNOWN};
	int word = queue_wake_descriptor(&message->msg_hdr);
	char mode;

	queue_wake_read(bytes, message->msg_len, &item, &mode);
	item.eager = mode == QUEUE_MODE_VERBOSE;
	item.due = mode != 0 ? courier_fresh_due_in(courier, item.group, mode) : courier_fresh_due(courier, item.group);
	courier_index_wake(courier, item.id);
	if (word >= 0)
		words_note(courier, item.id, word);
	if (!plan_put(courier->plan, &item))
		words_say(courier, item.id, QUEUE_WORD_QUEUED);
	return item.due == 0;
}

struct reading {
	int count; /* datagrams */
	bool due, over; /* something is due now; nobody can send any more */
};

/* With `waking` held. */
static struct reading read_some(struct courier *courier)
{
	char bytes[WAKES_AT_ONCE][QUEUE_WAKE_MAX];
	_Alignas(struct cmsghdr) char control[WAKES_AT_ONCE][CMSG_SPACE(sizeof(int))];
	struct iovec pieces[WAKES_AT_ONCE];
	struct mmsghdr messages[WAKES_AT_ONCE];
	struct reading reading = {0};
	bool runs[WAKES_AT_ONCE] = {false};

	memset(messages, 0, sizeof messages);
	for (int i = 0; i < WAKES_AT_ONCE; i++) {
		pieces[i] = (struct iovec){bytes[i], sizeof bytes[i]};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1, .msg_control = control[i],
		                                      .msg_controllen = sizeof control[i]};
	}
	int got = recvmmsg(courier->role->wake, messages, WAKES_AT_ONCE, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	for (; reading.count < got && messages[reading.count].msg_len > 0; reading.count++)
		runs[reading.count] = take_run(courier, bytes[reading.count], &messages[reading.count]);
	reading.over = got > 0 && reading.count < got;
	if (reading.count == 0)
		return reading;
	pthread_mutex_lock(&courier->lock);
	for (int i = 0; i < reading.count; i++)
		if (!runs[i])
			reading.due |= put_wake(courier, bytes[i], &messages[i]);
	pthread_mutex_unlock(&courier->lock);
	return reading;
}

/* When we leave, wake-ups are our successor's. */
static struct reading read_unless_leaving(struct courier *courier)
{
	struct reading reading = {0};

	pthread_mutex_lock(&courier->waking);
	if (!courier_is_leaving(courier))
		reading = read_some(courier);
	pthread_mutex_unlock(&courier->waking);
	return reading;
}

/* More may wait behind these, and what has woken us said so only once. */
void wakes_read(struct courier *courier)
{
	struct reading reading = read_unless_leaving(courier);

	if (reading.over)
		nap_without_wakes(courier);
	else if (reading.count == WAKES_AT_ONCE)
		nap_more_wakes(courier);
}

/* Whoever was told that his mail is taken finds it in a listing: its wake-up was sent before that word, so it is here. */
bool wakes_read_all(struct courier *courier)
{
	struct reading reading = {.count = 1};
	bool due = false;

	for (int turn = 0; turn < WAKE_TURNS_MAX && reading.count > 0; turn++) {
		reading = read_unless_leaving(courier);
		due |= reading.due;
	}
	pthread_mutex_lock(&courier->lock);
	if (due) /* one is enough: who takes the first calls the next */
		courier_kick(courier);
	pthread_mutex_unlock(&courier->lock);
	return !reading.over;
}
