/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each message whole, byte by byte and in random cuts: the shape is the same.  The long lines are as real sendmail cuts them.
 */
#include "kernel/mail/shape.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct row {
	struct shape shape;
	const char *text, *wanted;
} rows[] = {
	{ { .line_limit = 10 }, "0123456789\n0123456789a\n", "0123456789\n012345678!\n 9a\n" },
	{ { .line_limit = 10 }, "0123456789abcdefghijklmnop\n", "012345678!\n 9abcdefg!\n hijklmnop\n" },
	{ { .line_limit = 10 }, "0123456789abcdefghijklmnopq\n", "012345678!\n 9abcdefg!\n hijklmno!\n pq\n" },
	{ { .line_limit = 10 }, "0123456789", "0123456789" },
	{ { .line_limit = 10 }, "0123456789a", "012345678!\n 9a" },
	{ { .line_limit = 10 }, "\n\n", "\n\n" },
	{ { .line_limit = 1 }, "abcdef\n", "abc!\n def\n" },
	{ { .line_limit = 10, .end_of_line = PR_STR_INIT("\r\n") }, "0123456789a\nb\n", "012345678!\r\n 9a\r\nb\r\n" },
	{ { .end_of_line = PR_STR_INIT("|\n") }, "a\n\nb", "a|\n|\nb|\n" },
	{ { .quote_from = true }, "From here\nFrom\nFrom\there\n From x\nxFrom x\nFrom ", ">From here\nFrom\nFrom\there\n From x\nxFrom x\n>From " },
	{ { .quote_from = true }, "Fro", "Fro" },
	{ { .quote_from = true, .line_limit = 10 }, "From 01234\n", ">From 012!\n 34\n" },
	{ { .hide_dots = true }, ".\n.x\n\nx.\n..", "..\n..x\n\nx.\n..." },
	{ { .hide_dots = true, .line_limit = 4 }, ".bcd\n.bcde\n", "..bcd\n..bc!\n de\n" },
	{ { .blank_end = true }, "a\n", "a\n\n" },
	{ { .blank_end = true }, "a\n\n", "a\n\n" },
	{ { .blank_end = true }, "a", "a\n\n" },
	{ { .blank_end = true, .quote_from = true }, "From x\n", ">From x\n\n" },
	{ { .line_limit = 0 }, "anything\n.\nFrom x\n", "anything\n.\nFrom x\n" },
};

/* As the reader of bodies does it: what passes is copied by itself. */
static void shape_in_cuts(const struct row *row, unsigned int mode, struct pr_text *out)
{
	struct pr_str rest = pr_str(row->text);
	struct shaper shaper;

	shaper_init(&shaper, &row->shape);
	while (rest.len > 0) {
		size_t take = mode == 0 ? rest.len : mode == 1 ? 1 : 1 + (size_t)rand() % 7;
		struct pr_str piece = pr_str_slice(rest, 0, take);
		if (shaper_passes(&shaper, piece))
			pr_text_add_str(out, piece);
		else
			shaper_feed(&shaper, piece, out);
		rest = pr_str_slice(rest, take, rest.len);
	}
	shaper_finish(&shaper, out);
}

static void test_rows(void)
{
	struct pr_text out;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned int mode = 0; mode < 50; mode++) {
			pr_text_init(&out, 1000);
			shape_in_cuts(&rows[i], mode, &out);
			CU_ASSERT_STRING_EQUAL(out.data, rows[i].wanted);
			if (strcmp(out.data, rows[i].wanted) != 0) {
				printf("\n  row %zu, mode %u\n  wanted %s\n  got    %s", i, mode, rows[i].wanted, out.data);
				mode = 50;
			}
			pr_text_fini(&out);
		}
	}
}

static void test_nul(void)
{
	struct shape shape = { .strip_nul = true };
	struct shaper shaper;
	struct pr_text out;

	pr_text_init(&out, 100);
	shaper_init(&shaper, &shape);
	shaper_feed(&shaper, (struct pr_str){ "a\0b\n\0\0c\0", 8 }, &out);
	shaper_finish(&shaper, &out);
	CU_ASSERT_STRING_EQUAL(out.data, "ab\nc");
	pr_text_fini(&out);
}

static void test_plain(void)
{
	struct shape plain = { .line_limit = 0 }, limited = { .line_limit = 10 };
	struct shaper shaper;

	CU_ASSERT(shape_is_plain(&plain));
	CU_ASSERT_FALSE(shape_is_plain(&limited));
	shaper_init(&shaper, &limited);
	CU_ASSERT(shaper_passes(&shaper, PR_STR("012345678")));
	CU_ASSERT_FALSE(shaper_passes(&shaper, PR_STR("9"))); /* it fits, if the line ends here */
	CU_ASSERT(shaper_passes(&shaper, PR_STR("\n0123456789\nx")));
	CU_ASSERT_FALSE(shaper_passes(&shaper, PR_STR("123456789a\n")));
}

static const struct unit_case cases[] = {
	{ "whole, by bytes, in cuts", test_rows }, { "NUL", test_nul }, { "nothing to do", test_plain }, { NULL, NULL },
};
UNIT_MAIN("shape", cases)
