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

/* In this process the table knows; of another only the lock tells, and only mailq may touch that (see file.c). */
static bool is_claimed(struct spool *spool, struct pr_str id, int fd)
{
	if ((spool->role & PR_STORE_DELIVERY) != 0)
		return spool_claims_has(spool, id);
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

static void read_counters(struct spool *spool, char kind, int fd, struct pr_entry *entry)
{
	char buffer[HEAD_BYTES];
	ssize_t got = pread(fd, buffer, sizeof buffer, 0);
	bool good = got > 0 && qf_read_head((struct pr_str){ buffer, (size_t)got }, entry);

	if (kind == 'Q')
		entry->state = PR_ENTRY_LOST;
	else if (kind == 'h' && entry->state != PR_ENTRY_QUARANTINED)
		entry->state = PR_ENTRY_HELD;
	else if (kind == 'q' && entry->state == PR_ENTRY_READY && is_claimed(spool, entry->id, fd))
		entry->state = PR_ENTRY_CLAIMED;
	/* an unreadable qf stays READY: claim() is what sets it aside */
	(void)good;
}

/* false: gone meanwhile */
static bool fill_entry(struct pr_call *call, char kind, const char *id, struct pr_entry *entry_out)
{
	struct spool *spool = spool_of(call);
	struct pr_entry entry = { .size = sizeof entry, .queue = spool->queue_name };
	struct stat st;
	int fd = openat(spool->control_fd, spool_name(kind, id).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return false;
	entry.id = pr_arena_copy(call->arena, pr_str(id));
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		read_counters(spool, kind, fd, &entry);
	else
		entry.state = kind == 'Q' ? PR_ENTRY_LOST : PR_ENTRY_READY;
	if (fd >= 0)
		close(fd);
	if (fstatat(spool->data_fd, spool_name('d', id).text, &st, AT_SYMLINK_NOFOLLOW) == 0)
		entry.body_size = st.st_size;
	*entry_out = entry;
	return entry.id.data != NULL;
}

/* First what is in the journal, then the files. */
struct cursor {
	struct journal_listing *listing; /* NULL: no journal */
	DIR *directory;
};

static enum pr_status open_cursor(struct pr_call *call, void **cursor)
{
	struct spool *spool = spool_of(call);
	int fd = openat(spool->control_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (directory == NULL) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return spool_fail(call, error, "cannot list", "");
	}
	struct cursor *c = pr_alloc(sizeof *c);

	c->directory = directory;
	c->listing = journal_list(call);
	*cursor = c;
	return PR_OK;
}

enum pr_status spool_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out)
{
	struct dirent *found;
	char kind;

	if (*cursor == NULL) {
		enum pr_status status = open_cursor(call, cursor);

		if (status != PR_OK)
			return status;
	}
	struct cursor *c = *cursor;

	if (c->listing != NULL && journal_list_next(call, c->listing, entry_out))
		return PR_OK;
	for (;;) {
		errno = 0;
		found = readdir(c->directory);
		if (found == NULL)
			break;
		if (is_entry(found->d_name, &kind) && !journal_list_has_shown(c->listing, found->d_name + 2) && fill_entry(call, kind, found->d_name + 2, entry_out))
			return PR_OK;
	}

	int error = errno;

	spool_next_end(call, cursor);
	return error == 0 ? PR_NOTFOUND : spool_fail(call, error, "cannot list", "");
}

void spool_next_end(struct pr_call *call, void **cursor)
{
	struct cursor *c = *cursor;

	(void)call;
	if (c == NULL)
		return;
	journal_list_free(c->listing);
	closedir(c->directory);
	pr_free(c);
	*cursor = NULL;
}

enum pr_status spool_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	struct spool *spool = spool_of(call);
	static const char kinds[] = "qhQ";
	char name[SPOOL_ID_MAX + 1];

	if (!spool_id_is_valid(id))
		return pr_fail(call, PR_NOTFOUND, "that is no queue id");
	snprintf(name, sizeof name, "%.*s", PR_PRINT(id));
	for (size_t i = 0; kinds[i] != '\0'; i++) {
		struct pr_entry entry;
		struct spool_held held;
		enum pr_status status;

		if (!fill_entry(call, kinds[i], name, &entry))
			continue;
		held.fd = openat(spool->control_fd, spool_name(kinds[i], name).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (held.fd < 0 && errno == ENOENT)
			continue;
		if (held.fd < 0)
			return spool_fail(call, errno, "cannot open", spool_name(kinds[i], name).text);
		status = fstat(held.fd, &held.st) == 0 ? spool_load(call, &held, pr_str(name), envelope_out, NULL)
		                                       : spool_fail(call, errno, "cannot read", spool_name(kinds[i], name).text);
		close(held.fd);
		if (status == PR_OK && entry_out != NULL)
			*entry_out = entry;
		return status;
	}
	enum pr_status status = journal_peek(call, name, envelope_out, entry_out);

	return status != PR_NOTFOUND ? status : pr_fail(call, PR_NOTFOUND, "%s is not in the queue", name);
}
