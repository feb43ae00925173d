/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srv_features: what this client is offered.  A small letter turns a thing on, the capital turns it off:
 *
 *   S STARTTLS   D DSN   X EXPN   E ETRN   P PIPELINING   B VERB   A AUTH
 *   l: no mail before AUTH, L: no matter what the listener says   c: no password as it is without TLS, C: no matter what AuthOptions says
 *
 * Nothing is turned on that this server has not got, or that PrivacyOptions forbids.  sendmail's other letters are about what is not here (certificates that a client must
 * show) or what cannot be relaxed (bare line ends).  The word "temp": the client is to come again later.
 */
#ifndef KERNEL_SESSION_FEATURES_H
#define KERNEL_SESSION_FEATURES_H

#include "kernel/session/session.h"

/* At the beginning, and again when TLS is on.  False: not now. */
bool features_ask(struct session *session, struct bench *bench, struct module_scope *scope);

#endif
