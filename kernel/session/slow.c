/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine says how long; here it is timed, and told to the log in sendmail's words.
 */
#include "kernel/session/slow.h"

#include "kernel/log/log.h"
#include "kernel/session/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <time.h>

static int64_t load_of(const struct receiver *receiver)
{
	return atomic_load_explicit(&receiver->load, memory_order_relaxed);
}

static int64_t most_of(const struct session *session)
{
	const struct config_listener *declared = session->listener->declared;

	return declared != NULL && declared->delay_la >= 0 ? declared->delay_la : session->receiver->options->delay_la;
}

uint32_t slow_of_load(const struct session *session)
{
	int64_t most = most_of(session);

	return most > 0 && load_of(session->receiver) >= most;
}

static void report(struct session *session, struct bench *bench, const struct smtp_question *question)
{
	struct receiver *receiver = session->receiver;
	struct pr_str client = session_client(session, &bench->arena);
	uint64_t more;

	if (question->attack > 0)
		log_at(6, LOGP_INFO, "NOQUEUE", "%.*s: possible SMTP attack: command=%.*s, count=%" PRIu32, PR_PRINT(client), PR_PRINT(question->argument),
		       question->attack);
	if (question->flood)
		log_at(6, LOGP_INFO, "NOQUEUE", "%.*s: Possible SMTP RCPT flood, throttling.", PR_PRINT(client));
	if (session->settings.busy > 0 && log_level() > 8 && log_repeat_begin(&receiver->slow, session_now(), &more))
		log_line(LOGP_INFO, "NOQUEUE", "delaying=%.*s, load average=%" PRId64 " >= %" PRId64, PR_PRINT(question->argument), load_of(receiver),
		         most_of(session));
}

/* Looks without taking anything: what the client says meanwhile stays for later. */
static bool has_closed(const struct session *session)
{
	char byte;
	ssize_t got = recv(session->stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return session->ending != 0 || got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool is_over(const struct session *session)
{
	const struct smtp_question *question = smtp_machine_question(session->machine);

	if (question->seconds <= session->settings.busy || !has_closed(session))
		return false;
	smtp_machine_end(session->machine);
	return true;
}

static bool answer(struct session *session)
{
	static const struct smtp_answer over = {.verdict = {.action = PR_CONTINUE}};

	smtp_machine_answer(session->machine, &over);
	return false;
}

bool slow_begins(struct session *session, struct bench *bench)
{
	const struct smtp_question *question = smtp_machine_question(session->machine);
	struct timespec now;

	report(session, bench, question);
	if (atomic_load(&session->receiver->leaving) != 0 || (session->ending != 0 && is_over(session)))
		return answer(session);
	clock_gettime(CLOCK_MONOTONIC, &now);
	timer_set(&session->receiver->wheel, &session->timer, (int64_t)now.tv_sec + (now.tv_nsec > 0) + (int64_t)question->seconds);
	/* a thread may have stayed with it: then nobody would hear that it closes */
	return session_watch(session) || answer(session);
}

bool slow_goes_on(struct session *session, uint32_t events)
{
	bool due = (events & LOOP_TIMER) != 0 && atomic_load(&session->timer.due) == 0;

	if (due || atomic_load(&session->receiver->leaving) != 0)
		return answer(session);
	if ((events & (LOOP_IO | LOOP_END)) != 0 && is_over(session))
		return answer(session);
	return true;
}
