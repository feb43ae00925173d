/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One command, one reply, in step: over a local socket a round trip is microseconds, and a reply is then never
 * attributed to the wrong recipient.  Recipients the daemon puts off (452) are offered again in a next transaction as
 * long as each one takes some.
 */
#include "kernel/command/sendmail/dialogue.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define REPLY_MAX 4096u
#define COMMAND_SECONDS 120
#define FINAL_SECONDS 600 /* RFC 5321 4.5.3.2.6 */

struct talk {
	struct submission *submission;
	struct outlet out;
	struct pr_text in;    /* bytes read, not yet used */
	struct pr_text reply; /* last line of the last reply, without line end */
	int code;             /* 0: the line is dead */
};

static void set_timeout(int fd, int seconds)
{
	const struct timeval time = {.tv_sec = seconds};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

bool dialogue_connect(const char *path, int *fd_out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	set_timeout(fd, 20); /* a full backlog blocks connect(2) */
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return false;
	}
	*fd_out = fd;
	return true;
}

static void show(const struct talk *talk, const char *mark, const char *arrow, struct pr_str line)
{
	struct submission *submission = talk->submission;

	if (submission->verbose)
		printf("%s%.*s\n", mark, PR_PRINT(line));
	traced_line(&submission->trace, arrow, line);
}

/* Takes one line off the input; false when the peer is gone, silent, or says an endless line. */
static bool read_line(struct talk *talk)
{
	char buffer[2048];

	for (;;) {
		struct pr_str have = pr_text_str(&talk->in);
		size_t end = pr_str_find(have, '\n');
		if (end < have.len) {
			pr_text_clear(&talk->reply);
			pr_text_add_str(&talk->reply, pr_str_trim(pr_str_slice(have, 0, end)));
			pr_text_consume(&talk->in, end + 1);
			return true;
		}
		ssize_t got = read(talk->out.fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !pr_text_add(&talk->in, buffer, (size_t)got))
			return false;
	}
}

static int read_reply(struct talk *talk)
{
	uint64_t code = 0;

	talk->code = 0;
	for (int lines = 0; lines < 1000 && read_line(talk); lines++) {
		struct pr_str line = pr_text_str(&talk->reply);
		show(talk, "", TRACED_HEARD, line);
		if (line.len < 3 || !pr_str_number(pr_str_slice(line, 0, 3), 599, &code) || code < 200)
			return 0;
		if (line.len == 3 || line.data[3] != '-') {
			talk->code = (int)code;
			return talk->code;
		}
	}
	return 0;
}

static int command(struct talk *talk, struct pr_str line)
{
	show(talk, ">>> ", TRACED_SAID, line);
	outlet_line(&talk->out, line);
	if (!outlet_flush(&talk->out))
		return talk->code = 0;
	return read_reply(talk);
}

/* UTF-8 in an address; a header that has it goes as it is, as mail with eight bits always did. */
static bool needs_utf8(const struct submission *submission)
{
	bool needs = !pr_str_is_ascii(submission->sender);

	for (size_t i = 0; i < submission->recipients->count && !needs; i++)
		needs = submission->recipients->items[i].fate != RECIPIENT_EXCLUDED && !pr_str_is_ascii(submission->recipients->items[i].address);
	return needs;
}

void dialogue_mail_line(const struct submission *submission, char mode, struct pr_text *out)
{
	pr_text_addf(out, "MAIL FROM:<%.*s> SIZE=%llu", PR_PRINT(submission->sender),
	    (unsigned long long)(submission->message->header.len + 1 + spool_size(&submission->message->body)));
	if (submission->body != NULL) /* else the daemon sees for itself what there is */
		pr_text_addf(out, " BODY=%s", submission->body);
	if (needs_utf8(submission))
		pr_text_add_c(out, " SMTPUTF8");
	if (submission->ret != NULL)
		pr_text_addf(out, " RET=%s", submission->ret);
	if (submission->envelope_id != NULL)
		pr_text_addf(out, " ENVID=%s", submission->envelope_id);
	if (mode != 0)
		pr_text_addf(out, " XDELIVER=%c", mode);
}

void dialogue_rcpt_line(const struct submission *submission, struct pr_str address, struct pr_text *out)
{
	pr_text_addf(out, "RCPT TO:<%.*s>", PR_PRINT(address));
	if (submission->notify != NULL)
		pr_text_addf(out, " NOTIFY=%s", submission->notify);
}

int dialogue_exit_status(struct pr_str reply)
{
	static const struct {
		const char *prefix;
		int status;
	} rows[] = {{"5.1.1", EX_NOUSER}, {"5.1.6", EX_NOUSER}, {"5.1.2", EX_NOHOST}, {"5.1.", EX_DATAERR},
	    {"5.6.", EX_DATAERR}, {"5.7.", EX_NOPERM}, {"5.5.", EX_USAGE}};
	struct pr_str enhanced = pr_str_slice(reply, 4, reply.len);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_has_prefix_nocase(enhanced, pr_str(rows[i].prefix)))
			return rows[i].status;
	return EX_UNAVAILABLE;
}

/* "550 5.1.1 <nobody@example.org>... User unknown" is told as "nobody... User unknown". */
static void complain(struct submission *submission, struct pr_str who, struct pr_str reply)
{
	struct pr_str text = pr_str_slice(reply, 4, reply.len);
	size_t blank = pr_str_find(text, ' ');

	if (blank < text.len && blank < 10 && text.data[0] == '5' && text.data[1] == '.')
		text = pr_str_slice(text, blank + 1, text.len);
	for (size_t i = 0; text.len > 0 && text.data[0] == '<' && i + 4 <= text.len; i++)
		if (memcmp(text.data + i, "... ", 4) == 0) {
			text = pr_str_slice(text, i + 4, text.len);
			break;
		}
	pr_text_add_escaped(submission->complaints, who, 256);
	pr_text_add_c(submission->complaints, who.len > 0 ? "... " : "");
	pr_text_add_escaped(submission->complaints, text, 512);
	pr_text_add_byte(submission->complaints, '\n');
	int status = dialogue_exit_status(reply);
	if (submission->exit_status == EX_OK || status != EX_NOUSER)
		submission->exit_status = status;
}

static void set_fates(struct submission *submission, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < submission->recipients->count; i++)
		if (submission->recipients->items[i].fate == from)
			submission->recipients->items[i].fate = to;
}

/* The whole message was refused for good: so were the recipients that were to get it. */
static void refuse_all(struct talk *talk, uint32_t from)
{
	complain(talk->submission, PR_NONE, pr_text_str(&talk->reply));
	set_fates(talk->submission, from, RECIPIENT_REFUSED);
}

/* Offers the recipients; how many were taken.  A dead line (talk->code 0) ends it. */
static size_t offer(struct talk *talk, struct pr_text *line)
{
	struct recipients *recipients = talk->submission->recipients;
	size_t taken = 0;

	for (size_t i = 0; i < recipients->count; i++) {
		struct recipient *recipient = &recipients->items[i];
		if (recipient->fate != RECIPIENT_WAITING)
			continue;
		pr_text_clear(line);
		dialogue_rcpt_line(talk->submission, recipient->address, line);
		int code = command(talk, pr_text_str(line));
		if (code == 0 || code == 421)
			return talk->code = 0;
		if (code < 300) {
			recipient->fate = RECIPIENT_TAKEN;
			taken++;
		} else if (code >= 500) {
			recipient->fate = RECIPIENT_REFUSED;
			complain(talk->submission, recipient->address, pr_text_str(&talk->reply));
		} else if (taken > 0 && code == 452) {
			break; /* enough for this transaction */
		}
	}
	return taken;
}

static bool send_data(struct talk *talk)
{
	int code = command(talk, PR_STR("DATA"));

	if (code >= 300 && code < 400) {
		traced_message(&talk->submission->trace, TRACED_SAID, talk->submission->message);
		outlet_message(&talk->out, talk->submission->message);
		set_timeout(talk->out.fd, FINAL_SECONDS);
		code = talk->out.failed ? 0 : command(talk, PR_STR("."));
		set_timeout(talk->out.fd, COMMAND_SECONDS);
	}
	if (code >= 200 && code < 300) {
		told_sent(talk->submission, pr_text_str(&talk->reply));
		set_fates(talk->submission, RECIPIENT_TAKEN, RECIPIENT_SENT);
		return true;
	}
	if (code >= 500)
		refuse_all(talk, RECIPIENT_TAKEN);
	set_fates(talk->submission, RECIPIENT_TAKEN, RECIPIENT_WAITING);
	return false;
}

static int say_mail(struct talk *talk, struct pr_text *line, char mode)
{
	pr_text_clear(line);
	dialogue_mail_line(talk->submission, mode, line);
	return command(talk, pr_text_str(line));
}

/* One transaction; true when another one may take more. */
static bool transaction(struct talk *talk)
{
	struct pr_text line;

	pr_text_init(&line, 2048);
	int code = say_mail(talk, &line, talk->submission->delivery_mode);
	bool odd = code == 555 || (code == 501 && talk->submission->delivery_mode == 'v');
	if (odd && talk->submission->delivery_mode != 0) /* a daemon that is older than we are; its own mode will do */
		code = say_mail(talk, &line, 0);
	bool more = false;
	if (code >= 500) {
		refuse_all(talk, RECIPIENT_WAITING);
	} else if (code >= 200 && code < 300) {
		size_t taken = offer(talk, &line);
		if (talk->code == 0)
			set_fates(talk->submission, RECIPIENT_TAKEN, RECIPIENT_WAITING);
		else if (taken > 0)
			more = send_data(talk);
	}
	pr_text_fini(&line);
	return more && recipients_with_fate(talk->submission->recipients, RECIPIENT_WAITING) > 0;
}

void dialogue_run(struct submission *submission, int fd)
{
	struct talk talk = {.submission = submission};

	outlet_init(&talk.out, fd);
	pr_text_init(&talk.in, REPLY_MAX * 2);
	pr_text_init(&talk.reply, REPLY_MAX);
	set_timeout(fd, COMMAND_SECONDS);
	int code = read_reply(&talk);
	while (code >= 200 && code < 300 && transaction(&talk))
		continue;
	told_closing(submission);
	if (talk.code != 0)
		(void)command(&talk, PR_STR("QUIT"));
	outlet_fini(&talk.out);
	pr_text_fini(&talk.in);
	pr_text_fini(&talk.reply);
}
