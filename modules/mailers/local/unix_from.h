/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The UNIX From line that separates the messages of a mailbox, as UnixFromLine has it: "From $g  $d" is "From joe@example.org  Fri Nov 20 12:32:14 2026".
 */
#ifndef MAILERS_LOCAL_UNIX_FROM_H
#define MAILERS_LOCAL_UNIX_FROM_H

#include <postrider/host.h>

/* Bytes of the sender that could end the line or the word are replaced; the null sender is MAILER-DAEMON. */
bool unix_from_add(struct pr_call *call, struct pr_text *out, const struct pr_envelope *envelope);
/* The same as `line` has it. */
bool unix_from_add_as(struct pr_call *call, struct pr_text *out, const struct pr_envelope *envelope, struct pr_str line);

#define UNIX_FROM_USUAL "From $g  $d"

#endif
