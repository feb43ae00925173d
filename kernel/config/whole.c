/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What can only be judged when the whole file and all -O are read: paths, names of maps, addresses.  Each complaint goes to the
 * line that set the value; a value that no line set is the fault of the file as a whole.
 */
#include "kernel/config/build.h"
#include "kernel/config/server.h"
#include "kernel/config/tree.h"
#include "kernel/plan/order.h"

#include <arpa/inet.h>
#include <string.h>

static struct config_node place_of(const struct config_builder *builder, const char *name)
{
	struct config_node nowhere = {.file = builder->config->path.data};
	const struct config_node *node = builder->root != NULL ? config_node_find(builder->root, name) : NULL;

	return node != NULL ? *node : nowhere;
}

static void check_directory(struct config_builder *builder, const char *key, struct pr_str path)
{
	struct config_node node = place_of(builder, key);

	if (path.len == 0 || path.data[0] != '/')
		config_complain(builder, &node, "%s must be an absolute path, not \"%.*s\"", key, PR_PRINT(path));
}

static void check_log(struct config_builder *builder)
{
	struct config_node node = place_of(builder, "log");
	struct pr_str log = builder->config->log;

	if (!pr_str_equal(log, PR_STR("syslog")) && !pr_str_equal(log, PR_STR("stderr")) && (log.len == 0 || log.data[0] != '/'))
		config_complain(builder, &node, "log is syslog, stderr or the absolute name of a file, not \"%.*s\"", PR_PRINT(log));
}

/* An alias map that nobody declares would make every recipient a temporary failure. */
static void check_alias_maps(struct config_builder *builder)
{
	const struct config *config = builder->config;
	struct config_node node = config_option_node(builder, "AliasFile");

	for (size_t i = 0; i < config->options.alias_files.count; i++) {
		bool declared = false;
		for (size_t j = 0; j < config->instance_count && !declared; j++)
			declared = builder->instances[j].kind == PR_KIND_MAP &&
			    pr_str_equal(builder->instances[j].name, config->options.alias_files.items[i]);
		if (!declared)
			config_complain(builder, &node, "option AliasFile names %.*s, but maps declares no such map",
			    PR_PRINT(config->options.alias_files.items[i]));
	}
}

static bool is_filter(const struct config_builder *builder, struct pr_str name)
{
	for (size_t i = 0; i < builder->config->instance_count; i++)
		if (builder->instances[i].kind == PR_KIND_FILTER && pr_str_equal(builder->instances[i].name, name))
			return true;
	return false;
}

/* A filter that is not there would be one that lets everything pass. */
static void check_listeners(struct config_builder *builder)
{
	for (size_t i = 0; i < builder->config->listener_count; i++) {
		const struct config_listener *listener = &builder->listeners[i];
		struct config_node node = {.file = listener->file, .line = listener->line};
		for (size_t j = 0; j < listener->filters.count; j++)
			if (!is_filter(builder, listener->filters.items[j]))
				config_complain(builder, &node, "listener %.*s names the filter %.*s, which is not declared", PR_PRINT(listener->name),
				    PR_PRINT(listener->filters.items[j]));
	}
}

/* A server that is not understood would be left out silently, and with the last one the system's would be asked. */
static void check_resolver(struct config_builder *builder)
{
	const struct pr_list *servers = &builder->config->options.resolver;
	struct config_node node = config_option_node(builder, "Resolver");
	char address[INET6_ADDRSTRLEN];
	uint32_t port;

	for (size_t i = 0; i < servers->count; i++)
		if (!config_server_parse(servers->items[i], address, &port))
			config_complain(builder, &node, "option Resolver: \"%.*s\" is no address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353",
			    PR_PRINT(servers->items[i]));
}

/* Without an anchor nothing is ever proven, and DANE would be a word. */
static void check_dane(struct config_builder *builder)
{
	struct config_node node = config_option_node(builder, "DANE");

	if (builder->config->options.dane != 0 && builder->config->options.trust_anchors.len == 0)
		config_complain(builder, &node, "option DANE: TrustAnchorFile is needed, on Debian /usr/share/dns/root.key of the package dns-root-data");
}

/* The name stands in the greeting, in EHLO and in Received: lines. */
static void check_host_name(struct config_builder *builder)
{
	struct pr_str name = builder->config->options.host_name;
	struct config_node node = config_option_node(builder, "HostName");
	bool good = name.len > 0 && name.len <= 255;

	for (size_t i = 0; i < name.len; i++)
		good = good && (unsigned char)name.data[i] > ' ' && name.data[i] != 0x7f;
	if (!good)
		config_complain(builder, &node, "option HostName: \"%.*s\" is no name of a host", PR_PRINT(name));
}

static void check_sort_order(struct config_builder *builder)
{
	struct pr_str order = builder->config->options.queue_sort_order;
	struct config_node node = config_option_node(builder, "QueueSortOrder");
	enum plan_sort sort;

	if (!plan_sort_parse(order, &sort))
		config_complain(builder, &node, "option QueueSortOrder: invalid queue sort order \"%.*s\"; it is priority, host, filename, time, "
		                "modification, random or none", PR_PRINT(order));
}

/* The words of a switch, and sendmail's two more; as one of four in the end, for stores ask for it by name.  Absent: none of them. */
struct pr_str config_super_safe(struct pr_str word)
{
	static const struct {
		const char *word, *meaning;
	} words[] = {
	    {"true", "true"}, {"t", "true"}, {"yes", "true"}, {"on", "true"}, {"1", "true"},
	    {"false", "false"}, {"f", "false"}, {"no", "false"}, {"off", "false"}, {"0", "false"},
	    {"postmilter", "postmilter"}, {"p", "postmilter"}, {"interactive", "interactive"}, {"i", "interactive"},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(word, pr_str(words[i].word)))
			return pr_str(words[i].meaning);
	return PR_NONE;
}

static void check_super_safe(struct config_builder *builder)
{
	struct pr_str *value = &builder->config->options.super_safe, meaning = config_super_safe(*value);
	struct config_node node = config_option_node(builder, "SuperSafe");

	if (meaning.data != NULL) {
		*value = meaning;
		return;
	}
	config_complain(builder, &node, "option SuperSafe: \"%.*s\" is not true, false, postmilter or interactive", PR_PRINT(*value));
}

/* The first letter counts; none at all is sendmail's `-od`. */
static void check_delivery_mode(struct config_builder *builder)
{
	static const struct {
		const char *letters, *meaning;
	} words[] = {{"iI", "interactive"}, {"bB", "background"}, {"qQ", "queue"}, {"dD", "defer"}};
	struct pr_str *value = &builder->config->options.delivery_mode;
	struct config_node node = config_option_node(builder, "DeliveryMode");
	char letter = 'i';

	if (value->len > 0)
		letter = value->data[0];
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (letter != '\0' && strchr(words[i].letters, letter) != NULL) {
			*value = pr_str(words[i].meaning);
			return;
		}
	config_complain(builder, &node, "option DeliveryMode: unknown delivery mode \"%.*s\"; it is i (interactive), b (background), q (queue) or "
	                "d (defer)", PR_PRINT(*value));
}

static void check_eight_bit_mode(struct config_builder *builder)
{
	struct pr_str value = builder->config->options.eight_bit_mode;
	struct config_node node = config_option_node(builder, "EightBitMode");

	if (value.len == 0 || strchr("mps", value.data[0]) == NULL)
		config_complain(builder, &node, "option EightBitMode: \"%.*s\" is not m (mimefy), p (pass8) or s (strict)", PR_PRINT(value));
}

static void check_mime_limits(struct config_builder *builder)
{
	struct config_node node = config_option_node(builder, "MaxMimeHeaderLength");
	int64_t header, field;

	if (!options_mime_limits(&builder->config->options, &header, &field))
		config_complain(builder, &node, "option MaxMimeHeaderLength: \"%.*s\" is no number, nor two with a slash between them",
		    PR_PRINT(builder->config->options.max_mime_header_length));
}

void config_check_whole(struct config_builder *builder)
{
	config_judge_options(builder);
	check_eight_bit_mode(builder);
	check_mime_limits(builder);
	check_super_safe(builder);
	check_delivery_mode(builder);
	check_directory(builder, "module_directory", builder->config->module_directory);
	check_directory(builder, "run_directory", builder->config->run_directory);
	check_directory(builder, "drop_directory", builder->config->drop_directory);
	check_log(builder);
	if (builder->routing == NULL) { /* else its maps and filters are not known yet */
		check_alias_maps(builder);
		check_listeners(builder);
	}
	check_resolver(builder);
	check_dane(builder);
	check_host_name(builder);
	check_sort_order(builder);
	config_check_groups(builder);
}
