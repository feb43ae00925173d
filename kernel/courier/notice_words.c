/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the try that has just ended knows of each recipient beside the line that the queue keeps: the command that was answered, all lines
 * of the reply, and whether a mailbox, a program or a host gave it.
 */
#include "kernel/courier/internal.h"
#include "kernel/mail/dsn.h"

static bool is_code(struct pr_str reply)
{
	return reply.len > 0 && reply.data[0] >= '2' && reply.data[0] <= '5';
}

/* "550 5.1.1 <joe@example.org>... User unknown" */
static struct pr_str closing_of(struct job *job, const struct parcel *parcel)
{
	const struct compat_result *compat = parcel->compat;

	return pr_arena_printf(&job->arena, "%s %.*s%s%s", compat->codes, PR_PRINT(compat->about_recipient ? parcel->recipient->address : PR_STR("")),
	    compat->about_recipient ? "... " : "", compat->word);
}

static struct dsn_word word_of(struct job *job, const struct parcel *parcel)
{
	const struct group *group = parcel->group != 0 ? &job->groups[parcel->group - 1] : NULL;
	bool local = group == NULL || (group->instance != NULL && module_mailer_has_flag(group->instance, 'l'));
	bool special = parcel->user.len > 0 && (parcel->user.data[0] == '|' || parcel->user.data[0] == '/');
	struct dsn_word word = {.command = parcel->command, .reply = parcel->reply, .code = parcel->code, .by = parcel->by, .local = local || special,
	                        .silent = parcel->compat != NULL && parcel->compat->word == NULL};

	if (group != NULL && group->instance != NULL)
		word.types = module_config(group->instance)->types;
	if (parcel->compat != NULL && parcel->compat->codes != NULL)
		word.closing = closing_of(job, parcel);
	if (local && group != NULL && !special)
		word.user = parcel->user;
	/* a mailbox speaks like a host, a program does not */
	if (word.user.len > 0 && parcel->status == PR_PERMFAIL && parcel->code != 0 && !is_code(parcel->reply))
		word.reply = pr_arena_printf(&job->arena, "%u %.*s %.*s", parcel->code, PR_PRINT(parcel_enhanced(parcel)), PR_PRINT(parcel->reply));
	return word;
}

const struct dsn_word *notice_words(struct job *job)
{
	struct dsn_word *words = pr_arena_alloc(&job->arena, (job->envelope->recipient_count + 1) * sizeof *words);

	for (size_t i = 0; words != NULL && i < job->parcel_count; i++)
		words[job->parcels[i].recipient - job->envelope->recipients] = word_of(job, &job->parcels[i]);
	return words;
}
