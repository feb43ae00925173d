/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store's body as a mailer reads it: from inside that module's call, in the form that its next host can take (kernel/mail/mime.h), and in the shape
 * that the mailer wants (kernel/mail/shape.h).
 *
 *      store --> eight bits encoded, decoded, checked --> lines cut, quoted --> the mailer
 *
 * The form may change while the mailer has it, before the body is read: it meets a host that does not offer 8BITMIME, and then another that does.
 */
#ifndef KERNEL_COURIER_BODY_H
#define KERNEL_COURIER_BODY_H

#include "kernel/mail/mime.h"
#include "kernel/mail/shape.h"
#include "kernel/module/module.h"

struct body_reader {
	struct pr_body body; /* what the mailer gets */
	struct module_scope *scope;
	struct pr_body *inner;
	int64_t at;          /* bytes read: the end is known without asking, and a first rewind moves nothing */
	bool is_plain, is_over;
	struct shape shape;
	struct shaper shaper;
	struct pr_text shaped; /* what did not come out as it went in */
	size_t given;        /* bytes of it that the mailer has */
	/* the form */
	const struct module_instance *mailer;
	const struct pr_envelope *envelope;
	struct module_content content; /* for the mailer and the header */
	enum mime_form form;
	struct mime *mime;   /* NULL: the body is as it is */
	struct pr_text converted;
	char *raw;           /* a piece of the store before that */
};

/* `inner` is open, and stays the caller's; so does the envelope. */
void body_reader_init(struct body_reader *reader, struct module_scope *scope, struct pr_body *inner, const struct module_instance *mailer,
    const struct pr_envelope *envelope);
/* The form for a host of which nothing is known yet.  PR_TEMPFAIL with the reason in the scope: the body cannot be read. */
enum pr_status body_reader_begin(struct body_reader *reader);
void body_reader_fini(struct body_reader *reader);

#endif
