/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message on its way: envelope, header, recipients, body.
 *
 * The envelope is what sendmail keeps in a qf file; every store can hold
 * exactly this and gives it back unchanged.  Addresses are kept in the form
 * the queue keeps them: with angle brackets as SMTP gave them
 * ("<user@example.org>", null sender "<>").  Use pr_address_inner() for the
 * part inside.
 *
 * The header is a list of fields in order; `value` is everything after the
 * colon, beginning with the blank if there was one, with inner line ends as LF
 * followed by the original white space, without the final line end.
 *
 * The body is the bytes after the empty line, lines ended by LF; it may hold
 * NUL and 8-bit bytes.
 */
#ifndef POSTRIDER_ENVELOPE_H
#define POSTRIDER_ENVELOPE_H

#include "call.h"

struct pr_header {
	struct pr_str name;
	struct pr_str value;
	struct pr_str condition; /* mailer flags of H?flags?, empty: unconditional, as sendmail's "??" */
};

/* DSN and recipient flags (RFC 3461; sendmail's R line letters) */
#define PR_RECIPIENT_PRIMARY 1u        /* P: named by the client, not by an alias */
#define PR_RECIPIENT_NOTIFY 2u         /* N: NOTIFY was given */
#define PR_RECIPIENT_NOTIFY_SUCCESS 4u /* S */
#define PR_RECIPIENT_NOTIFY_FAILURE 8u /* F */
#define PR_RECIPIENT_NOTIFY_DELAY 16u  /* D */
#define PR_RECIPIENT_BY_ALIAS 32u      /* A: sendmail's, carried along */
#define PR_RECIPIENT_BCC 64u           /* B: sendmail's, carried along */

enum pr_recipient_state {
	PR_RECIPIENT_WAITING = 0,
	PR_RECIPIENT_DELIVERED = 1,
	PR_RECIPIENT_FAILED = 2,   /* for good: a bounce is due or was sent */
	PR_RECIPIENT_DEFERRED = 3  /* tried, comes again; status tells why */
};

/* The status of a recipient that stands, DELIVERED, for the list or alias the client named: success is reported of it and not of its members. */
#define PR_STATUS_LIST "delivered to mailing list"          /* a list with an owner */
#define PR_STATUS_EXPANDED "expanded to multiple addresses" /* an alias of several */

struct pr_recipient {
	struct pr_str address;   /* "<joe@example.org>", "|/bin/prog", "/var/file" */
	struct pr_str original;  /* ORCPT, "rfc822;Joe@example.org", xtext decoded; absent when not given */
	struct pr_str final;     /* the address the client named, when an alias led here; else absent */
	struct pr_str owner;     /* controlling user ("joe") for programs and files, else absent; sendmail's C line */
	struct pr_str alias;     /* the alias that named it, second part of the C line; else absent */
	struct pr_str status;    /* last reason or reply, one line; absent when none */
	uint32_t flags;          /* PR_RECIPIENT_... */
	uint32_t state;          /* enum pr_recipient_state */
	uint32_t owner_uid;
	uint32_t owner_gid;
	struct pr_str enhanced;  /* "5.1.1" of the last attempt, or absent */
	struct pr_str remote;    /* host that gave the last reply, or absent */
};

struct pr_macro {
	struct pr_str name; /* "r", "s", "_", "daemon_flags" */
	struct pr_str value;
};

/* envelope flags (sendmail's F line letters) */
#define PR_ENVELOPE_EIGHT_BIT 1u   /* 8 */
#define PR_ENVELOPE_WARNED 2u      /* w: a DELAY notice was sent */
#define PR_ENVELOPE_RESPONSE 4u    /* r: a bounce or notice */
#define PR_ENVELOPE_RET_HEADERS 8u /* RET=HDRS: n (with d) */
#define PR_ENVELOPE_RET_GIVEN 16u  /* d: RET was given */
#define PR_ENVELOPE_SPLIT 32u      /* s */
#define PR_ENVELOPE_DELETE_BCC 64u /* b */
#define PR_ENVELOPE_UTF8 128u      /* e: since 1.5, SMTPUTF8 (RFC 6531): addresses and header may be UTF-8 */

struct pr_envelope {
	size_t size;
	struct pr_str id;          /* queue id, "6AKCWE2x026116"; absent before begin */
	struct pr_str sender;      /* "<joe@example.org>" or "<>" */
	struct pr_str body_type;   /* "7BIT", "8BITMIME" or absent */
	struct pr_str envelope_id; /* ENVID, xtext decoded, or absent */
	struct pr_str auth;        /* AUTH= of MAIL, or absent */
	struct pr_str message;     /* why the whole message waits, or absent */
	struct pr_str quarantine;  /* reason, or absent */
	int64_t created;           /* unix seconds */
	int64_t last_try;          /* 0: never */
	int64_t tries;
	int64_t priority;          /* sendmail's P, smaller goes first */
	int64_t body_size;         /* bytes of body with LF line ends */
	uint32_t flags;            /* PR_ENVELOPE_... */
	uint32_t hops;             /* Received: fields */
	struct pr_header *headers;
	size_t header_count;
	struct pr_recipient *recipients;
	size_t recipient_count;
	struct pr_macro *macros;   /* persistent macros: _ r s daemon_flags ... */
	size_t macro_count;
};

/* By when the message must be delivered (BY= of MAIL, RFC 2852); kept as sendmail keeps it, in the macro "!": a byte of PR_BY_..., then the
 * seconds since `created`. */
#define PR_BY_NOTIFY 1u  /* N: its sender is told when it is late */
#define PR_BY_RETURN 2u  /* R: it goes back then */
#define PR_BY_TRACE 16u  /* T: whoever hands it on reports that */

struct pr_deliver_by {
	uint32_t flags;
	uint32_t reserved;
	int64_t seconds;
};

/* REQUIRETLS of MAIL (RFC 8689): such mail goes on only where the same is promised, in TLS with who can prove his name.  A macro, for sendmail reads
 * it in a queue file and means nothing by it. */
#define PR_MACRO_REQUIRETLS "requiretls"

/* A reader over a stored body; `context` is the provider's. */
struct pr_body {
	size_t size;
	int64_t length; /* bytes with LF line ends; -1 unknown */
	void *context;
	/* Up to `room` bytes into `buffer`; *length_out 0 at the end. */
	enum pr_status (*read)(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out);
	enum pr_status (*rewind)(struct pr_body *body, struct pr_call *call);
};

/* Deep copy into the arena; NULL when the arena is full. */
struct pr_envelope *pr_envelope_copy(const struct pr_envelope *envelope, struct pr_arena *arena);
/* The value of a macro or PR_NONE. */
struct pr_str pr_envelope_macro(const struct pr_envelope *envelope, struct pr_str name);
/* False: nobody asked for it, or it cannot be read. */
bool pr_envelope_deliver_by(const struct pr_envelope *envelope, struct pr_deliver_by *by_out);
/* The value of that macro; absent: the arena is full. */
struct pr_str pr_deliver_by_print(const struct pr_deliver_by *by, struct pr_arena *arena);
/* First header field of that name (case-insensitive) or NULL. */
const struct pr_header *pr_envelope_header(const struct pr_envelope *envelope, struct pr_str name);

#endif
