/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of sendmail's option table that the kernel has no use for.
 *
 * A sendmail.cf sets them, and it shall run: each is accepted, its text is kept for the modules that ask (host->option), and
 * `postriderctl check` says why it changes nothing.  What a rule engine or a map reads for itself has no such reason.
 */
#ifndef KERNEL_CONFIG_OPTIONS_IDLE_H
#define KERNEL_CONFIG_OPTIONS_IDLE_H

#include <postrider/arena.h>

struct option_idle {
	const char *name;
	const char *why; /* NULL: whoever it concerns asks for it */
};

extern const struct option_idle options_idle[]; /* ends with a row without name */
const struct option_idle *option_idle_find(struct pr_str name); /* case-insensitive; NULL */

#endif
