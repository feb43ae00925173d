/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of an envelope that follow from its header.
 */
#ifndef KERNEL_SESSION_ENVELOPE_H
#define KERNEL_SESSION_ENVELOPE_H

#include "kernel/config/config.h"
#include <postrider/envelope.h>

/* The number that Precedence: stands for: what the configuration declares, else 100 special-delivery, 0 first-class, -30 list, -60 bulk, -100 junk. */
int64_t envelope_class(const struct config *config, const struct pr_header *fields, size_t count);

#endif
