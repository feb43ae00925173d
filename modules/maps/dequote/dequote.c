/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes double quotes off, when what is left can still be read as an address.
 * Quotes inside a comment and behind a backslash stay; with nothing taken off, or parentheses or angle brackets that do not close, or a blank
 * outside a backslash, nothing is found and the rule keeps what it had.
 */
#include <postrider/mapflags.h>

struct dequote_map {
	struct pr_map_flags flags;
	struct pr_str blank; /* what a blank becomes */
};

struct scan {
	int comments, angles, quotes, blanks;
	bool quoted, escaped, wrong;
};

/* One byte; false when it is a quote that goes. */
static bool keep(struct scan *scan, char byte)
{
	if (scan->escaped) {
		scan->escaped = false;
		return true;
	}
	scan->escaped = byte == '\\';
	scan->comments += (byte == '(') - (byte == ')');
	scan->angles += (byte == '<') - (byte == '>');
	scan->blanks += byte == ' ' || byte == '\t';
	scan->wrong |= scan->comments < 0 || scan->angles < 0;
	if (byte != '"' || scan->comments > 0)
		return true;
	scan->quoted = !scan->quoted;
	scan->quotes++;
	return false;
}

static bool is_readable(const struct scan *scan)
{
	return !scan->wrong && !scan->quoted && !scan->escaped && scan->comments == 0 && scan->angles == 0 && scan->quotes > 0 &&
	       scan->blanks == 0;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct dequote_map *map = call->instance;
	struct scan scan = {0};
	struct pr_str raw = pr_arena_copy(call->arena, key);
	size_t length = 0;

	(void)args;
	if (pr_map_is_deferred(call, &map->flags))
		return PR_NOTFOUND;
	if (raw.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the value");
	char *bytes = (char *)(uintptr_t)raw.data; /* our own copy */
	for (size_t i = 0; i < key.len; i++) {
		char byte = key.data[i];
		if (byte == ' ' && map->blank.len > 0 && !scan.escaped)
			byte = map->blank.data[0];
		if (keep(&scan, byte))
			bytes[length++] = byte;
	}
	raw.len = length;
	return pr_map_answer(call, &map->flags, is_readable(&scan) ? PR_OK : PR_NOTFOUND, key, NULL, raw, value_out);
}

static const struct pr_map_flag letters[] = { PR_MAP_FLAG('s', PR_MAP_BYTE, struct dequote_map, blank), PR_MAP_FLAG_END };

/* -m is taken, and without effect: the value is what was made of the key. */
static enum pr_status check(struct pr_call *call)
{
	struct dequote_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (map->blank.len > 1)
		return pr_fail(call, PR_MISUSE, "blank: \"%.*s\" is more than one character", PR_PRINT(map->blank));
	map->flags.match_only = 0;
	map->flags.keep_quotes = 1; /* the quotes are what it is asked about */
	return status;
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct dequote_map, flags),
	PR_OPTION(struct dequote_map, blank, "blank", PR_OPTION_STRING, 0, NULL, "what a blank inside quotes becomes (-s)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(dequote) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct dequote_map), .name = "dequote",
	.version = "1.0", .summary = "takes quotes off", .options = options, .check = check, .ops = &ops };
