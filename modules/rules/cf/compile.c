/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules: two sides of text become two rows of tokens.  What is wrong with a rule is told with its line, in sendmail's words; as there, most
 * faults leave the rule in place, and some do not.
 */
#include "cf.h"

#include <string.h>

/* Gathers the bytes between operators of the language and cuts them into tokens. */
struct pieces {
	struct cf *cf;
	struct cf_tokens *out;
	struct pr_text bytes;
	bool in_quotes;
};

static bool flush(struct pieces *p)
{
	struct cf_scan scan = { .alphabet = &p->cf->alphabet, .arena = &p->cf->arena, .text = pr_text_str(&p->bytes),
		.flags = CF_SCAN_LOOSE | (p->cf->level < 9 ? CF_SCAN_COMMENTS : 0) };
	bool good = cf_scan(&scan, p->out);

	for (uint32_t i = 0; i < scan.problem_count; i++)
		cf_complain(p->cf, "%s", scan.problems[i]);
	pr_text_clear(&p->bytes);
	return good;
}

static void add_operator(struct pieces *p, uint16_t unit, uint16_t number)
{
	uint32_t hash = (unit + 1u) * 0x9e3779b1u;

	flush(p);
	cf_tokens_add(p->out, (struct cf_token){ .hash = hash, .kind = unit, .number = number });
}

/* Inside quotes an operator is only its letters. */
static void add_letters(struct pieces *p, uint16_t unit, uint16_t number, bool has_number)
{
	pr_text_add_c(&p->bytes, cf_unit_text(unit));
	if (has_number && unit == CF_DIGIT)
		pr_text_add_byte(&p->bytes, (char)number);
	else if (has_number)
		cf_names_print(&p->cf->names, number, &p->bytes);
}

static void cut(struct cf *cf, const struct cf_code *code, struct cf_tokens *out)
{
	struct pieces p = { .cf = cf, .out = out };
	bool is_escaped = false;

	pr_text_init(&p.bytes, CF_CODE_MAX);
	for (uint32_t i = 0; i < code->count; i++) {
		uint16_t unit = code->units[i];
		bool has_number = cf_unit_has_number(unit) && i + 1 < code->count;
		uint16_t number = has_number ? code->units[++i] : 0;
		if (unit >= CF_ANY && p.in_quotes)
			add_letters(&p, unit, number, has_number);
		else if (unit >= CF_ANY)
			add_operator(&p, unit, number);
		else
			pr_text_add_byte(&p.bytes, (char)unit);
		if (unit == '"' && !is_escaped)
			p.in_quotes = !p.in_quotes;
		is_escaped = unit == '\\' && !is_escaped;
	}
	flush(&p);
	pr_text_fini(&p.bytes);
}

static bool is_operand(uint16_t kind)
{
	return kind == CF_ANY || kind == CF_SOME || kind == CF_ONE || kind == CF_CLASS || kind == CF_NOT_CLASS;
}

static const char *misplaced_left(uint16_t kind)
{
	switch (kind) {
	case CF_DIGIT: return "$1-$9";
	case CF_USER: return "$:";
	case CF_CALL: return "$>";
	case CF_IF: return "$?";
	case CF_FI: return "$.";
	case CF_NAME_BEGIN: return "$[";
	case CF_NAME_END: return "$]";
	case CF_MAP_BEGIN: return "$(";
	case CF_MAP_END: return "$)";
	default: return NULL;
	}
}

/* A left side with too many operands is taken away, so that the rule is for the empty address. */
static void check_left(struct cf *cf, struct cf_tokens *left, struct cf_rule *rule)
{
	uint32_t operands = 0;

	for (uint32_t i = 0; i < left->count; i++) {
		const struct cf_token *token = &left->at[i];
		const char *wrong = misplaced_left(token->kind);
		if (wrong != NULL)
			cf_complain(cf, "Inappropriate use of %s on LHS", wrong);
		operands += is_operand(token->kind);
		rule->least = (uint16_t)(rule->least + (token->kind != CF_ANY && token->kind != CF_HOST && token->kind != CF_DEFERRED));
		if (!is_operand(token->kind) && token->kind != CF_HOST && token->kind != CF_DEFERRED)
			rule->need |= cf_mask(token->hash);
	}
	rule->operands = (uint8_t)operands;
	if (operands <= CF_OPERANDS)
		return;
	cf_complain(cf, "R line: too many wildcards");
	left->count = 0;
	rule->operands = CF_OPERANDS;
	rule->least = 0;
	rule->need = 0;
}

static const char *misplaced_right(uint16_t kind)
{
	switch (kind) {
	case CF_ANY: return "$*";
	case CF_SOME: return "$+";
	case CF_ONE: return "$-";
	case CF_CLASS: return "$=";
	case CF_NOT_CLASS: return "$~";
	default: return NULL;
	}
}

/* $[ and $( must end and may not nest. */
static void check_lookup(struct cf *cf, uint16_t kind, uint16_t *open)
{
	if (kind == CF_NAME_BEGIN || kind == CF_MAP_BEGIN) {
		if (*open != 0)
			cf_complain(cf, "cannot nest map lookups");
		*open = kind == CF_NAME_BEGIN ? CF_NAME_END : CF_MAP_END;
	} else if (kind == CF_NAME_END || kind == CF_MAP_END) {
		if (*open != 0 && *open != kind)
			cf_complain(cf, "missing map closing token");
		*open = 0;
	}
}

static void check_right(struct cf *cf, struct cf_tokens *right, struct cf_rule *rule, uint16_t set)
{
	uint16_t open = 0;

	for (uint32_t i = 0; i < right->count; i++) {
		struct cf_token *token = &right->at[i];
		const char *wrong = misplaced_right(token->kind);
		if (wrong != NULL)
			cf_complain(cf, "Inappropriate use of %s on RHS", wrong);
		if (token->kind == CF_DIGIT) {
			token->link = set;
			if (token->number == '0' || token->number - '0' > rule->operands)
				cf_complain(cf, "replacement $%c out of bounds", token->number);
		}
		check_lookup(cf, token->kind, &open);
		rule->has_lookup = rule->has_lookup || token->kind == CF_NAME_BEGIN || token->kind == CF_MAP_BEGIN;
		rule->has_call = rule->has_call || token->kind == CF_CALL;
	}
	if (open != 0)
		cf_complain(cf, "missing map closing token");
}

/* $: $@ $# in front say what happens after the rule. */
static void read_action(const struct cf_tokens *right, struct cf_rule *rule)
{
	uint16_t kind = right->count > 0 ? right->at[0].kind : 0;

	rule->action = kind == CF_USER ? CF_ONCE : kind == CF_HOST ? CF_RETURN : kind == CF_MAILER ? CF_RESOLVE : CF_AGAIN;
	rule->skip = rule->action == CF_ONCE || rule->action == CF_RETURN;
}

static const struct cf_token *keep(struct cf *cf, const struct cf_tokens *tokens)
{
	struct cf_token *kept = pr_arena_alloc(&cf->arena, (tokens->count + 1) * sizeof *kept);

	if (kept != NULL && tokens->count > 0)
		memcpy(kept, tokens->at, tokens->count * sizeof *kept);
	return kept;
}

static void add_rule(struct cf *cf, struct cf_set *set, const struct cf_rule *rule)
{
	if (rule->left == NULL || rule->right == NULL) {
		cf_complain(cf, "the rules are larger than this engine takes");
		return;
	}
	if (set->count == set->room) {
		set->room = set->room == 0 ? 16 : set->room * 2;
		set->rules = pr_resize(set->rules, set->room * sizeof *set->rules);
	}
	set->rules[set->count++] = *rule;
}

/* The line is shown as sendmail shows it: control-A for the dollar of an operator, cut at a name that is none. */
static void complain_tab(struct cf *cf, const struct cf_code *line)
{
	struct pr_text shown;

	pr_text_init(&shown, CF_CODE_MAX);
	cf_code_print(line, &cf->names, &shown);
	for (size_t i = 0; i + 1 < shown.len; i++) /* a dollar at the end is only a dollar */
		if (shown.data[i] == '$')
			shown.data[i] = '\001';
	cf_complain(cf, "invalid rewrite line \"R%.*s\" (tab expected)", PR_PRINT(pr_text_str(&shown)));
	pr_text_fini(&shown);
}

/* A side with its macros expanded, cut. */
static void expand_side(struct cf *cf, const struct cf_code *raw, struct cf_tokens *out)
{
	struct cf_code expanded = {0};

	cf_expand_now(cf, raw, &expanded);
	cut(cf, &expanded, out);
	cf_code_fini(&expanded);
}

/* Up to the first tab.  False: there is none, or a name in front of it is wrong. */
static bool read_left(struct cf *cf, struct pr_str line, struct cf_tokens *out)
{
	size_t tab = pr_str_find(line, '\t');
	struct cf_code raw = {0};

	bool good = cf_code_parse(&raw, &cf->names, pr_str_slice(line, 0, tab)) && tab < line.len;
	cf_complain_names(cf);
	if (good)
		expand_side(cf, &raw, out);
	else
		complain_tab(cf, &raw);
	cf_code_fini(&raw);
	if (good && out->count == 0)
		cf_complain(cf, "R line: null LHS");
	return good;
}

/* Behind the tabs, up to the next one: what follows is a remark. */
static void read_right(struct cf *cf, struct pr_str line, struct cf_tokens *out)
{
	struct pr_str rest = pr_str_slice(line, pr_str_find(line, '\t'), line.len);
	struct cf_code raw = {0};

	while (rest.len > 0 && rest.data[0] == '\t')
		rest = pr_str_slice(rest, 1, rest.len);
	cf_code_parse(&raw, &cf->names, pr_str_slice(rest, 0, pr_str_find(rest, '\t')));
	cf_complain_names(cf);
	expand_side(cf, &raw, out);
	cf_code_fini(&raw);
	if (out->count == 0)
		cf_complain(cf, "R line: null RHS");
}

void cf_read_rule(struct cf *cf, struct pr_str line)
{
	struct cf_rule rule = { .line = cf->current_line };
	struct cf_tokens left = {0}, right = {0};

	if (cf->set_current == 0) {
		cf_complain(cf, "missing valid ruleset for \"R%.*s\"", PR_PRINT(cf_shown(cf, line)));
		return;
	}
	cf->has_operators = cf->has_rules = true;
	uint16_t number = (uint16_t)(cf->set_current - 1);
	if (read_left(cf, line, &left)) {
		check_left(cf, &left, &rule);
		read_right(cf, line, &right);
		check_right(cf, &right, &rule, number);
		read_action(&right, &rule);
		if (left.count == 0)
			rule.operands = 0;
		rule.left = keep(cf, &left);
		rule.right = keep(cf, &right);
		rule.left_count = (uint16_t)left.count;
		rule.right_count = (uint16_t)right.count;
		add_rule(cf, &cf->sets[number], &rule);
	}
	cf_tokens_fini(&left);
	cf_tokens_fini(&right);
}

/* Names of sets and maps on the right sides are looked up once, now that all are known. */
static void link_rule(struct cf *cf, struct cf_rule *rule)
{
	struct cf_token *right = (struct cf_token *)(uintptr_t)rule->right;

	for (uint32_t i = 0; i + 1 < rule->right_count; i++) {
		if (!cf_is_plain(&right[i + 1]))
			continue;
		struct pr_str name = { right[i + 1].text, right[i + 1].length };
		if (right[i].kind == CF_CALL) {
			right[i].link = cf_set_called(cf, &right[i + 1]);
		} else if (right[i].kind == CF_MAP_BEGIN) {
			const struct cf_map *map = cf_map_find(cf, name);
			right[i].link = map == NULL ? 0 : (uint32_t)(map - cf->maps) + 1;
		}
	}
}

void cf_link(struct cf *cf)
{
	for (uint32_t i = 0; i < CF_SETS_MAX; i++)
		for (uint32_t j = 0; j < cf->sets[i].count; j++)
			link_rule(cf, &cf->sets[i].rules[j]);
}
