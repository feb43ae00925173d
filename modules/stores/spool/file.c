/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Control files: locked, loaded, rewritten, set aside.
 * A lock counts only if afterwards the name still leads to the locked inode, and a rewrite locks
 * the new file before it takes the name, so the owner never changes unseen.  The new file gets user and group of the
 * one it replaces, and no wider mode: root's tools write in a queue that is not root's, and sendmail's 0600 stays 0600.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_ATTEMPTS 5
#define LOCK_PAUSE_NS 2000000

/* sendmail's mailq probes with a shared lock for an instant: that is no owner */
static bool lock_patiently(int fd)
{
	struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int attempt = 0;; attempt++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (attempt + 1 == LOCK_ATTEMPTS) {
			errno = EWOULDBLOCK;
			return false;
		}
		nanosleep(&pause, NULL);
	}
}

static int open_control(const struct spool_place *place, const char *name)
{
	int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(place->control_fd, name, O_RDWR | flags);

	return fd >= 0 || errno != EACCES ? fd : openat(place->control_fd, name, O_RDONLY | flags);
}

static bool leads_to(const struct spool_place *place, const char *name, const struct stat *held)
{
	struct stat named;

	return fstatat(place->control_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == held->st_dev &&
	       named.st_ino == held->st_ino;
}

static bool still_leads_there(const struct spool_place *place, const char *name, int fd)
{
	struct stat held;

	return fstat(fd, &held) == 0 && leads_to(place, name, &held);
}

static enum spool_lock open_failed(int error)
{
	switch (error) {
	case ENOENT:
		return SPOOL_GONE;
	case ELOOP:  /* a symbolic link */
	case EISDIR: /* a directory */
	case ENXIO:  /* a socket or an unread FIFO */
		return SPOOL_BAD;
	default:
		return SPOOL_ERROR;
	}
}

enum spool_lock spool_lock(const struct spool_place *place, char kind, const char *id, struct spool_held *held_out)
{
	struct spool_name name = spool_name(kind, id);

	/* the file may be replaced between open and lock, but not for ever */
	for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
		int fd = open_control(place, name.text);
		struct stat st;

		if (fd < 0)
			return open_failed(errno);
		if (!lock_patiently(fd)) {
			enum spool_lock result = errno == EWOULDBLOCK ? SPOOL_BUSY : SPOOL_ERROR;

			close(fd);
			return result;
		}
		/* measured under the lock, once for all who ask later */
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
			close(fd);
			return SPOOL_BAD;
		}
		if (leads_to(place, name.text, &st)) {
			held_out->fd = fd;
			held_out->st = st;
			return SPOOL_LOCKED;
		}
		close(fd);
	}
	return SPOOL_BUSY;
}

enum pr_status spool_lock_status(struct pr_call *call, const struct spool_place *place, enum spool_lock lock, const char *id)
{
	switch (lock) {
	case SPOOL_LOCKED:
		return PR_OK;
	case SPOOL_GONE:
		return pr_fail(call, PR_NOTFOUND, "%s is not in the queue", id);
	case SPOOL_BUSY:
		return pr_fail(call, PR_TEMPFAIL, "%s: locked", id);
	case SPOOL_BAD:
		return spool_lose(call, place, 'q', id, "the control file is no regular file");
	case SPOOL_ERROR:
		break;
	}
	return spool_fail(call, place, errno, "cannot open", spool_name('q', id).text);
}

static bool read_all(int fd, struct pr_text *text, size_t size)
{
	char buffer[8192];

	while (text->len < size) {
		ssize_t got = pread(fd, buffer, sizeof buffer, (off_t)text->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		if (!pr_text_add(text, buffer, (size_t)got)) {
			errno = EFBIG;
			return false;
		}
	}
	return true;
}

static enum pr_status check_file(struct pr_call *call, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return pr_fail(call, PR_PERMFAIL, "the control file is no regular file");
	if (st->st_nlink > 1)
		return pr_fail(call, PR_PERMFAIL, "the control file has a second name");
	if ((st->st_mode & S_IWOTH) != 0)
		return pr_fail(call, PR_PERMFAIL, "the control file is writable by everybody");
	if (st->st_size == 0)
		return pr_fail(call, PR_PERMFAIL, "the control file is empty");
	if (st->st_size > (off_t)SPOOL_CONTROL_MAX)
		return pr_fail(call, PR_PERMFAIL, "the control file is larger than %u bytes", SPOOL_CONTROL_MAX);
	return PR_OK;
}

/* Looks at df, through *body_fd_out when it is to be opened too; 0 or an errno. */
static int look_at_body(const struct spool_place *place, const char *name, struct stat *st, int *body_fd_out)
{
	if (body_fd_out == NULL)
		return fstatat(place->data_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
	*body_fd_out = openat(place->data_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return *body_fd_out >= 0 && fstat(*body_fd_out, st) == 0 ? 0 : errno;
}

static enum pr_status measure_body(struct pr_call *call, const struct spool_place *place, struct pr_str id, struct pr_envelope *envelope, int *body_fd_out)
{
	struct spool_name name = spool_name('d', id.data);
	struct stat st;
	int error = look_at_body(place, name.text, &st, body_fd_out);

	if (error == ENOENT)
		return pr_fail(call, PR_PERMFAIL, "the body is missing");
	if (error == ELOOP || error == ENXIO || (error == 0 && (!S_ISREG(st.st_mode) || st.st_nlink > 1)))
		return pr_fail(call, PR_PERMFAIL, "the body is no regular file with one name");
	if (error != 0)
		return spool_fail(call, place, error, "cannot look at", name.text);
	return spool_check_length(call, envelope, st.st_size);
}

enum pr_status spool_check_length(struct pr_call *call, struct pr_envelope *envelope, int64_t length)
{
	int64_t stated = envelope->body_size;

	envelope->body_size = length;
	if (stated <= 0 || stated == length)
		return PR_OK;
	return pr_fail(call, PR_PERMFAIL, "the body has %" PRId64 " bytes, and not the %" PRId64 " it came with", length, stated);
}

enum pr_status spool_load(struct pr_call *call, const struct spool_place *place, const struct spool_held *held, struct pr_str id, struct pr_envelope **envelope_out,
                          int *body_fd_out)
{
	struct pr_envelope *envelope = NULL;
	struct pr_text text;
	enum pr_status status = check_file(call, &held->st);

	pr_text_init(&text, SPOOL_CONTROL_MAX + 8192);
	if (status == PR_OK && !read_all(held->fd, &text, (size_t)held->st.st_size))
		status = spool_fail(call, place, errno, "cannot read", spool_name('q', id.data).text);
	if (status == PR_OK)
		status = qf_read(call, pr_text_str(&text), &envelope);
	pr_text_fini(&text);
	if (status == PR_OK)
		status = measure_body(call, place, id, envelope, body_fd_out);
	if (status != PR_OK)
		return status;
	envelope->id = pr_arena_copy(call->arena, id);
	if (envelope->id.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the envelope");
	*envelope_out = envelope;
	return PR_OK;
}

enum pr_status spool_lose(struct pr_call *call, const struct spool_place *place, char kind, const char *id, const char *why)
{
	struct spool *spool = spool_of(call);

	/* who only looks must not move things */
	if ((spool->role & PR_STORE_DELIVERY) == 0)
		return pr_fail(call, PR_PERMFAIL, "%s: %s", id, why);
	if (renameat(place->control_fd, spool_name(kind, id).text, place->control_fd, spool_name('Q', id).text) != 0)
		return spool_fail(call, place, errno, "cannot set aside", spool_name(kind, id).text);
	return pr_fail(call, PR_PERMFAIL, "%s/%s: %s", place->path, spool_name(kind, id).text, why);
}

/* Only root can give a file away.  Anyone else who may write here is the courier, who owns the directory and so needs no more
 * than the group, which a member can give; where he is none the group is his own, as for a file he made. */
static bool inherit(const struct spool *spool, const struct spool_place *place, int from, int to)
{
	struct stat st;

	if (fstat(from, &st) != 0)
		return false;
	/* what the group could write may be anybody's of the group: its successor is the queue owner's, not even for a moment his */
	if (geteuid() == 0 && ((st.st_mode & S_IWGRP) != 0 ? !spool_give_to_owner(place, to) : fchown(to, st.st_uid, st.st_gid) != 0))
		return false;
	if (geteuid() != 0 && st.st_gid != getegid() && fchown(to, (uid_t)-1, st.st_gid) != 0 && errno != EPERM)
		return false;
	/* Not wider than it was, nor than spool_create makes them in this role: no group may write.  A mode that locks its own owner
	 * out is nobody's wish. */
	mode_t mode = (st.st_mode & 0640) | 0600;
	return mode == (spool->file_mode & 0640) || fchmod(to, mode) == 0;
}

/* tfID written, synced and locked; -1 with the reason in *status_out */
static int write_new(struct pr_call *call, const struct spool_place *place, const char *id, const struct pr_envelope *envelope, int old, enum pr_status *status_out)
{
	struct spool *spool = spool_of(call);
	struct spool_name name = spool_name('t', id);
	struct pr_text text;
	int fd = -1;

	pr_text_init(&text, SPOOL_CONTROL_MAX);
	*status_out = qf_write(call, envelope, &text);
	if (*status_out == PR_OK) {
		/* we hold the message: a tf of this name is debris of a predecessor */
		unlinkat(place->control_fd, name.text, 0);
		fd = spool_create(spool, place->control_fd, name.text, true);
		if (fd < 0 || !inherit(spool, place, old, fd) || !pr_write_all(fd, text.data, text.len) || fdatasync(fd) != 0)
			*status_out = spool_fail(call, place, errno, "cannot write", name.text);
	}
	pr_text_fini(&text);
	if (*status_out != PR_OK && fd >= 0) {
		unlinkat(place->control_fd, name.text, 0);
		close(fd);
		fd = -1;
	}
	return fd;
}

enum pr_status spool_rewrite(struct pr_call *call, struct spool_place *place, char kind, const char *id, const struct pr_envelope *envelope, int *fd)
{
	enum pr_status status;
	int error, fresh = write_new(call, place, id, envelope, *fd, &status);

	if (fresh < 0)
		return status;
	if (renameat(place->control_fd, spool_name('t', id).text, place->control_fd, spool_name(kind, id).text) != 0) {
		status = spool_fail(call, place, errno, "cannot rename", spool_name('t', id).text);
		if (!still_leads_there(place, spool_name(kind, id).text, fresh)) {
			unlinkat(place->control_fd, spool_name('t', id).text, 0);
			close(fresh);
			return status;
		}
	}
	close(*fd);
	*fd = fresh;
	error = spool_directory_flush(place);
	return error == 0 ? PR_OK : spool_fail(call, place, error, "cannot fsync the queue directory of", spool_name(kind, id).text);
}
