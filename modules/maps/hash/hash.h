/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The maps hash, btree and dbm: a table file that is read without locks and replaced as a whole.
 *
 *   lookup --> the thread's view (view.c) --> a table in memory (memory.c), or for large GDBM files a handle of that library
 *
 * NAME.db is told by its first bytes: GDBM, which makemap and newaliases of this package write, or Berkeley DB, which sendmail's
 * wrote (berkeley.c; read only).  A file is believed only after it was verified, once per process and identity (device, inode, size, times):
 * by the seal that our builder puts in, by a walk through directory, buckets and keys (check.h), or by the verifier of Berkeley DB.
 * One that does not pass makes every lookup a temporary failure.
 *
 * A GDBM file up to `memory` bytes, and every Berkeley file, is read whole, once for all threads, into a table that never changes (memory.h): threads share it by a count of
 * references, and a lookup takes no lock and makes no system call.  Whether there is a new file is asked with stat(2) at most once in
 * LOOK_AGAIN_MS by each thread.  A commit in this process is seen at once, and a commit in another one waits, before it returns, until that time has
 * passed everywhere: when makemap has ended, every lookup sees the new table.
 *
 * A rebuild is written to NAME.db.new, locked against a second builder, sealed, fsynced and renamed over NAME.db (build.c).
 */
#ifndef MODULES_MAPS_HASH_HASH_H
#define MODULES_MAPS_HASH_HASH_H

#include "berkeley.h"
#include "memory.h"

#include <postrider/mapflags.h>

#include <gdbm.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_AGAIN_MS 10
#define COMMIT_WAIT_MS 25 /* LOOK_AGAIN_MS, and a tick of a coarse clock */
#define KEY_MAX 65536

struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

enum file_kind { FILE_GDBM, FILE_BERKELEY_HASH, FILE_BERKELEY_BTREE };

struct hash_map { /* instance: options, then what all threads share */
	struct pr_map_flags flags;
	struct pr_str file;
	int64_t memory;
	uint32_t unsafe, mode;
	uint32_t safe;      /* PR_SAFE_...: what DontBlameSendmail allows */
	uint32_t is_unsafe; /* others may write to the file */
	char *path; /* with .db */
	pthread_mutex_t lock;
	struct identity verified; /* the file that the next four are about */
	enum file_kind kind;
	uint32_t known, good, sealed;
	char why[256];          /* why it is not good */
	struct memory *table;   /* the present file in memory, or NULL */
	struct identity loaded; /* the file that `table` is */
};

struct hash_thread {
	struct identity identity; /* of the view */
	struct memory *table;     /* the view: one of these two ... */
	GDBM_FILE db;
	uint32_t absent;          /* ... or no file, for an optional map */
	uint32_t sealed;
	int64_t checked_ms;
	uint32_t generation;
	/* rebuilding */
	GDBM_FILE building;
	int build_fd; /* the lock; valid while `building` */
	/* cursor in a GDBM handle */
	uint64_t position;
	datum last; /* malloced by gdbm */
};

struct identity identity_of(const struct stat *status);
bool identity_equal(const struct identity *a, const struct identity *b);
bool is_file(const struct identity *identity, const struct stat *status);

/* hash.c: what hash, btree and dbm have in common */
extern const struct pr_map_ops hash_ops;
extern const struct pr_option hash_options[];
enum pr_status hash_check_options(struct pr_call *call);
enum pr_status hash_open(struct pr_call *call);
void hash_close(struct pr_call *call);
void hash_thread_close(struct pr_call *call);
/* The value as it is stored, good until the thread's next lookup. */
enum pr_status hash_find(struct pr_call *call, struct pr_str key, struct pr_str *raw_out);
/* Which forms of a key are tried: without and with a final NUL. */
bool hash_tries_plain(const struct hash_map *map);
bool hash_tries_nul(const struct hash_map *map);

/* view.c: brings the thread's view up to date.  PR_NOTFOUND: there is no file and the map is optional. */
enum pr_status hash_view(struct pr_call *call);
void hash_drop(struct hash_thread *thread); /* forget the view: the next call looks anew */
void hash_changed(void);                    /* a table was replaced by this process */

/* judge.c: is the open file to be believed?  Called with the map's lock held; answers in map->good, kind, sealed, why. */
void hash_judge(struct hash_map *map, int fd, const struct identity *identity);

/* disk.c: lookups in a file that is too large for the memory */
enum pr_status hash_disk_open(struct pr_call *call, int fd);
enum pr_status hash_disk_lookup(struct pr_call *call, struct pr_str key, struct pr_str *value_out);
enum pr_status hash_disk_next(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out);

/* build.c */
enum pr_status hash_begin(struct pr_call *call);
enum pr_status hash_store(struct pr_call *call, struct pr_str key, struct pr_str value);
enum pr_status hash_remove(struct pr_call *call, struct pr_str key);
enum pr_status hash_commit(struct pr_call *call);
void hash_abandon(struct pr_call *call);

#endif
