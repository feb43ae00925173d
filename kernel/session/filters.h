/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of filters, asked in the order of the configuration.
 *
 * Each filter is on its own: one that accepts is not asked again (about this connection or this message), the others are,
 * as with sendmail's milters.  One that refuses ends the matter.  One that fails counts as its `on_failure` says.
 */
#ifndef KERNEL_SESSION_FILTERS_H
#define KERNEL_SESSION_FILTERS_H

#include "kernel/session/session.h"

#define FILTERS_MAX 64 /* one bit each */

enum filter_hook {
	FILTER_CONNECT, FILTER_HELO, FILTER_MAIL, FILTER_RCPT, FILTER_DATA, FILTER_HEADER, FILTER_EOH, FILTER_BODY,
	FILTER_MESSAGE
};

/* What a hook is about; only the fields of that hook are set. */
struct filter_subject {
	enum filter_hook hook;
	const struct pr_client *client;
	struct pr_str text;                  /* HELO name, sender, recipient, body bytes */
	const struct pr_list *parameters;
	const struct pr_header *header;
	const struct pr_envelope *envelope;
};

/* False when refused: the verdict is complete.  With no filters it costs nothing. */
bool filters_ask(struct session *session, struct bench *bench, struct module_scope *scope,
                 const struct filter_subject *subject, struct pr_verdict *verdict);
/* The message ended without `message`. */
void filters_abort(struct session *session, struct module_scope *scope);
/* Also closes what the rule engine kept of the connection. */
void filters_close(struct session *session, struct bench *bench);

/* Bit i: filter i does not see the sessions of that listener (InputMailFilters of its own). */
uint64_t filters_off(const struct receiver *receiver, const struct config_listener *declared);

#endif
