/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Drives one session until it would block: read, feed the machine, answer its questions, send what it said.
 * Each phase is a function that says what comes next, so a session can be parked anywhere without a thread or a stack.
 */
#include "kernel/session/session.h"

#include "kernel/log/log.h"
#include "kernel/session/close.h"
#include "kernel/session/failures.h"
#include "kernel/session/pause.h"
#include "kernel/session/proxy.h"
#include "kernel/session/shown.h"
#include "kernel/session/slow.h"
#include "kernel/session/submission.h"
#include "kernel/session/tls_start.h"
#include "kernel/session/transaction.h"
#include "kernel/session/wait.h"

#include <time.h>

#define INPUT_MAX (2 * BENCH_BUFFER)
#define OUTPUT_ENOUGH 16384 /* send before taking more input */
#define READS_PER_RUN 64    /* then other sessions have their turn */

enum next { NEXT_WAIT, NEXT_YIELD, NEXT_PARK, NEXT_AGAIN, NEXT_GONE };

/* Input that the machine has not taken: in the worker's buffer, or in the session's own. */
struct feed {
	struct pr_str rest;
	bool own;
	bool drained;  /* there is no more in the socket: an event will come when there is */
	bool progress; /* a command or a piece of data was complete: the client is not just dripping bytes */
	uint32_t reads;
};

int64_t session_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec;
}

int64_t session_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void feed_keep(struct session *session, struct feed *feed)
{
	if (feed->own) {
		pr_text_consume(&session->input, session->input.len - feed->rest.len);
	} else if (feed->rest.len > 0) {
		if (session->input.max == 0)
			pr_text_init(&session->input, INPUT_MAX);
		pr_text_add_str(&session->input, feed->rest);
	}
	feed->own = session->input.len > 0;
	feed->rest = pr_text_str(&session->input);
	if (!feed->own)
		pr_text_fini(&session->input);
}

static struct feed feed_start(struct session *session)
{
	struct feed feed = {.rest = {"", 0}, .drained = session->unread == 0};

	if (session->input.len > 0) {
		feed.rest = pr_text_str(&session->input);
		feed.own = true;
	}
	return feed;
}

/* What the peer sent is over, or the connection is. */
static void peer_gone(struct session *session)
{
	smtp_machine_end(session->machine);
}

static enum net_result flush(struct session *session)
{
	struct pr_text *output = smtp_machine_output(session->machine);
	enum net_result result = NET_DONE;

	shown_said(session);
	if (output->len > 0 && session->broken == 0)
		result = net_stream_flush(&session->stream, output);
	shown_sent(session);
	if (result == NET_BROKEN || result == NET_CLOSED)
		session->broken = 1;
	if (session->broken != 0) {
		pr_text_clear(output);
		return NET_BROKEN;
	}
	return result;
}

static void feed_read(struct session *session, struct bench *bench, struct feed *feed)
{
	size_t got = 0;

	switch (net_stream_read(&session->stream, bench->buffer, bench->room, &got)) {
	case NET_DONE:
		/* less than was asked for is all there is, but for the end of it */
		feed->drained = got < bench->room && session->stream.tls == NULL && session->ending == 0;
		feed->reads++;
		struct pr_str more = {bench->buffer, got};
		if (feed->rest.len == 0) {
			pr_text_fini(&session->input);
			feed->own = false;
			feed->rest = more;
		} else {
			feed_keep(session, feed);
			pr_text_add_str(&session->input, more);
			feed->rest = pr_text_str(&session->input);
		}
		break;
	case NET_AGAIN:
		feed->drained = true;
		break;
	case NET_BROKEN:
		session->broken = 1;
		peer_gone(session);
		break;
	case NET_CLOSED:
		peer_gone(session);
		break;
	}
}

/* Gives the machine what it takes.  False: it takes nothing, and asks nothing. */
static bool feed_machine(struct session *session, struct feed *feed)
{
	enum shown_kind kind = shown_kind(session);
	size_t taken = smtp_machine_input(session->machine, feed->rest.data, feed->rest.len);

	shown_heard(session, pr_str_slice(feed->rest, 0, taken), kind);
	feed->rest = pr_str_slice(feed->rest, taken, feed->rest.len);
	return taken > 0 || smtp_machine_question(session->machine) != NULL || smtp_machine_is_finished(session->machine);
}

static enum next farewell(struct session *session)
{
	enum net_result result = flush(session);

	if (result == NET_AGAIN && atomic_load(&session->timer.due) != 0)
		return NEXT_WAIT;
	/* Closing with unread input would reset the connection and take the last reply with it.  Who was never let in has nothing under way, and
	 * waiting for him would take a place from others. */
	if (result != NET_DONE || !net_stream_shutdown(&session->stream, session->quit != 0 || session->counted == 0))
		return NEXT_GONE;
	session->phase = SESSION_LINGERING;
	session->stalled = 0;
	return NEXT_AGAIN;
}

/* One step of talking.  NEXT_AGAIN: go on. */
static enum next talk_step(struct session *session, struct bench *bench, struct feed *feed)
{
	const struct smtp_machine *machine = session->machine;

	shown_said(session);
	if (smtp_machine_question(machine) != NULL) {
		feed->progress = true;
		if (smtp_machine_question(machine)->ask == SMTP_ASK_WAIT) {
			if (!slow_begins(session, bench))
				return NEXT_AGAIN;
			session->phase = SESSION_SLOWED;
			return NEXT_PARK;
		}
		if (session_answer(session, bench))
			return session->phase == SESSION_SECURING ? NEXT_PARK : NEXT_AGAIN;
		session->phase = SESSION_COMMITTING;
		return NEXT_PARK;
	}
	if (smtp_machine_is_finished(machine))
		return NEXT_GONE;
	if (feed->rest.len > 0 && smtp_machine_output(session->machine)->len < OUTPUT_ENOUGH) {
		enum submission_first first = submission_first_line(session, &feed->rest);
		if (first == SUBMISSION_PASS && feed_machine(session, feed))
			return NEXT_AGAIN;
		if (first == SUBMISSION_TAKEN)
			return NEXT_AGAIN;
		if (first == SUBMISSION_PASS && smtp_machine_output(session->machine)->len == 0) {
			peer_gone(session); /* a machine that neither takes nor asks nor says anything is broken */
			return NEXT_AGAIN;
		}
	}
	feed->progress |= smtp_machine_output(session->machine)->len > 0 || smtp_machine_in_data(machine);
	enum net_result result = flush(session);
	if (result == NET_AGAIN)
		return NEXT_WAIT;
	if (result == NET_BROKEN) {
		peer_gone(session);
		return NEXT_AGAIN;
	}
	if (feed->rest.len > 0 && session->first_input == 0)
		return NEXT_AGAIN;
	if (feed->drained)
		return NEXT_WAIT;
	if (feed->reads >= READS_PER_RUN)
		return NEXT_YIELD;
	feed_read(session, bench, feed);
	return NEXT_AGAIN;
}

static void notice(struct session *session, uint32_t events)
{
	bool due = (events & (LOOP_TIMER | LOOP_IO)) == LOOP_TIMER && atomic_load(&session->timer.due) == 0;

	if (atomic_load(&session->receiver->leaving) != 0)
		smtp_machine_shutdown(session->machine);
	if (!due && !session_is_overdue(session))
		return;
	atomic_fetch_add(&session->receiver->counts.timeouts, 1);
	smtp_machine_timed_out(session->machine);
}

static enum next phase_talk(struct session *session, struct bench *bench, uint32_t events)
{
	struct feed feed = feed_start(session);
	enum next next;

	session->settings.busy = slow_of_load(session);
	failures_look(session);
	notice(session, events);
	do
		next = talk_step(session, bench, &feed);
	while (next == NEXT_AGAIN);
	session->unread = !feed.drained;
	if (next == NEXT_GONE)
		return farewell(session);
	if (session->phase == SESSION_SECURING) {
		/* Whatever was said in plain text behind STARTTLS was never said. */
		pr_text_fini(&session->input);
		return NEXT_AGAIN;
	}
	if ((session->phase == SESSION_COMMITTING || session->phase == SESSION_SLOWED) && flush(session) == NET_BROKEN)
		feed.rest.len = 0; /* the replies had nowhere to go; the commit still counts */
	feed_keep(session, &feed);
	session->stalled = !feed.progress;
	return next;
}

static enum next phase_proxy(struct session *session, struct bench *bench, uint32_t events)
{
	switch (proxy_go_on(session, bench, events)) {
	case PROXY_WAITS:
		return NEXT_PARK;
	case PROXY_KNOWN:
		session->phase = SESSION_GREETING;
		return NEXT_AGAIN;
	default:
		return NEXT_GONE;
	}
}

static enum next show_greeting(struct session *session, struct bench *bench)
{
	session->phase = SESSION_TALKING;
	if (!pause_begins(session, bench))
		return NEXT_AGAIN;
	session->phase = SESSION_PAUSING;
	return NEXT_PARK;
}

static enum next phase_greet(struct session *session, struct bench *bench, uint32_t events)
{
	(void)events;
	session_greet(session, bench);
	shown_begin(session);
	session_answer(session, bench);
	if (session->settings.secured == 0)
		return show_greeting(session, bench);
	tls_begin(session);
	return NEXT_AGAIN;
}

static enum next phase_pause(struct session *session, struct bench *bench, uint32_t events)
{
	if (pause_goes_on(session, bench, events))
		return NEXT_PARK;
	session->phase = SESSION_TALKING;
	return NEXT_AGAIN;
}

static enum next phase_slowed(struct session *session, struct bench *bench, uint32_t events)
{
	(void)bench;
	if (slow_goes_on(session, events))
		return NEXT_PARK;
	session->phase = SESSION_TALKING;
	return NEXT_AGAIN;
}

static enum next phase_commit(struct session *session, struct bench *bench, uint32_t events)
{
	if (!transaction_goes_on(session, bench, events))
		return NEXT_PARK;
	session->phase = SESSION_TALKING;
	return NEXT_AGAIN;
}

static enum next phase_secure(struct session *session, struct bench *bench, uint32_t events)
{
	bool greets = session->settings.secured != 0 && session->greeted == 0;

	if ((events & (LOOP_TIMER | LOOP_IO)) == LOOP_TIMER && atomic_load(&session->timer.due) == 0) {
		tls_timed_out(session);
		return NEXT_GONE;
	}
	enum net_result result = greets ? NET_DONE : flush(session); /* a greeting waits for TLS, a 220 goes before it */
	if (result == NET_DONE)
		result = tls_start(session, bench);
	if (result == NET_AGAIN)
		return NEXT_WAIT;
	session->phase = SESSION_TALKING;
	session->stalled = 0;
	session->unread = 1; /* what came with the end of the handshake makes no event any more */
	if (result != NET_DONE) {
		session->broken = 1;
		peer_gone(session);
		return NEXT_AGAIN;
	}
	if (!greets)
		return NEXT_AGAIN;
	session->greeted = 1;
	return show_greeting(session, bench);
}

static enum next phase_linger(struct session *session, struct bench *bench, uint32_t events)
{
	size_t got;
	enum net_result result;

	if ((events & LOOP_TIMER) != 0)
		return NEXT_GONE;
	struct net_stream plain = {.fd = session->stream.fd};
	do
		result = net_stream_read(&plain, bench->buffer, bench->room, &got);
	while (result == NET_DONE);
	return result == NET_AGAIN ? NEXT_WAIT : NEXT_GONE;
}

static enum next after_wait(enum wait_result result)
{
	return result == WAIT_OVER ? NEXT_AGAIN : result == WAIT_PARKED ? NEXT_WAIT : NEXT_GONE;
}

bool session_run(struct loop_task *task, struct worker *worker, uint32_t events)
{
	static enum next (*const phases[])(struct session *, struct bench *, uint32_t) = {
	    [SESSION_GREETING] = phase_greet,     [SESSION_PAUSING] = phase_pause,   [SESSION_TALKING] = phase_talk,
	    [SESSION_SLOWED] = phase_slowed,      [SESSION_PROXY] = phase_proxy,
	    [SESSION_COMMITTING] = phase_commit, [SESSION_SECURING] = phase_secure, [SESSION_LINGERING] = phase_linger,
	};
	struct session *session = (struct session *)task;
	struct bench *bench = worker->local;
	enum next next;

	session->unread |= (events & LOOP_IO) != 0;
	session->ending |= (events & LOOP_END) != 0;
	do {
		next = phases[session->phase](session, bench, events);
		events &= ~(uint32_t)(LOOP_TIMER | LOOP_COMMIT);
		if (next == NEXT_WAIT)
			next = after_wait(session_wait(session));
	} while (next == NEXT_AGAIN);
	if (next == NEXT_YIELD) {
		session_deadline(session);
		loop_defer(worker->loop, task, LOOP_IO);
	}
	if (next != NEXT_GONE)
		return next != NEXT_YIELD;
	session_close(session, bench);
	return false;
}
