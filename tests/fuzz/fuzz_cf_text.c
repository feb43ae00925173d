/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame of an address and its tokens.  What is cut stays within the limits and survives being joined and cut again; a frame has at most
 * one place for the address.
 */
#include "modules/rules/cf/crack.h"
#include "modules/rules/cf/join.h"
#include "tests/fuzz/fuzz.h"

static void frame(struct pr_str text, bool groups)
{
	struct pr_text out, whole;
	size_t marks = 0;

	pr_text_init(&out, 4 * text.len + 100);
	pr_text_init(&whole, 8 * text.len + 200);
	cf_crack(text, groups, "@,;:\\()[].", &out);
	for (size_t i = 0; i < out.len; i++)
		marks += out.data[i] == CF_FRAME_MARK[0];
	FUZZ_CHECK(marks <= 1 || memchr(text.data, CF_FRAME_MARK[0], text.len) != NULL);
	cf_frame_print(pr_text_str(&out), PR_STR("a@b"), &whole);
	FUZZ_CHECK(!whole.overflow);
	pr_text_fini(&out);
	pr_text_fini(&whole);
}

static bool cut(struct pr_arena *arena, const struct cf_alphabet *alphabet, struct pr_str text, uint32_t flags, char delimiter, struct cf_tokens *out)
{
	struct cf_scan scan = { .alphabet = alphabet, .arena = arena, .text = text, .flags = flags, .delimiter = delimiter };

	out->count = 0;
	bool good = cf_scan(&scan, out);
	FUZZ_CHECK(scan.end <= text.len && scan.problem_count <= CF_PROBLEMS && (good || scan.problem_count > 0));
	for (uint32_t i = 0; i < out->count; i++)
		FUZZ_CHECK(out->at[i].length > 0 && out->at[i].length <= CF_TOKEN_LENGTH_MAX && cf_is_plain(&out->at[i]));
	return good;
}

/* Joined and cut again an address is what it was, as long as the blank between atoms is a blank. */
static void round_trip(struct pr_arena *arena, const struct cf_alphabet *alphabet, const struct cf_tokens *tokens)
{
	struct cf_tokens again = {0};
	struct pr_str text = cf_join_arena(alphabet, tokens->at, tokens->count, ' ', arena);

	if (cut(arena, alphabet, text, 0, '\0', &again)) {
		FUZZ_CHECK(again.count == tokens->count);
		for (uint32_t i = 0; i < again.count; i++)
			FUZZ_CHECK(cf_token_equal(&again.at[i], &tokens->at[i]));
	}
	cf_tokens_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str text = { (const char *)data, size };
	struct cf_alphabet alphabet;
	struct cf_tokens tokens = {0};
	struct pr_arena arena;

	if (size == 0)
		return 0;
	pr_arena_init(&arena, (size_t)64 << 20);
	cf_alphabet_init(&alphabet, PR_STR(".:%@!^/[]+"), ' ');
	frame(text, true);
	frame(text, false);
	for (uint32_t flags = 0; flags <= (CF_SCAN_COMMENTS | CF_SCAN_LOOSE); flags++) {
		cut(&arena, &alphabet, text, flags, ',', &tokens);
		if (cut(&arena, &alphabet, text, flags, '\0', &tokens) && flags == 0)
			round_trip(&arena, &alphabet, &tokens);
	}
	cf_tokens_fini(&tokens);
	pr_arena_fini(&arena);
	return 0;
}
