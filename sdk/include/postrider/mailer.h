/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A mailer: takes a message to its recipients, or to the next host.
 *
 * The courier has claimed a message and grouped its recipients by mailer and
 * host.  It opens a session for the destination (or takes a cached one of the
 * same key and asks alive()), and calls deliver() with one group.  deliver()
 * fills the result of each recipient - that is recorded per recipient, so a
 * next host that takes two of three makes exactly one bounce.  A session may
 * serve any number of messages; the courier closes it when it has been idle.
 *
 * When deliver() returns something else than PR_OK the status and reason count
 * for every recipient whose `status` it left at PR_MISUSE (the initial value).
 * "The other side answered 4xx or 5xx" is not a failure of deliver(): it is a result
 * per recipient; host->answered() adds which command it was the answer to.
 */
#ifndef POSTRIDER_MAILER_H
#define POSTRIDER_MAILER_H

#include "envelope.h"
#include "module.h"

struct pr_destination {
	size_t size;
	struct pr_str mailer;  /* instance name, "esmtp" */
	struct pr_str host;    /* "example.org", "[mx.example.org]", "[192.0.2.1]:2525"; empty for local */
	struct pr_str source;  /* address to bind to, or absent */
	struct pr_str identity; /* name to say in EHLO */
	struct pr_str tls_policy; /* absent: opportunistic */
};

/* pr_delivery.flags, set by the mailer for a recipient that was taken */
#define PR_DELIVERY_FINAL 1u     /* lies in a mailbox: success notices say "delivered" */
#define PR_DELIVERY_DSN_TAKEN 2u /* the next host promised the success notice (RFC 3461 5.2.2): none from us */
#define PR_DELIVERY_BY_TAKEN 4u  /* since 1.4: and took BY= (RFC 2852) */

struct pr_delivery {
	const struct pr_recipient *recipient;
	struct pr_str user;      /* what to say to the transport: "joe" or "joe@example.org" */
	uint32_t status;         /* out: enum pr_status; PR_MISUSE until filled */
	uint32_t code;           /* out: SMTP reply code, 0 when none */
	struct pr_str enhanced;  /* out: "2.1.5"; absent: derived from status */
	struct pr_str reply;     /* out: text of the reply or reason, may be several lines (LF); code and enhanced code included */
	struct pr_str remote;    /* out: name and [address] of the host that answered, or absent */
	uint32_t flags;          /* out: PR_DELIVERY_... */
	uint32_t reserved;
};

struct pr_mailer_ops {
	size_t size;
	const char *default_flags; /* sendmail's F= letters, see mailers in postrider.conf(5) */
	/* session_open may be NULL; connect here or lazily in deliver(). */
	enum pr_status (*session_open)(struct pr_call *call, const struct pr_destination *destination);
	enum pr_status (*deliver)(struct pr_call *call, const struct pr_destination *destination,
	                          const struct pr_envelope *envelope, struct pr_body *body,
	                          struct pr_delivery *deliveries, size_t count);
	bool (*alive)(struct pr_call *call); /* NULL: sessions are not re-used */
	void (*session_close)(struct pr_call *call);
};

#endif
