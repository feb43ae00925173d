/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The arguments of a map, as far as sendmail looks at them while it reads: flags, the name of a file, the members of a sequence, a
 * regular expression.  A table says what each class wants; what is not in it takes anything.
 */
#include "judge.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const char flags[] = "adfkmoqtvzADNOST";
static const char flags_with_word[] = "kv"; /* their value may be the next word */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct pr_str skip_blanks(struct pr_str rest)
{
	while (rest.len > 0 && is_blank(rest.data[0]))
		rest = pr_str_slice(rest, 1, rest.len);
	return rest;
}

static struct pr_str take_word(struct pr_str *rest)
{
	size_t end = 0;

	*rest = skip_blanks(*rest);
	while (end < rest->len && !is_blank(rest->data[end]))
		end++;
	struct pr_str word = pr_str_slice(*rest, 0, end);
	*rest = pr_str_slice(*rest, end, rest->len);
	return word;
}

/* Takes the next flag; false: what follows is no flag. */
static bool take_flag(struct pr_str *rest, char *letter_out, struct pr_str *value_out)
{
	*rest = skip_blanks(*rest);
	if (rest->len == 0 || rest->data[0] != '-')
		return false;
	struct pr_str word = take_word(rest);
	*letter_out = word.len > 1 ? word.data[1] : '\0';
	*value_out = pr_str_slice(word, 2, word.len);
	return true;
}

/* The flags all maps of files have; *file_out is what stands behind them. */
static bool judge_flags(struct cf *cf, struct pr_str name, struct pr_str arguments, struct pr_str *file_out)
{
	struct pr_str value;
	bool is_good = true;
	char letter;

	while (take_flag(&arguments, &letter, &value)) {
		if (letter == '\0' || strchr(flags, letter) == NULL) {
			cf_complain(cf, "Illegal option %c map %.*s", letter, PR_PRINT(name));
			is_good = false;
		} else if (letter == 'd' && value.len > 0) {
			cf_judge_time(cf, value, 'h');
		} else if (strchr(flags_with_word, letter) != NULL && value.len == 0) {
			take_word(&arguments);
		}
	}
	*file_out = take_word(&arguments);
	return is_good;
}

static bool judge_plain(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str file;

	(void)class_name;
	return judge_flags(cf, name, arguments, &file);
}

static bool judge_file(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str file;
	bool is_good = judge_flags(cf, name, arguments, &file);

	if (is_good && file.len == 0) {
		char *lower = pr_copy_str(class_name);
		for (char *c = lower; *c != '\0'; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
		cf_complain(cf, "No file name for %s map %.*s", lower, PR_PRINT(name));
		pr_free(lower);
		return false;
	}
	return is_good;
}

static bool judge_sequence(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	struct pr_str word;
	bool is_good = true;

	(void)class_name;
	while ((word = take_word(&arguments)).len > 0) {
		while (word.len > 0 && word.data[0] == '-')
			word = pr_str_slice(word, 1, word.len);
		if (cf_map_find(cf, word) != NULL)
			continue;
		cf_complain(cf, "Sequence map %.*s: unknown member map %.*s", PR_PRINT(name), PR_PRINT(word));
		is_good = false;
	}
	return is_good;
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
	struct pr_str value, type = PR_NONE;
	char letter;

	(void)class_name;
	while (take_flag(&arguments, &letter, &value)) {
		if (letter == 'd')
			cf_judge_time(cf, value, 's');
		if (letter != 'R')
			continue;
		type = value.len > 0 ? value : take_word(&arguments);
		if (!is_one_of(types, type)) {
			cf_complain(cf, "dns map %.*s: wrong type %.*s", PR_PRINT(name), PR_PRINT(type));
			type = PR_NONE;
		}
	}
	if (type.data == NULL)
		cf_complain(cf, "dns map %.*s: missing -R type", PR_PRINT(name));
	return type.data != NULL;
}

static bool judge_syslog(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments)
{
	static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL };
	struct pr_str value;
	char letter;

	(void)name;
	(void)class_name;
	while (take_flag(&arguments, &letter, &value)) {
		struct pr_str bare = pr_str_has_prefix_nocase(value, PR_STR("log_")) ? pr_str_slice(value, 4, value.len) : value;
		if (letter != 'L' || value.len == 0 || is_one_of(levels, bare))
			continue;
		cf_complain(cf, "syslog_map_parseargs: Unknown priority %.*s", PR_PRINT(value));
		return false;
	}
	return true;
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
	struct pr_str value, fields = PR_STR("");
	int compile = REG_EXTENDED | REG_ICASE;
	char letter, why[256];
	regex_t regex;

	(void)name;
	(void)class_name;
	while (take_flag(&arguments, &letter, &value)) {
		compile = letter == 'b' ? compile & ~REG_EXTENDED : letter == 'f' ? compile & ~REG_ICASE : compile;
		fields = letter == 's' ? value : fields;
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
	struct pr_str value;
	char letter;

	(void)name;
	(void)class_name;
	while (take_flag(&arguments, &letter, &value))
		if (letter == 'd')
			cf_judge_time(cf, value, 'h');
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
	struct pr_str value;
	char letter;

	*is_optional_out = false;
	while (take_flag(&arguments, &letter, &value)) {
		*is_optional_out = *is_optional_out || letter == 'o';
		if (letter != '\0' && strchr(flags_with_word, letter) != NULL && value.len == 0)
			take_word(&arguments);
	}
	*file_out = take_word(&arguments);
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
