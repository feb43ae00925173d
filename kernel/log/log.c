/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A line is put together in one buffer and leaves in one write or one syslog call, so lines of threads and
 * processes never mix.  Controls are made visible here, last, so no caller can forget it.
 */
#include "kernel/log/log.h"

#include <postrider/text.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define PREFIX_MAX 128

static atomic_int log_fd = STDERR_FILENO;
static atomic_bool to_syslog;
static atomic_int current_level = 9;
static char identity_text[64] = "postrider";
static atomic_uint identity_number; /* counts changes of it */

/* Asked once and not per line; a child asks anew. */
static atomic_long known_pid;

static void forget_pid(void)
{
	atomic_store(&known_pid, 0);
}

static void note_forks(void)
{
	pthread_atfork(NULL, NULL, forget_pid);
}

static long own_pid(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	long pid = atomic_load(&known_pid);

	if (pid == 0) {
		pthread_once(&once, note_forks);
		pid = (long)getpid();
		atomic_store(&known_pid, pid);
	}
	return pid;
}

bool log_open(const char *target, const char *identity)
{
	if (identity != NULL) {
		pr_print(identity_text, sizeof identity_text, "%s", identity);
		atomic_fetch_add(&identity_number, 1);
	}
	if (strcmp(target, "syslog") == 0) {
		openlog(identity_text, LOG_PID | LOG_NDELAY, LOG_MAIL);
		to_syslog = true;
		return true;
	}
	int fd = STDERR_FILENO;
	if (strcmp(target, "stderr") != 0)
		fd = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0)
		return false;
	/* another thread may be writing a line: the number stays, and what is behind it changes at once */
	if (log_fd != STDERR_FILENO && fd != STDERR_FILENO) {
		bool taken = dup3(fd, log_fd, O_CLOEXEC) >= 0;
		close(fd);
		to_syslog = to_syslog && !taken;
		return taken;
	}
	to_syslog = false;
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = fd;
	return true;
}

void log_set_level(int level)
{
	current_level = level;
}

int log_level(void)
{
	return current_level;
}

/* "Nov 20 12:32:14 identity[pid]: " as syslogd would put in front.  It is the same for all lines of a second, and
 * asking for the local time takes a lock and longer than the line itself: each thread remembers. */
struct prefix {
	time_t second;
	long pid;
	unsigned int identity; /* which one it was made with */
	size_t len;
	char text[PREFIX_MAX];
};

static const struct prefix *prefix_now(void)
{
	static __thread struct prefix prefix;
	time_t now = time(NULL);
	unsigned int identity = atomic_load(&identity_number);
	struct tm tm;

	if (prefix.len > 0 && prefix.second == now && prefix.pid == own_pid() && prefix.identity == identity)
		return &prefix;
	localtime_r(&now, &tm);
	size_t used = strftime(prefix.text, sizeof prefix.text, "%b %e %H:%M:%S ", &tm);
	int more = pr_print(prefix.text + used, sizeof prefix.text - used, "%s[%ld]: ", identity_text, own_pid());
	prefix.second = now;
	prefix.pid = own_pid();
	prefix.identity = identity;
	prefix.len = used + (more < 0 ? 0 : (size_t)more);
	return &prefix;
}

static bool is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

/* What ends a line, or turns its direction, for those who show it: U+0080 to U+009F, U+2028 to U+202E, U+2066 to U+2069. */
static bool is_unseen(const unsigned char *bytes)
{
	if (bytes[0] == 0xc2)
		return bytes[1] < 0xa0;
	return bytes[0] == 0xe2 && ((bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) || (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9));
}

/* Bytes of the letter of UTF-8 that begins here; 0: none that may be seen. */
static size_t letter_of(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x80)
			return 0;
	return pr_utf8_is_valid((struct pr_str){text, len}) && !is_unseen(bytes) ? len : 0;
}

/* One line stays one line: controls, and high bytes that are no UTF-8, become \ooo. */
static size_t put_visible(char *out, size_t room, const char *text)
{
	size_t used = 0;

	for (; *text != '\0' && used + 5 < room; text++) {
		unsigned char byte = (unsigned char)*text;
		size_t letter = byte > 0x7f ? letter_of(text) : byte >= 0x20 && byte != 0x7f;
		if (letter > 0) {
			memcpy(out + used, text, letter);
			used += letter;
			text += letter - 1;
		} else
			used += (size_t)pr_print(out + used, room - used, "\\%03o", byte);
	}
	out[used] = '\0';
	return used;
}

/* "ID: text", cut at the room. */
static size_t put_text(char *out, size_t room, const char *queue_id, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static size_t put_text(char *out, size_t room, const char *queue_id, const char *format, va_list args)
{
	int used = queue_id == NULL ? 0 : pr_print(out, room, "%s: ", queue_id);

	if (used < 0 || (size_t)used >= room)
		used = 0;
	int more = pr_format(out + used, room - (size_t)used, format, args);
	size_t len = (size_t)used + (more < 0 ? 0 : (size_t)more);
	return len < room ? len : room - 1;
}

static void emit(enum log_priority priority, const char *queue_id, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void emit(enum log_priority priority, const char *queue_id, const char *format, va_list args)
{
	char line[PREFIX_MAX + LINE_MAX_BYTES + 1];
	char raw[LINE_MAX_BYTES];
	int saved_errno = errno;
	size_t head = 0;

	if (!to_syslog) {
		const struct prefix *prefix = prefix_now();
		head = prefix->len;
		memcpy(line, prefix->text, head);
	}
	size_t len = head + put_text(line + head, LINE_MAX_BYTES, queue_id, format, args);
	if (!is_visible(line + head)) {
		memcpy(raw, line + head, len - head + 1);
		len = head + put_visible(line + head, LINE_MAX_BYTES, raw);
	}
	if (to_syslog) {
		syslog((int)priority, "%s", line);
	} else {
		line[len++] = '\n';
		if (write(log_fd, line, len) < 0 && log_fd != STDERR_FILENO)
			fprintf(stderr, "%.*s", (int)len, line);
	}
	errno = saved_errno;
}

void log_line(enum log_priority priority, const char *queue_id, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(priority, queue_id, format, args);
	va_end(args);
}

void log_at(int level, enum log_priority priority, const char *queue_id, const char *format, ...)
{
	va_list args;

	if (level > current_level)
		return;
	va_start(args, format);
	emit(priority, queue_id, format, args);
	va_end(args);
}

void log_fatal(int exit_status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(LOGP_ERR, NULL, format, args);
	va_end(args);
	exit(exit_status);
}
