/* SPDX-License-Identifier: BSD-2-Clause
 *
 * S lines, and every other place that names a rule set.  A set is a number below 100, or a name that gets one from 199 downwards, or both:
 * `Scanonify=3`.
 */
#include "cf.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Digits at the front of text; more than anybody can mean stays more. */
static uint64_t leading_number(struct pr_str text)
{
	uint64_t number = 0;

	for (size_t i = 0; i < text.len && is_digit(text.data[i]) && number < 1000000000u; i++)
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	return number;
}

static uint16_t numbered(struct cf *cf, struct pr_str text)
{
	uint64_t number = leading_number(text);

	if (number >= CF_SETS_NUMBERED) {
		cf_complain(cf, "bad ruleset %llu (%u max)", (unsigned long long)number, CF_SETS_NUMBERED);
		return 0;
	}
	return (uint16_t)(number + 1);
}

/* The number behind `name=`. */
static uint16_t given(struct cf *cf, struct pr_str all, struct pr_str text)
{
	text = pr_str_trim(text);
	if (text.len == 0 || !is_digit(text.data[0])) {
		cf_complain(cf, "bad ruleset definition \"%.*s\" (number required after `=')", PR_PRINT(all));
		return 0;
	}
	uint64_t number = leading_number(text);
	if (number < CF_SETS_NUMBERED)
		return (uint16_t)(number + 1);
	cf_complain(cf, "bad ruleset number %llu in \"%.*s\" (%u max)", (unsigned long long)number, PR_PRINT(all), CF_SETS_NUMBERED);
	return 0;
}

static uint16_t next_named(struct cf *cf, struct pr_str name)
{
	if (cf->next_named <= CF_SETS_NUMBERED) {
		cf_complain(cf, "%.*s: too many named rulesets (%u max)", PR_PRINT(name), CF_SETS_NUMBERED);
		return 0;
	}
	return (uint16_t)cf->next_named--; /* number + 1 */
}

uint16_t cf_set_make(struct cf *cf, struct pr_str text)
{
	size_t end = 0;

	text = pr_str_trim(text);
	if (text.len > 0 && is_digit(text.data[0]))
		return numbered(cf, text);
	while (end < text.len && is_name_byte(text.data[end]) && text.data[0] != '_')
		end++;
	if (end == 0) {
		cf_complain(cf, "invalid ruleset name: \"%.*s\"", (int)(text.len < 20 ? text.len : 20), text.len > 0 ? text.data : "");
		return 0;
	}
	struct pr_str name = pr_str_slice(text, 0, end), rest = pr_str_trim(pr_str_slice(text, end, text.len));
	uint16_t known = cf_set_find(cf, name), set = known;
	if (rest.len > 0 && rest.data[0] == '=') {
		set = given(cf, text, pr_str_slice(rest, 1, rest.len));
		if (set != 0 && known != 0 && known != set) {
			cf_complain(cf, "%.*s: ruleset changed value (old %u, new %u)", PR_PRINT(text), known - 1u, set - 1u);
			return known;
		}
	} else if (set == 0) {
		set = next_named(cf, name);
	}
	if (set != 0 && cf->sets[set - 1].name.data == NULL)
		cf->sets[set - 1].name = pr_arena_copy(&cf->arena, name);
	return set;
}

void cf_read_set(struct cf *cf, struct pr_str line)
{
	cf->set_current = cf_set_make(cf, line);
	if (cf->set_current == 0)
		return;
	struct cf_set *set = &cf->sets[cf->set_current - 1];
	if (set->is_defined && set->count > 0)
		cf_remark(cf, "WARNING: Ruleset %.*s has multiple definitions", PR_PRINT(line));
	set->is_defined = true;
}
