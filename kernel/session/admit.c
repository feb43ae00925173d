/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the table and says why not.  What is refused a thousand times a second is logged once a minute.
 */
#include "kernel/session/admit.h"

#include "kernel/log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SUBMISSION_SHARE 4 /* of all sessions: what one local user may have */
#define NAME_MAX_BYTES 32

bool admit_start(struct receiver *receiver, struct pr_text *why)
{
	int fd = -1;

	receiver->traffic = traffic_map(receiver->role->traffic);
	receiver->column = receiver->role->column;
	if (receiver->traffic != NULL)
		return true;
	receiver->traffic = traffic_new(&fd);
	receiver->column = 0;
	if (receiver->traffic == NULL) {
		pr_text_addf(why, "cannot count connections: %s", strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

/* Is there somebody at all? */
static bool knocks(int listening)
{
	struct pollfd one = {.fd = listening, .events = POLLIN};

	return poll(&one, 1, 0) > 0;
}

bool admit_now(struct listener *listener)
{
	struct receiver *receiver = listener->receiver;
	int64_t most = receiver->options->connection_rate_throttle;
	uint64_t more;

	if (most <= 0 || listener->submission != 0 || !knocks(listener->fd))
		return true;
	if (traffic_may_come(receiver->traffic, listener->name, session_now(), (uint64_t)most))
		return true;
	if (log_level() > 8 && log_repeat_begin(&receiver->flood, session_now(), &more))
		log_line(LOGP_NOTICE, NULL, "deferring connections on daemon %.*s: %" PRId64 " per second", PR_PRINT(listener->name), most);
	return false;
}

/* RefuseLA, as sendmail says it.  It closes its socket; here the next hosts are told, and the programs of this machine are let in. */
static bool is_overloaded(struct receiver *receiver, const struct listener *listener)
{
	const struct config_listener *declared = listener->declared;
	int64_t most = declared != NULL && declared->refuse_la >= 0 ? declared->refuse_la : receiver->options->refuse_la, load = atomic_load_explicit(&receiver->load, memory_order_relaxed);
	uint64_t more;

	if (most <= 0 || listener->submission != 0)
		return false;
	if (load < most) {
		if (log_repeat_end(&receiver->overload, &more))
			log_line(LOGP_NOTICE, NULL, "accepting connections again for daemon %.*s; %" PRIu64 " were rejected since the last line",
			         PR_PRINT(listener->name), more);
		return false;
	}
	if (log_repeat_begin(&receiver->overload, session_now(), &more))
		log_line(LOGP_NOTICE, NULL, "rejecting connections on daemon %.*s: load average: %" PRId64 "%s", PR_PRINT(listener->name), load,
		         more > 0 ? " (still)" : "");
	return true;
}

static bool is_crowded(struct receiver *receiver, const struct listener *listener)
{
	int64_t most = receiver->options->max_daemon_children;
	uint64_t more;

	if (traffic_begin(receiver->traffic, receiver->column, most > 0 ? (uint64_t)most : 0))
		return false;
	if (log_repeat_begin(&receiver->crowd, session_now(), &more))
		log_line(LOGP_NOTICE, NULL, "rejecting connections on daemon %.*s: %" PRIu64 " children, max %" PRId64 "; %" PRIu64 " were rejected since the last line",
		         PR_PRINT(listener->name), traffic_sessions(receiver->traffic), most, more);
	return true;
}

/* Its own limit, beside that of all. */
static bool is_full(struct receiver *receiver, const struct listener *listener)
{
	int64_t most = listener->declared != NULL ? listener->declared->children : 0;
	uint64_t more, now = atomic_load(&listener->sessions);

	if (most <= 0 || now < (uint64_t)most)
		return false;
	if (log_repeat_begin(&receiver->crowd, session_now(), &more))
		log_line(LOGP_NOTICE, NULL, "rejecting connections on daemon %.*s: %" PRIu64 " children, max %" PRId64 "; %" PRIu64 " were rejected since the last line",
		         PR_PRINT(listener->name), now, most, more);
	return true;
}

const char *admit_connection(const struct listener *listener)
{
	struct receiver *receiver = listener->receiver;

	if (is_overloaded(receiver, listener))
		return "Load average too high; connection rejected";
	if (is_full(receiver, listener) || is_crowded(receiver, listener))
		return "Too many open connections; connection rejected";
	return NULL;
}

void admit_none(struct receiver *receiver)
{
	traffic_end(receiver->traffic, receiver->column);
}

/* Under which name it is counted: its address, or its user. */
static struct pr_str name_of(const struct session *session, char room[NAME_MAX_BYTES])
{
	if (session->user.data == NULL)
		return session->address;
	int len = pr_print(room, NAME_MAX_BYTES, "uid %lu", (unsigned long)session->uid);
	return (struct pr_str){room, (size_t)len};
}

/* One user of this machine must not take all sessions from the world: the master speaks for many, everybody else has his share. */
bool admit_client(struct session *session)
{
	struct receiver *receiver = session->receiver;
	const struct options *options = receiver->options;
	uint64_t most = (uint64_t)options->max_sessions_per_client;
	char room[NAME_MAX_BYTES];
	struct traffic_client client;

	if (session->user.data != NULL) {
		if (session->uid == 0 || session->uid == receiver->role->master_uid)
			return true;
		most = receiver->session_limit / SUBMISSION_SHARE + 1;
	}
	session->counted = traffic_enter(receiver->traffic, receiver->column, name_of(session, room), most, options->connection_rate_window,
	                                 session_now(), &client);
	session->place = client.place;
	session->connections = session->counted != 0 ? client.connections : 0;
	session->rate = client.rate;
	session->total_rate = client.total;
	return session->counted != 0;
}

void admit_leave(struct session *session)
{
	traffic_leave(session->receiver->traffic, session->receiver->column, session->place);
	session->place = 0;
	session->counted = 0;
}

void admit_end(struct session *session)
{
	struct receiver *receiver = session->receiver;

	traffic_leave(receiver->traffic, receiver->column, session->place);
	traffic_end(receiver->traffic, receiver->column);
}
