/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hash map: a GDBM file that is read without locks and replaced as a whole.
 *
 * Each thread has its own handle on the file.  Before a lookup the file's identity (device, inode, size, times) is
 * compared with that of the open handle; when it differs the thread opens the file anew.  A file is believed only after it was
 * verified: once per process and identity, by the seal that our builder puts in (check.h), or for files of other builders by a walk through
 * directory, buckets and keys.  A file that does not pass makes every lookup a temporary failure.
 *
 * A rebuild is written to NAME.db.new, locked against a second builder, sealed, fsynced and renamed over NAME.db.
 */
#ifndef MODULES_MAPS_HASH_HASH_H
#define MODULES_MAPS_HASH_HASH_H

#include <postrider/map.h>

#include <gdbm.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct hash_map { /* instance: options, then what all threads share */
	struct pr_str file;
	uint32_t fold, optional, unsafe, mode;
	char *path; /* with .db */
	pthread_mutex_t lock;
	struct identity verified; /* the file that `verdict` is about */
	uint32_t known, good, sealed;
	char why[256]; /* why it is not good */
};

struct hash_thread {
	GDBM_FILE db;
	struct identity identity;
	uint32_t sealed;
	/* rebuilding */
	GDBM_FILE building;
	int build_fd; /* the lock; valid while `building` */
	/* cursor */
	uint64_t position;
	datum last; /* malloced by gdbm */
};

struct identity identity_of(const struct stat *status);
bool identity_equal(const struct identity *a, const struct identity *b);
/* The key as it is stored, in the arena. */
struct pr_str hash_key(struct pr_call *call, struct pr_str key);

/* open.c: the thread's handle on the present file.  PR_NOTFOUND: there is none and the map is optional. */
enum pr_status hash_current(struct pr_call *call, GDBM_FILE *db_out);
void hash_drop(struct hash_thread *thread); /* forget the handle: the next call opens again */

/* build.c */
enum pr_status hash_begin(struct pr_call *call);
enum pr_status hash_store(struct pr_call *call, struct pr_str key, struct pr_str value);
enum pr_status hash_remove(struct pr_call *call, struct pr_str key);
enum pr_status hash_commit(struct pr_call *call);
void hash_abandon(struct pr_call *call);

#endif
