/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Alias files and key-value tables, one entry per call.
 * An entry is cut out by its lines first (continuations included) and read
 * afterwards; a bad one is passed over whole, so one wrong line costs one line.
 */
#include "ascii.h"
#include <postrider/table.h>
#include <string.h>

void pr_table_init(struct pr_table *table, struct pr_str bytes)
{
	*table = (struct pr_table){.rest = bytes, .next_line = 1};
}

/* One physical line without its end. */
static struct pr_str take_line(struct pr_table *table)
{
	size_t end = pr_str_find(table->rest, '\n');
	struct pr_str line = pr_str_slice(table->rest, 0, end);

	table->rest = pr_str_slice(table->rest, end + 1, table->rest.len);
	table->next_line++;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool is_ignored(struct pr_str line)
{
	return pr_str_trim(line).len == 0 || line.data[0] == '#';
}

/* The next line that says something; false at the end. */
static bool take_entry_line(struct pr_table *table, struct pr_str *line_out)
{
	while (table->rest.len > 0) {
		uint32_t number = table->next_line;
		struct pr_str line = take_line(table);
		if (is_ignored(line))
			continue;
		table->line = number;
		*line_out = line;
		return true;
	}
	return false;
}

static bool ends_in_backslash(struct pr_str line)
{
	return line.len > 0 && line.data[line.len - 1] == '\\';
}

/* All lines of one alias, joined by blanks, in the arena; absent when there is no room for it. */
static struct pr_str join_lines(struct pr_table *table, struct pr_str first, struct pr_arena *arena)
{
	struct pr_table ahead = *table;
	struct pr_str line = first;
	size_t len = first.len + 1;

	while (ahead.rest.len > 0 && (ends_in_backslash(line) || ascii_is_blank(ahead.rest.data[0]))) {
		line = pr_str_trim(take_line(&ahead));
		len += line.len + 1;
	}
	char *joined = pr_arena_alloc(arena, len);
	len = 0;
	for (line = first;; line = pr_str_trim(take_line(table))) {
		bool backslash = ends_in_backslash(line);
		if (backslash)
			line.len--;
		if (joined != NULL) {
			memcpy(joined + len, line.data, line.len);
			joined[len + line.len] = ' ';
		}
		len += line.len + 1;
		if (table->next_line == ahead.next_line)
			break;
	}
	return joined != NULL ? pr_str_trim((struct pr_str){joined, len - 1}) : PR_NONE;
}

/* The colon that ends the name; a name in quotes may hold colons. */
static size_t find_colon(struct pr_str entry)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < entry.len && (quoted || entry.data[i] != ':'); i++) {
		if (entry.data[i] == '"')
			quoted = !quoted;
		else if (quoted && entry.data[i] == '\\')
			i++;
	}
	return i < entry.len ? i : entry.len;
}

static struct pr_str alias_key(struct pr_str name, struct pr_arena *arena)
{
	struct pr_str lower = pr_arena_lower(arena, pr_str_trim(name));
	char *bytes = (char *)(uintptr_t)lower.data; /* our own copy, just made */
	size_t len = 0;

	if (lower.len < 2 || lower.data[0] != '"' || lower.data[lower.len - 1] != '"')
		return lower;
	for (size_t i = 1; i < lower.len - 1; i++) {
		if (bytes[i] == '\\' && i + 1 < lower.len - 1)
			i++;
		bytes[len++] = bytes[i];
	}
	bytes[len] = '\0';
	return (struct pr_str){bytes, len};
}

static enum pr_status bad(struct pr_str *why_out, const char *sentence)
{
	*why_out = pr_str(sentence);
	return PR_PERMFAIL;
}

enum pr_status pr_table_next_alias(struct pr_table *table, struct pr_arena *arena, struct pr_str *key_out,
                                   struct pr_str *value_out, struct pr_str *why_out)
{
	struct pr_str line;

	*key_out = PR_NONE;
	if (!take_entry_line(table, &line))
		return PR_NOTFOUND;
	struct pr_str entry = join_lines(table, line, arena);
	if (ascii_is_blank(line.data[0]))
		return bad(why_out, "continuation of nothing: the line begins with a blank");
	if (entry.data == NULL)
		return bad(why_out, "entry too long");
	if (pr_str_find(entry, '\0') < entry.len)
		return bad(why_out, "NUL byte in the entry");
	size_t colon = find_colon(entry);
	if (colon == entry.len)
		return bad(why_out, "missing colon");
	struct pr_str key = alias_key(pr_str_slice(entry, 0, colon), arena);
	struct pr_str value = pr_arena_copy(arena, pr_str_trim(pr_str_slice(entry, colon + 1, entry.len)));
	if (key.data == NULL || value.data == NULL)
		return bad(why_out, "entry too long");
	if (key.len == 0)
		return bad(why_out, "missing name before the colon");
	*key_out = key;
	if (value.len == 0)
		return bad(why_out, "missing value for alias");
	*value_out = value;
	return PR_OK;
}

enum pr_status pr_table_next_pair(struct pr_table *table, struct pr_arena *arena, struct pr_str *key_out,
                                  struct pr_str *value_out, struct pr_str *why_out)
{
	struct pr_str line;
	size_t end = 0;

	*key_out = PR_NONE;
	if (!take_entry_line(table, &line))
		return PR_NOTFOUND;
	if (ascii_is_blank(line.data[0]))
		return bad(why_out, "syntax error (leading space)");
	if (pr_str_find(line, '\0') < line.len)
		return bad(why_out, "NUL byte in the line");
	while (end < line.len && !ascii_is_blank(line.data[end]))
		end++;
	struct pr_str key = pr_arena_copy(arena, pr_str_slice(line, 0, end));
	struct pr_str value = pr_arena_copy(arena, pr_str_trim(pr_str_slice(line, end, line.len)));
	if (key.data == NULL || value.data == NULL)
		return bad(why_out, "line too long");
	*key_out = key;
	if (value.len == 0) {
		*why_out = pr_arena_printf(arena, "no RHS for LHS %s", key.data);
		return PR_PERMFAIL;
	}
	*value_out = value;
	return PR_OK;
}
