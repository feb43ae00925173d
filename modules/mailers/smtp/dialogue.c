/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One side of the conversation: sends bytes, reads replies, says hello and good-bye.
 * The socket is blocking with a short receive timeout, so that a reply costs one system call and a long wait is
 * still cut at its deadline; all limits on what the other side may say stand here.
 */
#include "smtp.h"

#include <postrider/address.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t smtp_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t deadline_of(const struct pr_call *call, int64_t seconds)
{
	return smtp_now_ms() + pr_call_remaining(call, seconds * 1000);
}

void smtp_drop(struct smtp_session *session)
{
	if (session->tls != NULL)
		session->host->tls_end(session->tls);
	session->tls = NULL;
	if (session->open)
		close(session->fd);
	session->open = 0;
	session->begin = session->end = 0;
}

static ssize_t put(struct smtp_session *session, struct pr_str bytes)
{
	if (session->tls != NULL)
		return (ssize_t)session->host->tls_write(session->tls, bytes.data, bytes.len);
	return send(session->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
}

static ssize_t get(struct smtp_session *session)
{
	if (session->tls != NULL)
		return (ssize_t)session->host->tls_read(session->tls, session->input, sizeof session->input);
	return recv(session->fd, session->input, sizeof session->input, 0);
}

static enum pr_status lost(struct pr_call *call, const struct smtp_session *session, int error)
{
	bool late = error == EAGAIN || error == EWOULDBLOCK || error == ETIMEDOUT;

	return pr_fail(call, PR_TEMPFAIL, "Deferred: Connection %s %s", late ? "timed out with" : "reset by", session->name);
}

enum pr_status smtp_send_content(struct pr_call *call, struct smtp_session *session, struct pr_str bytes, int64_t seconds)
{
	int64_t deadline = 0;

	while (bytes.len > 0) {
		ssize_t sent = put(session, bytes);
		if (sent > 0) {
			bytes = pr_str_slice(bytes, (size_t)sent, bytes.len);
			deadline = 0; /* progress: the wait begins anew */
			continue;
		}
		int error = errno;
		if (error != EINTR && error != EAGAIN && error != EWOULDBLOCK)
			return lost(call, session, error);
		if (deadline == 0)
			deadline = deadline_of(call, seconds);
		else if (smtp_now_ms() >= deadline)
			return lost(call, session, EAGAIN);
	}
	return PR_OK;
}

enum pr_status smtp_send(struct pr_call *call, struct smtp_session *session, struct pr_str bytes, int64_t seconds)
{
	pr_progress(call, PR_PROGRESS_SENT, bytes);
	return smtp_send_content(call, session, bytes, seconds);
}

static enum pr_status fill(struct pr_call *call, struct smtp_session *session, int64_t deadline)
{
	for (;;) {
		ssize_t got = get(session);
		if (got > 0) {
			session->begin = 0;
			session->end = (size_t)got;
			session->heard = smtp_now_ms();
			return PR_OK;
		}
		int error = got == 0 ? ECONNRESET : errno;
		if (error != EINTR && error != EAGAIN && error != EWOULDBLOCK)
			return lost(call, session, error);
		if (smtp_now_ms() >= deadline)
			return lost(call, session, EAGAIN);
	}
}

/* One line without its end; what is beyond the room is read and forgotten.  *seen counts every byte. */
static enum pr_status read_line(struct pr_call *call, struct smtp_session *session, int64_t deadline, char *line, size_t room,
                                size_t *length_out, size_t *seen)
{
	size_t length = 0;

	for (;;) {
		if (session->begin == session->end) {
			enum pr_status status = fill(call, session, deadline);
			if (status != PR_OK)
				return status;
		}
		const char *start = session->input + session->begin;
		size_t left = session->end - session->begin;
		const char *newline = memchr(start, '\n', left);
		size_t take = newline != NULL ? (size_t)(newline - start) : left;
		size_t keep = take < room - length ? take : room - length;
		memcpy(line + length, start, keep);
		length += keep;
		session->begin += take + (newline != NULL);
		*seen += take + 1;
		if (*seen > SMTP_REPLY_BYTES)
			return pr_fail(call, PR_TEMPFAIL, "Deferred: %s: reply longer than %d bytes", session->name, SMTP_REPLY_BYTES);
		/* a peer that drips bytes must not outlive the deadline */
		if (newline == NULL && smtp_now_ms() >= deadline)
			return lost(call, session, EAGAIN);
		if (newline != NULL) {
			while (length > 0 && line[length - 1] == '\r')
				length--;
			*length_out = length;
			return PR_OK;
		}
	}
}

static bool is_reply_line(const char *line, size_t length)
{
	if (length < 3 || line[0] < '1' || line[0] > '5')
		return false;
	for (int i = 1; i < 3; i++)
		if (line[i] < '0' || line[i] > '9')
			return false;
	return length == 3 || line[3] == ' ' || line[3] == '-';
}

/* What a stranger says ends in logs, queue files and bounces: no controls, and not without end. */
static void keep_line(struct pr_text *text, const char *line, size_t length)
{
	if (text->len + length + 1 > SMTP_REPLY_KEPT)
		length = text->len + 1 < SMTP_REPLY_KEPT ? SMTP_REPLY_KEPT - text->len - 1 : 0;
	if (length == 0)
		return;
	if (text->len > 0)
		pr_text_add_byte(text, '\n');
	size_t start = text->len;
	if (!pr_text_add(text, line, length))
		return;
	for (size_t i = start; i < text->len; i++)
		if ((unsigned char)text->data[i] < 0x20 || text->data[i] == 0x7f)
			text->data[i] = text->data[i] == '\t' ? ' ' : '?';
}

/* "5.1.1" after the code, its class equal to the code's (RFC 2034) */
static struct pr_str find_enhanced(struct pr_str text, uint32_t code)
{
	size_t dots = 0, at = 4;

	if (text.len < 9 || (uint32_t)(text.data[4] - '0') != code / 100)
		return PR_NONE;
	for (; at < text.len && at < 16; at++) {
		if (text.data[at] == '.' && text.data[at - 1] != '.')
			dots++;
		else if (text.data[at] < '0' || text.data[at] > '9')
			break;
	}
	bool ends = at == text.len || text.data[at] == ' ' || text.data[at] == '\n';
	return dots == 2 && ends && text.data[at - 1] != '.' ? pr_str_slice(text, 4, at) : PR_NONE;
}

enum pr_status smtp_read_reply(struct pr_call *call, struct smtp_session *session, int64_t seconds, struct smtp_reply *reply_out)
{
	int64_t deadline = deadline_of(call, seconds);
	struct pr_text text;
	enum pr_status status;
	char line[SMTP_LINE_MAX];
	size_t length = 0, seen = 0, lines = 0;

	pr_text_init(&text, SMTP_REPLY_KEPT + 1);
	do {
		status = read_line(call, session, deadline, line, sizeof line, &length, &seen);
		if (status != PR_OK)
			break;
		pr_progress(call, PR_PROGRESS_RECEIVED, (struct pr_str){line, length});
		if (!is_reply_line(line, length))
			status = pr_fail(call, PR_TEMPFAIL, "Deferred: %s: Protocol error: not an SMTP reply", session->name);
		else if (++lines > SMTP_REPLY_LINES)
			status = pr_fail(call, PR_TEMPFAIL, "Deferred: %s: reply of more than %d lines", session->name, SMTP_REPLY_LINES);
		else if (lines > 1 && strncmp(text.data, line, 3) != 0)
			status = pr_fail(call, PR_TEMPFAIL, "Deferred: %s: Protocol error: two codes in one reply", session->name);
		else
			keep_line(&text, line, length);
	} while (status == PR_OK && length > 3 && line[3] == '-');
	if (status == PR_OK) {
		reply_out->text = pr_arena_copy(call->arena, pr_text_str(&text));
		reply_out->code = (uint32_t)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
		reply_out->enhanced = find_enhanced(reply_out->text, reply_out->code);
		if (reply_out->text.data == NULL)
			status = pr_fail(call, PR_TEMPFAIL, "out of memory");
	}
	pr_text_fini(&text);
	return status;
}

enum pr_status smtp_command(struct pr_call *call, struct smtp_session *session, struct pr_str line, int64_t seconds,
                            struct smtp_reply *reply_out)
{
	enum pr_status status = smtp_send(call, session, line, seconds);

	return status == PR_OK ? smtp_read_reply(call, session, seconds, reply_out) : status;
}

struct smtp_outcome smtp_outcome_of(const struct smtp_reply *reply, struct pr_str command)
{
	enum pr_status status = reply->code / 100 == 2 ? PR_OK : reply->code / 100 == 5 ? PR_PERMFAIL : PR_TEMPFAIL;

	return (struct smtp_outcome){status, reply->code, reply->enhanced, reply->text, command};
}

struct smtp_outcome smtp_outcome_lost(struct pr_call *call)
{
	return (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.4.2"), call->reason, PR_NONE};
}

/* What a stranger says goes into the choice of a library: names of mechanisms, and nothing else (RFC 4422 3.1). */
static void note_mechanisms(struct smtp_session *session, struct pr_str words)
{
	size_t length = 0;

	for (size_t i = 0; i < words.len && length + 1 < sizeof session->mechanisms; i++) {
		char byte = words.data[i];
		bool good = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == ' ';
		if (!good)
			return;
		session->mechanisms[length++] = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
	}
	session->mechanisms[length] = '\0';
}

static void note_extension(struct smtp_session *session, struct pr_str line)
{
	static const struct {
		struct pr_str keyword;
		uint32_t bit;
	} known[] = {
		{{"PIPELINING", 10}, SMTP_PIPELINING}, {{"SIZE", 4}, SMTP_SIZE}, {{"8BITMIME", 8}, SMTP_8BITMIME},
		{{"DELIVERBY", 9}, SMTP_DELIVERBY}, {{"DSN", 3}, SMTP_DSN}, {{"ENHANCEDSTATUSCODES", 19}, SMTP_ENHANCED}, {{"STARTTLS", 8}, SMTP_STARTTLS},
		{{"CHUNKING", 8}, SMTP_CHUNKING}, {{"SMTPUTF8", 8}, SMTP_UTF8},
		{{"REQUIRETLS", 10}, SMTP_REQUIRETLS},
	};
	struct pr_str rest = pr_str_slice(line, 4, line.len), word = PR_NONE;
	uint64_t number;

	if (!pr_str_next(&rest, ' ', &word))
		return;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (pr_str_equal_nocase(word, known[i].keyword))
			session->extensions |= known[i].bit;
	if (pr_str_equal_nocase(word, PR_STR("AUTH")))
		note_mechanisms(session, pr_str_trim(rest));
	if (pr_str_equal_nocase(word, PR_STR("SIZE")) && pr_str_number(pr_str_trim(rest), INT64_MAX, &number))
		session->size_limit = (int64_t)number;
}

static enum pr_status say(struct smtp_run *run, const char *verb, struct pr_str name, struct smtp_reply *reply_out, struct pr_str *command_out)
{
	struct pr_str line = pr_arena_printf(run->call->arena, "%s %.*s\r\n", verb, PR_PRINT(name));

	*command_out = pr_str_trim(line);
	return smtp_command(run->call, run->session, line, run->smtp->wait[run->smtp->lmtp ? SMTP_WAIT_LHLO : SMTP_WAIT_HELO], reply_out);
}

/* "220 mx.example.org ESMTP ready" */
static bool speaks_of_esmtp(struct pr_str greeting)
{
	for (size_t i = 4; i < greeting.len; i++)
		if (pr_str_has_prefix_nocase(pr_str_slice(greeting, i, greeting.len), PR_STR("ESMTP")))
			return true;
	return false;
}

enum pr_status smtp_hello(struct smtp_run *run, struct smtp_reply *reply_out, struct pr_str *command_out)
{
	struct smtp_session *session = run->session;
	struct pr_str name = smtp_source_name(run);

	bool was_announced = session->tls != NULL || speaks_of_esmtp(reply_out->text); /* before STARTTLS it was seen, and is not said again */
	bool says_esmtp = run->smtp->esmtp && (!run->smtp->announced || was_announced);

	session->extensions = 0;
	session->size_limit = 0;
	session->mechanisms[0] = '\0';
	if (!says_esmtp && !run->smtp->lmtp)
		return say(run, "HELO", name, reply_out, command_out);
	enum pr_status status = say(run, run->smtp->lmtp ? "LHLO" : "EHLO", name, reply_out, command_out);
	if (status != PR_OK)
		return status;
	if (reply_out->code / 100 == 5 && !run->smtp->lmtp)
		return say(run, "HELO", name, reply_out, command_out); /* RFC 5321 3.2: an old server */
	if (reply_out->code / 100 != 2)
		return PR_OK;
	struct pr_str rest = reply_out->text, line = PR_NONE;
	session->extensions = SMTP_ESMTP;
	pr_str_next(&rest, '\n', &line); /* the first line is a greeting */
	while (pr_str_next(&rest, '\n', &line))
		note_extension(session, line);
	return PR_OK;
}

/* The answer is waited for, but a host that is slow to say good-bye does not hold a thread. */
void smtp_quit(struct pr_call *call, const struct smtp *smtp, struct smtp_session *session)
{
	struct smtp_reply reply;
	int64_t seconds = smtp->wait[SMTP_WAIT_QUIT] < 2 ? smtp->wait[SMTP_WAIT_QUIT] : 2;

	if (!session->open)
		return;
	pr_progress(call, PR_PROGRESS_CLOSING, pr_str(session->name));
	if (smtp_send(call, session, PR_STR("QUIT\r\n"), seconds) == PR_OK)
		smtp_read_reply(call, session, seconds, &reply);
	smtp_drop(session);
}
