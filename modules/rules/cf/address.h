/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an address becomes: {mailer, host, user} for a recipient, another form for a sender or header.
 */
#ifndef CF_ADDRESS_H
#define CF_ADDRESS_H

#include "cf.h"

struct cf_address {
	const struct cf_mailer *mailer; /* NULL with an error */
	struct pr_str host; /* absent: none was given */
	struct pr_str user;
	bool is_error;      /* $#error, or what it led to is no address */
	struct pr_str code; /* with an error: what stood behind $@: "5.1.1", "nouser", "quarantine" */
	struct pr_str text; /* with an error: the text without quotes, perhaps with an SMTP code */
	bool skips_set5;    /* $: @user */
	bool is_deferred;   /* a map could not answer */
	bool is_broken;     /* a rule set could not be worked off, for a fault in the file: the complaint tells */
	bool is_refused;    /* it has a mailer, but holds what no address may: the complaint tells */
};

/* Not too long, and without the bytes 128 to 159; complains otherwise. */
bool cf_address_is_valid(struct cf_run *run, struct pr_str text, bool is_recipient);
/* Sets 3 and 0, then the triple.  False: it is no address at all. */
bool cf_parse(struct cf_run *run, struct pr_str text, bool is_recipient, struct cf_address *out);
/* An error for a while: its text begins with 4xx. */
bool cf_address_is_temporary(const struct cf_address *address);
/* {mailer, host, user} out of tokens that begin with $#. */
void cf_build(struct cf_run *run, const struct cf_tokens *tokens, struct cf_address *out);
/* The form of an address for a mailer, inside its frame (comments, phrase, brackets).  Returns the sysexit. */
int cf_remote(struct cf_run *run, struct pr_str text, const struct cf_mailer *mailer, uint32_t which, bool is_canonical, struct pr_str *out);

/* from_domain.c: "@far.example" when the mailer of the message's sender has F=C, else absent. */
struct pr_str cf_sender_domain(struct pr_call *call);
/* Puts run->domain behind an address without @, and makes it canonical again. */
void cf_lend_domain(struct cf_run *run, struct cf_tokens *tokens);

/* The verdict in tokens that begin with $#error: SMTP code (0: none given), enhanced code, text. */
void cf_error_of(struct cf_run *run, const struct cf_address *address, uint32_t *code_out, struct pr_str *enhanced_out, struct pr_str *text_out);

/* sysexit.c: that of `$#error $@ CODE`; 0: it is for a while only. */
uint32_t cf_error_status(struct pr_str code);

#endif
