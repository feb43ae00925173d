/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of the option are rows.  Recipients are those that the client named, each once, the last one first as sendmail has them: what an
 * alias stands for is nobody's business.
 */
#include "kernel/session/no_recipient.h"

static const struct action {
	const char *word, *name;
	const char *value; /* NULL: the recipients */
} actions[] = {
    {"add-to", "To", NULL},
    {"add-apparently-to", "Apparently-To", NULL},
    {"add-to-undisclosed", "To", " undisclosed-recipients:;"},
    {"add-bcc", "Bcc", " "},
};

static const struct action *find_action(struct pr_str word)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (pr_str_equal_nocase(pr_str(actions[i].word), word))
			return &actions[i];
	return NULL;
}

static struct pr_str named(const struct pr_recipient *recipient)
{
	return recipient->final.data != NULL ? recipient->final : recipient->address;
}

/* Those of an alias stand one behind the other. */
static bool is_first(const struct part *part, size_t index)
{
	return index + 1 == part->recipient_count || !pr_str_equal(named(&part->recipients[index]), named(&part->recipients[index + 1]));
}

bool no_recipient_fill(struct transaction *transaction, const struct part *part, struct header_facts *facts)
{
	const struct action *action = find_action(transaction->session->receiver->options->no_recipient_action);
	size_t room = action != NULL && action->value == NULL ? part->recipient_count : 1;
	struct pr_arena *arena = &transaction->arena;

	if (action == NULL)
		return true;
	struct pr_header *fields = pr_arena_alloc(arena, room * sizeof *fields);
	if (fields == NULL)
		return false;
	facts->last = fields;
	if (action->value != NULL)
		fields[facts->last_count++] = (struct pr_header){pr_str(action->name), pr_str(action->value), PR_STR("")};
	for (size_t i = part->recipient_count; action->value == NULL && i-- > 0;)
		if (is_first(part, i))
			fields[facts->last_count++] = (struct pr_header){
			    pr_str(action->name), pr_arena_printf(arena, " %.*s", PR_PRINT(named(&part->recipients[i]))), PR_STR("")};
	return true;
}
