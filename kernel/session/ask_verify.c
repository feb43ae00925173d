/* SPDX-License-Identifier: BSD-2-Clause
 *
 * VRFY and EXPN.  What is shown of a list are mail addresses only: no program, file or path ever leaves this host.
 */
#include "kernel/session/ask.h"

#include "kernel/session/account.h"
#include "kernel/session/aliases.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/transaction.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 1000

/* One line, and what puts it into its place. */
struct line {
	struct pr_str text, host;
	size_t number;
	bool local;
	bool sure; /* F=q: VRFY may say that he is there */
};

/* "Full Name <joe@host>" for an account, "<a@b>" for anything else; who is no alias may be sent elsewhere by the rules (LUSER_RELAY). */
static void show(const struct ask *ask, struct pr_str address, bool is_alias, struct line *line)
{
	struct pr_arena *arena = &ask->bench->arena;
	struct module_set *modules = ask->session->receiver->modules;
	struct pr_str inner = pr_address_inner(address), host = ask->session->receiver->options->host_name, name = PR_NONE;
	struct pr_route route = {.size = sizeof route};
	struct pr_address parts;
	bool is_account = true;

	pr_address_split(inner, &parts);
	line->host = parts.domain;
	line->local = parts.domain.len == 0;
	line->sure = false;
	enum pr_status status = is_alias ? rules_resolve(ask->scope, inner, PR_STR(""), &route) : rules_destination(ask->scope, inner, PR_STR(""), &route);
	if (status == PR_OK) {
		const struct module_instance *mailer = module_find(modules, PR_KIND_MAILER, route.mailer);
		line->local = mailer != NULL && (module_mailer_has_flag(mailer, 'w') || module_mailer_has_flag(mailer, 'l'));
		is_account = mailer != NULL && module_mailer_has_flag(mailer, 'w');
		line->sure = mailer != NULL && module_mailer_has_flag(mailer, 'q');
		line->host = route.host;
	}
	if (line->local) {
		line->host = PR_STR("");
		inner = route.user.len > 0 ? route.user : parts.local;
		name = is_account ? account_full_name(inner, arena) : PR_NONE;
	}
	if (parts.domain.len > 0 && !line->local)
		line->text = pr_arena_printf(arena, "<%.*s>", PR_PRINT(inner));
	else
		line->text = pr_arena_printf(arena, "%.*s%s<%.*s@%.*s>", PR_PRINT(name), name.len > 0 ? " " : "", PR_PRINT(inner), PR_PRINT(host));
}

/* sendmail's order: by host, those without one first; among equals the latest first. */
static int compare(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	size_t both = a->host.len < b->host.len ? a->host.len : b->host.len;
	int order = both > 0 ? memcmp(a->host.data, b->host.data, both) : 0;

	if (order == 0 && a->host.len != b->host.len)
		order = a->host.len < b->host.len ? -1 : 1;
	return order != 0 ? order : a->number > b->number ? -1 : 1;
}

static void give_lines(struct ask *ask, struct line *lines, size_t count)
{
	struct pr_str *items = pr_arena_alloc(&ask->bench->arena, (count + 1) * sizeof *items);

	if (items == NULL)
		return;
	qsort(lines, count, sizeof *lines, compare);
	for (size_t i = 0; i < count; i++)
		items[i] = lines[i].text;
	ask->answer->lines = (struct pr_list){items, count};
}

static void list_members(struct ask *ask, struct expansion *expansion, struct pr_str asked)
{
	size_t count = 0, shown = 0;
	const struct pr_recipient *members = expansion_recipients(expansion, &count);
	struct line *lines = pr_arena_alloc(&ask->bench->arena, LINES_MAX * sizeof *lines);

	for (size_t i = 0; lines != NULL && ask->question->ask == SMTP_ASK_EXPN && i < count && shown < LINES_MAX; i++) {
		struct pr_str member = members[i].address;
		if (member.len == 0 || member.data[0] == '|' || member.data[0] == '/')
			continue;
		lines[shown].number = i;
		show(ask, member, false, &lines[shown++]);
	}
	if (lines != NULL && shown == 0)
		show(ask, asked, count != 1 || members[0].alias.data != NULL, &lines[shown++]);
	ask->answer->unsure = shown == 1 && ask->question->ask == SMTP_ASK_VRFY && !lines[0].sure;
	give_lines(ask, lines, shown);
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
	report_asked(session, ask->bench, check == PR_CHECK_VRFY ? "VRFY" : "EXPN", ask->question->argument);
	if (!ask_rules(ask, check, &arguments)) {
		ask->answer->as_it_is = true; /* what a set says of it is the whole text */
		return;
	}
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
		if (status != PR_PERMFAIL)
			report_failure(session, "expanding an address", ask->scope->reason.len > 0 ? ask->scope->reason : result.reason);
	}
	expansion_free(looking->expansion);
	pr_arena_fini(&looking->arena);
	pr_free(looking);
}
