/* SPDX-License-Identifier: BSD-2-Clause
 *
 * makemap: a text table on standard input becomes a map's file, built by the map module itself.
 * The whole input is read first and the module puts the new table in place at once, so a wrong line leaves the old one.
 */
#include "kernel/command/modes.h"

#include <postrider/file.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define INPUT_MAX (1u << 30)

struct makemap {
	const char *config; /* -C: whose module_directory */
	char comment;       /* -D */
	char delimiter;     /* -t, 0: white space */
	bool keep_case;     /* -f */
	bool replace;       /* -r */
	bool empty_allowed; /* -e */
	bool append;        /* -o */
	bool dump;          /* -u */
	bool verbose;       /* -v */
	bool list;          /* -l */
	const char *type, *name;
};

struct builder {
	const struct makemap *settings;
	struct config config;
	struct config_instance instance;
	struct config_setting options[2];
	struct module_set *set;
	struct module_thread *thread;
	struct module_scope scope;
	struct module_instance *map;
	struct pr_arena arena; /* what stays */
	struct pr_arena calls; /* given back after each pair */
	/* keys seen, open addressing */
	struct pr_str *keys;
	size_t room, count;
	bool wrong;
};

static int usage(void)
{
	fprintf(stderr, "usage: makemap [-C cffile] [-N] [-c cachesize] [-D commentchar] [-d] [-e] [-f] [-i type] [-l] "
			"[-o] [-r] [-s] "
			"[-t delimiter] [-u] [-v] type mapname\n");
	return EX_USAGE;
}

enum flag_kind { FLAG_SWITCH, FLAG_BYTE, FLAG_TEXT, FLAG_ACCEPTED };

static const struct flag {
	char letter;
	enum flag_kind kind;
	size_t field;
} flags[] = {
    {'C', FLAG_TEXT, offsetof(struct makemap, config)},
    {'D', FLAG_BYTE, offsetof(struct makemap, comment)},
    {'N', FLAG_ACCEPTED, 0}, /* these five are forms and tuning of other databases */
    {'c', FLAG_ACCEPTED, 0},
    {'d', FLAG_ACCEPTED, 0},
    {'i', FLAG_ACCEPTED, 0},
    {'s', FLAG_ACCEPTED, 0},
    {'e', FLAG_SWITCH, offsetof(struct makemap, empty_allowed)},
    {'f', FLAG_SWITCH, offsetof(struct makemap, keep_case)},
    {'l', FLAG_SWITCH, offsetof(struct makemap, list)},
    {'o', FLAG_SWITCH, offsetof(struct makemap, append)},
    {'r', FLAG_SWITCH, offsetof(struct makemap, replace)},
    {'t', FLAG_BYTE, offsetof(struct makemap, delimiter)},
    {'u', FLAG_SWITCH, offsetof(struct makemap, dump)},
    {'v', FLAG_SWITCH, offsetof(struct makemap, verbose)},
};

static bool take_flag(struct makemap *settings, int letter)
{
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		char *field = (char *)settings + flags[i].field;
		if (flags[i].letter != letter)
			continue;
		if (flags[i].kind == FLAG_SWITCH)
			*(bool *)field = true;
		else if (flags[i].kind == FLAG_BYTE)
			*field = optarg[0];
		else if (flags[i].kind == FLAG_TEXT)
			memcpy(field, &optarg, sizeof optarg);
		return true;
	}
	return false;
}

static int parse(int argc, char **argv, struct makemap *settings)
{
	int found;

	opterr = 0;
	optind = 1;
	while ((found = getopt(argc, argv, "+C:Nc:D:defi:lorst:uv")) != -1)
		if (!take_flag(settings, found))
			return usage();
	if (settings->list) {
		printf("hash\n");
		return -1;
	}
	if (argc - optind != 2)
		return usage();
	settings->type = argv[optind];
	settings->name = argv[optind + 1];
	return EX_OK;
}

/* The configuration is asked for one thing only: where modules are. */
static void module_directory(struct builder *builder)
{
	const char *routing, *path = tool_config_choose(builder->settings->config, &routing);
	struct pr_text errors;

	builder->config.module_directory = PR_STR(MODULE_DIR);
	pr_text_init(&errors, 1u << 20);
	struct config *config = access(path, R_OK) == 0 ? config_load(path, NULL, &errors) : NULL;
	if (config != NULL)
		builder->config.module_directory = pr_arena_copy(&builder->arena, config->module_directory);
	config_free(config);
	pr_text_fini(&errors);
}

static bool absolute_name(struct builder *builder, struct pr_str *name_out)
{
	char here[4096];

	if (builder->settings->name[0] == '/')
		*name_out = pr_str(builder->settings->name);
	else if (getcwd(here, sizeof here) != NULL)
		*name_out = pr_arena_printf(&builder->arena, "%s/%s", here, builder->settings->name);
	return name_out->data != NULL;
}

/* Those that sendmail has and we write; a module of somebody else's may be one more. */
static bool is_unknown(const char *type, struct pr_str errors)
{
	return strcmp(type, "hash") != 0 && strcmp(type, "btree") != 0 && errors.data != NULL && strstr(errors.data, "no such module") != NULL;
}

/* A set of one map, declared here instead of in a file. */
static int open_map(struct builder *builder)
{
	struct pr_str name = PR_NONE;
	struct pr_text errors;

	module_directory(builder);
	if (!absolute_name(builder, &name))
		return EX_OSERR;
	builder->options[0] = (struct config_setting){.name = PR_STR("file"), .text = name, .file = "makemap"};
	builder->options[1] = (struct config_setting){.name = PR_STR("fold"),
	    .text = builder->settings->keep_case ? PR_STR("false") : PR_STR("true"),
	    .file = "makemap"};
	builder->instance = (struct config_instance){.kind = PR_KIND_MAP,
	    .file = "makemap",
	    .name = PR_STR("makemap"),
	    .module = pr_str(strcmp(builder->settings->type, "btree") == 0 ? "hash" : builder->settings->type),
	    .settings = builder->options,
	    .setting_count = 2};
	builder->config.instances = &builder->instance;
	builder->config.instance_count = 1;
	pr_text_init(&errors, 1u << 16);
	builder->set = module_set_open(&builder->config, MODULE_ROLE_TOOL, &errors);
	if (builder->set != NULL) {
		builder->thread = module_thread_new(builder->set);
		module_scope_init(&builder->scope, builder->thread, &builder->calls);
		builder->map = module_find(builder->set, PR_KIND_MAP, PR_STR("makemap"));
	} else if (is_unknown(builder->settings->type, pr_text_str(&errors))) {
		fprintf(stderr, "makemap: error opening type %s map %s: there is no map type \"%s\"; known are hash and btree\n", builder->settings->type,
		    builder->settings->name, builder->settings->type);
	} else {
		fprintf(stderr, "makemap: error opening type %s map %s: %s", builder->settings->type,
		    builder->settings->name, errors.data);
	}
	pr_text_fini(&errors);
	return builder->set != NULL ? EX_OK : EX_CANTCREAT;
}

static void complain(struct builder *builder, size_t line, const char *what, struct pr_str key, const char *after)
{
	builder->wrong = true;
	fprintf(
	    stderr, "makemap: %s: line %zu: %s %.*s%s\n", builder->settings->name, line, what, PR_PRINT(key), after);
}

static size_t slot_of(const struct builder *builder, struct pr_str key)
{
	size_t at = (size_t)pr_str_hash_nocase(key) & (builder->room - 1);

	while (builder->keys[at].data != NULL &&
	       !(builder->settings->keep_case ? pr_str_equal(builder->keys[at], key)
					      : pr_str_equal_nocase(builder->keys[at], key)))
		at = (at + 1) & (builder->room - 1);
	return at;
}

static void grow(struct builder *builder)
{
	struct pr_str *old = builder->keys;
	size_t old_room = builder->room;

	builder->room = old_room == 0 ? 1024 : old_room * 2;
	builder->keys = pr_alloc(builder->room * sizeof *builder->keys);
	for (size_t i = 0; i < old_room; i++)
		if (old[i].data != NULL)
			builder->keys[slot_of(builder, old[i])] = old[i];
	pr_free(old);
}

/* True when the pair is to be stored: the first of duplicates stays, unless -r lets the last one win. */
static bool is_wanted(struct builder *builder, struct pr_str key, size_t line)
{
	if (builder->count * 2 >= builder->room)
		grow(builder);
	size_t at = slot_of(builder, key);
	if (builder->keys[at].data == NULL) {
		builder->keys[at] = key;
		builder->count++;
		return true;
	}
	if (builder->settings->replace)
		return true;
	complain(builder, line, "key", key, ": duplicate key");
	return false;
}

static int store(struct builder *builder, struct pr_str key, struct pr_str value)
{
	if (builder->settings->verbose)
		printf("key=`%.*s', val=`%.*s'\n", PR_PRINT(key), PR_PRINT(value));
	if (map_store(&builder->scope, builder->map, key, value) == PR_OK)
		return EX_OK;
	fprintf(stderr, "makemap: %s: %.*s\n", builder->settings->name, PR_PRINT(builder->scope.reason));
	return EX_IOERR;
}

static bool is_blank(const struct builder *builder, char byte)
{
	char delimiter = builder->settings->delimiter;

	return delimiter != 0 ? byte == delimiter : byte == ' ' || byte == '\t';
}

static int take_line(struct builder *builder, struct pr_str line, size_t number)
{
	size_t end = 0;

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0 || line.data[0] == builder->settings->comment)
		return EX_OK;
	while (end < line.len && !is_blank(builder, line.data[end]))
		end++;
	struct pr_str key = pr_str_slice(line, 0, end);
	while (end < line.len && is_blank(builder, line.data[end]))
		end++;
	struct pr_str value = pr_str_slice(line, end, line.len);
	if (key.len == 0)
		return EX_OK; /* a line of blanks */
	if (value.len == 0 && !builder->settings->empty_allowed) {
		complain(builder, number, "no RHS for LHS", key, "");
		return EX_OK;
	}
	return is_wanted(builder, key, number) ? store(builder, key, value) : EX_OK;
}

/* -o: what the table holds already comes first. */
static int copy_old(struct builder *builder)
{
	uint64_t cursor = 0;
	struct pr_str key, value;
	int status = EX_OK;

	while (status == EX_OK && map_next(&builder->scope, builder->map, &cursor, &key, &value) == PR_OK) {
		status = store(builder, key, value);
		pr_arena_reset(&builder->calls);
	}
	return status;
}

static int build(struct builder *builder, struct pr_str input)
{
	struct pr_str line;
	size_t number = 0;

	if (map_begin(&builder->scope, builder->map) != PR_OK) {
		fprintf(stderr, "makemap: error creating type %s map %s: %.*s\n", builder->settings->type,
		    builder->settings->name, PR_PRINT(builder->scope.reason));
		return EX_CANTCREAT;
	}
	int status = builder->settings->append ? copy_old(builder) : EX_OK;
	while (status == EX_OK && pr_str_next(&input, '\n', &line)) {
		status = take_line(builder, line, ++number);
		pr_arena_reset(&builder->calls);
	}
	if (status == EX_OK && map_commit(&builder->scope, builder->map) != PR_OK) {
		fprintf(stderr, "makemap: %s: %.*s\n", builder->settings->name, PR_PRINT(builder->scope.reason));
		status = EX_IOERR;
	}
	return status == EX_OK && builder->wrong ? EX_DATAERR : status;
}

static int dump(struct builder *builder)
{
	char delimiter = builder->settings->delimiter != 0 ? builder->settings->delimiter : '\t';
	uint64_t cursor = 0;
	struct pr_str key, value;
	enum pr_status status;

	while ((status = map_next(&builder->scope, builder->map, &cursor, &key, &value)) == PR_OK) {
		printf("%.*s%c%.*s\n", PR_PRINT(key), delimiter, PR_PRINT(value));
		pr_arena_reset(&builder->calls);
	}
	if (status == PR_NOTFOUND)
		return EX_OK;
	fprintf(stderr, "makemap: %s: %.*s\n", builder->settings->name, PR_PRINT(builder->scope.reason));
	return EX_NOINPUT;
}

static int read_and_build(struct builder *builder)
{
	struct pr_text input;
	char buffer[65536];
	ssize_t got;
	int status = EX_OK;

	pr_text_init(&input, INPUT_MAX);
	while (status == EX_OK && (got = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !pr_text_add(&input, buffer, (size_t)got)) {
			fprintf(stderr, "makemap: standard input: %s\n", got < 0 ? strerror(errno) : "more than 1 GiB");
			status = EX_IOERR;
		}
	}
	if (status == EX_OK)
		status = build(builder, pr_text_str(&input));
	pr_text_fini(&input);
	return status;
}

int makemap_main(int argc, char **argv)
{
	struct makemap settings = {.comment = '#'};
	struct builder builder = {.settings = &settings};

	int status = parse(argc, argv, &settings);
	if (status != EX_OK)
		return status < 0 ? EX_OK : status;
	pr_arena_init(&builder.arena, 1u << 20);
	pr_arena_init(&builder.calls, 256u << 20);
	status = open_map(&builder);
	if (status == EX_OK)
		status = settings.dump ? dump(&builder) : read_and_build(&builder);
	if (builder.thread != NULL)
		module_thread_free(builder.thread);
	module_set_close(builder.set);
	pr_free(builder.keys);
	pr_arena_fini(&builder.calls);
	pr_arena_fini(&builder.arena);
	return status;
}
