/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the configuration says of the form that a mailer gets a message in.
 */
#ifndef KERNEL_COURIER_CONTENT_H
#define KERNEL_COURIER_CONTENT_H

#include "kernel/mail/mime_form.h"
#include "kernel/module/module.h"

#define CONTENT_HOST_UNKNOWN UINT32_MAX /* in the place of what it offers */

void content_settings(struct module_scope *scope, const struct module_instance *mailer, const struct pr_envelope *envelope,
    struct mime_settings *settings_out);
/* `offers`: PR_OFFERS_...  *strip_out: what has eight bits all the same loses them. */
enum mime_form content_form(const struct module_instance *mailer, const struct pr_envelope *envelope, uint32_t offers, bool *strip_out);
uint32_t content_holds(const struct pr_envelope *envelope, enum mime_form form); /* PR_CONTENT_... */

#endif
