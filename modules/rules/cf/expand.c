/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Macros and conditionals, when a line is read and when mail is there.  Both walk the units once and descend into a macro's value, ten
 * deep at most, so `DXa$X` ends.
 */
#include "cf.h"

#include <string.h>

#define DEPTH_MAX 10

/* $?x a $| b $. : which part is left out now */
struct conditions {
	uint32_t level;   /* how many $? are open */
	uint32_t skipped; /* at which level leaving out began; 0: nothing is left out */
};

/* True when the unit was one of a conditional and is done with. */
static bool is_conditional(struct conditions *c, uint16_t unit, bool is_set)
{
	switch (unit) {
	case CF_IF:
		c->level++;
		if (c->skipped == 0 && !is_set)
			c->skipped = c->level;
		return true;
	case CF_ELSE:
		if (c->level == 0)
			return false;
		if (c->skipped == 0)
			c->skipped = c->level;
		else if (c->skipped == c->level)
			c->skipped = 0;
		return true;
	case CF_FI:
		if (c->level == 0)
			return false;
		if (c->skipped == c->level)
			c->skipped = 0;
		c->level--;
		return true;
	default:
		return false;
	}
}

/* False: it went too deep, and the rest of that value is left out: macros that name themselves many times over would have no end. */
static bool expand_now(struct cf *cf, const struct cf_code *from, struct cf_code *to, int depth)
{
	struct conditions conditions = {0};
	bool is_sound = true;

	for (uint32_t i = 0; i < from->count; i++) {
		uint16_t unit = from->units[i];
		bool has_number = cf_unit_has_number(unit) && i + 1 < from->count;
		uint16_t number = has_number ? from->units[++i] : 0;
		const struct cf_macro *macro = has_number && unit != CF_DIGIT ? cf_macro_find(cf, number) : NULL;
		if (is_conditional(&conditions, unit, macro != NULL && macro->value.count > 0) || conditions.skipped != 0)
			continue;
		if (unit == CF_MACRO) {
			if (macro != NULL && (depth > DEPTH_MAX || !expand_now(cf, &macro->value, to, depth + 1)))
				is_sound = false;
			if (!is_sound && depth > 0)
				return false;
			continue;
		}
		cf_code_add(to, unit);
		if (has_number)
			cf_code_add(to, number);
	}
	return is_sound;
}

void cf_expand_now(struct cf *cf, const struct cf_code *from, struct cf_code *to)
{
	if (!expand_now(cf, from, to, 0))
		cf_complain(cf, "expand: recursion too deep (%d max)", DEPTH_MAX);
}

struct pr_str cf_expand_text(struct cf *cf, struct pr_str text)
{
	struct cf_code raw = {0}, expanded = {0};
	struct pr_text out;

	pr_text_init(&out, CF_CODE_MAX);
	if (!cf_code_parse(&raw, &cf->names, text))
		cf_complain_names(cf);
	cf_expand_now(cf, &raw, &expanded);
	cf_code_print(&expanded, &cf->names, &out);
	struct pr_str result = pr_arena_copy(&cf->arena, pr_text_str(&out));
	pr_text_fini(&out);
	cf_code_fini(&raw);
	cf_code_fini(&expanded);
	return result.data == NULL ? PR_STR("") : result;
}

/* with mail there ------------------------------------------------------- */

static void expand_run(struct cf_run *run, const struct cf_code *from, struct pr_text *out, int depth);

/* An item that is not set was taken back: the value of the file is seen again, that of the session is not. */
static const struct cf_overlay_item *overlay_find(const struct cf_overlay *overlay, uint16_t number)
{
	for (size_t i = 0; i < overlay->count; i++)
		if (overlay->items[i].number == number)
			return &overlay->items[i];
	return NULL;
}

/* What is known of a macro here: of the transaction, else of the connection. */
static const struct cf_overlay_item *find_item(const struct cf_run *run, uint16_t number)
{
	const struct cf_overlay_item *item = overlay_find(run->overlay, number);

	if ((item != NULL && item->is_set) || run->below == NULL)
		return item;
	const struct cf_overlay_item *below = overlay_find(run->below, number);
	return below != NULL ? below : item;
}

/* Finds a value.  False: the macro is not set. */
static bool add_macro(struct cf_run *run, uint16_t number, struct pr_text *out, int depth)
{
	const struct cf_overlay_item *item = find_item(run, number);
	char buffer[2];

	if (item != NULL && item->is_set)
		return pr_text_add(out, item->text, item->length);
	const struct cf_macro *macro = cf_macro_find(run->cf, number);
	if (macro != NULL) {
		if (depth <= DEPTH_MAX)
			expand_run(run, &macro->value, out, depth + 1);
		return true;
	}
	if (item != NULL || run->call->host == NULL || run->call->host->macro == NULL)
		return false;
	struct pr_str value = run->call->host->macro(run->call, cf_names_text(&run->cf->names, number, buffer));
	return value.data != NULL && pr_text_add_str(out, value);
}

/* Looks at the value where it would stand, and takes it back. */
static bool is_macro_set(struct cf_run *run, uint16_t number, struct pr_text *out)
{
	size_t before = out->len;
	bool is_set = add_macro(run, number, out, 1) && out->len > before;

	pr_text_cut(out, before);
	return is_set;
}

static void expand_run(struct cf_run *run, const struct cf_code *from, struct pr_text *out, int depth)
{
	struct conditions conditions = {0};

	for (uint32_t i = 0; i < from->count; i++) {
		uint16_t unit = from->units[i];
		bool has_number = cf_unit_has_number(unit) && i + 1 < from->count;
		uint16_t number = has_number ? from->units[++i] : 0;
		bool is_set = unit == CF_IF && is_macro_set(run, number, out);
		if (is_conditional(&conditions, unit, is_set) || conditions.skipped != 0)
			continue;
		if (unit < CF_ANY)
			pr_text_add_byte(out, (char)unit);
		else if (unit == CF_MACRO || unit == CF_DEFERRED)
			add_macro(run, number, out, depth);
		else
			pr_text_add_c(out, cf_unit_text(unit));
	}
}

struct pr_str cf_expand_run(struct cf_run *run, const struct cf_code *code)
{
	struct pr_text *out = &run->thread->expanded;

	pr_text_clear(out);
	expand_run(run, code, out, 0);
	return pr_arena_copy(run->call->arena, pr_text_str(out));
}

static bool is_plain(const struct cf_code *code)
{
	for (uint32_t i = 0; i < code->count; i++)
		if (code->units[i] >= CF_ANY)
			return false;
	return true;
}

struct pr_str cf_macro_text(struct cf_run *run, uint16_t number)
{
	const struct cf_overlay_item *item = find_item(run, number);
	const struct cf_macro *macro = cf_macro_find(run->cf, number);
	char buffer[2];

	if (item != NULL && item->is_set)
		return pr_arena_copy(run->call->arena, (struct pr_str){ item->text, item->length });
	if (macro == NULL) {
		if (item != NULL || run->call->host == NULL || run->call->host->macro == NULL)
			return PR_NONE;
		return run->call->host->macro(run->call, cf_names_text(&run->cf->names, number, buffer));
	}
	if (!is_plain(&macro->value))
		return cf_expand_run(run, &macro->value);
	char *text = pr_arena_alloc(run->call->arena, macro->value.count + 1);
	for (uint32_t i = 0; text != NULL && i < macro->value.count; i++)
		text[i] = (char)macro->value.units[i];
	return text == NULL ? PR_NONE : (struct pr_str){ text, macro->value.count };
}

/* macros set on the way ------------------------------------------------- */

static void overlay_grow(struct cf_overlay *overlay)
{
	size_t room = overlay->room == 0 ? 16 : overlay->room * 2;

	overlay->items = pr_resize(overlay->items, room * sizeof *overlay->items);
	memset(overlay->items + overlay->room, 0, (room - overlay->room) * sizeof *overlay->items);
	overlay->room = room;
}

void cf_overlay_set(struct cf_overlay *overlay, uint16_t number, struct pr_str text)
{
	struct cf_overlay_item *item = (struct cf_overlay_item *)(uintptr_t)overlay_find(overlay, number);

	if (item == NULL) {
		if (overlay->count == overlay->room)
			overlay_grow(overlay);
		item = &overlay->items[overlay->count++];
		item->number = number;
	}
	if (text.len >= item->text_room) {
		item->text_room = text.len * 2 + 32;
		item->text = pr_resize(item->text, item->text_room);
	}
	item->is_set = text.data != NULL;
	item->length = text.len;
	if (text.len > 0)
		memmove(item->text, text.data, text.len);
	item->text[text.len] = '\0';
}

void cf_overlay_unset(struct cf_overlay *overlay, uint16_t number)
{
	cf_overlay_set(overlay, number, PR_NONE);
}

/* The texts stay for what is set next. */
void cf_overlay_clear(struct cf_overlay *overlay)
{
	overlay->count = 0;
}

void cf_overlay_fini(struct cf_overlay *overlay)
{
	for (size_t i = 0; i < overlay->room; i++)
		pr_free(overlay->items[i].text);
	pr_free(overlay->items);
	*overlay = (struct cf_overlay){0};
}
