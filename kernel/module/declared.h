/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a rule engine's own configuration declares, put into the configuration.
 */
#ifndef KERNEL_MODULE_DECLARED_H
#define KERNEL_MODULE_DECLARED_H

#include "kernel/module/internal.h"

/* `rules` is loaded and its options are filled; nothing of `config` is in use but its own instance, which may move.  False, with a
 * sentence each in `errors`; the rest is done. */
bool declared_merge(struct module_instance *rules, struct config *config, uint32_t roles, struct pr_text *errors);

#endif
