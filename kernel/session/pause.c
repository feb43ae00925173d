/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The greeting stays in the machine's output while the session is parked in its timer; a look at the socket (without taking anything)
 * tells a client that talks from one that has gone.
 */
#include "kernel/session/pause.h"

#include "kernel/log/log.h"
#include "kernel/session/report.h"

#include <errno.h>
#include <sys/socket.h>

#define PAUSE_MAX_MS 300000

/* Digits, or no number at all. */
static uint32_t milliseconds(struct pr_str text)
{
	uint32_t number = 0;

	for (size_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9' && number < PAUSE_MAX_MS; i++)
		number = number * 10 + (uint32_t)(text.data[i] - '0');
	return number < PAUSE_MAX_MS ? number : PAUSE_MAX_MS;
}

void pause_ask(struct session *session, struct module_scope *scope)
{
	struct pr_str items[2] = {session->name, session->address};
	struct pr_list arguments = {items, 2};
	struct pr_str value = PR_NONE;

	switch (rules_feature(scope, PR_STR("greet_pause"), &arguments, &value)) {
	case PR_OK:
		session->pause = milliseconds(value);
		break;
	case PR_NOTFOUND:
		break;
	default: /* who cannot be asked makes nobody wait */
		report_failure(session, "greet_pause", scope->reason);
		break;
	}
}

static bool is_over(const struct session *session, uint32_t events)
{
	return (events & LOOP_TIMER) != 0 && atomic_load(&session->timer.due) == 0;
}

enum peek { PEEK_NOTHING, PEEK_TALKS, PEEK_GONE };

static enum peek peek(const struct session *session)
{
	char byte;
	ssize_t got = recv(session->stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (got > 0)
		return PEEK_TALKS;
	return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? PEEK_NOTHING : PEEK_GONE;
}

bool pause_begins(struct session *session, struct bench *bench)
{
	if (session->pause == 0)
		return false;
	timer_set(&session->receiver->wheel, &session->timer, (session_now_ms() + session->pause + 999) / 1000);
	return pause_goes_on(session, bench, 0);
}

static void refuse(struct session *session, struct bench *bench)
{
	int64_t left = atomic_load(&session->timer.due) * 1000 - session_now_ms();
	int64_t waited = left > 0 && left < (int64_t)session->pause ? (int64_t)session->pause - left : 0;

	log_at(3, LOGP_INFO, "NOQUEUE", "rejecting commands from %.*s due to pre-greeting traffic after %lld seconds",
	    PR_PRINT(session_client(session, &bench->arena)), (long long)waited / 1000);
	atomic_fetch_add(&session->receiver->counts.refused, 1);
	smtp_machine_talked_early(session->machine);
}

bool pause_goes_on(struct session *session, struct bench *bench, uint32_t events)
{
	if (atomic_load(&session->receiver->leaving) != 0)
		return false;
	switch (peek(session)) {
	case PEEK_TALKS:
		refuse(session, bench);
		return false;
	case PEEK_GONE:
		return false;
	default:
		return !is_over(session, events);
	}
}
