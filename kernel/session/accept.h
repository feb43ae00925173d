/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Listening sockets.
 */
#ifndef KERNEL_SESSION_ACCEPT_H
#define KERNEL_SESSION_ACCEPT_H

#include "kernel/session/session.h"

/* Starts listening on what the role was born with; false with errno. */
bool accept_start(struct receiver *receiver);
/* Closes the listening sockets of this process; other processes may go on with theirs. */
void accept_stop(struct receiver *receiver);
/* Called every now and then: listeners that ran out of descriptors try again. */
void accept_tend(struct receiver *receiver);
/* How many sessions the descriptors of this process allow. */
size_t accept_limit(const struct options *options);

#endif
