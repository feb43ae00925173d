/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The mechanisms that need no library: EXTERNAL (RFC 4422 appendix A), where our certificate says who we are, OAUTHBEARER (RFC 7628) and XOAUTH2, where
 * a token does.
 * A token that is not taken may just have run out, so there is one more try with a new one; when that is not taken either the mail waits, because tokens
 * and their servers break more often than accounts are closed.
 */
#include "auth.h"

bool auth_needs_token(struct pr_str mechanism)
{
	return pr_str_equal_nocase(mechanism, PR_STR("OAUTHBEARER")) || pr_str_equal_nocase(mechanism, PR_STR("XOAUTH2"));
}

bool auth_is_own(struct pr_str mechanism)
{
	return pr_str_equal_nocase(mechanism, PR_STR("EXTERNAL")) || auth_needs_token(mechanism);
}

/* RFC 7628 section 3.2.3: after the server has said what was wrong, a word without meaning lets it say no. */
static bool end_bearer(void *context, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	(void)context;
	(void)call;
	(void)challenge;
	*bytes_out = PR_STR("\001");
	return true;
}

static bool say_nothing(void *context, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	(void)context;
	(void)call;
	(void)challenge;
	*bytes_out = PR_STR("");
	return true;
}

static bool never(void *context, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	(void)context;
	(void)call;
	(void)challenge;
	(void)bytes_out;
	return false;
}

/* "," and "=" are the syntax around a name (RFC 5801 section 4). */
static struct pr_str escaped(struct pr_arena *arena, struct pr_str name)
{
	struct pr_text text;

	pr_text_init(&text, 3 * name.len + 1);
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == ',' || name.data[i] == '=')
			pr_text_add_c(&text, name.data[i] == ',' ? "=2C" : "=3D");
		else
			pr_text_add_byte(&text, name.data[i]);
	}
	struct pr_str copy = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return copy;
}

static enum auth_answer show_token(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism, struct pr_str token)
{
	struct pr_arena *arena = run->call->arena;
	struct auth_exchange exchange = {.mechanism = mechanism};

	if (pr_str_equal_nocase(mechanism, PR_STR("XOAUTH2"))) {
		exchange.step = say_nothing;
		exchange.initial = pr_arena_printf(arena, "user=%.*s\001auth=Bearer %.*s\001\001", PR_PRINT(identity->user), PR_PRINT(token));
	} else {
		exchange.step = end_bearer;
		exchange.initial = pr_arena_printf(arena, "n,a=%.*s,\001host=%s\001auth=Bearer %.*s\001\001", PR_PRINT(escaped(arena, identity->user)), run->session->server,
		    PR_PRINT(token));
	}
	return auth_converse(run, &exchange);
}

static enum auth_answer by_token(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism)
{
	struct pr_str token = PR_NONE;
	enum auth_answer answer = AUTH_REFUSED;

	for (int tries = 0; tries < 2 && answer == AUTH_REFUSED; tries++) {
		if (auth_token_get(run, identity->token, token, &token) != PR_OK) {
			run->call->host->log(run->call, PR_LOG_ERR, "AUTH=client, relay=%s, mech=%.*s: %.*s", run->session->server, PR_PRINT(mechanism), PR_PRINT(run->call->reason));
			return AUTH_LATER;
		}
		answer = show_token(run, identity, mechanism, token);
	}
	return answer == AUTH_REFUSED ? AUTH_LATER : answer;
}

enum auth_answer auth_own(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism)
{
	struct auth_exchange exchange = {.mechanism = mechanism, .initial = identity->is_named ? identity->user : PR_STR(""), .step = never};

	return auth_needs_token(mechanism) ? by_token(run, identity, mechanism) : auth_converse(run, &exchange);
}
