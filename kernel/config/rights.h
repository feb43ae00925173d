/* SPDX-License-Identifier: BSD-2-Clause
 *
 * May a file say where mail goes?  Not when somebody else could have written it, as far as DontBlameSendmail does not allow that.
 */
#ifndef KERNEL_CONFIG_RIGHTS_H
#define KERNEL_CONFIG_RIGHTS_H

#include "kernel/config/options.h"

/* The contents of an :include: file of at most so many bytes, in the arena.  PR_PERMFAIL: it must not be believed, or is no absolute name; another
 * status is that of pr_file_read().  *why_out has the sentence, empty when there is none. */
enum pr_status rights_read_include(const struct options *options, struct pr_arena *arena, struct pr_str path, size_t max, struct pr_str *contents_out,
    struct pr_str *why_out);
/* HelpFile, which must be set, into `text` up to its maximum.  Not PR_OK: a sentence in `why`. */
enum pr_status rights_read_help(const struct options *options, struct pr_text *text, struct pr_text *why);

#endif
