/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A verdict: what a filter or a rule says about a connection, an address or a message.
 */
#ifndef POSTRIDER_VERDICT_H
#define POSTRIDER_VERDICT_H

#include "text.h"

enum pr_action {
	PR_CONTINUE = 0,  /* no opinion: ask the next one */
	PR_ACCEPT = 1,    /* take it, ask nobody further about this */
	PR_REJECT = 2,    /* 5xx */
	PR_DEFER = 3,     /* 4xx */
	PR_DISCARD = 4,   /* say 250, deliver to nobody */
	PR_QUARANTINE = 5 /* take it, hold it in the queue; text is the reason */
};

struct pr_verdict {
	uint32_t action;        /* enum pr_action */
	uint32_t code;          /* SMTP code, 0: 550 or 451 by action; 421 closes the connection */
	struct pr_str enhanced; /* "5.7.1"; absent: by code */
	struct pr_str text;     /* one line, printable; absent: the kernel's standard text */
};

#endif
