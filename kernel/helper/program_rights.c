/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A mailer that is a program, run as the user the mail is for.  The courier could ask for anything; so the whole command line is compared with
 * what the master was told when the generation began, and only the words that the configuration leaves open may be the courier's.  The root directory
 * is never one of them: whoever chose it would choose the program.
 */
#include "kernel/helper/helper.h"

#include <postrider/address.h>
#include <postrider/file.h>

#include <string.h>

#define WORDS_ARENA 65536

/* An open word that is all macro may not become an option. */
static bool fits(struct pr_str template, struct pr_str word)
{
	if (pr_str_find(template, '$') == template.len)
		return pr_str_equal(template, word);
	return template.data[0] != '$' || word.len == 0 || word.data[0] != '-';
}

static bool is_root(struct pr_str field, struct pr_str root)
{
	return root.len == 0 ? pr_str_equal(field, PR_STR("-")) : pr_str_equal(field, root);
}

static bool is_program(const char *text, const struct helper_request *request, struct pr_arena *arena)
{
	const struct pr_list *argv = &request->argv;
	struct pr_str rest = pr_str(text), field, word;
	size_t at = 0;

	if (!pr_str_next(&rest, ' ', &field) || argv->count == 0 || !pr_str_equal(field, argv->items[0]))
		return false;
	if (!pr_str_next(&rest, ' ', &field) || !is_root(field, request->root))
		return false;
	if (!pr_str_next(&rest, ' ', &field)) /* its name for itself */
		return false;
	for (at = 1; pr_str_next(&rest, ' ', &field); at++)
		if (at >= argv->count || !pr_xtext_decode(field, arena, &word) || !fits(word, argv->items[at]))
			return false;
	return at == argv->count;
}

/* The file that will be run, which stands below the root directory. */
static bool is_in_safe_hands(const struct helper_request *request, struct pr_arena *arena, struct pr_text *why)
{
	struct pr_str path = pr_arena_printf(arena, "%.*s%.*s", PR_PRINT(request->root), PR_PRINT(request->argv.items[0]));

	return path.data != NULL && pr_file_is_trusted(path.data, 0, why);
}

bool helper_may_run(const struct helper_rights *rights, const struct helper_request *request, struct pr_text *why)
{
	struct pr_arena arena;
	bool known = false;

	pr_arena_init(&arena, WORDS_ARENA);
	for (size_t i = 0; i < rights->program_count && !known; i++)
		known = is_program(rights->programs[i], request, &arena);
	if (!known)
		pr_text_addf(why, "%.*s, as it was asked for, is no program of a mailer", PR_PRINT(request->argv.count > 0 ? request->argv.items[0] : PR_STR("nothing")));
	else
		known = is_in_safe_hands(request, &arena, why);
	pr_arena_fini(&arena);
	return known;
}
