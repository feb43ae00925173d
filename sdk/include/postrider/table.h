/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the classic table files: aliases ("name: value, value") and
 * key-value tables ("key<blanks>value", one a line, # comments).
 *
 * Both readers work on bytes in memory, one entry per call, and count lines, so the
 * same code serves newaliases, makemap, the text map and the fuzzers.
 */
#ifndef POSTRIDER_TABLE_H
#define POSTRIDER_TABLE_H

#include "arena.h"
#include "status.h"

struct pr_table {
	struct pr_str rest;
	uint32_t line;      /* of the entry just given, from 1 */
	uint32_t next_line;
};

void pr_table_init(struct pr_table *table, struct pr_str bytes);
/* PR_OK; PR_NOTFOUND at the end; PR_PERMFAIL for a bad line (skipped) with the sentence in *why_out:
 * "missing colon", "missing value for alias" (*key_out then tells which, otherwise it is absent).  Continuation: leading blank, or backslash-newline.
 * The key is lower-cased with quotes taken off; the value is the text after the colon, trimmed, continuation joined by a blank. */
enum pr_status pr_table_next_alias(struct pr_table *table, struct pr_arena *arena, struct pr_str *key_out,
                                   struct pr_str *value_out, struct pr_str *why_out);
/* First word and the rest of the line; "no RHS for LHS key" for a key alone (*key_out is set).
 * The key is not folded. */
enum pr_status pr_table_next_pair(struct pr_table *table, struct pr_arena *arena, struct pr_str *key_out,
                                  struct pr_str *value_out, struct pr_str *why_out);

#endif
