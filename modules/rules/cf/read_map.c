/* SPDX-License-Identifier: BSD-2-Clause
 *
 * K lines: a map is a name, a class and arguments.  The kernel makes an instance of the module with the name of the class; two classes
 * are answered here, because they are part of the language: `macro` sets macros of the running message, `arith` counts.
 */
#include "judge.h"

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c)
{
	return is_letter_or_digit(c) || c == '_' || c == '.';
}

static struct pr_str skip_blanks(struct pr_str rest)
{
	while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t' || rest.data[0] == '\n'))
		rest = pr_str_slice(rest, 1, rest.len);
	return rest;
}

struct cf_map *cf_map_add(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct cf_map *map = cf_map_find(cf, name);

	if (map == NULL) {
		if (cf->map_count == cf->map_room) {
			cf->map_room = cf->map_room == 0 ? 32 : cf->map_room * 2;
			cf->maps = pr_resize(cf->maps, cf->map_room * sizeof *cf->maps);
		}
		map = &cf->maps[cf->map_count++];
	}
	*map = (struct cf_map){ .name = pr_arena_copy(&cf->arena, name), .class_name = pr_arena_copy(&cf->arena, class_name),
		.arguments = pr_arena_copy(&cf->arena, arguments), .line = cf->current_line,
		.space = cf->alphabet.blank };
	if (pr_str_equal_nocase(class_name, PR_STR("macro")))
		map->kind = CF_MAP_MACRO;
	else if (pr_str_equal_nocase(class_name, PR_STR("arith")))
		map->kind = CF_MAP_ARITH;
	return map;
}

/* The flags that are about the key: -S gives what stands between two of its atoms, -q leaves its quotes. */
static void read_key_flags(struct cf_map *map)
{
	struct pr_str rest = map->arguments;
	struct cf_flag flag;

	map->keeps_quotes = pr_str_equal_nocase(map->class_name, PR_STR("dequote"));
	while (cf_flag_take_of(&rest, map->class_name, &flag)) {
		if (flag.letter == 'S')
			map->space = flag.value.len > 0 ? flag.value.data[0] : ' ';
		map->keeps_quotes = map->keeps_quotes || flag.letter == 'q';
	}
}

/* A sequence of nothing finds nothing. */
static void declare(struct cf *cf, const struct cf_map *map)
{
	bool is_sequence = pr_str_equal(map->class_name, PR_STR("sequence"));
	struct pr_str words = is_sequence ? cf_sequence_members(cf, map->arguments) : cf_map_words(cf, map->class_name, map->arguments);
	struct pr_declared *declared = cf_declare(cf, PR_DECLARED_MAP, map->name);

	declared->module = is_sequence && words.len == 0 ? PR_STR("null") : map->class_name;
	cf_declare_setting(cf, declared, "arguments", words);
}

void cf_read_map(struct cf *cf, struct pr_str line)
{
	struct pr_str rest = skip_blanks(cf_expand_text(cf, line));
	size_t end = 0;

	while (end < rest.len && is_name_byte(rest.data[end]))
		end++;
	struct pr_str name = pr_str_slice(rest, 0, end);
	if (end == 0) {
		cf_complain(cf, "readcf: config K line: no map name");
		return;
	}
	rest = skip_blanks(pr_str_slice(rest, end + 1, rest.len)); /* whatever stands there ends the name, and the class likewise */
	for (end = 0; end < rest.len && is_letter_or_digit(rest.data[end]);)
		end++;
	struct pr_str class_name = pr_arena_lower(&cf->arena, pr_str_slice(rest, 0, end)); /* classes are found in any case */
	rest = pr_str_trim(pr_str_slice(rest, end + 1, rest.len));
	if (class_name.len == 0) {
		cf_complain(cf, "readcf: config K line, map %.*s: no map class", PR_PRINT(name));
		return;
	}
	struct cf_map *map = cf_map_add(cf, name, class_name, rest);
	read_key_flags(map);
	if (!cf_judge_map(cf, name, class_name, rest) || map->kind != CF_MAP_OTHER)
		return;
	declare(cf, map);
}
