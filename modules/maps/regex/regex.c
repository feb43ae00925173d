/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A regular expression of POSIX as a map: what matches is found.
 * The value is empty, the matched parts that -s chose, or the key itself; the expression is compiled once and used by all threads.  Where -s
 * chose any, who asks may choose others: the first argument, $(map key $@ 2,1 $).
 */
#include <postrider/mapflags.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 20 /* as sendmail's table; the whole is part 0 */

struct choice {
	uint32_t parts[PARTS_MAX];
	uint32_t count;
};

struct regex_map {
	struct pr_map_flags flags;
	struct pr_str pattern, separator, parts;
	uint32_t negate, basic;
	struct choice chosen;
	uint32_t is_compiled;
	regex_t compiled;
};

/* What is no number is 0, the whole. */
static enum pr_status add_part(struct pr_call *call, struct pr_str word, struct choice *choice)
{
	const struct regex_map *map = call->instance;
	const char *text = pr_arena_copy(call->arena, word).data;
	size_t most = map->compiled.re_nsub + 1;
	long number = text == NULL ? 0 : strtol(text, NULL, 10);

	if (number < 0 || (size_t)number >= most || number >= PARTS_MAX)
		return pr_fail(call, PR_MISUSE, "field (%ld) out of range, only %zu substrings in pattern", number, most);
	if (choice->count >= PARTS_MAX)
		return pr_fail(call, PR_MISUSE, "too many fields, %d max", PARTS_MAX);
	choice->parts[choice->count++] = (uint32_t)number;
	return PR_OK;
}

/* "1,3,4" */
static enum pr_status read_parts(struct pr_call *call, struct pr_str rest, struct choice *choice)
{
	struct pr_str word;
	enum pr_status status = PR_OK;

	while (status == PR_OK && pr_str_next(&rest, ',', &word))
		status = add_part(call, word, choice);
	return status;
}

/* -s; without any: all of them. */
static enum pr_status choose_parts(struct pr_call *call)
{
	struct regex_map *map = call->instance;

	if (map->parts.data != NULL && map->parts.len == 0)
		for (uint32_t i = 0; i <= map->compiled.re_nsub && i < PARTS_MAX; i++)
			map->chosen.parts[map->chosen.count++] = i;
	return map->parts.len > 0 ? read_parts(call, map->parts, &map->chosen) : PR_OK;
}

/* Those of whoever asks; a choice that cannot be met finds nothing. */
static enum pr_status choose_asked(struct pr_call *call, const struct pr_list *args, struct choice *choice)
{
	const struct regex_map *map = call->instance;

	*choice = map->chosen;
	if (map->parts.data == NULL || args == NULL || args->count == 0)
		return PR_OK;
	choice->count = 0;
	if (args->items[0].len == 0)
		return add_part(call, PR_STR("0"), choice);
	enum pr_status status = read_parts(call, args->items[0], choice);
	if (status != PR_OK)
		call->reason = PR_NONE;
	return status == PR_OK ? PR_OK : PR_NOTFOUND;
}

static enum pr_status compile(struct pr_call *call)
{
	struct regex_map *map = call->instance;
	struct pr_str pattern = pr_arena_copy(call->arena, map->pattern);
	char why[200];
	int flags = (map->flags.fold ? REG_ICASE : 0) | (map->basic ? 0 : REG_EXTENDED) | (map->parts.data == NULL ? REG_NOSUB : 0);

	if (pattern.data == NULL || memchr(pattern.data, '\0', pattern.len) != NULL)
		return pr_fail(call, PR_MISUSE, "the pattern has a NUL byte");
	int error = regcomp(&map->compiled, pattern.data, flags);
	if (error != 0) {
		regerror(error, &map->compiled, why, sizeof why);
		return pr_fail(call, PR_MISUSE, "pattern-compile-error: %s", why);
	}
	map->is_compiled = 1;
	return choose_parts(call);
}

static void close_map(struct pr_call *call)
{
	struct regex_map *map = call->instance;

	if (map->is_compiled)
		regfree(&map->compiled);
	map->is_compiled = 0;
	map->chosen.count = 0;
}

static const struct pr_map_flag letters[] = {
	PR_MAP_FLAG('n', PR_MAP_SET, struct regex_map, negate),
	PR_MAP_FLAG('b', PR_MAP_SET, struct regex_map, basic),
	PR_MAP_FLAG('s', PR_MAP_TEXT, struct regex_map, parts),
	PR_MAP_FLAG('d', PR_MAP_TEXT, struct regex_map, separator),
	PR_MAP_FLAG_END
};

/* Compiles to see that it can be done; open() does it for good. */
static enum pr_status check(struct pr_call *call)
{
	struct regex_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (status != PR_OK)
		return status;
	if (map->pattern.data == NULL)
		map->pattern = map->flags.words;
	if (map->pattern.len == 0)
		return pr_fail(call, PR_MISUSE, "pattern: the regular expression is missing");
	if (map->separator.data == NULL)
		map->separator = PR_STR(PR_MAP_SEPARATOR);
	status = compile(call);
	close_map(call);
	return status;
}

static enum pr_status open_map(struct pr_call *call)
{
	enum pr_status status = compile(call);

	if (status != PR_OK)
		close_map(call);
	return status;
}

/* The chosen parts with the separator between; a part that took no part in the match is empty. */
static bool join_parts(const struct regex_map *map, const struct choice *choice, struct pr_str key, const regmatch_t *matches, struct pr_text *out)
{
	for (uint32_t i = 0; i < choice->count; i++) {
		const regmatch_t *match = &matches[choice->parts[i]];
		if (i > 0)
			pr_text_add_str(out, map->separator);
		if (match->rm_so >= 0)
			pr_text_add_str(out, pr_str_slice(key, (size_t)match->rm_so, (size_t)match->rm_eo));
	}
	return !out->overflow;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct regex_map *map = call->instance;
	struct pr_str text = pr_arena_copy(call->arena, key);
	regmatch_t matches[PARTS_MAX];
	struct choice choice;
	struct pr_text value;

	if (pr_map_is_deferred(call, &map->flags) || memchr(key.data, '\0', key.len) != NULL)
		return PR_NOTFOUND;
	if (text.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	bool matched = regexec(&map->compiled, text.data, map->parts.data != NULL ? PARTS_MAX : 0, matches, 0) == 0;
	if (matched == (map->negate != 0))
		return PR_NOTFOUND;
	enum pr_status status = choose_asked(call, args, &choice);
	if (status != PR_OK)
		return status;
	pr_text_init(&value, 65536);
	if (matched && !join_parts(map, &choice, key, matches, &value))
		status = pr_fail(call, PR_TEMPFAIL, "the parts are too long");
	else
		status = pr_map_answer(call, &map->flags, PR_OK, key, NULL, pr_text_str(&value), value_out);
	pr_text_fini(&value);
	return status;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct regex_map, flags),
	PR_OPTION(struct regex_map, pattern, "pattern", PR_OPTION_STRING, 0, NULL, "the regular expression"),
	PR_OPTION(struct regex_map, parts, "parts", PR_OPTION_STRING, 0, NULL, "which parts are the value, \"1,3\"; empty: all (-s)"),
	PR_OPTION(struct regex_map, separator, "separator", PR_OPTION_STRING, 0, NULL, "between them; else what rules show as $| (-d)"),
	PR_OPTION(struct regex_map, negate, "negate", PR_OPTION_BOOL, 0, "false", "what does not match is found (-n)"),
	PR_OPTION(struct regex_map, basic, "basic", PR_OPTION_BOOL, 0, "false", "basic instead of extended expressions (-b)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(regex) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct regex_map), .name = "regex",
	.version = "1.0", .summary = "a regular expression", .options = options, .check = check, .open = open_map, .close = close_map, .ops = &ops };
