/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an option says that cannot be meant: numbers out of all proportion, words that nobody knows.
 * Bounds are a table; they are wide, for they stop slips of the finger and not unusual machines.
 */
#include "kernel/config/build.h"
#include "kernel/smtp/networks.h"

#include <inttypes.h>
#include <string.h>

#define MANY 1000000000

const struct config_place *config_option_place(const struct config *config, const char *name)
{
	static const struct config_place nowhere;
	const struct pr_option *option = pr_option_find(options_table, pr_str(name));

	return option == NULL || config->option_places == NULL ? &nowhere : &config->option_places[option - options_table];
}

struct config_node config_option_node(const struct config_builder *builder, const char *name)
{
	const struct config_place *place = config_option_place(builder->config, name);
	struct config_node node = {.file = builder->config->path.data};

	if (place->file != NULL) {
		node.file = place->file;
		node.line = place->line;
	}
	return node;
}

/* What is not here may be anything from 0 up. */
static const struct bounds {
	const char *name;
	int64_t least, most;
} bounds[] = {
    {"BadRcptShutdown", 0, 1000000},
    {"BadRcptShutdownGood", 0, 100},
    {"BadRcptThrottle", 0, 1000000},
    {"BadRcptThrottleDelay", 1, 240},
    {"ClassFactor", -MANY, MANY},
    {"ConnectionCacheSize", 0, 10000},
    {"ConnectionRateThrottle", 0, 1000000},
    {"CourierThreads", 1, 2000},
    {"DelayLA", 0, 100000},
    {"DeliverByMin", -1, 999999999},
    {"LogLevel", 0, 100},
    {"MaxAliasRecursion", 1, 1000},
    {"MaxConnectionsPerHost", 1, 2000},
    {"MaxDaemonChildren", 0, 1000000},
    {"MaxHopCount", 1, 1000},
    {"MaxMessagesPerConnection", 0, 1000000},
    {"MaxAuthFailures", 0, 1000000},
    {"MaxNOOPCommands", 0, 1000000},
    {"MaxQueueChildren", 0, 100000},
    {"MaxRecipientsPerMessage", 0, 10000000},
    {"MaxRunnersPerQueue", 0, 100000},
    {"MaxSessionsPerClient", 0, 1000000},
    {"MaxThreads", 1, 4096},
    {"QueueLA", 0, 100000},
    {"RecipientFactor", -MANY, MANY},
    {"RefuseLA", 0, 100000},
    {"RetryFactor", -MANY, MANY},
};

static struct bounds bounds_of(const struct pr_option *option)
{
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
		if (pr_str_equal(pr_str(bounds[i].name), pr_str(option->name)))
			return bounds[i];
	return (struct bounds){option->name, 0, INT64_MAX};
}

/* Did the rule engine's own configuration set it?  sendmail runs with any number, so the nearest that can be meant is taken. */
static bool is_from_rules(const struct config_builder *builder, const struct config_node *node)
{
	return builder->is_declared && strcmp(node->file, "-O") != 0 && !pr_str_equal(pr_str(node->file), builder->config->path);
}

static void judge_number(struct config_builder *builder, const struct pr_option *option)
{
	int64_t *place = (int64_t *)(void *)((char *)&builder->config->options + option->offset);
	int64_t value = *place;
	struct bounds wanted = bounds_of(option);
	struct config_node node = config_option_node(builder, option->name);

	if (value >= wanted.least && value <= wanted.most)
		return;
	if (is_from_rules(builder, &node)) {
		*place = value < wanted.least ? wanted.least : wanted.most;
		pr_text_addf(&builder->config->notices, "%s:%u: option %s: %" PRId64 " is taken as %" PRId64 "\n", node.file, node.line, option->name,
		             value, *place);
		return;
	}
	if (wanted.most == INT64_MAX)
		config_complain(builder, &node, "option %s: %" PRId64 " is less than nothing; it is a number from 0 up", option->name, value);
	else
		config_complain(builder, &node, "option %s: %" PRId64 " cannot be meant; it is a number from %" PRId64 " to %" PRId64, option->name,
		                value, wanted.least, wanted.most);
}

/* sendmail's words; those of the second table are known and change nothing here. */
static const char *const privacy_words[] = {"public", "authwarnings", "goaway", "needmailhelo", "noexpn", "novrfy", "noverb", "noetrn",
    "needexpnhelo", "needvrfyhelo", "noreceipts", "nobodyreturn", "restrictmailq", "restrictqrun", NULL};
static const char *const privacy_idle[] = {"restrictexpand", "noactualrecipient", NULL};

static bool is_one_of(const char *const *words, struct pr_str word)
{
	for (; *words != NULL; words++)
		if (pr_str_equal_nocase(pr_str(*words), word))
			return true;
	return false;
}

/* sendmail parts the words by whatever is no letter; a list of the file has one in each item. */
static void split_words(struct config_builder *builder, struct pr_list *words)
{
	struct pr_arena *arena = &builder->config->arena;
	size_t room = words->count + 1, count = 0;

	for (size_t i = 0; i < words->count; i++)
		room += words->items[i].len;
	struct pr_str *items = pr_arena_alloc(arena, room * sizeof *items);
	for (size_t i = 0; items != NULL && i < words->count; i++) {
		struct pr_str rest = words->items[i], word;
		while (pr_str_next(&rest, ' ', &word))
			if (word.len > 0)
				items[count++] = pr_arena_copy(arena, word);
	}
	if (items != NULL)
		*words = (struct pr_list){items, count};
}

static void judge_privacy(struct config_builder *builder)
{
	struct pr_list *words = &builder->config->options.privacy;
	struct config_node node = config_option_node(builder, "PrivacyOptions");

	split_words(builder, words);
	for (size_t i = 0; i < words->count; i++) {
		struct pr_str word = words->items[i];
		const char *near = config_nearest(privacy_words, word);
		if (is_one_of(privacy_words, word))
			continue;
		if (is_one_of(privacy_idle, word))
			pr_text_addf(&builder->config->notices, "%s:%u: option PrivacyOptions: %.*s: accepted, no effect here\n", node.file,
			             node.line, PR_PRINT(word));
		else
			config_complain(builder, &node, "option PrivacyOptions: unknown word %.*s%s%s%s", PR_PRINT(word), near ? "; did you mean " : "",
			                near ? near : "", near ? "?" : "");
	}
}

static void judge_no_recipient(struct config_builder *builder)
{
	static const char *const words[] = {"none", "add-to", "add-apparently-to", "add-to-undisclosed", "add-bcc", NULL};
	struct pr_str word = builder->config->options.no_recipient_action;
	struct config_node node = config_option_node(builder, "NoRecipientAction");

	if (word.len > 0 && !is_one_of(words, word))
		config_complain(builder, &node, "option NoRecipientAction: %.*s is none of none, add-to, add-apparently-to, add-to-undisclosed and add-bcc",
		                PR_PRINT(word));
}

static void judge_precedence(struct config_builder *builder)
{
	const struct pr_list *classes = &builder->config->options.precedence;
	struct config_node node = config_option_node(builder, "Precedence");
	struct pr_str name;
	int64_t class;

	for (size_t i = 0; i < classes->count; i++)
		if (!options_class_parse(classes->items[i], &name, &class))
			config_complain(builder, &node, "option Precedence: \"%.*s\" is no class such as bulk=-60", PR_PRINT(classes->items[i]));
}

/* One without the other would be no STARTTLS, and nobody would notice. */
static void judge_certificate(struct config_builder *builder)
{
	const struct options *options = &builder->config->options;
	bool cert = options->cert_file.len > 0, key = options->key_file.len > 0;
	struct config_node node = config_option_node(builder, cert ? "ServerCertFile" : "ServerKeyFile");

	if (cert != key)
		config_complain(builder, &node, "option %s is set without %s; STARTTLS needs both", cert ? "ServerCertFile" : "ServerKeyFile",
		                cert ? "ServerKeyFile" : "ServerCertFile");
}

static void judge_networks(struct config_builder *builder, const char *name, const struct pr_list *networks)
{
	struct config_node node = config_option_node(builder, name);

	for (size_t i = 0; i < networks->count; i++)
		if (!smtp_network_is_valid(networks->items[i]))
			config_complain(builder, &node, "option %s: \"%.*s\" is no network such as 192.0.2.0/24", name, PR_PRINT(networks->items[i]));
}

void config_judge_options(struct config_builder *builder)
{
	for (const struct pr_option *option = options_table; option->name != NULL; option++)
		if (option->type == PR_OPTION_INT)
			judge_number(builder, option);
	judge_privacy(builder);
	judge_no_recipient(builder);
	judge_precedence(builder);
	judge_certificate(builder);
	judge_networks(builder, "XclientNetworks", &builder->config->options.xclient_networks);
	judge_networks(builder, "XforwardNetworks", &builder->config->options.xforward_networks);
}
