/* SPDX-License-Identifier: BSD-2-Clause
 *
 * May a file say where mail goes?  Not when somebody else could have written it, as far as DontBlameSendmail does not allow that.
 */
#ifndef KERNEL_CONFIG_RIGHTS_H
#define KERNEL_CONFIG_RIGHTS_H

#include "kernel/config/options.h"

/* `kind` is PR_SAFE_INCLUDE or PR_SAFE_ALIAS (postrider/file.h).  False, with a sentence in `why`. */
bool rights_may_read(const struct options *options, uint32_t kind, const char *path, struct pr_text *why);

#endif
