/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DaemonPortOptions: `Name=MSA, Port=587, Addr=127.0.0.1, Family=inet, Modifier=Ea`.  The first letter of a key counts, except where two of
 * sendmail's keys share it.
 */
#include "kernel/config/build.h"

#include <netdb.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>

struct port_options {
	struct pr_str name, port, address, family, modifiers, children, refuse_la, delay_la, queue_la, super_safe, delivery_mode, filters, send_buffer, receive_buffer, backlog;
};

#define FIELD(name) (int64_t)offsetof(struct port_options, name)

static const struct key {
	const char *name;
	size_t letters; /* so many must be there */
	int64_t field;  /* of struct port_options */
} keys[] = {
    {"children", 2, FIELD(children)},
    {"delayLA", 6, FIELD(delay_la)},
    {"queueLA", 1, FIELD(queue_la)},
    {"refuseLA", 3, FIELD(refuse_la)},
    {"DeliveryMode", 4, FIELD(delivery_mode)},
    {"SuperSafe", 2, FIELD(super_safe)},
    {"SndBufSize", 1, FIELD(send_buffer)},
    {"RcvBufSize", 1, FIELD(receive_buffer)},
    {"Name", 1, FIELD(name)},
    {"Port", 1, FIELD(port)},
    {"Addr", 1, FIELD(address)},
    {"Family", 1, FIELD(family)},
    {"Modifier", 1, FIELD(modifiers)},
    {"InputMailFilters", 1, FIELD(filters)},
    {"Listen", 1, FIELD(backlog)},
};

static const struct key *find_key(struct pr_str name)
{
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (name.len >= keys[i].letters && name.len > 0 && pr_str_has_prefix_nocase(name, pr_str_slice(pr_str(keys[i].name), 0, keys[i].letters)))
			return &keys[i];
	return NULL;
}

static void read_options(struct config_builder *builder, const struct config_node *node, struct port_options *options)
{
	struct pr_str rest = node->text, item;

	while (rest.len > 0 && pr_str_next(&rest, ',', &item)) {
		size_t equals = pr_str_find(item, '=');
		struct pr_str name = pr_str_trim(pr_str_slice(item, 0, equals));
		const struct key *key = find_key(name);
		if (name.len == 0)
			continue;
		if (key == NULL || equals == item.len)
			config_complain(builder, node, "PortOptions parameter \"%.*s\" unknown", PR_PRINT(pr_str_trim(item)));
		else
			*(struct pr_str *)(void *)((char *)options + key->field) = pr_str_trim(pr_str_slice(item, equals + 1, item.len));
	}
}

/* The resolver cuts a number that is too large to 16 bits and says nothing. */
static bool is_port(struct config_builder *builder, const struct config_node *node, struct pr_str port)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < port.len && port.data[digits] >= '0' && port.data[digits] <= '9')
		digits++;
	if (port.len == 0 || digits < port.len || pr_str_number(port, UINT16_MAX, &number))
		return true;
	config_complain(builder, node, "option DaemonPortOptions, Port=%.*s: a port is a number from 0 to 65535 or the name of a service", PR_PRINT(port));
	return false;
}

/* sendmail takes any letter, and so do we: rules may ask for it. */
static void tell_unknown(struct config_builder *builder, const struct config_node *node, struct pr_str modifiers)
{
	static const char known[] = "abcfhrsuACEOS \t";

	for (size_t i = 0; i < modifiers.len && !builder->repeats; i++)
		if (modifiers.data[i] == '\0' || strchr(known, modifiers.data[i]) == NULL)
			pr_text_addf(&builder->config->notices, "%s:%u: option DaemonPortOptions, M=%.*s: there is no modifier \"%c\"; only rules see it, in "
			    "${daemon_flags}\n", node->file, node->line, PR_PRINT(modifiers), modifiers.data[i] > ' ' && modifiers.data[i] < 0x7f ? modifiers.data[i] : '?');
}

static bool is_family(const struct port_options *options, const char *name)
{
	return pr_str_equal_nocase(options->family, pr_str(name));
}

static bool is_service(const char *port)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	bool good = getaddrinfo(NULL, port, &hints, &found) == 0;

	if (found != NULL)
		freeaddrinfo(found);
	return good;
}

/* The numeric address and port of what may be names. */
static bool resolve(struct config_builder *builder, const struct config_node *node, const struct port_options *options, char address[INET6_ADDRSTRLEN],
    struct pr_str *port_out)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM, .ai_family = is_family(options, "inet6") ? AF_INET6 : AF_INET};
	struct addrinfo *found = NULL;
	char *host = options->address.len > 0 ? pr_copy_str(options->address) : NULL;
	char *port = pr_copy_str(options->port.len > 0 ? options->port : PR_STR("smtp"));
	char number[8] = "";

	if (pr_str_find(options->address, ':') < options->address.len)
		hints.ai_family = AF_INET6;
	int error = getaddrinfo(host, port, &hints, &found);
	if (error != 0) /* which of the two is it?  The words are sendmail's */
		config_complain(builder, node, is_service(port) ? "host \"%s\" unknown" : "service \"%s\" unknown", is_service(port) ? host : port);
	else
		error = getnameinfo(found->ai_addr, found->ai_addrlen, address, INET6_ADDRSTRLEN, number, sizeof number, NI_NUMERICHOST | NI_NUMERICSERV);
	if (error == 0)
		*port_out = pr_arena_copy(&builder->config->arena, pr_str(number));
	if (found != NULL)
		freeaddrinfo(found);
	pr_free(port);
	pr_free(host);
	return error == 0;
}

/* The submission socket is always the last. */
static void put_before_submission(struct config_builder *builder)
{
	size_t last = builder->config->listener_count - 1;

	if (last == 0 || builder->listeners[last - 1].submission == 0)
		return;
	struct config_listener submission = builder->listeners[last - 1];
	builder->listeners[last - 1] = builder->listeners[last];
	builder->listeners[last] = submission;
}

/* The first of the cf takes the place of all that postrider.conf has, the first -O that of all others. */
static void forget_others(struct config_builder *builder, const struct config_node *node)
{
	struct config *config = builder->config;
	bool is_override = strcmp(node->file, "-O") == 0;

	if (is_override ? builder->has_override_listener : builder->has_listener)
		return;
	builder->has_listener = true;
	builder->has_override_listener = is_override;
	if (config->listener_count > 0 && builder->listeners[config->listener_count - 1].submission != 0) {
		builder->listeners[0] = builder->listeners[config->listener_count - 1];
		config->listener_count = 1;
	} else {
		config->listener_count = 0;
	}
}

/* Those that were said; InputMailFilters are parted by semicolons here. */
static void add_own(struct config_builder *builder, struct config_node *group, const struct port_options *options)
{
	const struct {
		const char *key;
		struct pr_str text;
	} own[] = {{"modifiers", options->modifiers}, {"children", options->children}, {"refuse_la", options->refuse_la}, {"delay_la", options->delay_la},
	           {"queue_la", options->queue_la}, {"super_safe", options->super_safe}, {"delivery_mode", options->delivery_mode},
	           {"send_buffer", options->send_buffer}, {"receive_buffer", options->receive_buffer}, {"backlog", options->backlog}};
	struct pr_arena *arena = &builder->config->arena;

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i].text.len > 0)
			config_add_value(builder, group, own[i].key, pr_arena_copy(arena, own[i].text));
	if (options->filters.data == NULL)
		return;
	config_add_value(builder, group, "filters", PR_STR(""));
	struct config_node *list = &group->children[group->child_count - 1], items = {0};
	struct pr_str rest = options->filters, name;
	list->kind = CONFIG_LIST;
	list->children = pr_arena_alloc(arena, (rest.len + 1) * sizeof *list->children);
	while (list->children != NULL && pr_str_word(&rest, "; \t", &name)) {
		items = (struct config_node){.kind = CONFIG_SCALAR, .name = PR_STR(""), .text = pr_arena_copy(arena, name), .file = list->file, .line = list->line};
		list->children[list->child_count++] = items;
	}
}

static void add_listener(struct config_builder *builder, const struct config_node *node, const struct port_options *options)
{
	struct config_node values[16];
	struct config_node group = {.kind = CONFIG_GROUP, .file = node->file, .line = node->line, .children = values};
	struct config_node list = {.kind = CONFIG_LIST, .name = PR_STR("listeners"), .file = node->file, .line = node->line, .children = &group,
	    .child_count = 1};
	struct pr_arena *arena = &builder->config->arena;
	char address[INET6_ADDRSTRLEN];
	struct pr_str port;

	config_add_value(builder, &group, "name", options->name.len > 0 ? pr_arena_copy(arena, options->name) : PR_STR("MTA"));
	if (is_family(options, "local") || is_family(options, "unix")) {
		config_add_value(builder, &group, "path", pr_arena_copy(arena, options->address));
	} else {
		if (!is_port(builder, node, options->port) || !resolve(builder, node, options, address, &port))
			return;
		config_add_value(builder, &group, "address", pr_arena_copy(arena, pr_str(address)));
		config_add_value(builder, &group, "port", port);
	}
	add_own(builder, &group, options);
	config_build_listeners(builder, &list);
	put_before_submission(builder);
}

void config_declare_listener(struct config_builder *builder, const struct config_node *node)
{
	struct port_options options = {.family = PR_STR("inet")};

	read_options(builder, node, &options);
	if (options.address.data != NULL && options.address.len == 0)
		config_complain(builder, node, "host \"\" unknown");
	tell_unknown(builder, node, options.modifiers);
	forget_others(builder, node);
	add_listener(builder, node, &options);
}
