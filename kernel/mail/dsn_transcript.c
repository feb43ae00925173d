/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The transcript: what hosts said, host by host, each reply below the command that it answers; where nobody was talked to, the
 * last word on the recipient.  A reply to MAIL, DATA or the dot is one reply, however many recipients it is for, and stands once.
 */
#include "kernel/mail/dsn_internal.h"

#include <postrider/address.h>

#define JOINED_MAX 500 /* bytes of addresses in one line */

/* Did a host say it, in the conversation? */
static bool was_said(const struct dsn *dsn, const struct pr_recipient *r)
{
	return dsn_kind_of(dsn, r) != DSN_SUCCESS && r->remote.len > 0 && dsn_reply_of(dsn, r).len > 0;
}

static bool is_of_host(const struct dsn *dsn, size_t index, struct pr_str host)
{
	const struct pr_recipient *r = &dsn->original->recipients[index];

	return dsn_is_reported(dsn, index) && was_said(dsn, r) && pr_str_equal_nocase(dsn_host_of(r), host);
}

static size_t next_of_host(const struct dsn *dsn, size_t from, struct pr_str host)
{
	while (from < dsn->original->recipient_count && !is_of_host(dsn, from, host))
		from++;
	return from;
}

static bool is_about_one(const struct dsn_word *word)
{
	return pr_str_has_prefix_nocase(word->command, PR_STR("RCPT"));
}

/* One reply was for both. */
static bool is_same_answer(const struct dsn *dsn, const struct pr_recipient *a, const struct pr_recipient *b)
{
	const struct dsn_word *x = dsn_word_of(dsn, a), *y = dsn_word_of(dsn, b);

	return !is_about_one(x) && pr_str_equal(x->command, y->command) && pr_str_equal(dsn_reply_of(dsn, a), dsn_reply_of(dsn, b));
}

static void put_exchange(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str command = dsn_word_of(dsn, r)->command, rest = dsn_reply_of(dsn, r), line = PR_NONE;

	if (command.len > 0)
		dsn_putf(dsn, ">>> %.*s\n", PR_PRINT(dsn_clean(dsn->arena, command, DSN_LINE_MAX)));
	while (pr_str_next(&rest, '\n', &line))
		dsn_putf(dsn, "<<< %.*s\n", PR_PRINT(dsn_clean(dsn->arena, line, DSN_LINE_MAX)));
}

/* The recipients from `first` to before `end` that the same reply put off. */
static void put_deferred(struct dsn *dsn, size_t first, size_t end, struct pr_str host)
{
	struct pr_str said = dsn_first_line(dsn_reply_of(dsn, &dsn->original->recipients[first]));
	size_t length = 0;

	for (size_t i = first; i < end; i = next_of_host(dsn, i + 1, host)) {
		struct pr_str address = dsn_address(dsn, &dsn->original->recipients[i]);

		dsn_putf(dsn, "%s%.*s", length > 0 ? "," : "", PR_PRINT(address));
		length += address.len;
		if (length < JOINED_MAX && next_of_host(dsn, i + 1, host) < end)
			continue;
		dsn_putf(dsn, "... Deferred: %.*s\n", PR_PRINT(dsn_clean(dsn->arena, said, DSN_LINE_MAX)));
		length = 0;
	}
}

/* The codes that sendmail takes for "no such user" after RCPT; of a reply from an earlier life of the queue only its status is known. */
static bool is_user_unknown(const struct dsn *dsn, const struct pr_recipient *r)
{
	static const char *const codes[] = { "550", "551", "553" };
	struct pr_str command = dsn_word_of(dsn, r)->command;

	if (command.len == 0)
		return pr_str_equal(r->enhanced, PR_STR("5.1.1"));
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (pr_str_has_prefix_nocase(command, PR_STR("RCPT")) && pr_str_has_prefix_nocase(dsn_reply_of(dsn, r), pr_str(codes[i])))
			return true;
	return false;
}

static void put_own_words(struct dsn *dsn, size_t first, size_t end, struct pr_str host)
{
	const struct pr_recipient *r = &dsn->original->recipients[first];

	if (dsn_reply_of(dsn, r).data[0] == '4')
		put_deferred(dsn, first, end, host);
	else if (is_user_unknown(dsn, r))
		dsn_putf(dsn, "550 5.1.1 %.*s... User unknown\n", PR_PRINT(dsn_address(dsn, r)));
	else
		dsn_putf(dsn, "554 5.0.0 Service unavailable\n");
}

/* All that one host said, under its name. */
static void put_conversation(struct dsn *dsn, size_t first)
{
	const struct pr_envelope *o = dsn->original;
	struct pr_str host = dsn_host_of(&o->recipients[first]), shown = dsn_clean(dsn->arena, host, DSN_LINE_MAX);
	bool literal = host.len > 0 && (host.data[0] == '[' || pr_str_find(host, '.') == host.len);

	dsn_putf(dsn, "... while talking to %.*s%s:\n", PR_PRINT(shown), literal ? "" : ".");
	while (first < o->recipient_count) {
		size_t end = next_of_host(dsn, first + 1, host);

		while (end < o->recipient_count && is_same_answer(dsn, &o->recipients[first], &o->recipients[end]))
			end = next_of_host(dsn, end + 1, host);
		put_exchange(dsn, &o->recipients[first]);
		put_own_words(dsn, first, end, host);
		first = end;
	}
}

static bool is_first_of_host(const struct dsn *dsn, size_t index)
{
	return next_of_host(dsn, 0, dsn_host_of(&dsn->original->recipients[index])) == index;
}

static bool is_status_code(struct pr_str word)
{
	return word.len >= 5 && word.data[1] == '.' && word.data[0] >= '2' && word.data[0] <= '5';
}

/* "550 5.1.1 User unknown" of our own making: the address stands between code and words. */
static void put_own_reply(struct dsn *dsn, const struct pr_recipient *r, struct pr_str reply)
{
	struct pr_str rest = dsn_clean(dsn->arena, dsn_first_line(reply), DSN_LINE_MAX), words, code = PR_NONE, enhanced = PR_NONE;

	pr_str_next(&rest, ' ', &code);
	words = rest;
	if (!pr_str_next(&rest, ' ', &enhanced) || !is_status_code(enhanced)) {
		enhanced = r->enhanced.len > 0 ? dsn_clean(dsn->arena, r->enhanced, DSN_LINE_MAX) : PR_STR("5.0.0");
		rest = words;
	}
	dsn_putf(dsn, "%.*s %.*s %.*s... %.*s\n", PR_PRINT(pr_str_slice(code, 0, 3)), PR_PRINT(enhanced), PR_PRINT(dsn_address(dsn, r)), PR_PRINT(rest));
}

/* What a program printed, then the reason with the code that its exit status means. */
static void put_own_result(struct dsn *dsn, const struct pr_recipient *r)
{
	const struct dsn_word *word = dsn_word_of(dsn, r);
	struct pr_str rest = word->reply, line = PR_NONE, reason = dsn_clean(dsn->arena, dsn_reason_of(dsn, r), DSN_LINE_MAX);

	pr_str_next(&rest, '\n', &line);
	while (pr_str_next(&rest, '\n', &line))
		dsn_putf(dsn, "%.*s\n", PR_PRINT(dsn_clean(dsn->arena, line, DSN_LINE_MAX)));
	dsn_putf(dsn, "%u %.*s %.*s... %.*s\n", word->code, PR_PRINT(dsn_clean(dsn->arena, r->enhanced, DSN_LINE_MAX)),
	         PR_PRINT(dsn_address(dsn, r)), PR_PRINT(reason));
}

static void put_of_set(struct dsn *dsn, struct pr_str reply, struct pr_str closing)
{
	dsn_putf(dsn, "%.*s\n%.*s\n", PR_PRINT(dsn_clean(dsn->arena, dsn_first_line(reply), DSN_LINE_MAX)),
	         PR_PRINT(dsn_clean(dsn->arena, closing, DSN_LINE_MAX)));
}

static struct pr_str last_word(const struct dsn *dsn, const struct pr_recipient *r)
{
	if (dsn_kind_of(dsn, r) != DSN_SUCCESS)
		return r->status.len > 0 ? r->status : PR_STR("Unknown reason");
	if (dsn_is_expanded(r, PR_STATUS_LIST) || dsn_is_expanded(r, PR_STATUS_EXPANDED))
		return PR_STR(PR_STATUS_EXPANDED);
	if (dsn_word_of(dsn, r)->by != DSN_BY_NOTHING)
		return dsn_word_of(dsn, r)->by == DSN_BY_TRACE ? PR_STR("Deliver-By trace: relayed") : PR_STR("Deliver-by notify: relayed");
	return r->remote.len > 0 ? PR_STR("relayed; expect no further notifications") : PR_STR("Successfully delivered");
}

static void put_last_word(struct dsn *dsn, const struct pr_recipient *r)
{
	struct pr_str reply = dsn_reply_of(dsn, r), address = dsn_address(dsn, r);

	if (dsn_word_of(dsn, r)->closing.len > 0) {
		put_of_set(dsn, reply, dsn_word_of(dsn, r)->closing);
		return;
	}
	if (dsn_kind_of(dsn, r) != DSN_SUCCESS && reply.len > 0) {
		put_own_reply(dsn, r, reply);
		return;
	}
	if (dsn_is_own_result(dsn, r)) {
		put_own_result(dsn, r);
		return;
	}
	if (dsn_is_expanded(r, PR_STATUS_LIST))
		dsn_putf(dsn, "Message delivered to mailing list %.*s\n", PR_PRINT(address));
	dsn_putf(dsn, "%.*s... %.*s\n", PR_PRINT(address), PR_PRINT(dsn_clean(dsn->arena, last_word(dsn, r), DSN_LINE_MAX)));
}

static void put_late(struct dsn *dsn, int64_t seconds, struct pr_str keep)
{
	if (dsn->facts->kind == DSN_DELAY)
		dsn_putf(dsn, "Warning: Delivery time (%llds) exceeded\nWill keep trying until message is %.*s old\n", (long long)seconds, PR_PRINT(keep));
	else
		dsn_putf(dsn, "Delivery time (%llds) expired\nMessage will be deleted from queue\n", (long long)seconds);
}

static void put_time(struct dsn *dsn)
{
	struct pr_str keep = dsn_interval(dsn->arena, dsn->facts->return_after);
	struct pr_deliver_by by;

	if (dsn->facts->late && pr_envelope_deliver_by(dsn->original, &by)) {
		put_late(dsn, by.seconds, keep);
		return;
	}
	if (dsn->facts->expired)
		dsn_putf(dsn, "Message could not be delivered for %.*s\nMessage will be deleted from queue\n", PR_PRINT(keep));
	if (dsn->facts->kind == DSN_DELAY)
		dsn_putf(dsn, "Warning: message still undelivered after %.*s\nWill keep trying until message is %.*s old\n",
		         PR_PRINT(dsn_interval(dsn->arena, dsn->facts->warn_after)), PR_PRINT(keep));
}

/* Hosts beyond some dozens are not sorted together: a message to thousands of domains is reported in linear time. */
void dsn_transcript(struct dsn *dsn)
{
	const struct pr_envelope *o = dsn->original;
	size_t hosts = 0;

	dsn_putf(dsn, "   ----- Transcript of session follows -----\n");
	for (size_t i = 0; i < o->recipient_count; i++) {
		if (!dsn_is_reported(dsn, i) || dsn_word_of(dsn, &o->recipients[i])->silent)
			continue;
		if (!was_said(dsn, &o->recipients[i]) || hosts >= DSN_HOSTS_MAX)
			put_last_word(dsn, &o->recipients[i]);
		else if (is_first_of_host(dsn, i) && ++hosts > 0)
			put_conversation(dsn, i);
	}
	put_time(dsn);
	dsn_putf(dsn, "\n");
}
