/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The strings of the session are replaced in place, since the machine's settings borrow them.  A name is only believed together with the
 * address it belongs to: a new address without one is a client without a name.
 */
#include "kernel/session/introduce.h"

#include "kernel/session/admit.h"
#include "kernel/session/ask.h"
#include "kernel/session/auth.h"
#include "kernel/session/filters.h"
#include "kernel/session/report.h"
#include "kernel/smtp/networks.h"

#define VALUE_BYTES 255

struct forwarded {
	char *values[SMTP_ATTRIBUTES]; /* NULL: not known */
};

static uint32_t right(const struct pr_list *networks, struct pr_str address)
{
	if (networks->count == 0)
		return SMTP_INTRODUCE_UNKNOWN;
	return smtp_networks_have(networks, address) ? SMTP_INTRODUCE_YES : SMTP_INTRODUCE_NO;
}

void introduce_settings(struct session *session)
{
	const struct options *options = session->receiver->options;

	if (session->user.data != NULL)
		return;
	session->settings.xclient = right(&options->xclient_networks, session->address);
	session->settings.xforward = right(&options->xforward_networks, session->address);
}

static void replace(struct pr_str *place, struct pr_str value)
{
	pr_free((void *)(uintptr_t)place->data);
	*place = value.data != NULL ? (struct pr_str){pr_copy_str(value), value.len} : PR_NONE;
}

/* Nothing of what was decided about the client before is true of this one. */
static void forget(struct ask *ask)
{
	struct session *session = ask->session;

	filters_close(session, ask->bench);
	auth_forget(session, ask->bench);
	admit_leave(session);
	replace(&session->quarantine, PR_NONE);
	session->filters_done = session->listener->filters_off;
	session->discard = session->refused = session->asks_nothing = session->plaintext = 0;
}

static void take_name(struct ask *ask, const struct pr_str *said)
{
	struct session *session = ask->session;
	struct pr_str name = said[SMTP_ATTRIBUTE_NAME];

	replace(&session->ptr, PR_NONE);
	session->resolve = name.len > 0 ? CLIENT_OK : ask->question->name_later ? CLIENT_TEMP : CLIENT_FAIL;
	if (name.len == 0)
		name = pr_arena_printf(&ask->bench->arena, "[%.*s]", PR_PRINT(session->address));
	replace(&session->name, name);
}

/* The host that we trust has seen the proof; what it was he does not say. */
static void take_login(struct session *session, struct pr_str login)
{
	if (login.len == 0)
		return;
	if (session->auth == NULL)
		session->auth = pr_alloc(sizeof *session->auth);
	auth_take(&session->auth->mechanism, PR_STR("XCLIENT"));
	auth_take(&session->auth->name, login);
}

static void take_port(struct pr_str said, uint32_t *port)
{
	uint64_t number = 0;

	if (said.data != NULL)
		*port = pr_str_number(said, UINT16_MAX, &number) ? (uint32_t)number : 0;
}

/* The right to speak for others is the connection's. */
static void offer_again(struct session *session)
{
	uint32_t xclient = session->settings.xclient, xforward = session->settings.xforward;

	session_offer(session);
	session->settings.xclient = xclient;
	session->settings.xforward = xforward;
}

void ask_xclient(struct ask *ask)
{
	struct session *session = ask->session;
	const struct pr_str *said = ask->question->attributes;

	report_introduced(session, ask->bench, said);
	forget(ask);
	take_login(session, said[SMTP_ATTRIBUTE_LOGIN]);
	if (said[SMTP_ATTRIBUTE_ADDR].data != NULL) {
		replace(&session->address, said[SMTP_ATTRIBUTE_ADDR].len > 0 ? said[SMTP_ATTRIBUTE_ADDR] : PR_STR("unknown"));
		session->port = 0;
		session->uid = UINT32_MAX;
	}
	if (said[SMTP_ATTRIBUTE_ADDR].data != NULL || said[SMTP_ATTRIBUTE_NAME].data != NULL)
		take_name(ask, said);
	take_port(said[SMTP_ATTRIBUTE_PORT], &session->port);
	if (said[SMTP_ATTRIBUTE_DESTADDR].len > 0)
		replace(&session->met, said[SMTP_ATTRIBUTE_DESTADDR]);
	offer_again(session);
}

void ask_xforward(struct ask *ask)
{
	struct session *session = ask->session;
	const struct pr_str *said = ask->question->attributes;

	if (session->forwarded == NULL)
		session->forwarded = pr_alloc(sizeof *session->forwarded);
	for (size_t i = 0; i < SMTP_ATTRIBUTES; i++) {
		if (said[i].data == NULL)
			continue;
		pr_free(session->forwarded->values[i]);
		session->forwarded->values[i] = said[i].len > 0 ? pr_copy_str(said[i]) : NULL;
	}
}

void forwarded_forget(struct session *session)
{
	if (session->forwarded == NULL)
		return;
	for (size_t i = 0; i < SMTP_ATTRIBUTES; i++)
		pr_free(session->forwarded->values[i]);
	pr_free(session->forwarded);
	session->forwarded = NULL;
}

void forwarded_print(const struct session *session, struct pr_text *line)
{
	static const struct {
		enum smtp_attribute attribute;
		const char *before, *after;
	} parts[] = {{SMTP_ATTRIBUTE_NAME, "", ""},       {SMTP_ATTRIBUTE_ADDR, " [", "]"},  {SMTP_ATTRIBUTE_PORT, " port=", ""}, {SMTP_ATTRIBUTE_PROTO, " proto=", ""},
	             {SMTP_ATTRIBUTE_HELO, " helo=", ""}, {SMTP_ATTRIBUTE_IDENT, " ident=", ""}, {SMTP_ATTRIBUTE_SOURCE, " source=", ""}};

	if (session->forwarded == NULL)
		return;
	pr_text_add_c(line, ", xforward=");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const char *value = session->forwarded->values[parts[i].attribute];
		if (value == NULL)
			continue;
		pr_text_add_c(line, parts[i].before);
		pr_text_add_escaped(line, pr_str(value), VALUE_BYTES);
		pr_text_add_c(line, parts[i].after);
	}
}
