/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's services for modules: one versioned table, reached by call->host.
 *
 * Every function takes the call it serves: results live in its arena, its
 * deadline holds, and a failure leaves its reason in the call, so
 * `return call->host->map_lookup(call, ...)` passes it on.
 */
#ifndef POSTRIDER_HOST_H
#define POSTRIDER_HOST_H

#include "envelope.h"

struct pr_delivery; /* mailer.h */
struct pr_verdict;  /* verdict.h */
struct pr_tls;      /* one connection with TLS; the kernel's */

/* Since 1.5: DNSSEC (RFC 4035 4.3) proves the answer that this record is from, with every alias on the way.  An answer that it proves false is
 * PR_TEMPFAIL. */
#define PR_DNS_SECURE 1u

struct pr_mx {
	struct pr_str name; /* without the final dot */
	uint32_t preference;
	uint32_t flags; /* since 1.5: PR_DNS_SECURE */
};

/* One record of an answer.  text: the address as it is written ("192.0.2.1", "2001:db8::1"), the name an MX, NS, PTR, CNAME, SRV or
 * AFSDB record leads to (without the final dot), the strings of a TXT record in one.  name: who has it - where aliases led. */
struct pr_dns_record {
	uint32_t type;
	uint32_t preference; /* MX preference, SRV priority, AFSDB subtype */
	uint32_t ttl;        /* seconds it may be remembered */
	uint32_t flags;      /* since 1.5: PR_DNS_SECURE */
	struct pr_str name;
	struct pr_str text;
};

/* Since 1.5.  A TLSA record (RFC 6698 2.1): how a certificate is to be compared, with what. */
struct pr_tlsa {
	uint32_t usage;    /* 2: an authority; 3: the certificate itself */
	uint32_t selector; /* 0: all of it; 1: its public key */
	uint32_t matching; /* 0: as it is; 1: SHA-256; 2: SHA-512 */
	uint32_t reserved;
	struct pr_str data;
};

/* Since 1.5.  What a host's own zone says of its TLS (RFC 7672 2.2). */
enum pr_dane_state {
	PR_DANE_NONE = 0,    /* nothing that is proven: TLS as with anybody */
	PR_DANE_ENCRYPT = 1, /* there are records, but none that can be used: TLS, whoever it is */
	PR_DANE_VERIFY = 2   /* one of the records must match */
};
struct pr_dane {
	size_t size;
	uint32_t state; /* enum pr_dane_state */
	uint32_t count;
	const struct pr_tlsa *records; /* those that can be used */
	struct pr_str base;            /* whose records they are; the name that is sent along (SNI) */
};

/* Since 1.5.  What a handshake is to look for. */
struct pr_tls_wish {
	size_t size;
	struct pr_str name;         /* is sent along unless it is an address; with records that of `dane` is */
	const struct pr_dane *dane; /* or NULL */
	struct pr_list names;       /* with usage 2: names that the certificate may have beside dane->base (RFC 7672 3.2.2) */
};

/* Since 1.5.  How a connection to a next host fared with TLS, as it is reported to the domain (RFC 8460 section 4). */
enum pr_tls_policy {
	PR_TLS_POLICY_NONE = 0, /* "no-policy-found" */
	PR_TLS_POLICY_STS = 1,  /* "sts" */
	PR_TLS_POLICY_TLSA = 2  /* "tlsa" */
};
struct pr_tls_result {
	size_t size;
	uint32_t policy;         /* enum pr_tls_policy: by which it was judged */
	uint32_t reserved;
	struct pr_str domain;    /* whose policy it is, or would have been: the domain of the mail */
	struct pr_list strings;  /* of the policy, line by line: "mode: testing"; "3 1 1 0123..." */
	struct pr_list hosts;    /* patterns of its MX hosts */
	struct pr_str failure;   /* "starttls-not-supported" and the other types of section 4.3; absent: a success */
	struct pr_str host;      /* "mx1.example.org" */
	struct pr_str address;   /* its own; absent: it was not called */
	struct pr_str source;    /* the address it was called from, or absent */
	struct pr_str reason;    /* in words, or absent */
};

/* What the helper is asked to do; it runs as `user`, never as root. */
enum pr_local_kind {
	PR_LOCAL_MBOX = 1,    /* append to path, dot-lock and fcntl */
	PR_LOCAL_MAILDIR = 2, /* path is the Maildir */
	PR_LOCAL_FILE = 3,    /* append to a file named by an alias */
	PR_LOCAL_PROGRAM = 4, /* run argv with the message on stdin */
	PR_LOCAL_DIALOGUE = 5 /* since 1.4: run argv with one end of a socket as standard input and output; the other is handed over */
};

struct pr_local_delivery {
	size_t size;
	uint32_t kind;
	uint32_t timeout;      /* seconds; 0: kernel's default */
	struct pr_str user;    /* account name; absent: DefaultUser */
	struct pr_str path;    /* absolute; "~/" at the front stands for the home directory */
	struct pr_list argv;   /* for PR_LOCAL_PROGRAM; argv[0] is the path of the program */
	struct pr_list environment; /* "NAME=value"; a minimal set is always there */
	const struct pr_envelope *envelope;
	struct pr_str header;  /* the complete header, LF line ends, with the From_ line and the empty line as the mailer wants them */
	struct pr_body *body;
	/* results */
	int32_t exit_status;   /* sysexits of the program; 0 for files; -signal when killed */
	uint32_t reserved;
	struct pr_str output;  /* what the program printed, at most 4,096 bytes */
	/* since 1.4, of programs */
	struct pr_str directories; /* "~:/srv:/": it runs in the first that can be entered; absent: the home directory, else / */
	struct pr_str root;    /* chroot, entered without any right; absent: none */
	int32_t niceness;      /* added to the helper's own */
	int32_t fd;            /* result of PR_LOCAL_DIALOGUE: a connected socket, the caller's to close; the program ends with it */
};

enum { PR_LOG_ERR = 3, PR_LOG_WARNING = 4, PR_LOG_NOTICE = 5, PR_LOG_INFO = 6, PR_LOG_DEBUG = 7 };

/* What a mailer tells of its conversation while it goes on. */
enum pr_progress {
	PR_PROGRESS_CONNECTING = 1, /* the host that is called now: "mx1.example.org." or "[192.0.2.1] port 2525" */
	PR_PROGRESS_CACHED = 2,     /* an open connection is used again: "ESMTP connection to mx1.example.org." */
	PR_PROGRESS_SENT = 3,       /* the commands that went out, one line or several; not the message */
	PR_PROGRESS_RECEIVED = 4,   /* one line that came in */
	PR_PROGRESS_CLOSING = 5,    /* the host that is left */
	PR_PROGRESS_MESSAGE = 6     /* since 1.5: bytes of a message as they go out, in any pieces */
};

/* Whom a mailer talks to: what $server_name, $server_addr, $verify, $cipher and their like say until its call ends. */
struct pr_peer {
	size_t size;
	struct pr_str name;      /* "mx1.example.org", "[192.0.2.1]" */
	struct pr_str address;   /* "192.0.2.1" */
	const struct pr_tls *tls; /* or NULL */
	struct pr_str verify;    /* without TLS: "NONE", "TEMP", "SOFTWARE" ...; with it the handshake tells */
	struct pr_str auth_type; /* the mechanism by which we are known there, or absent */
};

struct pr_host {
	size_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t reserved;
	void (*log)(struct pr_call *call, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

	/* PR_MISUSE when no map has that name. */
	enum pr_status (*map_lookup)(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args,
	                             struct pr_str *value_out);
	bool (*map_exists)(struct pr_call *call, struct pr_str map);

	/* The option table (canonical sendmail names), as text; PR_NONE when unset or unknown.  "Mailers" and "QueueGroups" are no options,
	 * but what is declared: "local,esmtp", "fast=/var/spool/fast"; an older kernel does not know the first. */
	struct pr_str (*option)(struct pr_call *call, struct pr_str name);
	/* Macros of the running session or message ("j", "client_addr"); PR_NONE when unset. */
	struct pr_str (*macro)(struct pr_call *call, struct pr_str name);

	/* DNS.  PR_NOTFOUND: the name does not exist or has no such record; PR_TEMPFAIL: could not be asked.
	 * mx: sorted by preference; a null MX (RFC 7505) is one entry with an empty name.
	 * addresses: textual, IPv4 and IPv6 ("192.0.2.1", "2001:db8::1"). */
	enum pr_status (*dns_mx)(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out);
	enum pr_status (*dns_addresses)(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out);
	enum pr_status (*dns_name)(struct pr_call *call, struct pr_str address, struct pr_str *name_out);

	/* Is there such an account, may mail be put into its mailbox?  home_out may be NULL. */
	enum pr_status (*user_find)(struct pr_call *call, struct pr_str name, uint32_t *uid_out, struct pr_str *home_out);
	/* Asks the helper.  PR_OK with exit_status; PR_TEMPFAIL/PR_PERMFAIL when it could not or must not. */
	enum pr_status (*local_deliver)(struct pr_call *call, struct pr_local_delivery *delivery);
	/* The header of the message as this mailer and host get it, rewritten, LF line ends, final empty line included:
	 * what every transport sends before the body. */
	enum pr_status (*header_print)(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out);

	/* since 1.2.  Somebody watches (sendmail -v) and is told; absent or NULL: nobody does.  pr_progress() looks. */
	void (*progress)(struct pr_call *call, uint32_t what, struct pr_str text);

	/* since 1.2.  What is remembered of next hosts beyond this process (HostStatusDirectory); absent or NULL: nothing.
	 * pr_host_is_dead() and pr_host_failed() look. */
	bool (*host_is_dead)(struct pr_call *call, struct pr_str host, struct pr_str *reason_out);
	void (*host_failed)(struct pr_call *call, struct pr_str host, struct pr_str reason);

	/* Since 1.2.  A mailer that had a conversation tells which of its commands the result of this delivery answers, as it was sent and without
	 * line end ("RCPT To:<joe@example.org>"): bounces and warnings show it above the reply.  Absent: none, as for a greeting.  To be said
	 * inside deliver(), of a result that is no success; the last word counts. */
	void (*answered)(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command);

	/* Since 1.3.  The name this instance was declared with; never absent. */
	struct pr_str (*own_name)(struct pr_call *call);
	/* Since 1.3.  Records of one type (1 A, 28 AAAA, 15 MX, 16 TXT, 12 PTR, 5 CNAME, 2 NS, 33 SRV, 18 AFSDB), asked of DNS only, with aliases followed unless
	 * the type is CNAME; in the order of the answer.  The name is taken as complete: no search list. */
	enum pr_status (*dns_records)(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out,
	                              size_t *count_out);
	/* Since 1.3.  Sets a macro of the running session or message, or takes it away (value absent).  False: there is none to be set here. */
	bool (*macro_set)(struct pr_call *call, struct pr_str name, struct pr_str value);

	/* Since 1.4.  One question to a map that nobody declared: an instance of the module of this class is made with these arguments, opened, asked,
	 * and gone again.  For who needs an answer before there are maps, as a rule engine that reads its file.  PR_MISUSE: there is no such module;
	 * PR_PERMFAIL: it does not want the arguments, or cannot be opened. */
	enum pr_status (*map_ask)(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
	                          struct pr_str *value_out);

	/* Since 1.4.  The client's side of TLS, by the options ClientCertFile, CACertFile, CipherList and so on, over a connected socket that
	 * blocks with SO_RCVTIMEO and SO_SNDTIMEO set.  `name` is sent along (SNI) unless it is an address.  Whatever was read from the socket before
	 * belongs to no TLS: throw it away.  A certificate that cannot be verified is no failure, but a word for the rules (${verify}).
	 * PR_TEMPFAIL: the handshake failed, the connection is of no use any more; PR_MISUSE: there is no TLS here, nothing was sent. */
	enum pr_status (*tls_start)(struct pr_call *call, int32_t socket, struct pr_str name, int64_t milliseconds, struct pr_tls **tls_out);
	/* As recv and send: bytes, 0 at the end, -1 with errno (EAGAIN: after the socket's own timeout). */
	int64_t (*tls_read)(struct pr_tls *tls, void *buffer, size_t room);
	int64_t (*tls_write)(struct pr_tls *tls, const void *data, size_t len);
	/* Says good-bye and frees; before the socket is closed.  NULL is nothing. */
	void (*tls_end)(struct pr_tls *tls);
	/* Since 1.4.  From now on, until deliver() returns, this is the other side; copied.  To be said again when anything in it changes. */
	void (*talks_to)(struct pr_call *call, const struct pr_peer *peer);
	/* Since 1.4.  What the rules say: pr_rules_ops.check (enum pr_check: those of TLS) and feature ("clt_features", "authinfo"). */
	enum pr_status (*rules_check)(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict);
	enum pr_status (*rules_feature)(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);

	/* Since 1.5.  DANE for a host, in the call's arena.  To be asked of a host that was found by proven means only: an MX record with PR_DNS_SECURE, the
	 * domain of the mail itself, or a name that the configuration gives.  PR_TEMPFAIL: it cannot be known now, or somebody forged it; the host
	 * must not be used. */
	enum pr_status (*dane_find)(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out);
	/* Since 1.5.  tls_start() with more than a name.  Records that do not match are no failure either: ${verify} is DANE_FAIL, and TRUSTED when one does. */
	enum pr_status (*tls_start_with)(struct pr_call *call, int32_t socket, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_tls **tls_out);
	/* Since 1.5.  The next host was asked what it takes: PR_OFFERS_...  The kernel puts the message of this deliver() into a form that it can take (RFC 6152
	 * section 3), and says what is in it: PR_CONTENT_...  To be said after each EHLO, before header_print and before the body is read; both are
	 * then of that form, and a header printed before is not.  PR_TEMPFAIL: the body cannot be read. */
	enum pr_status (*content_fit)(struct pr_call *call, uint32_t offers, uint32_t *form_out);
	/* Since 1.5.  To be said once for each connection that was to have TLS; copied, and counted where records are kept (TLSReportDirectory).  Absent or
	 * NULL: nobody keeps any; pr_tls_tell() looks. */
	void (*tls_result)(struct pr_call *call, const struct pr_tls_result *result);
};

/* What a next host offers. */
#define PR_OFFERS_EIGHT_BIT 1u /* 8BITMIME (RFC 6152) */
/* What the message holds that is to be sent. */
#define PR_CONTENT_EIGHT_BIT 1u /* bytes with the eighth bit */

/* A mailer that chooses among several hosts asks before it calls one: true when it could not be reached a moment ago and need not be tried.
 * The reason is as it was told, "Deferred: Connection refused by mx1.example.org." */
bool pr_host_is_dead(struct pr_call *call, struct pr_str host, struct pr_str *reason_out);
/* This one of them could not be reached.  Of one that answered the kernel learns from pr_delivery.remote. */
void pr_host_failed(struct pr_call *call, struct pr_str host, struct pr_str reason);

/* The calls of 1.3, for a module that may meet an older kernel: PR_STR("") for the name, PR_TEMPFAIL for records, false for the macro. */
struct pr_str pr_own_name(struct pr_call *call);
enum pr_status pr_dns_records(struct pr_call *call, struct pr_str name, uint32_t type, const struct pr_dns_record **records_out, size_t *count_out);
bool pr_macro_set(struct pr_call *call, struct pr_str name, struct pr_str value);
/* The call of 1.4; PR_MISUSE where there is none. */
enum pr_status pr_map_ask(struct pr_call *call, struct pr_str class_name, struct pr_str name, struct pr_str arguments, struct pr_str key,
    struct pr_str *value_out);

/* The calls of 1.4 with an older kernel: there is no TLS; nothing is noted; the rules have no opinion (PR_OK with PR_CONTINUE, PR_NOTFOUND). */
bool pr_has_tls(const struct pr_call *call);
void pr_talks_to(struct pr_call *call, const struct pr_peer *peer);
enum pr_status pr_rules_check(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict);
enum pr_status pr_rules_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);

/* The calls of 1.5; with an older kernel no zone says anything of TLS, and the handshake looks for the name alone;
 * the form of a message stays what it is, and the answer is PR_MISUSE. */
enum pr_status pr_dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out);
enum pr_status pr_tls_start_with(struct pr_call *call, int32_t socket, const struct pr_tls_wish *wish, int64_t milliseconds, struct pr_tls **tls_out);
enum pr_status pr_content_fit(struct pr_call *call, uint32_t offers, uint32_t *form_out);
/* Does anybody keep them?  To be asked before one is made; and the result is told. */
bool pr_tells_tls(const struct pr_call *call);
void pr_tls_tell(struct pr_call *call, const struct pr_tls_result *result);

/* Does anybody watch?  To be asked before a text is made for it alone. */
bool pr_is_watched(const struct pr_call *call);
/* Tells who watches: enum pr_progress.  With nobody there it is one comparison.  Bytes are made printable by the kernel. */
void pr_progress(struct pr_call *call, uint32_t what, struct pr_str text);

#endif
