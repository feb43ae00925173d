/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Claims: one at a time, and who has lost one can do no harm.
 */
#include "store.h"

#include <string.h>

/* What could not be claimed has a made-up envelope, so that a case can go on and show what else is wrong. */
static struct pr_claim claim_it(struct suite *s, const struct store *store, struct store_call *c, struct pr_str id)
{
	struct pr_claim claim = { .size = sizeof claim };
	struct store_mail mail;

	if (!CHECK(s, store->ops->claim(&c->call, id, &claim) == PR_OK)) {
		store_mail_plain(&mail);
		claim = (struct pr_claim){ .size = sizeof claim, .id = id, .envelope = pr_envelope_copy(&mail.envelope, &c->arena) };
	}
	return claim;
}

static enum pr_status try_claim(const struct store *store, struct pr_str id)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };

	store_call_init(&c, store, 0);
	enum pr_status status = store->ops->claim(&c.call, id, &claim);
	if (status == PR_OK)
		store->ops->release(&c.call, &claim);
	store_call_fini(&c);
	return status;
}

static void exclusive(struct suite *s)
{
	struct store_call c;
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	struct pr_claim first = claim_it(s, &s->main, &c, pr_str(id));
	CHECK(s, try_claim(&s->main, pr_str(id)) == PR_TEMPFAIL);
	CHECK(s, s->main.ops->renew(&c.call, &first) == PR_OK);
	CHECK(s, try_claim(&s->main, pr_str(id)) == PR_TEMPFAIL);
	s->main.ops->release(&c.call, &first);
	struct pr_claim second = claim_it(s, &s->main, &c, pr_str(id));
	CHECK(s, first.epoch != second.epoch);
	CHECK(s, s->main.ops->finish(&c.call, &second) == PR_OK);
	CHECK(s, try_claim(&s->main, pr_str(id)) == PR_NOTFOUND);
	CHECK(s, store_count(&s->main) == 0);
	store_call_fini(&c);
}

/* Everything a claimer can do, with a claim that is none any more: refused, and nothing is changed. */
static void check_powerless(struct suite *s, const struct pr_claim *stale)
{
	const struct pr_store_ops *ops = s->main.ops;
	struct store_call c;
	struct store_mail mail;
	struct pr_claim claim;
	struct pr_body body = { .size = sizeof body };

	store_mail_plain(&mail);
	mail.envelope.id = stale->id;
	mail.envelope.message = PR_STR("written by a stale claimer");
	store_call_init(&c, &s->main, 0);
	/* a copy for each: a store may mark what it was given */
	CHECK(s, (claim = *stale, ops->renew(&c.call, &claim)) == PR_PERMFAIL);
	CHECK(s, (claim = *stale, ops->update(&c.call, &claim, &mail.envelope)) == PR_PERMFAIL);
	CHECK(s, (claim = *stale, ops->defer(&c.call, &claim, &mail.envelope)) == PR_PERMFAIL);
	CHECK(s, (claim = *stale, ops->finish(&c.call, &claim)) == PR_PERMFAIL);
	claim = *stale;
	if (!CHECK(s, ops->body_open(&c.call, &claim, &body) != PR_OK))
		ops->body_close(&c.call, &body);
	claim = *stale;
	ops->release(&c.call, &claim);
	store_call_fini(&c);
}

static void stale(struct suite *s)
{
	struct store_call c;
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	struct pr_claim old = claim_it(s, &s->main, &c, pr_str(id)), first = old;
	s->main.ops->release(&c.call, &first);
	check_powerless(s, &old);
	struct pr_claim now = claim_it(s, &s->main, &c, pr_str(id)), kept = now;
	check_powerless(s, &old);
	CHECK(s, try_claim(&s->main, pr_str(id)) == PR_TEMPFAIL); /* the release of a stale one frees nothing */
	CHECK(s, s->main.ops->renew(&c.call, &now) == PR_OK);
	s->main.ops->release(&c.call, &now);
	now = claim_it(s, &s->main, &c, pr_str(id));
	CHECK(s, now.envelope->message.data == NULL);
	CHECK(s, s->main.ops->defer(&c.call, &now, now.envelope) == PR_OK);
	check_powerless(s, &kept);
	now = claim_it(s, &s->main, &c, pr_str(id));
	kept = now;
	CHECK(s, s->main.ops->finish(&c.call, &now) == PR_OK);
	check_powerless(s, &kept);
	store_call_fini(&c);
}

/* An epoch is one claim's, not the store's: it opens no other message. */
static void another_epoch(struct suite *s)
{
	struct store_call c;
	char one[STORE_ID], two[STORE_ID];

	store_put(s, one);
	store_put(s, two);
	store_call_init(&c, &s->main, 0);
	struct pr_claim first = claim_it(s, &s->main, &c, pr_str(one)), second = claim_it(s, &s->main, &c, pr_str(two));
	struct pr_claim mixed = first, made_up = first, nothing = first;
	mixed.id = second.id;
	mixed.context = second.context;
	made_up.epoch += 1000000;
	nothing.epoch = 0;
	check_powerless(s, &mixed);
	check_powerless(s, &made_up);
	check_powerless(s, &nothing);
	CHECK(s, s->main.ops->finish(&c.call, &first) == PR_OK);
	CHECK(s, s->main.ops->finish(&c.call, &second) == PR_OK);
	store_call_fini(&c);
}

/* per recipient --------------------------------------------------------- */

static void tried(struct pr_envelope *envelope)
{
	envelope->tries = 3;
	envelope->last_try = 1795180000;
	envelope->message = PR_STR("Deferred: Connection refused");
	envelope->recipients[0].state = PR_RECIPIENT_DELIVERED;
	envelope->recipients[0].enhanced = PR_STR("2.0.0");
	envelope->recipients[1].state = PR_RECIPIENT_DEFERRED;
	envelope->recipients[1].status = PR_STR("450 4.2.1 mailbox busy");
	envelope->recipients[1].enhanced = PR_STR("4.2.1");
	envelope->recipients[1].remote = PR_STR("mx1.example.net");
}

static void check_tried(struct suite *s, const char *id)
{
	struct store_call c;
	struct store_mail mail;

	store_mail_plain(&mail);
	tried(&mail.envelope);
	store_call_init(&c, &s->main, 0);
	struct pr_claim claim = claim_it(s, &s->main, &c, pr_str(id));
	store_same_envelope(s, claim.envelope, &mail.envelope);
	store_same_body(s, &s->main, &claim, PR_STR("one\ntwo\n"));
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

static void deferred(struct suite *s)
{
	struct store_call c;
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	struct pr_claim claim = claim_it(s, &s->main, &c, pr_str(id));
	tried(claim.envelope);
	CHECK(s, s->main.ops->defer(&c.call, &claim, claim.envelope) == PR_OK);
	store_call_fini(&c);
	check_tried(s, id);
	if (!s->forgets && store_reopen(s))
		check_tried(s, id);
}

static void updated(struct suite *s)
{
	struct store_call c;
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	struct pr_claim claim = claim_it(s, &s->main, &c, pr_str(id));
	tried(claim.envelope);
	CHECK(s, s->main.ops->update(&c.call, &claim, claim.envelope) == PR_OK);
	CHECK(s, try_claim(&s->main, pr_str(id)) == PR_TEMPFAIL);
	store_same_body(s, &s->main, &claim, PR_STR("one\ntwo\n"));
	CHECK(s, s->main.ops->update(&c.call, &claim, claim.envelope) == PR_OK);
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
	check_tried(s, id);
	if (!s->forgets && store_reopen(s))
		check_tried(s, id);
}

static void released(struct suite *s)
{
	struct store_call c;
	struct store_mail mail;
	char id[STORE_ID];

	store_put(s, id);
	store_mail_plain(&mail);
	store_call_init(&c, &s->main, 0);
	struct pr_claim claim = claim_it(s, &s->main, &c, pr_str(id));
	tried(claim.envelope);
	s->main.ops->release(&c.call, &claim);
	claim = claim_it(s, &s->main, &c, pr_str(id));
	store_same_envelope(s, claim.envelope, &mail.envelope);
	CHECK(s, s->main.ops->finish(&c.call, &claim) == PR_OK);
	store_call_fini(&c);
	if (store_reopen(s))
		CHECK(s, store_count(&s->main) == 0);
}

/* leases and handing over ----------------------------------------------- */

static void leases(struct suite *s)
{
	struct store_call c;
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	struct pr_claim claim = claim_it(s, &s->main, &c, pr_str(id)), kept = claim;
	if (claim.lease_ms == 0) {
		store_skip(s, "its claims last as long as the process");
	} else if (claim.lease_ms < 0 || claim.lease_ms > 3000) {
		store_skip(s, "leases of more than 3 seconds are not waited for: give it an option");
	} else {
		store_sleep(claim.lease_ms * 2 / 3);
		CHECK(s, s->main.ops->renew(&c.call, &claim) == PR_OK);
		store_sleep(claim.lease_ms * 2 / 3);
		CHECK(s, try_claim(&s->main, pr_str(id)) == PR_TEMPFAIL);
		store_sleep(claim.lease_ms * 2 / 3);
		check_powerless(s, &kept); /* nobody has claimed it since; the lease is over all the same */
		CHECK(s, try_claim(&s->main, pr_str(id)) == PR_OK);
		check_powerless(s, &kept);
		CHECK(s, store_count(&s->main) == 1);
	}
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

/* The old courier keeps what it has claimed; the new one gets the rest. */
static void handed_over(struct suite *s)
{
	struct store_call c, d;
	struct store next;
	char one[STORE_ID], two[STORE_ID], three[STORE_ID];

	NEEDS(s, handover);
	store_put(s, one);
	store_put(s, two);
	store_put(s, three);
	store_call_init(&c, &s->main, 0);
	struct pr_claim first = claim_it(s, &s->main, &c, pr_str(one)), second = claim_it(s, &s->main, &c, pr_str(two));
	CHECK(s, s->main.ops->handover(&c.call) == PR_OK);
	CHECK(s, try_claim(&s->main, pr_str(three)) == PR_TEMPFAIL);
	if (CHECK(s, store_open(s, &next, STORE_BOTH))) {
		store_call_init(&d, &next, 0);
		CHECK(s, store_count(&next) == 3);
		CHECK(s, try_claim(&next, pr_str(one)) == PR_TEMPFAIL);
		struct pr_claim third = claim_it(s, &next, &d, pr_str(three));
		CHECK(s, next.ops->finish(&d.call, &third) == PR_OK);
		CHECK(s, s->main.ops->finish(&c.call, &first) == PR_OK);
		CHECK(s, s->main.ops->defer(&c.call, &second, second.envelope) == PR_OK);
		CHECK(s, try_claim(&next, pr_str(one)) == PR_NOTFOUND);
		CHECK(s, try_claim(&next, pr_str(two)) == PR_OK);
		CHECK(s, store_count(&next) == 1);
		CHECK(s, next.ops->remove(&d.call, pr_str(two)) == PR_OK);
		store_call_fini(&d);
		store_close(&next);
	}
	store_call_fini(&c);
}

/* Everything is still there, and can be delivered. */
static void drained(struct suite *s)
{
	struct store_call c;
	char one[STORE_ID], two[STORE_ID];

	NEEDS(s, drain);
	store_put(s, one);
	store_put(s, two);
	store_call_init(&c, &s->main, 0);
	CHECK(s, s->main.ops->drain(&c.call) == PR_OK);
	CHECK(s, store_count(&s->main) == 2);
	store_call_fini(&c);
	if (!s->forgets)
		store_reopen(s);
	CHECK(s, try_claim(&s->main, pr_str(one)) == PR_OK);
	CHECK(s, try_claim(&s->main, pr_str(two)) == PR_OK);
	CHECK(s, store_count(&s->main) == 2);
}

const struct store_case store_claim_cases[] = {
	{ "one claimer at a time", exclusive },
	{ "a stale epoch changes nothing", stale },
	{ "an epoch is good for its message only", another_epoch },
	{ "defer keeps the state of each recipient", deferred },
	{ "update keeps it and the claim", updated },
	{ "release: nothing happened", released },
	{ "a lease ends, and a renewed one does not", leases },
	{ "handover: claims stay, the rest goes", handed_over },
	{ "drain loses nothing", drained },
	{ NULL, NULL },
};
