/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ETRN (RFC 1985): a host that was away asks for what waits for it.  check_etrn decides whether it may; then a queue run begins in the
 * courier for what the argument names, and nobody waits for its end.
 *
 *     example.org    recipients at that host: "@example.org" is part of the address
 *     @example.org   and at all hosts below it: "example.org" is
 *     #slow          a queue group
 */
#include "kernel/session/ask.h"

#include "kernel/queue/queue.h"
#include "kernel/queue/selection.h"
#include "kernel/session/report.h"

static bool is_group(const struct config *config, struct pr_str name)
{
	return pr_str_equal_nocase(name, PR_STR("mqueue")) || config_group(config, name) != NULL;
}

/* False: there is no such group, and the answer is no. */
static bool choose(struct ask *ask, struct pr_str node, struct queue_selection *selection)
{
	struct pr_arena *arena = &ask->bench->arena;
	struct pr_str name = pr_str_slice(node, 1, node.len);

	if (node.data[0] != '#') {
		struct pr_str part = node.data[0] == '@' ? name : pr_arena_printf(arena, "@%.*s", PR_PRINT(node));
		selection->terms[selection->count++] = (struct selection_term){.letter = 'R', .text = part};
		return true;
	}
	selection->group = name;
	if (is_group(ask->session->receiver->config, name)) {
		ask->answer->verdict.text = pr_arena_printf(arena, "Queuing for queue group %.*s started", PR_PRINT(name));
		return true;
	}
	ask_refuse(ask, PR_DEFER, 459, "4.5.4", pr_arena_printf(arena, "Queue %.*s unknown", PR_PRINT(pr_str_slice(name, 0, 255))).data);
	return false;
}

static bool begin_run(struct ask *ask, const struct queue_selection *selection)
{
	struct pr_text line;

	pr_text_init(&line, SELECTION_TEXT_MAX);
	bool begun = selection_print(selection, &line) && queue_wake_run(ask->session->receiver->role->wake, pr_text_str(&line));
	pr_text_fini(&line);
	return begun;
}

void ask_etrn(struct ask *ask)
{
	struct pr_str node = ask->question->argument;
	struct pr_list arguments = {&node, 1};
	struct queue_selection selection = {.count = 0};

	ask->session->issued = 1;
	if (!ask_rules(ask, PR_CHECK_ETRN, &arguments))
		return;
	report_asked(ask->session, ask->bench, "ETRN", node);
	ask->answer->verdict = (struct pr_verdict){.action = PR_CONTINUE};
	if (choose(ask, node, &selection) && !begin_run(ask, &selection))
		ask_refuse(ask, PR_DEFER, 458, "4.3.2", pr_arena_printf(&ask->bench->arena, "Unable to queue messages for node %.*s", PR_PRINT(pr_str_slice(node, 0, 255))).data);
}
