/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The message on the wire: LF becomes CRLF, a leading dot is doubled, and no bare CR or LF ever leaves.
 * Lines are found by memchr and gathered in one buffer - whole ones without a CR in one row, anything else bit by bit - so that a small message with its final dot is one send.  A full buffer is one chunk where
 * chunks are sent; while it is on its way the answer to the one before is read, so at most two are under way.
 */
#include "smtp.h"

#include <string.h>

#define BUFFER 65536
#define PIECE 32768
#define IN_A_ROW 512 /* less room or text is not worth looking for whole lines */

struct content {
	struct smtp_run *run;
	struct pr_text out;
	bool in_line;    /* something of the current line was written */
	bool cr_pending; /* a CR at the end of the last piece: line end or not? */
	bool chunked;
	uint32_t unanswered; /* chunks */
	struct smtp_reply refused;
	enum pr_status status;
};

bool smtp_uses_chunks(const struct smtp_run *run)
{
	return run->smtp->chunking && (run->session->extensions & SMTP_CHUNKING) != 0;
}

static void read_answer(struct content *content)
{
	struct smtp_run *run = content->run;
	struct smtp_reply reply = {0};

	if (content->status == PR_OK)
		content->status = smtp_read_reply(run->call, run->session, run->smtp->wait[SMTP_WAIT_DATABLOCK], &reply);
	content->unanswered--;
	if (content->status == PR_OK && reply.code / 100 != 2 && content->refused.code == 0)
		content->refused = reply;
}

static void send_chunk(struct content *content, const char *last)
{
	struct smtp_run *run = content->run;
	struct pr_str bytes = pr_text_str(&content->out);
	char command[64];

	pr_print(command, sizeof command, "BDAT %zu%s\r\n", bytes.len, last);
	if (content->status == PR_OK)
		content->status = smtp_send(run->call, run->session, pr_str(command), run->smtp->wait[SMTP_WAIT_DATABLOCK]);
	pr_progress(run->call, PR_PROGRESS_MESSAGE, bytes);
	if (content->status == PR_OK)
		content->status = smtp_send_content(run->call, run->session, bytes, run->smtp->wait[SMTP_WAIT_DATABLOCK]);
	if (content->unanswered++ > 0)
		read_answer(content);
}

static void flush(struct content *content)
{
	struct smtp_run *run = content->run;

	if (content->chunked && content->refused.code == 0)
		send_chunk(content, "");
	else if (content->status == PR_OK && !content->chunked) {
		pr_progress(run->call, PR_PROGRESS_MESSAGE, pr_text_str(&content->out));
		content->status = smtp_send_content(run->call, run->session, pr_text_str(&content->out), run->smtp->wait[SMTP_WAIT_DATABLOCK]);
	}
	pr_text_clear(&content->out);
}

static void add(struct content *content, const char *data, size_t len)
{
	while (len > 0) {
		size_t room = BUFFER - content->out.len;
		size_t take = len < room ? len : room;
		pr_text_add(&content->out, data, take);
		data += take;
		len -= take;
		if (content->out.len == BUFFER)
			flush(content);
	}
}

static void begin_line(struct content *content, char first)
{
	if (!content->in_line && first == '.' && !content->chunked)
		add(content, ".", 1);
	content->in_line = true;
}

/* Part of a line without LF.  A CR inside becomes a blank: a bare one would be an end of line to some (smuggling). */
static void add_part(struct content *content, const char *data, size_t len)
{
	while (len > 0) {
		const char *cr = memchr(data, '\r', len);
		size_t take = cr != NULL ? (size_t)(cr - data) : len;
		if (content->cr_pending) {
			begin_line(content, ' ');
			add(content, " ", 1);
			content->cr_pending = false;
		}
		if (take > 0) {
			begin_line(content, data[0]);
			add(content, data, take);
		}
		if (cr != NULL) {
			content->cr_pending = true;
			take++;
		}
		data += take;
		len -= take;
	}
}

static void end_line(struct content *content)
{
	content->cr_pending = false; /* it belonged to the line end */
	add(content, "\r\n", 2);
	content->in_line = false;
}

/* Whole lines from `at` on, at most twice as long when they are written; where the rest begins. */
static const char *add_lines(struct content *content, const char *at, const char *end)
{
	size_t room = (BUFFER - content->out.len) / 2;
	const char *stop = (size_t)(end - at) > room ? at + room : end, *cr = memchr(at, '\r', (size_t)(stop - at)), *newline;

	stop = cr != NULL ? cr : stop;
	if (content->in_line || stop - at < IN_A_ROW || !pr_text_reserve(&content->out, 2 * (size_t)(stop - at)))
		return at;
	char *out = content->out.data + content->out.len;
	while (at < stop && (newline = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
		size_t text = (size_t)(newline - at);
		if (*at == '.' && !content->chunked)
			*out++ = '.';
		memcpy(out, at, text);
		memcpy(out + text, "\r\n", 2);
		out += text + 2;
		at = newline + 1;
	}
	pr_text_extend(&content->out, (size_t)(out - content->out.data) - content->out.len);
	return at;
}

static void encode(struct content *content, struct pr_str bytes)
{
	const char *at = bytes.data, *end = bytes.data + bytes.len;

	while (at < end) {
		const char *rest = content->cr_pending ? at : add_lines(content, at, end);
		if (rest > at) {
			at = rest;
			continue;
		}
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		add_part(content, at, (size_t)((newline != NULL ? newline : end) - at));
		if (newline == NULL)
			return;
		end_line(content);
		at = newline + 1;
	}
}

static void encode_body(struct content *content)
{
	struct smtp_run *run = content->run;
	char piece[PIECE];
	size_t length = 0;

	do {
		enum pr_status status = run->body->read(run->body, run->call, piece, sizeof piece, &length);
		if (status != PR_OK) { /* half a message must not become a whole one: no dot */
			content->status = PR_TEMPFAIL;
			return;
		}
		encode(content, (struct pr_str){piece, length});
	} while (length > 0 && content->status == PR_OK && content->refused.code == 0);
}

static void send_dot(struct content *content, bool *end_out)
{
	add(content, ".\r\n", 3);
	*end_out = content->status == PR_OK;
	pr_progress(content->run->call, PR_PROGRESS_SENT, PR_STR("."));
	flush(content);
}

/* With nothing left to be read but the answer to it, or nothing at all when some chunk was refused. */
static void send_last_chunk(struct content *content, bool *end_out)
{
	if (content->refused.code == 0) {
		*end_out = content->status == PR_OK;
		send_chunk(content, " LAST");
	}
	while (content->refused.code != 0 && content->unanswered > 0)
		read_answer(content);
}

enum pr_status smtp_content_send(struct smtp_run *run, bool *end_out, struct smtp_reply *refused_out)
{
	struct content content = {.run = run, .chunked = smtp_uses_chunks(run)};

	*end_out = false;
	pr_text_init(&content.out, BUFFER);
	encode(&content, pr_text_str(&run->header));
	if (run->body != NULL && run->body->rewind(run->body, run->call) != PR_OK)
		content.status = PR_TEMPFAIL;
	else if (run->body != NULL)
		encode_body(&content);
	if (content.status == PR_OK && (content.in_line || content.cr_pending))
		end_line(&content);
	if (content.status == PR_OK)
		(content.chunked ? send_last_chunk : send_dot)(&content, end_out);
	*refused_out = content.refused;
	pr_text_fini(&content.out);
	return content.status;
}
