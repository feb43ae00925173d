/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row of `types` per option type: how a value is read, how it is printed, and
 * the words for a value that cannot be read.  A new type is a new row.
 */
#include "ascii.h"
#include <inttypes.h>
#include <postrider/option.h>
#include <string.h>

struct type {
	bool (*parse)(struct pr_str text, void *field, struct pr_arena *arena);
	bool (*print)(const void *field, struct pr_text *out);
	const char *wanted;
};

static bool parse_bool(struct pr_str text, void *field, struct pr_arena *arena)
{
	static const char *const words[] = {"false", "no", "off", "0", "true", "yes", "on", "1"};

	(void)arena;
	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(text, pr_str(words[i]))) {
			*(uint32_t *)field = i >= 4;
			return true;
		}
	return false;
}

static bool print_bool(const void *field, struct pr_text *out)
{
	return pr_text_add_c(out, *(const uint32_t *)field != 0 ? "true" : "false");
}

static bool parse_int(struct pr_str text, void *field, struct pr_arena *arena)
{
	uint64_t number;
	bool negative = text.len > 0 && text.data[0] == '-';

	(void)arena;
	if (!pr_str_number(pr_str_slice(text, negative ? 1 : 0, text.len), INT64_MAX, &number))
		return false;
	*(int64_t *)field = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool print_int(const void *field, struct pr_text *out)
{
	return pr_text_addf(out, "%" PRId64, *(const int64_t *)field);
}

static bool parse_time(struct pr_str text, void *field, struct pr_arena *arena)
{
	(void)arena;
	return pr_parse_time(text, 's', field);
}

static bool print_time(const void *field, struct pr_text *out)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t left = *(const int64_t *)field;

	if (left <= 0)
		return print_int(field, out);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (left >= units[i].seconds && !pr_text_addf(out, "%" PRId64 "%c", left / units[i].seconds, units[i].letter))
			return false;
		left %= units[i].seconds;
	}
	return true;
}

static bool parse_size(struct pr_str text, void *field, struct pr_arena *arena)
{
	(void)arena;
	return pr_parse_size(text, field);
}

static bool print_size(const void *field, struct pr_text *out)
{
	int64_t size = *(const int64_t *)field;
	size_t power = 0;

	while (power < 3 && size > 0 && size % 1024 == 0) {
		size /= 1024;
		power++;
	}
	return pr_text_addf(out, "%" PRId64 "%.*s", size, power > 0, &" KMG"[power]);
}

static bool parse_string(struct pr_str text, void *field, struct pr_arena *arena)
{
	struct pr_str copy = pr_arena_copy(arena, text);

	if (copy.data == NULL)
		return false;
	*(struct pr_str *)field = copy;
	return true;
}

static bool print_string(const void *field, struct pr_text *out)
{
	return pr_text_add_str(out, *(const struct pr_str *)field);
}

static bool parse_path(struct pr_str text, void *field, struct pr_arena *arena)
{
	/* a NUL would make the system see another path than we print */
	if (text.len == 0 || text.data[0] != '/' || pr_str_find(text, '\0') < text.len)
		return false;
	return parse_string(text, field, arena);
}

/* Counts the pieces between commas that are not blank, and fills `items` when given. */
static size_t split_list(struct pr_str text, struct pr_arena *arena, struct pr_str *items)
{
	struct pr_str piece;
	size_t count = 0;

	while (pr_str_next(&text, ',', &piece)) {
		piece = pr_str_trim(piece);
		if (piece.len == 0)
			continue;
		if (items != NULL)
			items[count] = pr_arena_copy(arena, piece);
		if (items != NULL && items[count].data == NULL)
			return count;
		count++;
	}
	return count;
}

static bool parse_list(struct pr_str text, void *field, struct pr_arena *arena)
{
	size_t count = split_list(text, NULL, NULL);

	if (count > SIZE_MAX / sizeof(struct pr_str))
		return false;
	struct pr_str *items = pr_arena_alloc(arena, count * sizeof *items);
	if (items == NULL || split_list(text, arena, items) != count)
		return false;
	*(struct pr_list *)field = (struct pr_list){items, count};
	return true;
}

static bool print_list(const void *field, struct pr_text *out)
{
	const struct pr_list *list = field;
	bool fits = true;

	for (size_t i = 0; fits && i < list->count; i++)
		fits = (i == 0 || pr_text_add_c(out, ", ")) && pr_text_add_str(out, list->items[i]);
	return fits;
}

static bool parse_mode(struct pr_str text, void *field, struct pr_arena *arena)
{
	uint32_t mode = 0;

	(void)arena;
	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '7')
			return false;
		mode = mode * 8 + (uint32_t)(text.data[i] - '0');
	}
	if (mode > 07777)
		return false;
	*(uint32_t *)field = mode;
	return true;
}

static bool print_mode(const void *field, struct pr_text *out)
{
	return pr_text_addf(out, "0%03o", (unsigned int)*(const uint32_t *)field);
}

static const struct type types[] = {
    [PR_OPTION_BOOL] = {parse_bool, print_bool, "true or false (yes, no, on, off, 1, 0)"},
    [PR_OPTION_INT] = {parse_int, print_int, "a whole decimal number"},
    [PR_OPTION_TIME] = {parse_time, print_time, "a time such as 30s, 5m, 1h30m or 2d (a bare number is seconds)"},
    [PR_OPTION_SIZE] = {parse_size, print_size, "a number of bytes, perhaps with K, M or G"},
    [PR_OPTION_STRING] = {parse_string, print_string, "a text that fits into memory"},
    [PR_OPTION_PATH] = {parse_path, print_string, "an absolute path (it must begin with /)"},
    [PR_OPTION_LIST] = {parse_list, print_list, "a list that fits into memory"},
    [PR_OPTION_MODE] = {parse_mode, print_mode, "an octal file mode such as 0640"},
};

static const struct type *type_of(const struct pr_option *option)
{
	if (option->type >= sizeof types / sizeof types[0] || types[option->type].parse == NULL)
		return NULL;
	return &types[option->type];
}

static struct pr_str explain(const char *format_wanted, struct pr_str text, struct pr_arena *arena)
{
	struct pr_text why;

	pr_text_init(&why, 512);
	pr_text_add_byte(&why, '"');
	pr_text_add_escaped(&why, text, 100);
	pr_text_add_c(&why, "\" is not ");
	pr_text_add_c(&why, format_wanted);
	struct pr_str sentence = pr_arena_copy(arena, pr_text_str(&why));
	pr_text_fini(&why);
	return sentence.data != NULL ? sentence : PR_STR("the value does not fit into memory");
}

enum pr_status pr_option_parse(const struct pr_option *option, struct pr_str text, void *record,
                               struct pr_arena *arena, struct pr_str *why_out)
{
	const struct type *type = type_of(option);

	if (type == NULL) {
		*why_out = PR_STR("the option table of the module has a type that this version does not know");
		return PR_MISUSE;
	}
	if (text.data == NULL)
		text = PR_STR("");
	if (type->parse(text, (char *)record + option->offset, arena))
		return PR_OK;
	*why_out = explain(type->wanted, text, arena);
	return PR_MISUSE;
}

enum pr_status pr_option_set_list(const struct pr_option *option, const struct pr_str *items, size_t count,
                                  void *record, struct pr_arena *arena, struct pr_str *why_out)
{
	if (option->type != PR_OPTION_LIST) {
		*why_out = PR_STR("a list where one value is wanted");
		return PR_MISUSE;
	}
	*why_out = PR_STR("the list does not fit into memory");
	if (count > SIZE_MAX / sizeof *items)
		return PR_MISUSE;
	struct pr_str *copies = pr_arena_alloc(arena, count * sizeof *copies);
	for (size_t i = 0; copies != NULL && i < count; i++) {
		copies[i] = pr_arena_copy(arena, items[i].data != NULL ? items[i] : PR_STR(""));
		if (copies[i].data == NULL)
			return PR_MISUSE;
	}
	if (copies == NULL)
		return PR_MISUSE;
	*(struct pr_list *)(void *)((char *)record + option->offset) = (struct pr_list){copies, count};
	*why_out = PR_NONE;
	return PR_OK;
}

bool pr_option_print(const struct pr_option *option, const void *record, struct pr_text *out)
{
	const struct type *type = type_of(option);

	return type != NULL && type->print((const char *)record + option->offset, out);
}
