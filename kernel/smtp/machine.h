/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP server as a machine without I/O (RFC 5321; replies are sendmail's).
 *
 * A client connects.  The driver starts the machine, which at once asks the question SMTP_ASK_CONNECT.  The driver
 * answers it; the machine writes the greeting into its output.  From then on:
 *
 *     bytes from the client  ->  smtp_machine_input()      takes what it can use, returns how much
 *     a question appears     ->  smtp_machine_question()   the driver finds out (rules, filters, store)
 *                            ->  smtp_machine_answer()     and says so; the machine writes the reply
 *     output grows           ->  smtp_machine_output()     the driver sends it and consumes it
 *
 * While a question is open, input takes nothing: pipelined commands stay with the driver, so replies come in
 * order whatever the chunks.  There is no clock, no socket, no thread in here: the driver tells how long to wait
 * (smtp_machine_timeout) and says smtp_machine_timed_out() when it was too long, smtp_machine_end() when the
 * peer is gone, smtp_machine_shutdown() when the daemon leaves: a 421 at the next command boundary outside of a transaction.
 *
 * Always true:
 *   - only CR LF "." CR LF ends the data; a bare CR or LF in data is refused (421 4.5.0) and never ends anything;
 *   - a command line is at most SMTP_LINE_MAX bytes, one of AUTH SMTP_AUTH_LINE_MAX (RFC 4954 section 4), replies echo only escaped printable text;
 *   - memory is bounded whatever the client sends.
 *
 * After MAIL was answered with yes, exactly one END or one RESET ends that transaction (END whatever its answer), also
 * when the machine refuses the message itself (size, NUL, a bare LF).  A BODY answer other than yes refuses the
 * message: the rest is read and dropped, RESET is asked and the refusal answers the dot.
 *
 * With BDAT (RFC 3030) the same questions are asked: DATA at the first chunk, BODY, END at the last.  DATA refused, the chunk is read and
 * dropped before the refusal is said, and RESET is asked at the last one.
 *
 * What the client says in one breath with EHLO or DATA is taken, though sendmail 8.17 with Debian's patches answers 554: it
 * depends on how the network cuts the bytes, and the dot rule above makes it harmless.
 *
 *       start --CONNECT--> greeting --> idle --HELO--> idle --MAIL--> mail --RCPT--> mail --DATA--> data --dot--> idle
 *                                        ^---------------------------- RSET, EHLO ------'              |
 *                                        '---------------------------- END answered -------------------'
 */
#ifndef KERNEL_SMTP_MACHINE_H
#define KERNEL_SMTP_MACHINE_H

#include <postrider/address.h>
#include <postrider/text.h>
#include <postrider/verdict.h>

#define SMTP_LMTP_RECIPIENTS 250 /* of one message by LMTP: each may cost a reply of the longest kind at once */
#define SMTP_LINE_MAX 2048 /* sendmail's MAXLINE; longer: 421 "Command line too long" */
#define SMTP_AUTH_LINE_MAX 12288 /* RFC 4954 section 4 */

struct smtp_machine;

/* The driver may change an offer between two commands, when it has learned more of the client; the rest is constant.  Strings are borrowed and must outlive the machine. */
struct smtp_settings {
	struct pr_str host_name;    /* $j */
	struct pr_str greeting;     /* SmtpGreetingMessage with macros expanded, without "220 " */
	struct pr_str client_name;  /* for "Hello NAME [addr]" */
	struct pr_str client_address; /* "127.0.0.1" or "IPv6:::1"; "local" for the submission socket */
	uint64_t max_message_size;  /* 0: none */
	uint64_t max_recipients;    /* 0: none; else announced (RFC 9422), as is the next */
	uint64_t max_messages;      /* MAIL commands of this connection; 0: none */
	uint64_t max_headers_length;/* bytes */
	uint32_t forged;            /* "(may be forged)" */
	uint32_t any_address;       /* what stands in brackets is the rules' affair, as long as it is plain ASCII (path.c) */
	uint32_t lmtp;              /* LMTP (RFC 2033): LHLO, and a reply for each recipient behind the dot */
	uint32_t submission;        /* local socket: XDELIVER= with MAIL allowed, no HELO needed */
	uint32_t need_helo;         /* PrivacyOptions needmailhelo */
	uint32_t need_vrfy_helo, need_expn_helo;
	struct pr_str auth_mechanisms; /* offered behind AUTH, with blanks between them; absent or empty: AUTH is not available */
	uint32_t no_auth;           /* for the driver: nothing is to be offered */
	uint32_t need_auth;         /* a listener with modifier a, srv_features l: no MAIL before AUTH */
	uint32_t help_file;         /* the driver knows what HELP says */
	uint32_t no_vrfy, no_expn, no_etrn, no_verb;
	int64_t deliver_by_min;     /* DeliverByMin, seconds; below 0: DELIVERBY is not offered */
	uint32_t no_dsn;            /* RFC 3461 is not offered to the network: SendMimeErrors is off, or noreceipts */
	uint32_t utf8;              /* SMTPUTF8 is offered (RFC 6531) */
	uint32_t no_pipelining;     /* not offered; a client that does it all the same is served */
	uint32_t no_chunking;       /* neither offered nor taken */
	uint32_t no_requiretls;     /* REQUIRETLS (RFC 8689) is not offered in TLS, where it is otherwise */
	uint32_t xclient, xforward; /* enum smtp_introduce: may this client speak for others? */
	uint32_t http_closes;       /* srv_features h: a verb of HTTP ends the session, not only as the first one */
	uint32_t allow_bogus_helo;
	uint32_t reject_nul;
	uint32_t bad_commands_max;  /* 25 */
	/* Slow-downs (slow.c), not for the submission socket; 0: none */
	uint32_t busy;              /* DelayLA is reached: seconds that each command waits */
	uint32_t noop_max;          /* MaxNOOPCommands */
	uint32_t auth_failures;     /* for the driver to keep: failed AUTH of this client lately, in other connections too */
	uint32_t auth_failures_max; /* MaxAuthFailures */
	uint32_t bad_rcpt_throttle, bad_rcpt_delay; /* after so many refused recipients each RCPT waits so many seconds */
	uint32_t bad_rcpt_shutdown, bad_rcpt_shutdown_good; /* 421 after so many, when they are at least that many percent of all */
	uint32_t starttls;          /* offered */
	uint32_t secured;           /* the session is in TLS before its first byte of SMTP (RFC 8314 3.3) */
	uint32_t starttls_refused;  /* there is TLS, and this client gets none */
	/* Timeout.* in seconds */
	uint32_t timeout_initial, timeout_helo, timeout_mail, timeout_rcpt, timeout_datainit, timeout_datablock,
	    timeout_datafinal, timeout_command, timeout_quit, timeout_misc, timeout_rset;
};

/* UNKNOWN: the verb is none, as for sendmail; NO: 550 */
enum smtp_introduce { SMTP_INTRODUCE_UNKNOWN = 0, SMTP_INTRODUCE_NO, SMTP_INTRODUCE_YES };

/* What XCLIENT and XFORWARD say of a client */
enum smtp_attribute {
	SMTP_ATTRIBUTE_NAME, SMTP_ATTRIBUTE_ADDR, SMTP_ATTRIBUTE_PORT, SMTP_ATTRIBUTE_PROTO, SMTP_ATTRIBUTE_HELO, SMTP_ATTRIBUTE_DESTADDR,
	SMTP_ATTRIBUTE_DESTPORT, SMTP_ATTRIBUTE_IDENT, SMTP_ATTRIBUTE_SOURCE, SMTP_ATTRIBUTE_LOGIN, SMTP_ATTRIBUTES
};

enum smtp_ask {
	SMTP_ASK_NOTHING = 0,
	SMTP_ASK_CONNECT,  /* may this client talk at all? */
	SMTP_ASK_HELO,     /* name; extended tells EHLO */
	SMTP_ASK_MAIL,     /* address, parameters */
	SMTP_ASK_RCPT,     /* address, parameters */
	SMTP_ASK_DATA,     /* start of data: 354 or not */
	SMTP_ASK_BODY,     /* header and body bytes, dots unstuffed, line ends LF: write them to the transaction */
	SMTP_ASK_END,      /* the dot: commit; the answer's text is the queue id on success */
	SMTP_ASK_RESET,    /* the transaction is over without a commit: RSET, EHLO, QUIT, error, lost connection */
	SMTP_ASK_VRFY,
	SMTP_ASK_EXPN,
	SMTP_ASK_ETRN,
	SMTP_ASK_STARTTLS, /* after the answer and the flush the driver does the handshake, then smtp_machine_secured() */
	SMTP_ASK_XCLIENT,  /* the client is somebody else: the driver replaces what it knows, then CONNECT is asked */
	SMTP_ASK_XFORWARD, /* the next message came from there */
	SMTP_ASK_QUIT,     /* nothing to decide; answered with anything */
	SMTP_ASK_HELP,     /* the topic, or nothing; answered with lines or REJECT */
	SMTP_ASK_AUTH,     /* argument: the mechanism, absent for what follows in the same exchange; data: what the client said */
	SMTP_ASK_WAIT      /* answered with anything, `seconds` later: then the command is run */
};

/* NOTIFY bits */
enum { SMTP_NOTIFY_NEVER = 1, SMTP_NOTIFY_SUCCESS = 2, SMTP_NOTIFY_FAILURE = 4, SMTP_NOTIFY_DELAY = 8 };

struct smtp_question {
	enum smtp_ask ask;
	struct pr_str argument;      /* HELO name, VRFY/EXPN/ETRN argument, raw path "<joe@example.org>" for MAIL and RCPT */
	struct pr_address address;   /* MAIL, RCPT: parsed */
	struct pr_str data;          /* BODY: bytes; valid until answered.  AUTH: decoded, absent: no initial response */
	bool cancelled;              /* AUTH: the exchange is over, answered with anything */
	bool in_header;              /* BODY: these bytes are header (the empty line belongs to the header) */
	bool extended;               /* HELO: EHLO was said; MAIL: parameters seen */
	uint64_t declared_size;      /* MAIL: SIZE=, 0 when absent */
	bool eight_bit;              /* MAIL: BODY=8BITMIME; END: 8-bit bytes were seen */
	bool body_given;             /* MAIL: BODY= was given */
	bool utf8;                   /* MAIL: SMTPUTF8 was given */
	bool ret_given, ret_headers; /* MAIL: RET= */
	struct pr_str envelope_id;   /* MAIL: ENVID= (decoded) or absent */
	struct pr_str auth;          /* MAIL: AUTH= (decoded) or absent */
	bool notify_given;           /* RCPT */
	uint32_t notify;             /* RCPT: SMTP_NOTIFY_ bits */
	struct pr_str original;      /* RCPT: ORCPT= "rfc822;..." (decoded) or absent */
	char delivery_mode;          /* MAIL: XDELIVER= i b q or d of the local socket, i after VERB; 0 when absent */
	bool verbose;                /* MAIL: XDELIVER=v, VERB: HoldExpensive does not hold it */
	char by_mode;                /* MAIL: BY= (RFC 2852): R or N; 0 when absent */
	bool by_trace;               /* MAIL: BY= with T */
	int64_t by_seconds;          /* MAIL: BY= */
	bool require_tls;            /* MAIL: REQUIRETLS */
	struct pr_list parameters;   /* MAIL, RCPT: as given, for filters */
	const struct pr_str *attributes; /* XCLIENT, XFORWARD: one for each enum smtp_attribute; absent: not said, empty: not known */
	bool name_later;             /* XCLIENT: the name may be known another time */
	uint64_t size;               /* END: bytes of header and body with LF line ends */
	uint64_t recipients;         /* DATA, END: accepted ones */
	bool lost;                   /* RESET: the peer is gone */
	uint32_t seconds;            /* WAIT; argument: the command */
	uint32_t attack;             /* WAIT: this is the so-and-so-manyth of its kind, and the first one that waits; 0: no news */
	bool flood;                  /* WAIT: the first RCPT of this transaction that waits for those that were refused */
};

/* action CONTINUE or ACCEPT: yes, with sendmail's standard text unless text is given.
 * REJECT/DEFER: code, enhanced and text (standard ones when absent); code 421 closes, but for one that stays,
 * or about an address of MAIL, RCPT, VRFY or EXPN that is not as_it_is.  DISCARD counts as yes here. */
struct smtp_answer {
	struct pr_verdict verdict;
	struct pr_str id;   /* END: queue id for "ID Message accepted for delivery" */
	struct pr_list lines; /* VRFY, EXPN: one reply line each */
	/* MAIL, RCPT: the text stands alone.  sendmail puts "<a>... " in front of what its rules say with 450, 550 and 553, and not in
	 * front of what a filter says. */
	bool as_it_is;
	bool unsure;        /* VRFY: 252, it is not for this host to know */
	bool stays;         /* a 421 of the rules is a reply like any other: sendmail closes for that of a filter */
	struct pr_str named; /* RCPT, yes: what this recipient was called when the client named him first, or absent */
	struct pr_str challenge; /* AUTH, yes: with goes_on the next step; without it the client is who it says it is */
	bool goes_on;
	bool waits;         /* RCPT, yes: where he is will be asked once more at delivery: "(will queue)" */
};

struct smtp_machine *smtp_machine_new(const struct smtp_settings *settings);
void smtp_machine_free(struct smtp_machine *machine);

/* Bytes taken; less than len when a question is open, the machine is finished, output waits to be sent, or a chunk begins or ends. */
size_t smtp_machine_input(struct smtp_machine *machine, const char *data, size_t len);
/* NULL when there is none. */
const struct smtp_question *smtp_machine_question(const struct smtp_machine *machine);
void smtp_machine_answer(struct smtp_machine *machine, const struct smtp_answer *answer);
/* Bytes to be sent; the driver consumes with pr_text_consume. */
struct pr_text *smtp_machine_output(struct smtp_machine *machine);
/* True when nothing more is to be read and no question is open: send the output, close. */
bool smtp_machine_is_finished(const struct smtp_machine *machine);
/* True between MAIL and the end of its transaction. */
bool smtp_machine_in_transaction(const struct smtp_machine *machine);
bool smtp_machine_in_data(const struct smtp_machine *machine); /* in a chunk, too */
bool smtp_machine_found_bare_line_end(const struct smtp_machine *machine); /* and finished for it: 421 */
/* The next line is an answer to a challenge of AUTH. */
bool smtp_machine_in_exchange(const struct smtp_machine *machine);
/* True after an AUTH that was answered with yes, until TLS is switched on. */
bool smtp_machine_is_authenticated(const struct smtp_machine *machine);
/* Seconds the driver should wait for the next byte. */
uint32_t smtp_machine_timeout(const struct smtp_machine *machine);
/* From now on it is treated as a client that was refused at CONNECT. */
void smtp_machine_refuse_client(struct smtp_machine *machine, const struct smtp_answer *answer);
/* Said after CONNECT was answered and before its reply was sent: the client did not wait for it.  554 instead, and then no mail. */
void smtp_machine_talked_early(struct smtp_machine *machine);
void smtp_machine_timed_out(struct smtp_machine *machine); /* 421 4.4.1 (as sendmail) and finished; nothing while a question is open */
void smtp_machine_end(struct smtp_machine *machine);       /* peer is gone: RESET is asked if a transaction is open */
void smtp_machine_shutdown(struct smtp_machine *machine);  /* 421 4.3.2 now if idle, else after the transaction */
/* TLS is on: forget everything the client said before.  The driver has thrown away whatever was read behind the STARTTLS
 * line; the machine takes no input between the 220 and this call. */
void smtp_machine_secured(struct smtp_machine *machine);
/* What the client said in HELO, EHLO or LHLO, or absent; for $r "SMTP", or "ESMTP" or "LMTP" with S for TLS and A for AUTH (RFC 3848), "UTF8SMTP"
 * with SMTPUTF8 (RFC 6531). */
struct pr_str smtp_machine_helo(const struct smtp_machine *machine);
const char *smtp_machine_protocol(const struct smtp_machine *machine);
/* Memory held by this machine, bytes; an idle one is under 2 KiB. */
size_t smtp_machine_memory(const struct smtp_machine *machine);
/* Does it speak of a mailbox?  sendmail puts the address in front of the texts of such codes and of no others, to the client and in the log. */
bool smtp_names_address(uint32_t code);

#endif
