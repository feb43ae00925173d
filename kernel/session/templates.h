/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine's own header templates (H lines of sendmail.cf), with this message's values in them.
 */
#ifndef KERNEL_SESSION_TEMPLATES_H
#define KERNEL_SESSION_TEMPLATES_H

#include "kernel/mail/header.h"
#include "kernel/module/module.h"

/* Fills facts->templates when the engine has any.  False: there was no memory, or the engine could not answer (scope->reason). */
bool templates_fill(struct module_scope *scope, struct pr_arena *arena, struct header_facts *facts);

#endif
