/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -d in the test mode: a table of the categories that show something here.  21 shows rules and sets (rewrite.c), 22 how text is cut into tokens,
 * 60 what maps are asked; other categories are taken and show nothing.
 */
#include "console.h"

#include <postrider/mapflags.h>

#include <stddef.h>

enum { CUT_TEXT = 11, CUT_TOKENS = 12, CUT_EACH = 36, CUT_NOTHING = 1, ASK_MAP = 1, ASK_ARGUMENTS = 5 };

static const struct {
	uint64_t number;
	size_t level; /* where it is kept in struct cf */
} categories[] = { { 21, offsetof(struct cf, tracing) }, { 22, offsetof(struct cf, tracing_cuts) }, { 60, offsetof(struct cf, tracing_maps) } };

/* "21.12", "21", "0-99.12" */
static void set_levels(struct cf *cf, struct pr_str part)
{
	size_t dot = pr_str_find(part, '.'), dash = pr_str_find(part, '-');
	uint64_t first = 0, last, level = 1;

	pr_str_number(pr_str_slice(part, 0, dash < dot ? dash : dot), 1000, &first);
	last = first;
	if (dash < dot)
		pr_str_number(pr_str_slice(part, dash + 1, dot), 1000, &last);
	if (dot < part.len)
		pr_str_number(pr_str_slice(part, dot + 1, part.len), 1000, &level);
	for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
		if (first <= categories[i].number && categories[i].number <= last)
			*(uint32_t *)(void *)((char *)cf + categories[i].level) = (uint32_t)level;
}

void cf_console_debug(struct cf_run *run, struct pr_str line)
{
	struct pr_str rest = pr_str_slice(line, 2, line.len), part;

	if (line.len < 2) {
		pr_text_add_c(run->trace, "Usage: -d{debug arguments}\n");
		return;
	}
	if (line.data[1] != 'd') {
		pr_text_addf(run->trace, "Unknown \"-\" command %.*s\n", PR_PRINT(line));
		return;
	}
	while (rest.len > 0 && pr_str_next(&rest, ',', &part))
		set_levels(run->cf, part);
}

/* 22 -------------------------------------------------------------------- */

static void show_each(struct cf_run *run, const struct cf_token *tokens, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		pr_text_add_c(run->trace, "tok=");
		cf_show(&run->cf->names, &tokens[i], 1, run->trace);
		pr_text_add_byte(run->trace, '\n');
	}
}

bool cf_scan_shown(struct cf_run *run, struct cf_scan *scan, struct cf_tokens *out)
{
	uint32_t level = run->trace == NULL ? 0 : run->cf->tracing_cuts, before = out->count;

	if (level >= CUT_TEXT)
		pr_text_addf(run->trace, "prescan: %.*s\n", PR_PRINT(scan->text));
	bool good = cf_scan(scan, out);
	if (level >= CUT_EACH)
		show_each(run, out->at + before, out->count - before);
	if (level >= CUT_NOTHING && out->count == before)
		pr_text_add_c(run->trace, "prescan: null leading token\n");
	else if (level >= CUT_TOKENS) {
		pr_text_add_c(run->trace, "prescan==> ");
		cf_show(&run->cf->names, out->at + before, out->count - before, run->trace);
		pr_text_add_byte(run->trace, '\n');
	}
	return good;
}

/* 60 -------------------------------------------------------------------- */

static void show_question(struct cf_run *run, struct pr_str name, struct pr_str key, const struct pr_list *arguments, uint32_t level)
{
	pr_text_addf(run->trace, "map_lookup(%.*s, %.*s", PR_PRINT(name), PR_PRINT(key));
	if (level >= ASK_ARGUMENTS)
		pr_text_addf(run->trace, ", %%0=%.*s", PR_PRINT(key));
	for (size_t i = 0; level >= ASK_ARGUMENTS && i < arguments->count; i++)
		pr_text_addf(run->trace, ", %%%zu=%.*s", i + 1, PR_PRINT(arguments->items[i]));
	pr_text_add_c(run->trace, ") => ");
}

int cf_map_lookup_shown(struct cf_run *run, struct pr_str name, const struct cf_map *map, struct pr_str key, const struct pr_list *arguments,
                        struct pr_str *value_out)
{
	uint32_t level = run->trace == NULL ? 0 : run->cf->tracing_maps;
	size_t before = run->trace == NULL ? 0 : run->trace->len;

	if (level >= ASK_MAP)
		show_question(run, name, key, arguments, level);
	int status = cf_map_lookup(run, name, map, key, arguments, value_out);
	if (level < ASK_MAP)
		return status;
	int shown = value_out->data == NULL && status == CF_OK ? cf_map_nothing(map == NULL ? PR_STR("host") : map->class_name) : status;
	if (value_out->data == NULL && pr_str_equal(run->call->reason, PR_STR(PR_MAP_ABSENT)))
		pr_text_cut(run->trace, before); /* it is not open, and is not asked */
	else if (value_out->data == NULL)
		pr_text_addf(run->trace, "NOT FOUND (%d), ad=0\n", shown);
	else
		pr_text_addf(run->trace, "%.*s (%d), ad=0\n", PR_PRINT(*value_out), shown);
	return status;
}
