/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flags of a map as sendmail reads them.  A letter that a class does not know is told by some classes and passed over by others, and the
 * map is there all the same; modules refuse what they do not know.  So a module gets only the words that mean something, a table says which.
 */
#include "judge.h"

#include <string.h>

static const char files[] = "adfkmoqtvzADNOST";

static const struct class_flags {
	const char *name;
	const char *letters;   /* all that mean something; NULL: its module knows */
	const char *with_word; /* their value may be the next word */
	bool is_first_only;    /* sendmail reads one flag, and is done */
} classes[] = {
	{ "arpa", "aD", "kv", true }, { "dequote", "aDsS", "kv", true }, { "dns", "aABDNORSTZdfkmoqrtvz", "BRZkrv", false },
	{ "host", "aADNOSTdfkmoqrtvz", "kv", false }, { "ldap", NULL, "kv", false }, { "regex", "aADNOSTbdfkmnoqstvz", "kv", false },
	{ "syslog", "DLS", "Lkv", false }, { "user", "aADNOSTdkmoqtvz", "kv", false },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static const struct class_flags *find(struct pr_str name)
{
	static const struct class_flags of_files = { "", files, "kv", false }, foreign = { "", NULL, "", false };

	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (pr_str_equal_nocase(pr_str(classes[i].name), name))
			return &classes[i];
	return cf_judge_has_class(name) ? &of_files : &foreign;
}

static bool take(struct pr_str *rest, const char *with_word, struct cf_flag *flag_out)
{
	struct pr_str all = *rest, word;
	size_t start = 0;

	while (start < all.len && is_blank(all.data[start]))
		start++;
	if (start >= all.len || all.data[start] != '-')
		return false;
	*rest = pr_str_slice(all, start, all.len);
	cf_word_take(rest, &word);
	*flag_out = (struct cf_flag){ .letter = word.len > 1 ? word.data[1] : '\0', .value = pr_str_slice(word, 2, word.len) };
	if (flag_out->value.len == 0 && flag_out->letter != '\0' && strchr(with_word, flag_out->letter) != NULL && cf_word_take(rest, &word))
		flag_out->value = word;
	return true;
}

bool cf_flag_take_of(struct pr_str *rest, struct pr_str class_name, struct cf_flag *flag_out)
{
	return take(rest, find(class_name)->with_word, flag_out);
}

bool cf_flag_take(struct pr_str *rest, struct cf_flag *flag_out)
{
	return take(rest, "kv", flag_out);
}

bool cf_word_take(struct pr_str *rest, struct pr_str *word_out)
{
	return pr_str_word(rest, " \t\n", word_out);
}

bool cf_flag_is_of_files(char letter)
{
	return letter != '\0' && strchr(files, letter) != NULL;
}

/* A time that is none has been told, or is passed over. */
static bool means_something(const struct class_flags *class_flags, const struct cf_flag *flag)
{
	bool is_regex = strcmp(class_flags->name, "regex") == 0;
	int64_t seconds;

	if (flag->letter == '\0' || strchr(class_flags->letters, flag->letter) == NULL)
		return false;
	if (flag->letter == 'd' && !is_regex && class_flags->name[0] != '\0')
		return flag->value.len > 0 && pr_parse_time(flag->value, 's', &seconds);
	return true;
}

/* In one word: so a module for which the letter means nothing does not take its value for the file. */
static void add(struct pr_text *out, const struct cf_flag *flag, bool has_value)
{
	char letter = flag->letter == 'S' && has_value ? 's' : flag->letter;

	pr_text_addf(out, "%s-%c%.*s", out->len > 0 ? " " : "", letter, PR_PRINT(flag->value));
}

struct pr_str cf_map_words(struct cf *cf, struct pr_str class_name, struct pr_str arguments)
{
	const struct class_flags *class_flags = find(class_name);
	bool is_dequote = strcmp(class_flags->name, "dequote") == 0, is_done = false;
	struct cf_flag flag;
	struct pr_text kept;

	pr_text_init(&kept, 2 * arguments.len + 100);
	while (class_flags->letters != NULL && take(&arguments, class_flags->with_word, &flag)) {
		if (!is_done && means_something(class_flags, &flag))
			add(&kept, &flag, is_dequote);
		is_done = class_flags->is_first_only;
	}
	pr_text_addf(&kept, "%s%.*s", kept.len > 0 ? " " : "", PR_PRINT(pr_str_trim(arguments)));
	struct pr_str result = pr_arena_copy(&cf->arena, pr_str_trim(pr_text_str(&kept)));
	pr_text_fini(&kept);
	return result.data == NULL ? PR_STR("") : result;
}
