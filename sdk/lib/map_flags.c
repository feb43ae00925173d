/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flags of a K line by two tables, the module's and the shared one, and the finishing of values.
 * A value that needs no change is copied once, because rule engines ask for thousands a second.
 */
#include "ascii.h"
#include <postrider/mapflags.h>
#include <string.h>

#define SHARED(letter, kind, field) PR_MAP_FLAG(letter, kind, struct pr_map_flags, field)

static const struct pr_map_flag shared[] = {
    SHARED('a', PR_MAP_TEXT, append),
    SHARED('T', PR_MAP_TEXT, append_tempfail),
    SHARED('S', PR_MAP_BYTE, space),
    SHARED('f', PR_MAP_CLEAR, fold),
    SHARED('o', PR_MAP_SET, optional),
    SHARED('m', PR_MAP_SET, match_only),
    SHARED('t', PR_MAP_SET, never_defer),
    SHARED('D', PR_MAP_SET, not_deferred),
    SHARED('q', PR_MAP_SET, keep_quotes),
    {'A', PR_MAP_IGNORED, 0},
    {'d', PR_MAP_IGNORED, 0},
    {'k', PR_MAP_IGNORED, 0},
    {'l', PR_MAP_IGNORED, 0},
    {'v', PR_MAP_IGNORED, 0},
    {'z', PR_MAP_IGNORED, 0},
    PR_MAP_FLAG_END,
};

bool pr_map_word(struct pr_str *rest, struct pr_str *word_out)
{
	return pr_str_word(rest, " \t\r\n", word_out);
}

static const struct pr_map_flag *find(const struct pr_map_flag *table, char letter)
{
	for (; table != NULL && table->letter != 0; table++)
		if (table->letter == (unsigned char)letter)
			return table;
	return NULL;
}

/* \n and \t stand for themselves; any other byte after a backslash means the backslash. */
static struct pr_str one_byte(struct pr_str text)
{
	if (text.len == 0 || text.data[0] != '\\' || text.len < 2)
		return pr_str_slice(text, 0, 1);
	if (text.data[1] == 'n')
		return PR_STR("\n");
	return text.data[1] == 't' ? PR_STR("\t") : pr_str_slice(text, 0, 1);
}

static bool number(struct pr_str text, int64_t *number_out)
{
	uint64_t value = 0;
	bool negative = text.len > 0 && text.data[0] == '-';

	if (!pr_str_number(pr_str_slice(text, negative, text.len), INT64_MAX, &value))
		return false;
	*number_out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* `rest` begins behind the letter; on return behind what belongs to it.  False: the value makes no sense. */
static bool take_value(const struct pr_map_flag *flag, void *record, struct pr_str *rest, struct pr_str *word_out)
{
	void *field = (char *)record + flag->offset;
	struct pr_str before = *rest, word = PR_STR("");
	bool attached = rest->len > 0 && !ascii_is_space(rest->data[0]);

	if (attached || flag->kind == PR_MAP_WORD || flag->kind == PR_MAP_NUMBER)
		pr_map_word(rest, &word);
	*word_out = word;
	switch (flag->kind) {
	case PR_MAP_SET:
		*(uint32_t *)field = 1;
		return true;
	case PR_MAP_CLEAR:
		*(uint32_t *)field = 0;
		return true;
	case PR_MAP_TEXT:
	case PR_MAP_WORD:
		*(struct pr_str *)field = word.len > 0 ? word : PR_STR("");
		return true;
	case PR_MAP_NUMBER:
		return number(word, field);
	case PR_MAP_TIME:
		return pr_parse_time(word, 's', field);
	case PR_MAP_BYTE:
		*(struct pr_str *)field = one_byte(before);
		return true;
	default:
		return true;
	}
}

/* -N and -O are one choice; who says both finds nothing, as in sendmail. */
static bool take_nul(char letter, struct pr_str *rest, struct pr_map_flags *flags)
{
	struct pr_str word, mine = letter == 'N' ? PR_STR("always") : PR_STR("never");

	if (letter != 'N' && letter != 'O')
		return false;
	flags->nul = flags->nul.len == 0 || pr_str_equal(flags->nul, mine) ? mine : PR_STR("none");
	if (rest->len > 0 && !ascii_is_space(rest->data[0]))
		pr_map_word(rest, &word);
	return true;
}

static struct pr_str skip_space(struct pr_str text)
{
	while (text.len > 0 && ascii_is_space(text.data[0]))
		text = pr_str_slice(text, 1, text.len);
	return text;
}

static enum pr_status check_options(struct pr_call *call, const struct pr_map_flags *flags)
{
	if (flags->space.len > 1)
		return pr_fail(call, PR_MISUSE, "space: \"%.*s\" is more than one character", PR_PRINT(flags->space));
	if (flags->nul.len > 0 && !pr_str_equal(flags->nul, PR_STR("always")) && !pr_str_equal(flags->nul, PR_STR("never")) &&
	    !pr_str_equal(flags->nul, PR_STR("none")))
		return pr_fail(call, PR_MISUSE, "nul: \"%.*s\" is neither always, never nor none", PR_PRINT(flags->nul));
	return PR_OK;
}

enum pr_status pr_map_flags_parse(struct pr_call *call, const struct pr_map_flag *own, void *record, struct pr_map_flags *flags)
{
	struct pr_str rest = skip_space(flags->arguments), value;

	if (flags->arguments.data == NULL)
		return check_options(call, flags);
	while (rest.len > 1 && rest.data[0] == '-') {
		char letter = rest.data[1];
		const struct pr_map_flag *mine = find(own, letter), *flag = mine != NULL ? mine : find(shared, letter);
		rest = pr_str_slice(rest, 2, rest.len);
		if (flag == NULL && take_nul(letter, &rest, flags)) {
			rest = skip_space(rest);
			continue;
		}
		if (flag == NULL)
			return pr_fail(call, PR_MISUSE, "Illegal option %c", letter);
		if (!take_value(flag, mine != NULL ? record : (void *)flags, &rest, &value))
			return pr_fail(call, PR_MISUSE, "-%c: \"%.*s\" is no %s", letter, PR_PRINT(value), flag->kind == PR_MAP_TIME ? "time" : "number");
		rest = skip_space(rest);
	}
	flags->words = pr_str_trim(rest);
	return check_options(call, flags);
}

bool pr_map_is_deferred(struct pr_call *call, const struct pr_map_flags *flags)
{
	if (!flags->not_deferred)
		return false;
	struct pr_str mode = call->host->macro(call, PR_STR("deliveryMode"));
	if (mode.len == 0)
		mode = call->host->option(call, PR_STR("DeliveryMode"));
	return mode.len > 0 && ascii_lower(mode.data[0]) == 'd';
}

struct pr_str pr_map_fold(struct pr_call *call, const struct pr_map_flags *flags, struct pr_str key)
{
	return flags->fold ? pr_arena_lower(call->arena, key) : pr_arena_copy(call->arena, key);
}

/* finishing ------------------------------------------------------------- */

/* What stands for the two bytes at `at` ("%1"): true, with the text; false: they are not special. */
static bool replacement(struct pr_str raw, size_t at, struct pr_str key, const struct pr_list *args, struct pr_str *text_out)
{
	char what = at + 1 < raw.len ? raw.data[at + 1] : '\0';

	*text_out = PR_STR("");
	if (what == '%')
		*text_out = PR_STR("%");
	else if (what == '0')
		*text_out = key;
	else if (!ascii_is_digit(what))
		return false;
	else if ((size_t)(what - '0') <= args->count)
		*text_out = args->items[what - '1'];
	return true;
}

/* Writes to `out` unless it is NULL; returns the length. */
static size_t substitute(struct pr_str raw, struct pr_str key, const struct pr_list *args, char *out)
{
	size_t length = 0;
	struct pr_str piece;

	for (size_t at = 0; at < raw.len;) {
		bool special = raw.data[at] == '%' && replacement(raw, at, key, args, &piece);
		if (!special)
			piece = pr_str_slice(raw, at, at + 1);
		if (out != NULL && piece.len > 0)
			memcpy(out + length, piece.data, piece.len);
		length += piece.len;
		at += special ? 2 : 1;
	}
	return length;
}

static enum pr_status give(struct pr_call *call, struct pr_str value, struct pr_str *value_out)
{
	if (value.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the value");
	*value_out = value;
	return PR_OK;
}

static enum pr_status join(struct pr_call *call, struct pr_str front, struct pr_str back, struct pr_str *value_out)
{
	char *bytes = pr_arena_alloc(call->arena, front.len + back.len + 1);

	if (bytes == NULL)
		return give(call, PR_NONE, value_out);
	if (front.len > 0)
		memcpy(bytes, front.data, front.len);
	if (back.len > 0)
		memcpy(bytes + front.len, back.data, back.len);
	return give(call, (struct pr_str){bytes, front.len + back.len}, value_out);
}

static enum pr_status finish(struct pr_call *call, const struct pr_map_flags *flags, struct pr_str key, const struct pr_list *args,
    struct pr_str raw, struct pr_str *value_out)
{
	if (flags->match_only)
		return join(call, key, flags->append, value_out);
	if (args == NULL || raw.len == 0 || memchr(raw.data, '%', raw.len) == NULL)
		return flags->append.len > 0 ? join(call, raw, flags->append, value_out)
		                             : give(call, pr_arena_copy(call->arena, raw.len > 0 ? raw : PR_STR("")), value_out);
	size_t length = substitute(raw, key, args, NULL);
	char *bytes = pr_arena_alloc(call->arena, length + flags->append.len + 1);
	if (bytes == NULL)
		return give(call, PR_NONE, value_out);
	substitute(raw, key, args, bytes);
	if (flags->append.len > 0)
		memcpy(bytes + length, flags->append.data, flags->append.len);
	return give(call, (struct pr_str){bytes, length + flags->append.len}, value_out);
}

enum pr_status pr_map_answer(struct pr_call *call, const struct pr_map_flags *flags, enum pr_status status, struct pr_str key,
    const struct pr_list *args, struct pr_str raw, struct pr_str *value_out)
{
	if (status == PR_OK) {
		call->reason = PR_NONE; /* of what was tried before it was found */
		return finish(call, flags, key, args, raw, value_out);
	}
	if (status != PR_TEMPFAIL)
		return status;
	if (flags->append_tempfail.data != NULL)
		return join(call, key, flags->append_tempfail, value_out);
	return flags->never_defer ? PR_NOTFOUND : PR_TEMPFAIL;
}
