/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the memfd with pread, never by a mapping: the courier still holds it and could shrink it under a mapped reader.
 * Quoting looks at each line's first five bytes, across the borders of the pieces.
 */
#include "kernel/helper/delivery.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE 65536

enum pr_status delivery_fail(struct pr_text *why, const char *what, const char *path)
{
	int number = errno;
	bool hopeless = number == ELOOP || number == ENOTDIR || number == EISDIR || number == ENXIO || number == ENAMETOOLONG;

	pr_text_addf(why, "cannot %s %s: %s", what, path, strerror(number));
	return hopeless ? PR_PERMFAIL : PR_TEMPFAIL;
}

int64_t delivery_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool message_open(int fd, uint64_t header_size, uint32_t flags, struct message *message_out)
{
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size < header_size)
		return false;
	*message_out = (struct message){.fd = fd, .size = (uint64_t)info.st_size, .header_size = header_size, .flags = flags};
	return true;
}

struct copier {
	struct pr_text out;
	int fd;
	bool quote;
	bool at_start;   /* of a line */
	size_t matched;  /* bytes of "From " seen at the start of this line and still held back */
};

static const char from_word[] = "From ";

static bool flush(struct copier *copier)
{
	bool good = pr_write_all(copier->fd, copier->out.data, copier->out.len);

	pr_text_clear(&copier->out);
	return good;
}

static void put(struct copier *copier, char byte)
{
	pr_text_add_byte(&copier->out, byte);
	copier->at_start = byte == '\n';
}

static void release_held(struct copier *copier)
{
	size_t held = copier->matched;

	copier->matched = 0;
	for (size_t i = 0; i < held; i++)
		put(copier, from_word[i]);
}

static void quote_byte(struct copier *copier, char byte)
{
	if ((copier->at_start || copier->matched > 0) && byte == from_word[copier->matched]) {
		copier->matched++;
		if (copier->matched < sizeof from_word - 1)
			return;
		put(copier, '>');
		release_held(copier);
		return;
	}
	release_held(copier);
	if (copier->at_start && byte == from_word[0])
		copier->matched = 1;
	else
		put(copier, byte);
}

static bool copy_piece(struct copier *copier, const char *data, size_t len, bool quote)
{
	if (!quote) {
		pr_text_add(&copier->out, data, len);
		copier->at_start = data[len - 1] == '\n';
	}
	for (size_t i = 0; quote && i < len; i++)
		quote_byte(copier, data[i]);
	return flush(copier);
}

bool message_copy(const struct message *message, int fd, bool quote, bool *newline_out)
{
	char *piece = pr_alloc(PIECE);
	struct copier copier = {.fd = fd, .at_start = true};
	uint64_t at = 0;
	bool good = true;

	pr_text_init(&copier.out, 3 * PIECE);
	while (good && at < message->size) {
		/* the header is copied as it is, in pieces that end where it ends */
		bool header = at < message->header_size;
		uint64_t want = header ? message->header_size - at : message->size - at;
		ssize_t got = pread(message->fd, piece, want < PIECE ? (size_t)want : PIECE, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO; /* it was cut while we read */
		good = got > 0 && copy_piece(&copier, piece, (size_t)got, quote && !header);
		at += got > 0 ? (uint64_t)got : 0;
	}
	release_held(&copier);
	good = good && flush(&copier);
	*newline_out = copier.at_start;
	pr_text_fini(&copier.out);
	pr_free(piece);
	return good;
}
