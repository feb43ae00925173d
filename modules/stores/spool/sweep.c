/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sweeping up after a crash: tf files, and df files that no control file belongs to.
 * Age alone proves nothing, for clocks jump; the lock does: an intake holds tf, and a df without one, locked until the
 * message is whole, and a claim holds its control file.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool exists(const struct spool_place *place, char kind, const char *id)
{
	struct stat st;

	/* what cannot be looked at is taken to be there */
	return fstatat(place->control_fd, spool_name(kind, id).text, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool belongs_to_a_message(struct spool *spool, const struct spool_place *place, const char *id)
{
	/* the journal first, for what is in it may become tf; then tf, for it may become qf */
	return journal_has(spool, id) || exists(place, 't', id) || exists(place, 'q', id) || exists(place, 'h', id) || exists(place, 'Q', id);
}

/* A rewrite's tf beside a claimed qf is locked too, but sendmail does not lock its tf: its qf is. */
static bool control_is_locked(const struct spool_place *place, const char *id)
{
	int fd = openat(place->control_fd, spool_name('q', id).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool locked = fd < 0 ? errno != ENOENT : flock(fd, LOCK_EX | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return locked;
}

static void sweep_file(struct spool *spool, const struct spool_place *place, int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && time(NULL) - st.st_mtime >= spool->orphan_age && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		bool needed = name[0] == 'd' ? belongs_to_a_message(spool, place, name + 2) : control_is_locked(place, name + 2);

		if (!needed)
			unlinkat(directory, name, 0);
	}
	close(fd);
}

static void sweep_directory(struct spool *spool, const struct spool_place *place, int directory, char kind)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *found;

	if (list == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((found = readdir(list)) != NULL)
		if (found->d_name[0] == kind && found->d_name[1] == 'f' && spool_id_is_valid(pr_str(found->d_name + 2)))
			sweep_file(spool, place, directory, found->d_name);
	closedir(list);
}

/* tf first: a df whose only companion was a stale tf goes in the same sweep */
void spool_sweep(struct spool *spool)
{
	for (size_t i = 0; i < spool->place_count; i++) {
		const struct spool_place *place = &spool->places[i];

		sweep_directory(spool, place, place->control_fd, 't');
		sweep_directory(spool, place, place->data_fd, 'd');
	}
}
