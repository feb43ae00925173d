/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Control files that sendmail would set aside as bogus, because the group may write them, become the queue owner's before the queue is handed back.
 * We make no such file; earlier versions did, and the receiver, who shares the group, still can.  So nothing is changed in place: what a
 * name leads to is locked, read and judged as for a delivery, and written anew under the same name.  Whoever prepared the file has no
 * descriptor, no second name and no right on the new one, and a link leads nowhere.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_refused_by_sendmail(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* Only what the daemon's own users made: another's file, linked to from here, is not for us to copy. */
static enum pr_status check_maker(struct pr_call *call, const struct spool_held *held, const char *name)
{
	struct stat base;

	if (fstat(held->place->base_fd, &base) != 0)
		return spool_fail(call, held->place, errno, "cannot look at", "");
	if (held->st.st_uid == base.st_uid || held->st.st_gid == base.st_gid)
		return PR_OK;
	return pr_fail(call, PR_TEMPFAIL, "%s/%s is neither the queue owner's nor his group's", held->place->path, name);
}

static enum pr_status rewrite(struct pr_call *call, char kind, const char *id, struct spool_held *held)
{
	struct pr_envelope *envelope;
	enum pr_status status = check_maker(call, held, spool_name(kind, id).text);

	if (status != PR_OK)
		return status;
	status = spool_load(call, held->place, held, pr_str(id), &envelope, NULL);
	if (status == PR_PERMFAIL)
		return spool_lose(call, held->place, kind, id, call->reason.data);
	return status != PR_OK ? status : spool_rewrite(call, held->place, kind, id, envelope, &held->fd);
}

static enum pr_status own(struct pr_call *call, struct spool_place *place, char kind, const char *id)
{
	struct spool_held held = {.place = place};
	enum spool_lock lock = spool_lock(place, kind, id, &held);
	enum pr_status status = PR_OK;

	if (lock == SPOOL_GONE || lock == SPOOL_BAD)
		return PR_OK; /* sent or replaced since the directory was read */
	if (lock != SPOOL_LOCKED)
		return spool_lock_status(call, place, lock, id);
	if (is_refused_by_sendmail(&held.st))
		status = rewrite(call, kind, id, &held);
	close(held.fd);
	return status;
}

/* A name of the directory whose file sendmail would refuse. */
static bool is_wanted(const struct spool_place *place, const char *name)
{
	struct stat st;

	return (name[0] == 'q' || name[0] == 'h') && name[1] == 'f' && spool_id_is_valid(pr_str(name + 2)) &&
	       fstatat(place->control_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_refused_by_sendmail(&st);
}

/* The first failure is what is told of; the others are still tried. */
static enum pr_status own_place(struct pr_call *call, struct spool_place *place, DIR *directory)
{
	enum pr_status status = PR_OK;
	struct dirent *found;
	struct pr_arena arena; /* there may be more of them than the caller's arena holds */
	struct pr_call each = *call;

	pr_arena_init(&arena, 4 * (size_t)SPOOL_CONTROL_MAX);
	each.arena = &arena;
	while ((found = readdir(directory)) != NULL) {
		if (!is_wanted(place, found->d_name))
			continue;
		if (pr_call_remaining(call, 1) <= 0) {
			status = pr_fail(call, PR_TEMPFAIL, "no time to rewrite the control files of %s that their group may write", place->path);
			break;
		}
		enum pr_status one = own(&each, place, found->d_name[0], found->d_name + 2);
		if (status == PR_OK && one != PR_OK)
			status = pr_fail(call, one, "%.*s", PR_PRINT(each.reason));
		pr_arena_reset(&arena);
	}
	pr_arena_fini(&arena);
	return status;
}

enum pr_status spool_own_all(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	enum pr_status status = PR_OK, one;

	for (size_t i = 0; i < spool->place_count; i++) {
		DIR *directory = spool_place_list(&spool->places[i]);

		one = directory != NULL ? own_place(call, &spool->places[i], directory)
		                        : spool_fail(call, &spool->places[i], errno, "cannot list", "");
		if (directory != NULL)
			closedir(directory);
		status = status == PR_OK ? one : status;
	}
	return status;
}
