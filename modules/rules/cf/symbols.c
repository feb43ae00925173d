/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding things by name.  Macros and classes are arrays by number; sets, maps and mailers are few and found by walking, because rules hold
 * what they name (see cf_link).
 */
#include "cf.h"

#include <stdio.h>
#include <string.h>

struct cf_macro *cf_macro_get(struct cf *cf, uint16_t number)
{
	if (number >= cf->macro_room) {
		size_t room = (size_t)number + 128;
		cf->macros = pr_resize(cf->macros, room * sizeof *cf->macros);
		memset(cf->macros + cf->macro_room, 0, (room - cf->macro_room) * sizeof *cf->macros);
		cf->macro_room = room;
	}
	return &cf->macros[number];
}

const struct cf_macro *cf_macro_find(const struct cf *cf, uint16_t number)
{
	return number < cf->macro_room && cf->macros[number].is_set ? &cf->macros[number] : NULL;
}

void cf_macro_set_text(struct cf *cf, const char *name, struct pr_str value)
{
	struct cf_macro *macro = cf_macro_get(cf, cf_names_get(&cf->names, pr_str(name)));

	macro->value.count = 0;
	macro->is_set = true;
	cf_code_parse(&macro->value, &cf->names, value);
}

struct cf_phrases *cf_class_get(struct cf *cf, uint16_t number)
{
	if (number >= cf->class_room) {
		size_t room = (size_t)number + 128;
		cf->classes = pr_resize(cf->classes, room * sizeof *cf->classes);
		memset(cf->classes + cf->class_room, 0, (room - cf->class_room) * sizeof *cf->classes);
		cf->class_room = room;
	}
	cf->classes[number].spelling = &cf->spelling;
	return &cf->classes[number];
}

const struct cf_phrases *cf_class_find(const struct cf *cf, uint16_t number)
{
	static const struct cf_phrases none;

	return number < cf->class_room ? &cf->classes[number] : &none;
}

void cf_class_add(struct cf *cf, const char *name, const char *word)
{
	cf_phrases_add(cf_class_get(cf, cf_names_get(&cf->names, pr_str(name))), pr_str(word));
}

static size_t count_digits(struct pr_str text)
{
	size_t digits = 0;

	while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	return digits;
}

/* A name begins with a letter. */
static size_t count_letters(struct pr_str text)
{
	size_t letters = 0;

	if (text.len > 0 && text.data[0] == '_')
		return 0;
	while (letters < text.len && (text.data[letters] == '_' || (text.data[letters] >= '0' && text.data[letters] <= '9') ||
	                              ((text.data[letters] | 0x20) >= 'a' && (text.data[letters] | 0x20) <= 'z')))
		letters++;
	return letters;
}

/* Numbers go up to those that named sets get; names are told apart by case. */
uint16_t cf_set_find(const struct cf *cf, struct pr_str name)
{
	size_t digits = count_digits(name);
	uint64_t number;

	if (digits > 0)
		return pr_str_number(pr_str_slice(name, 0, digits), CF_SETS_NUMBERED - 1, &number) ? (uint16_t)(number + 1) : 0;
	name = pr_str_slice(name, 0, count_letters(name));
	for (uint16_t i = 0; name.len > 0 && i < CF_SETS_MAX; i++)
		if (cf->sets[i].name.data != NULL && pr_str_equal(cf->sets[i].name, name))
			return (uint16_t)(i + 1);
	return 0;
}

struct pr_str cf_set_fault(struct pr_arena *arena, struct pr_str name)
{
	size_t digits = count_digits(name);

	if (digits > 0)
		return pr_arena_printf(arena, "bad ruleset %.*s (%u max)", (int)digits, name.data, CF_SETS_NUMBERED);
	if (count_letters(name) == 0)
		return pr_arena_printf(arena, "invalid ruleset name: \"%.*s\"", (int)(name.len < 20 ? name.len : 20), name.len > 0 ? name.data : "");
	return PR_NONE;
}

uint16_t cf_set_called(const struct cf *cf, const struct cf_token *name)
{
	struct pr_str text = { name->text, name->length };

	if (name->kind == CF_QUOTED && text.len > 1)
		text = pr_str_slice(text, 1, text.len - 1);
	return cf_set_find(cf, text);
}

struct pr_str cf_set_label(const struct cf *cf, uint16_t number, char buffer[12])
{
	if (number < CF_SETS_MAX && cf->sets[number].name.data != NULL)
		return cf->sets[number].name;
	snprintf(buffer, 12, "%u", (unsigned)number);
	return pr_str(buffer);
}

struct cf_map *cf_map_find(const struct cf *cf, struct pr_str name)
{
	for (size_t i = 0; i < cf->map_count; i++)
		if (pr_str_equal_nocase(cf->maps[i].name, name))
			return &cf->maps[i];
	return NULL;
}

struct cf_mailer *cf_mailer_find(const struct cf *cf, struct pr_str name)
{
	for (size_t i = 0; i < cf->mailer_count; i++)
		if (pr_str_equal_nocase(cf->mailers[i].name, name))
			return &cf->mailers[i];
	return NULL;
}

bool cf_mailer_has(const struct cf_mailer *mailer, char flag)
{
	unsigned char byte = (unsigned char)flag;

	return byte < 128 && (mailer->flags[byte >> 6] >> (byte & 63) & 1);
}

void cf_symbols_fini(struct cf *cf)
{
	for (size_t i = 0; i < cf->macro_room; i++)
		cf_code_fini(&cf->macros[i].value);
	for (size_t i = 0; i < cf->class_room; i++)
		cf_phrases_fini(&cf->classes[i]);
	cf_phrases_fini(&cf->spelling);
	cf_phrases_fini(&cf->told);
	for (size_t i = 0; i < CF_SETS_MAX; i++)
		pr_free(cf->sets[i].rules);
	for (size_t i = 0; i < cf->header_count; i++)
		cf_code_fini(&cf->headers[i].value);
	pr_free(cf->macros);
	pr_free(cf->classes);
	pr_free(cf->maps);
	pr_free(cf->mailers);
	pr_free(cf->headers);
	pr_free(cf->declared);
	pr_text_fini(&cf->messages);
	cf_names_fini(&cf->names);
	pr_arena_fini(&cf->arena);
}
