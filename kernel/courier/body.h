/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store's body as a mailer reads it: from inside that module's call, and in the shape that the mailer wants (kernel/mail/shape.h).
 */
#ifndef KERNEL_COURIER_BODY_H
#define KERNEL_COURIER_BODY_H

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
};

/* `inner` is open, and stays the caller's. */
void body_reader_init(struct body_reader *reader, struct module_scope *scope, struct pr_body *inner, const struct module_instance *mailer);
void body_reader_fini(struct body_reader *reader);

#endif
