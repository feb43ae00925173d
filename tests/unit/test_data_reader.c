/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes between 354 and the dot: what comes out depends on the bytes only, never on how they were cut.  Lines that are there at once are
 * taken in one row, and a byte at a time takes the other way; both must give the same.
 */
#include "kernel/smtp/data_reader.h"
#include "tests/unit/unit.h"

#include <postrider/text.h>

#include <stdio.h>
#include <string.h>

struct run {
	struct pr_text out, events; /* what was taken off the reader, and a letter for each time it stopped */
	size_t taken;
	uint64_t total;
};

static uint32_t dice = 1;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1103515245u + 12345u;
	return (dice >> 16) % sides;
}

static void feed(struct run *run, bool counted, const char *data, size_t len, size_t cut)
{
	struct data_reader *reader = counted ? data_reader_new_counted() : data_reader_new();
	enum data_event event = DATA_MORE;

	pr_text_init(&run->out, 1u << 20);
	pr_text_init(&run->events, 1u << 12);
	run->taken = 0;
	while (run->taken < len && event != DATA_DOT && event != DATA_BARE_CR && event != DATA_BARE_LF) {
		size_t piece = cut == 0 || cut > len - run->taken ? len - run->taken : cut;

		run->taken += data_reader_input(reader, data + run->taken, piece, &event);
		if (event == DATA_MORE)
			continue;
		pr_text_add_byte(&run->events, (char)('a' + (int)event));
		if (data_reader_inspect(reader).bare_cr)
			event = DATA_BARE_CR;
		pr_text_add(&run->out, reader->buffer, reader->len);
		data_reader_empty(reader);
	}
	pr_text_add(&run->out, reader->buffer, reader->len);
	run->total = reader->total;
	data_reader_free(reader);
}

static void run_fini(struct run *run)
{
	pr_text_fini(&run->out);
	pr_text_fini(&run->events);
}

static bool is_same(const struct run *a, const struct run *b)
{
	return a->taken == b->taken && a->total == b->total && pr_str_equal(pr_text_str(&a->out), pr_text_str(&b->out)) &&
	       pr_str_equal(pr_text_str(&a->events), pr_text_str(&b->events));
}

static void compare(const char *data, size_t len)
{
	static const size_t cuts[] = {1, 2, 7, 80, 1000, 65536};

	for (int counted = 0; counted < 2; counted++) {
		struct run whole, cut;

		feed(&whole, counted != 0, data, len, 0);
		for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
			feed(&cut, counted != 0, data, len, cuts[i]);
			if (!is_same(&whole, &cut))
				printf("%zu bytes in pieces of %zu, counted %d: %zu and %zu taken, events %s and %s\n", len, cuts[i], counted, whole.taken, cut.taken,
				       whole.events.data, cut.events.data);
			CU_ASSERT_TRUE(is_same(&whole, &cut));
			run_fini(&cut);
		}
		run_fini(&whole);
	}
}

static void test_known(void)
{
	static const char in[] = "Subject: x\r\n\r\none\r\n..two\r\n.three\r\n\r\n.\r\nQUIT\r\n";
	struct run run;

	feed(&run, false, in, sizeof in - 1, 0);
	CU_ASSERT_STRING_EQUAL(run.out.data, "Subject: x\n\none\n.two\nthree\n\n");
	CU_ASSERT_STRING_EQUAL(run.events.data, "cd"); /* the header's end, the dot */
	CU_ASSERT_EQUAL(run.taken, sizeof in - 1 - 6);
	run_fini(&run);
	feed(&run, true, in, sizeof in - 1, 0);
	CU_ASSERT_STRING_EQUAL(run.out.data, "Subject: x\n\none\n..two\n.three\n\n.\nQUIT\n");
	run_fini(&run);
}

static void test_odd_ends(void)
{
	static const char *const bodies[] = {
	    "a\r\n\r\nb\nc\r\n.\r\n", "a\r\n\r\nb\rc\r\n.\r\n", "a\r\n\r\nb\r\r\n.\r\n", "a\r\n\r\n.\r\r\n.\r\n", "a\r\n\r\n.\n", "a\r\n\r\n\n.\r\n", "a\r\n\r\n..\r\n.\r\n",
	    "a\r\n\r\n.", "a\r\n\r\n.\r", "a\r\n\r\n\r\n\r\n.\r\n", ".\r\n", "\r\n.\r\n", "a\r\n\r\nx", "a\r\n\r\n\r", "a\r\n\r\n.x\r\n.\r\n.\r\n",
	};

	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		compare(bodies[i], strlen(bodies[i]));
}

/* Long enough for the buffer to be full many times, at every place of a line. */
static void test_any(void)
{
	static char data[300000];

	for (int round = 0; round < 60; round++) {
		size_t len = (size_t)snprintf(data, sizeof data, "Subject: %d\r\n\r\n", round), most = round % 3 == 0 ? 250000 : 3000;

		while (len < most) {
			uint32_t kind = roll(round % 2 == 0 ? 400 : 4000);
			size_t line = kind % 7 == 0 ? roll(2000) : roll(90);

			if (kind % 10 == 1)
				data[len++] = '.';
			if (line > 0 && kind % 10 != 2)
				memset(data + len, 'a' + (int)roll(26), line);
			len += kind % 10 != 2 ? line : 0;
			if (kind == 37)
				data[len++] = round % 4 < 2 ? '\r' : '\n';
			memcpy(data + len, "\r\n", 2);
			len += 2;
		}
		memcpy(data + len, ".\r\nNOOP\r\n", 9);
		compare(data, len + 9);
	}
}

static const struct unit_case cases[] = {
    {"a message", test_known}, {"odd ends of lines", test_odd_ends}, {"any message", test_any}, {NULL, NULL},
};

UNIT_MAIN("the data reader", cases)
