/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queue ids of sendmail's shape, YMDhmsNNpppppp, whose last part is not the process id but a number taken from the
 * file .id under a lock: no two processes ever hold the same one, across restarts and clock changes too.
 *
 * An id is unique because (number, second, sequence) is: the second never goes back for the holder of a number,
 * the sequence counts within it, and when 3,600 ids of one second are used up a new number is taken.  A number is
 * given back to nobody; it comes round after a million allocations, and no holder keeps one for more than an hour.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS 1000000u
#define SEQUENCES (60u * 60u)
#define HOLD_SECONDS 3600

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx";

/* Made by root's tool before any daemon came: the daemon's users, the directory's owner and group, must be able to write it. */
static bool settle(const struct spool *spool)
{
	struct stat directory;

	if (fchmod(spool->ids.fd, spool->file_mode) != 0)
		return false;
	return geteuid() != 0 ||
	       (fstat(spool->base_fd, &directory) == 0 && fchown(spool->ids.fd, directory.st_uid, directory.st_gid) == 0);
}

/* Without O_CREAT first: in a sticky directory the kernel (fs.protected_regular) refuses O_CREAT on a file of another user. */
enum pr_status spool_ids_open(struct pr_call *call)
{
	struct spool *spool = spool_of(call);
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat st;

	for (int attempt = 0; spool->ids.fd < 0 && attempt < 3; attempt++) {
		spool->ids.fd = openat(spool->base_fd, ".id", flags);
		if (spool->ids.fd >= 0 || errno != ENOENT)
			break;
		spool->ids.fd = openat(spool->base_fd, ".id", flags | O_CREAT | O_EXCL, spool->file_mode);
		if (spool->ids.fd >= 0 && !settle(spool))
			return spool_fail(call, NULL, errno, "cannot set owner and mode of", ".id");
		if (spool->ids.fd < 0 && errno != EEXIST)
			break;
	}
	if (spool->ids.fd < 0 || fstat(spool->ids.fd, &st) != 0)
		return spool_fail(call, NULL, errno, "cannot open", ".id");
	if (!S_ISREG(st.st_mode))
		return pr_fail(call, PR_TEMPFAIL, "%s/.id is not a regular file", spool->path);
	return PR_OK;
}

void spool_ids_close(struct spool *spool)
{
	if (spool->ids.fd >= 0)
		close(spool->ids.fd);
	spool->ids.fd = -1;
	pthread_mutex_destroy(&spool->ids.lock);
}

static bool read_number(int fd, uint32_t *number_out)
{
	char text[16];
	uint64_t number;
	ssize_t len = pread(fd, text, sizeof text, 0);

	if (len < 0)
		return false;
	if (pr_str_number(pr_str_trim((struct pr_str){text, (size_t)len}), NUMBERS - 1, &number)) {
		*number_out = (uint32_t)number;
		return true;
	}
	/* new or damaged: anywhere in the circle is as good */
	uint32_t seed;

	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		return false;
	*number_out = seed % NUMBERS;
	return true;
}

static bool advance(int fd, uint32_t *number_out)
{
	char text[16];
	uint32_t number;

	if (!read_number(fd, &number))
		return false;
	number = (number + 1) % NUMBERS;

	int len = snprintf(text, sizeof text, "%06u\n", number);

	/* one small write in place: there is always room after the first time */
	if (pwrite(fd, text, (size_t)len, 0) != len)
		return false;
	*number_out = number;
	return true;
}

static bool take_number(struct spool_ids *ids, int64_t now)
{
	while (flock(ids->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return false;

	bool ok = advance(ids->fd, &ids->number);
	int error = errno;

	flock(ids->fd, LOCK_UN);
	errno = error;
	if (!ok)
		return false;
	ids->renew = now + HOLD_SECONDS;
	ids->sequence = 0;
	return true;
}

static int64_t clock_second(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return now.tv_sec;
}

static void print_id(const struct spool_ids *ids, char id_out[SPOOL_ID_MAX + 1])
{
	time_t second = ids->second;
	struct tm tm;

	gmtime_r(&second, &tm);
	snprintf(id_out, SPOOL_ID_MAX + 1, "%c%c%c%c%c%c%c%c%06u", digits[tm.tm_year % 60], digits[tm.tm_mon], digits[tm.tm_mday],
	         digits[tm.tm_hour], digits[tm.tm_min], digits[tm.tm_sec % 60], digits[ids->sequence / 60],
	         digits[ids->sequence % 60], ids->number);
}

enum pr_status spool_id_next(struct pr_call *call, char id_out[SPOOL_ID_MAX + 1])
{
	struct spool_ids *ids = &spool_of(call)->ids;
	int64_t second = clock_second(CLOCK_REALTIME);
	int64_t now = clock_second(CLOCK_MONOTONIC);
	bool ok = true;
	int error = 0;

	pthread_mutex_lock(&ids->lock);
	if (second > ids->second && ids->number != 0) {
		ids->second = second;
		ids->sequence = 0;
	} else if (ids->number != 0) {
		ids->sequence++;
	}
	/* 0 doubles as "none yet": the one allocation in a million that gives 0 is spent after its first id */
	if (ids->number == 0 || ids->sequence >= SEQUENCES || now >= ids->renew) {
		ok = take_number(ids, now);
		error = errno;
		if (ok)
			ids->second = second; /* a new number may also go back in time */
		else
			ids->number = 0;
	}
	if (ok)
		print_id(ids, id_out);
	pthread_mutex_unlock(&ids->lock);
	return ok ? PR_OK : spool_fail(call, NULL, error, "cannot advance", ".id");
}
