/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "procmail -Y -a $h -d $u" to the words of a program.  The template is split before anything is put in, so a blank in an address stays
 * inside its word; a word that is all macro must not look like an option.
 */
#include "prog.h"

#include <postrider/address.h>

#include <string.h>

#define WORD_MAX 4096

/* "$u" or "${client_addr}" at the front; how many bytes it takes, 0: none is there. */
static size_t macro_at(struct pr_str text, struct pr_str *name_out)
{
	if (text.len < 2 || text.data[0] != '$')
		return 0;
	if (text.data[1] != '{') {
		*name_out = pr_str_slice(text, 1, 2);
		return 2;
	}
	size_t end = pr_str_find(text, '}');
	*name_out = pr_str_slice(text, 2, end);
	return end < text.len ? end + 1 : 0;
}

static bool names_user(struct pr_str word)
{
	struct pr_str name;

	for (size_t i = 0; i < word.len; i++)
		if (macro_at(pr_str_slice(word, i, word.len), &name) > 0 && pr_str_equal(name, PR_STR("u")))
			return true;
	return false;
}

bool prog_has_user(struct pr_str argv)
{
	return names_user(argv);
}

static struct pr_str without_quotes(struct pr_call *call, struct pr_str text)
{
	struct pr_text out;

	pr_text_init(&out, WORD_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			pr_text_add_byte(&out, text.data[++i]);
		else if (text.data[i] != '"')
			pr_text_add_byte(&out, text.data[i]);
	}
	struct pr_str copy = pr_arena_copy(call->arena, pr_text_str(&out));
	pr_text_fini(&out);
	return copy;
}

static struct pr_str user_of(const struct prog_words *context, size_t index)
{
	struct pr_str user = context->deliveries[index].user;

	if (user.len > 0 && user.data[0] == '|')
		user = pr_str_slice(user, 1, user.len);
	return context->strip_quotes ? without_quotes(context->call, user) : user;
}

static struct pr_str value_of(const struct prog_words *context, struct pr_str name, size_t index)
{
	struct pr_str sender = pr_address_inner(context->envelope->sender);

	if (pr_str_equal(name, PR_STR("u")))
		return user_of(context, index);
	if (pr_str_equal(name, PR_STR("h")))
		return context->destination->host;
	if (pr_str_equal(name, PR_STR("g")) || pr_str_equal(name, PR_STR("f")))
		return sender.len > 0 ? sender : PR_STR("MAILER-DAEMON");
	return context->call->host->macro(context->call, name);
}

static struct pr_str expand(const struct prog_words *context, struct pr_str word, size_t index)
{
	struct pr_text out;
	struct pr_str name;

	pr_text_init(&out, WORD_MAX);
	for (size_t i = 0; i < word.len;) {
		size_t taken = macro_at(pr_str_slice(word, i, word.len), &name);
		if (taken > 0)
			pr_text_add_str(&out, value_of(context, name, index));
		else
			pr_text_add_byte(&out, word.data[i]);
		i += taken > 0 ? taken : 1;
	}
	struct pr_str copy = out.overflow ? PR_NONE : pr_arena_copy(context->call->arena, pr_text_str(&out));
	pr_text_fini(&out);
	return copy;
}

static enum pr_status add(const struct prog_words *context, struct pr_str template, size_t index, struct pr_str *words, size_t *count)
{
	struct pr_call *call = context->call;

	if (*count == PROG_WORDS_MAX)
		return pr_fail(call, PR_PERMFAIL, "the program would get more than %d arguments", PROG_WORDS_MAX);
	struct pr_str word = expand(context, template, index);
	if (word.data == NULL || memchr(word.data, '\0', word.len) != NULL)
		return pr_fail(call, PR_PERMFAIL, "an argument of the program is too long or holds NUL");
	if (*count > 0 && template.data[0] == '$' && word.len > 0 && word.data[0] == '-')
		return pr_fail(call, PR_PERMFAIL, "\"%.*s\" would be an option of the program", PR_PRINT(word));
	words[(*count)++] = word;
	return PR_OK;
}

static enum pr_status add_sender(const struct prog_words *context, struct pr_str flag, struct pr_str *words, size_t *count)
{
	enum pr_status status = add(context, flag, 0, words, count);

	return status == PR_OK ? add(context, PR_STR("$g"), 0, words, count) : status;
}

enum pr_status prog_words(const struct prog_words *context, const struct prog *prog, struct pr_list *argv_out)
{
	struct pr_str *words = pr_arena_alloc(context->call->arena, PROG_WORDS_MAX * sizeof *words);
	struct pr_str rest = prog->argv, word;
	enum pr_status status = words != NULL ? PR_OK : pr_fail(context->call, PR_TEMPFAIL, "no memory left for arguments");
	size_t count = 0;

	while (status == PR_OK && pr_str_word(&rest, " \t\n", &word)) {
		bool first = count == 0;
		size_t times = names_user(word) ? context->count : 1;
		for (size_t i = 0; status == PR_OK && i < times; i++)
			status = add(context, word, i, words, &count);
		if (status == PR_OK && first && prog->sender_flag.len > 0)
			status = add_sender(context, prog->sender_flag, words, &count);
	}
	/* execve wants the path; its name for itself is what the template says, which is mostly the same */
	if (status == PR_OK && count > 0)
		words[0] = prog->path;
	*argv_out = (struct pr_list){words, count};
	return status;
}

struct pr_str prog_account(struct pr_str user)
{
	size_t plus = pr_str_find(user, '+');

	return plus > 0 ? pr_str_slice(user, 0, plus) : user;
}
