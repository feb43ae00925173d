/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A byte machine with three facts of state (after a CR, at a line's start, on a dot line), because that is the only
 * form in which a cut between two reads cannot matter.  Body bytes are collected in memory up to a limit, then in a
 * file without a name.
 */
#include "kernel/command/sendmail/message.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#define FIELD_NAME_MAX 1000

void message_init(struct message *message, bool ignore_dots)
{
	*message =
	    (struct message){.ignore_dots = ignore_dots, .line_start = true, .first_line = true, .body = {.fd = -1}};
	pr_text_init(&message->header, MESSAGE_HEADER_MAX);
	pr_text_init(&message->line, MESSAGE_HEADER_MAX);
	pr_text_init(&message->body.memory, MESSAGE_MEMORY_MAX);
}

void message_fini(struct message *message)
{
	pr_text_fini(&message->header);
	pr_text_fini(&message->line);
	pr_text_fini(&message->body.memory);
	if (message->body.fd >= 0)
		close(message->body.fd);
	message->body.fd = -1;
}

/* Disk first: memory is for small messages. */
static int nameless_file(void)
{
	const char *const places[] = {"/var/tmp", "/tmp"};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int fd = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
		if (fd >= 0)
			return fd;
	}
	return memfd_create("message", MFD_CLOEXEC);
}

static int spool_flush(struct spool *spool, struct pr_text *error)
{
	if (spool->fd < 0 && (spool->fd = nameless_file()) < 0) {
		pr_text_addf(error, "Cannot create a temporary file: %s", strerror(errno));
		return EX_TEMPFAIL;
	}
	if (!pr_write_all(spool->fd, spool->memory.data, spool->memory.len)) {
		pr_text_addf(error, "Cannot keep the message: %s", strerror(errno));
		return EX_TEMPFAIL;
	}
	spool->in_file += spool->memory.len;
	pr_text_clear(&spool->memory);
	return EX_OK;
}

static int spool_byte(struct spool *spool, char byte, struct pr_text *error)
{
	if (pr_text_add_byte(&spool->memory, byte))
		return EX_OK;
	int status = spool_flush(spool, error);
	if (status == EX_OK)
		pr_text_add_byte(&spool->memory, byte);
	return status;
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->in_file + spool->memory.len;
}

bool spool_replay(const struct spool *spool, spool_write *write, void *context)
{
	char buffer[32768];

	for (uint64_t at = 0; at < spool->in_file;) {
		ssize_t got = pread(spool->fd, buffer, sizeof buffer, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !write(context, buffer, (size_t)got))
			return false;
		at += (uint64_t)got;
	}
	return spool->memory.len == 0 || write(context, spool->memory.data, spool->memory.len);
}

/* A name of printing characters, maybe blanks, a colon (RFC 5322 2.2 and its obsolete form). */
static bool is_field(struct pr_str line)
{
	size_t colon = pr_str_find(line, ':'), end = 0;

	if (colon == line.len)
		return false;
	while (end < colon && line.data[end] > ' ' && line.data[end] < 127)
		end++;
	if (end == 0)
		return false;
	while (end < colon && (line.data[end] == ' ' || line.data[end] == '\t'))
		end++;
	return end == colon;
}

static int too_large(struct pr_text *error)
{
	pr_text_addf(error, "Headers too large (%u max)", MESSAGE_HEADER_MAX);
	return EX_DATAERR;
}

static bool is_continuation(struct pr_str line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

/* The line in message->line, LF included, is complete: it is header, the empty line, or already body. */
static int take_header_line(struct message *message, struct pr_text *error)
{
	struct pr_str line = pr_text_str(&message->line);
	bool complete = line.data[line.len - 1] == '\n';
	struct pr_str bare = pr_str_slice(line, 0, complete ? line.len - 1 : line.len);
	bool mbox = message->first_line && (pr_str_has_prefix_nocase(line, PR_STR("From ")) ||
					       pr_str_has_prefix_nocase(line, PR_STR(">From ")));
	int status = EX_OK;

	message->first_line = false;
	if (mbox) {
		status = EX_OK; /* a mailbox's separator is no part of the message */
	} else if (is_field(bare) || (is_continuation(bare) && message->header.len > 0)) {
		if (!pr_text_add_str(&message->header, line))
			status = too_large(error);
	} else {
		message->header_done = true;
		for (size_t i = 0; bare.len > 0 && i < line.len && status == EX_OK; i++)
			status = spool_byte(&message->body, line.data[i], error);
	}
	pr_text_clear(&message->line);
	return status;
}

/* So many bytes and still no field name: this is a body without a header, perhaps without any line end. */
static bool is_hopeless(const struct message *message)
{
	struct pr_str line = pr_text_str(&message->line);

	return line.len == FIELD_NAME_MAX && !is_continuation(line) && pr_str_find(line, ':') == line.len;
}

/* One byte after line ends were made LF. */
static int put(struct message *message, char byte, struct pr_text *error)
{
	if (message->header_done)
		return spool_byte(&message->body, byte, error);
	if (!pr_text_add_byte(&message->line, byte))
		return too_large(error);
	if (byte == '\n' || is_hopeless(message))
		return take_header_line(message, error);
	return EX_OK;
}

/* A line end that was LF or CR LF: the dot that stood alone before it ends the message. */
static int put_line_end(struct message *message, bool real, struct pr_text *error)
{
	if (message->dot_line && real) {
		message->ended = true;
		message->dot_line = false;
		return EX_OK;
	}
	int status = message->dot_line ? put(message, '.', error) : EX_OK;
	message->dot_line = false;
	message->line_start = real;
	return status == EX_OK ? put(message, '\n', error) : status;
}

static int take_byte(struct message *message, char byte, struct pr_text *error)
{
	bool after_return = message->after_return;
	int status = EX_OK;

	message->after_return = byte == '\r';
	if (after_return && byte != '\n')
		status = put_line_end(message, false, error);
	if (status != EX_OK || byte == '\r')
		return status;
	if (byte == '\n')
		return put_line_end(message, true, error);
	if (message->line_start && byte == '.' && !message->ignore_dots) {
		message->line_start = false;
		message->dot_line = true; /* kept back until it is known what follows */
		return EX_OK;
	}
	message->line_start = false;
	if (message->dot_line) {
		message->dot_line = false;
		status = put(message, '.', error);
	}
	return status == EX_OK ? put(message, byte, error) : status;
}

int message_input(struct message *message, const char *data, size_t len, struct pr_text *error)
{
	int status = EX_OK;

	for (size_t i = 0; i < len && !message->ended && status == EX_OK; i++)
		status = take_byte(message, data[i], error);
	return status;
}

int message_end(struct message *message, struct pr_text *error)
{
	int status = EX_OK;

	if (!message->ended && message->after_return)
		status = put_line_end(message, true, error);
	bool open_body = message->header_done && !message->line_start && !message->ended;
	bool open_header = !message->header_done && message->line.len > 0;
	/* a lone dot without a line end at the very end was meant as the end */
	if (status == EX_OK && !message->dot_line && (open_body || open_header))
		status = put(message, '\n', error);
	message->ended = true;
	return status;
}

int message_read(struct message *message, int fd, struct pr_text *error)
{
	char buffer[32768];

	while (!message->ended) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			pr_text_addf(error, "Cannot read the message: %s", strerror(errno));
			return EX_IOERR;
		}
		if (got == 0)
			break;
		int status = message_input(message, buffer, (size_t)got, error);
		if (status != EX_OK)
			return status;
	}
	return message_end(message, error);
}

/* One field with its continuation lines, from the front of *rest. */
static struct pr_str next_field(struct pr_str *rest)
{
	size_t end = 0;

	do {
		end += pr_str_find(pr_str_slice(*rest, end, rest->len), '\n') + 1;
	} while (end < rest->len && (rest->data[end] == ' ' || rest->data[end] == '\t'));
	struct pr_str field = pr_str_slice(*rest, 0, end);
	*rest = pr_str_slice(*rest, end, rest->len);
	return field;
}

static struct pr_str field_name(struct pr_str field)
{
	return pr_str_trim(pr_str_slice(field, 0, pr_str_find(field, ':')));
}

bool message_field(
    const struct message *message, struct pr_str *rest, struct pr_str *name_out, struct pr_str *value_out)
{
	if (rest->data == NULL)
		*rest = pr_text_str(&message->header);
	if (rest->len == 0)
		return false;
	struct pr_str field = next_field(rest);
	*name_out = field_name(field);
	*value_out = pr_str_trim(pr_str_slice(field, pr_str_find(field, ':') + 1, field.len));
	return true;
}

bool message_has_field(const struct message *message, struct pr_str name)
{
	struct pr_str rest = PR_NONE, found, value;

	while (message_field(message, &rest, &found, &value))
		if (pr_str_equal_nocase(found, name))
			return true;
	return false;
}

void message_drop_bcc(struct message *message)
{
	struct pr_str rest = pr_text_str(&message->header);
	bool others = message_has_field(message, PR_STR("To")) || message_has_field(message, PR_STR("Cc"));
	bool dropped = false;
	struct pr_text kept;

	pr_text_init(&kept, MESSAGE_HEADER_MAX);
	while (rest.len > 0) {
		struct pr_str field = next_field(&rest);
		struct pr_str name = field_name(field);
		if (pr_str_equal_nocase(name, PR_STR("Bcc")) || pr_str_equal_nocase(name, PR_STR("Resent-Bcc")))
			dropped = true;
		else
			pr_text_add_str(&kept, field);
	}
	if (dropped && !others)
		pr_text_add_c(&kept, "Bcc:\n");
	pr_text_fini(&message->header);
	message->header = kept;
}
