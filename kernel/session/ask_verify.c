/* SPDX-License-Identifier: BSD-2-Clause
 *
 * VRFY, EXPN and ETRN.  What is shown of a list are mail addresses only: no program, file or path ever leaves this host.
 */
#include "kernel/session/ask.h"

#include "kernel/session/aliases.h"
#include "kernel/session/policy.h"
#include "kernel/session/transaction.h"

#define LINES_MAX 1000

static struct pr_str shown(const struct ask *ask, struct pr_str address)
{
	struct pr_str inner = pr_address_inner(address);
	struct pr_str host = ask->session->receiver->options->host_name;
	struct pr_address parts;

	pr_address_split(inner, &parts);
	if (parts.domain.len > 0)
		return pr_arena_printf(&ask->bench->arena, "<%.*s>", PR_PRINT(inner));
	return pr_arena_printf(&ask->bench->arena, "<%.*s@%.*s>", PR_PRINT(inner), PR_PRINT(host));
}

static void list_members(struct ask *ask, struct expansion *expansion, struct pr_str asked)
{
	struct pr_arena *arena = &ask->bench->arena;
	size_t count = 0, lines = 0;
	const struct pr_recipient *members = expansion_recipients(expansion, &count);
	struct pr_str *items = pr_arena_alloc(arena, LINES_MAX * sizeof *items);

	for (size_t i = 0; items != NULL && i < count && lines < LINES_MAX; i++) {
		struct pr_str member = members[i].address;
		if (member.len > 0 && member.data[0] != '|' && member.data[0] != '/')
			items[lines++] = shown(ask, member);
	}
	if (ask->question->ask == SMTP_ASK_VRFY || lines == 0) {
		if (items == NULL)
			return;
		items[0] = shown(ask, asked);
		lines = 1;
	}
	ask->answer->lines = (struct pr_list){items, lines};
}

void ask_verify(struct ask *ask)
{
	struct session *session = ask->session;
	struct pr_list arguments = {&ask->question->argument, 1};
	struct pr_recipient model = {.flags = PR_RECIPIENT_PRIMARY};
	struct expand_result result = {0};
	struct pr_str address = pr_address_inner(pr_str_trim(ask->question->argument));
	enum pr_check check = ask->question->ask == SMTP_ASK_VRFY ? PR_CHECK_VRFY : PR_CHECK_EXPN;

	session->issued = 1;
	if (session->user.data == NULL && (!policy_check(session, ask->bench, ask->scope, check, &arguments, &ask->answer->verdict)))
		return;
	/* A transaction of its own: looking does not touch the one that may be open. */
	struct transaction *looking = transaction_new(session);
	looking->sender = PR_STR("<>");
	looking->scope = ask->scope;
	looking->expansion = aliases_expansion(looking);
	model.address = address;
	enum pr_status status = expansion_add(looking->expansion, address, &model, true, &result);
	if (status == PR_OK) {
		list_members(ask, looking->expansion, address);
	} else {
		struct pr_verdict *verdict = &ask->answer->verdict;
		*verdict = (struct pr_verdict){.action = status == PR_PERMFAIL ? PR_REJECT : PR_DEFER, .code = result.code,
		    .enhanced = pr_arena_copy(&ask->bench->arena, result.enhanced),
		    .text = pr_arena_copy(&ask->bench->arena, result.text)};
		policy_complete(verdict);
	}
	expansion_free(looking->expansion);
	pr_arena_fini(&looking->arena);
	pr_free(looking);
}

void ask_etrn(struct ask *ask)
{
	struct pr_list arguments = {&ask->question->argument, 1};
	struct pr_str node = pr_str_trim(ask->question->argument);

	ask->session->issued = 1;
	if (ask->session->user.data == NULL &&
	    !policy_check(ask->session, ask->bench, ask->scope, PR_CHECK_ETRN, &arguments, &ask->answer->verdict))
		return;
	/* There are no queues by name: the scheduler tries every destination by itself. */
	struct pr_str text = pr_arena_printf(&ask->bench->arena, "Queue %.*s unknown", PR_PRINT(pr_str_slice(node, 0, 255)));
	ask_refuse(ask, PR_DEFER, 459, "4.5.4", text.data);
}
