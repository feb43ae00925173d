/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a next host says.  Replies are read until one is none, or the bytes end; however the network cuts them they are the same replies, and
 * what is kept of them is short, printable and has the code that it says.
 */
#include "modules/mailers/smtp/smtp.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

static struct pr_str left;
static size_t piece;

static int64_t say(struct pr_tls *tls, void *buffer, size_t room)
{
	size_t len = left.len < room ? left.len : room;

	(void)tls;
	len = len < piece ? len : piece;
	memcpy(buffer, left.data, len);
	left = pr_str_slice(left, len, left.len);
	return (int64_t)len; /* 0: it has hung up */
}

static void check_reply(const struct smtp_reply *reply)
{
	struct smtp_outcome outcome = smtp_outcome_of(reply, PR_STR("NOOP"));

	FUZZ_CHECK(reply->code >= 100 && reply->code < 600);
	FUZZ_CHECK(reply->text.len >= 3 && reply->text.len <= SMTP_REPLY_KEPT);
	FUZZ_CHECK((uint32_t)(reply->text.data[0] - '0') == reply->code / 100);
	for (size_t i = 0; i < reply->text.len; i++) {
		unsigned char c = (unsigned char)reply->text.data[i];
		FUZZ_CHECK(c == '\n' || (c >= ' ' && c != 127));
	}
	FUZZ_CHECK(reply->enhanced.len == 0 || (uint32_t)(reply->enhanced.data[0] - '0') == reply->code / 100);
	FUZZ_CHECK((outcome.status == PR_OK) == (reply->code / 100 == 2));
}

/* All replies as one text, and at the end why there was no other. */
static void read_all(struct pr_str bytes, size_t cut, struct pr_text *out)
{
	static const struct pr_host host = {.size = sizeof host, .tls_read = say};
	struct smtp_session *session = pr_alloc(sizeof *session);
	struct smtp_reply reply;
	struct pr_arena arena;
	enum pr_status status;
	unsigned int count = 0;

	session->host = &host;
	session->tls = (struct pr_tls *)session; /* there is one: nothing looks into it */
	(void)pr_print(session->name, sizeof session->name, "far.example.");
	left = bytes;
	piece = cut;
	pr_arena_init(&arena, 1u << 22);
	struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena};
	while ((status = smtp_read_reply(&call, session, 60, &reply)) == PR_OK && ++count < 1000) {
		check_reply(&reply);
		pr_text_addf(out, "%u %.*s|%.*s\n", reply.code, PR_PRINT(reply.enhanced), PR_PRINT(reply.text));
	}
	FUZZ_CHECK(status == PR_OK || (status == PR_TEMPFAIL && call.reason.len > 0));
	if (status != PR_OK)
		pr_text_add_str(out, call.reason);
	pr_arena_fini(&arena);
	pr_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_text whole, pieces;

	if (size < 1 || size > 200000)
		return 0;
	struct pr_str bytes = {(const char *)data + 1, size - 1};
	pr_text_init(&whole, SIZE_MAX / 4);
	pr_text_init(&pieces, SIZE_MAX / 4);
	errno = ECONNRESET;
	read_all(bytes, SIZE_MAX, &whole);
	read_all(bytes, (size_t)data[0] + 1, &pieces);
	FUZZ_CHECK(pr_str_equal(pr_text_str(&whole), pr_text_str(&pieces)));
	pr_text_fini(&whole);
	pr_text_fini(&pieces);
	return 0;
}
