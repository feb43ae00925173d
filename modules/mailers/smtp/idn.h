/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of hosts as DNS knows them (RFC 5890 section 2.3.2): "d<o umlaut>rf.example" is xn--drf-sna.example there.
 */
#ifndef MODULES_MAILERS_SMTP_IDN_H
#define MODULES_MAILERS_SMTP_IDN_H

#include <postrider/call.h>

/* The A-label form of a name, in the arena; an ASCII name is itself.  Absent, and the reason in the call: there is none. */
struct pr_str idn_to_ascii(struct pr_call *call, struct pr_str name);

#endif
