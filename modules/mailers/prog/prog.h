/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A program gets the message on its standard input.
 *
 * Two ways to say which:
 *
 *   shell = "/bin/sh"                        the recipient is a command of an alias: SHELL -c COMMAND
 *   path = "/usr/bin/procmail";              the program of a mailer, as an M line has it: argv is split at blanks first and then each word
 *   argv = "procmail -a $h -d $u"            has its $x and ${name} put in, so nothing of a message becomes a second word, or reaches a shell
 *
 * It runs as DefaultUser; with `owner` as the account that the recipient names, with `user` as that one.
 */
#ifndef MAILERS_PROG_PROG_H
#define MAILERS_PROG_PROG_H

#include <postrider/host.h>
#include <postrider/mailer.h>

#define PROG_WORDS_MAX 200

struct prog {
	struct pr_str shell;
	struct pr_str path;
	struct pr_str argv;
	struct pr_str user;
	struct pr_str directory;
	struct pr_str root;
	struct pr_str sender_flag; /* "-f" or "-r": put in behind the name of the program, with the sender */
	int64_t timeout;
	int64_t niceness;
	uint32_t owner;
	uint32_t from_line;
	uint32_t strip_quotes;
	uint32_t uucp_from; /* the From line of HOST!USER ends in "remote from HOST" */
};

/* What stands for $u, $h, $g and the others. */
struct prog_words {
	struct pr_call *call;
	const struct pr_destination *destination;
	const struct pr_envelope *envelope;
	const struct pr_delivery *deliveries; /* $u is each of them in turn */
	size_t count;
	bool strip_quotes;
};

bool prog_has_user(struct pr_str argv);
/* The words with all put in; PR_PERMFAIL with a reason when one would be taken for an option. */
enum pr_status prog_words(const struct prog_words *context, const struct prog *prog, struct pr_list *argv_out);
/* sysexits.h as mail knows them, into the result. */
void prog_outcome(struct pr_call *call, struct pr_delivery *result, const struct pr_local_delivery *delivery);
/* PR_NOTFOUND: there is no such account.  `user`: what the mailer says; `owner`: else it is the recipient's.  *user_out absent: DefaultUser. */
enum pr_status prog_find_account(struct pr_call *call, struct pr_str user, bool owner, struct pr_str recipient, struct pr_str *user_out);
/* The account behind "joe+detail". */
struct pr_str prog_account(struct pr_str user);

#endif
