/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name hash for a table file.  What kind of file it is stands in the file, so a table may be built anew in another form
 * without a change of the configuration.
 */
#include "hash.h"

PR_MODULE(hash) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct hash_map),
	.thread_size = sizeof(struct hash_thread), .name = "hash", .version = "1.1", .summary = "keys and values in a table file",
	.options = hash_options, .check = hash_check_options, .open = hash_open, .close = hash_close, .thread_close = hash_thread_close,
	.ops = &hash_ops };
