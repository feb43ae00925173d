/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The verdicts of a session that does not take place: the rules are asked as the receiver would, with a client that --client describes.
 */
#include "kernel/command/explain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool explain_client_parse(struct pr_arena *arena, struct pr_str word, struct explain_client *client_out)
{
	size_t equals = pr_str_find(word, '=');
	struct pr_str text = pr_str_slice(word, 0, equals), name = pr_str_slice(word, equals + 1, word.len);
	char address[INET6_ADDRSTRLEN + 8];
	unsigned char bytes[16];

	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		text = pr_str_slice(text, sizeof "IPv6:" - 1, text.len);
	if (text.len >= sizeof address || (equals < word.len && name.len == 0))
		return false;
	pr_print(address, sizeof address, "%.*s", PR_PRINT(text));
	bool six = inet_pton(AF_INET6, address, bytes) == 1;
	if (!six && inet_pton(AF_INET, address, bytes) != 1)
		return false;
	client_out->address = pr_arena_printf(arena, "%s%s", six ? "IPv6:" : "", address);
	client_out->is_verified = name.len > 0;
	client_out->name = name.len > 0 ? name : pr_arena_printf(arena, "[%.*s]", PR_PRINT(client_out->address));
	return true;
}

static struct pr_str client_of(struct explain_ask *ask)
{
	if (!ask->client.is_verified)
		return ask->client.name;
	return pr_arena_printf(&ask->tool->arena, "%.*s [%.*s]", PR_PRINT(ask->client.name), PR_PRINT(ask->client.address));
}

static struct pr_str client_addr(struct explain_ask *ask)
{
	return ask->client.address;
}

static struct pr_str client_name(struct explain_ask *ask)
{
	return ask->client.name;
}

static struct pr_str client_resolve(struct explain_ask *ask)
{
	return ask->client.is_verified ? PR_STR("OK") : PR_STR("FAIL");
}

static struct pr_str daemon_name(struct explain_ask *ask)
{
	(void)ask;
	return PR_STR("MTA");
}

static struct pr_str sender(struct explain_ask *ask)
{
	return ask->sender;
}

static const struct {
	const char *name;
	struct pr_str (*value)(struct explain_ask *ask);
} rows[] = {
    {"_", client_of}, {"client_addr", client_addr}, {"client_name", client_name}, {"client_ptr", client_name},
    {"client_resolve", client_resolve}, {"daemon_name", daemon_name}, {"f", sender}, {"mail_from", sender}, {"s", client_name},
};

static struct pr_str macro(void *context, struct pr_str name)
{
	struct explain_ask *ask = context;

	for (size_t i = 0; ask->client.address.data != NULL && i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_equal(pr_str(rows[i].name), name))
			return rows[i].value(ask);
	return tool_macro(ask->tool, name);
}

void explain_prepare(struct explain_ask *ask)
{
	ask->tool->scope.macro = macro;
	ask->tool->scope.macro_context = ask;
}

/* What a refusal left out, as a session fills it. */
static void complete(struct pr_verdict *verdict)
{
	bool defer = verdict->action == PR_DEFER;

	if (verdict->action != PR_REJECT && !defer)
		return;
	if (verdict->code < 400 || verdict->code > 599)
		verdict->code = defer ? 451 : 550;
	if (verdict->enhanced.data == NULL)
		verdict->enhanced = verdict->code < 500 ? PR_STR("4.7.1") : PR_STR("5.7.1");
	if (verdict->text.data == NULL)
		verdict->text = defer ? PR_STR("Please try again later") : PR_STR("Access denied");
}

static void ask_one(struct explain_ask *ask, const char *name, enum pr_check check, const struct pr_check_context *context,
                    const struct pr_list *arguments)
{
	struct pr_verdict verdict;

	enum pr_status status = rules_check(&ask->tool->scope, check, context, arguments, &verdict);
	if (status != PR_OK && status != PR_NOTFOUND) {
		ask->is_unsure = true;
		verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"), .text = ask->tool->scope.reason};
	}
	complete(&verdict);
	ask->out->form->verdict(ask->out, name, &verdict);
}

void explain_check(struct explain_ask *ask, struct pr_str address)
{
	struct tool *tool = ask->tool;
	struct pr_arena *arena = &tool->arena;
	struct module_session memory = {.instance = NULL};
	const struct pr_client client = {.size = sizeof client, .name = ask->client.name, .address = ask->client.address,
	    .helo = ask->client.name, .daemon = PR_STR("MTA"), .resolve = ask->client.is_verified ? 0 : 1, .uid = UINT32_MAX};
	struct pr_check_context context = {.size = sizeof context, .client = &client};

	pr_arena_reset(arena);
	ask->last = PR_NONE;
	struct pr_str ends[2] = {client.name, client.address};
	struct pr_str from = pr_arena_printf(arena, "<%.*s>", PR_PRINT(ask->sender));
	struct pr_str to = pr_arena_printf(arena, "<%.*s>", PR_PRINT(address));
	tool->scope.rules = &memory;
	ask_one(ask, "check_relay", PR_CHECK_RELAY, &context, &(struct pr_list){ends, 2});
	ask_one(ask, "check_mail", PR_CHECK_MAIL, &context, &(struct pr_list){&from, 1});
	context.sender = from;
	ask_one(ask, "check_rcpt", PR_CHECK_RCPT, &context, &(struct pr_list){&to, 1});
	rules_session_close(&tool->scope);
	tool->scope.rules = NULL;
}
