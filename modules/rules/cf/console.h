/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The address test mode (-bt): `3,0 joe@example.org`, `/parse`, `/try`, `=S3`, `$=w`; the answers are sendmail's, byte for byte.
 */
#ifndef CF_CONSOLE_H
#define CF_CONSOLE_H

#include "address.h"

/* One line.  An absent line asks for what was wrong with the file.  PR_NOTFOUND ends the console. */
enum pr_status cf_console(struct pr_call *call, struct pr_str line, struct pr_text *out);

void cf_console_sets(struct cf_run *run, struct pr_str line);      /* set,set address */
void cf_console_fault(struct cf_run *run, struct pr_str name);     /* what is wrong with the name of a set */
void cf_console_debug(struct cf_run *run, struct pr_str line);     /* -d21.12 */
void cf_console_slash(struct cf_run *run, struct pr_str line);     /* /parse ... */
void cf_console_show(struct cf_run *run, struct pr_str line);      /* =S =M */
void cf_console_type(struct cf_run *run);                           /* ${addr_type}, as /tryflags says */
void cf_console_show_mailers(struct cf_run *run);

#endif
