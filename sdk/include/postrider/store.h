/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A queue store: where accepted messages live until they are delivered.
 *
 * Accepting.  begin() gives a transaction with a queue id; body() is called
 * with pieces of the body; commit() is given the finished envelope and either
 * answers at once or later, in any thread, by calling done() exactly once:
 *
 *   PR_COMMIT_DURABLE   it would survive a power cut: the client gets 250
 *   PR_COMMIT_REFUSED   nothing of it will ever be seen: the client gets 452/451
 *   PR_COMMIT_UNKNOWN   it may or may not be there: the client gets 451, never 250
 *
 * After commit() or abort() the transaction is gone.  No reply leaves before
 * done().
 *
 * Delivered before it is durable (SuperSafe=interactive).  When begin_in() was
 * told PR_INTAKE_LATER, commit() may answer PR_COMMIT_WRITTEN: the message can be
 * claimed and survives the death of this process, but not yet a power cut, and
 * its transaction lives on until exactly one of
 *
 *   forget()   it was delivered, or nobody was promised anything
 *   secure()   it was not: done() says PR_COMMIT_DURABLE or PR_COMMIT_UNKNOWN
 *
 * The reply waits for one of them.  A store that knows nothing of this answers
 * PR_COMMIT_DURABLE as always, which is no less.
 *
 * Delivering.  A courier learns of messages by next() (and by the kernel's
 * wake-up, which may be lost: next() is the truth).  claim() gives the
 * message to one claimer with an epoch; while the claim stands no other
 * claimer gets it.  A claim ends by finish() (all recipients done: the message
 * is removed), defer() (written back with the new state of its recipients) or
 * release() (nothing happened).  update() writes the state back and keeps the
 * claim: success is recorded per recipient.  A call with an epoch that is no
 * longer the claim's answers PR_PERMFAIL and changes nothing.  A claim whose holder
 * died is free again; renew() prolongs it for stores with leases in time.
 *
 * Leases.  A store that lives on this machine gives claims for the life of the
 * process (claim->lease_ms 0).  One that cannot know whether a claimer still
 * lives gives a time: the courier calls renew() before it has passed, and a
 * claim that was not renewed is free again, its epoch stale.
 *
 * A reload.  The old courier calls handover(): the claims that stand stay its own
 * until it ends them, everything else is for the next process from now on, and
 * claim() answers PR_TEMPFAIL.
 *
 * The operator's hands: query with a cursor, hold and unhold, quarantine, edit,
 * requeue, remove.  None of them touches a message that is claimed: PR_TEMPFAIL.
 *
 * Two roles open the same store under two users: the receiver (PR_STORE_INTAKE) may
 * begin, body, commit and abort only.
 */
#ifndef POSTRIDER_STORE_H
#define POSTRIDER_STORE_H

#include "envelope.h"
#include "module.h"

enum pr_commit { PR_COMMIT_DURABLE = 1, PR_COMMIT_REFUSED = 2, PR_COMMIT_UNKNOWN = 3, PR_COMMIT_WRITTEN = 4 };

/* pr_intake.flags: whoever commits waits for the first delivery, so it may be PR_COMMIT_WRITTEN at first. */
#define PR_INTAKE_LATER 1u
/* Since 1.5, a hint: other messages have begun, too.  The thread that calls commit() may serve them, so better not to keep it waiting, and one
 * flush may serve several. */
#define PR_INTAKE_COMPANY 2u

/* The reason lives during the call only.  A store that is full begins it with "Insufficient disk space": that is 452, everything else 451. */
typedef void pr_commit_done(void *context, enum pr_commit result, struct pr_str reason);

enum pr_entry_state {
	PR_ENTRY_READY = 0,
	PR_ENTRY_CLAIMED = 1,
	PR_ENTRY_HELD = 2,
	PR_ENTRY_QUARANTINED = 3,
	PR_ENTRY_LOST = 4 /* unreadable: set aside, needs the operator */
};

struct pr_entry {
	size_t size;
	struct pr_str id;
	struct pr_str queue;  /* directory or group, "mqueue" */
	int64_t created;
	int64_t last_try;
	int64_t tries;
	int64_t priority;
	int64_t body_size;
	uint32_t state;       /* enum pr_entry_state */
	uint32_t flags;       /* PR_ENVELOPE_... */
	/* since 1.1: for an index; absent and 0 when the store did not look (it need not) */
	struct pr_str sender;    /* "<joe@example.org>" */
	struct pr_str recipient; /* the first one that is not delivered yet */
	struct pr_str message;   /* why it waits */
	uint32_t recipients;     /* how many are not delivered yet */
	uint32_t reserved;
	struct pr_str directory; /* where its files lie, a whole path; absent: no directory of files */
};

struct pr_claim {
	size_t size;
	struct pr_str id;
	uint64_t epoch;
	void *context;               /* the store's */
	struct pr_envelope *envelope; /* in the arena of the claim() call */
	/* since 1.1 */
	int64_t lease_ms; /* renew() before so much time has passed; 0: it lasts as long as the process */
};

/* What is known when a message begins; absent or 0 where it is not.  Since 1.1. */
struct pr_intake {
	size_t size;
	struct pr_str queue; /* queue group; absent: the default one */
	int64_t expected;    /* bytes of body the client has announced (SIZE=); a hint */
	uint32_t flags;      /* PR_INTAKE_... */
	uint32_t reserved;
};

/* A change of an envelope by the operator.  Since 1.1. */
struct pr_edit {
	size_t size;
	struct pr_str sender;  /* "<joe@example.org>", "<>"; absent: unchanged */
	struct pr_list remove; /* recipients, as the queue keeps them; one that is not there is PR_NOTFOUND and nothing is changed */
	struct pr_list add;    /* "<ann@example.org>"; NOTIFY and ORCPT are not given */
};

/* Which entries; every condition that is given must hold.  Texts are found anywhere in the field, in any case of letters.  Since 1.1. */
struct pr_query {
	size_t size;
	struct pr_str queue;     /* directory or group, whole */
	struct pr_str id;
	struct pr_str sender;
	struct pr_str recipient; /* of one that is not delivered yet */
	struct pr_str domain;    /* behind the @ of such a recipient, whole */
	struct pr_str reason;    /* why it waits or was quarantined */
	int64_t created_from;    /* unix seconds; 0: any */
	int64_t created_before;
	int64_t size_from;       /* bytes of body; 0: any */
	int64_t size_to;
	uint32_t states;         /* bit 1 << enum pr_entry_state; 0: any */
	uint32_t reserved;
};

struct pr_store_health {
	size_t size;
	int64_t messages;      /* -1: unknown without a scan */
	int64_t bytes_free;
	int64_t files_free;
	uint32_t can_accept;   /* 0: commit would be refused now; reason in text */
	uint32_t reserved;
	struct pr_str text;
};

#define PR_STORE_INTAKE 1u
#define PR_STORE_DELIVERY 2u
#define PR_STORE_READ 4u

struct pr_store_ops {
	size_t size;
	/* Called once after open(): which of PR_STORE_... this process will do. */
	enum pr_status (*role)(struct pr_call *call, uint32_t role);

	enum pr_status (*begin)(struct pr_call *call, void **transaction_out, struct pr_str *id_out);
	enum pr_status (*body)(struct pr_call *call, void *transaction, const void *data, size_t len);
	/* PR_OK: done() was or will be called.  Any other status: done() was not and will not be; refused. */
	enum pr_status (*commit)(struct pr_call *call, void *transaction, const struct pr_envelope *envelope,
	                         pr_commit_done *done, void *context);
	void (*abort)(struct pr_call *call, void *transaction);

	/* *cursor NULL at first; PR_NOTFOUND at the end (the cursor is then freed); full = read the control data too. */
	enum pr_status (*next)(struct pr_call *call, void **cursor, struct pr_entry *entry_out);
	void (*next_end)(struct pr_call *call, void **cursor); /* gives up a scan early */
	/* The envelope for reading only, no claim. */
	enum pr_status (*peek)(struct pr_call *call, struct pr_str id, struct pr_envelope **envelope_out, struct pr_entry *entry_out);

	/* PR_NOTFOUND: gone.  PR_TEMPFAIL: somebody else has it.  PR_PERMFAIL: unreadable, set aside; reason says what. */
	enum pr_status (*claim)(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
	enum pr_status (*body_open)(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out);
	void (*body_close)(struct pr_call *call, struct pr_body *body);
	enum pr_status (*renew)(struct pr_call *call, struct pr_claim *claim);
	enum pr_status (*update)(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
	enum pr_status (*finish)(struct pr_call *call, struct pr_claim *claim);
	enum pr_status (*defer)(struct pr_call *call, struct pr_claim *claim, const struct pr_envelope *envelope);
	void (*release)(struct pr_call *call, struct pr_claim *claim);

	/* Set aside by the operator until unhold(); the reason may be absent. */
	enum pr_status (*hold)(struct pr_call *call, struct pr_str id, struct pr_str reason);
	enum pr_status (*unhold)(struct pr_call *call, struct pr_str id);
	enum pr_status (*requeue)(struct pr_call *call, struct pr_str id); /* forget tries: due now */
	enum pr_status (*remove)(struct pr_call *call, struct pr_str id);
	enum pr_status (*health)(struct pr_call *call, struct pr_store_health *health_out);
	/* Written for a clean stop: everything in the form other programs can read.  May be NULL.  PR_NOTFOUND: another process delivers from this
	 * queue, so it is left to that one, and the reason says so. */
	enum pr_status (*drain)(struct pr_call *call);

	/* Since 1.1; all may be NULL.
	 * begin_in: as begin, with what is known already.  PR_NOTFOUND: no such queue. */
	enum pr_status (*begin_in)(struct pr_call *call, const struct pr_intake *intake, void **transaction_out, struct pr_str *id_out);
	/* Blocks until messages may be ready or the deadline is over (PR_NOTFOUND).  The ids are hints like wake-ups: some may be missing, some gone. */
	enum pr_status (*wait_ready)(struct pr_call *call, struct pr_list *ids_out);
	/* Sets aside because of its content, with a reason: sendmail's hf with a q line.  unhold() lifts both. */
	enum pr_status (*quarantine)(struct pr_call *call, struct pr_str id, struct pr_str reason);
	enum pr_status (*edit)(struct pr_call *call, struct pr_str id, const struct pr_edit *edit);
	/* As next(), only what the query asks for; without it the kernel looks at every entry itself. */
	enum pr_status (*query)(struct pr_call *call, const struct pr_query *query, void **cursor, struct pr_entry *entry_out);
	enum pr_status (*handover)(struct pr_call *call);
	/* As next(), the same cursor and next_end(), with the envelope from the same reading; NULL when it cannot be read.  body_size -1: the body is
	 * missing.  Without it the kernel asks next() and peek(). */
	enum pr_status (*list)(struct pr_call *call, void **cursor, struct pr_entry *entry_out, struct pr_envelope **envelope_out);

	/* Since 1.2; may be NULL.
	 * Claims one that is held, quarantined or lost, as it lies, to try it once (sendmail -qQ, -qL): update(), defer() and release() leave it set
	 * aside, finish() removes it.  PR_NOTFOUND: nothing of that id is set aside.  PR_TEMPFAIL: somebody else has it, or it was lost and
	 * turned out to be quarantined, which it is now.  PR_PERMFAIL: it cannot be read, and stays. */
	enum pr_status (*claim_aside)(struct pr_call *call, struct pr_str id, struct pr_claim *claim_out);
	/* The two ends of a transaction whose commit() was answered with PR_COMMIT_WRITTEN; both are there or none.  secure: PR_OK: done() was or
	 * will be called, once; any other status: it was not and will not be, and the message counts as PR_COMMIT_UNKNOWN. */
	enum pr_status (*secure)(struct pr_call *call, void *transaction, pr_commit_done *done, void *context);
	void (*forget)(struct pr_call *call, void *transaction);
};

#endif
