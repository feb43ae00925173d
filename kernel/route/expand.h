/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From one recipient to all the recipients it means: rules, aliases, rules again.
 *
 * The expansion knows no map and no module: it asks through three functions.  Members are kept as a growing
 * list with an index of what was already seen, so a list of 50,000 costs 50,000 steps and a loop ends.
 * MaxAliasRecursion bounds the depth ("aliasing/forwarding loop broken (11 aliases deep; 10 max)").
 *
 * When the client wants to hear of success (NOTIFY=SUCCESS) and the address means several, that is the success: one recipient more,
 * already DELIVERED, stands for the address itself, and its members are asked for failures only (RFC 3461 section 5.2.7).  What the client wants to
 * hear is no word to the owner of a list: he gets every failure of its members (section 5.2.7.1).
 *
 * A recipient that means nobody is refused at once.  In a list with good members, a member that is unknown becomes a
 * recipient like the others: its bounce is made at delivery, and the rest of the list gets the message.  A list that cannot be
 * read, or a map that cannot answer, refuses the whole recipient, so nobody is left out silently.  One whose host the name service cannot
 * tell yet is taken, when the engine says so (PR_ROUTE_WAITS) and it would not be one of ours, with aliases.
 */
#ifndef KERNEL_ROUTE_EXPAND_H
#define KERNEL_ROUTE_EXPAND_H

#include <postrider/envelope.h>
#include <postrider/rules.h>

struct expand_source {
	void *context;
	/* address without brackets -> route, as rules_resolve */
	enum pr_status (*resolve)(void *context, struct pr_str address, struct pr_route *route_out);
	/* F=A: look the user up in the aliases; F=w: must have an account */
	bool (*mailer_has_flag)(void *context, struct pr_str mailer, char flag);
	/* A user of a mailer with F=5 who is no alias: where he really is, as rules_local.  May be NULL. */
	enum pr_status (*local)(void *context, struct pr_str mailer, struct pr_str host, struct pr_str user, struct pr_route *route_out);
	/* local part (lower case) -> alias value; PR_NOTFOUND, PR_TEMPFAIL */
	enum pr_status (*alias)(void *context, struct pr_str key, struct pr_str *value_out);
	/* is there such a user?  PR_OK, PR_NOTFOUND, PR_TEMPFAIL */
	enum pr_status (*user)(void *context, struct pr_str name);
	/* contents of an :include: file from the system aliases; PR_NOTFOUND, PR_TEMPFAIL with a reason */
	enum pr_status (*include)(void *context, struct pr_str path, struct pr_str *contents_out, struct pr_str *why_out);
	/* The account that owns an :include: file: programs and files named in it run as that user.  NULL or anything but PR_OK:
	 * programs and files in :include: files are refused. */
	enum pr_status (*include_owner)(void *context, struct pr_str path, struct pr_str *user_out);
	/* The rules take +detail off themselves, and what they leave is a part of the name (PR_ANY_ADDRESS). */
	bool rules_take_details;
};

struct expand_limits {
	uint32_t depth;   /* MaxAliasRecursion */
	uint32_t reserved;
	size_t members;   /* most recipients of one message after expansion */
};

/* The set of final recipients of one message: duplicates are suppressed across all RCPTs. */
struct expansion;
struct expansion *expansion_new(const struct expand_source *source, const struct expand_limits *limits);
void expansion_free(struct expansion *expansion);

struct expand_result {
	uint32_t code;          /* SMTP code of a refusal, 0 when accepted */
	uint32_t added;         /* final recipients added */
	bool waits;             /* accepted, though the rules could not say yet where it goes: see PR_ROUTE_WAITS */
	struct pr_str enhanced; /* "5.1.1" */
	struct pr_str text;     /* "User unknown" */
	struct pr_str reason;   /* for the log, not for the client: which file or alias, and why; absent when there is nothing to add */
	struct pr_str identity; /* accepted: mailer, host and user of the address itself, before any alias */
};
/* Adds what `address` (no brackets) means.  PR_OK; PR_PERMFAIL/PR_TEMPFAIL: refused, nothing added, result says how (valid until
 * the next call).
 * `model` gives flags, original and the client's own address for the new recipients.  from_wire: "|prog", "/file" and ":include:" are refused
 * ("Cannot mail directly to programs"). */
enum pr_status expansion_add(struct expansion *expansion, struct pr_str address, const struct pr_recipient *model,
                             bool from_wire, struct expand_result *result_out);
/* owner-LIST of the list that was expanded, if there is one: the new envelope sender (no brackets); absent otherwise. */
struct pr_str expansion_owner(const struct expansion *expansion);
/* The same for one recipient: a message to several lists is split by this.  expansion_owner() is the one that all recipients
 * share, and absent when they differ. */
struct pr_str expansion_recipient_owner(const struct expansion *expansion, size_t index);
/* What the client called the recipient of this identity when he named it first: `shown` itself, the first time. */
struct pr_str expansion_name(struct expansion *expansion, struct pr_str identity, struct pr_str shown);
struct pr_recipient *expansion_recipients(struct expansion *expansion, size_t *count_out);
void expansion_clear(struct expansion *expansion);

#endif
