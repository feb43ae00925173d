/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `sendmail -v -q` shows on its terminal, in sendmail's words: which message is its turn, where it goes, what is said there
 * and what came of it.  Each text is written at once, by the one worker that such a run has; what mailers say comes through the set's watch.
 * The transcript of -X is made of the same, with the messages.
 */
#include "kernel/courier/internal.h"

#include "kernel/log/trace.h"

#include <postrider/file.h>
#include <postrider/host.h>
#include <unistd.h>

#define SHOWN 1000
#define LINE_SHOWN 8000

static bool is_on(const struct job *job)
{
	return job->courier->role->verbose != 0;
}

static void say(struct pr_text *text)
{
	(void)pr_write_all(STDOUT_FILENO, text->data, text->len); /* a reader that left is no reason to stop delivering */
	pr_text_fini(text);
}

static void say_turn(const struct job *job, const struct plan_entry *entry, const char *what, bool locked)
{
	struct courier *courier = job->courier;
	struct pr_text out;

	if (!is_on(job) || !job->turn.urgent)
		return;
	pthread_mutex_lock(&courier->lock);
	size_t at = ++courier->sequence_at, of = courier->sequence_of;
	pthread_mutex_unlock(&courier->lock);
	pr_text_init(&out, 8192);
	pr_text_addf(&out, "\n%s %.*s/%s (sequence %zu of %zu)\n", what, PR_PRINT(courier->options->queue_directory), entry->id, at, of);
	if (locked)
		pr_text_addf(&out, "%s: locked\n", entry->id);
	say(&out);
}

void verbose_turn(const struct job *job, const struct plan_entry *entry, bool locked)
{
	say_turn(job, entry, "Running", locked);
}

void verbose_skipped(const struct job *job, const struct plan_entry *entry)
{
	say_turn(job, entry, "Skipping", false);
}

void verbose_no_run(const struct courier *courier)
{
	static const char text[] = "Skipping queue run -- load average too high\n\n";

	if (courier->role->verbose != 0)
		(void)pr_write_all(STDOUT_FILENO, text, sizeof text - 1);
}

static bool is_of(const struct job *job, const struct parcel *parcel, const struct group *group)
{
	return parcel->group == (group == NULL ? 0 : (uint32_t)(group - job->groups) + 1);
}

/* "<a@x>,<b@x>": those of the group that have no result yet. */
static void add_waiting(const struct job *job, const struct group *group, struct pr_text *out)
{
	for (size_t i = 0; i < job->parcel_count; i++) {
		if (!is_of(job, &job->parcels[i], group) || job->parcels[i].status != PR_MISUSE)
			continue;
		pr_text_add_c(out, out->len > 0 ? "," : "");
		pr_text_add_escaped(out, job->parcels[i].recipient->address, SHOWN);
	}
}

static void say_where(struct courier *courier, const char *what, struct pr_str where)
{
	const struct group *group = courier->shown.group;
	struct pr_text out;

	pr_text_init(&out, 1u << 20);
	add_waiting(courier->shown.job, group, &out);
	pr_text_addf(&out, "... %s ", what);
	pr_text_add_escaped(&out, where.len > 0 ? where : group->mailer, SHOWN);
	if (where.len > 0) {
		pr_text_add_c(&out, " via ");
		pr_text_add_escaped(&out, group->mailer, SHOWN);
	}
	pr_text_add_c(&out, "...\n");
	say(&out);
}

void verbose_connecting(const struct job *job, const struct group *group)
{
	struct courier *courier = job->courier;

	if (!is_on(job))
		return;
	courier->shown = (struct courier_shown){.job = job, .group = group};
	/* one with a host has more to say: which of several, and whether anew */
	if (group->host.len == 0)
		say_where(courier, "Connecting to", PR_NONE);
}

static void say_lines(const char *mark, struct pr_str lines)
{
	struct pr_str line;
	struct pr_text out;

	pr_text_init(&out, 1u << 22);
	while (pr_str_next(&lines, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0 && lines.len == 0)
			break; /* behind the last end of line */
		pr_text_add_c(&out, mark);
		pr_text_add_escaped(&out, line, LINE_SHOWN);
		pr_text_add_byte(&out, '\n');
	}
	say(&out);
}

/* A thread drives one conversation. */
static void trace(uint32_t what, struct pr_str text)
{
	static __thread struct trace mine;
	struct pr_str rest = text, line;

	if (!trace_is_on())
		return;
	if (mine.number == 0)
		trace_init(&mine);
	if (what == PR_PROGRESS_CONNECTING) {
		struct pr_text event;
		pr_text_init(&event, SHOWN);
		pr_text_addf(&event, "CONNECT %.*s", PR_PRINT(pr_str_slice(text, 0, pr_str_find(text, ' '))));
		trace_event(&mine, pr_text_str(&event));
		pr_text_fini(&event);
	} else if (what == PR_PROGRESS_MESSAGE) {
		trace_bytes(&mine, TRACE_SAID, text);
	}
	if (what != PR_PROGRESS_SENT && what != PR_PROGRESS_RECEIVED)
		return;
	if (what == PR_PROGRESS_SENT && pr_str_equal(text, PR_STR("."))) /* it is the end of the message, too */
		return;
	while (pr_str_next(&rest, '\n', &line) && (line.len > 0 || rest.len > 0))
		trace_line(&mine, what == PR_PROGRESS_SENT ? TRACE_SAID : TRACE_HEARD, line);
}

static void watch(void *context, uint32_t what, struct pr_str text)
{
	struct courier *courier = context;
	bool running = courier->shown.job != NULL;

	trace(what, text);
	if (courier->role->verbose == 0)
		return;
	if (what == PR_PROGRESS_CLOSING) {
		struct pr_text out;
		pr_text_init(&out, 4 * SHOWN);
		pr_text_add_c(&out, "Closing connection to ");
		pr_text_add_escaped(&out, text, SHOWN);
		pr_text_add_byte(&out, '\n');
		say(&out);
	} else if (what == PR_PROGRESS_CONNECTING && running) {
		say_where(courier, "Connecting to", text);
	} else if (what == PR_PROGRESS_CACHED && running) {
		say_where(courier, "Using cached", text);
	} else if (what == PR_PROGRESS_SENT || what == PR_PROGRESS_RECEIVED) {
		say_lines(what == PR_PROGRESS_SENT ? ">>> " : "", text);
	}
}

void verbose_open(struct courier *courier)
{
	if (courier->role->verbose != 0 || trace_is_on())
		module_set_watch(courier->set, watch, courier);
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
	if (parcel->status == PR_PERMFAIL && (parcel->group != 0 || line.len == 0)) {
		pr_text_add_c(out, report_failure_word(parcel->enhanced));
		return;
	}
	if (parcel->status != PR_PERMFAIL && !pr_str_has_prefix_nocase(line, PR_STR("Deferred")) && !pr_str_equal(line, PR_STR("queued")))
		pr_text_add_c(out, line.len > 0 ? "Deferred: " : "Deferred");
	pr_text_add_escaped(out, line, SHOWN);
}

/* What was said to all of them at once stands on one line, what a RCPT was answered on one of its own. */
static bool is_same(const struct parcel *a, const struct parcel *b)
{
	return a->status == b->status && (a->status == PR_OK || (a->code == 0 && b->code == 0)) && pr_str_equal(a->reply, b->reply);
}

static void say_result(struct pr_text *who, const struct parcel *parcel)
{
	if (parcel == NULL)
		return;
	pr_text_add_c(who, "... ");
	add_result(who, parcel);
	pr_text_add_byte(who, '\n');
	(void)pr_write_all(STDOUT_FILENO, who->data, who->len);
	pr_text_clear(who);
}

void verbose_results(const struct job *job, const struct group *group)
{
	const struct parcel *last = NULL;
	struct pr_text who;

	if (!is_on(job))
		return;
	job->courier->shown = (struct courier_shown){.job = NULL};
	pr_text_init(&who, 1u << 20);
	for (size_t i = 0; i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];
		if (!is_of(job, parcel, group) || parcel->status == PR_MISUSE)
			continue;
		if (last != NULL && !is_same(last, parcel)) {
			say_result(&who, last);
			last = NULL;
		}
		pr_text_add_c(&who, last != NULL ? "," : "");
		pr_text_add_escaped(&who, parcel->recipient->address, SHOWN);
		last = parcel;
	}
	say_result(&who, last);
	pr_text_fini(&who);
}
