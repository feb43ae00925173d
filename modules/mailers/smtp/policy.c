/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rules are asked about a next host, in the order in which it becomes known: clt_features before the call, try_tls when it offers
 * STARTTLS, tls_server when it is settled how we are connected, tls_rcpt before each RCPT.
 * A refusal has the words of the rule; where a rule says only yes or no, they are the customary ones.
 */
#include "smtp.h"

#include <postrider/rules.h>

void smtp_tell_peer(struct smtp_run *run)
{
	const struct smtp_session *session = run->session;
	struct pr_peer peer = {.size = sizeof peer, .name = pr_str(session->server), .address = pr_str(session->address), .tls = session->tls,
	                       .verify = pr_str(session->verify)};

	if (session->auth_type[0] != '\0')
		peer.auth_type = pr_str(session->auth_type);
	pr_talks_to(run->call, &peer);
}

/* Refused, or the rules could not say. */
static bool is_refused(enum pr_status status, const struct pr_verdict *verdict)
{
	return status != PR_OK || verdict->action == PR_REJECT || verdict->action == PR_DEFER;
}

/* `whom`: the one recipient that is meant; a 550 and a 553 name him, as sendmail's do. */
static struct smtp_outcome refusal(struct smtp_run *run, enum pr_status status, const struct pr_verdict *verdict, struct pr_str whom)
{
	struct pr_arena *arena = run->call->arena;
	bool forever = status == PR_OK && verdict->action == PR_REJECT;
	struct smtp_outcome outcome = {forever ? PR_PERMFAIL : PR_TEMPFAIL, verdict->code, verdict->enhanced, verdict->text, PR_NONE};

	if (status != PR_OK)
		outcome.text = run->call->reason;
	if (status != PR_OK || outcome.code < 400)
		outcome.code = forever ? 550 : 403;
	if (status != PR_OK || outcome.enhanced.len == 0)
		outcome.enhanced = forever ? PR_STR("5.7.0") : PR_STR("4.7.0");
	if (outcome.text.len == 0)
		outcome.text = PR_STR("server not authenticated.");
	if (outcome.code != 550 && outcome.code != 553)
		whom = PR_STR("");
	const char *after = whom.len > 0 ? "... " : "";
	outcome.text = pr_arena_printf(arena, "%u %.*s %.*s%s%.*s", outcome.code, PR_PRINT(outcome.enhanced), PR_PRINT(whom), after, PR_PRINT(outcome.text));
	return outcome;
}

enum pr_status smtp_ask_features(struct smtp_run *run, struct pr_str name, struct smtp_outcome *outcome)
{
	struct pr_str items[2] = {name, PR_STR("")}; /* the address is not known yet */
	struct pr_list arguments = {items, 2};
	struct pr_peer nobody = {.size = sizeof nobody, .verify = pr_str(run->session->verify)};
	struct pr_str value = PR_NONE;

	run->without_dane = run->without_sts = smtp_prefers_delivery(run); /* RFC 8689 section 4.2 */
	pr_talks_to(run->call, &nobody); /* yet */
	enum pr_status status = pr_rules_feature(run->call, PR_STR("clt_features"), &arguments, &value);

	if (status != PR_TEMPFAIL && !(status == PR_OK && pr_str_equal_nocase(value, PR_STR("temp")))) {
		run->without_dane = run->without_dane || (status == PR_OK && pr_str_find(value, 'D') < value.len);
		run->without_sts = run->without_sts || (status == PR_OK && pr_str_find(value, 'M') < value.len);
		return PR_OK;
	}
	*outcome = (struct smtp_outcome){PR_TEMPFAIL, 0, PR_STR("4.0.0"), PR_STR("Deferred: clt_features=TEMPFAIL"), PR_NONE};
	return PR_TEMPFAIL;
}

bool smtp_ask_try(struct smtp_run *run)
{
	struct pr_str name = pr_str(run->session->server);
	struct pr_list arguments = {&name, 1};
	struct pr_verdict verdict;
	enum pr_status status = pr_rules_check(run->call, PR_CHECK_TRY_TLS, &arguments, &verdict);

	return !is_refused(status, &verdict);
}

/* The one recipient there is; of several none is named. */
static struct pr_str only_one(const struct smtp_run *run)
{
	struct pr_str one = PR_STR("");

	for (size_t i = 0; i < run->count; i++) {
		if (run->deliveries[i].status != PR_MISUSE)
			continue;
		if (one.len > 0)
			return PR_STR("");
		one = run->deliveries[i].user;
	}
	return one;
}

bool smtp_ask_server(struct smtp_run *run, struct smtp_outcome *outcome)
{
	const struct smtp_session *session = run->session;
	struct pr_str verify = session->tls != NULL ? run->call->host->macro(run->call, PR_STR("verify")) : pr_str(session->verify);
	struct pr_list arguments = {&verify, 1};
	struct pr_verdict verdict;
	enum pr_status status = pr_rules_check(run->call, PR_CHECK_TLS_SERVER, &arguments, &verdict);

	if (!is_refused(status, &verdict))
		return true;
	*outcome = refusal(run, status, &verdict, only_one(run));
	return false;
}

bool smtp_ask_recipient(struct smtp_run *run, size_t index)
{
	struct pr_str user = run->deliveries[index].user;
	struct pr_list arguments = {&user, 1};
	struct pr_verdict verdict;
	enum pr_status status = pr_rules_check(run->call, PR_CHECK_TLS_RCPT, &arguments, &verdict);

	if (!is_refused(status, &verdict))
		return true;
	struct smtp_outcome outcome = refusal(run, status, &verdict, user);
	smtp_settle(run, index, &outcome, false);
	return false;
}
