/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's hands: they do what they say, and not to a message that is being delivered.
 */
#include "store.h"

#include <stdio.h>
#include <string.h>

/* One of the operations, without arguments. */
typedef enum pr_status hand(struct suite *s, struct pr_call *call, struct pr_str id);

static enum pr_status hand_hold(struct suite *s, struct pr_call *call, struct pr_str id)
{
	return s->main.ops->hold(call, id, PR_STR("a reason"));
}

static enum pr_status hand_unhold(struct suite *s, struct pr_call *call, struct pr_str id)
{
	return s->main.ops->unhold(call, id);
}

static enum pr_status hand_requeue(struct suite *s, struct pr_call *call, struct pr_str id)
{
	return s->main.ops->requeue(call, id);
}

static enum pr_status hand_remove(struct suite *s, struct pr_call *call, struct pr_str id)
{
	return s->main.ops->remove(call, id);
}

static enum pr_status hand_quarantine(struct suite *s, struct pr_call *call, struct pr_str id)
{
	return s->main.ops->quarantine(call, id, PR_STR("a reason"));
}

static enum pr_status hand_edit(struct suite *s, struct pr_call *call, struct pr_str id)
{
	struct pr_edit edit = { .size = sizeof edit, .sender = PR_STR("<new@example.com>") };

	return s->main.ops->edit(call, id, &edit);
}

static bool is_offered(const struct suite *s, hand *one)
{
	if (one == hand_quarantine)
		return STORE_HAS(s->main.ops, quarantine);
	return one != hand_edit || STORE_HAS(s->main.ops, edit);
}

static hand *const hands[] = { hand_hold, hand_unhold, hand_quarantine, hand_edit, hand_requeue, hand_remove };
#define HANDS (sizeof hands / sizeof hands[0])

static bool look(struct suite *s, struct store_call *c, const char *id, struct pr_envelope **envelope_out, struct pr_entry *entry_out)
{
	*entry_out = (struct pr_entry){ .size = sizeof *entry_out };
	return CHECK(s, s->main.ops->peek(&c->call, pr_str(id), envelope_out, entry_out) == PR_OK);
}

static enum pr_status try_claim(struct suite *s, const char *id)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };

	store_call_init(&c, &s->main, 0);
	enum pr_status status = s->main.ops->claim(&c.call, pr_str(id), &claim);
	if (status == PR_OK)
		s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
	return status;
}

static void check_aside(struct suite *s, const char *id, uint32_t states)
{
	struct store_call c;
	struct pr_entry entry;
	struct pr_envelope *envelope;

	store_call_init(&c, &s->main, 0);
	CHECK(s, try_claim(s, id) == PR_TEMPFAIL || try_claim(s, id) == PR_NOTFOUND);
	if (look(s, &c, id, &envelope, &entry)) {
		CHECK(s, (states & 1u << entry.state) != 0);
		CHECK(s, pr_str_equal(envelope->quarantine, PR_STR("a reason")));
	}
	CHECK(s, store_count(&s->main) == 1);
	store_call_fini(&c);
}

static void check_free(struct suite *s, const char *id)
{
	struct store_call c;
	struct pr_entry entry;
	struct pr_envelope *envelope;

	store_call_init(&c, &s->main, 0);
	CHECK(s, s->main.ops->unhold(&c.call, pr_str(id)) == PR_OK);
	if (look(s, &c, id, &envelope, &entry)) {
		CHECK(s, entry.state == PR_ENTRY_READY);
		CHECK(s, envelope->quarantine.data == NULL);
	}
	CHECK(s, try_claim(s, id) == PR_OK);
	store_call_fini(&c);
}

static void hold(struct suite *s)
{
	const uint32_t states = 1u << PR_ENTRY_HELD | 1u << PR_ENTRY_QUARANTINED;
	char id[STORE_ID];

	store_put(s, id);
	CHECK(s, hand_hold(s, &s->main.loaded.call, pr_str(id)) == PR_OK);
	check_aside(s, id, states);
	CHECK(s, hand_requeue(s, &s->main.loaded.call, pr_str(id)) == PR_OK); /* due now, but held */
	check_aside(s, id, states);
	if (!s->forgets && store_reopen(s))
		check_aside(s, id, states);
	check_free(s, id);
	CHECK(s, s->main.ops->hold(&s->main.loaded.call, pr_str(id), PR_NONE) == PR_OK);
	CHECK(s, try_claim(s, id) != PR_OK);
	check_free(s, id);
	CHECK(s, s->main.ops->hold(&s->main.loaded.call, pr_str(id), PR_NONE) == PR_OK);
	CHECK(s, s->main.ops->remove(&s->main.loaded.call, pr_str(id)) == PR_OK);
	CHECK(s, store_count(&s->main) == 0);
}

static void quarantine(struct suite *s)
{
	char id[STORE_ID];

	NEEDS(s, quarantine);
	store_put(s, id);
	CHECK(s, hand_quarantine(s, &s->main.loaded.call, pr_str(id)) == PR_OK);
	check_aside(s, id, 1u << PR_ENTRY_QUARANTINED);
	if (!s->forgets && store_reopen(s))
		check_aside(s, id, 1u << PR_ENTRY_QUARANTINED);
	check_free(s, id);
}

static bool claim_aside(struct suite *s, struct store_call *c, const char *id, struct pr_claim *claim)
{
	*claim = (struct pr_claim){ .size = sizeof *claim };
	store_call_init(c, &s->main, 0);
	return CHECK(s, s->main.ops->claim_aside(&c->call, pr_str(id), claim) == PR_OK);
}

/* It is tried where it lies: what failed is still set aside, what went well is gone. */
static void tried_aside(struct suite *s)
{
	struct store_call c, other;
	struct pr_claim claim, second = { .size = sizeof second };
	char id[STORE_ID];

	NEEDS(s, quarantine);
	NEEDS(s, claim_aside);
	store_put(s, id);
	store_call_init(&other, &s->main, 0);
	CHECK(s, s->main.ops->claim_aside(&other.call, pr_str(id), &second) == PR_NOTFOUND);
	CHECK(s, hand_quarantine(s, &s->main.loaded.call, pr_str(id)) == PR_OK);
	if (claim_aside(s, &c, id, &claim)) {
		CHECK(s, s->main.ops->claim_aside(&other.call, pr_str(id), &second) == PR_TEMPFAIL);
		CHECK(s, pr_str_equal(claim.envelope->quarantine, PR_STR("a reason")));
		claim.envelope->tries++;
		CHECK(s, s->main.ops->update(&c.call, &claim, claim.envelope) == PR_OK);
		CHECK(s, s->main.ops->defer(&c.call, &claim, claim.envelope) == PR_OK);
	}
	store_call_fini(&c);
	check_aside(s, id, 1u << PR_ENTRY_QUARANTINED);
	if (claim_aside(s, &c, id, &claim))
		s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
	check_aside(s, id, 1u << PR_ENTRY_QUARANTINED);
	if (claim_aside(s, &c, id, &claim)) {
		CHECK(s, claim.envelope->tries == 1);
		CHECK(s, s->main.ops->finish(&c.call, &claim) == PR_OK);
	}
	store_call_fini(&c);
	CHECK(s, store_count(&s->main) == 0);
	store_call_fini(&other);
}

/* A filter's verdict comes with the message. */
static void born_quarantined(struct suite *s)
{
	struct store_mail mail;
	char id[STORE_ID];

	store_mail_plain(&mail);
	mail.envelope.quarantine = PR_STR("a reason");
	CHECK(s, store_submit(s, &s->main, &mail.envelope, PR_STR("x\n"), id) == PR_COMMIT_DURABLE);
	check_aside(s, id, 1u << PR_ENTRY_QUARANTINED);
	check_free(s, id);
}

static void claimed(struct suite *s)
{
	struct store_call c;
	struct store_mail mail;
	struct pr_claim claim = { .size = sizeof claim };
	char id[STORE_ID];

	store_put(s, id);
	store_mail_plain(&mail);
	store_call_init(&c, &s->main, 0);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(id), &claim) == PR_OK);
	for (size_t i = 0; i < HANDS; i++)
		if (is_offered(s, hands[i]) && !CHECK(s, hands[i](s, &c.call, pr_str(id)) == PR_TEMPFAIL))
			printf("     (operation %zu of hold, unhold, quarantine, edit, requeue, remove)\n", i);
	CHECK(s, s->main.ops->renew(&c.call, &claim) == PR_OK);
	s->main.ops->release(&c.call, &claim);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(id), &claim) == PR_OK);
	store_same_envelope(s, claim.envelope, &mail.envelope);
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

static void not_there(struct suite *s)
{
	char lengthy[600], id[STORE_ID];
	const struct pr_str ids[] = { PR_STR("NOSUCH"), PR_STR(""), PR_STR("../x"), PR_STR("a/b"), PR_STR("."), { lengthy, sizeof lengthy } };
	struct pr_envelope *envelope;
	struct pr_entry entry = { .size = sizeof entry };
	struct pr_claim claim = { .size = sizeof claim };
	struct pr_call *call = &s->main.loaded.call;

	memset(lengthy, 'A', sizeof lengthy);
	store_put(s, id);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		for (size_t k = 0; k < HANDS; k++)
			CHECK(s, !is_offered(s, hands[k]) || hands[k](s, call, ids[i]) == PR_NOTFOUND);
		CHECK(s, s->main.ops->claim(call, ids[i], &claim) == PR_NOTFOUND);
		CHECK(s, s->main.ops->peek(call, ids[i], &envelope, &entry) == PR_NOTFOUND);
	}
	CHECK(s, hand_remove(s, call, pr_str(id)) == PR_OK);
	CHECK(s, hand_remove(s, call, pr_str(id)) == PR_NOTFOUND);
}

static void requeue(struct suite *s)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };
	char id[STORE_ID];

	store_put(s, id);
	store_call_init(&c, &s->main, 0);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(id), &claim) == PR_OK);
	claim.envelope->tries = 5;
	claim.envelope->last_try = 1795180000;
	claim.envelope->recipients[0].state = PR_RECIPIENT_DELIVERED;
	CHECK(s, s->main.ops->defer(&c.call, &claim, claim.envelope) == PR_OK);
	CHECK(s, s->main.ops->requeue(&c.call, pr_str(id)) == PR_OK);
	REQUIRE(s, s->main.ops->claim(&c.call, pr_str(id), &claim) == PR_OK);
	CHECK(s, claim.envelope->last_try == 0 && claim.envelope->tries == 0);
	CHECK(s, claim.envelope->recipients[0].state == PR_RECIPIENT_DELIVERED);
	s->main.ops->release(&c.call, &claim);
	store_call_fini(&c);
}

/* edit ------------------------------------------------------------------ */

static void check_edited(struct suite *s, const char *id, const struct pr_envelope *wanted)
{
	struct store_call c;
	struct pr_claim claim = { .size = sizeof claim };

	store_call_init(&c, &s->main, 0);
	if (CHECK(s, s->main.ops->claim(&c.call, pr_str(id), &claim) == PR_OK)) {
		store_same_envelope(s, claim.envelope, wanted);
		store_same_body(s, &s->main, &claim, PR_STR("one\ntwo\n"));
		s->main.ops->release(&c.call, &claim);
	}
	store_call_fini(&c);
}

static void edit(struct suite *s)
{
	static const struct pr_str joe = PR_STR_INIT("<joe@example.org>"), eve = PR_STR_INIT("<eve@example.com>");
	static const struct pr_str nobody[] = { PR_STR_INIT("<ann@example.net>"), PR_STR_INIT("<nobody@example.org>") };
	struct pr_edit change = { .size = sizeof change, .sender = PR_STR("<boss@example.com>") };
	struct pr_call *call = &s->main.loaded.call;
	struct store_mail mail;
	char id[STORE_ID];

	NEEDS(s, edit);
	store_put(s, id);
	store_mail_plain(&mail);
	mail.envelope.sender = change.sender;
	CHECK(s, s->main.ops->edit(call, pr_str(id), &change) == PR_OK);
	check_edited(s, id, &mail.envelope);
	/* one of two is not there: nothing of it is done, the sender and the addition neither */
	change = (struct pr_edit){ .size = sizeof change, .sender = PR_STR("<>"), .remove = { nobody, 2 }, .add = { &eve, 1 } };
	CHECK(s, s->main.ops->edit(call, pr_str(id), &change) == PR_NOTFOUND);
	check_edited(s, id, &mail.envelope);
	change = (struct pr_edit){ .size = sizeof change, .remove = { &joe, 1 }, .add = { &eve, 1 } };
	CHECK(s, s->main.ops->edit(call, pr_str(id), &change) == PR_OK);
	mail.recipients[0] = mail.recipients[1];
	mail.recipients[1] = (struct pr_recipient){ .address = eve, .flags = PR_RECIPIENT_PRIMARY };
	check_edited(s, id, &mail.envelope);
	if (!s->forgets && store_reopen(s))
		check_edited(s, id, &mail.envelope);
}

const struct store_case store_hands_cases[] = {
	{ "hold and unhold", hold },
	{ "quarantine", quarantine },
	{ "quarantined, and tried all the same", tried_aside },
	{ "a message that comes quarantined", born_quarantined },
	{ "what is claimed is let alone", claimed },
	{ "what is not there", not_there },
	{ "requeue makes due now", requeue },
	{ "edit: sender and recipients, all or nothing", edit },
	{ NULL, NULL },
};
