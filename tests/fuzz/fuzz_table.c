/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The readers of aliases and key-value tables: they end, count lines upwards, and give keys without line ends.
 */
#include "tests/fuzz/fuzz.h"

#include <postrider/table.h>

typedef enum pr_status next_entry(struct pr_table *table, struct pr_arena *arena, struct pr_str *key_out,
                                  struct pr_str *value_out, struct pr_str *why_out);

static void read_table(struct pr_str text, next_entry *next)
{
	struct pr_table table;
	struct pr_arena arena;
	struct pr_str key = PR_NONE, value = PR_NONE, why = PR_NONE;
	enum pr_status status;
	uint32_t line = 0;

	pr_arena_init(&arena, 16 * text.len + 65536);
	pr_table_init(&table, text);
	size_t left = text.len + 1;
	while ((status = next(&table, &arena, &key, &value, &why)) != PR_NOTFOUND && status != PR_TEMPFAIL) {
		FUZZ_CHECK(status == PR_OK || status == PR_PERMFAIL);
		FUZZ_CHECK(table.rest.len < left && table.line > line);
		left = table.rest.len;
		line = table.line;
		FUZZ_CHECK(status == PR_OK || why.len > 0);
		FUZZ_CHECK(status != PR_OK || key.len == 0 || memchr(key.data, '\n', key.len) == NULL);
	}
	pr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str text = {(const char *)data, size};

	read_table(text, pr_table_next_alias);
	read_table(text, pr_table_next_pair);
	return 0;
}
