/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The arguments of a map, as far as sendmail looks at them while it reads: flags, the name of a file, the members of a sequence, a
 * regular expression.  A table says what each class wants; what is not in it takes anything.
 */
#include "judge.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* The flags all maps of files have; *file_out is what stands behind them.  A strange one is told, and the map is there all the same. */
static void judge_flags(struct cf *cf, struct pr_str name, struct pr_str arguments, struct pr_str *file_out)
{
	struct cf_flag flag;

	while (cf_flag_take(&arguments, &flag)) {
		if (!cf_flag_is_of_files(flag.letter))
			cf_complain(cf, "Illegal option %c map %.*s", flag.letter, PR_PRINT(name));
		else if (flag.letter == 'd' && flag.value.len > 0)
			cf_judge_time(cf, flag.value, 'h');
	}
	cf_word_take(&arguments, file_out);
}

static bool judge_plain(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str file;

	(void)class_name;
	judge_flags(cf, name, arguments, &file);
	return true;
}

static bool judge_file(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str file;

	judge_flags(cf, name, arguments, &file);
	if (file.len > 0)
		return true;
	cf_complain(cf, "No file name for %.*s map %.*s", PR_PRINT(pr_arena_lower(&cf->arena, class_name)), PR_PRINT(name));
	return false;
}

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

/* A member is a name; dashes before it and whatever stands behind it are passed over. */
static bool take_member(struct pr_str *rest, struct pr_str *name_out)
{
	struct pr_str all = *rest;
	size_t start = 0, end;

	while (start < all.len && !is_name_byte(all.data[start]))
		start++;
	for (end = start; end < all.len && is_name_byte(all.data[end]);)
		end++;
	*name_out = pr_str_slice(all, start, end);
	*rest = pr_str_slice(all, end, all.len);
	return end > start;
}

static bool judge_sequence(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str word;

	(void)class_name;
	while (take_member(&arguments, &word))
		if (cf_map_find(cf, word) == NULL)
			cf_complain(cf, "Sequence map %.*s: unknown member map %.*s", PR_PRINT(name), PR_PRINT(word));
	return true;
}

struct pr_str cf_sequence_members(struct cf *cf, struct pr_str arguments)
{
	struct pr_text kept;
	struct pr_str word;

	pr_text_init(&kept, 2 * arguments.len + 100);
	while (take_member(&arguments, &word)) {
		const struct cf_map *member = cf_map_find(cf, word);
		if (member != NULL)
			pr_text_addf(&kept, "%s%.*s", kept.len > 0 ? " " : "", PR_PRINT(member->name));
	}
	struct pr_str result = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return result.data == NULL ? PR_STR("") : result;
}

static bool is_one_of(const char *const *words, struct pr_str word)
{
	for (; *words != NULL; words++)
		if (pr_str_equal_nocase(pr_str(*words), word))
			return true;
	return false;
}

static bool judge_dns(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	static const char *const types[] = { "A", "AAAA", "AFSDB", "CNAME", "MX", "NS", "PTR", "SRV", "TLSA", "TXT", NULL };
	struct pr_str type = PR_NONE;
	struct cf_flag flag;

	while (cf_flag_take_of(&arguments, class_name, &flag)) {
		if (flag.letter == 'd')
			cf_judge_time(cf, flag.value, 's');
		if (flag.letter != 'R')
			continue;
		type = flag.value;
		if (!is_one_of(types, type)) {
			cf_complain(cf, "dns map %.*s: wrong type %.*s", PR_PRINT(name), PR_PRINT(type));
			type = PR_NONE;
		}
	}
	if (type.data == NULL)
		cf_complain(cf, "dns map %.*s: missing -R type", PR_PRINT(name));
	return type.data != NULL;
}

static bool is_priority(struct pr_str value)
{
	static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL };

	return is_one_of(levels, pr_str_has_prefix_nocase(value, PR_STR("log_")) ? pr_str_slice(value, 4, value.len) : value);
}

static bool judge_syslog(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct cf_flag flag;
	bool is_good = true;

	(void)name;
	while (is_good && cf_flag_take_of(&arguments, class_name, &flag)) {
		if (flag.letter == '\0' || strchr("DLS", flag.letter) == NULL)
			cf_complain(cf, "Illegal option %c map syslog", flag.letter);
		is_good = flag.letter != 'L' || flag.value.len == 0 || is_priority(flag.value);
		if (!is_good)
			cf_complain(cf, "syslog_map_parseargs: Unknown priority %.*s", PR_PRINT(flag.value));
	}
	return is_good;
}

/* -s3,4: which parenthesised parts are the value. */
static bool judge_fields(struct cf *cf, struct pr_str fields, size_t parts)
{
	struct pr_str field;

	while (fields.len > 0 && pr_str_next(&fields, ',', &field)) {
		char *text = pr_copy_str(field);
		long number = strtol(text, NULL, 10);
		pr_free(text);
		if (number >= 0 && (size_t)number <= parts)
			continue;
		cf_complain(cf, "field (%ld) out of range, only %zu substrings in pattern", number, parts + 1);
		return false;
	}
	return true;
}

static bool judge_regex(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str fields = PR_STR("");
	int compile = REG_EXTENDED | REG_ICASE;
	struct cf_flag flag;
	char why[256];
	regex_t regex;

	(void)name;
	(void)class_name;
	while (cf_flag_take(&arguments, &flag)) {
		compile = flag.letter == 'b' ? compile & ~REG_EXTENDED : flag.letter == 'f' ? compile & ~REG_ICASE : compile;
		fields = flag.letter == 's' ? flag.value : fields;
	}
	char *pattern = pr_copy_str(arguments);
	int error = regcomp(&regex, pattern, compile);
	pr_free(pattern);
	if (error != 0) {
		regerror(error, &regex, why, sizeof why);
		cf_complain(cf, "pattern-compile-error: %s", why);
		return false;
	}
	bool is_good = judge_fields(cf, fields, regex.re_nsub);
	regfree(&regex);
	return is_good;
}

static bool judge_host(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct cf_flag flag;

	(void)name;
	(void)class_name;
	while (cf_flag_take(&arguments, &flag))
		if (flag.letter == 'd')
			cf_judge_time(cf, flag.value, 'h');
	return true;
}

static const struct class_row {
	const char *name;
	bool (*judge)(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments);
	bool can_alias;
} classes[] = {
	{ "arith", NULL, false }, { "arpa", NULL, false }, { "bestmx", judge_plain, false }, { "btree", judge_file, true },
	{ "dbm", judge_file, true }, { "dequote", NULL, false }, { "dns", judge_dns, false }, { "hash", judge_file, true },
	{ "host", judge_host, false }, { "implicit", judge_file, true }, { "ldap", NULL, true }, { "macro", NULL, false },
	{ "nis", judge_file, true }, { "nisplus", judge_file, true }, { "null", judge_plain, true }, { "program", judge_file, true },
	{ "regex", judge_regex, false }, { "sequence", judge_sequence, true }, { "socket", judge_file, true },
	{ "stab", judge_file, true }, { "switch", judge_file, true }, { "syslog", judge_syslog, false }, { "text", judge_file, true },
	{ "user", judge_plain, false }, { "userdb", judge_file, false },
};

static const struct class_row *find_class(struct pr_str name)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (pr_str_equal_nocase(pr_str(classes[i].name), name))
			return &classes[i];
	return NULL;
}

bool cf_judge_has_class(struct pr_str name)
{
	return find_class(name) != NULL;
}

bool cf_judge_map_file(struct pr_str class_name, struct pr_str arguments, struct pr_str *file_out, bool *is_optional_out)
{
	const struct class_row *row = find_class(class_name);
	struct cf_flag flag;

	*is_optional_out = false;
	*file_out = PR_STR("");
	while (cf_flag_take(&arguments, &flag))
		*is_optional_out = *is_optional_out || flag.letter == 'o';
	cf_word_take(&arguments, file_out);
	return row != NULL && row->judge == judge_file && file_out->len > 0;
}

bool cf_judge_map(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	const struct class_row *row = find_class(class_name);

	return row == NULL || row->judge == NULL || row->judge(cf, name, class_name, arguments);
}

/* Class of one alias file, "class:spec" or a file alone. */
static bool judge_alias(struct cf *cf, struct pr_str item, size_t number)
{
	size_t colon = pr_str_find(item, ':');
	struct pr_str class_name = pr_str_slice(item, 0, colon), name = pr_arena_printf(&cf->arena, "Alias%zu", number);

	if (colon == item.len || item.data[0] == '/' || item.data[0] == '-')
		return true;
	const struct class_row *row = find_class(class_name);
	if (row == NULL) {
		cf_complain(cf, "setalias: unknown alias class %.*s", PR_PRINT(class_name));
		return false;
	}
	if (!row->can_alias) {
		cf_complain(cf, "setalias: map class %.*s can't handle aliases", PR_PRINT(class_name));
		return false;
	}
	return cf_judge_map(cf, name, class_name, pr_str_slice(item, colon + 1, item.len));
}

struct pr_str cf_judge_aliases(struct cf *cf, struct pr_str value)
{
	struct pr_text kept;
	struct pr_str item;

	pr_text_init(&kept, value.len + 1);
	for (size_t number = 0; value.len > 0 && pr_str_next(&value, ',', &item);) {
		item = pr_str_trim(item);
		if (item.len == 0 || !judge_alias(cf, item, number++))
			continue;
		pr_text_add_c(&kept, kept.len > 0 ? "," : "");
		pr_text_add_str(&kept, item);
	}
	struct pr_str result = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return result;
}
