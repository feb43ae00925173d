/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine's own header templates (H lines of sendmail.cf), with this message's values in them.
 */
#ifndef KERNEL_MODULE_TEMPLATES_H
#define KERNEL_MODULE_TEMPLATES_H

#include "kernel/mail/header.h"
#include "kernel/module/module.h"

/* Fills facts->templates when the engine has any.  False: there was no memory, or the engine could not answer (scope->reason). */
bool templates_fill(struct module_scope *scope, struct pr_arena *arena, struct header_facts *facts);
/* A text of the configuration with the same macros in it; by an engine that knows none, $x and ${name} alone.  Not PR_OK: scope->reason. */
enum pr_status templates_expand(struct module_scope *scope, const struct header_facts *facts, struct pr_str text, struct pr_str *text_out);

#endif
