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
 * The operator's hands: query with a cursor, hold and release_hold,
 * quarantine, edit, requeue, remove.
 *
 * Two roles open the same store under two users: the receiver (PR_STORE_INTAKE) may
 * begin, body, commit and abort only.
 */
#ifndef POSTRIDER_STORE_H
#define POSTRIDER_STORE_H

#include "envelope.h"
#include "module.h"

enum pr_commit { PR_COMMIT_DURABLE = 1, PR_COMMIT_REFUSED = 2, PR_COMMIT_UNKNOWN = 3 };

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
};

struct pr_claim {
	size_t size;
	struct pr_str id;
	uint64_t epoch;
	void *context;               /* the store's */
	struct pr_envelope *envelope; /* in the arena of the claim() call */
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

	enum pr_status (*hold)(struct pr_call *call, struct pr_str id, struct pr_str reason);   /* quarantine; sendmail's hf */
	enum pr_status (*unhold)(struct pr_call *call, struct pr_str id);
	enum pr_status (*requeue)(struct pr_call *call, struct pr_str id); /* forget tries: due now */
	enum pr_status (*remove)(struct pr_call *call, struct pr_str id);
	enum pr_status (*health)(struct pr_call *call, struct pr_store_health *health_out);
	/* Written for a clean stop: everything in the form other programs can read.  May be NULL. */
	enum pr_status (*drain)(struct pr_call *call);
};

#endif
