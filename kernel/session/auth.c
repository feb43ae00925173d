/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who a session is, from the exchange that says so to its end.
 */
#include "kernel/session/auth.h"

#include "kernel/session/macros.h"
#include "kernel/session/policy.h"

#include <string.h>

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
	struct pr_list arguments = {NULL, 1};
	struct pr_verdict verdict = {.action = PR_CONTINUE};

	if (session->user.data != NULL || pr_str_equal(author, PR_STR("<>")))
		return true;
	struct pr_str written = auth_encoded(scope->arena, author);
	arguments.items = &written;
	return policy_check(session, bench, scope, PR_CHECK_TRUST_AUTH, &arguments, &verdict);
}
