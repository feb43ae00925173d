/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP and LMTP client (RFC 5321, 2033, 2920, 1870, 6152, 3461).
 *
 * deliver() has a message and some recipients.  If the session is still connected it is used as it is; if not, the
 * route (connect.c) names one candidate after the other, and the first that connects, greets, answers EHLO and is connected in a way that the
 * rules accept (secure.c: STARTTLS; auth.h: AUTH; policy.c: what they are asked) serves.
 * Then one transaction (transaction.c): MAIL, RCPTs and DATA, in one segment when the other side offers PIPELINING,
 * then the message (content.c) and the final dot; with `chunking`, where it is offered, the message in pieces behind BDAT (RFC 3030) and no dot.  What dialogue.c reads from the other side is bounded and made
 * printable before anybody sees it.
 *
 *      closed --connect--> greeted --EHLO--> idle --MAIL..DATA--> 354 --message, dot--> idle
 *         ^                                   |  \--refused--> dirty --RSET--> idle, at once
 *         '------ lost, 421, QUIT ------------'
 *
 * A recipient that got 4xx before the message was sent is offered to the next candidate; after the final dot nothing is
 * tried again here, because the other side may have taken it.
 */
#ifndef MODULES_MAILERS_SMTP_SMTP_H
#define MODULES_MAILERS_SMTP_SMTP_H

#include "sts_cache.h"

#include <postrider/host.h>
#include <postrider/mailer.h>

#define SMTP_LINE_MAX 2048        /* a reply line beyond this is cut off */
#define SMTP_REPLY_BYTES 65536    /* a reply beyond this ends the connection */
#define SMTP_REPLY_LINES 128
#define SMTP_REPLY_KEPT 2000      /* bytes of a reply that are handed on */
#define SMTP_CANDIDATES 32        /* hosts tried for one destination */
#define SMTP_ADDRESSES 16         /* addresses tried of one host */

enum smtp_extension {
	SMTP_PIPELINING = 1, SMTP_SIZE = 2, SMTP_8BITMIME = 4, SMTP_DSN = 8, SMTP_ENHANCED = 16, SMTP_ESMTP = 32, SMTP_DELIVERBY = 64,
	SMTP_STARTTLS = 128, SMTP_REQUIRETLS = 4096, SMTP_CHUNKING = 0x10000, SMTP_UTF8 = 0x20000
};

enum smtp_wait {
	SMTP_WAIT_CONNECT, SMTP_WAIT_INITIAL, SMTP_WAIT_HELO, SMTP_WAIT_MAIL, SMTP_WAIT_RCPT, SMTP_WAIT_DATAINIT,
	SMTP_WAIT_DATABLOCK, SMTP_WAIT_DATAFINAL, SMTP_WAIT_RSET, SMTP_WAIT_QUIT, SMTP_WAIT_STARTTLS, SMTP_WAIT_AUTH,
	SMTP_WAIT_LHLO,
	SMTP_WAIT_ICONNECT, /* as CONNECT at the first attempt of a message; 0: the same */
	SMTP_WAIT_ACONNECT, /* for all connections of one attempt together; 0: without end */
	SMTP_WAITS
};

#define SMTP_NOT_PRINTED UINT32_MAX

enum smtp_tls_use { SMTP_TLS_MAY, SMTP_TLS_NEVER, SMTP_TLS_MUST };

/* Where connections to addresses of one family go out from: a line of ClientPortOptions. */
struct smtp_source {
	char address[64];         /* "192.0.2.1"; empty: the system chooses */
	uint32_t port;            /* 0: likewise */
	uint32_t helo_by_address; /* h: EHLO says the name of this address */
	uint32_t no_auth;         /* A */
	uint32_t no_tls;          /* S */
	uint32_t send_buffer, receive_buffer; /* bytes; 0: likewise */
};

struct smtp {                     /* instance */
	int64_t port;
	int64_t wait[SMTP_WAITS]; /* seconds */
	uint32_t lmtp;
	uint32_t loop_check;
	uint32_t mx;              /* MX records are asked for */
	uint32_t esmtp;           /* EHLO is tried */
	uint32_t announced;       /* but only with who speaks of ESMTP in his greeting */
	uint32_t chunking;        /* BDAT where it is offered */
	struct pr_str helo;
	struct pr_str host;       /* in the place of the destination's */
	struct pr_str tls;        /* "may", "never", "must" */
	uint32_t tls_use;         /* enum smtp_tls_use: the same, and TLSFallbacktoClear */
	uint32_t tls_fallback;
	struct pr_str dane;       /* "yes", "no"; absent: as the option DANE says */
	uint32_t dane_use;
	uint32_t sts_use;
	struct pr_str sts;        /* "yes", "no"; absent: as the option StrictTransportSecurity says */
	int64_t sts_port;         /* of the hosts that have policies */
	struct sts_cache *policies; /* or NULL */
	struct pr_list from;      /* addresses, one of each family, in the place of those of ClientPortOptions */
	struct smtp_source sources[2]; /* IPv4, IPv6 */
	struct pr_str token_program; /* "account|/path words", for the master: see auth_token.c */
	/* in the place of a host: a program, spoken with over its standard input and output */
	struct pr_str path, argv;
	struct pr_str user;
	struct pr_str directory, root;
	int64_t niceness;
	int64_t timeout;          /* from the end of the conversation to the program's */
	uint32_t owner;           /* it runs as the account that the recipient names */
	uint32_t reserved;
};

struct smtp_session {
	uint32_t open;
	int fd;
	uint32_t extensions;
	uint32_t served;          /* transactions on this connection */
	uint32_t dirty;           /* a refused transaction is still open there */
	uint32_t source_flags;    /* SMTP_SOURCE_... of the connection */
	int64_t heard;            /* milliseconds: the last bytes came */
	int64_t opened;           /* milliseconds */
	int64_t size_limit;       /* announced, 0 none */
	size_t begin, end;        /* unread bytes of input */
	const struct pr_host *host; /* of the call that opened it */
	struct pr_tls *tls;       /* or NULL */
	char server[256];         /* "mx1.example.org", "[192.0.2.1]" */
	char address[64];         /* "192.0.2.1" */
	char source[64];          /* the address that it was bound to, or empty */
	char verify[12];          /* without TLS: why */
	char mechanisms[256];     /* of AUTH, as offered: words with blanks between them */
	char auth_type[32];       /* the one by which we are known */
	char name[256];           /* "mx1.example.org." */
	char remote[336];         /* "mx1.example.org. [192.0.2.1]" */
	char input[8192];
};

struct smtp_reply {
	uint32_t code;
	struct pr_str text;       /* whole reply, printable, lines by LF; in the call's arena */
	struct pr_str enhanced;   /* or absent */
};

/* Why something failed for a recipient, or how it went. */
struct smtp_outcome {
	enum pr_status status;
	uint32_t code;
	struct pr_str enhanced;
	struct pr_str text;
	struct pr_str command; /* that was answered so, without line end; absent: none */
};

struct smtp_target {
	struct pr_str name;       /* as written or from the MX record */
	uint32_t port;
	uint32_t by_name;         /* not in brackets */
	uint32_t order;           /* preference */
	uint32_t lot;             /* random among equals */
	uint32_t is_last_resort;  /* FallbackSmartHost */
	uint32_t is_fallback;     /* FallbackMXhost */
	uint32_t reserved;
	uint32_t is_unproven;     /* the MX record that led here is not proven by DNSSEC */
	struct pr_str domain;     /* whose MX record it is; absent: none */
};

struct smtp_route {
	struct smtp_target targets[SMTP_CANDIDATES];
	size_t count, next;
	struct smtp_outcome failed; /* why some of them could not be found; PR_OK: all were */
	uint32_t ready;           /* was computed */
	uint32_t is_cut;          /* MX records ended at our own name */
	uint32_t is_final;        /* nobody else may take this mail: it goes in a circle, or is not wanted */
};

struct smtp_run {
	struct pr_call *call;
	const struct smtp *smtp;
	struct smtp_session *session;
	const struct pr_destination *destination;
	const struct pr_envelope *envelope;
	struct pr_body *body;
	struct pr_delivery *deliveries;
	size_t count;
	unsigned char *retry;     /* per recipient: may be offered to the next candidate */
	struct pr_text header;
	struct smtp_route route;
	bool in_clear;            /* the handshake failed, and this connection is to do without */
	bool fell;                /* it has just failed */
	bool is_watched;          /* of the transaction: a host that cannot keep the time is asked to tell of trouble */
	bool without_dane;        /* the rules say D, or whoever sent this message does not want it */
	const struct pr_dane *dane; /* of the host that is called; NULL: nothing is known of its TLS */
	struct pr_str dane_names[2]; /* that its certificate may have, too */
	bool without_sts;         /* the rules say M, or whoever sent this message does not want it */
	bool is_reported;         /* of this connection, how its TLS fared */
	const struct smtp_target *target; /* that is called */
	const struct smtp_target *unnamed; /* one that a policy does not name, told already */
	struct pr_str sts_failure; /* its domain's policy could not be fetched, and there is none */
	struct pr_str sts_domain; /* whose policy is in sts_answer */
	struct sts_answer sts_answer;
	const struct sts_policy *sts; /* that binds the host that is called; NULL: none does */
	uint32_t offered;         /* PR_OFFERS_... of the host for which the header was printed; SMTP_NOT_PRINTED */
	uint32_t content;         /* PR_CONTENT_... */
	bool utf8;                /* MAIL has SMTPUTF8 */
	int64_t connect_until;    /* milliseconds: SMTP_WAIT_ACONNECT is over; 0: never */
};

/* connect.c */
/* Opens a session with the next candidate; PR_NOTFOUND when there is none left (outcome untouched), else the failure
 * of the last one tried in *outcome. */
enum pr_status smtp_connect_next(struct smtp_run *run, struct smtp_outcome *outcome);
bool smtp_has_next(struct smtp_run *run);
struct pr_str smtp_identity(struct pr_call *call, const struct smtp *smtp, const struct pr_destination *destination);

#define SMTP_SOURCE_HELO 1u
#define SMTP_SOURCE_NO_AUTH 2u
#define SMTP_SOURCE_NO_TLS 4u

/* source.c */
/* Options ClientPortOptions and from, once for the instance; PR_MISUSE: they cannot be meant. */
enum pr_status smtp_source_read(struct pr_call *call, struct smtp *smtp);
/* Before connect(): 0, or an errno that says why the address cannot be used. */
int smtp_source_bind(struct smtp_run *run, int fd, int family);
/* Does this message go out from where the open connection does? */
bool smtp_source_fits(struct smtp_run *run);
/* The name in EHLO, when it is that of the address. */
struct pr_str smtp_source_name(struct smtp_run *run);

/* program.c */
/* Starts the program: *fd_out is a connection like any other.  Otherwise the reason is in the call. */
enum pr_status smtp_program_open(struct smtp_run *run, int *fd_out);

/* address.c */
/* One more; its lot is drawn here. */
void smtp_add_target(struct smtp_run *run, const struct smtp_target *target);
enum pr_status smtp_route_find(struct smtp_run *run, struct smtp_outcome *outcome);

/* fallback.c */
/* Is it this host, by any of its names? */
bool smtp_is_own_name(struct smtp_run *run, struct pr_str name);
void smtp_add_fallbacks(struct smtp_run *run);

#define SMTP_POLICY_MS 3600000 /* a connection that is older is not used again where policies of MTA-STS count */
#define SMTP_JUST_HEARD_MS 100 /* a peer that spoke so lately is taken to be there: deliver() survives one that is not */

/* dialogue.c */
int64_t smtp_now_ms(void);
/* Reasons are left in the call; after a failure the connection is of no use (smtp_drop). */
enum pr_status smtp_send_content(struct pr_call *call, struct smtp_session *session, struct pr_str bytes, int64_t seconds);
/* Commands: who watches (sendmail -v) sees them. */
enum pr_status smtp_send(struct pr_call *call, struct smtp_session *session, struct pr_str bytes, int64_t seconds);
enum pr_status smtp_read_reply(struct pr_call *call, struct smtp_session *session, int64_t seconds, struct smtp_reply *reply_out);
enum pr_status smtp_command(struct pr_call *call, struct smtp_session *session, struct pr_str line, int64_t seconds,
                            struct smtp_reply *reply_out);
/* The greeting was read, and lies in *reply_out; EHLO, HELO or LHLO: *command_out is what was said last. */
enum pr_status smtp_hello(struct smtp_run *run, struct smtp_reply *reply_out, struct pr_str *command_out);
struct smtp_outcome smtp_outcome_of(const struct smtp_reply *reply, struct pr_str command);
struct smtp_outcome smtp_outcome_lost(struct pr_call *call);
void smtp_drop(struct smtp_session *session);
void smtp_quit(struct pr_call *call, const struct smtp *smtp, struct smtp_session *session);

/* dane.c */
/* Before a host is called; run->dane.  PR_TEMPFAIL: it must not be, and the reason in *outcome. */
enum pr_status smtp_dane_find(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome);
/* tls_start, with what is known of the host. */
enum pr_status smtp_start_tls(struct smtp_run *run, int64_t patience);
/* After the handshake: somebody else answered. */
bool smtp_dane_failed(struct smtp_run *run);

bool smtp_is_number(struct pr_str name);
/* As the world knows the host, and the domain whose mail it gets: without brackets and final dot. */
struct pr_str smtp_host_name(const struct smtp_target *target);
struct pr_str smtp_policy_domain(const struct smtp_target *target);

/* sts.c */
/* Of check(): false, and the reason in the call. */
bool smtp_sts_is_possible(struct pr_call *call);
enum pr_status smtp_sts_open(struct pr_call *call);
void smtp_sts_close(struct smtp *smtp);
/* Before a host is called, and after smtp_dane_find: run->sts.  PR_TEMPFAIL: it must not be, and the reason in *outcome. */
enum pr_status smtp_sts_find(struct smtp_run *run, const struct smtp_target *target, struct smtp_outcome *outcome);
/* It binds, and is to be kept. */
bool smtp_sts_is_enforced(const struct smtp_run *run);
/* After the handshake: not what the policy wants, and the reason in *outcome. */
bool smtp_sts_failed(struct smtp_run *run, struct smtp_outcome *outcome);

/* report.c */
/* How this connection fared, once for each: a type of RFC 8460 section 4.3, or absent for a success; the reason in words, or absent. */
void smtp_report(struct smtp_run *run, struct pr_str failure, struct pr_str reason);
/* The same after a handshake, by whatever judges it. */
void smtp_report_secured(struct smtp_run *run);

/* secure.c */
/* After EHLO.  PR_OK: ready to serve; else the connection is closed and the reason in *outcome. */
enum pr_status smtp_secure(struct smtp_run *run, struct smtp_outcome *outcome);

/* requiretls.c */
bool smtp_requires_tls(const struct smtp_run *run);
/* This connection may carry it; else the reason, which is for good, in *outcome. */
bool smtp_is_good_enough(struct smtp_run *run, struct smtp_outcome *outcome);
/* "TLS-Required: No": rather in the clear than not at all. */
bool smtp_prefers_delivery(const struct smtp_run *run);

/* auth.c */
/* After that.  PR_OK: known there, or a stranger; else the connection is closed and the reason in *outcome. */
enum pr_status smtp_authenticate(struct smtp_run *run, struct smtp_outcome *outcome);

/* policy.c */
void smtp_tell_peer(struct smtp_run *run); /* what the macros say; after each change */
enum pr_status smtp_ask_features(struct smtp_run *run, struct pr_str name, struct smtp_outcome *outcome);
bool smtp_ask_try(struct smtp_run *run);
bool smtp_ask_server(struct smtp_run *run, struct smtp_outcome *outcome);
bool smtp_ask_recipient(struct smtp_run *run, size_t index); /* false: settled */

/* transaction.c */
void smtp_transaction(struct smtp_run *run);
/* A transaction that was refused is given up, so that whoever waits for it to end does not wait as long as the connection is kept. */
void smtp_give_up(struct smtp_run *run);
void smtp_settle(struct smtp_run *run, size_t index, const struct smtp_outcome *outcome, bool retry);

/* content.c */
bool smtp_uses_chunks(const struct smtp_run *run);
/* Sends header, body and the final dot, or all chunks but for the answer to the last one.  *end_out tells whether the end may have reached the
 * other side.  A chunk that was refused is PR_OK with that reply in *refused_out (code 0: none was); nothing is left to be read then.
 * PR_PERMFAIL is never returned; a body that cannot be read is PR_TEMPFAIL. */
enum pr_status smtp_content_send(struct smtp_run *run, bool *end_out, struct smtp_reply *refused_out);

#endif
