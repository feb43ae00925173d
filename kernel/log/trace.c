/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A line is put together where its bytes come from and leaves in one write, so lines of threads and processes never mix.
 */
#include "kernel/log/trace.h"

#include <postrider/file.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define PER_PROCESS 100000ul

static atomic_int trace_fd = -1;

void trace_start(int fd)
{
	atomic_store(&trace_fd, fd);
}

bool trace_is_on(void)
{
	return atomic_load_explicit(&trace_fd, memory_order_relaxed) >= 0;
}

void trace_init(struct trace *trace)
{
	static atomic_ulong last;

	trace->number = (unsigned long)getpid() * PER_PROCESS + (atomic_fetch_add(&last, 1) + 1) % PER_PROCESS;
	trace->len[TRACE_HEARD] = trace->len[TRACE_SAID] = 0;
}

static void write_line(const struct trace *trace, const char *arrow, struct pr_str text)
{
	struct pr_text line;

	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	pr_text_init(&line, 64 + 4 * TRACE_LINE);
	pr_text_addf(&line, "%05lu %s ", trace->number, arrow);
	pr_text_add_escaped(&line, text, TRACE_LINE);
	pr_text_add_byte(&line, '\n');
	(void)pr_write_all(atomic_load(&trace_fd), line.data, line.len); /* a disk that is full is no reason to stop the mail */
	pr_text_fini(&line);
}

static void end_line(struct trace *trace, enum trace_side side)
{
	write_line(trace, side == TRACE_HEARD ? "<<<" : ">>>", (struct pr_str){trace->text[side], trace->len[side]});
	trace->len[side] = 0;
}

void trace_bytes(struct trace *trace, enum trace_side side, struct pr_str bytes)
{
	while (trace_is_on() && bytes.len > 0) {
		size_t end = pr_str_find(bytes, '\n'), room = TRACE_LINE - trace->len[side], take = end < room ? end : room;
		memcpy(trace->text[side] + trace->len[side], bytes.data, take);
		trace->len[side] += take;
		if (take == end && end < bytes.len) {
			end_line(trace, side);
			take++;
		} else if (trace->len[side] == TRACE_LINE) {
			end_line(trace, side);
		}
		bytes = pr_str_slice(bytes, take, bytes.len);
	}
}

void trace_line(struct trace *trace, enum trace_side side, struct pr_str line)
{
	if (!trace_is_on())
		return;
	if (trace->len[side] > 0)
		end_line(trace, side);
	write_line(trace, side == TRACE_HEARD ? "<<<" : ">>>", line);
}

void trace_event(struct trace *trace, struct pr_str text)
{
	if (trace_is_on())
		write_line(trace, "===", text);
}
