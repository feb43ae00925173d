/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes new connections in batches and leaves them to the loop; the thread that took one goes on with it, and others
 * that are free help when there are more.
 * When descriptors are used up, one kept in reserve is given up for a moment to say 421, and the listener rests: a level
 * that cannot be served must not be polled.
 */
#include "kernel/session/accept.h"

#include "kernel/log/log.h"
#include "kernel/net/peer.h"
#include "kernel/session/admit.h"
#include "kernel/session/close.h"
#include "kernel/session/filters.h"
#include "kernel/session/listener.h"
#include "kernel/session/proxy.h"
#include "kernel/session/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 32
#define KEEP_MIN 32  /* descriptors for files of the queue, maps, sockets of modules */
#define KEEP_MAX 512

size_t accept_limit(const struct options *options)
{
	struct rlimit limit;
	size_t most = 1000;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		if (limit.rlim_cur < limit.rlim_max) {
			limit.rlim_cur = limit.rlim_max;
			setrlimit(RLIMIT_NOFILE, &limit);
			getrlimit(RLIMIT_NOFILE, &limit);
		}
		size_t all = limit.rlim_cur > 1000000 ? 1000000 : (size_t)limit.rlim_cur;
		size_t keep = all / 4;
		keep = keep < KEEP_MIN ? KEEP_MIN : keep > KEEP_MAX ? KEEP_MAX : keep;
		most = all > 2 * keep ? all - keep : all / 2;
	}
	if (options->max_daemon_children > 0 && (size_t)options->max_daemon_children < most)
		most = (size_t)options->max_daemon_children;
	return most;
}

/* A client we cannot keep gets a reason, if it fits into the socket at once. */
static void turn_away(struct receiver *receiver, int fd, const char *why)
{
	char line[400];
	struct pr_str host = receiver->options->host_name;
	int len = snprintf(line, sizeof line, "421 4.3.2 %.*s %s\r\n", PR_PRINT(host), why);

	atomic_fetch_add(&receiver->counts.refused, 1);
	if (len > 0 && (size_t)len < sizeof line && send(fd, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

/* False: turned away. */
static bool begin_session(struct receiver *receiver, struct listener *listener, int fd, const struct net_peer *peer)
{
	if (proxy_refuses(listener, peer)) {
		turn_away(receiver, fd, "This port is for proxies");
		return false;
	}
	const char *why = admit_connection(listener);
	if (why != NULL) {
		turn_away(receiver, fd, why);
		return false;
	}
	struct session *session = table_take(receiver->table, receiver->session_limit);
	if (session == NULL) {
		admit_none(receiver);
		turn_away(receiver, fd, "Too many open connections; connection rejected");
		return false;
	}
	net_stream_init(&session->stream, fd);
	session->receiver = receiver;
	session->listener = listener;
	session->since = session_now();
	session->address = (struct pr_str){pr_copy_c(peer->address), strlen(peer->address)};
	session->port = peer->port;
	session->uid = peer->uid;
	atomic_fetch_add(&receiver->counts.accepted, 1);
	counters_connection(receiver->counters, CONNECTION_FROM);
	if (!loop_watch(receiver->loop, &session->task, fd, EPOLLIN)) {
		pr_free((void *)(uintptr_t)session->address.data);
		table_give(receiver->table, session);
		admit_none(receiver);
		turn_away(receiver, fd, "No resources; connection rejected");
		return false;
	}
	session->watched = 1;
	atomic_fetch_add(&listener->sessions, 1);
	session->filters_done = listener->filters_off;
	proxy_begin(session);
	loop_defer(receiver->loop, &session->task, 0); /* the greeting waits for nothing */
	return true;
}

enum reserve { RESERVE_USED, RESERVE_NOBODY, RESERVE_FAILED };

/* Out of descriptors: gives up the reserve to turn one client away.  accept() complains of missing descriptors even when
 * nobody is waiting, so that is found out here too. */
static enum reserve use_reserve(struct receiver *receiver, int listening)
{
	enum reserve result = RESERVE_FAILED;

	pthread_mutex_lock(&receiver->reserve_lock);
	if (receiver->reserve_fd >= 0) {
		close(receiver->reserve_fd);
		int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			turn_away(receiver, fd, "Too many open files; connection rejected");
			result = RESERVE_USED;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			result = RESERVE_NOBODY;
		}
		receiver->reserve_fd = -1;
	}
	if (receiver->reserve_fd < 0)
		receiver->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pthread_mutex_unlock(&receiver->reserve_lock);
	return result;
}

static bool no_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* accept() says who it is, so nobody has to ask again.  A descriptor, or -1 with errno. */
static int accept_one(int listening, struct net_peer *peer_out)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;

	memset(&from, 0, sizeof from);
	int fd = accept4(listening, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 || net_peer_of(fd, &from, peer_out))
		return fd;
	close(fd);
	errno = ECONNABORTED;
	return -1;
}

enum batch { BATCH_ALL, BATCH_MORE, BATCH_REST };

/* Accepts what is there.  BATCH_REST: the listener must rest. */
static enum batch accept_batch(struct listener *listener)
{
	struct net_peer peer;

	for (int i = 0; i < BATCH; i++) {
		if (!admit_now(listener))
			return BATCH_REST;
		int fd = accept_one(listener->fd, &peer);
		if (fd >= 0) {
			begin_session(listener->receiver, listener, fd, &peer);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return BATCH_ALL;
		if (no_resources(errno)) {
			int error = errno;
			enum reserve reserve = use_reserve(listener->receiver, listener->fd);
			if (reserve == RESERVE_USED)
				continue;
			if (reserve == RESERVE_NOBODY)
				return BATCH_ALL;
			log_line(LOGP_WARNING, "NOQUEUE", "cannot accept connections for the moment: %s", strerror(error));
			return BATCH_REST;
		}
		/* ECONNABORTED and the like are about that one client only */
	}
	return BATCH_MORE;
}

static bool listener_run(struct loop_task *task, struct worker *worker, uint32_t events)
{
	struct listener *listener = (struct listener *)task;
	enum batch batch = BATCH_ALL;

	/* one that rests is not disturbed by those who knock meanwhile */
	if (atomic_load(&listener->resting) != 0 && (events & LOOP_TIMER) == 0)
		return true;
	pthread_mutex_lock(&listener->lock);
	if (listener->fd >= 0)
		batch = accept_batch(listener);
	pthread_mutex_unlock(&listener->lock);
	if (batch == BATCH_REST)
		atomic_store(&listener->resting, 1);
	if (batch != BATCH_MORE)
		return true;
	loop_defer(worker->loop, task, LOOP_IO);
	return false;
}

bool accept_start(struct receiver *receiver)
{
	const struct role *role = receiver->role;

	receiver->listeners = pr_alloc((role->listener_count + 1) * sizeof *receiver->listeners);
	for (size_t i = 0; i < role->listener_count; i++) {
		struct listener *listener = &receiver->listeners[i];
		loop_task_init(&listener->task, listener_run);
		pthread_mutex_init(&listener->lock, NULL);
		listener->receiver = receiver;
		listener->fd = role->listeners[i].fd;
		listener->submission = role->listeners[i].submission;
		listener->name = role->listeners[i].name;
		listener->declared = listener_declared(receiver->config, listener->name, listener->fd);
		listener->filters_off = filters_off(receiver, listener->declared);
		receiver->listener_count = i + 1;
		int flags = fcntl(listener->fd, F_GETFL);
		if (flags < 0 || fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK) != 0)
			return false;
		net_no_delay(listener->fd); /* those it accepts inherit that */
		if (!loop_watch(receiver->loop, &listener->task, listener->fd, EPOLLIN))
			return false;
		loop_release(receiver->loop, &listener->task);
	}
	return true;
}

void accept_stop(struct receiver *receiver)
{
	for (size_t i = 0; i < receiver->listener_count; i++) {
		struct listener *listener = &receiver->listeners[i];
		pthread_mutex_lock(&listener->lock);
		if (listener->fd >= 0) {
			loop_unwatch(receiver->loop, listener->fd);
			close(listener->fd);
			listener->fd = -1;
		}
		pthread_mutex_unlock(&listener->lock);
	}
}

void accept_tend(struct receiver *receiver)
{
	for (size_t i = 0; i < receiver->listener_count; i++)
		if (atomic_exchange(&receiver->listeners[i].resting, 0) != 0)
			loop_post(receiver->loop, &receiver->listeners[i].task, LOOP_TIMER);
}
