/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of a message as one mailer gets it: what the host table's header_print answers.
 *
 * Return-Path comes first for mailers with flag P; a field with a condition (H?flags?) is kept when the mailer has one of
 * the flags; sender and recipient fields are rewritten address by address for that mailer; a Bcc field that
 * still names anybody is dropped.  What the form of the body changes in the header (scope->content) is changed.  LF line ends, the empty line included.
 */
#ifndef KERNEL_MODULE_PRINT_H
#define KERNEL_MODULE_PRINT_H

#include "kernel/module/module.h"

/* PR_TEMPFAIL with the reason in the scope when the rules could not be asked, PR_PERMFAIL when the text is full. */
enum pr_status print_header(struct module_scope *scope, struct pr_str mailer, const struct pr_envelope *envelope,
                            struct pr_text *out);

#endif
