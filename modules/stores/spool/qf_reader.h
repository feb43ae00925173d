/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a control file, from inside: lines of the message and the table of letters (qf_read.c), lines of recipients
 * (qf_read_recipient.c), values (qf_value.c).  Each answers false to what no honest file holds.
 */
#ifndef MODULES_STORES_SPOOL_QF_READER_H
#define MODULES_STORES_SPOOL_QF_READER_H

#include "spool.h"

struct reader {
	struct pr_call *call;
	struct pr_envelope *e;
	struct pr_str rest;
	uint64_t sum, stated_sum;
	bool has_sum, needs_sum, has_sender, has_end, has_version, has_created;
	struct pr_recipient next; /* what C M Q r lines have said for the coming R */
	bool has_state;
};

typedef bool line_reader(struct reader *r, struct pr_str value);

/* qf_value.c; what is taken lies in the arena of the call */
bool qf_has_control(struct pr_str text);
bool qf_has_line_end(struct pr_str text); /* or a NUL */
bool qf_take_exact(struct reader *r, struct pr_str value, struct pr_str *out); /* an address or what stands for one */
bool qf_take_shown(struct reader *r, struct pr_str value, struct pr_str *out); /* text for people */
bool qf_take_number(struct pr_str value, int64_t *out);
bool qf_take_xtext(struct reader *r, struct pr_str value, struct pr_str *out);
bool qf_next_field(struct reader *r, struct pr_str *rest, struct pr_str *out); /* "-" or "=xtext" */
bool qf_next_number(struct pr_str *rest, uint64_t max, uint32_t *out);

/* qf_read_recipient.c: C, Q, r and R, and what ${postrider_done} and ${postrider_rcpt} say */
line_reader qf_read_owner, qf_read_original, qf_read_final, qf_read_recipient, qf_read_done, qf_read_result;

#endif
