/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums in rules: the key is the operator, the two arguments are the operands.
 * Numbers are read as C reads them (010 is eight, a word is nought), and results wrap instead of trapping.
 */
#include <postrider/mapflags.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct arith_map {
	struct pr_map_flags flags; /* taken and without effect, as in sendmail */
};

static int64_t number(struct pr_str text)
{
	char copy[80];
	size_t length = text.len < sizeof copy - 1 ? text.len : sizeof copy - 1;

	if (length > 0)
		memcpy(copy, text.data, length);
	copy[length] = '\0';
	return strtoll(copy, NULL, 0);
}

static bool random_between(int64_t low, int64_t high, int64_t *result_out)
{
	uint64_t bytes = 0, range = (uint64_t)high - (uint64_t)low + 1;

	if (low > high || getrandom(&bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	*result_out = (int64_t)((uint64_t)low + (range == 0 ? bytes : bytes % range));
	return true;
}

/* -1 / INT64_MIN and its kind have no answer. */
static bool divides(int64_t a, int64_t b)
{
	return b != 0 && !(a == INT64_MIN && b == -1);
}

static bool compute(char operator, int64_t a, int64_t b, int64_t *result_out)
{
	switch (operator) {
	case '+':
		*result_out = (int64_t)((uint64_t)a + (uint64_t)b);
		return true;
	case '-':
		*result_out = (int64_t)((uint64_t)a - (uint64_t)b);
		return true;
	case '*':
		*result_out = (int64_t)((uint64_t)a * (uint64_t)b);
		return true;
	case '/':
	case '%':
		if (!divides(a, b))
			return false;
		*result_out = operator == '/' ? a / b : a % b;
		return true;
	case '|':
		*result_out = a | b;
		return true;
	case '&':
		*result_out = a & b;
		return true;
	case 'r':
		return random_between(a, b, result_out);
	default:
		return false;
	}
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	int64_t a, b, result = 0;
	char operator = key.len > 0 ? key.data[0] : '\0';

	if (args == NULL || args->count < 2)
		return PR_NOTFOUND;
	a = number(args->items[0]);
	b = number(args->items[1]);
	if (operator == 'l' || operator == '=')
		*value_out = (operator == 'l' ? a < b : a == b) ? PR_STR("TRUE") : PR_STR("FALSE");
	else if (compute(operator, a, b, &result))
		*value_out = pr_arena_printf(call->arena, "%lld", (long long)result);
	else
		return PR_NOTFOUND;
	return value_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the value");
}

static enum pr_status check(struct pr_call *call)
{
	struct arith_map *map = call->instance;

	return pr_map_flags_parse(call, NULL, map, &map->flags);
}

static const struct pr_option options[] = { PR_MAP_OPTIONS(struct arith_map, flags), PR_OPTION_END };
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(arith) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct arith_map), .name = "arith",
	.version = "1.0", .summary = "sums, comparisons and random numbers", .options = options, .check = check, .ops = &ops };
