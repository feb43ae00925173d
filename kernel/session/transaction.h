/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A transaction: from MAIL to the answer to the dot.
 *
 *   MAIL   ask_envelope.c  makes it                        RCPT  ask_envelope.c  recipients, through aliases
 *   DATA   ask_data.c      opens the parts in the store    BODY  ask_data.c      header to the reader, body to the parts
 *   dot    ask_end.c       hops, filters, envelope.c completes, commit.c stores; the answer when all parts are stored
 *
 * Nearly always there is one part.  A list with an owner has the owner as its sender, so its members are a message of their own:
 * each distinct sender is a part, and the body is written to all of them at once.  Only when every part is durable is
 * the answer 250.
 */
#ifndef KERNEL_SESSION_TRANSACTION_H
#define KERNEL_SESSION_TRANSACTION_H

#include "kernel/mail/header.h"
#include "kernel/route/expand.h"
#include "kernel/session/session.h"

#define PARTS_MAX 16        /* senders of one message */
#define PARTS_SPLIT_MAX 200 /* and pieces, where queue groups divide it further */
#define REASON_MAX 200

struct part {
	struct transaction *transaction;
	void *store;                  /* the store's transaction; NULL when gone */
	struct pr_str id;
	struct pr_str group;          /* queue group; absent: the default one */
	struct pr_str owner;          /* sender instead of the client's, without brackets; absent: the client's */
	struct pr_recipient *recipients;
	size_t recipient_count;
	struct pr_envelope *envelope;
	void *late;                   /* the store's transaction that is written and neither secured nor forgotten; NULL: none */
	enum pr_commit result;        /* written by done(), read after `outstanding` fell to 0 */
	char reason[REASON_MAX];
};

/* Behind the dot.  STORING: the store has it; AWAITING: word of the first delivery; SECURING: not delivered, the store makes it durable. */
enum transaction_stage { TRANSACTION_STORING = 0, TRANSACTION_AWAITING, TRANSACTION_SECURING };

struct transaction {
	struct session *session;
	struct pr_arena arena;        /* everything below points into it */
	struct pr_str sender;         /* "<a@example.org>", "<>" */
	struct pr_str body_type, envelope_id;
	struct pr_str auth;           /* AUTH= of MAIL for the next host: "<>" when it is not trusted */
	struct pr_str author;         /* the same as it was said */
	struct pr_str deliver_by;     /* the envelope's macro "!", or absent */
	struct pr_str only_recipient; /* as the client gave it, when there was exactly one */
	struct pr_str recipient_now;  /* the one that is asked about, "<...>"; else absent */
	struct pr_str notify_now;     /* its NOTIFY= in words, or absent */
	struct pr_str quarantine;     /* reason, or absent */
	struct pr_str message_id;     /* for the log */
	struct pr_verdict refusal;    /* decided during the data, said after the dot; action PR_CONTINUE: none */
	struct expansion *expansion;  /* NULL before the first RCPT */
	struct module_scope *scope;   /* during expansion_add() only */
	struct header_reader *reader;
	struct part *parts;
	size_t part_count;
	_Atomic uint32_t outstanding; /* parts whose done() is to come, plus one while we are submitting */
	uint64_t filters_done;        /* bit i: filter i asks no more about this message */
	int64_t since;                /* session_now() at MAIL */
	uint64_t recipients;          /* accepted RCPTs */
	uint64_t refused_recipients;
	int64_t body_size;
	uint64_t size;
	uint32_t flags;               /* PR_ENVELOPE_... */
	uint32_t hops;
	char mode;                    /* DeliveryMode: i b q d */
	bool verbose;                 /* mode i, and HoldExpensive does not hold it */
	char own_mode;                /* the same when this message asked for it, else 0 */
	uint8_t stage;                /* enum transaction_stage */
	int word_fd;                  /* word.h; -1: nobody is asked */
	uint32_t words_due, words_delivered; /* parts that are stored, and those of them that are delivered */
	uint8_t require_tls;          /* MAIL said so (RFC 8689) */
	uint8_t header_done;
	uint8_t refused_by_rules;     /* that refusal is theirs, and logged */
	uint8_t discard;
	uint8_t body_replaced;
	int8_t row;                   /* statistics.c: of the sender's mailer */
	uint8_t row_known, verdicts_counted; /* bit i: enum pr_action i was */
	/* edits of filters; fields of the message before completion */
	struct pr_header *fields;
	size_t field_count, field_room;
};

/* transaction.c */
struct transaction *transaction_new(struct session *session);
/* Aborts what is stored and frees; fine when there is none. */
void transaction_drop(struct session *session, struct bench *bench);
/* Notes the first refusal; text is copied. */
void transaction_refuse(struct transaction *transaction, const struct pr_verdict *verdict);
/* The queue id for the log, "NOQUEUE" before there is one. */
const char *transaction_log_id(const struct session *session);

/* parts.c: opens a store transaction per distinct sender.  PR_OK or why not (reason in the scope). */
enum pr_status parts_begin(struct transaction *transaction, struct module_scope *scope);
enum pr_status parts_body(struct transaction *transaction, struct module_scope *scope, struct pr_str data);
void parts_abort(struct transaction *transaction, struct module_scope *scope);
/* What was only written need not become durable. */
void parts_forget(struct transaction *transaction, struct module_scope *scope);

/* envelope.c: header and envelope of every part. */
enum pr_status envelope_complete(struct transaction *transaction, struct module_scope *scope);

/* edits.c */
extern const struct pr_filter_edit transaction_edits;
/* Makes transaction->fields from the reader's. */
bool edits_start(struct transaction *transaction);

/* commit.c: true when all parts are done already; else LOOP_COMMIT is posted to the session. */
bool transaction_commit(struct transaction *transaction, struct module_scope *scope);
/* All parts are done: says the result to the machine and ends the transaction, or (false) there is something to wait for. */
bool transaction_committed(struct session *session, struct bench *bench);
/* The same after an event. */
bool transaction_goes_on(struct session *session, struct bench *bench, uint32_t events);

#endif
