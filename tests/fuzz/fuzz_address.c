/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The address parsers of the SDK: paths, lists of mailboxes, domains, xtext.  They must end, stay inside their input and
 * give pieces that fit together.
 */
#include "tests/fuzz/fuzz.h"

#include <postrider/address.h>

static void check_path(struct pr_str text, struct pr_arena *arena)
{
	struct pr_address address = {PR_NONE, PR_NONE, PR_NONE};
	struct pr_str rest = PR_NONE, why = PR_NONE;

	if (pr_address_path(text, arena, &address, &rest, &why) != PR_OK) {
		FUZZ_CHECK(why.data != NULL && why.len > 0);
		return;
	}
	FUZZ_CHECK(rest.len <= text.len);
	FUZZ_CHECK(rest.len == 0 || rest.data + rest.len == text.data + text.len);
	FUZZ_CHECK(address.full.data != NULL && address.full.len <= PR_ADDRESS_MAX);
	for (size_t i = 0; i < address.full.len; i++)
		FUZZ_CHECK((unsigned char)address.full.data[i] >= 0x20);
	size_t at = address.local.len + (address.domain.len > 0 ? 1 + address.domain.len : 0);
	FUZZ_CHECK(at <= address.full.len && at + 1 >= address.full.len);
}

static void check_list(struct pr_str text, bool alias, struct pr_arena *arena)
{
	struct pr_str rest = text, address = PR_NONE, why = PR_NONE;
	size_t left = text.len + 1;
	enum pr_status status;

	while ((status = pr_address_next(&rest, alias, arena, &address, &why)) != PR_NOTFOUND) {
		FUZZ_CHECK(status == PR_OK || status == PR_PERMFAIL || status == PR_TEMPFAIL);
		FUZZ_CHECK(rest.len < left);
		left = rest.len;
		if (status == PR_TEMPFAIL)
			break;
		FUZZ_CHECK(status == PR_OK ? address.data != NULL : why.len > 0);
	}
}

static void check_xtext(struct pr_str text, struct pr_arena *arena)
{
	struct pr_str decoded = PR_NONE, again = PR_NONE;
	struct pr_text encoded;

	pr_text_init(&encoded, 4 * text.len + 1);
	if (pr_xtext_decode(text, arena, &decoded)) {
		for (size_t i = 0; i < decoded.len; i++)
			FUZZ_CHECK((unsigned char)decoded.data[i] >= 0x20 && decoded.data[i] != 0x7f);
		FUZZ_CHECK(pr_xtext_encode(decoded, &encoded));
		FUZZ_CHECK(pr_xtext_decode(pr_text_str(&encoded), arena, &again));
		FUZZ_CHECK(pr_str_equal(decoded, again));
	}
	pr_text_fini(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str text = {(const char *)data, size};
	struct pr_arena arena;
	struct pr_address address;

	pr_arena_init(&arena, 16 * size + 65536);
	check_path(text, &arena);
	check_list(text, false, &arena);
	check_list(text, true, &arena);
	check_xtext(text, &arena);
	pr_address_split(pr_address_inner(text), &address);
	(void)pr_domain_is_valid(text);
	pr_arena_fini(&arena);
	return 0;
}
