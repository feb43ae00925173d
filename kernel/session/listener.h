/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which listener of the configuration is this socket?  Several may have one name (sendmail's default is MTA), and what one is allowed
 * must not become another's: the place where it listens decides.
 */
#ifndef KERNEL_SESSION_LISTENER_H
#define KERNEL_SESSION_LISTENER_H

#include "kernel/config/config.h"

/* NULL: none. */
const struct config_listener *listener_declared(const struct config *config, struct pr_str name, int fd);

#endif
