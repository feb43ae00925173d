/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The policies that are known: in memory, behind it on disk (sts_store.h), and from their domains when it is time (RFC 8461 section 3.3).
 *
 * Mail goes to example.org.  Its TXT record is asked for each time - the resolver remembers it - and its policy is fetched when there is none that still
 * counts, when the record has another id, and when it is a day old, or half as old as it may become: so one that is used does not end.  While one delivery
 * fetches, others go by the policy that is there, or wait for it when none is.  When it cannot be fetched the one that was there stays until its end, and
 * for that id it is not tried again within five minutes.
 *
 * Without a record, or when it cannot be asked for, a policy that was fetched counts on; without one, mail goes as with anybody.
 */
#ifndef MODULES_MAILERS_SMTP_STS_CACHE_H
#define MODULES_MAILERS_SMTP_STS_CACHE_H

#include "sts_policy.h"

#include <postrider/host.h>

struct sts_cache;

struct sts_settings {
	struct pr_str directory; /* absolute; empty: what is known ends with the process */
	struct pr_str ca_file, ca_path;
	uint32_t port;           /* of the policy's host */
	uint32_t reserved;
};

/* In the arena of the call that asked. */
struct sts_answer {
	const struct sts_policy *policy; /* or NULL */
	struct pr_str failure;           /* it could not be fetched: a type of RFC 8460 section 4.3.2.2; else absent */
	struct pr_str reason;
};

/* The strings are copied. */
struct sts_cache *sts_cache_new(const struct sts_settings *settings);
void sts_cache_free(struct sts_cache *cache);
/* `domain` is in A-labels and without a final dot.  By any thread; it may wait for half a minute.  PR_TEMPFAIL: there is a policy, and no memory for it. */
enum pr_status sts_cache_ask(struct sts_cache *cache, struct pr_call *call, struct pr_str domain, struct sts_answer *answer_out);

#endif
