/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `sendmail -v -q` shows on its terminal, in sendmail's words: which message is its turn, where it goes, what came of it.
 * Each text is written at once, by the one worker that such a run has.
 */
#include "kernel/courier/internal.h"

#include <postrider/file.h>
#include <unistd.h>

#define SHOWN 1000

static bool is_on(const struct job *job)
{
	return job->courier->role->verbose != 0;
}

static void say(struct pr_text *text)
{
	(void)pr_write_all(STDOUT_FILENO, text->data, text->len); /* a reader that left is no reason to stop delivering */
	pr_text_fini(text);
}

void verbose_turn(const struct job *job, const struct plan_entry *entry, bool locked)
{
	struct courier *courier = job->courier;
	struct pr_text out;

	if (!is_on(job) || !entry->urgent)
		return;
	pthread_mutex_lock(&courier->lock);
	size_t at = ++courier->sequence_at, of = courier->sequence_of;
	pthread_mutex_unlock(&courier->lock);
	pr_text_init(&out, 8192);
	pr_text_addf(&out, "\nRunning %.*s/%s (sequence %zu of %zu)\n", PR_PRINT(courier->options->queue_directory), entry->id, at, of);
	if (locked)
		pr_text_addf(&out, "%s: locked\n", entry->id);
	say(&out);
}

static bool is_of(const struct job *job, const struct parcel *parcel, const struct group *group)
{
	return parcel->group == (group == NULL ? 0 : (uint32_t)(group - job->groups) + 1);
}

void verbose_connecting(const struct job *job, const struct group *group)
{
	struct pr_text out;

	if (!is_on(job))
		return;
	pr_text_init(&out, 1u << 20);
	for (size_t i = 0; i < job->parcel_count; i++) {
		if (!is_of(job, &job->parcels[i], group))
			continue;
		pr_text_add_c(&out, out.len > 0 ? "," : "");
		pr_text_add_escaped(&out, job->parcels[i].recipient->address, SHOWN);
	}
	pr_text_add_c(&out, "... Connecting to ");
	pr_text_add_escaped(&out, group->host.len > 0 ? group->host : group->mailer, SHOWN);
	if (group->host.len > 0) {
		pr_text_add_c(&out, " via ");
		pr_text_add_escaped(&out, group->mailer, SHOWN);
	}
	pr_text_add_c(&out, "...\n");
	say(&out);
}

/* "250 2.0.0 ok" without its numbers. */
static struct pr_str without_codes(struct pr_str line)
{
	for (int i = 0; i < 2 && line.len > 0 && line.data[0] >= '0' && line.data[0] <= '9'; i++)
		line = pr_str_trim(pr_str_slice(line, pr_str_find(line, ' '), line.len));
	return line;
}

static void add_result(struct pr_text *out, const struct parcel *parcel)
{
	struct pr_str line = pr_str_trim(pr_str_slice(parcel->reply, 0, pr_str_find(parcel->reply, '\n')));

	if (parcel->status == PR_OK) {
		line = without_codes(line);
		pr_text_add_c(out, "Sent");
		if (line.len == 0 || pr_str_equal(line, PR_STR("Sent")))
			return;
		pr_text_add_c(out, " (");
		pr_text_add_escaped(out, line, SHOWN);
		pr_text_add_byte(out, ')');
		return;
	}
	if (parcel->status != PR_PERMFAIL && !pr_str_has_prefix_nocase(line, PR_STR("Deferred")) && !pr_str_equal(line, PR_STR("queued")))
		pr_text_add_c(out, line.len > 0 ? "Deferred: " : "Deferred");
	pr_text_add_escaped(out, parcel->status == PR_PERMFAIL && line.len == 0 ? PR_STR("Service unavailable") : line, SHOWN);
}

void verbose_results(const struct job *job, const struct group *group)
{
	for (size_t i = 0; is_on(job) && i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];
		struct pr_text out;
		if (!is_of(job, parcel, group) || parcel->status == PR_MISUSE)
			continue;
		pr_text_init(&out, 3 * 4 * SHOWN);
		pr_text_add_escaped(&out, parcel->recipient->address, SHOWN);
		pr_text_add_c(&out, "... ");
		add_result(&out, parcel);
		pr_text_add_byte(&out, '\n');
		say(&out);
	}
}
