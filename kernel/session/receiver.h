/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The receiver: SMTP in.  A few threads over one epoll set; a thread that gets an event runs that session until it
 * would block, module calls included; when all are busy the set grows up to MaxThreads.
 */
#ifndef KERNEL_SESSION_RECEIVER_H
#define KERNEL_SESSION_RECEIVER_H

#include "kernel/config/role.h"

/* Runs until told to leave; the exit status of the process. */
int receiver_main(const struct role *role);

#endif
