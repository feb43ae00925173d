/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connects to one candidate after the other until one greets and answers EHLO.
 * Addresses are looked up only when a candidate's turn comes, so that a good first MX costs one lookup.
 */
#include "smtp.h"

#include <postrider/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT 25

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un path;
};

struct pr_str smtp_identity(struct pr_call *call, const struct smtp *smtp, const struct pr_destination *destination)
{
	struct pr_str name = smtp->helo;

	if (name.len == 0)
		name = call->host->option(call, PR_STR("HeloName"));
	if (name.len == 0)
		name = destination->identity;
	if (name.len == 0 && call->host->macro != NULL)
		name = call->host->macro(call, PR_STR("j"));
	if (name.len == 0)
		name = call->host->option(call, PR_STR("HostName"));
	return name.len > 0 ? name : PR_STR("localhost");
}

static bool parse_address(struct pr_str text, uint32_t port, union address *address, socklen_t *length_out)
{
	char copy[INET6_ADDRSTRLEN + 1];

	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		text = pr_str_slice(text, 5, text.len);
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, copy, &address->four.sin_addr) == 1) {
		address->four.sin_family = AF_INET;
		address->four.sin_port = htons((uint16_t)port);
		*length_out = sizeof address->four;
		return true;
	}
	if (inet_pton(AF_INET6, copy, &address->six.sin6_addr) == 1) {
		address->six.sin6_family = AF_INET6;
		address->six.sin6_port = htons((uint16_t)port);
		*length_out = sizeof address->six;
		return true;
	}
	return false;
}

static bool unix_address(struct pr_str path, union address *address, socklen_t *length_out)
{
	memset(address, 0, sizeof *address);
	if (path.len >= sizeof address->path.sun_path)
		return false;
	address->path.sun_family = AF_UNIX;
	memcpy(address->path.sun_path, path.data, path.len);
	*length_out = sizeof address->path;
	return true;
}

/* 0 or an errno; the socket is blocking afterwards. */
static int connect_within(int fd, const union address *address, socklen_t length, int64_t milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = 0, ready;
	socklen_t size = sizeof error;

	if (connect(fd, &address->any, length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	int64_t end = smtp_now_ms() + milliseconds;
	do {
		int64_t left = end - smtp_now_ms();
		ready = poll(&wait, 1, left > 0 ? (int)(left < 60000 ? left : 60000) : 0);
	} while ((ready == 0 || (ready < 0 && errno == EINTR)) && smtp_now_ms() < end);
	if (ready <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* Waits are cut into slices of at most five seconds: one recv per reply, no poll, and a deadline still holds. */
static void set_waits(int fd, const struct smtp *smtp)
{
	struct timeval slice = {.tv_sec = 5};
	int on = 1;

	for (int i = 0; i < SMTP_WAITS; i++)
		if (smtp->wait[i] > 0 && smtp->wait[i] < slice.tv_sec)
			slice.tv_sec = smtp->wait[i];
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof slice);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* refused on a Unix socket, no matter */
}

static void take_connection(struct smtp_run *run, int fd)
{
	struct smtp_session *session = run->session;

	set_waits(fd, run->smtp);
	session->host = run->call->host;
	session->auth_type[0] = '\0';
	session->fd = fd;
	session->open = 1;
	session->opened = smtp_now_ms();
	session->served = session->dirty = 0;
	session->begin = session->end = 0;
}

/* Milliseconds for this connection. */
static int64_t connect_patience(const struct smtp_run *run)
{
	const int64_t *wait = run->smtp->wait;
	bool is_first = run->envelope->tries == 0 && wait[SMTP_WAIT_ICONNECT] > 0;
	int64_t patience = wait[is_first ? SMTP_WAIT_ICONNECT : SMTP_WAIT_CONNECT] * 1000;
	int64_t left = run->connect_until > 0 ? run->connect_until - smtp_now_ms() : patience;

	return pr_call_remaining(run->call, left < patience ? left : patience);
}

static int open_connection(struct smtp_run *run, const union address *address, socklen_t length, bool *ours_out)
{
	int64_t patience = connect_patience(run);
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	int error = smtp_source_bind(run, fd, address->any.sa_family);
	*ours_out = error != 0;
	if (error == 0)
		error = connect_within(fd, address, length, patience);
	if (error == 0 && fcntl(fd, F_SETFL, 0) != 0)
		error = errno;
	if (error != 0) {
		close(fd);
		return error;
	}
	take_connection(run, fd);
	return 0;
}

static void write_name(char *name, size_t room, const struct smtp_target *target)
{
	bool dotted = target->by_name && target->name.len > 0 && target->name.data[target->name.len - 1] != '.';

	snprintf(name, room, "%.*s%s", PR_PRINT(target->name), dotted ? "." : "");
	if (pr_str_has_prefix_nocase(target->name, PR_STR("[ipv6:")))
		memcpy(name, "[IPv6:", 6);
}

/* As the rules know it: no final dot. */
static struct pr_str server_name(const struct smtp_target *target)
{
	struct pr_str name = target->name;

	if (name.len > 1 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

static void name_session(struct smtp_session *session, const struct smtp_target *target, struct pr_str address)
{
	bool is_six = pr_str_find(address, ':') < address.len && address.data[0] != '/';

	if (pr_str_has_prefix_nocase(address, PR_STR("IPv6:")))
		address = pr_str_slice(address, 5, address.len);
	write_name(session->name, sizeof session->name, target);
	snprintf(session->address, sizeof session->address, "%s%.*s", is_six ? "IPv6:" : "", PR_PRINT(address));
	snprintf(session->remote, sizeof session->remote, "%s [%s]", session->name, session->address);
	snprintf(session->server, sizeof session->server, "%.*s", PR_PRINT(server_name(target)));
}

/* Greeting and EHLO.  PR_OK: ready to serve. */
static enum pr_status introduce(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	struct pr_call *call = run->call;
	struct smtp_reply reply = {0};
	enum pr_status status = smtp_read_reply(call, run->session, run->smtp->wait[SMTP_WAIT_INITIAL], &reply);

	struct pr_str hello = PR_NONE;
	if (status == PR_OK && reply.code / 100 == 2)
		status = smtp_hello(run, &reply, &hello);
	if (status != PR_OK) {
		*outcome = smtp_outcome_lost(call);
		smtp_drop(run->session);
		return status;
	}
	if (reply.code / 100 != 2) {
		*outcome = smtp_outcome_of(&reply, hello);
		smtp_quit(call, run->smtp, run->session);
		return outcome->status;
	}
	/* the name in the answer to EHLO is ours: an MX record leads back here */
	struct pr_str words = pr_str_slice(reply.text, 4, reply.text.len), first = PR_NONE;
	pr_str_next(&words, '\n', &first);
	words = first;
	pr_str_next(&words, ' ', &first);
	if (target->by_name && run->smtp->loop_check && !run->smtp->lmtp &&
	    pr_str_equal_nocase(first, smtp_identity(call, run->smtp, run->destination))) {
		*outcome = (struct smtp_outcome){PR_PERMFAIL, 553, PR_STR("5.3.5"),
			pr_arena_printf(call->arena, "553 5.3.5 %s config error: mail loops back to me (MX problem?)", run->session->name), PR_NONE};
		smtp_quit(call, run->smtp, run->session);
		return PR_PERMFAIL;
	}
	status = smtp_secure(run, outcome);
	return status == PR_OK ? smtp_authenticate(run, outcome) : status;
}

static enum pr_status not_connected(struct smtp_run *run, int error, bool is_path, struct smtp_outcome *outcome)
{
	const char *what = error == ECONNREFUSED ? "Connection refused by" : error == ETIMEDOUT ? "Connection timed out with" : NULL;
	struct pr_str reason;

	if (what != NULL)
		reason = pr_arena_printf(run->call->arena, "Deferred: %s %s", what, run->session->name);
	else if (is_path)
		reason = pr_arena_printf(run->call->arena, "Deferred: %s", strerror(error));
	else
		reason = pr_arena_printf(run->call->arena, "Deferred: %s: %s", run->session->name, strerror(error));
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.4.1"), reason, PR_NONE};
	return PR_TEMPFAIL;
}

/* That is none of the other side's doing. */
static enum pr_status not_bound(struct smtp_run *run, int error, struct smtp_outcome *outcome)
{
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.3.5"), pr_arena_printf(run->call->arena, "Deferred: connections cannot go out from %s: %s",
		run->session->source, strerror(error)), PR_NONE};
	return PR_TEMPFAIL;
}

static void tell_connecting(struct smtp_run *run, const struct smtp_target *target)
{
	char port[32] = "", name[sizeof run->session->name];

	if (!pr_is_watched(run->call))
		return;
	write_name(name, sizeof name, target);
	if (target->port != DEFAULT_PORT && name[0] != '/')
		snprintf(port, sizeof port, " port %u", target->port);
	pr_progress(run->call, PR_PROGRESS_CONNECTING, pr_arena_printf(run->call->arena, "%s%s", name, port));
}

static enum pr_status try_program(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	int fd = -1;
	enum pr_status status;

	name_session(run->session, target, PR_STR(""));
	write_name(run->session->remote, sizeof run->session->remote, target);
	run->in_clear = false;
	status = smtp_program_open(run, &fd);
	if (status == PR_OK) {
		take_connection(run, fd);
		return introduce(run, target, outcome);
	}
	if (status == PR_NOTFOUND)
		*outcome = (struct smtp_outcome){PR_PERMFAIL, 550, PR_STR("5.1.1"), PR_STR("550 5.1.1 User unknown"), PR_NONE};
	else
		*outcome = (struct smtp_outcome){status == PR_PERMFAIL ? PR_PERMFAIL : PR_TEMPFAIL, 0, status == PR_PERMFAIL ? PR_STR("5.3.0") : PR_STR("4.3.0"),
			pr_arena_copy(run->call->arena, run->call->reason), PR_NONE};
	return outcome->status;
}

static enum pr_status try_address(struct smtp_run *run, const struct smtp_target *target, struct pr_str text, struct smtp_outcome *outcome)
{
	struct smtp_session *session = run->session;
	union address address;
	socklen_t length = 0;
	bool is_path = text.len > 0 && text.data[0] == '/';

	name_session(session, target, text);
	if (is_path)
		snprintf(session->remote, sizeof session->remote, "localhost");
	if (is_path ? !unix_address(text, &address, &length) : !parse_address(text, target->port, &address, &length)) {
		*outcome = (struct smtp_outcome){PR_PERMFAIL, 553, PR_STR("5.1.2"), PR_STR("553 5.1.2 Address is not valid"), PR_NONE};
		return PR_PERMFAIL;
	}
	run->in_clear = false;
	for (;;) {
		run->target = target;
		run->is_reported = false;
		enum pr_status status = smtp_ask_features(run, server_name(target), outcome);
		if (status == PR_OK)
			status = smtp_dane_find(run, target, outcome);
		if (status == PR_OK)
			status = smtp_sts_find(run, target, outcome);
		if (status != PR_OK)
			return status;
		bool ours = false;
		int error = open_connection(run, &address, length, &ours);
		if (error != 0 && ours)
			return not_bound(run, error, outcome);
		if (error != 0)
			return not_connected(run, error, is_path, outcome);
		run->fell = false;
		status = introduce(run, target, outcome);
		bool may_fall = (run->smtp->tls_fallback && !smtp_requires_tls(run) && run->dane == NULL && !smtp_sts_is_enforced(run)) || smtp_prefers_delivery(run);
		if (!run->fell || !may_fall || run->smtp->tls_use == SMTP_TLS_MUST)
			return status;
		run->in_clear = true; /* and then it cannot fall again */
		tell_connecting(run, target);
	}
}

/* The addresses of a candidate: itself when it is one. */
static enum pr_status addresses_of(struct smtp_run *run, const struct smtp_target *target, struct pr_list *list_out, struct pr_str *one,
                                   struct smtp_outcome *outcome)
{
	struct pr_call *call = run->call;
	union address ignored;
	socklen_t length;
	struct pr_str name = target->name, only = call->host->option(call, PR_STR("ConnectOnlyTo"));

	if (only.len > 0 && name.len > 0 && name.data[0] != '/')
		name = only;
	if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
		name = pr_str_slice(name, 1, name.len - 1);
	if ((name.len > 0 && name.data[0] == '/') || parse_address(name, 0, &ignored, &length)) {
		*one = name;
		*list_out = (struct pr_list){one, 1};
		return PR_OK;
	}
	enum pr_status status = pr_domain_is_valid(name) ? call->host->dns_addresses(call, name, list_out) : PR_NOTFOUND;
	if (status == PR_OK && list_out->count > 0)
		return PR_OK;
	if (status == PR_TEMPFAIL || status == PR_MISUSE) {
		*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.4.3"),
			pr_arena_printf(call->arena, "Deferred: Name server: %.*s: host name lookup failure", PR_PRINT(name)), PR_NONE};
		return PR_TEMPFAIL;
	}
	*outcome = (struct smtp_outcome){PR_PERMFAIL, 550, PR_STR("5.1.2"),
		pr_arena_printf(call->arena, "550 5.1.2 Host unknown (Name server: %.*s: host not found)", PR_PRINT(name)), PR_NONE};
	return PR_PERMFAIL;
}

/* Was this candidate the one that already answered for these recipients? */
static bool was_tried(const struct smtp_run *run, const struct smtp_target *target)
{
	struct pr_str name = pr_str(run->session->name);

	if (name.len > 0 && target->by_name)
		name.len--; /* the dot */
	return name.len > 0 && pr_str_equal_nocase(name, target->name);
}

static enum pr_status find_route(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct smtp_route *route = &run->route;

	if (route->ready)
		return PR_OK;
	enum pr_status status = smtp_route_find(run, outcome);
	for (size_t i = 0; status == PR_OK && i < route->count; i++)
		if (was_tried(run, &route->targets[i]))
			route->next = i + 1;
	return status;
}

bool smtp_has_next(struct smtp_run *run)
{
	struct smtp_outcome ignored;

	return find_route(run, &ignored) == PR_OK && run->route.next < run->route.count;
}

static enum pr_status try_addresses(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	struct pr_list list = {NULL, 0};
	struct pr_str one;
	enum pr_status status = addresses_of(run, target, &list, &one, outcome);

	for (size_t i = 0; status == PR_OK && i < list.count && i < SMTP_ADDRESSES; i++) {
		status = try_address(run, target, list.items[i], outcome);
		if (status == PR_OK)
			return PR_OK;
		if (i + 1 < list.count && status == PR_TEMPFAIL)
			status = PR_OK; /* the next address */
	}
	return status;
}

/* One that has a name is remembered by it; where the route says a port, that is another one than the same host's at any other. */
static enum pr_status try_target(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	struct pr_str reason = PR_NONE;
	char name[sizeof run->session->name + 8];

	write_name(name, sizeof run->session->name, target);
	if (target->port != (uint32_t)run->smtp->port)
		snprintf(name, sizeof name, "%.*s:%u", PR_PRINT(server_name(target)), target->port);
	if (target->by_name && pr_host_is_dead(run->call, pr_str(name), &reason)) {
		*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.4.1"), reason, PR_NONE};
		return PR_TEMPFAIL;
	}
	tell_connecting(run, target);
	enum pr_status status = run->smtp->path.len > 0 ? try_program(run, target, outcome) : try_addresses(run, target, outcome);
	/* one that says nothing for minutes is no better than one that is not there */
	bool is_dead = pr_str_equal(outcome->enhanced, PR_STR("4.4.1")) || pr_str_has_prefix_nocase(outcome->text, PR_STR("Deferred: Connection timed out"));
	if (target->by_name && status == PR_TEMPFAIL && is_dead)
		pr_host_failed(run->call, pr_str(name), outcome->text);
	return status;
}

/* Timeout.aconnect is over; for hosts of last resort there is none. */
static bool is_too_late(struct smtp_run *run, const struct smtp_target *target)
{
	if (target->is_fallback || target->is_last_resort)
		run->connect_until = 0;
	return run->connect_until > 0 && smtp_now_ms() >= run->connect_until;
}

static enum pr_status last_of_all(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome)
{
	if (outcome->status != PR_TEMPFAIL || outcome->text.len == 0)
		*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.4.1"),
			pr_arena_printf(run->call->arena, "Deferred: Connection timed out with %.*s", PR_PRINT(target->name)), PR_NONE};
	return PR_TEMPFAIL;
}

enum pr_status smtp_connect_next(struct smtp_run *run, struct smtp_outcome *outcome)
{
	struct smtp_route *route = &run->route;
	struct smtp_outcome later = *outcome;
	enum pr_status last = find_route(run, outcome);

	if (last != PR_OK)
		return last;
	if (run->connect_until == 0 && run->smtp->wait[SMTP_WAIT_ACONNECT] > 0)
		run->connect_until = smtp_now_ms() + run->smtp->wait[SMTP_WAIT_ACONNECT] * 1000;
	last = PR_NOTFOUND;
	if (route->failed.status != PR_OK && route->next < route->count) {
		last = route->failed.status;
		*outcome = route->failed;
	}
	while (route->next < route->count) {
		const struct smtp_target *target = &route->targets[route->next++];
		if (is_too_late(run, target)) {
			last = last_of_all(run, target, outcome);
			continue;
		}
		if (target->is_last_resort && pr_str_equal(outcome->enhanced, PR_STR("5.3.5")))
			continue; /* it goes in a circle */
		enum pr_status status = try_target(run, target, &later);
		if (status == PR_OK)
			return PR_OK;
		/* a temporary trouble with one MX outweighs a permanent one with another */
		if (last != PR_TEMPFAIL || status == PR_TEMPFAIL)
			*outcome = later;
		last = last == PR_TEMPFAIL ? PR_TEMPFAIL : status;
	}
	return last;
}
