/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header: read whole and in cuts it must be the same header; nothing of the input is lost or doubled; a rewriting
 * that changes nothing changes no byte.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/mail/header.h"

static struct header_reader *read_header(struct pr_str text, size_t max, uint32_t cuts, size_t *taken_out)
{
	struct header_reader *reader = header_reader_new(max);
	size_t at = 0;
	bool done = false;

	while (at < text.len && !done) {
		size_t piece = cuts != 0 ? 1 + fuzz_random(&cuts) % 5 : text.len;
		piece = piece < text.len - at ? piece : text.len - at;
		size_t taken = header_reader_input(reader, text.data + at, piece, &done);
		FUZZ_CHECK(taken == piece || done);
		at += taken;
	}
	if (!done)
		header_reader_end(reader);
	*taken_out = at;
	return reader;
}

static void compare(const struct header_reader *a, const struct header_reader *b)
{
	size_t count, other;
	const struct pr_header *fields = header_reader_fields(a, &count), *others = header_reader_fields(b, &other);

	FUZZ_CHECK(count == other && header_reader_too_large(a) == header_reader_too_large(b));
	FUZZ_CHECK(pr_str_equal(header_reader_rest(a), header_reader_rest(b)));
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(pr_str_equal(fields[i].name, others[i].name) && pr_str_equal(fields[i].value, others[i].value));
		FUZZ_CHECK(fields[i].name.len > 0 && fields[i].value.data[fields[i].value.len] == '\0');
		for (size_t at = 0; at + 1 < fields[i].value.len; at++)
			FUZZ_CHECK(fields[i].value.data[at] != '\n' || fields[i].value.data[at + 1] == ' ' ||
			           fields[i].value.data[at + 1] == '\t');
	}
}

static struct pr_str same(void *context, struct pr_str address)
{
	FUZZ_CHECK(address.len > 0);
	++*(size_t *)context;
	return address;
}

static struct pr_str other(void *context, struct pr_str address)
{
	(void)address;
	++*(size_t *)context;
	return PR_STR("x@y");
}

static void check_rewrite(struct pr_str value)
{
	struct pr_arena arena;
	struct pr_str out = PR_NONE, twice = PR_NONE;
	size_t calls = 0, again = 0;

	pr_arena_init(&arena, 64 * value.len + 65536);
	FUZZ_CHECK(header_rewrite_addresses(PR_STR("To"), value, same, &calls, &arena, &out) == PR_OK);
	FUZZ_CHECK(header_rewrite_addresses(PR_STR("To"), out, same, &again, &arena, &twice) == PR_OK);
	FUZZ_CHECK(pr_str_equal(out, twice) && calls == again);
	again = 0;
	FUZZ_CHECK(header_rewrite_addresses(PR_STR("To"), value, other, &again, &arena, &out) == PR_OK);
	FUZZ_CHECK(calls == again);
	pr_arena_fini(&arena);
}

static void check_complete(const struct pr_header *fields, size_t count, struct pr_str facts_text)
{
	struct header_facts facts = {.id = PR_STR("ID"), .host_name = PR_STR("h"), .helo = facts_text, .client = facts_text,
	    .version = PR_STR("1"), .only_recipient = facts_text, .sender = facts_text, .full_name = facts_text, .add_missing = 1};
	struct pr_arena arena;
	struct pr_header *out;
	size_t out_count;

	pr_arena_init(&arena, 64 * facts_text.len + 256 * count + 65536);
	FUZZ_CHECK(header_complete(&facts, fields, count, &arena, &out, &out_count) == PR_OK);
	FUZZ_CHECK(out_count <= count + 7 && out_count >= 1);
	for (size_t at = 0; at + 1 < out[0].value.len; at++)
		FUZZ_CHECK(out[0].value.data[at] != '\n' || out[0].value.data[at + 1] == '\t');
	pr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t taken, taken_cut, count;

	if (size < 2)
		return 0;
	struct pr_str text = {(const char *)data + 2, size - 2};
	size_t max = data[0] & 1 ? 100 : 0;
	struct header_reader *whole = read_header(text, max, 0, &taken), *cut = read_header(text, max, data[1] + 1u, &taken_cut);
	FUZZ_CHECK(taken == taken_cut);
	compare(whole, cut);
	const struct pr_header *fields = header_reader_fields(whole, &count);
	for (size_t i = 0; i < count; i++)
		check_rewrite(fields[i].value);
	check_rewrite(text);
	check_complete(fields, count, pr_str_slice(text, 0, 300));
	(void)header_hops(fields, count);
	header_reader_free(whole);
	header_reader_free(cut);
	return 0;
}
