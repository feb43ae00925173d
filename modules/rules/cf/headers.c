/* SPDX-License-Identifier: BSD-2-Clause
 *
 * H lines for one message: each template with its macros put in, those left out whose macro is not set.
 */
#include "hooks.h"

static struct pr_str flags_of(struct cf_run *run, const struct cf_header *header)
{
	char letters[129];
	size_t count = 0;

	for (unsigned c = 1; c < 128; c++)
		if (header->flags[c >> 6] >> (c & 63) & 1)
			letters[count++] = (char)c;
	return pr_arena_copy(run->call->arena, (struct pr_str){ letters, count });
}

static bool is_wanted(struct cf_run *run, const struct cf_header *header)
{
	if (header->check != 0 || header->is_default)
		return false;
	return header->condition == 0 || cf_macro_text(run, header->condition).len > 0;
}

enum pr_status cf_headers_op(struct pr_call *call, const struct pr_header **headers_out, size_t *count_out)
{
	struct cf_run run;
	size_t count = 0;

	cf_run_begin(&run, call);
	cf_overlay_unset(run.overlay, 'h'); /* of the last address that was parsed */
	struct pr_header *headers = pr_arena_alloc(call->arena, (run.cf->header_count + 1) * sizeof *headers);
	if (headers == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the header");
	for (size_t i = 0; i < run.cf->header_count; i++) {
		const struct cf_header *header = &run.cf->headers[i];
		if (!is_wanted(&run, header))
			continue;
		headers[count++] = (struct pr_header){ header->name, cf_expand_run(&run, &header->value), flags_of(&run, header) };
	}
	*headers_out = headers;
	*count_out = count;
	return PR_OK;
}
