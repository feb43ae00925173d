/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks within the map's own limit of time, and puts texts together.
 * A value is bounded by what DNS can answer: fifty records of half a kilobyte.
 */
#include "records.h"

#include <time.h>

enum pr_status records_ask(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out)
{
	const struct records_map *map = call->instance;
	struct pr_call limited = *call;
	struct timespec now;

	if (map->timeout > 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		limited.deadline_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + pr_call_remaining(call, map->timeout * 1000);
	}
	enum pr_status status = pr_dns_records(&limited, name, type, records_out, count_out);
	call->reason = status == PR_NOTFOUND ? PR_NONE : limited.reason;
	return status == PR_PERMFAIL ? PR_NOTFOUND : status; /* aliases without end lead nowhere */
}

static void add_printable(struct pr_text *text, struct pr_str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		pr_text_add_byte(text, bytes.data[i] >= ' ' && bytes.data[i] <= '~' ? bytes.data[i] : 'X');
}

struct pr_str records_join(struct pr_call *call, const struct pr_str *texts, size_t count)
{
	const struct records_map *map = call->instance;
	struct pr_text text;

	pr_text_init(&text, 65536);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			pr_text_add_str(&text, map->separator);
		add_printable(&text, texts[i]);
	}
	struct pr_str value = pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return value;
}
