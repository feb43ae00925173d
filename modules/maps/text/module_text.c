/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name text: columns, or what the option format says.
 * For tables small enough to be edited by hand and too small to be built.
 */
#include "text.h"

PR_MODULE(text) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT | PR_PROMPT, .instance_size = sizeof(struct text_map),
	.name = "text", .version = "1.1", .summary = "keys and values in a text file", .options = text_options,
	.check = text_check, .open = text_open, .close = text_close, .ops = &text_ops };
