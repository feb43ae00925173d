/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header is kept as it came, and the fields are places in it.
 */
#include "kernel/mail/mime_part.h"

#include <string.h>

void mime_part_init(struct mime_part *part)
{
	*part = (struct mime_part){.fields = NULL};
	pr_text_init(&part->raw, PART_HEADER_MAX);
}

void mime_part_fini(struct mime_part *part)
{
	pr_text_fini(&part->raw);
	pr_free(part->fields);
	part->fields = NULL;
}

void mime_part_begin(struct mime_part *part)
{
	pr_text_clear(&part->raw);
	part->count = 0;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The length of the name of a field, up to its colon or the blanks before it; 0: it is none. */
static size_t name_length(struct pr_str line, size_t *colon_out)
{
	size_t length = 0, colon;

	while (length < line.len && line.data[length] > ' ' && line.data[length] != 0x7f && line.data[length] != ':')
		length++;
	for (colon = length; colon < line.len && is_blank(line.data[colon]);)
		colon++;
	*colon_out = colon;
	return colon < line.len && line.data[colon] == ':' ? length : 0;
}

enum mime_part_line mime_part_add(struct mime_part *part, struct pr_str line, bool begins)
{
	size_t colon;

	if (begins && line.len == 1 && line.data[0] == '\n')
		return MIME_PART_OVER;
	bool goes_on = !begins || (part->raw.len > 0 && is_blank(line.data[0]));
	if (!goes_on && name_length(line, &colon) == 0)
		return MIME_PART_BODY;
	return pr_text_add_str(&part->raw, line) ? MIME_PART_MORE : MIME_PART_LARGE;
}

/* A field with the lines that continue it. */
static struct pr_str next_field(struct pr_str rest)
{
	size_t end = 0;

	do {
		end += pr_str_find(pr_str_slice(rest, end, rest.len), '\n') + 1;
	} while (end < rest.len && is_blank(rest.data[end]));
	return pr_str_slice(rest, 0, end);
}

static size_t count_lines(struct pr_str text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

void mime_part_read(struct mime_part *part)
{
	struct pr_str rest = pr_text_str(&part->raw);
	size_t colon;

	pr_free(part->fields);
	part->fields = pr_alloc(count_lines(rest) * sizeof *part->fields);
	part->count = 0;
	while (rest.len > 0) {
		struct pr_str field = next_field(rest);
		struct pr_str name = pr_str_slice(field, 0, name_length(field, &colon));
		size_t end = field.len - (field.data[field.len - 1] == '\n');
		part->fields[part->count++] = (struct pr_header){.name = name, .value = pr_str_slice(field, colon + 1, end)};
		rest = pr_str_slice(rest, field.len, rest.len);
	}
}
