/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cyrus SASL's server as an auth module.
 *
 *   sasl.c       the descriptor: what is offered, steps             connection.c  one connection of the library
 *   library.c    the library itself, made ready once in a process
 *
 * The library is asked for no security layer: encryption is TLS's business, and the stream stays as it is.
 */
#ifndef MODULES_AUTH_SASL_H
#define MODULES_AUTH_SASL_H

#include <postrider/auth.h>

#include <sasl/sasl.h>

#define SASL_TROUBLE_MAX 300

struct sasl_options {
	struct pr_str application, config_path;
};

/* One exchange, or one look at what there is. */
struct sasl_exchange {
	sasl_conn_t *connection;
	sasl_callback_t callbacks[3];
	char trouble[SASL_TROUBLE_MAX]; /* what the library could not do, as distinct from what the client could not */
	char name[256];                 /* who was let in, as proxy_policy heard it */
};

/* library.c */
enum pr_status sasl_library_open(struct pr_call *call, const struct sasl_options *options);

/* connection.c.  The connection is the exchange's until sasl_exchange_close(); `flags` are enum pr_auth_flag. */
enum pr_status sasl_exchange_open(struct pr_call *call, struct sasl_exchange *exchange, uint32_t flags);
void sasl_exchange_close(struct sasl_exchange *exchange);
struct pr_str sasl_exchange_property(struct pr_call *call, struct sasl_exchange *exchange, int which); /* absent: not known */
/* A result that is neither OK nor CONTINUE, with sendmail's words as the reason, and who the client wanted to be; PR_TEMPFAIL when it is not
 * the client's fault. */
enum pr_status sasl_exchange_fail(struct pr_call *call, struct sasl_exchange *exchange, int result, struct pr_str *name_out);

#endif
