/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What waits in the drop directory, as rows: each file is a dialogue, of which the commands and the length of the header are read and not the
 * body, whose size the MAIL line tells.  Files come from any user, so nothing is followed, waited for, or believed to be whole.
 */
#include "kernel/queue/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_ROOM 8192
#define RECIPIENTS_SHOWN 100000u
#define FILE_ARENA (64u << 20)

struct drop {
	struct pr_arena *arena;
	FILE *file;
	char line[LINE_ROOM];
	struct pr_str sender, body_type;
	struct plan_index_recipient *recipients;
	uint32_t count, room;
	uint64_t size;   /* of MAIL: header and body */
	uint64_t header; /* with LF, the empty line too */
	bool whole;      /* MAIL, RCPT and DATA were there */
};

static bool read_line(struct drop *drop, struct pr_str *line_out)
{
	if (fgets(drop->line, sizeof drop->line, drop->file) == NULL)
		return false;
	struct pr_str line = pr_str(drop->line);
	while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
		line.len--;
	*line_out = line;
	return true;
}

/* "MAIL FROM:<joe@x> SIZE=3": the path with its brackets, and what follows. */
static struct pr_str path_of(struct pr_str line, struct pr_str *rest_out)
{
	size_t begin = pr_str_find(line, '<'), end = pr_str_find_last(line, '>');

	*rest_out = pr_str_slice(line, end + 1, line.len);
	return begin < line.len && end < line.len && begin < end ? pr_str_slice(line, begin, end + 1) : PR_NONE;
}

static void take_mail(struct drop *drop, struct pr_str line)
{
	struct pr_str rest, word;

	drop->sender = pr_arena_copy(drop->arena, path_of(line, &rest));
	while (pr_str_next(&rest, ' ', &word)) {
		if (pr_str_has_prefix_nocase(word, PR_STR("SIZE=")))
			(void)pr_str_number(pr_str_slice(word, 5, word.len), INT64_MAX, &drop->size);
		else if (pr_str_has_prefix_nocase(word, PR_STR("BODY=")))
			drop->body_type = pr_arena_copy(drop->arena, pr_str_slice(word, 5, word.len));
	}
}

static void take_recipient(struct drop *drop, struct pr_str line)
{
	struct pr_str rest, address = pr_arena_copy(drop->arena, path_of(line, &rest));

	if (address.data == NULL || drop->count == RECIPIENTS_SHOWN)
		return;
	if (drop->count == drop->room) {
		drop->room = drop->room == 0 ? 16 : 2 * drop->room;
		drop->recipients = pr_resize(drop->recipients, drop->room * sizeof *drop->recipients);
	}
	drop->recipients[drop->count++] = (struct plan_index_recipient){address, PR_NONE};
}

static void read_header(struct drop *drop)
{
	struct pr_str line;

	while (read_line(drop, &line) && !pr_str_equal(line, PR_STR("."))) {
		drop->header += line.len + 1 - (line.len > 0 && line.data[0] == '.'); /* a doubled dot */
		if (line.len == 0)
			return;
	}
}

static void read_dialogue(struct drop *drop)
{
	struct pr_str line;

	while (read_line(drop, &line)) {
		if (pr_str_has_prefix_nocase(line, PR_STR("MAIL FROM:"))) {
			take_mail(drop, line);
		} else if (pr_str_has_prefix_nocase(line, PR_STR("RCPT TO:"))) {
			take_recipient(drop, line);
		} else if (pr_str_equal_nocase(line, PR_STR("DATA"))) {
			drop->whole = drop->sender.data != NULL && drop->count > 0;
			read_header(drop);
			return;
		} else {
			return;
		}
	}
}

static void add_row(struct listing *listing, const char *directory, const char *name, const struct stat *st, const struct drop *drop)
{
	struct plan_index_row row = {.id = pr_str(name), .directory = pr_str(directory), .sender = drop->sender, .body_type = drop->body_type,
	    .created = st->st_mtime, .recipients = drop->count, .list = drop->recipients, .complete = true, .unreadable = !drop->whole};
	struct pr_text bytes;

	row.size = drop->size > drop->header ? (int64_t)(drop->size - drop->header) : 0;
	row.priority = (int64_t)drop->size + (int64_t)drop->count * listing->recipient_factor;
	pr_text_init(&bytes, 2 * (size_t)ROW_MAX);
	if (row_write(NULL, &row, &bytes))
		(void)listing_add(listing, pr_text_str(&bytes));
	pr_text_fini(&bytes);
}

static void add_file(struct listing *listing, int folder, const char *directory, const char *name)
{
	struct drop drop = {.room = 0};
	struct pr_arena arena;
	struct stat st;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return; /* it has just been taken */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (drop.file = fdopen(fd, "r")) == NULL) {
		close(fd);
		return;
	}
	pr_arena_init(&arena, FILE_ARENA);
	drop.arena = &arena;
	read_dialogue(&drop);
	add_row(listing, directory, name, &st, &drop);
	(void)fclose(drop.file);
	pr_free(drop.recipients);
	pr_arena_fini(&arena);
}

bool listing_gather_drop(struct listing *listing, const char *directory)
{
	DIR *folder = opendir(directory);
	struct dirent *found;

	if (folder == NULL)
		return errno == ENOENT;
	while ((found = readdir(folder)) != NULL)
		if (found->d_name[0] != '.') /* one that is being written, or was refused */
			add_file(listing, dirfd(folder), directory, found->d_name);
	(void)closedir(folder);
	return true;
}
