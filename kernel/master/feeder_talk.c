/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays the dialogue line by line, one reply for each command, so that a refusal belongs to exactly one recipient.  If any
 * recipient must wait, all wait: the message is in the queue for everybody or for nobody.
 */
#include "kernel/master/feeder.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX 8192
#define REPLY_LINES_MAX 200

struct talk {
	int fd;
	struct pr_text in;    /* bytes read ahead */
	struct pr_text reply; /* of the last command, its last line */
	struct pr_text *why;
	uint64_t accepted, refused, sent;
	bool spoken; /* the receiver knows whose file it is */
};

static bool read_line(struct talk *talk, struct pr_str *line_out)
{
	char bytes[1024];

	for (;;) {
		struct pr_str text = pr_text_str(&talk->in);
		size_t end = pr_str_find(text, '\n');
		if (end < text.len) {
			pr_text_clear(&talk->reply);
			pr_text_add_str(&talk->reply, pr_str_trim(pr_str_slice(text, 0, end)));
			pr_text_consume(&talk->in, end + 1);
			*line_out = pr_text_str(&talk->reply);
			return true;
		}
		ssize_t got = recv(talk->fd, bytes, sizeof bytes, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !pr_text_add(&talk->in, bytes, (size_t)got))
			return false;
	}
}

/* The code of the reply, 0 when there is none. */
static unsigned int read_reply(struct talk *talk)
{
	struct pr_str line;

	pr_text_clear(&talk->reply); /* a lost connection must not be told in the words of the reply before */
	for (int i = 0; i < REPLY_LINES_MAX; i++) {
		uint64_t code;
		if (!read_line(talk, &line) || line.len < 3 || !pr_str_number(pr_str_slice(line, 0, 3), 599, &code))
			return 0;
		if (line.len == 3 || line.data[3] == ' ')
			return (unsigned int)code;
	}
	return 0;
}

static bool send_line(struct talk *talk, struct pr_str line)
{
	return pr_write_all(talk->fd, line.data, line.len) && pr_write_all(talk->fd, "\r\n", 2);
}

static unsigned int command(struct talk *talk, struct pr_str line)
{
	pr_text_clear(&talk->reply);
	return send_line(talk, line) ? read_reply(talk) : 0;
}

static enum feeder_result note(struct talk *talk, struct pr_str line, enum feeder_result result)
{
	if (talk->why->len > 0)
		pr_text_add_c(talk->why, "; ");
	pr_text_add_escaped(talk->why, line, 200);
	pr_text_add_c(talk->why, ": ");
	pr_text_add_escaped(talk->why, talk->reply.len > 0 ? pr_text_str(&talk->reply) : PR_STR("the connection was lost"),
	                    300);
	return result;
}

static bool next_line(struct pr_str *rest, struct pr_str *line_out)
{
	if (rest->len == 0 || !pr_str_next(rest, '\n', line_out))
		return false;
	if (line_out->len > 0 && line_out->data[line_out->len - 1] == '\r')
		line_out->len--;
	return true;
}

/* A return within a line would end the session, and the file would be tried for ever: it becomes a blank, as towards any next host. */
static bool add_line(struct pr_text *out, struct pr_str line)
{
	size_t at = out->len;

	if (!pr_text_add_str(out, line) || !pr_text_add(out, "\r\n", 2))
		return false;
	for (char *byte = out->data + at; (byte = memchr(byte, '\r', out->len - 2 - (size_t)(byte - out->data))) != NULL;)
		*byte = ' ';
	return true;
}

/* After 354: the lines up to the dot, buffered. */
static bool send_data(struct talk *talk, struct pr_str *rest)
{
	struct pr_text out;
	struct pr_str line;
	bool good = true, dot = false;

	pr_text_init(&out, rest->len + 65536 + 2);
	while (good && !dot && next_line(rest, &line)) {
		dot = pr_str_equal(line, PR_STR("."));
		if (out.len + line.len + 2 > 65536) {
			good = pr_write_all(talk->fd, out.data, out.len);
			pr_text_clear(&out);
		}
		good = good && add_line(&out, line);
	}
	good = good && pr_write_all(talk->fd, out.data, out.len);
	pr_text_fini(&out);
	return good && dot;
}

static enum feeder_result play_data(struct talk *talk, struct pr_str *rest)
{
	if (talk->accepted == 0)
		return FEEDER_REFUSED;
	unsigned int code = command(talk, PR_STR("DATA"));
	if (code != 354)
		return note(talk, PR_STR("DATA"), code >= 500 ? FEEDER_REFUSED : FEEDER_LATER);
	if (!send_data(talk, rest))
		return note(talk, PR_STR("message"), FEEDER_LATER);
	code = read_reply(talk);
	if (code < 200 || code > 299)
		return note(talk, PR_STR("message"), code >= 500 ? FEEDER_REFUSED : FEEDER_LATER);
	talk->sent++;
	talk->accepted = 0;
	return FEEDER_DONE;
}

/* Only what has one reply and leaves the dialogue where it was: after BDAT or STARTTLS the other side would wait for bytes that
 * never come, and everybody's files with it; XDROP is ours to say, not the file's. */
static bool is_allowed(struct pr_str line)
{
	static const struct pr_str verbs[] = {{"EHLO", 4}, {"HELO", 4}, {"MAIL", 4}, {"RCPT", 4}, {"DATA", 4}, {"RSET", 4}, {"NOOP", 4}};
	struct pr_str verb = pr_str_slice(line, 0, pr_str_find(line, ' '));

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (pr_str_equal_nocase(verb, verbs[i]))
			return pr_str_equal_nocase(verb, PR_STR("DATA")) ? line.len == verb.len : true;
	return false;
}

/* One line of the file that is a command. */
static enum feeder_result play_command(struct talk *talk, struct pr_str line, struct pr_str *rest)
{
	if (line.len == 0 || pr_str_has_prefix_nocase(line, PR_STR("QUIT")))
		return FEEDER_DONE;
	if (!is_allowed(line)) {
		pr_text_add_c(talk->why, "it holds a command that no drop file may hold");
		return FEEDER_REFUSED;
	}
	if (pr_str_equal_nocase(line, PR_STR("DATA")))
		return play_data(talk, rest);
	unsigned int code = command(talk, line);
	if (code < 400 && code >= 200) {
		talk->accepted += pr_str_has_prefix_nocase(line, PR_STR("RCPT")) ? 1 : 0;
		return FEEDER_DONE;
	}
	if (code < 500)
		return note(talk, line, FEEDER_LATER);
	if (!pr_str_has_prefix_nocase(line, PR_STR("RCPT")))
		return note(talk, line, FEEDER_REFUSED);
	talk->refused++;
	(void)note(talk, line, FEEDER_DONE);
	return FEEDER_DONE;
}

/* A file without its dot was never finished; nothing of it may be sent. */
static bool is_whole(struct pr_str file)
{
	struct pr_str line, last = PR_NONE;

	while (next_line(&file, &line))
		if (line.len > 0 && !pr_str_equal_nocase(line, PR_STR("QUIT")))
			last = line;
	return pr_str_equal(last, PR_STR("."));
}

static enum feeder_result play(struct talk *talk, struct pr_str file, uint32_t uid)
{
	enum feeder_result result = FEEDER_DONE;
	struct pr_text drop;
	struct pr_str line;

	if (!is_whole(file)) {
		pr_text_add_c(talk->why, "the file does not end with a dot");
		return FEEDER_REFUSED;
	}
	if (read_reply(talk) != 220)
		return note(talk, PR_STR("greeting"), FEEDER_LATER);
	pr_text_init(&drop, 40);
	pr_text_addf(&drop, "XDROP %lu", (unsigned long)uid);
	unsigned int code = command(talk, pr_text_str(&drop));
	if (code != 250)
		result = note(talk, pr_text_str(&drop), FEEDER_LATER);
	pr_text_fini(&drop);
	talk->spoken = result == FEEDER_DONE;
	while (result == FEEDER_DONE && next_line(&file, &line))
		result = play_command(talk, line, &file);
	if (talk->sent > 0 && result != FEEDER_DONE)
		return FEEDER_PARTLY; /* what was queued must not be queued again */
	if (result == FEEDER_DONE && talk->refused > 0)
		return FEEDER_PARTLY;
	return result == FEEDER_DONE && talk->sent == 0 ? FEEDER_REFUSED : result;
}

enum feeder_result feeder_talk(int fd, struct pr_str file, uint32_t uid, struct pr_text *why)
{
	struct talk talk = {.fd = fd, .why = why};

	pr_text_init(&talk.in, REPLY_MAX);
	pr_text_init(&talk.reply, REPLY_MAX);
	enum feeder_result result = play(&talk, file, uid);
	/* `sendmail` has said that all is well: whoever called it must hear that it is not */
	if (talk.spoken && (result == FEEDER_REFUSED || result == FEEDER_PARTLY) && !feeder_notice(fd, file, uid, pr_text_str(why)))
		pr_text_add_c(why, " (and its owner could not be told)");
	(void)send_line(&talk, PR_STR("QUIT"));
	pr_text_fini(&talk.in);
	pr_text_fini(&talk.reply);
	return result;
}
