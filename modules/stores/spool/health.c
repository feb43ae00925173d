/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much room the queue has.
 * One statvfs, no scan: it is asked before messages are accepted.
 */
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#define LEAST_BYTES (1 << 20)
#define LEAST_FILES 16

enum pr_status spool_health(struct pr_call *call, struct pr_store_health *health_out)
{
	struct spool *spool = spool_of(call);
	struct pr_store_health health = { .size = sizeof health, .messages = -1, .can_accept = 1, .text = PR_STR("ok") };
	struct statvfs fs;

	if (fstatvfs(spool->places[0].control_fd, &fs) != 0)
		return spool_fail(call, NULL, errno, "cannot measure", "");
	health.bytes_free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	/* a file system that has no fixed number of inodes says 0 of 0 */
	health.files_free = fs.f_files == 0 ? INT64_MAX : (int64_t)fs.f_favail;
	if ((fs.f_flag & ST_RDONLY) != 0) {
		health.can_accept = 0;
		health.text = pr_arena_printf(call->arena, "%s is on a file system that is read-only", spool->places[0].path);
	} else if (health.bytes_free < LEAST_BYTES || health.files_free < LEAST_FILES ||
	    (int64_t)fs.f_bavail < spool->min_free_blocks) {
		health.can_accept = 0;
		health.text = pr_arena_printf(call->arena, "Insufficient disk space: %s: %" PRId64 " bytes and %" PRId64 " files are free", spool->places[0].path,
		                              health.bytes_free, health.files_free);
	}
	*health_out = health;
	return PR_OK;
}
