/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The answers, one function per question.  Each fills `answer` (zeroed: yes) and returns; only ask_end() may have to
 * wait for the store, and says so.
 */
#ifndef KERNEL_SESSION_ASK_H
#define KERNEL_SESSION_ASK_H

#include "kernel/session/session.h"

struct ask {
	struct session *session;
	struct bench *bench;
	struct module_scope *scope;
	const struct smtp_question *question;
	struct smtp_answer *answer;
};

void ask_connect(struct ask *ask);
void ask_helo(struct ask *ask);
void ask_mail(struct ask *ask);
void ask_rcpt(struct ask *ask);
void ask_data(struct ask *ask);
void ask_body(struct ask *ask);
void ask_reset(struct ask *ask);
void ask_verify(struct ask *ask); /* VRFY and EXPN */
void ask_etrn(struct ask *ask);
void ask_starttls(struct ask *ask);
void ask_help(struct ask *ask);
/* HelpFile, when the receiver starts and ends. */
void help_open(struct receiver *receiver);
void help_close(struct receiver *receiver);
void ask_auth(struct ask *ask);
void ask_xclient(struct ask *ask);
void ask_xforward(struct ask *ask);
enum ask_end { END_ANSWERED, END_STORED, END_WAITING };
/* STORED: all parts are done, transaction_committed() says the answer; WAITING: LOOP_COMMIT will come. */
enum ask_end ask_end(struct ask *ask);

/* policy_check() for what comes over the network; mail of this host's own users is theirs.  A 421 of a set is a reply like any other. */
bool ask_rules(struct ask *ask, enum pr_check check, const struct pr_list *arguments);

struct transaction;
/* The header is complete: filters see each field, then its end (BODY, or the dot of a message without body). */
void ask_header_over(struct ask *ask, struct transaction *transaction);
/* MAIL, and DATA once more: MinFreeBlocks.  False: refused. */
bool ask_room(struct ask *ask);
void ask_refuse(struct ask *ask, enum pr_action action, uint32_t code, const char *enhanced, const char *text);

#endif
