/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The `listeners` list.  The submission socket in run_directory is always there and always the last.
 */
#include "kernel/config/build.h"
#include "kernel/smtp/networks.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#define LIMIT_MAX (1 << 30)

static const char *const keys[] = {"name", "address", "port", "path", "mode", "modifiers", "proxy", "protocol", "children",
    "refuse_la", "delay_la", "queue_la", "super_safe", "delivery_mode", "filters", "send_buffer", "receive_buffer", "backlog", NULL};

static struct config_listener *new_listener(struct config_builder *builder)
{
	struct config *config = builder->config;

	if (config->listener_count == builder->listener_room) {
		builder->listener_room = builder->listener_room == 0 ? 8 : builder->listener_room * 2;
		builder->listeners = pr_resize(builder->listeners, builder->listener_room * sizeof *builder->listeners);
	}
	struct config_listener *listener = &builder->listeners[config->listener_count++];
	memset(listener, 0, sizeof *listener);
	listener->mode = 0666;
	listener->refuse_la = listener->delay_la = listener->queue_la = -1;
	return listener;
}

static struct pr_list list_of(struct config_builder *builder, const struct config_node *node, const char *example)
{
	struct pr_str *items = pr_arena_alloc(&builder->config->arena, (node->child_count + 1) * sizeof *items);
	size_t count = 0;

	if (items == NULL)
		return (struct pr_list){NULL, 0};
	if (node->kind == CONFIG_SCALAR)
		config_want_text(builder, node, &items[count++]);
	else if (node->kind == CONFIG_GROUP)
		config_complain(builder, node, "%.*s takes a list: %s", PR_PRINT(node->name), example);
	for (size_t i = 0; node->kind == CONFIG_LIST && i < node->child_count; i++)
		config_want_text(builder, &node->children[i], &items[count++]);
	return (struct pr_list){items, count};
}

static void set_networks(struct config_builder *builder, const struct config_node *node, struct pr_list *list)
{
	*list = list_of(builder, node, "( \"192.0.2.0/24\", \"2001:db8::/32\" )");
	for (size_t i = 0; i < list->count; i++)
		if (!smtp_network_is_valid(list->items[i]))
			config_complain(builder, node, "%.*s: \"%.*s\" is no network", PR_PRINT(node->name), PR_PRINT(list->items[i]));
}

static void set_delivery_mode(struct config_builder *builder, const struct config_node *node, struct config_listener *listener)
{
	struct pr_str word = PR_NONE;

	if (!config_want_text(builder, node, &word))
		return;
	if (word.len > 0 && pr_str_find(PR_STR("ibqd"), word.data[0]) < 4)
		listener->delivery_mode = word.data[0];
	else
		config_complain(builder, node, "Unknown delivery mode %.*s", PR_PRINT(word));
}

static void set_super_safe(struct config_builder *builder, const struct config_node *node, struct config_listener *listener)
{
	struct pr_str word = PR_NONE, meaning = PR_NONE;

	if (!config_want_text(builder, node, &word))
		return;
	meaning = config_super_safe(word);
	if (meaning.data != NULL)
		listener->super_safe = meaning.data[0];
	else
		config_complain(builder, node, "SuperSafe: \"%.*s\" is not true, false, postmilter or interactive", PR_PRINT(word));
}

static void set_protocol(struct config_builder *builder, const struct config_node *node, struct config_listener *listener)
{
	struct pr_str word = PR_NONE;

	if (!config_want_text(builder, node, &word))
		return;
	listener->lmtp = pr_str_equal_nocase(word, PR_STR("lmtp"));
	if (!listener->lmtp && !pr_str_equal_nocase(word, PR_STR("smtp")))
		config_complain(builder, node, "protocol is smtp or lmtp, not %.*s", PR_PRINT(word));
}

/* Limits of its own; true: it was one. */
static bool set_limit(struct config_builder *builder, struct config_listener *listener, const struct config_node *node)
{
	const struct {
		const char *name;
		int64_t *place;
	} limits[] = {{"children", &listener->children}, {"refuse_la", &listener->refuse_la}, {"delay_la", &listener->delay_la},
	              {"queue_la", &listener->queue_la}, {"send_buffer", &listener->send_buffer}, {"receive_buffer", &listener->receive_buffer},
	              {"backlog", &listener->backlog}};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		if (!pr_str_equal(node->name, pr_str(limits[i].name)))
			continue;
		(void)config_want_number(builder, node, LIMIT_MAX, limits[i].place);
		return true;
	}
	return false;
}

static void set_key(struct config_builder *builder, struct config_listener *listener, const struct config_node *node)
{
	int64_t number = 0;

	if (set_limit(builder, listener, node))
		return;
	if (pr_str_equal(node->name, PR_STR("name"))) {
		config_want_text(builder, node, &listener->name);
	} else if (pr_str_equal(node->name, PR_STR("proxy"))) {
		set_networks(builder, node, &listener->proxy);
		if (listener->proxy.count == 0)
			config_complain(builder, node, "proxy names no network: nobody could come; leave it out where clients come by themselves");
	} else if (pr_str_equal(node->name, PR_STR("delivery_mode"))) {
		set_delivery_mode(builder, node, listener);
	} else if (pr_str_equal(node->name, PR_STR("super_safe"))) {
		set_super_safe(builder, node, listener);
	} else if (pr_str_equal(node->name, PR_STR("filters"))) {
		listener->filters = list_of(builder, node, "( \"clamav\", \"opendkim\" )");
		listener->has_filters = 1;
	} else if (pr_str_equal(node->name, PR_STR("protocol"))) {
		set_protocol(builder, node, listener);
	} else if (pr_str_equal(node->name, PR_STR("modifiers"))) {
		config_want_text(builder, node, &listener->modifiers);
	} else if (pr_str_equal(node->name, PR_STR("address"))) {
		unsigned char binary[16];
		if (config_want_text(builder, node, &listener->address) && inet_pton(AF_INET, listener->address.data, binary) != 1 &&
		    inet_pton(AF_INET6, listener->address.data, binary) != 1)
			config_complain(builder, node, "address \"%.*s\" is no IPv4 or IPv6 address", PR_PRINT(listener->address));
	} else if (pr_str_equal(node->name, PR_STR("path"))) {
		struct sockaddr_un address;
		if (config_want_text(builder, node, &listener->path) &&
		    (listener->path.len >= sizeof address.sun_path || listener->path.len == 0 || listener->path.data[0] != '/'))
			config_complain(builder, node, "path takes an absolute path of at most %zu bytes", sizeof address.sun_path - 1);
	} else if (pr_str_equal(node->name, PR_STR("port"))) {
		if (config_want_number(builder, node, 65535, &number))
			listener->port = (uint32_t)number;
	} else if (pr_str_equal(node->name, PR_STR("mode"))) {
		const struct pr_option mode = PR_OPTION(struct config_listener, mode, "mode", PR_OPTION_MODE, 0, NULL, NULL);
		struct pr_str why = PR_NONE;
		if (pr_option_parse(&mode, node->text, listener, &builder->config->arena, &why) != PR_OK)
			config_complain(builder, node, "mode: %.*s", PR_PRINT(why));
	} else {
		const char *nearest = config_nearest(keys, node->name);
		config_complain(builder, node, "unknown key %.*s in a listener%s%s%s", PR_PRINT(node->name),
		    nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	}
}

static bool is_same_place(const struct config_listener *a, const struct config_listener *b)
{
	if (a->path.data != NULL || b->path.data != NULL)
		return a->path.data != NULL && b->path.data != NULL && pr_str_equal(a->path, b->path);
	return a->port != 0 && a->port == b->port && pr_str_equal(a->address, b->address);
}

/* Among those of one list, from `first` on: what lines of a sendmail.cf say twice the system will tell, as it tells sendmail. */
static void complain_of_twins(struct config_builder *builder, const struct config_node *group, size_t first)
{
	const struct config *config = builder->config;
	const struct config_listener *last = &builder->listeners[config->listener_count - 1];

	for (size_t i = first; i + 1 < config->listener_count; i++)
		if (is_same_place(&builder->listeners[i], last))
			config_complain(builder, group, "listener %.*s is at the same place as %.*s in line %u", PR_PRINT(last->name), PR_PRINT(builder->listeners[i].name),
			    builder->listeners[i].line);
}

void config_build_listeners(struct config_builder *builder, const struct config_node *list)
{
	if (list->kind != CONFIG_LIST) {
		config_complain(builder, list, "listeners takes a list of groups: listeners = ( { port = 25; } );");
		return;
	}
	size_t first = builder->config->listener_count;
	builder->config->has_listeners = 1;
	for (size_t i = 0; i < list->child_count; i++) {
		const struct config_node *group = &list->children[i];
		if (group->kind != CONFIG_GROUP) {
			config_complain(builder, group, "each listener is a group: { name = \"MTA\"; address = \"127.0.0.1\"; port = 25; }");
			continue;
		}
		struct config_listener *listener = new_listener(builder);
		listener->line = group->line;
		listener->file = group->file;
		for (size_t j = 0; j < group->child_count; j++)
			set_key(builder, listener, &group->children[j]);
		if (listener->name.len == 0)
			listener->name = PR_STR("MTA");
		if ((listener->path.data == NULL) == (listener->address.data == NULL))
			config_complain(builder, group, "a listener needs either address and port, or path");
		else if (listener->address.data != NULL && listener->port == 0)
			config_complain(builder, group, "the listener on %.*s needs a port", PR_PRINT(listener->address));
		if (listener->lmtp && listener->port == 25)
			config_complain(builder, group, "LMTP cannot be spoken on port 25, which is SMTP's (RFC 2033 section 5)");
		complain_of_twins(builder, group, first);
	}
}

void config_add_submission_listener(struct config_builder *builder)
{
	struct config *config = builder->config;
	struct config_listener *listener = new_listener(builder);
	struct sockaddr_un address;

	listener->name = PR_STR("submission");
	listener->path = pr_arena_printf(&config->arena, "%.*s/submit.sock", PR_PRINT(config->run_directory));
	listener->submission = 1;
	if (listener->path.len >= sizeof address.sun_path) {
		struct config_node node = {.file = config->path.data, .line = 0};
		config_complain(builder, &node, "run_directory is too long: a socket path has at most %zu bytes",
		    sizeof address.sun_path - 1);
	}
}
