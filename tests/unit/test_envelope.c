/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A copied envelope shares nothing with its original, and a full arena gives no half copy.
 */
#include "tests/unit/unit.h"

#include <postrider/envelope.h>
#include <string.h>

static struct pr_header headers[] = {
    {PR_STR_INIT("Subject"), PR_STR_INIT(" one"), PR_STR_INIT("")}, {PR_STR_INIT("subject"), PR_STR_INIT(" two"), {NULL, 0}},
};
static struct pr_recipient recipients[] = {
    {.address = PR_STR_INIT("<a@b>"), .original = PR_STR_INIT("rfc822;a@b"), .status = PR_STR_INIT("why"), .flags = PR_RECIPIENT_PRIMARY},
    {.address = PR_STR_INIT("|/bin/prog"), .owner = PR_STR_INIT("joe"), .alias = PR_STR_INIT("list"), .owner_uid = 7},
};
static struct pr_macro macros[] = {{PR_STR_INIT("r"), PR_STR_INIT("SMTP")}, {PR_STR_INIT("daemon_flags"), PR_STR_INIT("")}};
static const struct pr_envelope original = {
    .size = sizeof original, .id = PR_STR_INIT("6AKCWE2x026116"), .sender = PR_STR_INIT("<>"), .created = 5, .flags = PR_ENVELOPE_WARNED,
    .headers = headers, .header_count = 2, .recipients = recipients, .recipient_count = 2, .macros = macros, .macro_count = 2,
};

static void test_copy(void)
{
	struct pr_arena arena;

	pr_arena_init(&arena, 10000);
	struct pr_envelope *copy = pr_envelope_copy(&original, &arena);
	CU_ASSERT_FATAL(copy != NULL);
	CU_ASSERT(copy->headers != headers && copy->headers[0].value.data != headers[0].value.data);
	CU_ASSERT(pr_str_equal(copy->id, original.id) && copy->created == 5 && copy->flags == PR_ENVELOPE_WARNED);
	CU_ASSERT(copy->body_type.data == NULL && copy->recipients[0].owner.data == NULL);
	CU_ASSERT(copy->headers[0].condition.data != NULL && copy->headers[1].condition.data == NULL);
	CU_ASSERT_STRING_EQUAL(copy->recipients[1].owner.data, "joe");
	CU_ASSERT_EQUAL(copy->recipients[1].owner_uid, 7);
	CU_ASSERT(pr_str_equal(pr_envelope_macro(copy, PR_STR("r")), PR_STR("SMTP")));
	CU_ASSERT(pr_envelope_macro(copy, PR_STR("R")).data == NULL);
	CU_ASSERT(pr_envelope_macro(copy, PR_STR("daemon_flags")).data != NULL);
	CU_ASSERT(pr_envelope_header(copy, PR_STR("SUBJECT")) == &copy->headers[0]);
	CU_ASSERT(pr_envelope_header(copy, PR_STR("To")) == NULL);
	pr_arena_fini(&arena);
}

static void test_full(void)
{
	struct pr_arena arena;
	size_t need = 0;

	for (size_t max = 0; need == 0; max += 16) {
		pr_arena_init(&arena, max);
		if (pr_envelope_copy(&original, &arena) != NULL)
			need = arena.used;
		pr_arena_fini(&arena);
	}
	CU_ASSERT(need > sizeof original + sizeof headers + sizeof recipients + sizeof macros);
	struct pr_envelope absurd = original;
	absurd.recipient_count = SIZE_MAX / 2;
	pr_arena_init(&arena, 10000);
	CU_ASSERT(pr_envelope_copy(&absurd, &arena) == NULL);
	pr_arena_fini(&arena);
}

static void test_older(void)
{
	struct pr_arena arena;
	struct pr_envelope older = original;

	older.size = offsetof(struct pr_envelope, macros);
	pr_arena_init(&arena, 10000);
	struct pr_envelope *copy = pr_envelope_copy(&older, &arena);
	CU_ASSERT_FATAL(copy != NULL);
	CU_ASSERT(copy->size == sizeof *copy && copy->macros == NULL && copy->macro_count == 0 && copy->recipient_count == 2);
	pr_arena_fini(&arena);
}

/* As sendmail keeps it: a byte of flags, the seconds. */
static void test_deliver_by(void)
{
	static const struct {
		struct pr_str kept;
		bool good;
		uint32_t flags;
		int64_t seconds;
	} rows[] = {
	    {{"\002300", 4}, true, PR_BY_RETURN, 300}, {{"\021-5", 3}, true, PR_BY_NOTIFY | PR_BY_TRACE, -5}, {{"\0010", 2}, true, PR_BY_NOTIFY, 0},
	    {{"\002", 1}, false, 0, 0},               {{"", 0}, false, 0, 0},                                  {{"\002x", 2}, false, 0, 0},
	    {{"\002-", 2}, false, 0, 0},              {{"\0029999999999999999999", 20}, false, 0, 0},
	};
	struct pr_arena arena;

	pr_arena_init(&arena, 10000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pr_macro macro = {PR_STR("!"), rows[i].kept};
		struct pr_envelope envelope = {.size = sizeof envelope, .macros = &macro, .macro_count = 1};
		struct pr_deliver_by by = {.seconds = 77};
		CU_ASSERT(pr_envelope_deliver_by(&envelope, &by) == rows[i].good);
		if (!rows[i].good) {
			CU_ASSERT(by.seconds == 77);
			continue;
		}
		CU_ASSERT(by.flags == rows[i].flags && by.seconds == rows[i].seconds);
		CU_ASSERT(pr_str_equal(pr_deliver_by_print(&by, &arena), rows[i].kept));
	}
	pr_arena_fini(&arena);
}

static const struct unit_case cases[] = {
    {"a deep copy", test_copy}, {"a full arena", test_full}, {"an envelope of an older SDK", test_older}, {"by when it must be delivered", test_deliver_by}, {NULL, NULL},
};

UNIT_MAIN("envelope", cases)
