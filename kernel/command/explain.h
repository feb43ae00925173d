/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl explain: why an address goes where it goes.
 *
 * explain_follow() walks an address as reception does - rules, aliases, rules again - and tells what it meets to a *form*: each step of the
 * rule engine, each table that was asked, at last each recipient and how its envelope looks.  There are two forms, one for people and one
 * for programs; both write while the walk goes on, so a list of 50,000 needs no memory here.  Without a form nothing is told, and only the
 * ends count: that is how two configurations are compared.
 */
#ifndef KERNEL_COMMAND_EXPLAIN_H
#define KERNEL_COMMAND_EXPLAIN_H

#include "kernel/command/modes.h"

#include <postrider/rules.h>

/* A table of the kernel's own, or what stands for one. */
struct explain_lookup {
	const char *kind; /* "map", "account", "file" */
	struct pr_str name; /* of the map */
	struct pr_str key;
	enum pr_status status;
	struct pr_str answer; /* or why there is none */
	int64_t nanoseconds;
};

/* Where it ends: a recipient, or a refusal. */
struct explain_end {
	struct pr_str address; /* without brackets */
	struct pr_str alias;   /* the list it came from, or absent */
	struct pr_str mailer, host, user;
	bool no_mailer;        /* the rules name a mailer that is not configured: mail would wait */
	uint32_t code;         /* of a refusal, else 0 */
	struct pr_str enhanced, text;
	struct pr_str reason;  /* more than a client is told: which list, which file; or absent */
	struct pr_str owner;   /* the account a program or file of a list runs as, or absent */
	struct pr_str sender, recipient; /* the envelope, as this mailer says it; without a form absent */
};

struct explain_out;

struct explain_form {
	void (*begin)(struct explain_out *out, struct pr_str address);
	void (*verdict)(struct explain_out *out, const char *check, const struct pr_verdict *verdict);
	/* The rules were asked where `address` goes. */
	void (*route)(struct explain_out *out, struct pr_str address, const struct pr_step *steps, size_t count, bool cut);
	void (*routed)(struct explain_out *out, enum pr_status status, const struct pr_route *route);
	void (*lookup)(struct explain_out *out, const struct explain_lookup *lookup);
	void (*end)(struct explain_out *out, const struct explain_end *end);
	void (*finish)(struct explain_out *out);
};
extern const struct explain_form explain_human, explain_json;

struct explain_out {
	const struct explain_form *form;
	struct pr_text text;  /* not written yet */
	int section;          /* the form's own: where it is, and whether something stands there already */
	bool has_member;
	bool is_gone;         /* nobody reads any more */
};
/* To stdout, when there is enough of it, or `now`. */
void explain_flush(struct explain_out *out, bool now);

struct explain_client {
	struct pr_str address, name; /* address absent: no client is meant */
	bool is_verified;            /* it has a name */
};
/* "192.0.2.1" or "192.0.2.1=mail.example.org"; false: no address.  What is given lives in `arena`. */
bool explain_client_parse(struct pr_arena *arena, struct pr_str word, struct explain_client *client_out);

struct explain_ask {
	struct tool *tool;
	struct pr_str sender; /* without brackets; empty: the null sender */
	struct explain_client client;
	struct explain_out *out; /* NULL: nothing is told */
	struct pr_str last;      /* the address that was resolved last, absent when its route is gone with the arena */
	struct pr_route route;
	bool is_unsure;          /* an answer was temporary: another time it may be another one */
};
/* Makes the tool answer macros as in a session with this client; `ask` must outlive its use. */
void explain_prepare(struct explain_ask *ask);
/* What check_relay, check_mail and check_rcpt say of the client, the sender and this recipient. */
void explain_check(struct explain_ask *ask, struct pr_str address);
/* Each end is given to `each`, valid during that call. */
void explain_follow(struct explain_ask *ask, struct pr_str address, void (*each)(void *context, const struct explain_end *end), void *context);

/* Addresses of a file, one a line; empty lines and those that begin with # are none. */
struct explain_list {
	const char *name; /* "-" is standard input */
	void *file;
	struct pr_text line;
	size_t number, bad; /* lines; those that were told as unusable */
};
bool explain_list_open(struct explain_list *list, const char *name); /* false: told on stderr */
bool explain_list_next(struct explain_list *list, struct pr_str *address_out);
/* EX_OK; EX_IOERR or EX_DATAERR when not all of it could be used. */
int explain_list_close(struct explain_list *list);

/* The reason without the "map NAME: " that the kernel puts in front. */
struct pr_str explain_why(struct pr_str map, struct pr_str reason);

/* Trims and takes the brackets off; false: no address that could be asked about. */
bool explain_address(struct pr_str word, struct pr_str *address_out);

/* explain_against.c: exit status 0 nothing differs, 1 something does. */
int explain_against(const struct arguments *arguments, const char *against, const char *list, struct pr_str sender, bool progress);

#endif
