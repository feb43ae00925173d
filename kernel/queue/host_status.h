/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was learned of each next host, kept in files that outlive the process: sendmail's HostStatusDirectory.
 *
 * mx1.remote.example is DIRECTORY/example./remote./mx1: the labels the other way round, each folder with a dot behind its name.  The
 * file says in lines: V0, E errno, H resolver error, S exit status, D enhanced code, R last reply, U when, and a dot.
 *
 * The courier writes one after each delivery to a host and asks before the next; hoststat walks over all; purgestat removes the old ones.  The
 * whole tree may be removed at any time: it is made again.
 *
 * Always true: a name that is no host name (an empty label, a slash, a control character, a label too long for a file) has no file; every step
 * is taken below the directory's descriptor and follows no link.
 */
#ifndef KERNEL_QUEUE_HOST_STATUS_H
#define KERNEL_QUEUE_HOST_STATUS_H

#include <postrider/arena.h>
#include <postrider/status.h>
#include <postrider/text.h>

#define HOST_STATUS_NAME_MAX 255

struct host_status {
	int64_t error;    /* errno */
	int64_t resolver; /* h_errno */
	int64_t status;   /* sysexits: 0 well, 75 it could not be reached */
	int64_t when;     /* unix seconds */
	struct pr_str enhanced, reply;
};

/* "example./remote./mx1"; false: such a host has no file. */
bool host_status_path(struct pr_str host, struct pr_text *out);
/* Makes what is missing, the directory too.  False with errno. */
bool host_status_write(const char *directory, struct pr_str host, const struct host_status *status);
/* PR_NOTFOUND: nothing is known. */
enum pr_status host_status_read(const char *directory, struct pr_str host, struct pr_arena *arena, struct host_status *status_out);
bool host_status_parse(struct pr_str text, struct pr_arena *arena, struct host_status *status_out);

/* All hosts; `name` is the host's.  False: the directory cannot be read. */
typedef void host_status_each(void *context, int folder, const char *file, struct pr_str name);
bool host_status_walk(const char *directory, host_status_each *each, void *context);

#endif
