/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words after the verb: options, terms of the filter, ids.  A word that fits nowhere is refused with what would fit.
 */
#include "kernel/command/queue_job.h"

#include <postrider/address.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define REASON_MAX 1000

void queue_choose(struct job *job, const struct pr_entry *entry)
{
	if (job->count == job->room) {
		job->room = job->room == 0 ? 64 : 2 * job->room;
		job->chosen = pr_resize(job->chosen, job->room * sizeof *job->chosen);
	}
	struct message *message = &job->chosen[job->count++];
	*message = (struct message){.entry = *entry};
	message->entry.id = pr_str(pr_copy_str(entry->id));
	message->entry.queue = PR_NONE;
}

static int add_term(struct job *job, struct pr_str word)
{
	struct pr_text why;

	pr_text_init(&why, 2000);
	bool good = term_parse(word, &job->terms[job->term_count], &why);
	if (good)
		job->term_count++;
	else
		fprintf(stderr, "postriderctl queue: %s\n", why.data);
	pr_text_fini(&why);
	return good ? EX_OK : EX_USAGE;
}

static int take_reason(struct job *job, const char *text)
{
	job->reason = text != NULL ? pr_str_trim(pr_str(text)) : PR_NONE;
	bool good = job->reason.len > 0 && job->reason.len <= REASON_MAX;
	for (size_t i = 0; good && i < job->reason.len; i++)
		good = (unsigned char)job->reason.data[i] >= ' ' && job->reason.data[i] != 0x7f;
	if (good)
		return EX_OK;
	fprintf(stderr, "postriderctl queue: --reason wants one line of text, at most %d bytes\n", REASON_MAX);
	return EX_USAGE;
}

/* "joe@example.org" or with its brackets; the queue keeps the brackets. */
static int take_address(struct job *job, const char *option, const char *text)
{
	struct pr_str address = pr_address_inner(pr_str_trim(pr_str(text)));
	bool sender = strcmp(option, "--sender") == 0, good = text != NULL && address.len <= 1000 && (sender || address.len > 0);

	for (size_t i = 0; good && i < address.len; i++)
		good = (unsigned char)address.data[i] > ' ' && address.data[i] != 0x7f && strchr("<>", address.data[i]) == NULL;
	if (!good) {
		fprintf(stderr, "postriderctl queue: %s wants an address\n", option);
		return EX_USAGE;
	}
	struct pr_str whole = pr_arena_printf(&job->words, "<%.*s>", PR_PRINT(address));
	if (sender)
		job->edit.sender = whole;
	else if (strcmp(option, "--add") == 0)
		job->added[job->edit.add.count++] = whole;
	else
		job->removed[job->edit.remove.count++] = whole;
	return EX_OK;
}

static bool is_edit(struct pr_str word)
{
	return pr_str_equal(word, PR_STR("--sender")) || pr_str_equal(word, PR_STR("--add")) || pr_str_equal(word, PR_STR("--remove"));
}

static int refuse_word(const struct job *job, struct pr_str word)
{
	const struct verb *verb = job->verb;
	bool option = word.len > 0 && word.data[0] == '-';

	fprintf(stderr, "postriderctl queue %s: \"%.*s\" is no %s; it takes %s\n", verb->name, PR_PRINT(word),
	        option ? "option of it" : verb->terms && verb->ids ? "id or term" : verb->terms ? "term such as sender=joe or state=held" : "id",
	        verb->help);
	return EX_USAGE;
}

int queue_words(struct job *job, char **words, size_t count)
{
	const struct verb *verb = job->verb;
	int status = EX_OK;

	for (size_t i = 0; i < count && status == EX_OK; i++) {
		struct pr_str word = pr_str(words[i]);
		if (verb->json && pr_str_equal(word, PR_STR("--json")))
			job->json = true;
		else if (pr_str_equal(word, PR_STR("--progress")))
			job->progress = true;
		else if (verb->edits && is_edit(word)) {
			const char *option = words[i];
			status = take_address(job, option, i + 1 < count ? words[++i] : NULL);
		} else if (verb->reason && pr_str_equal(word, PR_STR("--reason")))
			status = take_reason(job, i + 1 < count ? words[++i] : NULL);
		else if (verb->reason && pr_str_has_prefix_nocase(word, PR_STR("--reason=")))
			status = take_reason(job, words[i] + strlen("--reason="));
		else if (word.len > 0 && word.data[0] != '-' && verb->terms && pr_str_find(word, '=') < word.len)
			status = add_term(job, word);
		else if (word.len > 0 && word.data[0] != '-' && verb->ids)
			queue_choose(job, &(struct pr_entry){.size = sizeof(struct pr_entry), .id = word});
		else
			status = refuse_word(job, word);
	}
	job->by_id = job->count > 0;
	if (status == EX_OK && verb->edits && job->edit.sender.data == NULL && job->edit.add.count + job->edit.remove.count == 0) {
		fprintf(stderr, "postriderctl queue edit: change what?  --sender, --remove or --add\n");
		status = EX_USAGE;
	}
	if (status == EX_OK && job->by_id && job->term_count > 0) {
		fprintf(stderr, "postriderctl queue: ids or terms, not both\n");
		status = EX_USAGE;
	} else if (status == EX_OK && verb->ids && !job->by_id && job->term_count == 0) {
		fprintf(stderr, "postriderctl queue %s: which messages?  Name ids%s\n", verb->name, verb->terms ? " or terms" : "");
		status = EX_USAGE;
	}
	return status;
}
