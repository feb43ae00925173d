/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libconfig parses; this file copies its tree into the arena and forgets libconfig.  Depth is bounded, so a hostile
 * file cannot exhaust the stack.
 */
#include "kernel/config/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <postrider/file.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 12
#define INCLUDE_MAX (4u << 20)

static struct pr_str scalar_text(const config_setting_t *setting, struct pr_arena *arena)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
		return pr_arena_printf(arena, "%d", config_setting_get_int(setting));
	case CONFIG_TYPE_INT64:
		return pr_arena_printf(arena, "%lld", config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		return pr_arena_printf(arena, "%g", config_setting_get_float(setting));
	case CONFIG_TYPE_BOOL:
		return pr_arena_copy(arena, pr_str(config_setting_get_bool(setting) ? "true" : "false"));
	case CONFIG_TYPE_STRING:
		return pr_arena_copy(arena, pr_str(config_setting_get_string(setting)));
	default:
		return PR_NONE;
	}
}

static bool copy_node(config_setting_t *setting, const char *path, unsigned int depth, struct pr_arena *arena,
    struct config_node *node, struct pr_text *errors)
{
	const char *file = config_setting_source_file(setting);
	const char *name = config_setting_name(setting);

	node->file = file == NULL ? path : pr_arena_copy(arena, pr_str(file)).data;
	node->line = config_setting_source_line(setting);
	node->name = name == NULL ? PR_STR("") : pr_arena_copy(arena, pr_str(name));
	if (config_setting_is_scalar(setting)) {
		node->kind = CONFIG_SCALAR;
		node->text = scalar_text(setting, arena);
		return true;
	}
	if (depth >= DEPTH_MAX) {
		pr_text_addf(errors, "%s:%u: groups and lists are nested deeper than %d\n", node->file, node->line, DEPTH_MAX);
		return false;
	}
	node->kind = config_setting_is_group(setting) ? CONFIG_GROUP : CONFIG_LIST;
	node->child_count = (size_t)config_setting_length(setting);
	node->children = pr_arena_alloc(arena, (node->child_count + 1) * sizeof *node->children);
	if (node->children == NULL) {
		pr_text_addf(errors, "%s:%u: the configuration is too large\n", node->file, node->line);
		return false;
	}
	for (size_t i = 0; i < node->child_count; i++)
		if (!copy_node(config_setting_get_elem(setting, (unsigned int)i), path, depth + 1, arena, &node->children[i], errors))
			return false;
	return true;
}

/* The name in `@include "NAME"` of that line; absent when it has none. */
static struct pr_str included(struct pr_str bytes, int number)
{
	struct pr_str line = PR_NONE;

	for (; number > 0 && pr_str_next(&bytes, '\n', &line); number--)
		continue;
	line = pr_str_trim(line);
	if (number > 0 || !pr_str_has_prefix_nocase(line, PR_STR("@include")))
		return PR_NONE;
	size_t quote = pr_str_find(line, '"');
	line = pr_str_slice(line, quote + 1, line.len);
	return pr_str_slice(line, 0, pr_str_find(line, '"'));
}

/* libconfig says where, and that a file could not be included, but not which. */
static void complain(const config_t *parsed, const char *path, struct pr_str bytes, struct pr_text *errors)
{
	const char *file = config_error_file(parsed), *text = config_error_text(parsed);
	struct pr_str name = PR_NONE;
	struct pr_text other, ignored;
	char room[4096];

	pr_text_init(&other, INCLUDE_MAX);
	pr_text_init(&ignored, 1000);
	if (file != NULL && pr_file_read(file, INCLUDE_MAX, &other, &ignored) == PR_OK)
		bytes = pr_text_str(&other);
	if (text != NULL && strstr(text, "include") != NULL)
		name = included(bytes, config_error_line(parsed));
	pr_text_addf(errors, "%s:%d: %s", file != NULL ? file : path != NULL ? path : "configuration", config_error_line(parsed), text != NULL ? text : "it cannot be read");
	if (name.len > 0 && snprintf(room, sizeof room, "%.*s", PR_PRINT(name)) < (int)sizeof room) {
		int error = access(room, R_OK) == 0 ? 0 : errno;
		pr_text_addf(errors, " %s%s%s%s", room, error != 0 ? ": " : "", error != 0 ? strerror(error) : "",
		             room[0] == '/' ? "" : "; write the whole path, it would be looked for where the daemon was started");
	}
	pr_text_add_byte(errors, '\n');
	pr_text_fini(&other);
	pr_text_fini(&ignored);
}

static bool is_of_name(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '*' || byte == '.';
}

/* The end of a string or comment that begins at `at`; `at` itself: none does. */
static size_t skip_words(struct pr_str text, size_t at)
{
	bool two = at + 1 < text.len;

	if (text.data[at] == '"') {
		for (at++; at < text.len && text.data[at] != '"'; at++)
			at += text.data[at] == '\\';
		return at + 1;
	}
	if (text.data[at] == '#' || (two && text.data[at] == '/' && text.data[at + 1] == '/'))
		return at + pr_str_find(pr_str_slice(text, at, text.len), '\n');
	if (two && text.data[at] == '/' && text.data[at + 1] == '*') {
		const char *end = memmem(text.data + at, text.len - at, "*/", 2);
		return end != NULL ? (size_t)(end - text.data) + 2 : text.len;
	}
	return at;
}

/* libconfig cuts a number without L to 32 bits and says nothing. */
static bool has_long_number(const char *path, struct pr_str text, struct pr_text *errors)
{
	unsigned int line = 1;
	uint64_t number;

	for (size_t at = 0, next; at < text.len; at = next) {
		next = skip_words(text, at);
		if (next == at && is_of_name(text.data[at]))
			while (next < text.len && is_of_name(text.data[next]))
				next++;
		next = next > text.len ? text.len : next == at ? at + 1 : next;
		struct pr_str word = pr_str_slice(text, at, next), digits = word.data[0] == '-' ? pr_str_slice(word, 1, word.len) : word;
		if (digits.len > 9 && strspn(digits.data, "0123456789") >= digits.len && (!pr_str_number(digits, INT32_MAX, &number))) {
			pr_text_addf(errors, "%s:%u: %.*s is too long for a number without quotes; write \"%.*s\"\n", path, line, PR_PRINT(word), PR_PRINT(word));
			return true;
		}
		for (size_t i = at; i < next; i++)
			line += text.data[i] == '\n';
	}
	return false;
}

struct config_node *config_tree_parse(const char *path, struct pr_str bytes, struct pr_arena *arena, struct pr_text *errors)
{
	config_t parsed;
	struct config_node *root = NULL;
	char *text = pr_copy_str(bytes); /* libconfig wants a C string; a NUL ends it, so refuse that first */

	config_init(&parsed);
	if (memchr(bytes.data, '\0', bytes.len) != NULL) {
		pr_text_addf(errors, "%s:1: the file holds a NUL byte; it is not a configuration file\n", path);
	} else if (config_read_string(&parsed, text) != CONFIG_TRUE) {
		complain(&parsed, path, bytes, errors);
	} else if (!has_long_number(path != NULL ? path : "configuration", pr_str(text), errors)) {
		root = pr_arena_alloc(arena, sizeof *root);
		if (root != NULL && !copy_node(config_root_setting(&parsed), path, 0, arena, root, errors))
			root = NULL;
	}
	config_destroy(&parsed);
	pr_free(text);
	return root;
}

const struct config_node *config_node_find(const struct config_node *group, const char *name)
{
	for (size_t i = 0; i < group->child_count; i++)
		if (pr_str_equal(group->children[i].name, pr_str(name)))
			return &group->children[i];
	return NULL;
}
