/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A rule engine: decides where mail goes, who may send it, and how addresses look.
 *
 * A client says RCPT TO:<joe@example.org>.  The kernel asks check(PR_CHECK_RCPT)
 * whether this client may, then resolve() for {mailer, host, user}.  A
 * recipient whose mailer has flag A is then looked up in the aliases (by the
 * kernel), and each result is resolved again.  The courier resolves once more
 * at delivery, as sendmail does, and asks rewrite() for the form of each
 * address for that mailer.
 *
 * An engine sees the world through call->host: maps, DNS, classes, macros.
 */
#ifndef POSTRIDER_RULES_H
#define POSTRIDER_RULES_H

#include "envelope.h"
#include "filter.h"
#include "module.h"
#include "verdict.h"

#define PR_ROUTE_FINAL 1u /* the user is not to be looked at again: local() is not asked */
#define PR_ROUTE_WAITS 2u /* since 1.4, with PR_TEMPFAIL and `mailer`: it goes there in all likelihood; the recipient may be taken, and is asked about again at delivery */

struct pr_route {
	size_t size;
	struct pr_str mailer; /* instance name */
	struct pr_str host;   /* may be empty for local mailers */
	struct pr_str user;   /* what the mailer says to the other side */
	uint32_t code;        /* with PR_PERMFAIL/PR_TEMPFAIL: SMTP code, 0: standard */
	uint32_t flags;       /* since 1.3 */
	struct pr_str enhanced; /* with a failure: "5.1.1" */
	struct pr_str text;     /* with a failure: "User unknown" */
};

enum pr_check {
	PR_CHECK_RELAY = 1,  /* a connection */
	PR_CHECK_HELO = 2,   /* argument: name */
	PR_CHECK_MAIL = 3,   /* argument: "<sender>" */
	PR_CHECK_RCPT = 4,   /* argument: "<recipient>"; sender in context */
	PR_CHECK_DATA = 5,   /* argument: number of recipients */
	PR_CHECK_ETRN = 6,
	PR_CHECK_VRFY = 7,
	PR_CHECK_EXPN = 8,
	PR_CHECK_EOH = 9,    /* number of headers, size */
	PR_CHECK_EOM = 10,   /* size */
	PR_CHECK_COMPAT = 11, /* sender, recipient: before each delivery */
	PR_CHECK_HEADER = 12, /* name, value */
	PR_CHECK_TLS_CLIENT = 13, /* since 1.3: how the client was verified ("NO", "OK" ...) and "STARTTLS", after the handshake; at MAIL check_mail asks by itself */
	/* since 1.4: asked by mailers, of the next host that host->talks_to() named */
	PR_CHECK_TRY_TLS = 14,    /* the host's name, when it offers STARTTLS: a refusal means without */
	PR_CHECK_TLS_SERVER = 15, /* how the server was verified ("OK", "FAIL", "NONE" ...): before the first MAIL; after a failed attempt
	                             "TEMP", "PROTOCOL", "SOFTWARE"; on the way without TLS after it "CLEAR" */
	PR_CHECK_TLS_RCPT = 16,   /* the recipient as he is to be named: before each RCPT */
	PR_CHECK_TRUST_AUTH = 17  /* since 1.4: AUTH= of MAIL as it was written (RFC 4954 section 5); a refusal is told to nobody, but nobody is named to the next host then */
};

struct pr_check_context {
	size_t size;
	const struct pr_client *client;
	struct pr_str sender;     /* "<...>" once MAIL was accepted, else absent */
	struct pr_str auth_name;  /* authenticated as, or absent */
	struct pr_str tls_verify; /* "OK", "NONE" ... or absent */
	struct pr_str *set_out;   /* since 1.4, may be NULL: for the engine to put the name of the set that it asked into, for the log */
};

enum pr_rewrite {
	PR_REWRITE_ENVELOPE_SENDER = 1,
	PR_REWRITE_ENVELOPE_RECIPIENT = 2,
	PR_REWRITE_HEADER_SENDER = 3,
	PR_REWRITE_HEADER_RECIPIENT = 4
};

/* Since 1.3: what an engine's own configuration declares beside its rules, as data: the K, M, X, Q, O, P, E lines of sendmail.cf.
 * The kernel makes of them what it would have made of the same words in postrider.conf. */
enum pr_declared_kind {
	PR_DECLARED_MAP = 1,         /* K: name, module = class, settings: "arguments" as written */
	PR_DECLARED_MAILER = 2,      /* M: name, module = "smtp" for [IPC], "file" for [FILE], else "prog"; settings: the equates by sendmail's
	                                letter ("P", "F", "S", "R", "A", "E", "M", "L", "D", "U", "N", "C", "T", "W", "m", "r", "Q", "/") */
	PR_DECLARED_FILTER = 3,      /* X: name, module = "milter"; settings "S", "F", "T" */
	PR_DECLARED_QUEUE_GROUP = 4, /* Q: name; settings by letter */
	PR_DECLARED_OPTION = 5,      /* O: name = sendmail's long name; settings[0].value; may come several times */
	PR_DECLARED_PRECEDENCE = 6,  /* P: name; settings[0].value: a number */
	PR_DECLARED_ENVIRONMENT = 7, /* E: name; settings[0].value, or none: pass the daemon's own on */
	PR_DECLARED_TRUSTED = 8      /* T: name of a user */
};

struct pr_declared_setting {
	struct pr_str name;
	struct pr_str value;
};

struct pr_declared {
	size_t size;
	uint32_t kind; /* enum pr_declared_kind */
	uint32_t line; /* in file, for messages */
	struct pr_str file;
	struct pr_str name;
	struct pr_str module;
	const struct pr_declared_setting *settings;
	size_t count;
};

/* Since 1.3: one step on the way of an address, for those who ask why. */
enum pr_step_kind {
	PR_STEP_SET = 1,    /* a rule set begins: name; before: the address */
	PR_STEP_RULE = 2,   /* a rule was applied: name of the set, file (absent: name is that of an option), line; before, after */
	PR_STEP_MAP = 3,    /* a map was asked: name; before: the key, after: the answer, absent when there was none, or why it could not look */
	PR_STEP_END = 4     /* the set ends: name; after: the address */
};

struct pr_step {
	size_t size;
	uint32_t kind;  /* enum pr_step_kind */
	uint32_t line;
	uint32_t depth; /* sets within sets */
	uint32_t status; /* PR_STEP_MAP: enum pr_status */
	struct pr_str file;
	struct pr_str name;
	struct pr_str before;
	struct pr_str after;
	int64_t nanoseconds; /* PR_STEP_MAP and PR_STEP_END: how long it took */
};

struct pr_rules_ops {
	size_t size;
	/* `address` without brackets.  PR_OK; PR_PERMFAIL/PR_TEMPFAIL with code, enhanced, text in the route. */
	enum pr_status (*resolve)(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
	/* `address` without brackets; the result likewise. */
	enum pr_status (*rewrite)(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address,
	                          struct pr_str *address_out);
	enum pr_status (*check)(struct pr_call *call, uint32_t check, const struct pr_check_context *context,
	                        const struct pr_list *arguments, struct pr_verdict *verdict);
	/* The header templates (H lines) for the message that is being made: name, value with its macros put in (host->macro knows this
	 * message's $i, $u, $g, $x, dates), and the mailer flags it is for.  Continuation lines begin with a tab.  NULL: the kernel's own set of
	 * Received, Date, From and Message-Id. */
	enum pr_status (*headers)(struct pr_call *call, const struct pr_header **headers_out, size_t *count_out);
	/* One line of -bt, as it was typed, without its line end; PR_NOTFOUND ends the console.  The first call has an absent line: out is then what
	 * was wrong with the engine's own file.  -bt goes on when check() refused, as sendmail does, so open() and console() must stand that. */
	enum pr_status (*console)(struct pr_call *call, struct pr_str line, struct pr_text *out);
	/* Since 1.1: the queue group for this recipient, `address` without brackets (the queuegroup set of sendmail.cf).
	 * PR_NOTFOUND: no opinion; the mailer's group, else the default one, is taken. */
	enum pr_status (*queue_group)(struct pr_call *call, struct pr_str address, struct pr_str *group_out);
	/* Since 1.3: the declarations, in the order of the file.  Called once in each process after the options are filled and before check() and
	 * open() of anything; it may read files and nothing else.  What it gives lives as long as the instance.  close() is called
	 * even when open() never was. */
	enum pr_status (*declare)(struct pr_call *call, const struct pr_declared **declared_out, size_t *count_out);
	/* Since 1.3.  call->session is session_size bytes that live as long as the SMTP connection (NULL: outside of one).  At its end this is called
	 * once, if the engine was asked anything in it. */
	void (*session_close)(struct pr_call *call);
	/* Since 1.3.  Questions that are answered with a value: "greet_pause" (milliseconds), "srv_features" (letters); of a mailer "clt_features"
	 * (letters; name of the host), "authinfo" (words "U:user" "P:password" ...; name and address); the arguments are those of sendmail's set of that name.
	 * Since 1.5 "local_host_name": PR_OK when the argument is a name of this host (class w).  PR_NOTFOUND: no opinion; PR_PERMFAIL with a reason: no. */
	enum pr_status (*feature)(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);
	/* Since 1.3.  resolve() with the steps that led there, at most `most` of them; the answer and the route are those of resolve(). */
	enum pr_status (*explain)(struct pr_call *call, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
	                          const struct pr_step **steps_out, size_t *count_out);
	/* Since 1.3.  A user of a mailer with F=5 who is no alias: where his mail goes instead (ruleset 5, localaddr, of sendmail.cf).  PR_NOTFOUND: where
	 * it would have gone.  The kernel asks when it accepts and again when it delivers. */
	enum pr_status (*local)(struct pr_call *call, struct pr_str mailer, struct pr_str host, struct pr_str user, struct pr_route *route_out);
	/* Since 1.3.  A text of the configuration with its macros and conditionals put in ("$j Sendmail $v; $b"), for the greeting and the like. */
	enum pr_status (*expand)(struct pr_call *call, struct pr_str text, struct pr_str *text_out);
	/* Since 1.3.  How the engine's own file was found, after declare(), and at the end of -bt what its console met besides: a sysexit that a program
	 * is to end with, 0: all is well. */
	uint32_t (*exit_status)(struct pr_call *call);
	/* Since 1.4.  The transaction in which a check of PR_CHECK_MAIL was asked is over: sent, refused, or given up by RSET, HELO or the end of the
	 * connection.  What the engine keeps of it in call->session ends with it. */
	void (*transaction_close)(struct pr_call *call);
};

#endif
