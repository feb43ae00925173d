/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The right side of a rule, in the order sendmail works it off: first $1 and $&x are put in, then the lookups from left to right, then
 * the calls of other sets from right to left, each with all that stands to its right.
 */
#include "cf.h"

#include <string.h>

/* Cuts a value into tokens at the end of out. */
static bool add_text(struct cf_run *run, struct pr_str text, struct cf_tokens *out)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = text, .flags = CF_SCAN_COMMENTS };
	bool good = cf_scan_shown(run, &scan, out);
	struct pr_str about = run->about;

	run->about = text;
	for (uint32_t i = 0; i < scan.problem_count; i++)
		cf_run_complain(run, true, "%s", scan.problems[i]);
	run->about = about;
	return good;
}

static inline bool add_run(const struct cf_token *from, uint32_t count, struct cf_tokens *out)
{
	if (count == 0)
		return true;
	if (out->count + count > out->room && !cf_tokens_reserve(out, out->count + count))
		return false;
	struct cf_token *to = out->at + out->count;
	for (uint32_t i = 0; i < count; i++) /* mostly one to three */
		to[i] = from[i];
	out->count += count;
	return true;
}

static int too_long(struct cf_run *run)
{
	cf_run_complain(run, false, "rewrite: expansion too long");
	return CF_DATAERR;
}

/* $1 and $&x */
static int substitute(struct cf_run *run, const struct cf_rule *rule, const struct cf_token *tokens, const struct cf_match *operands,
                      struct cf_tokens *out, bool *is_failed)
{
	char buffer[12];

	for (uint32_t i = rule->skip; i < rule->right_count; i++) {
		const struct cf_token *token = &rule->right[i];
		bool good = true;
		if (token->kind == CF_DIGIT) {
			uint32_t index = (uint32_t)token->number - '1';
			if (index >= rule->operands) {
				uint16_t set = (uint16_t)token->link;
				cf_run_complain(run, false, "rewrite: ruleset %.*s: replacement $%c out of bounds",
				                PR_PRINT(cf_set_label(run->cf, set, buffer)), token->number);
				*is_failed = true;
				return CF_CONFIG;
			}
			if (operands[index].end > operands[index].first)
				good = add_run(tokens + operands[index].first, operands[index].end - operands[index].first, out);
		} else if (token->kind == CF_DEFERRED) {
			struct pr_str value = cf_macro_text(run, token->number);
			cf_trace_macro(run, "RHS", token->number, value);
			uint32_t before = out->count;
			if (value.len > 0 && (!add_text(run, value, out) || out->count == before)) {
				*is_failed = true; /* add_text has told; a comment alone is nothing either */
				return CF_DATAERR;
			}
		} else {
			good = cf_tokens_add(out, *token);
		}
		if (!good) {
			*is_failed = true;
			return too_long(run);
		}
	}
	return CF_OK;
}

/* lookups --------------------------------------------------------------- */

struct lookup {
	const struct cf_token *name;  /* NULL: the host map */
	size_t link;                  /* number of the map + 1; 0: to be found by name */
	const struct cf_token *key;
	uint32_t key_count;
	const struct cf_token *arguments[CF_ARGUMENTS];
	uint32_t argument_counts[CF_ARGUMENTS];
	uint32_t argument_count;
	const struct cf_token *fallback; /* NULL: none */
	uint32_t fallback_count;
};

/* Reads $( ... $) at *at and moves behind it. */
static void read_lookup(const struct cf_tokens *tokens, uint32_t *at, struct lookup *lookup)
{
	uint16_t end = tokens->at[*at].kind == CF_NAME_BEGIN ? CF_NAME_END : CF_MAP_END;
	uint32_t i = *at + 1, unused = 0;
	uint32_t *count = &lookup->key_count;

	lookup->name = lookup->fallback = NULL; /* the arguments are counted one by one: most lookups have none */
	lookup->link = 0;
	lookup->key_count = lookup->argument_count = lookup->fallback_count = 0;
	if (end == CF_MAP_END && i < tokens->count && cf_is_plain(&tokens->at[i])) {
		lookup->link = tokens->at[*at].link;
		lookup->name = &tokens->at[i++];
	}
	lookup->key = tokens->at + i;
	for (; i < tokens->count && tokens->at[i].kind != end; i++) {
		const struct cf_token *token = &tokens->at[i];
		if (token->kind == CF_HOST && lookup->fallback == NULL) {
			count = &unused;
			if (lookup->argument_count < CF_ARGUMENTS) {
				lookup->arguments[lookup->argument_count] = token + 1;
				count = &lookup->argument_counts[lookup->argument_count++];
				*count = 0;
			}
		} else if (token->kind == CF_USER) { /* the last one counts */
			lookup->fallback = token + 1;
			lookup->fallback_count = 0;
			count = &lookup->fallback_count;
		} else {
			++*count;
		}
	}
	*at = i < tokens->count ? i + 1 : i;
}

static bool is_operator(const struct cf_token *token, char byte)
{
	return token->kind == CF_OPERATOR && token->text[0] == byte;
}

/* The other half of a bracket may be in another part. */
static bool is_balanced(const struct cf_token *tokens, uint32_t count, char opening, char closing)
{
	int depth = 0;

	for (uint32_t i = 0; i < count && depth >= 0; i++)
		depth += is_operator(&tokens[i], opening) - is_operator(&tokens[i], closing);
	return depth == 0;
}

/* Does the text of these tokens give other tokens than these?  Atoms that meet are joined with BlankSub, comments go, and brackets may not
 * balance. */
static bool changes_as_text(const struct cf_token *tokens, uint32_t count, bool is_whole)
{
	bool changes = false;

	if (!is_whole && !(is_balanced(tokens, count, '(', ')') && is_balanced(tokens, count, '<', '>')))
		return false;
	for (uint32_t i = 0; i < count; i++)
		changes = changes || (i > 0 && tokens[i].kind == CF_ATOM && tokens[i - 1].kind == CF_ATOM) ||
		          (tokens[i].kind == CF_OPERATOR && strchr("<>()", tokens[i].text[0]) != NULL);
	return changes;
}

/* A default is text again before it is used.  Operators of the language in it part it. */
static bool add_fallback(struct cf_run *run, const struct lookup *lookup, struct cf_tokens *out)
{
	const struct cf_token *tokens = lookup->fallback;
	uint32_t count = lookup->fallback_count;
	bool good = true;

	for (uint32_t i = 0, end; i < count && good; i = end) {
		for (end = i; end < count && cf_is_plain(&tokens[end]); end++)
			;
		end += end == i;
		bool is_shown = run->trace != NULL && run->cf->tracing_cuts > 0; /* -d22 wants to see it */
		bool changes = cf_is_plain(&tokens[i]) && (is_shown || changes_as_text(tokens + i, end - i, end - i == count));
		good = changes ? add_text(run, cf_join_arena(&run->cf->alphabet, tokens + i, end - i, '\0', run->call->arena), out)
		               : add_run(tokens + i, end - i, out);
	}
	return good;
}

static int look_up(struct cf_run *run, const struct lookup *lookup, struct cf_tokens *out, bool *is_failed)
{
	const struct cf_alphabet *alphabet = &run->cf->alphabet;
	struct pr_str items[CF_ARGUMENTS], value = PR_NONE, name = PR_STR("host");
	struct pr_list arguments = { items, lookup->argument_count };
	const struct cf_map *map = NULL;

	if (lookup->name != NULL) {
		name = (struct pr_str){ lookup->name->text, lookup->name->length };
		map = lookup->link != 0 ? &run->cf->maps[lookup->link - 1] : cf_map_find(run->cf, name);
	}
	struct pr_str key = cf_join_arena(alphabet, lookup->key, lookup->key_count, map == NULL ? '\0' : map->space, run->call->arena);
	for (uint32_t i = 0; i < lookup->argument_count; i++)
		items[i] = cf_join_arena(alphabet, lookup->arguments[i], lookup->argument_counts[i], '\0', run->call->arena);
	if (map == NULL || !map->keeps_quotes)
		key = cf_unquoted(run->call->arena, key);
	int64_t began = run->steps == NULL ? 0 : cf_now();
	int status = CF_OK;
	if (map == NULL && lookup->name != NULL)
		cf_run_complain(run, false, "rewrite: map %.*s not found", PR_PRINT(name));
	else
		status = cf_map_lookup_shown(run, name, map, key, &arguments, &value);
	if (run->steps != NULL)
		cf_step_map(run, name, key, value, status, began);
	bool good;
	if (value.data != NULL)
		good = value.len == 0 || add_text(run, value, out);
	else if (lookup->fallback != NULL)
		good = add_fallback(run, lookup, out);
	else
		good = add_run(lookup->key, lookup->key_count, out);
	if (!good) {
		*is_failed = true;
		cf_run_complain(run, false, "rewrite: cannot prescan map value: %.*s", PR_PRINT(value.data == NULL ? key : value));
		return CF_DATAERR;
	}
	return map != NULL && map->kind == CF_MAP_ARITH ? CF_OK : status; /* a sum that makes no sense is no failure */
}

static int do_lookups(struct cf_run *run, struct cf_tokens *tokens, struct cf_tokens *spare, bool *is_failed)
{
	int worst = CF_OK;

	spare->count = 0;
	for (uint32_t i = 0; i < tokens->count && !*is_failed;) {
		uint16_t kind = tokens->at[i].kind;
		if (kind == CF_NAME_BEGIN || kind == CF_MAP_BEGIN) {
			struct lookup lookup;
			read_lookup(tokens, &i, &lookup);
			int status = look_up(run, &lookup, spare, is_failed);
			worst = cf_status(worst, status);
		} else if (!cf_tokens_add(spare, tokens->at[i++])) {
			*is_failed = true;
			worst = too_long(run);
		}
	}
	struct cf_tokens swap = *tokens;
	*tokens = *spare;
	*spare = swap;
	return worst;
}

/* calls ----------------------------------------------------------------- */

#define CALLS_MAX 100u

static uint16_t called_set(struct cf_run *run, const struct cf_token *call)
{
	const struct cf_token *name = call + 1;

	if (call->link != 0)
		return (uint16_t)call->link;
	return cf_is_plain(name) ? cf_set_called(run->cf, name) : 0;
}

/* Nothing to call: its argument is its result. */
static void skip_call(struct cf_run *run, struct cf_tokens *tokens, uint32_t at, uint16_t set)
{
	char buffer[12];

	if (run->trace != NULL && run->tracing >= CF_TRACE_CALLS)
		pr_text_addf(run->trace, "-----skip subr %.*s (%u)\n", PR_PRINT(cf_set_label(run->cf, set, buffer)), set);
	memmove(tokens->at + at, tokens->at + at + 2, (tokens->count - at - 2) * sizeof *tokens->at);
	tokens->count -= 2;
}

/* The name is shown, and stays in what is worked on, as it was looked for: without quotes, up to the first blank. */
static void complain_unknown(struct cf_run *run, struct cf_token *name)
{
	struct pr_str text = PR_STR("");

	if (cf_is_plain(name)) {
		text = cf_unquoted(run->call->arena, (struct pr_str){ name->text, name->length });
		text = pr_str_slice(text, 0, pr_str_find(text, ' '));
		*name = (struct cf_token){ .kind = CF_ATOM, .text = text.data, .length = (uint32_t)text.len, .hash = cf_hash(text.data, text.len) };
	}
	struct pr_str fault = cf_set_fault(run->call->arena, text);
	if (fault.data != NULL)
		cf_run_complain(run, false, "%.*s", PR_PRINT(fault));
	cf_run_complain(run, false, "Unknown ruleset %.*s", PR_PRINT(text));
}

/* Where calls stand, from left to right.  Behind a set without rules sendmail does not look at the next token, even when it is a call.
 * With a status other than CF_OK none of them is made. */
static int find_calls(struct cf_run *run, struct cf_tokens *tokens, uint16_t positions[CALLS_MAX], uint32_t *count_out)
{
	uint32_t count = 0;

	*count_out = 0;
	for (uint32_t i = 0; i + 1 < tokens->count; i++) {
		if (tokens->at[i].kind != CF_CALL)
			continue;
		uint16_t set = called_set(run, &tokens->at[i]);
		if (set == 0) {
			complain_unknown(run, &tokens->at[i + 1]);
			return CF_CONFIG;
		}
		if (run->cf->sets[set - 1].count == 0) {
			skip_call(run, tokens, i, (uint16_t)(set - 1));
			continue;
		}
		if (count == CALLS_MAX)
			return too_long(run);
		positions[count++] = (uint16_t)i++;
	}
	*count_out = count;
	return CF_OK;
}

/* The call at position `at` gets all that stands behind it, and its result stays there. */
static int do_call(struct cf_run *run, struct cf_tokens *tokens, uint32_t at, struct cf_tokens *spare)
{
	uint16_t set = called_set(run, &tokens->at[at]);

	spare->count = 0;
	add_run(tokens->at + at + 2, tokens->count - at - 2, spare);
	int status = cf_rewrite(run, (uint16_t)(set - 1), spare);
	tokens->count = at;
	return add_run(spare->at, spare->count, tokens) ? status : too_long(run);
}

static int do_calls(struct cf_run *run, struct cf_tokens *tokens, struct cf_tokens *spare)
{
	uint16_t positions[CALLS_MAX];
	uint32_t count;
	int status = find_calls(run, tokens, positions, &count);
	int worst = status;

	while (count > 0 && (status == CF_OK || status == CF_TEMPFAIL)) {
		status = do_call(run, tokens, positions[--count], spare);
		worst = cf_status(worst, status);
	}
	run->has_calls_left = run->has_calls_left || (status != CF_OK && status != CF_TEMPFAIL);
	return worst;
}

int cf_rule_apply(struct cf_run *run, const struct cf_rule *rule, const struct cf_token *tokens, const struct cf_match *operands,
                  struct cf_tokens *out, bool *is_failed_out)
{
	struct cf_level *level = &run->thread->levels[run->depth];
	int status = CF_OK;

	*is_failed_out = false;
	out->count = 0;
	int worst = substitute(run, rule, tokens, operands, out, is_failed_out);
	if (rule->has_lookup && !*is_failed_out)
		status = do_lookups(run, out, &level->spare, is_failed_out);
	worst = cf_status(worst, status);
	if ((rule->has_call || run->has_calls_left) && !*is_failed_out)
		worst = cf_status(worst, do_calls(run, out, &level->spare));
	return worst;
}
