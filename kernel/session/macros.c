/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The macros of a running session, for rules and filters: one row each, computed when asked.  Here those of the client and of the
 * mail it brings; macros_connection.c knows the connection, macros_message.c the message.
 */
#include "kernel/session/macros.h"

static struct pr_str client_addr(struct macro_context *context)
{
	return context->session->address;
}

static struct pr_str client_name(struct macro_context *context)
{
	return context->session->name;
}

static struct pr_str client_ptr(struct macro_context *context)
{
	return context->session->ptr.data != NULL ? context->session->ptr : context->session->name;
}

static struct pr_str client_port(struct macro_context *context)
{
	return pr_arena_printf(context->arena, "%u", context->session->port);
}

static struct pr_str client_resolve(struct macro_context *context)
{
	static const struct pr_str words[] = {{"OK", 2}, {"FAIL", 4}, {"FORGED", 6}, {"TEMP", 4}};

	return words[context->session->resolve & 3];
}

static struct pr_str client(struct macro_context *context)
{
	return session_client(context->session, context->arena);
}

static struct pr_str daemon_name(struct macro_context *context)
{
	return context->session->listener->name;
}

/* $s and $r belong to the mail that comes: before MAIL they are not set, and who has not said HELO is known by his own name. */
static struct pr_str helo(struct macro_context *context)
{
	const struct session *session = context->session;

	if (session->machine == NULL || session->transaction == NULL)
		return PR_NONE;
	struct pr_str said = smtp_machine_helo(session->machine);
	return said.len > 0 || session->user.data != NULL ? said : session->name;
}

static struct pr_str host_name(struct macro_context *context)
{
	return context->session->receiver->options->host_name;
}

static struct pr_str protocol(struct macro_context *context)
{
	const struct session *session = context->session;

	return session->machine != NULL && session->transaction != NULL ? pr_str(smtp_machine_protocol(session->machine)) : PR_NONE;
}

static struct pr_str queue_id(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	return transaction != NULL && transaction->part_count > 0 ? transaction->parts[0].id : PR_NONE;
}

static struct pr_str sender(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	return transaction != NULL ? pr_address_inner(transaction->sender) : PR_NONE;
}

/* ${mail_from}: with its brackets, by which rules that ask late (delay_checks) tell the null sender from a name without a domain. */
static struct pr_str sender_path(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	return transaction != NULL ? transaction->sender : PR_NONE;
}

static struct pr_str recipient_count(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	return transaction != NULL ? pr_arena_printf(context->arena, "%llu", (unsigned long long)transaction->recipients) : PR_NONE;
}

static struct pr_str size(struct macro_context *context)
{
	const struct transaction *transaction = context->session->transaction;

	return transaction != NULL && transaction->size > 0 ? pr_arena_printf(context->arena, "%llu", (unsigned long long)transaction->size) : PR_NONE;
}

static const struct macro_row rows[] = {
    {"_", client},
    {"client_addr", client_addr},
    {"client_name", client_name},
    {"client_port", client_port},
    {"client_ptr", client_ptr},
    {"client_resolve", client_resolve},
    {"daemon_name", daemon_name},
    {"f", sender},
    {"i", queue_id},
    {"j", host_name},
    {"mail_from", sender_path},
    {"msg_size", size},
    {"nrcpts", recipient_count},
    {"r", protocol},
    {"s", helo},
    {NULL, NULL},
};

struct pr_str session_macro(void *context, struct pr_str name)
{
	static const struct macro_row *const tables[] = {rows, macro_rows_connection, macro_rows_message, macro_rows_tls, macro_rows_auth};

	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
		for (const struct macro_row *row = tables[t]; row->name != NULL; row++)
			if (pr_str_equal(pr_str(row->name), name))
				return row->value(context);
	return PR_NONE;
}

void session_scope(struct session *session, struct bench *bench, struct module_scope *scope)
{
	struct macro_context *context = pr_arena_alloc(&bench->arena, sizeof *context);

	module_scope_init(scope, bench->modules, &bench->arena);
	scope->rules = &session->rules;
	if (context == NULL)
		return;
	*context = (struct macro_context){.session = session, .arena = &bench->arena};
	scope->macro = session_macro;
	scope->macro_context = context;
}
