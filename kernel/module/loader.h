/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding and opening the object file of a module: provenance, symbol, ABI.  Nobody else knows libltdl.
 */
#ifndef KERNEL_MODULE_LOADER_H
#define KERNEL_MODULE_LOADER_H

#include <postrider/module.h>

/* The descriptor of module NAME of that kind, or NULL and one sentence in `why` that says what to do.
 * Looked for: DIRECTORY/maps/NAME.so (installed), DIRECTORY/.libs/NAME.so (build tree), a pre-opened NAME.
 * The file and every folder above it must belong to root or to `trusted_uid` and be writable by nobody else. */
const struct pr_module *loader_open(enum pr_kind kind, struct pr_str name, struct pr_str directory, uint32_t trusted_uid,
                                    struct pr_text *why);
/* Is there a file or a pre-opened object of that name?  Nothing is loaded. */
bool loader_exists(enum pr_kind kind, struct pr_str name, struct pr_str directory);
/* The file that this thread is loading, else NULL; async-signal-safe. */
const char *loader_on_stack(void);
/* "maps", "mailers" ... */
const char *loader_kind_folder(enum pr_kind kind);

#endif
