/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A session waits: in the epoll set, or for a moment in the thread that has just answered it.
 *
 * A client that sends one command after the other answers within microseconds.  The kernel wakes a thread that sleeps on the
 * socket itself at once and on the same processor, because it knows that the sender is about to sleep; a sleeper in an epoll set is sent
 * to another processor, which has to be woken first.  That makes half of the time of a command, so a thread that can be spared stays.
 */
#include "kernel/session/wait.h"

#include "kernel/session/session.h"
#include "kernel/session/transaction.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <time.h>

#define LINGER_SECONDS 2
#define STAY_MS 2
#define SWIFT_US 100
#define BRISK 8 /* so many waits when a thread could have stayed, and the session leaves the set again */

static uint32_t seconds_of(const struct session *session)
{
	if (session->phase == SESSION_LINGERING)
		return LINGER_SECONDS;
	if (session->phase == SESSION_SECURING && session->receiver->options->timeout_starttls > 0)
		return (uint32_t)session->receiver->options->timeout_starttls;
	return smtp_machine_timeout(session->machine);
}

/* When patience ends with a client of the network that says a little all the time; a message is not cut off for the age of its connection. */
static int64_t last_moment(const struct session *session)
{
	const struct options *options = session->receiver->options;
	const struct transaction *transaction = session->transaction;
	int64_t limit = transaction != NULL ? options->timeout_message : options->timeout_session;
	int64_t since = transaction != NULL ? transaction->since : session->since;

	return limit > 0 && !session->settings.submission ? since + limit + 1 : INT64_MAX;
}

bool session_is_overdue(const struct session *session)
{
	return session_now() >= last_moment(session);
}

void session_deadline(struct session *session)
{
	uint32_t timeout = seconds_of(session);
	int64_t due = session_now() + (int64_t)timeout + 1, last = last_moment(session);

	if (session->phase == SESSION_TALKING && last < due)
		due = last;

	if (session->stalled == 0 || atomic_load(&session->timer.due) == 0)
		timer_set(&session->receiver->wheel, &session->timer, due);
}

bool session_watch(struct session *session)
{
	bool room = (session->stream.wants & NET_WANT_WRITE) != 0 || session->watches_room != 0;
	uint32_t wanted = EPOLLIN | (room ? EPOLLOUT : 0u);
	struct loop *loop = session->receiver->loop;
	bool done = true;

	if (session->watched == 0) {
		session->brisk = 0;
		done = loop_watch(loop, &session->task, session->stream.fd, wanted);
	} else if (room && session->watches_room == 0) {
		done = loop_rewatch(loop, &session->task, session->stream.fd, wanted);
	}
	session->watched = 1;
	session->watches_room = room;
	return done;
}

static bool may_stay(struct session *session)
{
	struct loop *loop = session->receiver->loop;

	if (session->phase != SESSION_TALKING || (session->stream.wants & NET_WANT_WRITE) != 0 || session->watches_room != 0)
		return false;
	if (atomic_load(&session->receiver->leaving) != 0 || !loop_can_spare(loop))
		return false;
	if (session->watched == 0)
		return true;
	if (++session->brisk < BRISK)
		return false;
	loop_unwatch(loop, session->stream.fd);
	session->watched = 0;
	return true;
}

/* Like poll(), for STAY_MS.  A client that answered at once the last time is looked for without sleeping first. */
static int poll_brisk(struct session *session, struct pollfd *set)
{
	int64_t began = loop_clock_us(CLOCK_MONOTONIC);
	int ready = 0;

	while (session->swift != 0 && ready == 0 && loop_clock_us(CLOCK_MONOTONIC) - began < SWIFT_US) {
		ready = poll(set, 1, 0);
		if (ready == 0)
			sched_yield();
	}
	if (ready == 0)
		ready = poll(set, 1, STAY_MS);
	session->swift = ready > 0 && loop_clock_us(CLOCK_MONOTONIC) - began < SWIFT_US;
	return ready;
}

/* True: there is something to read. */
static bool stay(struct session *session)
{
	struct pollfd set = {.fd = session->stream.fd, .events = POLLIN | POLLRDHUP};

	if (!may_stay(session))
		return false;
	loop_hand_over(session->receiver->loop);
	if (poll_brisk(session, &set) <= 0)
		return false;
	session->unread = 1;
	session->ending |= (set.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
	return true;
}

enum wait_result session_wait(struct session *session)
{
	session_deadline(session);
	/* Waiting is what a session does most: it keeps no buffer meanwhile. */
	if (smtp_machine_output(session->machine)->len == 0)
		pr_text_fini(smtp_machine_output(session->machine));
	if (stay(session))
		return WAIT_OVER;
	return session_watch(session) ? WAIT_PARKED : WAIT_FAILED;
}
