/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of an envelope that follow from its header.
 */
#ifndef KERNEL_SESSION_ENVELOPE_H
#define KERNEL_SESSION_ENVELOPE_H

#include "kernel/config/config.h"
#include <postrider/envelope.h>

/* The number that Precedence: stands for: what P lines declare, else the option Precedence. */
int64_t envelope_class(const struct config *config, const struct pr_header *fields, size_t count);

#endif
