/* SPDX-License-Identifier: BSD-2-Clause
 *
 * O lines.  sendmail's values are looser than those of postrider.conf - `T` is true, a bare number has the unit of its option - so each is
 * put into words of the option table first; some options are more than a value.
 */
#include "kernel/config/build.h"
#include "kernel/plan/order.h"

#include <string.h>

static void set(struct config_builder *builder, const struct config_node *node, const char *name, struct pr_str text)
{
	struct config_node copy = *node;

	copy.name = pr_str(name);
	copy.text = text;
	config_declare_option(builder, &copy);
}

/* Timeout=5m: the value of these. */
static void declare_timeouts(struct config_builder *builder, const struct config_node *node)
{
	static const char *const names[] = {"Timeout.mail", "Timeout.rcpt", "Timeout.datainit", "Timeout.datablock", "Timeout.datafinal",
	    "Timeout.command"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		set(builder, node, names[i], node->text);
}

/* QueueTimeout=5d/4h */
static void declare_queue_timeout(struct config_builder *builder, const struct config_node *node)
{
	size_t slash = pr_str_find(node->text, '/');

	set(builder, node, "Timeout.queuereturn", pr_str_trim(pr_str_slice(node->text, 0, slash)));
	if (slash < node->text.len)
		set(builder, node, "Timeout.queuewarn", pr_str_trim(pr_str_slice(node->text, slash + 1, node->text.len)));
}

static bool is_known(struct pr_str word, const char *const *known)
{
	for (; *known != NULL; known++)
		if (pr_str_equal_nocase(word, pr_str(*known)))
			return true;
	return false;
}

/* sendmail leaves out a word that it does not know, and says so. */
static void complain_unknown(struct config_builder *builder, const struct config_node *node, const char *const *known, const char *what)
{
	struct pr_str rest = node->text, word;

	while (pr_str_word(&rest, ", \t", &word)) {
		if (!is_known(word, known))
			config_complain(builder, node, "%s%.*s unrecognized", what, PR_PRINT(word));
	}
}

/* The first letter counts, and nothing at all is yes. */
static struct pr_str bool_text(struct pr_str text)
{
	return text.len == 0 || strchr("tTyY1", text.data[0]) != NULL || pr_str_equal_nocase(text, PR_STR("on")) ? PR_STR("true") : PR_STR("false");
}

static const char *const privacy[] = {"public", "needmailhelo", "needexpnhelo", "needvrfyhelo", "noexpn", "novrfy", "noetrn", "noverb",
    "restrictmailq", "restrictqrun", "restrictexpand", "noreceipts", "nobodyreturn", "goaway", "authwarnings", "noactualrecipient",
    NULL};

/* Words between commas and blanks, added to those that are there. */
static void declare_privacy(struct config_builder *builder, const struct config_node *node)
{
	struct pr_list *list = &builder->config->options.privacy;
	struct pr_str rest = node->text, word;
	struct pr_str *words = pr_arena_alloc(&builder->config->arena, (list->count + node->text.len + 1) * sizeof *words);
	size_t count = 0;

	for (; words != NULL && count < list->count; count++)
		words[count] = list->items[count];
	complain_unknown(builder, node, privacy, "readcf: Op line: ");
	while (words != NULL && pr_str_word(&rest, ", \t", &word))
		if (is_known(word, privacy))
			words[count++] = pr_arena_copy(&builder->config->arena, word);
	if (words != NULL)
		*list = (struct pr_list){words, count};
}

/* A word, or one of the four that are no words of a switch. */
static void declare_super_safe(struct config_builder *builder, const struct config_node *node)
{
	struct config_node copy = *node;
	char letter = node->text.len > 0 ? node->text.data[0] : 't';

	copy.text = strchr("iI", letter) != NULL ? PR_STR("interactive") : strchr("pP", letter) != NULL ? PR_STR("postmilter") : bool_text(node->text);
	config_set_option(builder, &copy, node->name);
}

static void declare_sort_order(struct config_builder *builder, const struct config_node *node)
{
	enum plan_sort sort;

	if (plan_sort_parse(node->text, &sort))
		config_set_option(builder, node, node->name);
	else
		config_complain(builder, node, "Invalid queue sort order \"%.*s\"", PR_PRINT(node->text));
}

/* A time like any other, but that one below zero says: not at all. */
static void declare_deliver_by(struct config_builder *builder, const struct config_node *node)
{
	struct config_node copy = *node;
	int64_t seconds = -1;

	if ((node->text.len == 0 || node->text.data[0] != '-') && !pr_parse_time(node->text, 's', &seconds)) {
		config_complain(builder, node, "DeliverByMin: %.*s is no time", PR_PRINT(node->text));
		return;
	}
	copy.text = pr_arena_printf(&builder->config->arena, "%lld", (long long)seconds);
	config_set_option(builder, &copy, node->name);
}

/* Only the spelling is looked at. */
static void declare_blame(struct config_builder *builder, const struct config_node *node)
{
	static const char *const words[] = {"Safe", "AssumeSafeChown", "ClassFileInUnsafeDirPath", "DontWarnForwardFileInUnsafeDirPath",
	    "ErrorHeaderInUnsafeDirPath", "FileDeliveryToHardLink", "FileDeliveryToSymLink", "ForwardFileInGroupWritableDirPath",
	    "ForwardFileInUnsafeDirPath", "ForwardFileInUnsafeDirPathSafe", "GroupReadableKeyFile", "GroupReadableSASLDBFile",
	    "GroupReadableDefaultAuthInfoFile", "GroupWritableAliasFile", "GroupWritableDirPathSafe", "GroupWritableForwardFile",
	    "GroupWritableForwardFileSafe", "GroupWritableIncludeFile", "GroupWritableIncludeFileSafe", "GroupWritableSASLDBFile",
	    "HelpFileInUnsafeDirPath", "IncludeFileInGroupWritableDirPath", "IncludeFileInUnsafeDirPath", "IncludeFileInUnsafeDirPathSafe",
	    "InsufficientEntropy", "LinkedAliasFileInWritableDir", "LinkedClassFileInWritableDir", "LinkedForwardFileInWritableDir",
	    "LinkedIncludeFileInWritableDir", "LinkedMapInWritableDir", "LinkedServiceSwitchFileInWritableDir", "MapInUnsafeDirPath",
	    "NonRootSafeAddr", "RunProgramInUnsafeDirPath", "RunWritableProgram", "TrustStickyBit", "WorldWritableAliasFile",
	    "WorldWritableForwardFile", "WorldWritableIncludeFile", "WriteMapToHardLink", "WriteMapToSymLink", "WriteStatsToHardLink",
	    "WriteStatsToSymLink", NULL};

	complain_unknown(builder, node, words, "readcf: DontBlameSendmail option: ");
	struct pr_str *all = &builder->config->options.dont_blame; /* each line adds to those before */
	*all = pr_arena_printf(&builder->config->arena, "%.*s%s%.*s", PR_PRINT(*all), all->len > 0 ? "," : "", PR_PRINT(node->text));
}

/* One line for each family; mailers read them. */
static void declare_client_ports(struct config_builder *builder, const struct config_node *node)
{
	struct pr_str *all = &builder->config->options.client_ports;

	*all = pr_arena_printf(&builder->config->arena, "%.*s%s%.*s", PR_PRINT(*all), all->len > 0 ? ";" : "", PR_PRINT(node->text));
}

static const struct {
	const char *name;
	void (*take)(struct config_builder *builder, const struct config_node *node);
} special[] = {
    {"AliasFile", config_declare_aliases},
    {"ClientPortOptions", declare_client_ports},
    {"DaemonPortOptions", config_declare_listener},
    {"DeliverByMin", declare_deliver_by},
    {"DontBlameSendmail", declare_blame},
    {"QueueSortOrder", declare_sort_order},
    {"SuperSafe", declare_super_safe},
    {"PrivacyOptions", declare_privacy},
    {"QueueTimeout", declare_queue_timeout},
    {"Timeout", declare_timeouts},
};

/* What a number without unit counts; all others are seconds. */
static const struct {
	const char *prefix;
	char unit;
} units[] = {
    {"Timeout.ident", 's'},         {"Timeout.queuereturn", 'd'}, {"Timeout.queuewarn", 'h'}, {"Timeout.", 'm'},
    {"ConnectionCacheTimeout", 'm'}, {"MinQueueAge", 'm'},         {"MaxQueueAge", 'm'},
};

/* As the option table takes it; absent, and a complaint: it cannot be read. */
static struct pr_str time_text(struct config_builder *builder, const struct config_node *node, const char *name)
{
	struct pr_arena *arena = &builder->config->arena;
	struct pr_str text = node->text;
	uint64_t number;

	if (pr_str_equal_nocase(text, PR_STR("now")))
		return PR_STR("0");
	size_t digits = strspn(text.len > 0 ? text.data : "", "0123456789");
	if (digits < text.len && strchr("smhdwSMHDW", text.data[digits]) == NULL) {
		config_complain(builder, node, "Invalid time unit `%c'", text.data[digits]);
		return PR_NONE;
	}
	if (!pr_str_number(text, INT32_MAX, &number))
		return text;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (pr_str_has_prefix_nocase(pr_str(name), pr_str(units[i].prefix)))
			return pr_arena_printf(arena, "%.*s%c", PR_PRINT(text), units[i].unit);
	return text;
}

/* What begins as a number is one, and what does not is none. */
static struct pr_str number_text(const struct pr_option *option, struct pr_str text)
{
	size_t minus = text.len > 0 && text.data[0] == '-' ? 1 : 0;
	size_t digits = strspn(text.len > 0 ? text.data + minus : "", "0123456789");

	if (minus > 0 && option->type == PR_OPTION_SIZE)
		return PR_STR("0");
	return digits > 0 ? pr_str_slice(text, 0, minus + digits) : PR_STR("0");
}

bool config_take_special(struct config_builder *builder, const struct config_node *node)
{
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
		if (pr_str_equal_nocase(node->name, pr_str(special[i].name))) {
			special[i].take(builder, node);
			return true;
		}
	return false;
}

void config_declare_option(struct config_builder *builder, const struct config_node *node)
{
	const struct pr_option *option = pr_option_find(options_table, node->name);
	struct config_node copy = *node;

	if (config_take_special(builder, node))
		return;
	if (option != NULL && option->type == PR_OPTION_TIME)
		copy.text = time_text(builder, node, option->name);
	else if (option != NULL && option->type == PR_OPTION_BOOL)
		copy.text = bool_text(node->text);
	else if (option != NULL && (option->type == PR_OPTION_INT || option->type == PR_OPTION_SIZE))
		copy.text = number_text(option, node->text);
	if (copy.text.data != NULL)
		config_set_option(builder, &copy, node->name);
}

/* aliases --------------------------------------------------------------- */

static bool is_declared_map(const struct config_builder *builder, struct pr_str name)
{
	for (size_t i = 0; i < builder->config->instance_count; i++)
		if (builder->instances[i].kind == PR_KIND_MAP && pr_str_equal(builder->instances[i].name, name))
			return true;
	return false;
}

static bool is_table(struct pr_str class_name)
{
	static const char *const names[] = {"hash", "btree", "dbm", "implicit", "text", NULL};

	for (const char *const *name = names; *name != NULL; name++)
		if (pr_str_equal_nocase(pr_str(*name), class_name))
			return true;
	return false;
}

/* A map of its own for what is no name of one: "hash:/etc/mail/aliases", "/etc/mail/aliases" of class implicit. */
static struct pr_str alias_map(struct config_builder *builder, const struct config_node *node, struct pr_str item, size_t number)
{
	struct pr_arena *arena = &builder->config->arena;
	size_t colon = pr_str_find(item, ':');
	bool has_class = colon < item.len && item.data[0] != '/' && item.data[0] != '-';
	struct config_node keys[3] = {{.kind = CONFIG_SCALAR, .name = PR_STR("module"), .text = PR_STR("implicit")},
	    {.kind = CONFIG_SCALAR, .name = PR_STR("arguments")},
	    {.kind = CONFIG_SCALAR, .name = PR_STR("alias"), .text = PR_STR("true"), .file = node->file, .line = node->line}};
	struct config_node map = {.kind = CONFIG_GROUP, .file = node->file, .line = node->line, .children = keys, .child_count = 2};
	struct config_node maps = {.kind = CONFIG_GROUP, .name = PR_STR("maps"), .children = &map, .child_count = 1};

	if (has_class)
		keys[0].text = pr_arena_copy(arena, pr_str_slice(item, 0, colon));
	keys[1].text = pr_arena_copy(arena, has_class ? pr_str_slice(item, colon + 1, item.len) : item);
	keys[0].file = keys[1].file = maps.file = node->file;
	keys[0].line = keys[1].line = maps.line = node->line;
	if (is_table(keys[0].text) && keys[1].text.len > 0 && keys[1].text.data[0] == '/')
		keys[1].name = PR_STR("file"); /* newaliases makes the table of it */
	if (pr_str_equal_nocase(keys[0].text, PR_STR("implicit")))
		map.child_count = 3;
	map.name = pr_arena_printf(arena, "Alias%zu", number);
	config_build_instances(builder, PR_KIND_MAP, &maps);
	return map.name;
}

void config_declare_aliases(struct config_builder *builder, const struct config_node *node)
{
	struct pr_list *list = &builder->config->options.alias_files;
	struct pr_str rest = node->text, item;
	struct pr_str *names = pr_arena_alloc(&builder->config->arena, (list->count + node->text.len + 1) * sizeof *names);
	size_t count = 0;

	if (names == NULL)
		return;
	bool is_override = strcmp(node->file, "-O") == 0;
	/* the first one of -O, or of the cf, replaces what was said before; more of them add */
	if (is_override ? builder->has_override_aliases : builder->has_aliases)
		for (; count < list->count; count++)
			names[count] = list->items[count];
	builder->has_aliases = true;
	builder->has_override_aliases = is_override;
	while (rest.len > 0 && pr_str_next(&rest, ',', &item)) {
		item = pr_str_trim(item);
		if (item.len == 0)
			continue;
		names[count] = is_declared_map(builder, item) ? pr_arena_copy(&builder->config->arena, item)
		                                              : alias_map(builder, node, item, builder->alias_maps++);
		count++;
	}
	*list = (struct pr_list){names, count};
}
