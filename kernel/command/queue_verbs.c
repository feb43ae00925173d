/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The verbs of postriderctl queue: a verb is a row of a table, and what it does to one message is a question to the store.
 */
#include "kernel/command/queue_job.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define BIT(state) (1u << (state))
#define SET_ASIDE (BIT(PR_ENTRY_HELD) | BIT(PR_ENTRY_QUARANTINED))
#define ALL_STATES (BIT(QUEUE_STATES) - 1)

static enum pr_status hold(struct job *job, struct pr_str id)
{
	struct pr_envelope *envelope;
	struct pr_entry entry;

	/* a second hold without a reason must not wipe out the first one's */
	if (job->reason.len == 0 && store_peek(job->scope, id, &envelope, &entry) == PR_OK &&
	    (BIT(entry.state) & SET_ASIDE) != 0) {
		job->scope->reason = PR_STR("it is held already; --reason gives it another reason");
		return PR_PERMFAIL;
	}
	return store_hold(job->scope, id, job->reason.len > 0 ? job->reason : PR_NONE);
}

static enum pr_status quarantine(struct job *job, struct pr_str id)
{
	struct pr_str reason = job->reason.len > 0 ? job->reason : PR_STR("by the operator");
	enum pr_status status = store_quarantine(job->scope, id, reason);

	/* the same in a store that knows only one way to set aside */
	return status == PR_MISUSE ? store_hold(job->scope, id, reason) : status;
}

static enum pr_status edit(struct job *job, struct pr_str id)
{
	struct pr_edit change = job->edit;

	change.size = sizeof change;
	change.remove.items = job->removed;
	change.add.items = job->added;
	return store_edit(job->scope, id, &change);
}

static enum pr_status release(struct job *job, struct pr_str id)
{
	struct pr_envelope *envelope;
	struct pr_entry entry = {.size = sizeof entry};

	/* a store may call it a success when there was nothing to do; the operator named the wrong message */
	if (store_peek(job->scope, id, &envelope, &entry) == PR_OK && (BIT(entry.state) & SET_ASIDE) == 0)
		return PR_NOTFOUND;
	return store_unhold(job->scope, id);
}

static enum pr_status delete(struct job *job, struct pr_str id)
{
	return store_remove(job->scope, id);
}

static enum pr_status requeue(struct job *job, struct pr_str id)
{
	return store_requeue(job->scope, id);
}

static const struct verb verbs[] = {
    {"list", "[--json] [TERM...]", queue_list_line, NULL, NULL, ALL_STATES, .terms = true, .json = true},
    {"show", "ID...", queue_show, NULL, NULL, ALL_STATES, .ids = true},
    {"hold", "[--reason TEXT] ID... | TERM...", NULL, hold, "held", BIT(PR_ENTRY_READY) | BIT(PR_ENTRY_CLAIMED),
        .ids = true, .terms = true, .reason = true},
    {"quarantine", "[--reason TEXT] ID... | TERM...", NULL, quarantine, "quarantined", ALL_STATES & ~BIT(PR_ENTRY_LOST), .ids = true,
        .terms = true, .reason = true},
    {"edit", "[--sender ADDRESS] [--remove ADDRESS]... [--add ADDRESS]... ID... | TERM...", NULL, edit, "changed",
        ALL_STATES & ~BIT(PR_ENTRY_LOST), .ids = true, .terms = true, .edits = true},
    {"release", "ID... | TERM...", NULL, release, "released", SET_ASIDE, .ids = true, .terms = true, .wakes = true},
    {"delete", "ID... | TERM...", NULL, delete, "deleted", ALL_STATES, .ids = true, .terms = true},
    {"requeue", "ID... | TERM...", NULL, requeue, "requeued", ALL_STATES & ~BIT(PR_ENTRY_LOST), .ids = true,
        .terms = true, .wakes = true},
};

const struct verb *queue_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

int queue_usage(void)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(stderr, "%s postriderctl queue %s %s\n", i == 0 ? "usage:" : "      ", verbs[i].name, verbs[i].help);
	struct pr_text help;
	pr_text_init(&help, 8192);
	term_print_help(&help);
	fputs(help.data, stderr);
	pr_text_fini(&help);
	return EX_USAGE;
}
