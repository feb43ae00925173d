/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The prompt of -bt: on a terminal lines can be edited, the arrow keys bring back old ones and the tabulator completes; a pipe is read as it is.
 */
#ifndef KERNEL_COMMAND_PROMPT_H
#define KERNEL_COMMAND_PROMPT_H

#include <postrider/text.h>

struct prompt;

/* `words` ends with NULL and begins no word but the first of a line. */
struct prompt *prompt_open(const char *const *words);
/* The next line without its end, at most 2047 bytes, as sendmail takes them; false at the end.  Borrowed until the next call. */
bool prompt_next(struct prompt *prompt, struct pr_str *line_out);
void prompt_close(struct prompt *prompt);

#endif
