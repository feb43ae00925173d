/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Does a store keep the promises of store.h?  `postrider-module store FILE.so` runs every case over a store that is empty at first.
 *
 * A case opens nothing: it finds `s->main` open in the roles of receiver and courier.  What a store does not offer is skipped with a
 * line that says so; what it offers must be right.  A module with an option `directory` gets a fresh one for each case;
 * other stores are emptied by the suite.
 *
 *   store.c          the runner, opening and closing
 *   store_mail.c     envelopes, submitting, reading, comparing
 *   store_accept.c   begin, body, commit, abort, roles
 *   store_claim.c    claim, update, defer, finish, release, renew, handover
 *   store_hands.c    hold, quarantine, edit, requeue, remove
 *   store_look.c     next, peek, query, health
 *   store_many.c     threads and processes
 */
#ifndef SDK_TOOLS_STORE_H
#define SDK_TOOLS_STORE_H

#include "tool.h"

#include <postrider/store.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define STORE_ID 128
#define STORE_SETTINGS 64
#define STORE_BOTH (PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ)

/* One instance of the module. */
struct store {
	struct loaded loaded;
	const struct pr_store_ops *ops;
	bool open;
};

struct store_answer {
	struct store_answer *next;
	pthread_mutex_t lock;
	pthread_cond_t told;
	enum pr_commit result;
	unsigned int times;
};

struct suite {
	const char *file;
	char *settings[STORE_SETTINGS]; /* "name=value", NULL at the end */
	bool forgets;                   /* nothing survives close() and nothing is shared with another process */
	bool has_directory;             /* fresh for each case */
	char scratch[300];
	struct store main;
	atomic_uint failures; /* of this case */
	char skipped[200];    /* why; "": it was not */
	pthread_mutex_t lock;
	struct store_answer *answers; /* of this case; each must have been given once */
};

struct store_case {
	const char *name;
	void (*run)(struct suite *s);
};

extern const struct store_case store_accept_cases[], store_claim_cases[], store_hands_cases[], store_look_cases[], store_many_cases[];

/* true when it holds; else one line with file, line and the text of the condition */
#define CHECK(s, condition) store_check((s), (condition), #condition, __FILE__, __LINE__)
#define REQUIRE(s, condition) \
	do { \
		if (!CHECK(s, condition)) \
			return; \
	} while (0)
/* Leaves the case when the store has no such function. */
#define NEEDS(s, name) \
	do { \
		if (!STORE_HAS((s)->main.ops, name)) { \
			store_skip((s), "the store does not offer " #name); \
			return; \
		} \
	} while (0)
#define STORE_HAS(ops, name) ((ops)->size > offsetof(struct pr_store_ops, name) && (ops)->name != NULL)

bool store_check(struct suite *s, bool holds, const char *condition, const char *file, int line);
void store_skip(struct suite *s, const char *why);
bool store_open(struct suite *s, struct store *store, uint32_t role);
void store_close(struct store *store);
/* Closes and opens s->main; false when it cannot. */
bool store_reopen(struct suite *s);

/* Each use in a thread of its own takes its own. */
struct store_call {
	struct pr_call call;
	struct pr_arena arena;
};
void store_call_init(struct store_call *c, const struct store *store, int64_t milliseconds); /* 0: no deadline */
void store_call_fini(struct store_call *c);

/* store_mail.c */
struct store_mail {
	struct pr_envelope envelope;
	struct pr_recipient recipients[4];
	struct pr_header headers[4];
	struct pr_macro macros[4];
};
/* Two recipients, two fields; nothing odd. */
void store_mail_plain(struct store_mail *mail);
/* Every field there is, with whatever bytes an envelope may have. */
void store_mail_rich(struct store_mail *mail);
uint32_t store_random(uint32_t *seed);
void store_fill(char *bytes, size_t len, uint32_t seed); /* every byte value, NUL too */
/* Begins, gives the body in random cuts, commits, waits.  0: refused before done() was due. */
enum pr_commit store_submit(struct suite *s, const struct store *store, const struct pr_envelope *envelope, struct pr_str body,
                            char id_out[STORE_ID]);
/* The same into s->main with PR_INTAKE_LATER; after PR_COMMIT_WRITTEN the transaction is there, for secure or forget. */
enum pr_commit store_submit_later(struct suite *s, const struct pr_envelope *envelope, struct pr_str body, char id_out[STORE_ID],
                                  void **transaction_out);
enum pr_commit store_make_secure(struct suite *s, void *transaction);
/* The plain mail into s->main, checked to be durable. */
struct pr_str store_put(struct suite *s, char id_out[STORE_ID]);
/* Line by line what differs goes to the report; the id and what a store sets itself are left out. */
bool store_same_envelope(struct suite *s, const struct pr_envelope *got, const struct pr_envelope *wanted);
/* Reads it in random cuts, twice, with a rewind between. */
bool store_same_body(struct suite *s, const struct store *store, struct pr_claim *claim, struct pr_str wanted);
int store_count(const struct store *store); /* -1: could not be listed */
int64_t store_clock(void);                  /* CLOCK_MONOTONIC milliseconds */
void store_sleep(int64_t milliseconds);

int tool_store(char **words);       /* [-v] FILE.so [name=value ...] */
int tool_store_child(char **words); /* what the case of processes runs */

#endif
