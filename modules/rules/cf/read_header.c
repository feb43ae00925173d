/* SPDX-License-Identifier: BSD-2-Clause
 *
 * H lines: `H?F?From: $?x$x <$g>$|$g$.` is a template, `HSubject: $>CheckSubject` a check, `H*: $>Check` the check of all others.
 */
#include "cf.h"

/* `?${name}?`, `?$&x?`: there only when the macro is.  A brace is not closed by the question mark. */
static bool take_condition(struct cf *cf, struct pr_str *line, struct pr_str after, struct cf_header *header)
{
	after = pr_str_slice(after, after.data[1] == '&' ? 2 : 1, after.len);
	header->condition = cf_names_read(&cf->names, &after);
	cf_complain_names(cf);
	size_t end = pr_str_find(after, '?');
	*line = pr_str_slice(after, end + 1, after.len);
	return end < after.len;
}

static bool take_flags(struct cf *cf, struct pr_str *line, struct cf_header *header)
{
	size_t end = 1;
	struct pr_str after = pr_str_trim(pr_str_slice(*line, 1, line->len));

	if (after.len > 1 && after.data[0] == '$')
		return take_condition(cf, line, after, header);
	while (end < line->len && line->data[end] != '?')
		end++;
	if (end >= line->len)
		return false;
	struct pr_str between = pr_str_trim(pr_str_slice(*line, 1, end));
	*line = pr_str_slice(*line, end + 1, line->len);
	for (size_t i = 0; i < between.len; i++) {
		unsigned char c = (unsigned char)between.data[i];
		if (c < 128)
			header->flags[c >> 6] |= (uint64_t)1 << (c & 63);
	}
	return true;
}

/* `$>set`, `$>+set` */
static bool take_check(struct cf *cf, struct pr_str value, struct cf_header *header)
{
	if (value.len < 2 || value.data[0] != '$' || value.data[1] != '>')
		return false;
	value = pr_str_slice(value, 2, value.len);
	if (value.len > 0 && value.data[0] == '+') {
		header->keeps_comments = true;
		value = pr_str_slice(value, 1, value.len);
	}
	header->check = cf_set_make(cf, value);
	return true;
}

static void add(struct cf *cf, const struct cf_header *header)
{
	if (cf->header_count == cf->header_room) {
		cf->header_room = cf->header_room == 0 ? 32 : cf->header_room * 2;
		cf->headers = pr_resize(cf->headers, cf->header_room * sizeof *cf->headers);
	}
	cf->headers[cf->header_count++] = *header;
}

/* It is expanded for each message; what has no end is told now. */
static void look_for_recursion(struct cf *cf, const struct cf_code *value)
{
	struct cf_code expanded = {0};

	cf_expand_now(cf, value, &expanded);
	cf_code_fini(&expanded);
}

void cf_read_header(struct cf *cf, struct pr_str line)
{
	struct cf_header header = {0};
	struct pr_str all = line;

	bool good = line.len == 0 || line.data[0] != '?' || take_flags(cf, &line, &header);
	size_t colon = pr_str_find(line, ':');
	struct pr_str name = pr_str_trim(pr_str_slice(line, 0, colon));
	if (!good || colon == line.len || name.len == 0 || line.data[0] == ' ' || pr_str_find(name, ' ') < name.len) {
		cf_complain(cf, "header syntax error, line \"%.*s\"", PR_PRINT(cf_shown(cf, all)));
		return;
	}
	struct pr_str value = pr_str_trim(pr_str_slice(line, colon + 1, line.len));
	header.name = pr_arena_copy(&cf->arena, name);
	header.is_default = pr_str_equal(name, PR_STR("*"));
	if (!take_check(cf, value, &header) && !cf_code_parse(&header.value, &cf->names, value))
		cf_complain_names(cf);
	look_for_recursion(cf, &header.value);
	add(cf, &header);
}
