/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message in chunks (RFC 3030).  The first byte chooses the cuts of the network; then each chunk is a byte of length and its octets.  A second,
 * stateless opinion about the whole says whether it may be taken, and with how many bytes; and whatever stands in a chunk, the command
 * behind it is answered as a command.
 */
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"

/* With LF line ends and one at the end, or -1: a CR or LF stands alone. */
static long length_of(struct pr_str text)
{
	long len = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool pair = text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] == '\n';
		if (!pair && (text.data[i] == '\r' || text.data[i] == '\n'))
			return -1;
		i += pair;
		len++;
	}
	return len + (text.len > 0 && text.data[text.len - 1] != '\n');
}

/* The chunks as commands into `talk`, their octets into `text`. */
static void cut_chunks(const uint8_t *data, size_t size, struct pr_text *talk, struct pr_text *text)
{
	size_t at = 0;

	do {
		size_t left = size - at, len = at < size ? data[at] : 0;
		at += at < size;
		len = len < size - at ? len : size - at;
		bool last = at + len == size;
		pr_text_addf(talk, "BDAT %zu%s\r\n", len, last ? " LAST" : left % 2 == 0 ? " " : "");
		pr_text_add(talk, (const char *)data + at, len);
		pr_text_add(text, (const char *)data + at, len);
		at += len;
		if (last)
			return;
	} while (true);
}

static void check(const char *before, struct pr_str talk, uint32_t cuts, long len)
{
	struct conversation conversation;
	struct smtp_settings settings;
	struct pr_text all;
	char expected[64];

	conversation_settings(&settings, 0);
	pr_text_init(&all, SIZE_MAX / 4);
	pr_text_add_c(&all, before);
	pr_text_add_str(&all, talk);
	pr_text_add_c(&all, "NOOP\r\n");
	conversation_run(&conversation, &settings, pr_text_str(&all), 0, cuts);
	conversation_check_replies(pr_text_str(&conversation.said));
	FUZZ_CHECK(conversation.committed == (before[0] != '\0' && len >= 0));
	snprintf(expected, sizeof expected, "%d %ld \n", (int)SMTP_ASK_END, len);
	FUZZ_CHECK(conversation.committed == 0 || pr_str_has_suffix_nocase(pr_text_str(&conversation.asked), pr_str(expected)));
	bool in_step = before[0] == '\0' || len >= 0;
	FUZZ_CHECK(pr_str_has_suffix_nocase(pr_text_str(&conversation.said), in_step ? PR_STR("\r\n250 2.0.0 OK\r\n") : PR_STR(" not allowed\r\n")));
	pr_text_fini(&all);
	conversation_fini(&conversation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_text talk, text;

	if (size < 2 || size > 100000)
		return 0;
	pr_text_init(&talk, SIZE_MAX / 4);
	pr_text_init(&text, SIZE_MAX / 4);
	cut_chunks(data + 1, size - 1, &talk, &text);
	long len = length_of(pr_text_str(&text));
	check("MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", pr_text_str(&talk), 0, len);
	check("MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", pr_text_str(&talk), data[0] + 1u, len);
	check("", pr_text_str(&talk), data[0] + 1u, len); /* nobody asked for it */
	pr_text_fini(&talk);
	pr_text_fini(&text);
	return 0;
}
