/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine cf without a kernel: a file of bytes goes in, calls come out.  There are no maps, no names, no macros but the file's own.
 */
#ifndef TESTS_FUZZ_CF_WORLD_H
#define TESTS_FUZZ_CF_WORLD_H

#include "modules/rules/cf/hooks.h"

struct cf_world {
	struct pr_arena arena;
	struct pr_call call;
	struct cf *cf;
	struct cf_thread *thread;
};

/* Reads the bytes as a sendmail.cf.  False: it has errors; everything works all the same, as it does for -bt. */
bool cf_world_open(struct cf_world *world, struct pr_str bytes);
void cf_world_close(struct cf_world *world);
/* The arena emptied. */
struct pr_call *cf_world_call(struct cf_world *world);
const struct pr_rules_ops *cf_world_ops(void);

#endif
