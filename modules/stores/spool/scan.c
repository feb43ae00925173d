/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Going through the queue: one readdir cursor over qf, hf and Qf, and the first lines of each file.
 * Nothing is kept between two steps but the directory position, so a queue of a million costs no memory;
 * what vanishes meanwhile is skipped.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 4096

static bool is_entry(const char *name, char *kind_out)
{
	if (strlen(name) < 3 || strchr("qhQ", name[0]) == NULL || name[1] != 'f' || !spool_id_is_valid(pr_str(name + 2)))
		return false;
	*kind_out = name[0];
	return true;
}

/* In this process the table knows; of another only the lock tells, which is touched for an instant (who wants it is patient, see file.c). */
static bool is_claimed(struct spool *spool, struct pr_str id, int fd)
{
	if ((spool->role & PR_STORE_DELIVERY) != 0 && spool_claims_has(spool, id))
		return true;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

static void note_state(struct spool *spool, char kind, int fd, struct pr_entry *entry)
{
	if (kind == 'Q')
		entry->state = PR_ENTRY_LOST;
	else if (kind == 'h' && entry->state != PR_ENTRY_QUARANTINED)
		entry->state = PR_ENTRY_HELD;
	else if (kind == 'q' && entry->state == PR_ENTRY_READY && is_claimed(spool, entry->id, fd))
		entry->state = PR_ENTRY_CLAIMED;
}

/* The file from its beginning, as far as there is room; no more than one call for nearly all. */
static size_t read_bytes(int fd, char *buffer, size_t room)
{
	size_t have = 0;
	ssize_t got;

	do
		got = pread(fd, buffer + have, room - have, (off_t)have);
	while (got > 0 && (have += (size_t)got) < room);
	return have;
}

/* From the same bytes the envelope, when it is wanted.  An unreadable qf stays READY: claim() is what sets it aside. */
static void read_control(struct pr_call *call, char kind, int fd, const struct stat *st, struct pr_entry *entry,
                         struct pr_envelope **envelope_out)
{
	char head[HEAD_BYTES];
	bool whole = envelope_out != NULL && st->st_size >= HEAD_BYTES && st->st_size <= (off_t)SPOOL_CONTROL_MAX;
	size_t size = st->st_size < HEAD_BYTES ? (size_t)st->st_size : HEAD_BYTES; /* a file that grows is no matter: it is replaced, never changed */
	char *bytes = whole ? pr_alloc((size_t)st->st_size) : head;
	struct pr_str text = {bytes, read_bytes(fd, bytes, whole ? (size_t)st->st_size : size)};

	/* what looks like a reason to hold it is none in a file that cannot be read */
	if (!qf_read_head(text, call->arena, entry))
		entry->state = PR_ENTRY_READY;
	note_state(spool_of(call), kind, fd, entry);
	if (envelope_out != NULL && (whole || st->st_size < HEAD_BYTES) && qf_read(call, text, envelope_out) != PR_OK)
		*envelope_out = NULL;
	if (whole)
		pr_free(bytes);
}

/* false: gone meanwhile; envelope_out NULL: not wanted */
static bool fill_entry(struct pr_call *call, const struct spool_place *place, char kind, const char *id, struct pr_entry *entry_out,
                       struct pr_envelope **envelope_out)
{
	struct spool *spool = spool_of(call);
	struct pr_entry entry = { .size = sizeof entry, .queue = spool_queue_name(spool, place), .directory = pr_str(place->path) };
	struct stat st;
	int fd = openat(place->control_fd, spool_name(kind, id).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return false;
	entry.id = pr_arena_copy(call->arena, pr_str(id));
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		read_control(call, kind, fd, &st, &entry, envelope_out);
	else
		entry.state = kind == 'Q' ? PR_ENTRY_LOST : PR_ENTRY_READY;
	if (fd >= 0)
		close(fd);
	if (fstatat(place->data_fd, spool_name('d', id).text, &st, AT_SYMLINK_NOFOLLOW) == 0)
		entry.body_size = st.st_size;
	else if (envelope_out != NULL)
		entry.body_size = -1;
	if (envelope_out != NULL && *envelope_out != NULL) {
		(*envelope_out)->body_size = entry.body_size;
		(*envelope_out)->id = entry.id;
	}
	*entry_out = entry;
	return entry.id.data != NULL;
}

/* First what is in the journal, then the files of one place after the other. */
struct cursor {
	struct journal_listing *listing; /* NULL: no journal */
	size_t place;
	DIR *directory; /* of that place, when it is open */
};

DIR *spool_place_list(const struct spool_place *place)
{
	int fd = openat(place->control_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	int error = errno;

	if (directory == NULL && fd >= 0)
		close(fd);
	errno = error;
	return directory;
}

/* The next name in the directory that is open; PR_NOTFOUND at its end. */
static enum pr_status next_file(struct pr_call *call, struct cursor *c, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	const struct spool_place *place = &spool_of(call)->places[c->place];
	struct dirent *found;
	char kind;

	for (errno = 0; (found = readdir(c->directory)) != NULL; errno = 0)
		if (is_entry(found->d_name, &kind) && !journal_list_has_shown(c->listing, found->d_name + 2) &&
		    fill_entry(call, place, kind, found->d_name + 2, entry_out, envelope_out))
			return PR_OK;
	return errno == 0 ? PR_NOTFOUND : spool_fail(call, place, errno, "cannot list", "");
}

static enum pr_status next_in_places(struct pr_call *call, struct cursor *c, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	struct spool *spool = spool_of(call);
	enum pr_status status = PR_NOTFOUND;

	for (; status == PR_NOTFOUND && c->place < spool->place_count; c->place += status == PR_NOTFOUND) {
		if (c->directory == NULL && (c->directory = spool_place_list(&spool->places[c->place])) == NULL)
			return spool_fail(call, &spool->places[c->place], errno, "cannot list", "");
		status = next_file(call, c, entry_out, envelope_out);
		if (status == PR_OK)
			break;
		closedir(c->directory);
		c->directory = NULL;
	}
	return status;
}

static enum pr_status step(struct pr_call *call, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	struct cursor *c = *cursor;
	enum pr_status status;

	if (c == NULL) {
		c = pr_alloc(sizeof *c);
		c->listing = journal_list(call);
		*cursor = c;
	}
	if (c->place == 0 && c->directory == NULL && c->listing != NULL && journal_list_next(call, c->listing, entry_out, envelope_out))
		return PR_OK;
	status = next_in_places(call, c, entry_out, envelope_out);
	if (status != PR_OK)
		spool_next_end(call, cursor);
	return status;
}

enum pr_status spool_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out)
{
	return step(call, cursor, entry_out, NULL);
}

enum pr_status spool_list(struct pr_call *call, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out)
{
	*envelope_out = NULL;
	return step(call, cursor, entry_out, envelope_out);
}

void spool_next_end(struct pr_call *call, void **cursor)
{
	struct cursor *c = *cursor;

	(void)call;
	if (c == NULL)
		return;
	journal_list_free(c->listing);
	if (c->directory != NULL)
		closedir(c->directory);
	pr_free(c);
	*cursor = NULL;
}

/* The file of that kind in that place; PR_NOTFOUND: there is none. */
static enum pr_status peek_file(struct pr_call *call, struct spool_place *place, char kind, const char *name,
                                struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct spool_held held = {.place = place};
	enum pr_status status;

	held.fd = openat(place->control_fd, spool_name(kind, name).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (held.fd < 0)
		return errno == ENOENT ? PR_NOTFOUND : spool_fail(call, place, errno, "cannot open", spool_name(kind, name).text);
	status = fstat(held.fd, &held.st) == 0 ? spool_load(call, place, &held, pr_str(name), envelope_out, NULL)
	                                       : spool_fail(call, place, errno, "cannot read", spool_name(kind, name).text);
	close(held.fd);
	if (status == PR_OK && entry_out != NULL && !fill_entry(call, place, kind, name, entry_out, NULL))
		return PR_NOTFOUND;
	return status;
}

enum pr_status spool_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct spool *spool = spool_of(call);
	static const char kinds[] = "qhQ";
	char name[SPOOL_ID_MAX + 1];
	enum pr_status status = PR_NOTFOUND;

	if (!spool_id_is_valid(id))
		return pr_fail(call, PR_NOTFOUND, "that is no queue id");
	snprintf(name, sizeof name, "%.*s", PR_PRINT(id));
	for (size_t i = 0; i < spool->place_count && status == PR_NOTFOUND; i++)
		for (const char *kind = kinds; *kind != '\0' && status == PR_NOTFOUND; kind++)
			status = peek_file(call, &spool->places[i], *kind, name, envelope_out, entry_out);
	if (status == PR_NOTFOUND)
		status = journal_peek(call, name, envelope_out, entry_out);
	return status != PR_NOTFOUND ? status : pr_fail(call, PR_NOTFOUND, "%s is not in the queue", name);
}
