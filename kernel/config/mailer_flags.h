/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The letters of F=, and what each does here.
 *
 * The kernel asks for some of them by itself (module_mailer_has_flag), and any letter may stand in H?x?; some are an option of the module that
 * delivers; the rest is accepted, and `postriderctl check` says why it changes nothing.
 */
#ifndef KERNEL_CONFIG_MAILER_FLAGS_H
#define KERNEL_CONFIG_MAILER_FLAGS_H

#include <postrider/text.h>

struct mailer_flag {
	char letter;
	const char *module;      /* only there; NULL: any */
	const char *key, *value; /* the module's option; NULL: the kernel does it */
	const char *why;         /* it does nothing, because ... */
};

extern const struct mailer_flag mailer_flags[]; /* ends with letter 0; the first row that fits counts */
/* NULL: no such letter. */
const struct mailer_flag *mailer_flag_find(char letter, struct pr_str module);

#endif
