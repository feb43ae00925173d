/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One table says which character after `$` means what, for reading and for printing.
 */
#include "code.h"

#include <string.h>

static const struct {
	char character;
	bool has_name;
	const char *text;
} constructs[CF_UNITS_END - CF_ANY] = {
	[CF_ANY - CF_ANY] = { '*', false, "$*" }, [CF_SOME - CF_ANY] = { '+', false, "$+" }, [CF_ONE - CF_ANY] = { '-', false, "$-" },
	[CF_CLASS - CF_ANY] = { '=', true, "$=" }, [CF_NOT_CLASS - CF_ANY] = { '~', true, "$~" },
	[CF_MACRO - CF_ANY] = { '\0', true, "$" }, [CF_DEFERRED - CF_ANY] = { '&', true, "$&" },
	[CF_DIGIT - CF_ANY] = { '\0', true, "$" }, [CF_MAILER - CF_ANY] = { '#', false, "$#" },
	[CF_HOST - CF_ANY] = { '@', false, "$@" }, [CF_USER - CF_ANY] = { ':', false, "$:" },
	[CF_CALL - CF_ANY] = { '>', false, "$>" }, [CF_IF - CF_ANY] = { '?', true, "$?" }, [CF_ELSE - CF_ANY] = { '|', false, "$|" },
	[CF_FI - CF_ANY] = { '.', false, "$." }, [CF_NAME_BEGIN - CF_ANY] = { '[', false, "$[" },
	[CF_NAME_END - CF_ANY] = { ']', false, "$]" }, [CF_MAP_BEGIN - CF_ANY] = { '(', false, "$(" },
	[CF_MAP_END - CF_ANY] = { ')', false, "$)" },
};

bool cf_unit_has_number(uint16_t unit)
{
	return unit >= CF_ANY && unit < CF_UNITS_END && constructs[unit - CF_ANY].has_name;
}

const char *cf_unit_text(uint16_t unit)
{
	return unit >= CF_ANY && unit < CF_UNITS_END ? constructs[unit - CF_ANY].text : NULL;
}

void cf_code_fini(struct cf_code *code)
{
	pr_free(code->units);
	*code = (struct cf_code){0};
}

bool cf_code_add(struct cf_code *code, uint16_t unit)
{
	if (code->count >= CF_CODE_MAX)
		return false;
	if (code->count == code->room) {
		code->room = code->room == 0 ? 16 : code->room * 2;
		code->units = pr_resize(code->units, code->room * sizeof *code->units);
	}
	code->units[code->count++] = unit;
	return true;
}

void cf_code_copy(struct cf_code *code, const struct cf_code *from)
{
	code->count = 0;
	for (uint32_t i = 0; i < from->count; i++)
		cf_code_add(code, from->units[i]);
}

static uint16_t construct_of(char character)
{
	for (uint16_t unit = CF_ANY; unit < CF_UNITS_END; unit++)
		if (character != '\0' && constructs[unit - CF_ANY].character == character)
			return unit;
	return 0;
}

/* What begins behind a `$`; *rest stands behind it afterwards. */
static bool parse_dollar(struct cf_code *code, struct cf_names *names, struct pr_str *rest)
{
	char next = rest->len > 0 ? rest->data[0] : '\0';
	uint16_t unit = construct_of(next);

	if (next == '$' || next == '\0' || next == ' ' || next == '\t' || next == '\n') {
		*rest = pr_str_slice(*rest, next == '$' ? 1 : 0, rest->len);
		return cf_code_add(code, '$');
	}
	if (next >= '0' && next <= '9') {
		*rest = pr_str_slice(*rest, 1, rest->len);
		return cf_code_add(code, CF_DIGIT) && cf_code_add(code, (unsigned char)next);
	}
	if (unit != 0)
		*rest = pr_str_slice(*rest, 1, rest->len);
	else
		unit = CF_MACRO;
	if (!cf_unit_has_number(unit))
		return cf_code_add(code, unit);
	uint16_t number = cf_names_read(names, rest);
	return cf_code_add(code, unit) && number != CF_NAME_NONE && cf_code_add(code, number);
}

bool cf_code_parse(struct cf_code *code, struct cf_names *names, struct pr_str text)
{
	while (text.len > 0) {
		char c = text.data[0];
		text = pr_str_slice(text, 1, text.len);
		if (!(c == '$' ? parse_dollar(code, names, &text) : cf_code_add(code, (unsigned char)c)))
			return false;
	}
	return true;
}

bool cf_code_print(const struct cf_code *code, const struct cf_names *names, struct pr_text *out)
{
	bool good = true;

	for (uint32_t i = 0; i < code->count; i++) {
		uint16_t unit = code->units[i];
		if (unit < CF_ANY) {
			good = pr_text_add_byte(out, (char)unit) && good;
			continue;
		}
		good = pr_text_add_c(out, cf_unit_text(unit)) && good;
		if (!cf_unit_has_number(unit) || i + 1 >= code->count)
			continue;
		uint16_t number = code->units[++i];
		good = (unit == CF_DIGIT ? pr_text_add_byte(out, (char)number) : cf_names_print(names, number, out)) && good;
	}
	return good;
}
