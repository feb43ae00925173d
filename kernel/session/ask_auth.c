/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AUTH: the module that offers the mechanism is given what the client says, until it knows.  The log has sendmail's words, the client
 * learns no more than yes, no or later; nothing of what it said is written anywhere.
 */
#include "kernel/session/ask.h"

#include "kernel/log/log.h"
#include "kernel/session/auth.h"
#include "kernel/session/failures.h"
#include "kernel/session/transaction.h"

#define STEP_MS 60000 /* a module that takes longer has failed */

static bool has(const struct pr_list *names, struct pr_str name)
{
	for (size_t i = 0; i < names->count; i++)
		if (pr_str_equal_nocase(names->items[i], name))
			return true;
	return false;
}

/* The first module that has the mechanism.  PR_TEMPFAIL: one of them cannot say what it has, and no other has it. */
static enum pr_status begin(struct ask *ask, struct pr_str mechanism)
{
	struct session *session = ask->session;
	enum pr_status result = PR_NOTFOUND;
	struct module_instance *module;
	struct pr_list names = {NULL, 0};

	for (size_t i = 0; (module = module_at(session->receiver->modules, PR_KIND_AUTH, i)) != NULL; i++) {
		enum pr_status status = auth_mechanisms(ask->scope, module, auth_flags(session), &names);
		if (status == PR_OK && has(&names, mechanism)) {
			module_session_init(&session->auth->exchange, module);
			return PR_OK;
		}
		if (status != PR_OK && status != PR_NOTFOUND)
			result = PR_TEMPFAIL;
	}
	return result;
}

static struct pr_str shown(struct pr_text *text, struct pr_str value, size_t most)
{
	pr_text_clear(text);
	pr_text_add_escaped(text, value.data != NULL ? value : PR_STR(""), most);
	return pr_text_str(text);
}

static void log_failure(struct ask *ask, enum pr_status status, struct pr_str name)
{
	bool is_wrong = status == PR_NOTFOUND || status == PR_PERMFAIL;
	struct pr_text reason, user, client;

	pr_text_init(&reason, 2000);
	pr_text_init(&client, 1000);
	pr_text_init(&user, 1000);
	struct pr_str whom = shown(&user, name, 128);
	struct pr_str why = shown(&reason, ask->scope->reason, 600), who = shown(&client, session_client(ask->session, &ask->bench->arena), 300);
	/* that passwords cannot be looked at is the administrator's business whatever the level is */
	log_at(is_wrong ? 10 : 1, is_wrong ? LOGP_WARNING : LOGP_ERR, transaction_log_id(ask->session), "AUTH failure (%.*s): %.*s, user=%.*s, relay=%.*s",
	    PR_PRINT(ask->session->auth->mechanism), PR_PRINT(why), PR_PRINT(whom), PR_PRINT(who));
	pr_text_fini(&user);
	pr_text_fini(&reason);
	pr_text_fini(&client);
}

static void log_success(struct ask *ask)
{
	const struct session_auth *auth = ask->session->auth;
	struct pr_text name, client;

	if (log_level() < 9)
		return;
	pr_text_init(&name, 1000);
	pr_text_init(&client, 1000);
	struct pr_str whom = shown(&name, auth_encoded(&ask->bench->arena, auth->name), 128), who = shown(&client, session_client(ask->session, &ask->bench->arena), 300);
	log_at(9, LOGP_INFO, "NOQUEUE", "AUTH=server, relay=%.*s, authid=%.*s, mech=%.*s, bits=%u", PR_PRINT(who), PR_PRINT(whom),
	    PR_PRINT(auth->mechanism), auth->strength);
	pr_text_fini(&name);
	pr_text_fini(&client);
}

static void refuse(struct ask *ask, enum pr_status status, struct pr_str name)
{
	bool is_wrong = status == PR_NOTFOUND || status == PR_PERMFAIL;

	if (is_wrong) {
		atomic_fetch_add(&ask->session->receiver->counts.auth_failures, 1);
		failures_note(ask->session);
	}
	log_failure(ask, status, name);
	auth_end(ask->session, ask->bench);
	auth_take(&ask->session->auth->mechanism, PR_NONE);
	ask->answer->verdict.action = is_wrong ? PR_REJECT : PR_DEFER;
}

static void done(struct ask *ask, const struct pr_auth_step *step)
{
	struct session_auth *auth = ask->session->auth;

	auth_take(&auth->name, step->name);
	auth->strength = step->strength;
	failures_forgive(ask->session);
	auth_end(ask->session, ask->bench);
	log_success(ask);
}

static void take_step(struct ask *ask)
{
	struct session_auth *auth = ask->session->auth;
	struct pr_auth_step step = {.size = sizeof step, .mechanism = auth->mechanism, .input = ask->question->data,
	    .flags = auth_flags(ask->session)};

	ask->scope->deadline_ms = session_now_ms() + STEP_MS;
	enum pr_status status = auth_server_step(ask->scope, &auth->exchange, &step);
	if (status == PR_OK && step.done != 0 && step.name.len == 0) {
		ask->scope->reason = PR_STR("the module says yes and does not say to whom");
		status = PR_MISUSE;
	}
	if (status != PR_OK) {
		refuse(ask, status, step.name);
	} else if (step.done == 0) {
		ask->answer->goes_on = true;
		ask->answer->challenge = step.output.data != NULL ? step.output : PR_STR("");
	} else {
		done(ask, &step);
	}
}

void ask_auth(struct ask *ask)
{
	struct session_auth *auth = ask->session->auth;
	enum pr_status status = PR_OK;

	if (auth == NULL) {
		ask_refuse(ask, PR_REJECT, 503, "5.3.3", "AUTH not available");
		return;
	}
	if (ask->question->argument.data != NULL) {
		auth_end(ask->session, ask->bench);
		auth_take(&auth->mechanism, ask->question->argument);
		status = begin(ask, ask->question->argument);
	}
	if (ask->question->cancelled)
		auth_forget(ask->session, ask->bench);
	else if (status != PR_OK)
		refuse(ask, PR_TEMPFAIL, PR_NONE); /* it was offered a moment ago */
	else
		take_step(ask);
}
