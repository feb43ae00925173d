/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One lookup.  Maps are the kernel's; `arith` and `macro` belong to the language and are answered here.
 */
#include "cf.h"

#include <stdlib.h>
#include <string.h>

#define ARITH_LENGTH_MAX 15u /* more of a number sendmail does not print */

/* arith: the key is the operator ---------------------------------------- */

/* 0x10 and 010 as in C. */
static int64_t number_of(struct pr_str text)
{
	return text.len == 0 ? 0 : strtoll(text.data, NULL, 0);
}

/* Both can come. */
static int64_t random_between(int64_t low, int64_t high)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = (uint64_t)(uintptr_t)&state * 0x9e3779b97f4a7c15u | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return low + (int64_t)(state % ((uint64_t)(high - low) + 1));
}

static struct pr_str truth(bool is_true)
{
	return is_true ? PR_STR("TRUE") : PR_STR("FALSE");
}

/* PR_NONE: there is no answer (division by zero, unknown operator). */
static struct pr_str calculate(struct pr_arena *arena, char operation, int64_t a, int64_t b)
{
	uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
	int64_t result;

	switch (operation) {
	case '+': result = (int64_t)(ua + ub); break;
	case '-': result = (int64_t)(ua - ub); break;
	case '*': result = (int64_t)(ua * ub); break;
	case '/':
		if (b == 0 || (b == -1 && a == INT64_MIN))
			return PR_NONE;
		result = a / b;
		break;
	case '%':
		if (b == 0 || b == -1)
			return b == 0 ? PR_NONE : PR_STR("0");
		result = a % b;
		break;
	case '&': result = a & b; break;
	case '|': result = a | b; break;
	case 'l': return truth(a < b);
	case '=': return truth(a == b);
	case 'r':
		if (a > b || ub - ua > INT32_MAX)
			return PR_NONE;
		result = random_between(a, b);
		break;
	default: return PR_NONE;
	}
	return pr_str_slice(pr_arena_printf(arena, "%lld", (long long)result), 0, ARITH_LENGTH_MAX);
}

static int arith(struct cf_run *run, struct pr_str key, const struct pr_list *arguments, struct pr_str *value_out)
{
	if (arguments->count < 2)
		return CF_CONFIG;
	if (key.len > 0)
		*value_out = calculate(run->call->arena, key.data[0], number_of(arguments->items[0]), number_of(arguments->items[1]));
	return CF_OK;
}

/* macro ----------------------------------------------------------------- */

static int set_macro(struct cf_run *run, struct pr_str key, const struct pr_list *arguments, struct pr_str *value_out)
{
	size_t last = key.len > 0 ? key.len - 1 : 0;
	bool has_braces = key.len > 2 && key.data[0] == '{' && key.data[last] == '}';
	struct pr_str name = has_braces ? pr_str_slice(key, 1, last) : key;
	uint16_t number = cf_names_find(&run->cf->names, name);

	if (number == CF_NAME_NONE && run->trace != NULL) /* the console owns the process */
		number = cf_names_get(&run->cf->names, name);
	if (number != CF_NAME_NONE) {
		if (arguments->count > 0)
			cf_overlay_set(run->overlay, number, arguments->items[0]);
		else
			cf_overlay_unset(run->overlay, number);
	}
	*value_out = PR_STR("");
	return CF_OK;
}

struct pr_str cf_unquoted(struct pr_arena *arena, struct pr_str text)
{
	size_t length = 0;

	if (memchr(text.data, '"', text.len) == NULL && memchr(text.data, '\\', text.len) == NULL)
		return text;
	char *out = pr_arena_alloc(arena, text.len + 1);
	if (out == NULL)
		return PR_STR("");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			out[length++] = text.data[++i];
		else if (text.data[i] != '"')
			out[length++] = text.data[i];
	}
	return (struct pr_str){ out, length };
}

/* the kernel's ---------------------------------------------------------- */

static int status_of(enum pr_status status)
{
	switch (status) {
	case PR_OK:
	case PR_NOTFOUND: return CF_OK;
	case PR_TEMPFAIL: return CF_TEMPFAIL;
	case PR_PERMFAIL: return CF_UNAVAILABLE;
	default: return CF_CONFIG;
	}
}

/* The reason without the "map NAME: " that the kernel puts in front. */
static struct pr_str bare_reason(struct pr_str reason, struct pr_str map)
{
	const size_t before = sizeof "map " - 1, after = before + map.len;

	if (reason.len > after + 2 && pr_str_has_prefix_nocase(reason, PR_STR("map ")) &&
	    pr_str_equal_nocase(pr_str_slice(reason, before, after), map) && reason.data[after] == ':')
		return pr_str_slice(reason, after + 2, reason.len);
	return reason;
}

static bool is_missing(struct pr_str reason)
{
	return pr_str_has_prefix_nocase(reason, PR_STR("missing map file "));
}

/* Told when the map is opened, which sendmail does once; /map tells it in front of its own line. */
static void tell_missing(struct cf_run *run, const struct cf_map *known, struct pr_str reason)
{
	reason = pr_arena_printf(run->call->arena, "%.*s map \"%.*s\": %.*s", PR_PRINT(known->class_name), PR_PRINT(known->name), PR_PRINT(reason));
	run->complaint = reason;
	if (run->trace == NULL || known->is_told)
		return;
	run->cf->maps[known - run->cf->maps].is_told = true; /* the console owns the process; elsewhere many threads read this */
	cf_run_say(run, false, reason);
}

/* Records of DNS that cannot be had are a matter for the status alone. */
static void tell_failure(struct cf_run *run, struct pr_str map, const struct cf_map *known)
{
	struct pr_str reason = bare_reason(run->call->reason, map);

	if (known != NULL && is_missing(reason)) {
		tell_missing(run, known, reason);
		return;
	}
	if (known != NULL && (pr_str_equal_nocase(known->class_name, PR_STR("dns")) || pr_str_equal_nocase(known->class_name, PR_STR("bestmx"))))
		run->complaint = reason;
	else
		cf_run_say(run, false, reason);
}

static bool is_host(const struct cf_map *known)
{
	return known == NULL || pr_str_equal_nocase(known->class_name, PR_STR("host")); /* $[ $] names none */
}

/* -T: there is a value, and yet it could not be looked up.  Only the host map tells. */
static int answered_failure(struct cf_run *run, struct pr_str map, const struct cf_map *known)
{
	if (known != NULL && is_missing(bare_reason(run->call->reason, map)))
		tell_missing(run, known, bare_reason(run->call->reason, map));
	else if (is_host(known))
		cf_run_say(run, false, bare_reason(run->call->reason, map));
	run->call->reason = PR_NONE;
	return CF_TEMPFAIL;
}

/* Several maps may come to it. */
static void tell_once(struct cf_run *run, struct pr_str reason)
{
	if (run->trace != NULL && cf_phrases_has(&run->cf->told, reason))
		return;
	if (run->trace != NULL) /* the console owns the process */
		cf_phrases_add(&run->cf->told, reason);
	cf_run_say(run, true, reason);
}

int cf_map_lookup(struct cf_run *run, struct pr_str map, const struct cf_map *known, struct pr_str key, const struct pr_list *arguments,
                  struct pr_str *value_out)
{
	struct pr_str value = PR_NONE;

	if (known != NULL && known->kind == CF_MAP_ARITH)
		return arith(run, key, arguments, value_out);
	if (known != NULL && known->kind == CF_MAP_MACRO)
		return set_macro(run, key, arguments, value_out);
	const struct pr_host *host = run->call->host;
	if (host == NULL || host->map_lookup == NULL || !host->map_exists(run->call, map))
		return CF_OK;
	run->call->reason = PR_NONE;
	enum pr_status status = host->map_lookup(run->call, map, key, arguments, &value);
	if (status == PR_OK) { /* with a reason: the map could not look, and -T made an answer of it */
		*value_out = value.data == NULL ? PR_STR("") : value;
		return run->call->reason.len > 0 ? answered_failure(run, map, known) : CF_OK;
	}
	if (status == PR_NOTFOUND && is_host(known) && pr_str_has_prefix_nocase(run->call->reason, PR_STR("DNS failure: "))) { /* a name that leads nowhere */
		tell_once(run, run->call->reason);
	} else if (status != PR_NOTFOUND) {
		tell_failure(run, map, known);
		run->is_blind = run->is_blind || !pr_str_equal_nocase(known != NULL ? known->class_name : map, PR_STR("host"));
	}
	return status_of(status);
}
