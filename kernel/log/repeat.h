/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What would be said a thousand times a minute: a full disk refuses every message.
 *
 * The first time is a line like any other.  After it there is one a minute for as long as it goes on, with the number of those that were
 * kept back, and one when it is over.  A struct log_repeat that is all zeroes is ready; threads may share it.
 */
#ifndef KERNEL_LOG_REPEAT_H
#define KERNEL_LOG_REPEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_REPEAT_SECONDS 60

struct log_repeat {
	_Atomic int64_t next;      /* second of the next line; 0: it has not happened, or is over */
	_Atomic uint64_t kept_back;
};

/* True: to be said now; *kept_back_out is how often it was not, since the last line.  `now` is any clock of seconds that is above 0. */
bool log_repeat_begin(struct log_repeat *repeat, int64_t now, uint64_t *kept_back_out);
/* It does not happen any more.  True: it did, and that is to be said. */
bool log_repeat_end(struct log_repeat *repeat, uint64_t *kept_back_out);

#endif
