/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts columns.  An entry that brings line ends of its own (a display name that was folded) counts whole, as with sendmail.
 */
#include "kernel/mail/header_fold.h"

#define COLUMN_MAX 78
#define INDENT "        "

void header_fold_init(struct header_fold *fold, struct pr_str name, size_t most)
{
	pr_text_init(&fold->out, most);
	fold->column = name.len + 1;
	fold->any = false;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* As many blanks as there were, tabs and line ends among them. */
size_t header_fold_begin(struct header_fold *fold, struct pr_str value)
{
	size_t at = 0;

	for (; at < value.len && is_space(value.data[at]); at++)
		pr_text_add_byte(&fold->out, ' ');
	fold->column += at;
	return at;
}

bool header_fold_add(struct header_fold *fold, struct pr_str entry)
{
	if (entry.len == 0)
		return !fold->out.overflow;
	if (fold->any && fold->column + 2 + entry.len > COLUMN_MAX) {
		pr_text_add_c(&fold->out, ",\n" INDENT);
		fold->column = sizeof INDENT - 1;
	} else if (fold->any) {
		pr_text_add_c(&fold->out, ", ");
		fold->column += 2;
	}
	fold->any = true;
	pr_text_add_str(&fold->out, entry);
	fold->column += entry.len;
	return !fold->out.overflow;
}
