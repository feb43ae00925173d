/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The spool store: sendmail's queue directory.
 *
 *   QueueDirectory/qfID   the control file, V8 format      (in qf/ when that directory exists)
 *   QueueDirectory/dfID   the body, LF line ends           (in df/ when that directory exists)
 *   QueueDirectory/tfID   a control file being written; renamed to qfID
 *   QueueDirectory/hfID   as qf, held or quarantined
 *   QueueDirectory/QfID   as qf, unreadable: set aside for the operator
 *   QueueDirectory/.id    the next process number for queue ids
 *
 * A message exists from the moment tf has become qf; the body is on disk before
 * that.  It ends when qf is unlinked; df goes after it.  So a df or tf alone is
 * debris of a crash, and open() in the delivery role sweeps it up when it is
 * old and nobody holds its lock.
 *
 * Claim.  A message belongs to whoever holds flock(2) on the file that the
 * name qfID leads to.  Having got the lock one must look again whether the name
 * still leads to the same inode: a rewrite replaces it (the writer locks the new
 * file before the rename, so there is no moment without an owner).
 *
 * Privileges.  The receiver (user postrider) creates files; the courier (user
 * postrider-q, same group) reads, rewrites and deletes them.  QueueDirectory and
 * its sub-directories are owned by the courier's user, group postrider, mode
 * 1770: everybody in the group may create, only the directory's owner may
 * remove what others made.  Files get mode 0640 (option file_mode, without the
 * group's right to write).  As one ordinary user nothing of this matters: 0700
 * is enough.
 *
 * Disk full.  Every reason that means "no room" begins with
 * "Insufficient disk space"; that is how a receiver tells 452 4.4.5 from 451.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include "journal.h"

#include <postrider/host.h>
#include <postrider/store.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SPOOL_ID_MAX 32               /* longest queue id that is believed */
#define SPOOL_NAME_MAX (SPOOL_ID_MAX + 3)
#define SPOOL_CONTROL_MAX (16u << 20) /* most bytes of a control file */
#define SPOOL_LINE_MAX (64u << 10)    /* most bytes of an address, macro or status */
#define SPOOL_BUCKETS 256

struct spool_ids {
	pthread_mutex_t lock;
	int fd;           /* .id */
	uint32_t number;  /* ours until `renew`; 0: none yet */
	uint32_t sequence;
	int64_t second;   /* of the last id */
	int64_t renew;    /* CLOCK_MONOTONIC second */
};

struct spool_job;

struct spool_sync {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct spool_job *first, **end;
	pthread_t thread;
	bool running, stopping;
	bool together; /* syncfs may be used for several messages */
	bool doubtful; /* one syncfs has failed: each file is asked from then on; of the sync thread */
};

/* One fsync of the control directory for all who wait for it. */
struct spool_directory_sync {
	pthread_mutex_t lock;
	pthread_cond_t done;
	uint64_t started, finished; /* numbers of fsync calls */
	uint64_t failed_upto;       /* the last one that failed */
	int error;
	bool running;
};

/* One queue directory. */
struct spool_place {
	const char *path;
	struct pr_str name;  /* last component of the path */
	size_t group;        /* index */
	int base_fd, control_fd, data_fd;
	bool separate_data;  /* df/ is a directory of its own */
	struct spool_directory_sync directory_sync;
};

/* A queue group: one or several places. */
struct spool_group {
	struct pr_str name;
	size_t first, count; /* of places */
};

struct spool_claim {
	struct spool_claim *next;
	struct spool_place *place;
	uint64_t epoch;
	struct journal_entry *entry; /* while it is in the journal; NULL: files */
	struct spool_record *record; /* as it was read from the journal; its body is read from here, even when it has become a file */
	bool in_work;    /* counted in spool_claims.in_work */
	bool body_filed; /* df, although the record was in the journal */
	int fd;      /* holds the lock; -1: in the journal */
	int body_fd; /* df, for the first who reads it; -1: it has been taken */
	int64_t body_size;
	dev_t device;
	ino_t inode;
	char kind;   /* of its control file: 'q', or 'h' and 'Q' of one that is tried where it is set aside */
	char id[SPOOL_ID_MAX + 1];
};

struct spool_claims {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a conversion is over, or a claim of the journal was put back or ended */
	uint64_t converting;    /* the epoch that becomes files just now; 0: none */
	unsigned int in_work;   /* claims of the journal that are out of the table */
	uint64_t next_epoch;
	struct spool_claim *buckets[SPOOL_BUCKETS];
};

struct spool {
	/* options */
	struct pr_str directory;
	int64_t body_memory;
	int64_t orphan_age;
	uint32_t file_mode;
	uint32_t sync_finish;
	uint32_t sync_together;
	uint32_t reserved;
	int64_t journal_size;
	int64_t journal_body;
	/* state */
	const char *path;
	int64_t min_free_blocks; /* MinFreeBlocks, in blocks of the file system */
	int base_fd;         /* .id and the journal; the directory above the places of a "q.*" */
	struct spool_place *places; /* at least one */
	size_t place_count;
	struct spool_group *groups; /* the first one is the default */
	size_t group_count;
	atomic_bool handed_over; /* no new claims here */
	atomic_bool modes_are_right; /* new files get file_mode without help */
	bool opened;
	uint32_t role;
	struct spool_ids ids;
	struct spool_sync sync;
	struct spool_claims claims;
	struct journal journal;
};

/* spool.c: names and reasons */
static inline struct spool *spool_of(const struct pr_call *call)
{
	return call->instance;
}
bool spool_id_is_valid(struct pr_str id);
/* "qf" + id; the kind is one of 'q' 'd' 't' 'h' 'Q'. */
struct spool_name {
	char text[SPOOL_NAME_MAX];
};
struct spool_name spool_name(char kind, const char *id);
/* PR_TEMPFAIL with the text of errno, about a file of that place (NULL: of the base directory); "Insufficient disk space: ..." when there is no room. */
enum pr_status spool_fail(struct pr_call *call, const struct spool_place *place, int error, const char *what, const char *name);
bool spool_is_full(int error);
/* Creates a new file for writing (O_EXCL), of the mode the option says; -1 with errno.  Not locked is only what another
 * locked file speaks for. */
int spool_create(struct spool *spool, int directory, const char *name, bool locked);
/* What root makes belongs to the owner of the queue; others make what is theirs. */
bool spool_give_to_owner(const struct spool_place *place, int fd);
/* places.c */
enum pr_status spool_pattern_check(struct pr_call *call, struct pr_str path, const char *what);
enum pr_status spool_places_open(struct pr_call *call, struct pr_str directory);
void spool_places_close(struct spool *spool);
struct spool_place *spool_place_find(struct spool *spool, struct pr_str name); /* the first one when it is gone */
/* What an entry says of it: its group, when that is not the default one, else the directory. */
struct pr_str spool_queue_name(const struct spool *spool, const struct spool_place *place);
/* A directory stream of the control files of a place; NULL with errno. */
DIR *spool_place_list(const struct spool_place *place);
/* Any one of the group, by chance; NULL: no such group. */
struct spool_place *spool_place_choose(struct spool *spool, struct pr_str group);
/* Where the first of the kinds of files with that id is; NULL: nowhere. */
struct spool_place *spool_place_of(struct spool *spool, const char *kinds, const char *id);
/* May this process deliver?  PR_MISUSE otherwise. */
enum pr_status spool_need_role(struct pr_call *call, uint32_t role);

/* id.c */
enum pr_status spool_ids_open(struct pr_call *call);
void spool_ids_close(struct spool *spool);
enum pr_status spool_id_next(struct pr_call *call, char id_out[SPOOL_ID_MAX + 1]);

/* qf_write.c, qf_read.c: pure */
enum pr_status qf_write(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out);
/* PR_PERMFAIL: not a whole, honest control file; PR_TEMPFAIL: the arena is full. */
enum pr_status qf_read(struct pr_call *call, struct pr_str bytes, struct pr_envelope **envelope_out);
/* What a scan shows: counters, sender, recipients, as far as the bytes go.  false: not a control file. */
bool qf_read_head(struct pr_str bytes, struct pr_arena *arena, struct pr_entry *entry_out);
/* Covers what decides where mail goes; see qf_write.c. */
uint64_t qf_sum(uint64_t sum, struct pr_str line);
/* What the S line of a notice of our own holds, as sendmail's: its envelope has the null sender. */
#define QF_OWN_SENDER "MAILER-DAEMON"
bool qf_is_own(const struct pr_envelope *envelope);
#define QF_SUM_START 0xcbf29ce484222325u

/* intake.c, sync.c */
enum pr_status spool_begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out);
enum pr_status spool_begin_in(struct pr_call *call, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out);
enum pr_status spool_body(struct pr_call *call, void *transaction, const void *data, size_t len);
enum pr_status spool_commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope,
                            pr_commit_done *done, void *context);
void spool_abort(struct pr_call *call, void *transaction);
enum pr_status spool_secure(struct pr_call *call, void *transaction, pr_commit_done *done, void *context);
void spool_forget(struct pr_call *call, void *transaction);
void spool_late_free(struct journal_late *late); /* NULL is fine */

struct spool_job {
	struct spool_job *next;
	struct spool_place *place;
	int data_fd, control_fd;
	char kind; /* 'q', or 'h' for a message born quarantined */
	char id[SPOOL_ID_MAX + 1];
	enum pr_commit result;
	int error;
	const char *what; /* failed */
	pr_commit_done *done;
	void *context;
	struct pr_text control, body; /* what is not in files yet */
	struct journal_late *late; /* it may be made durable later; NULL: at once */
	bool secures;              /* no message: it asks whether `late` is durable */
	bool company;              /* others are on their way, it is said */
	size_t large;              /* taken by spool_large_take() for the body */
	struct journal_record record;
};
/* intake.c: the message becomes df and tf, and goes to the sync thread. */
void spool_job_file(struct spool *spool, struct spool_job *job);
/* large.c: may so many bytes of a body above SPOOL_SMALL_BODY be in memory?  What was taken is to be given back. */
#define SPOOL_SMALL_BODY ((size_t)128 << 10)
bool spool_large_take(size_t len);
void spool_large_give(size_t len);
/* sync.c: calls done() and frees. */
void spool_job_answer(struct spool_job *job);
void spool_job_free(struct spool_job *job);
void spool_sync_init(struct spool *spool);
void spool_sync_submit(struct spool *spool, struct spool_job *job);
void spool_sync_fini(struct spool *spool); /* finishes what was submitted */
/* fsync of the control directory, shared; 0 or an errno. */
int spool_directory_flush(struct spool_place *place);
/* fsync of the directory of bodies, when it is one of its own; 0 or an errno. */
int spool_data_flush(const struct spool_place *place);

/* claim.c, claims.c, body.c, file.c */
enum spool_lock { SPOOL_LOCKED, SPOOL_GONE, SPOOL_BUSY, SPOOL_BAD, SPOOL_ERROR };
/* A control file that is locked, and what it was when it had been. */
struct spool_held {
	struct spool_place *place;
	int fd;
	struct stat st;
};
/* Opens and locks "qfID" (or hf); the name leads to what is locked. */
enum spool_lock spool_lock(const struct spool_place *place, char kind, const char *id, struct spool_held *held_out);
enum pr_status spool_lock_status(struct pr_call *call, const struct spool_place *place, enum spool_lock lock, const char *id);
/* The measured length, where the control file says none; PR_PERMFAIL: it says another. */
enum pr_status spool_check_length(struct pr_call *call, struct pr_envelope *envelope, int64_t length);
/* body_fd_out, unless NULL, receives df opened for reading. */
enum pr_status spool_load(struct pr_call *call, const struct spool_place *place, const struct spool_held *held, struct pr_str id, struct pr_envelope **envelope_out,
                          int *body_fd_out);
/* Sets an unreadable message aside as Qf; PR_PERMFAIL with `why`. */
enum pr_status spool_lose(struct pr_call *call, const struct spool_place *place, char kind, const char *id, const char *why);
/* Writes the envelope as the new kind+id; the lock passes from *fd to the new file.  Untouched on failure before the rename. */
enum pr_status spool_rewrite(struct pr_call *call, struct spool_place *place, char kind, const char *id, const struct pr_envelope *envelope, int *fd);
bool spool_claims_has(struct spool *spool, struct pr_str id);
/* Takes it out of the table: who works on a claim is alone with it.  NULL: it is none of ours. */
struct spool_claim *spool_claim_take(struct spool *spool, const struct pr_claim *wanted);
/* Back into the table, a new one with an epoch of its own. */
void spool_claim_put(struct spool *spool, struct spool_claim *claim);
/* One that was taken is over: its descriptors are closed. */
void spool_claim_end(struct spool *spool, struct spool_claim *claim);
/* df as it was opened by the claim, or -1: no such claim, or somebody took it. */
int spool_claim_take_body(struct spool *spool, const struct pr_claim *wanted, int64_t *length_out);
/* Where a claim's files are; NULL: no such claim. */
struct spool_place *spool_claim_place(struct spool *spool, const struct pr_claim *wanted);
/* Claims of the journal that `choose` wants become claims of files. */
typedef bool spool_claim_chooser(const struct spool *spool, const struct spool_claim *claim, int64_t now);
void spool_claims_to_files(struct spool *spool, spool_claim_chooser *choose, int64_t now);
/* Waits until no claim is in the journal any more (handover). */
void spool_claims_leave_journal(struct spool *spool);
void spool_claim_note_inode(struct spool_claim *claim);
/* The record of a claim that came from the journal, with a reference; NULL: files. */
struct spool_record *spool_claim_record(struct spool *spool, const struct pr_claim *wanted);
void spool_claims_init(struct spool *spool);
void spool_claims_fini(struct spool *spool);

enum pr_status spool_claim(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status spool_claim_aside(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
enum pr_status spool_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out);
void spool_body_close(struct pr_call *call, struct pr_body *body);
enum pr_status spool_renew(struct pr_call *call, struct pr_claim *claim);
enum pr_status spool_update(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
enum pr_status spool_finish(struct pr_call *call, struct pr_claim *claim);
enum pr_status spool_defer(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
void spool_release(struct pr_call *call, struct pr_claim *claim);

/* scan.c */
enum pr_status spool_next(struct pr_call *call, void **cursor, struct pr_entry *entry_out);
enum pr_status spool_list(struct pr_call *call, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out);
void spool_next_end(struct pr_call *call, void **cursor);
enum pr_status spool_peek(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out,
                          struct pr_entry *entry_out);

/* control.c, health.c, sweep.c */
/* Locks the first that exists of the kinds; what is in the journal becomes files first. */
enum pr_status spool_take(struct pr_call *call, const char *kinds, struct pr_str id, char name[SPOOL_ID_MAX + 1], char *kind_out,
                          struct spool_held *held_out);
enum pr_status spool_hold(struct pr_call *call, struct pr_str id, struct pr_str reason);
enum pr_status spool_quarantine(struct pr_call *call, struct pr_str id, struct pr_str reason);
enum pr_status spool_edit(struct pr_call *call, struct pr_str id, const struct pr_edit *edit);
enum pr_status spool_query(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out);
enum pr_status spool_unhold(struct pr_call *call, struct pr_str id);
enum pr_status spool_requeue(struct pr_call *call, struct pr_str id);
enum pr_status spool_remove(struct pr_call *call, struct pr_str id);
enum pr_status spool_health(struct pr_call *call, struct pr_store_health *health_out);
enum pr_status spool_wait_ready(struct pr_call *call, struct pr_list *ids_out);
enum pr_status spool_drain(struct pr_call *call);
/* own.c: control files that sendmail would refuse are written anew. */
enum pr_status spool_own_all(struct pr_call *call);
enum pr_status spool_handover(struct pr_call *call);
void spool_sweep(struct spool *spool);

#endif
