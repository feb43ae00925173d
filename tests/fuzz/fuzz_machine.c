/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole conversation.  Three bytes choose settings, the driver's answers and the cuts; the rest is what the client sends, once in one
 * piece and once in cuts: replies and questions must be the same and well-formed, and a second, stateless reader must agree about the data.
 */
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"

static uint32_t count(struct pr_str bytes, struct pr_str word)
{
	uint32_t found = 0;

	for (size_t i = 0; i + word.len <= bytes.len; i++)
		found += pr_str_equal_nocase(pr_str_slice(bytes, i, i + word.len), word);
	return found;
}

/* A second opinion about the data, written as plainly as RFC 5321 section 4.5.2 says it: reads one message, a byte at a time.  Its length
 * with LF line ends, or -1 when there is no end or a bare CR or LF comes first.  *used_out counts the bytes of it. */
static long read_message(struct pr_str bytes, size_t *used_out)
{
	long len = 0;
	size_t i = 0;

	while (i < bytes.len) {
		struct pr_str line = pr_str_slice(bytes, i, bytes.len);
		size_t end = 0;
		while (end < line.len && line.data[end] != '\r' && line.data[end] != '\n')
			end++;
		if (end + 1 >= line.len || line.data[end] != '\r' || line.data[end + 1] != '\n')
			return -1;
		i += end + 2;
		if (end == 1 && line.data[0] == '.') {
			*used_out = i;
			return len;
		}
		len += (long)(end - (end > 0 && line.data[0] == '.') + 1);
	}
	return -1;
}

/* The same bytes as one message's data: taken exactly when the second opinion has an end, with that length and nothing behind it. */
static void check_data(struct pr_str bytes, uint32_t cuts)
{
	struct smtp_settings settings;
	struct conversation conversation;
	struct pr_text text;
	char expected[64];
	size_t used = 0;
	long len = read_message(bytes, &used);

	conversation_settings(&settings, 0);
	pr_text_init(&text, bytes.len + 100);
	pr_text_add_c(&text, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n");
	pr_text_add_str(&text, pr_str_slice(bytes, 0, len >= 0 ? used : bytes.len));
	conversation_run(&conversation, &settings, pr_text_str(&text), 0, cuts);
	FUZZ_CHECK(conversation.committed == (len >= 0));
	snprintf(expected, sizeof expected, "%d %ld \n", (int)SMTP_ASK_END, len);
	FUZZ_CHECK(len < 0 || pr_str_has_suffix_nocase(pr_text_str(&conversation.asked), pr_str(expected)));
	pr_text_fini(&text);
	conversation_fini(&conversation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conversation whole, cut;
	struct smtp_settings settings;

	if (size < 3 || size > 300000)
		return 0;
	struct pr_str bytes = {(const char *)data + 3, size - 3};
	conversation_settings(&settings, data[0]);
	conversation_run(&whole, &settings, bytes, data[1], 0);
	conversation_run(&cut, &settings, bytes, data[1], data[2] + 1u);
	FUZZ_CHECK(pr_str_equal(pr_text_str(&whole.said), pr_text_str(&cut.said)));
	FUZZ_CHECK(pr_str_equal(pr_text_str(&whole.asked), pr_text_str(&cut.asked)));
	conversation_check_replies(pr_text_str(&whole.said));
	FUZZ_CHECK(whole.committed <= count(bytes, PR_STR("\n.\r\n")) + count(bytes, PR_STR("LAST")));
	FUZZ_CHECK(whole.committed <= count(bytes, PR_STR("DATA")) + count(bytes, PR_STR("BDAT")));
	conversation_fini(&whole);
	conversation_fini(&cut);
	check_data(bytes, data[2]);
	return 0;
}
