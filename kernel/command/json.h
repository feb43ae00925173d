/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one thing of JSON that is easy to get wrong, for all commands with --json.
 */
#ifndef KERNEL_COMMAND_JSON_H
#define KERNEL_COMMAND_JSON_H

#include <postrider/text.h>

/* With its quotes. */
void json_add(struct pr_text *out, struct pr_str text);

#endif
