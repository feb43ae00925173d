/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail for the cases, and its comparison byte for byte.
 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void store_mail_plain(struct store_mail *mail)
{
	*mail = (struct store_mail){ 0 };
	mail->recipients[0] = (struct pr_recipient){ .address = PR_STR("<joe@example.org>"), .flags = PR_RECIPIENT_PRIMARY };
	mail->recipients[1] = (struct pr_recipient){ .address = PR_STR("<ann@example.net>"), .flags = PR_RECIPIENT_PRIMARY };
	mail->headers[0] = (struct pr_header){ PR_STR("Received"), PR_STR(" from a by b;\n\tFri, 20 Nov 2026 12:32:14 GMT"), PR_STR("") };
	mail->headers[1] = (struct pr_header){ PR_STR("Subject"), PR_STR(" a test"), PR_STR("") };
	mail->envelope = (struct pr_envelope){
		.size = sizeof mail->envelope,
		.sender = PR_STR("<sue@example.com>"),
		.created = 1795179740,
		.priority = 60123,
		.headers = mail->headers,
		.header_count = 2,
		.recipients = mail->recipients,
		.recipient_count = 2,
		.macros = mail->macros,
	};
}

void store_mail_rich(struct store_mail *mail)
{
	store_mail_plain(mail);
	mail->envelope.sender = PR_STR("<\"odd @ <name>, \\\" %s\"@ex\xc3\xa4mple.com>");
	mail->envelope.body_type = PR_STR("8BITMIME");
	mail->envelope.envelope_id = PR_STR("QQ314159 +=: \xff");
	mail->envelope.auth = PR_STR("sue+home@example.com");
	mail->envelope.message = PR_STR("Deferred: 450 4.2.1 <joe@example.org>... busy: 100%");
	mail->envelope.last_try = 1795179999;
	mail->envelope.tries = 7;
	mail->envelope.flags = PR_ENVELOPE_EIGHT_BIT | PR_ENVELOPE_WARNED | PR_ENVELOPE_RET_HEADERS | PR_ENVELOPE_RET_GIVEN;
	mail->recipients[0] = (struct pr_recipient){
		.address = PR_STR("<\"joe doe\"@example.org>"),
		.original = PR_STR("rfc822;Joe=Doe+x@Example.ORG"),
		.final = PR_STR("<list@example.org>"),
		.status = PR_STR("450 4.2.1 mailbox busy \xe4"),
		.enhanced = PR_STR("4.2.1"),
		.remote = PR_STR("mx1.example.org"),
		.flags = PR_RECIPIENT_PRIMARY | PR_RECIPIENT_NOTIFY | PR_RECIPIENT_NOTIFY_SUCCESS | PR_RECIPIENT_NOTIFY_DELAY,
		.state = PR_RECIPIENT_DEFERRED,
	};
	mail->recipients[1].state = PR_RECIPIENT_DELIVERED;
	mail->recipients[1].enhanced = PR_STR("2.0.0");
	mail->recipients[2] = (struct pr_recipient){ .address = PR_STR("\"|/usr/bin/prog -a 'b c'\""), .owner = PR_STR("joe"),
		                                         .alias = PR_STR("prog"), .owner_uid = 1000, .owner_gid = 100 };
	mail->recipients[3] = (struct pr_recipient){ .address = PR_STR("<nobody@example.org>"), .state = PR_RECIPIENT_FAILED,
		                                         .status = PR_STR("550 5.1.1 unknown"), .enhanced = PR_STR("5.1.1") };
	mail->headers[1] = (struct pr_header){ PR_STR("subject"), PR_STR("\t \xc3\xa4 folded\n  twice\n\tand % again "), PR_STR("") };
	mail->headers[2] = (struct pr_header){ PR_STR("Return-Path"), PR_STR(" <$g>"), PR_STR("P") };
	mail->headers[3] = (struct pr_header){ PR_STR("X-Empty"), PR_STR(""), PR_STR("") };
	mail->macros[0] = (struct pr_macro){ PR_STR("r"), PR_STR("ESMTP") };
	mail->macros[1] = (struct pr_macro){ PR_STR("daemon_flags"), PR_STR("c u") };
	mail->envelope.recipient_count = 4;
	mail->envelope.header_count = 4;
	mail->envelope.macro_count = 2;
}

uint32_t store_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

void store_fill(char *bytes, size_t len, uint32_t seed)
{
	seed |= 1;
	for (size_t i = 0; i < len; i++)
		bytes[i] = i % 71 == 70 ? '\n' : (char)(store_random(&seed) >> 11);
}

/* submitting ------------------------------------------------------------ */

static void tell(void *context, enum pr_commit result, struct pr_str reason)
{
	struct store_answer *answer = context;

	(void)reason;
	pthread_mutex_lock(&answer->lock);
	answer->result = result;
	answer->times++;
	pthread_cond_signal(&answer->told);
	pthread_mutex_unlock(&answer->lock);
}

static struct store_answer *new_answer(struct suite *s)
{
	struct store_answer *answer = pr_alloc(sizeof *answer);

	pthread_mutex_init(&answer->lock, NULL);
	pthread_cond_init(&answer->told, NULL);
	pthread_mutex_lock(&s->lock);
	answer->next = s->answers;
	s->answers = answer;
	pthread_mutex_unlock(&s->lock);
	return answer;
}

static enum pr_commit wait_for(struct suite *s, struct store_answer *answer, enum pr_commit most)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&answer->lock);
	while (answer->times == 0 && error == 0)
		error = pthread_cond_timedwait(&answer->told, &answer->lock, &until);
	enum pr_commit result = answer->times == 0 ? 0 : answer->result;
	pthread_mutex_unlock(&answer->lock);
	bool the_commit_was_answered = error == 0;
	CHECK(s, the_commit_was_answered);
	CHECK(s, error != 0 || (result >= PR_COMMIT_DURABLE && result <= most));
	return result;
}

/* Cuts of 0 bytes to a good part of it, no two alike. */
static bool give_body(const struct store *store, struct pr_call *call, void *transaction, struct pr_str body)
{
	uint32_t seed = (uint32_t)body.len * 2654435761u | 1;
	size_t at = 0;

	while (at < body.len) {
		size_t piece = store_random(&seed) % (body.len / 3 + 2);

		if (piece > body.len - at)
			piece = body.len - at;
		if (store->ops->body(call, transaction, body.data + at, piece) != PR_OK)
			return false;
		at += piece;
	}
	return true;
}

enum pr_commit store_submit(struct suite *s, const struct store *store, const struct pr_envelope *envelope, struct pr_str body,
                            char id_out[STORE_ID])
{
	struct store_answer *answer = new_answer(s);
	struct store_call c;
	struct pr_str id = PR_NONE;
	void *transaction = NULL;
	enum pr_commit result = 0;

	store_call_init(&c, store, 0);
	id_out[0] = '\0';
	if (store->ops->begin(&c.call, &transaction, &id) == PR_OK) {
		CHECK(s, id.len > 0 && id.len < STORE_ID);
		snprintf(id_out, STORE_ID, "%.*s", PR_PRINT(id));
		if (!give_body(store, &c.call, transaction, body))
			store->ops->abort(&c.call, transaction);
		else if (store->ops->commit(&c.call, transaction, envelope, tell, answer) == PR_OK)
			result = wait_for(s, answer, PR_COMMIT_UNKNOWN);
	}
	store_call_fini(&c);
	return result;
}

enum pr_commit store_submit_later(struct suite *s, const struct pr_envelope *envelope, struct pr_str body, char id_out[STORE_ID],
                                  void **transaction_out)
{
	const struct pr_intake intake = { .size = sizeof intake, .flags = PR_INTAKE_LATER };
	const struct store *store = &s->main;
	struct store_answer *answer = new_answer(s);
	struct store_call c;
	struct pr_str id = PR_NONE;
	enum pr_commit result = 0;

	store_call_init(&c, store, 0);
	id_out[0] = '\0';
	if (store->ops->begin_in(&c.call, &intake, transaction_out, &id) == PR_OK) {
		snprintf(id_out, STORE_ID, "%.*s", PR_PRINT(id));
		if (!give_body(store, &c.call, *transaction_out, body))
			store->ops->abort(&c.call, *transaction_out);
		else if (store->ops->commit(&c.call, *transaction_out, envelope, tell, answer) == PR_OK)
			result = wait_for(s, answer, PR_COMMIT_WRITTEN);
	}
	store_call_fini(&c);
	return result;
}

enum pr_commit store_make_secure(struct suite *s, void *transaction)
{
	struct store_answer *answer = new_answer(s);
	enum pr_commit result = PR_COMMIT_UNKNOWN;
	struct store_call c;

	store_call_init(&c, &s->main, 0);
	if (s->main.ops->secure(&c.call, transaction, tell, answer) == PR_OK)
		result = wait_for(s, answer, PR_COMMIT_UNKNOWN);
	store_call_fini(&c);
	return result;
}

struct pr_str store_put(struct suite *s, char id_out[STORE_ID])
{
	struct store_mail mail;

	store_mail_plain(&mail);
	enum pr_commit result = store_submit(s, &s->main, &mail.envelope, PR_STR("one\ntwo\n"), id_out);
	CHECK(s, result == PR_COMMIT_DURABLE);
	return pr_str(id_out);
}

/* comparing ------------------------------------------------------------- */

static bool is_same(const char *what, struct pr_str got, struct pr_str wanted)
{
	if (pr_str_equal(got, wanted) && (got.data == NULL) == (wanted.data == NULL))
		return true;
	printf("     %s is %s\"%.*s\", not %s\"%.*s\"\n", what, got.data == NULL ? "absent " : "", PR_PRINT(got),
	       wanted.data == NULL ? "absent " : "", PR_PRINT(wanted));
	return false;
}

static bool is_number(const char *what, int64_t got, int64_t wanted)
{
	if (got != wanted)
		printf("     %s is %lld, not %lld\n", what, (long long)got, (long long)wanted);
	return got == wanted;
}

static bool same_recipient(const struct pr_recipient *got, const struct pr_recipient *wanted)
{
	bool same = is_same("recipient.address", got->address, wanted->address);

	same &= is_same("recipient.original", got->original, wanted->original);
	same &= is_same("recipient.final", got->final, wanted->final);
	same &= is_same("recipient.owner", got->owner, wanted->owner);
	same &= is_same("recipient.alias", got->alias, wanted->alias);
	same &= is_same("recipient.status", got->status, wanted->status);
	same &= is_same("recipient.enhanced", got->enhanced, wanted->enhanced);
	same &= is_same("recipient.remote", got->remote, wanted->remote);
	same &= is_number("recipient.flags", got->flags, wanted->flags);
	same &= is_number("recipient.state", got->state, wanted->state);
	same &= is_number("recipient.owner_uid", got->owner_uid, wanted->owner_uid);
	return same & is_number("recipient.owner_gid", got->owner_gid, wanted->owner_gid);
}

static bool same_lists(const struct pr_envelope *got, const struct pr_envelope *wanted)
{
	bool same = is_number("recipient_count", (int64_t)got->recipient_count, (int64_t)wanted->recipient_count);

	same &= is_number("header_count", (int64_t)got->header_count, (int64_t)wanted->header_count);
	same &= is_number("macro_count", (int64_t)got->macro_count, (int64_t)wanted->macro_count);
	for (size_t i = 0; same && i < got->recipient_count; i++)
		same = same_recipient(&got->recipients[i], &wanted->recipients[i]);
	for (size_t i = 0; same && i < got->header_count; i++)
		same = is_same("header.name", got->headers[i].name, wanted->headers[i].name) &&
		       is_same("header.value", got->headers[i].value, wanted->headers[i].value) &&
		       pr_str_equal(got->headers[i].condition, wanted->headers[i].condition);
	for (size_t i = 0; same && i < wanted->macro_count; i++)
		same = is_same("macro", pr_envelope_macro(got, wanted->macros[i].name), wanted->macros[i].value);
	return same;
}

bool store_same_envelope(struct suite *s, const struct pr_envelope *got, const struct pr_envelope *wanted)
{
	bool same = is_same("sender", got->sender, wanted->sender);

	same &= is_same("body_type", got->body_type, wanted->body_type);
	same &= is_same("envelope_id", got->envelope_id, wanted->envelope_id);
	same &= is_same("auth", got->auth, wanted->auth);
	same &= is_same("message", got->message, wanted->message);
	same &= is_same("quarantine", got->quarantine, wanted->quarantine);
	same &= is_number("created", got->created, wanted->created);
	same &= is_number("last_try", got->last_try, wanted->last_try);
	same &= is_number("tries", got->tries, wanted->tries);
	same &= is_number("priority", got->priority, wanted->priority);
	same &= is_number("flags", got->flags, wanted->flags);
	same = same_lists(got, wanted) && same;
	bool the_envelope_is_the_same = same;
	return CHECK(s, the_envelope_is_the_same);
}

static bool reads_as(struct pr_body *body, struct pr_call *call, struct pr_str wanted)
{
	uint32_t seed = 77;
	char buffer[9000];
	size_t at = 0, len = 1;

	while (len > 0) {
		size_t room = 1 + store_random(&seed) % sizeof buffer;

		if (body->read(body, call, buffer, room, &len) != PR_OK || len > room || len > wanted.len - at)
			return false;
		if (len > 0 && memcmp(buffer, wanted.data + at, len) != 0)
			return false;
		at += len;
	}
	return at == wanted.len;
}

bool store_same_body(struct suite *s, const struct store *store, struct pr_claim *claim, struct pr_str wanted)
{
	struct pr_body body = { .size = sizeof body };
	struct store_call c;
	bool same = false;

	store_call_init(&c, store, 0);
	if (CHECK(s, store->ops->body_open(&c.call, claim, &body) == PR_OK)) {
		bool the_body_is_the_same = reads_as(&body, &c.call, wanted);
		bool and_after_a_rewind = body.rewind(&body, &c.call) == PR_OK && reads_as(&body, &c.call, wanted);

		same = CHECK(s, the_body_is_the_same);
		same = CHECK(s, and_after_a_rewind) && same;
		same = CHECK(s, body.length == -1 || body.length == (int64_t)wanted.len) && same;
		store->ops->body_close(&c.call, &body);
	}
	store_call_fini(&c);
	return same;
}

int store_count(const struct store *store)
{
	struct store_call c;
	struct pr_entry entry;
	void *cursor = NULL;
	enum pr_status status;
	int count = 0;

	store_call_init(&c, store, 0);
	while ((status = store->ops->next(&c.call, &cursor, &entry)) == PR_OK)
		count++;
	store_call_fini(&c);
	return status == PR_NOTFOUND ? count : -1;
}
