/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of the connection: its two ends and the listener it came by.
 */
#include "kernel/session/macros.h"

#include "kernel/plan/load.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool own_end(const struct session *session, struct sockaddr_storage *address)
{
	socklen_t length = sizeof *address;

	memset(address, 0, sizeof *address);
	return session->stream.fd >= 0 && getsockname(session->stream.fd, (struct sockaddr *)(void *)address, &length) == 0;
}

/* Of the loopback interface sendmail tells neither address nor family. */
static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

	if (address->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* Our address in this connection; "IPv6:" is part of it, as in ${client_addr}. */
static struct pr_str if_addr(struct macro_context *context)
{
	struct sockaddr_storage address;
	char text[INET6_ADDRSTRLEN];
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&address;

	if (context->session->met.data != NULL)
		return context->session->met;
	if (!own_end(context->session, &address) || is_loopback(&address))
		return PR_NONE;
	if (address.ss_family == AF_INET && inet_ntop(AF_INET, &four->sin_addr, text, sizeof text) != NULL)
		return pr_arena_copy(context->arena, pr_str(text));
	if (address.ss_family == AF_INET6 && inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text) != NULL)
		return pr_arena_printf(context->arena, "IPv6:%s", text);
	return PR_NONE;
}

static struct pr_str family_name(int family)
{
	return family == AF_INET ? PR_STR("inet") : family == AF_INET6 ? PR_STR("inet6") : family == AF_UNIX ? PR_STR("local") : PR_NONE;
}

static struct pr_str if_family(struct macro_context *context)
{
	struct sockaddr_storage address;
	struct pr_str met = context->session->met;

	if (met.data != NULL)
		return family_name(pr_str_has_prefix_nocase(met, PR_STR("IPv6:")) ? AF_INET6 : AF_INET);
	return own_end(context->session, &address) && !is_loopback(&address) ? family_name(address.ss_family) : PR_NONE;
}

/* The name of our end: of this host, for a look into the name server at each question would be dear. */
static struct pr_str if_name(struct macro_context *context)
{
	return context->session->user.data == NULL ? context->session->receiver->options->host_name : PR_NONE;
}

static const struct config_listener *listener_of(const struct session *session)
{
	return session->listener->declared;
}

static struct pr_str daemon_addr(struct macro_context *context)
{
	const struct config_listener *listener = listener_of(context->session);

	if (listener == NULL)
		return PR_NONE;
	return listener->address.data != NULL ? listener->address : listener->path;
}

static struct pr_str daemon_port(struct macro_context *context)
{
	const struct config_listener *listener = listener_of(context->session);

	return listener != NULL && listener->port > 0 ? pr_arena_printf(context->arena, "%u", listener->port) : PR_NONE;
}

static struct pr_str daemon_family(struct macro_context *context)
{
	const struct config_listener *listener = listener_of(context->session);

	if (listener == NULL)
		return PR_NONE;
	if (listener->address.data == NULL)
		return family_name(AF_UNIX);
	return family_name(pr_str_find(listener->address, ':') < listener->address.len ? AF_INET6 : AF_INET);
}

static struct pr_str daemon_info(struct macro_context *context)
{
	const struct receiver *receiver = context->session->receiver;
	int64_t interval = options_interval(receiver->options, receiver->role->queue_interval);

	if (interval <= 0)
		return PR_STR("SMTP");
	return pr_arena_printf(context->arena, "SMTP+%squeueing@%.*s", receiver->role->persistent != 0 ? "persistent-" : "",
	    PR_PRINT(options_interval_text(context->arena, interval)));
}

char session_delivery_mode(const struct session *session)
{
	const struct config_listener *listener = listener_of(session);

	return listener != NULL && listener->delivery_mode != 0 ? listener->delivery_mode : session->receiver->options->delivery_mode.data[0];
}

char session_super_safe(const struct session *session)
{
	const struct config_listener *listener = listener_of(session);

	return listener != NULL && listener->super_safe != 0 ? listener->super_safe : session->receiver->options->super_safe.data[0];
}

bool session_queues(const struct session *session, int64_t priority)
{
	const struct config_listener *listener = listener_of(session);

	if (listener == NULL || listener->queue_la < 0)
		return false;
	const struct plan_load limits = {.queue_la = listener->queue_la, .factor = session->receiver->options->queue_factor};
	return plan_load_queues(&limits, atomic_load_explicit(&session->receiver->load, memory_order_relaxed), priority);
}

bool session_has_modifier(const struct session *session, char letter)
{
	const struct config_listener *listener = listener_of(session);

	return listener != NULL && pr_str_find(listener->modifiers, letter) < listener->modifiers.len;
}

/* The letters apart, capital ones twice, so that a rule can tell them from the small ones. */
static struct pr_str spread(struct pr_str letters, struct pr_arena *arena)
{
	struct pr_text text;

	pr_text_init(&text, 3 * letters.len + 1);
	for (size_t i = 0; i < letters.len; i++) {
		char letter = letters.data[i];
		if (letter == ' ')
			continue;
		if (text.len > 0)
			pr_text_add_byte(&text, ' ');
		pr_text_add_byte(&text, letter);
		if (letter >= 'A' && letter <= 'Z')
			pr_text_add_byte(&text, letter);
	}
	struct pr_str flags = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return flags;
}

struct pr_str session_daemon_flags(const struct session *session, struct pr_arena *arena)
{
	const struct config_listener *listener = listener_of(session);
	struct pr_str direct = session->receiver->options->direct_modifiers;

	if (session->user.data != NULL)
		return direct.len > 0 ? spread(direct, arena) : PR_STR("c u");
	return listener != NULL ? spread(listener->modifiers, arena) : PR_STR("");
}

static struct pr_str daemon_flags(struct macro_context *context)
{
	return session_daemon_flags(context->session, context->arena);
}

/* As many as there were when this one came: what a rule says must not depend on when it is asked. */
static struct pr_str client_connections(struct macro_context *context)
{
	return pr_arena_printf(context->arena, "%u", context->session->connections);
}

static struct pr_str client_rate(struct macro_context *context)
{
	return pr_arena_printf(context->arena, "%u", context->session->rate);
}

static struct pr_str total_rate(struct macro_context *context)
{
	return pr_arena_printf(context->arena, "%u", context->session->total_rate);
}

const struct macro_row macro_rows_connection[] = {
    {"client_connections", client_connections},
    {"client_rate", client_rate},
    {"daemon_addr", daemon_addr},
    {"daemon_family", daemon_family},
    {"daemon_flags", daemon_flags},
    {"daemon_info", daemon_info},
    {"daemon_port", daemon_port},
    {"if_addr", if_addr},
    {"if_family", if_family},
    {"if_name", if_name},
    {"total_rate", total_rate},
    {NULL, NULL},
};
