/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list is made of what the modules say each time: it depends on TLS and on the client's certificate.  A module that cannot say is
 * left out and logged once a minute; the client may still come in by another one.
 */
#include "kernel/session/auth.h"

#include "kernel/log/log.h"
#include "kernel/session/macros.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"

#include <string.h>

#define OFFER_MAX 900 /* a line of EHLO */
#define MECHANISM_MAX 20 /* RFC 4422 section 3.1 */

void auth_take(struct pr_str *place, struct pr_str value)
{
	pr_free((void *)(uintptr_t)place->data);
	*place = value.data == NULL ? PR_NONE : (struct pr_str){pr_copy_str(value), value.len};
}

static uint32_t flags_of_options(struct pr_str letters)
{
	static const struct {
		char letter;
		uint32_t flag;
	} rows[] = {{'a', PR_AUTH_NO_ACTIVE}, {'c', PR_AUTH_CREDENTIALS}, {'d', PR_AUTH_NO_DICTIONARY}, {'f', PR_AUTH_FORWARD_SECRECY},
	            {'m', PR_AUTH_MUTUAL}, {'p', PR_AUTH_NO_PLAINTEXT}, {'y', PR_AUTH_NO_ANONYMOUS}};
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_find(letters, rows[i].letter) < letters.len)
			flags |= rows[i].flag;
	return flags;
}

uint32_t auth_flags(const struct session *session)
{
	uint32_t flags = flags_of_options(session->receiver->options->auth_options);

	if (session->plaintext == 'c')
		flags |= PR_AUTH_NO_PLAINTEXT;
	else if (session->plaintext == 'C')
		flags &= ~(uint32_t)PR_AUTH_NO_PLAINTEXT;
	return session->stream.tls != NULL ? flags | PR_AUTH_TLS : flags;
}

static bool has_word(struct pr_str words, struct pr_str wanted)
{
	struct pr_str word;

	while (pr_str_word(&words, " ,\t", &word))
		if (pr_str_equal_nocase(word, wanted))
			return true;
	return false;
}

static bool is_mechanism(struct pr_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", name.data[i], 38) == NULL)
			return false;
	return name.len > 0 && name.len <= MECHANISM_MAX;
}

static void add(struct pr_text *out, struct pr_str name)
{
	if (is_mechanism(name) && !has_word(pr_text_str(out), name) && out->len + name.len + 1 <= OFFER_MAX)
		pr_text_addf(out, "%s%.*s", out->len > 0 ? " " : "", PR_PRINT(name));
}

/* AuthMechanisms says which, and in which order. */
static void restrict_to(struct pr_text *offer, struct pr_str allowed)
{
	struct pr_text left;
	struct pr_str word;

	pr_text_init(&left, OFFER_MAX);
	while (pr_str_word(&allowed, " ,\t", &word))
		if (has_word(pr_text_str(offer), word))
			add(&left, word);
	pr_text_clear(offer);
	pr_text_add_str(offer, pr_text_str(&left));
	pr_text_fini(&left);
}

static bool is_wanted(const struct session *session)
{
	return session->user.data == NULL && !session->settings.no_auth && module_at(session->receiver->modules, PR_KIND_AUTH, 0) != NULL;
}

void auth_offer(struct session *session, struct bench *bench, struct module_scope *scope)
{
	struct module_instance *module;
	struct pr_list names = {NULL, 0};
	struct pr_text text;

	(void)bench;
	session->settings.auth_mechanisms = PR_NONE;
	if (!is_wanted(session))
		return;
	pr_text_init(&text, OFFER_MAX);
	for (size_t i = 0; (module = module_at(session->receiver->modules, PR_KIND_AUTH, i)) != NULL; i++) {
		enum pr_status status = auth_mechanisms(scope, module, auth_flags(session), &names);
		for (size_t k = 0; status == PR_OK && k < names.count; k++)
			add(&text, names.items[k]);
		if (status != PR_OK && status != PR_NOTFOUND)
			report_no_auth(session, scope->reason);
	}
	if (session->receiver->options->auth_mechanisms.len > 0)
		restrict_to(&text, session->receiver->options->auth_mechanisms);
	if (session->auth == NULL)
		session->auth = pr_alloc(sizeof *session->auth);
	auth_take(&session->auth->offered, pr_text_str(&text));
	session->settings.auth_mechanisms = session->auth->offered;
	pr_text_fini(&text);
}

bool auth_is_known(const struct session *session)
{
	return session->auth != NULL && session->auth->name.data != NULL;
}

struct pr_str auth_name(const struct session *session)
{
	return session->auth != NULL ? session->auth->name : PR_NONE;
}

void auth_end(struct session *session, struct bench *bench)
{
	struct module_scope scope;

	if (session->auth == NULL || session->auth->exchange.instance == NULL)
		return;
	session_scope(session, bench, &scope);
	auth_server_end(&scope, &session->auth->exchange);
}

void auth_forget(struct session *session, struct bench *bench)
{
	struct session_auth *auth = session->auth;

	if (auth == NULL)
		return;
	auth_end(session, bench);
	auth_take(&auth->mechanism, PR_NONE);
	auth_take(&auth->name, PR_NONE);
	auth->strength = 0;
}

void auth_close(struct session *session, struct bench *bench)
{
	if (session->auth == NULL)
		return;
	auth_forget(session, bench);
	auth_take(&session->auth->offered, PR_NONE);
	pr_free(session->auth);
	session->auth = NULL;
}

/* What a name may hold must not be taken for a part of an address. */
struct pr_str auth_encoded(struct pr_arena *arena, struct pr_str name)
{
	struct pr_text text;

	if (name.data == NULL)
		return PR_NONE;
	pr_text_init(&text, 3 * name.len + 1);
	for (size_t i = 0; i < name.len; i++) {
		unsigned char byte = (unsigned char)name.data[i];
		if (byte > ' ' && byte < 0x7f && memchr("+=<>\")", byte, 6) == NULL)
			pr_text_add_byte(&text, (char)byte);
		else
			pr_text_addf(&text, "+%02X", (unsigned int)byte);
	}
	struct pr_str result = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

bool auth_is_trusted(struct session *session, struct bench *bench, struct module_scope *scope, struct pr_str author)
{
	struct pr_str written = session_macro(scope->macro_context, PR_STR("auth_author"));
	struct pr_list arguments = {&written, 1};
	struct pr_verdict verdict = {.action = PR_CONTINUE};

	if (session->user.data != NULL || pr_str_equal(author, PR_STR("<>")))
		return true;
	return policy_check(session, bench, scope, PR_CHECK_TRUST_AUTH, &arguments, &verdict);
}
