/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One command line, in a fresh session and inside a transaction: whatever it is, it gets exactly one reply (or 354, or
 * the connection ends), and the next command is understood.
 */
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"

static uint32_t count_replies(struct pr_str said)
{
	uint32_t replies = 0;

	for (size_t at = 0; at < said.len;) {
		const char *end = memchr(said.data + at, '\n', said.len - at);
		replies += said.data[at + 3] == ' ';
		at = (size_t)(end - said.data) + 1;
	}
	return replies;
}

static void run(struct pr_str line, const char *before, uint32_t replies_before, uint8_t flags)
{
	struct smtp_settings settings;
	struct conversation conversation;
	struct pr_text text;

	conversation_settings(&settings, flags);
	pr_text_init(&text, line.len + 200);
	pr_text_add_c(&text, before);
	pr_text_add_str(&text, line);
	pr_text_add_c(&text, "\r\n");
	conversation_run(&conversation, &settings, pr_text_str(&text), 0, 0);
	conversation_check_replies(pr_text_str(&conversation.said));
	FUZZ_CHECK(count_replies(pr_text_str(&conversation.said)) == replies_before + 1);
	conversation_fini(&conversation);
	pr_text_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 4096 || memchr(data, '\n', size) != NULL)
		return 0;
	/* without limits on HELO and recipients, so that the line is reached */
	struct pr_str line = {(const char *)data + 1, size - 1};
	uint8_t flags = data[0] & 0x1f;
	run(line, "", 1, flags);
	run(line, "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", 4, flags);
	return 0;
}
