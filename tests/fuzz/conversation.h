/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A client's bytes played to the SMTP machine by a driver whose answers come from a seed, with everything that must always
 * hold checked on the way; shared by fuzz_machine and fuzz_command.
 */
#ifndef TESTS_FUZZ_CONVERSATION_H
#define TESTS_FUZZ_CONVERSATION_H

#include "kernel/smtp/machine.h"

struct conversation {
	struct pr_text said;     /* all output */
	struct pr_text asked;    /* one line per question, and the data */
	uint32_t committed;      /* END questions */
	uint32_t commands;       /* questions other than BODY */
};

/* `cuts` 0: everything in one piece.  `answers` 0: always yes. */
void conversation_run(struct conversation *conversation, const struct smtp_settings *settings, struct pr_str bytes,
                      uint32_t answers, uint32_t cuts);
void conversation_fini(struct conversation *conversation);
void conversation_settings(struct smtp_settings *settings, uint8_t flags);
/* Replies: three digits, blank or '-', printable, CR LF; one code per reply. */
void conversation_check_replies(struct pr_str said);

#endif
