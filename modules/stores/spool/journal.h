/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The intake journal: where an accepted message is before it is a file, if it ever becomes one.
 *
 *   QueueDirectory/journal/000.log ...   segments of 4 MiB, pre-allocated and used again and again; written by who accepts
 *   QueueDirectory/journal/000.done ...  beside each: a mark for every record that needs it no more; written by who delivers
 *   QueueDirectory/journal/000.mark ...  beside each: how far it is durable, for those who look; never synced, written by who accepts
 *   QueueDirectory/journal/lease         locked by the one process that delivers from the journal
 *   QueueDirectory/journal/damaged.*     records that could not be read, set aside for the operator
 *
 * Accepting (journal_write.c).  A writer locks a free segment for life and appends records.  Whoever commits alone
 * does it himself, at once: one pwritev, one fdatasync, no other thread, no timer.  Who comes meanwhile is
 * gathered, and a thread makes the gathered durable together; as long as there was always somebody to gather, and when company is
 * announced (PR_INTAKE_COMPANY), it is left to the thread from the start, so that who commits can go on with other sessions.  After a
 * failed fdatasync the segment is left for good: what was in that batch is UNKNOWN, answered 451, and may come twice.
 *
 * Later (SuperSafe=interactive).  A batch of records whose clients wait for the delivery is written without fdatasync, unless it is the
 * first of its segment: were the generation in the head lost, the next writer would use it again and believe the marks of this one.
 * Whoever was not delivered asks (a job with `secures`), and one fdatasync answers all who ask at that moment.  A full segment is
 * made durable before it is left.
 *
 * Delivering (journal_index.c, journal_read.c).  The holder of the lease reads what has been appended since it last looked,
 * keeps an index by queue id, and hands out claims; the record is read once, checked, and stays in memory with its claim.
 *
 * The end (journal_done.c).  A message that was delivered gets its mark: a store into a shared mapping, which survives the process, made
 * durable with all others of that moment by one fdatasync.  What must wait is written out as qf and df
 * (journal_spill.c) and gets its mark when those are durable.  A segment whose writer has left it and whose records are all marked is
 * retired, and free for the next writer.
 *
 * A crash (journal_replay.c).  Every segment that is not retired is read again.  A record says up to where everything before
 * it had been durable, so a damaged one can be told from one that nobody was ever promised: the first is
 * an error in the log and set aside, the second is only set aside.
 *
 * When no segment is free the message is written as files at once (intake.c): slower, and just as safe.
 *
 * One writer for each file: the receiver never writes a .done, the courier never a segment it has not itself taken for
 * its bounces.
 */
#ifndef SPOOL_JOURNAL_H
#define SPOOL_JOURNAL_H

#include <postrider/call.h>
#include <postrider/store.h>

#include <pthread.h>
#include <stdatomic.h>

#define JOURNAL_SEGMENT (4u << 20)  /* bytes of a segment */
#define JOURNAL_HEAD 4096u          /* of these for its head */
#define JOURNAL_ALIGN 64u           /* records begin at multiples of it */
#define JOURNAL_RECORDS 16384u      /* most records of a segment */
#define JOURNAL_SEGMENTS_MAX 256u
#define JOURNAL_NAME_MAX 32         /* bytes of an id or of a directory's name in a record, with the NUL */

/* What stands at the front of a segment and of its .done; native byte order: a journal never travels. */
struct journal_head {
	uint32_t magic;
	uint32_t number;
	uint64_t generation; /* grows with every use of the segment, by chance (journal_take.c); 0: never used */
	uint64_t retired;    /* .done: this generation and all before it need nothing more; .mark: durable up to this offset */
	uint64_t check;      /* journal_head_check() */
};

enum journal_kind { JOURNAL_MESSAGE = 1 };

#define JOURNAL_BODY_FILED 1u /* the body is df, the record holds none */

struct journal_record {
	uint32_t magic;
	uint32_t head_crc;    /* CRC-32C of this head with this field 0 */
	uint64_t generation;
	uint64_t durable;     /* offset up to which the segment was durable when this was written */
	uint32_t index;       /* 0, 1, 2 ... in the segment */
	uint32_t kind;
	uint32_t control;     /* bytes of the control file that follow */
	uint32_t body;        /* bytes of body after it */
	uint32_t payload_crc; /* over both */
	uint32_t flags;       /* JOURNAL_... */
	char id[JOURNAL_NAME_MAX];
	char place[JOURNAL_NAME_MAX]; /* the queue directory it is meant for */
	uint64_t reserved[2];
};

/* journal_format.c: pure */
uint32_t journal_crc(uint32_t crc, const void *data, size_t len);
uint32_t journal_crc_tables(uint32_t crc, const void *data, size_t len);
/* journal_crc.c: without the inversions at both ends. */
bool journal_crc_is_fast(void);
uint32_t journal_crc_fast(uint32_t crc, const void *data, size_t len);
uint64_t journal_head_check(const struct journal_head *head);
bool journal_head_is_good(const struct journal_head *head, uint32_t number);
void journal_head_seal(struct journal_head *head, uint32_t number);
void journal_record_seal(struct journal_record *record);
/* Of this generation, whole, and within the segment when it stands at `offset`. */
bool journal_record_is_good(const struct journal_record *record, uint64_t generation, uint64_t offset);
/* Bytes from this record to the next. */
uint32_t journal_record_span(const struct journal_record *record);
bool journal_fits(size_t control, size_t body);

struct spool;
struct spool_job;
struct spool_place;

/* -- the writer -- */
struct journal_writer {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread;
	struct spool_job *first, **end;
	bool running, stopping;
	bool busy;          /* somebody writes: the thread, or who committed */
	uint32_t crowd;     /* so many of the next who commit leave the writing to the thread */
	uint32_t alone;     /* so many of the next do not believe in company: it did not come */
	/* of who is busy */
	int fd;             /* the segment, locked; -1: none */
	uint32_t number, offset, index;
	uint32_t next_try;  /* where to look for a free segment first */
	uint64_t losses;    /* segments left before all in them was known to be durable */
	int64_t make_again; /* CLOCK_MONOTONIC second before which no new segment is made: the last one failed */
	uint64_t generation;
	uint64_t durable;
	struct journal_head *mark; /* mapping of .mark; NULL: without */
	int make_error;      /* why the last new segment could not be made; 0: it could */
	atomic_int make_failed; /* the same, until it is told */
	atomic_uint latest;  /* number of the segment that was taken last */
	atomic_uint removed; /* 1 + number of a segment that was taken away under us, until it is told */
};

/* Where a record is that was not made durable at once (SuperSafe=interactive): it is when its segment is durable up to `end`, or was
 * left in good order.  After any loss since it was written nobody can say. */
struct journal_late {
	uint32_t number;
	uint64_t generation, end, losses;
};

/* -- the reader: one for the lease -- */
enum journal_state { JOURNAL_READY = 1, JOURNAL_CLAIMED, JOURNAL_FILING, JOURNAL_FILED };

struct journal_entry {
	struct journal_entry *hash_next;
	struct journal_entry *next, *previous; /* of its segment, oldest first */
	struct journal_entry *filed_next;
	uint32_t offset, index, control, body, payload_crc;
	uint16_t segment;
	uint8_t state;     /* enum journal_state */
	uint8_t flags;     /* JOURNAL_... */
	uint8_t rounds;    /* of the keeper that it has waited through; REPORT_ROUNDS: reported to wait_ready() */
	int64_t seen;      /* CLOCK_MONOTONIC second */
	char id[JOURNAL_NAME_MAX];
	struct spool_place *place;
};

struct journal_segment {
	int fd, done_fd, mark_fd;
	struct journal_head *done; /* mapping of .done: head, then marks at JOURNAL_HEAD */
	atomic_uint_fast64_t generation; /* of what is indexed; 0: nothing */
	uint32_t tail;             /* where the next record will be */
	uint32_t records;          /* seen so far */
	atomic_uint_fast64_t announced; /* up to here everything was durable, so its 250 may have been given */
	atomic_bool complete;      /* its writer has left it and everything is read */
	atomic_bool dirty;         /* marks were set since the last fdatasync */
	int done_error;            /* errno: its .done cannot be made, which was reported, so nothing of it is known here; under `tailing` */
	int read_error;            /* the last try to read it to its end failed so, which was reported; under `tailing` */
	struct journal_entry *first, *last; /* not marked yet */
};

struct journal_reader {
	pthread_mutex_t lock;   /* index and states */
	pthread_mutex_t tailing; /* one thread looks for new records at a time; taken before `lock` */
	pthread_cond_t changed; /* an entry left FILING, or was marked */
	pthread_cond_t work;    /* the keeper waits */
	pthread_cond_t news;    /* wait_ready() waits */
	char (*missed)[JOURNAL_NAME_MAX]; /* ids that nobody has asked for */
	size_t missed_count, missed_room;
	pthread_t keeper;
	bool keeping, asleep;
	atomic_bool stopping;
	int lease_fd;           /* -1: somebody else delivers from the journal */
	atomic_bool held;       /* the lease is ours and everything was replayed */
	bool given_up;          /* handover(): never again */
	bool handing_over;      /* claims become files, and no new ones are given */
	bool distrust;          /* a syncfs has failed: each file is asked from now on; of the keeper */
	struct pr_text reports; /* what the keeper has to say; the next call logs it */
	atomic_bool reported;
	struct journal_segment *segments; /* spool->journal.count of them */
	struct journal_entry **buckets;
	size_t bucket_count, count;
	struct journal_entry *filed, **filed_end; /* files are written but not yet durable */
	uint32_t spill_from;    /* segment that the next batch is taken from first */
	uint64_t damaged;       /* records set aside since the start */
	uint32_t recent;        /* segment that had news last */
};

struct journal {
	int directory;          /* -1: there is none (yet) */
	uint32_t count;         /* segments at most; 0: no journal is wanted */
	bool lazy;              /* SuperSafe=false: appended, not made durable */
	pthread_mutex_t opening;
	int64_t next_open;      /* CLOCK_MONOTONIC second of the next try */
	int open_error;         /* why it could not be opened; 0 or ENOENT: there is none */
	atomic_bool ready;
	struct journal_writer writer;
	struct journal_reader reader;
};

/* journal_segment.c: files and names */
struct journal_file_name {
	char text[16];
};
struct journal_file_name journal_log_name(uint32_t number);
struct journal_file_name journal_done_name(uint32_t number);
struct journal_file_name journal_mark_name(uint32_t number);
/* Makes the directory when this process may; false: no journal for now. */
bool journal_open_directory(struct spool *spool);
/* A new file of that size, its blocks written so that later writes change no metadata; -1 with errno. */
int journal_create(int directory, const char *name, size_t size, uint32_t mode);
bool journal_read_head(int fd, uint32_t number, struct journal_head *head_out); /* false: new or unreadable; *head_out zeroed */
/* Is some process still writing it? */
bool journal_is_live(int fd);

/* journal_write.c */
void journal_writer_init(struct journal_writer *writer);
void journal_writer_fini(struct spool *spool); /* finishes what was submitted */
void journal_writer_leave(struct spool *spool); /* gives up the segment, when nobody writes */
/* job->done was or will be called.  When no segment is free, the message becomes files. */
void journal_submit(struct spool *spool, struct spool_job *job);
void journal_say_troubles(struct pr_call *call);
/* Its file is closed, and the lock gone with it; what is not durable by then counts as lost. */
void journal_leave_segment(struct journal_writer *writer);
/* 0 or an errno; ENOENT: on disk, in a file that was removed, where nobody will find it. */
int journal_make_durable(struct journal_writer *writer);
void journal_note_durable(struct journal_writer *writer); /* everything written is */
void journal_answer_all(struct spool_job *jobs, enum pr_commit result, int error, const char *what);

/* journal_take.c: the writer's next segment; false: none is free */
bool journal_take_segment(struct spool *spool);
/* Is about half of it free?  In any thread. */
bool journal_is_roomy(struct spool *spool);

/* journal_late.c; all by who is busy */
bool journal_may_wait(const struct journal_writer *writer, const struct spool_job *batch);
void journal_answer_written(const struct journal_writer *writer, struct spool_job *batch);
struct spool_job *journal_take_asking(struct spool_job **jobs);
void journal_secure(struct journal_writer *writer, struct spool_job *asked);

/* journal_index.c */
struct journal_entry *journal_find(const struct journal_reader *reader, const char *id);
void journal_insert(struct journal_reader *reader, struct journal_entry *entry);
/* Sets its mark and forgets it; with the lock held. */
void journal_mark(struct journal_reader *reader, struct journal_entry *entry);
void journal_index_fini(struct journal_reader *reader);
/* Who lists the queue in another process sees that it is being delivered.  With the lock held. */
void journal_set_state(struct journal_reader *reader, struct journal_entry *entry, enum journal_state state);
/* A mark says whose it is: what is left of another generation is none. */
uint32_t journal_mark_value(uint64_t generation, uint32_t index);
/* Another one of the same place: claimed.  It counts while somebody has the lease, and is never made durable for its own sake. */
uint32_t journal_claim_value(uint64_t generation, uint32_t index);
uint32_t *journal_mark_place(struct journal_segment *segment, uint32_t index);

/* journal_read.c */
typedef void journal_visit(void *context, const struct journal_record *record, uint64_t offset);
/* Visits the good records from `offset` on; where the first that is none would stand.  *error_out: 0, or why it stopped earlier (errno). */
uint64_t journal_walk(int fd, uint64_t generation, uint64_t offset, journal_visit *visit, void *context, int *error_out);
/* The next good record behind damage, 0: none; *durable_out is what it knew to be durable.  *error_out as above. */
uint64_t journal_look_ahead(int fd, uint64_t generation, uint64_t offset, uint64_t *durable_out, int *error_out);
/* Looks for records appended since the last time, when the lease is held. */
void journal_tail(struct spool *spool);
/* How far the writer says it is durable; it knows better than its last record. */
void journal_read_mark(struct spool *spool, uint32_t number);
/* Only where news came from last. */
void journal_tail_recent(struct spool *spool);
/* Puts the records from `offset` on into the index; true: the segment reaches further than was known. */
bool journal_index_from(struct spool *spool, uint32_t number, uint64_t offset);
struct spool_record;
/* Reads and checks the bytes behind a head; what was wrong stands in record->bad. */
struct spool_record *journal_load_from(int fd, const struct journal_record *head, uint64_t offset);
struct spool_record *journal_load(struct spool *spool, const struct journal_entry *entry);

/* journal_replay.c */
/* Takes the lease if it is free, and with it all that lies in the journal.  False: another process has it. */
bool journal_hold(struct pr_call *call);
void journal_let_go(struct spool *spool);
/* Adopts the generation that the segment has now, clearing marks of another one; false: there is nothing in it. */
bool journal_adopt(struct spool *spool, uint32_t number);
/* How a try to read a segment ended; the first error of a row is reported. */
void journal_note_read(struct spool *spool, uint32_t number, int error);
/* A segment whose writer has left: what is damaged is set aside, and then it is complete.  One that cannot be read to its end stays as it is,
 * and is tried again. */
void journal_complete(struct spool *spool, uint32_t number, bool check);

/* journal_damage.c */
/* The bytes between two records become a file. */
void journal_set_aside(struct spool *spool, uint32_t number, uint64_t from, uint64_t to, bool promised);
/* What cannot be read although it had been durable is set aside, and reading goes on behind it.  True: there was some. */
bool journal_pass_damage(struct spool *spool, uint32_t number);
/* The payloads of what is indexed: the damaged are lost. */
void journal_verify(struct spool *spool, uint32_t number);
/* A segment that is not there, although its .mark says that something of it had been accepted. */
void journal_report_missing(struct spool *spool, uint32_t number);

/* journal_done.c: the keeper, a thread */
void journal_keeper_start(struct spool *spool);
void journal_keeper_stop(struct spool *spool);
void journal_keeper_wake(struct journal_reader *reader); /* with the lock held */

/* Says what was reported since the last time. */
void journal_report(struct journal_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
void journal_say_reports(struct pr_call *call);
/* What stands in a segment without taking part: 0 when it was never used. */
uint64_t journal_generation(int fd, uint32_t number);
void journal_unmap(struct journal_segment *segment);

/* journal_ready.c */
/* Notes what has waited through some rounds without being claimed: its wake-up was lost.  With the lock held. */
void journal_note_missed(struct spool *spool, int64_t now);
/* The same of what becomes a file earlier than that: nobody would find it here any more.  With the lock held. */
void journal_note_filed(struct journal_reader *reader, const struct journal_entry *entry);

/* journal_spill.c */
/* Writes what has waited since `before` or longer out as files; how many it were.  One batch. */
size_t journal_spill(struct spool *spool, int64_t before, int64_t now);
/* The entry's files are there; the keeper makes them durable. */
void journal_filed(struct journal_reader *reader, struct journal_entry *entry);
void journal_filed_locked(struct journal_reader *reader, struct journal_entry *entry);
/* The files of `filed` entries are made durable, and the entries marked.  0 or an errno. */
int journal_settle_filed(struct spool *spool);
/* May its 250 have been given? */
bool journal_is_visible(const struct journal_reader *reader, const struct journal_entry *entry, int64_t now);

/* journal_files.c */
struct spool_record;
struct spool_files {
	struct spool_place *place;
	const char *id;
	struct pr_str control;            /* of qf */
	const struct spool_record *record; /* its body becomes df */
	bool body_filed;                  /* df is there already */
	bool locked;                      /* qf stays locked: it is claimed */
	bool durable;                     /* each file by itself */
	bool lost;                        /* Qf */
};
/* df and tf; 0 or an errno.  *fd_out, unless NULL, receives tf, locked. */
int spool_files_write(struct spool *spool, const struct spool_files *files, int *fd_out);
int spool_files_name(const struct spool_files *files); /* tf becomes qf */
void spool_files_drop(const struct spool_files *files);
/* After a crash: df is what the record says, or is made so again; false: it could not be. */
bool journal_mend_body(struct spool *spool, struct journal_entry *entry);
/* A damaged record: what there is becomes Qf and df. */
void journal_lose(struct spool *spool, struct journal_entry *entry, const struct spool_record *record);

/* journal_claim.c */
struct spool_claim;
/* PR_NOTFOUND: not in the journal, or the journal is not ours.  The claim is not in the table yet; it may be one on files already. */
enum pr_status journal_claim(struct pr_call *call, const char *id, struct pr_envelope **envelope_out, struct spool_claim **claim_out);
void journal_claim_release(struct spool *spool, struct spool_claim *claim);
void journal_claim_finish(struct spool *spool, struct spool_claim *claim);
/* The claim is one on files afterwards (defer: none any more). */
enum pr_status journal_claim_update(struct pr_call *call, struct spool_claim *claim, const struct pr_envelope *envelope);
enum pr_status journal_claim_defer(struct pr_call *call, struct spool_claim *claim, const struct pr_envelope *envelope);
int journal_claim_to_file(struct spool *spool, struct spool_claim *claim); /* 0 or an errno */
/* Makes a waiting entry files, for the operator's hands; false: it is claimed, or cannot be written. */
bool journal_file_one(struct spool *spool, const char *id);

/* journal_list.c: for scans, with or without the lease */
struct journal_listing;
struct journal_listing *journal_list(struct pr_call *call);
/* The next one; false at the end. */
bool journal_list_next(struct pr_call *call, struct journal_listing *listing, struct pr_entry *entry_out,
                       struct pr_envelope **envelope_out);
/* Was it among what journal_list_next gave?  It may have become a file since.  Only after the walk is over. */
bool journal_list_has_shown(struct journal_listing *listing, const char *id);
void journal_list_free(struct journal_listing *listing);
enum pr_status journal_peek(struct pr_call *call, const char *id, struct pr_envelope **envelope_out, struct pr_entry *entry_out);
bool journal_is_listed(struct pr_call *call, const char *id, bool *claimed_out);
/* Is there such a message, for who sweeps up? */
bool journal_has(struct spool *spool, const char *id);

/* journal.c: the journal's life */
void journal_init(struct spool *spool);
void journal_fini(struct spool *spool);

/* -- an entry as a record in memory: shared by a claim and open bodies -- */
struct spool_record {
	atomic_uint references;
	uint32_t control, body;
	int bad;     /* 0, or why the bytes cannot be trusted: EBADMSG, EIO ... */
	size_t large; /* taken by spool_large_take() for it */
	char data[]; /* control file, then body */
};
void spool_record_release(struct spool_record *record);

#endif
