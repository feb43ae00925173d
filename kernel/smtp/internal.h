/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the SMTP machine know of each other.
 *
 * A command line is kept in machine->line until its reply is written, so whatever a question borrows from it stays
 * valid while the question is open.  A question names the function that goes on when it is answered; there is
 * never more than one.
 */
#ifndef KERNEL_SMTP_INTERNAL_H
#define KERNEL_SMTP_INTERNAL_H

#include "kernel/smtp/data_reader.h"
#include "kernel/smtp/machine.h"

#include <postrider/arena.h>

#define SMTP_OUTPUT_ENOUGH 4096  /* no further command is taken while this much waits to be sent */
#define SMTP_OUTPUT_MAX 1048576
#define SMTP_LIST_MAX 500        /* lines of one VRFY or EXPN reply */
#define SMTP_PARAMETERS_MAX 32   /* ESMTP parameters of one command */
#define SMTP_ARENA_MAX 65536     /* parsed pieces of one command: a few copies of a line of 2 KiB, or an answer of AUTH and the next challenge */

enum smtp_state {
	SMTP_STATE_CONNECT,  /* the first question is open */
	SMTP_STATE_COMMAND,  /* reading command lines */
	SMTP_STATE_DATA,     /* between 354 and the dot */
	SMTP_STATE_AUTH,     /* 334 was given: the next line is an answer, and no command */
	SMTP_STATE_CHUNK,    /* between BDAT and the last of its octets */
	SMTP_STATE_TLS,      /* 220 to STARTTLS was given: nothing is read until smtp_machine_secured() */
	SMTP_STATE_LEAVING,  /* the last reply is written, RESET or QUIT is still to be answered */
	SMTP_STATE_FINISHED
};

typedef void smtp_step(struct smtp_machine *machine);
typedef void smtp_answered(struct smtp_machine *machine, const struct smtp_answer *answer);

/* What a client may not do for ever at full speed; those of one kind are counted together. */
enum smtp_slow { SMTP_SLOW_NEVER, SMTP_SLOW_LOAD, SMTP_SLOW_HELO, SMTP_SLOW_VERIFY, SMTP_SLOW_ETRN, SMTP_SLOW_NOOP, SMTP_SLOW_RCPT, SMTP_SLOW_AUTH, SMTP_SLOW_KINDS };

struct smtp_verb {
	const char *name;
	smtp_step *run;
	uint32_t flags; /* SMTP_VERB_... */
	enum smtp_slow slow;
};

#define SMTP_VERB_REFUSED_OK 1u /* works for a client that was refused at connect */
#define SMTP_VERB_PROXY 2u      /* the first word of a client that takes us for an HTTP proxy */
#define SMTP_VERB_COUNTED 4u    /* octets follow that are no commands: it judges its line and its client itself */

/* Why the message being read will not be taken, though it is read to its end. */
struct smtp_refusal {
	uint32_t code; /* 0: none */
	char *enhanced, *text;
};

struct smtp_machine {
	const struct smtp_settings *settings;
	enum smtp_state state;
	struct smtp_question question;
	smtp_answered *answered;
	smtp_step *after_reset;
	struct pr_text line;     /* the command being read or run */
	struct pr_text output;
	struct pr_arena arena;   /* parsed pieces of the command being run */
	struct pr_str verb;      /* into line */
	struct pr_str argument;  /* into line, blanks at the front taken off */
	struct pr_str secret;    /* decoded of an AUTH line */
	char *helo;
	struct smtp_refusal client;  /* the answer to CONNECT, given to every command of a refused client */
	struct smtp_refusal message; /* the answer to the dot of a message that is refused while it is read */
	struct data_reader *reader;  /* while in data, and from the first chunk to the last */
	smtp_step *handed;       /* BODY is open: what comes then, or NULL: more bytes */
	uint64_t chunk_size, chunk_left; /* octets of this chunk, and those to come */
	uint64_t recipients;     /* accepted in this transaction */
	uint64_t bad_recipients; /* refused in this transaction */
	uint64_t messages;       /* MAIL commands, also those that were refused */
	uint32_t slow_counts[SMTP_SLOW_KINDS];
	const struct smtp_verb *waiting; /* while WAIT is open */
	uint32_t bad_commands;
	bool bare_line_end;      /* the data had one: this is the end */
	bool extended;           /* EHLO */
	bool verbose;            /* VERB: mail of this session is delivered before the dot is answered */
	bool secured;
	bool authenticated;
	bool introduced_login;   /* the last XCLIENT said who has authenticated himself elsewhere */
	bool has_secret;         /* the line may hold a password: it is wiped, and what was decoded of it */
	bool in_transaction;
	bool any_command;        /* a command was read: no longer the first one */
	bool leaving;            /* shutdown was asked: 421 as soon as idle */
	bool lost;               /* the peer is gone */
	bool eight_bit;
	bool utf8, wants_utf8;   /* this transaction has SMTPUTF8; MAIL said so */
	bool utf8_reply;         /* to this command: VRFY and EXPN with SMTPUTF8 */
	bool chunk_last;
	bool chunked;            /* BDAT was said in this transaction */
	bool flooded;            /* RCPT waits in this transaction */
};

/* machine.c */
/* Opens the question prepared in machine->question. */
void smtp_ask(struct smtp_machine *machine, enum smtp_ask ask, smtp_answered *answered);
/* Ends the transaction, if there is one, with RESET; then runs `next`. */
void smtp_reset_then(struct smtp_machine *machine, smtp_step *next);
/* Forgets the transaction and the command: back to reading commands. */
void smtp_forget_transaction(struct smtp_machine *machine);
/* The reply is written: nothing more is read; an open transaction is reset. */
void smtp_leave(struct smtp_machine *machine);
bool smtp_is_yes(const struct smtp_answer *answer);

/* As with a new client: CONNECT is asked, and the greeting follows. */
void smtp_begin_again(struct smtp_machine *machine);

/* rcpt.c */
uint64_t smtp_most_recipients(const struct smtp_machine *machine); /* 0: any number */

/* verb.c */
void smtp_unknown(struct smtp_machine *machine); /* the reply to a verb that is none */
void smtp_run_line(struct smtp_machine *machine);
/* Counts; true when that was one too many and the 421 is written. */
bool smtp_bad_command(struct smtp_machine *machine);
void smtp_line_too_long(struct smtp_machine *machine);

/* slow.c */
/* Runs the verb: at once, or when WAIT is answered. */
void smtp_run_verb(struct smtp_machine *machine, const struct smtp_verb *verb);

/* reply.c: one reply line "CODE ENHANCED text"; enhanced may be NULL.  Whatever is not printable ASCII is escaped. */
void smtp_reply(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with '-' behind the code: more lines follow. */
void smtp_reply_part(struct smtp_machine *machine, uint32_t code, const char *enhanced, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void smtp_reply_421(struct smtp_machine *machine, const char *enhanced, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The refusal of an answer: its own code and text or the given ones; `about` ("<a>" or absent) stands in front of the
 * text of a 450, 550 or 553 as sendmail has it.  Code 421 leaves. */
struct smtp_standard {
	uint32_t reject_code;
	const char *reject_enhanced, *reject_text;
	uint32_t defer_code;
	const char *defer_enhanced, *defer_text;
};
void smtp_reply_refused(struct smtp_machine *machine, const struct smtp_answer *answer, struct pr_str about,
                        const struct smtp_standard *standard);
/* The same, kept for later. */
void smtp_refusal_set(struct smtp_refusal *refusal, const struct smtp_answer *answer, const struct smtp_standard *standard);
void smtp_refusal_clear(struct smtp_refusal *refusal);
void smtp_reply_refusal(struct smtp_machine *machine, const struct smtp_refusal *refusal);
/* Prints at most 203 bytes of foreign text: the front, "...", the back. */
struct smtp_short {
	char text[208];
};
struct smtp_short smtp_shorten(struct pr_str text);
/* "NAME [address]" of the client. */
struct smtp_short smtp_client(const struct smtp_machine *machine);

/* parameters.c */
/* "FROM:" or "TO:" taken off the argument; false when the 501 is written. */
bool smtp_skip_word(struct smtp_machine *machine, struct pr_str word, struct pr_str *rest_out);
/* The path and what follows it; false when the 553 is written. */
bool smtp_parse_path(struct smtp_machine *machine, struct pr_str text, struct pr_str *rest_out);
bool smtp_refuses_bytes(struct smtp_machine *machine, struct pr_str path); /* 8 bits: true when the 553 is written */
/* path.c: the same as smtp_parse_path, where the rules take any address. */
bool smtp_take_path(struct smtp_machine *machine, struct pr_str text, struct pr_str *rest_out);
typedef bool smtp_parameter(struct smtp_machine *machine, struct pr_str key, struct pr_str value);
/* Gives each "KEY=VALUE" to `take`; fills question.parameters.  False when a reply is written. */
bool smtp_parse_parameters(struct smtp_machine *machine, struct pr_str text, smtp_parameter *take);
/* A parameter of RFC 3461 where that is not offered: true when the 504 is written.  Our own programs may always ask. */
bool smtp_refuses_dsn(struct smtp_machine *machine, struct pr_str key);
bool smtp_take_xtext(struct smtp_machine *machine, const char *name, struct pr_str value, struct pr_str *decoded_out);

/* deliver_by.c: BY=120;RT into the question; false when the 5xx is written */
bool smtp_take_by(struct smtp_machine *machine, struct pr_str value);

/* auth.c */
uint32_t smtp_auth_offers(const struct smtp_machine *machine);   /* how many mechanisms */
bool smtp_auth_is_open(const struct smtp_machine *machine);      /* AUTH is possible now */
void smtp_auth_line(struct smtp_machine *machine);               /* runs a line that is no command */
void smtp_auth_wipe(struct smtp_machine *machine);

/* introduce.c */
void smtp_offer_introductions(struct smtp_machine *machine); /* in the reply to EHLO */

/* data.c */
size_t smtp_data_input(struct smtp_machine *machine, const char *data, size_t len);
/* The reader's buffer goes to the driver, or nowhere when the message is refused; then `next`, when it is not NULL. */
void smtp_hand_over(struct smtp_machine *machine, bool in_header, smtp_step *next);
/* All is handed over: END, or the refusal. */
void smtp_message_end(struct smtp_machine *machine);
void smtp_bare(struct smtp_machine *machine, const char *what);

/* chunk.c */
size_t smtp_chunk_input(struct smtp_machine *machine, const char *data, size_t len);
/* What cannot be said between two chunks: true when the 503 is written. */
bool smtp_refuses_in_chunks(struct smtp_machine *machine);

/* verbs */
smtp_step smtp_helo, smtp_ehlo, smtp_lhlo;                          /* helo.c */
smtp_step smtp_mail;                                                /* mail.c */
smtp_step smtp_rcpt;                                                /* rcpt.c */
smtp_step smtp_data;                                                /* data.c */
smtp_step smtp_bdat;                                                /* chunk.c */
smtp_step smtp_rset, smtp_noop, smtp_quit, smtp_verb_verb, smtp_starttls, smtp_unimplemented; /* misc.c */
smtp_step smtp_auth;                                                /* auth.c */
smtp_step smtp_vrfy, smtp_expn, smtp_etrn;                          /* lists.c */
smtp_step smtp_xclient, smtp_xforward;                              /* introduce.c */
smtp_step smtp_help;                                                /* help.c */

#endif
