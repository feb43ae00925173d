/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl queue: the operator's hands.
 * What is meant is settled first, reading only; then each message is changed under its own lock by the store, so nothing
 * happens to one that is being delivered, and a queue that moves meanwhile costs a message on stderr and no more.
 */
#include "kernel/command/queue_job.h"

#include "kernel/master/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define MESSAGE_ARENA (40u << 20) /* more than the largest envelope a store reads */

static bool matches(const struct job *job, const struct message *message, bool full)
{
	if (job->term_count > 0 && (job->verb->states & 1u << message->entry.state) == 0)
		return false;
	for (size_t i = 0; i < job->term_count; i++)
		if (term_is_full(&job->terms[i]) == full && !term_holds(&job->terms[i], message))
			return false;
	return true;
}

/* Whoever writes here must leave files that the daemon can use: root, who can give them away, or the owner himself. */
static int permit(const char *directory)
{
	struct stat info;

	if (stat(directory, &info) != 0 && errno != EACCES) {
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
		return EX_UNAVAILABLE;
	}
	if (geteuid() == 0 || (stat(directory, &info) == 0 && info.st_uid == geteuid()))
		return EX_OK;
	fprintf(stderr, "You are not permitted to work on the queue %s: only root and its owner are\n", directory);
	return EX_NOPERM;
}

/* The envelope and the state as it is now.  PR_PERMFAIL: unreadable, which the message says itself. */
static enum pr_status look(struct job *job, struct message *message)
{
	struct pr_envelope *envelope = NULL;
	struct pr_entry entry = {.size = sizeof entry};

	enum pr_status status = store_peek(job->scope, message->entry.id, &envelope, &entry);
	message->why = status == PR_OK ? PR_NONE : job->scope->reason;
	message->envelope = status == PR_OK ? envelope : NULL;
	if (status == PR_OK) {
		entry.id = message->entry.id;
		message->entry = entry;
	}
	return status;
}

static int oldest_first(const void *a, const void *b)
{
	const struct message *x = a, *y = b;

	if (x->entry.created != y->entry.created)
		return x->entry.created < y->entry.created ? -1 : 1;
	return strcmp(x->entry.id.data, y->entry.id.data);
}

#define PROGRESS_EACH 1000

static void progress(const struct job *job, const char *what, size_t count)
{
	if (job->progress && count % PROGRESS_EACH == 0 && count > 0)
		fprintf(stderr, "%zu messages %s\n", count, what);
}

/* Programs read a line at a time: nothing is gathered or sorted, and the memory is that of one message. */
static int stream(struct job *job)
{
	struct pr_entry entry = {.size = sizeof entry};
	void *cursor = NULL;
	enum pr_status status;
	size_t seen = 0;

	while ((status = store_next(job->scope, &cursor, &entry)) == PR_OK) {
		struct message message = {.entry = entry};
		if (entry.state < QUEUE_STATES && matches(job, &message, false) && look(job, &message) != PR_NOTFOUND && matches(job, &message, true))
			queue_list_json(&job->out, &message);
		bool gone = job->out.len > 0 && (fwrite(job->out.data, 1, job->out.len, stdout) < job->out.len || fflush(stdout) != 0);
		pr_text_clear(&job->out);
		pr_arena_reset(job->scope->arena);
		entry = (struct pr_entry){.size = sizeof entry};
		progress(job, "looked at", ++seen);
		if (gone) { /* nobody reads any more */
			store_next_end(job->scope, &cursor);
			return EX_IOERR;
		}
	}
	if (status == PR_NOTFOUND)
		return EX_OK;
	fprintf(stderr, "postriderctl queue: %.*s\n", PR_PRINT(job->scope->reason));
	return EX_TEMPFAIL;
}

static int gather(struct job *job)
{
	struct pr_entry entry = {.size = sizeof entry};
	void *cursor = NULL;
	enum pr_status status;

	while ((status = store_next(job->scope, &cursor, &entry)) == PR_OK) {
		const struct message message = {.entry = entry};
		if (entry.state < QUEUE_STATES && matches(job, &message, false))
			queue_choose(job, &entry);
		pr_arena_reset(job->scope->arena);
	}
	if (job->count > 1)
		qsort(job->chosen, job->count, sizeof *job->chosen, oldest_first);
	if (status == PR_NOTFOUND)
		return EX_OK;
	fprintf(stderr, "postriderctl queue: %.*s\n", PR_PRINT(job->scope->reason));
	return EX_TEMPFAIL;
}

/* The error names the id and says what to do. */
static int complain(struct job *job, struct message *message, enum pr_status status)
{
	struct pr_str id = message->entry.id, reason = pr_arena_copy(job->scope->arena, job->scope->reason);
	enum pr_status there = status == PR_NOTFOUND ? look(job, message) : status;

	fprintf(stderr, "%.*s: ", PR_PRINT(id));
	if (there == PR_NOTFOUND)
		fprintf(stderr, "not in the queue; `postriderctl queue list` shows what is\n");
	else if (status == PR_NOTFOUND && job->verb->edits)
		fprintf(stderr, "%.*s; `postriderctl queue show` names them\n", PR_PRINT(reason));
	else if (status == PR_NOTFOUND && there == PR_OK && message->entry.state != PR_ENTRY_LOST)
		fprintf(stderr, "it is %s, not held: there is nothing to release\n", queue_states[message->entry.state]);
	else if (status == PR_NOTFOUND)
		fprintf(stderr, "set aside as unreadable%s%.*s; delete it, or repair its file and name it qf again\n",
		    message->why.len > 0 ? ": " : "", PR_PRINT(message->why));
	else
		fprintf(stderr, "%.*s\n", PR_PRINT(reason));
	return there == PR_NOTFOUND ? EX_NOINPUT : there == PR_TEMPFAIL ? EX_TEMPFAIL : EX_SOFTWARE;
}

static int show_all(struct job *job)
{
	int worst = EX_OK;

	for (size_t i = 0; i < job->count; i++) {
		struct message *message = &job->chosen[i];
		enum pr_status status = look(job, message);
		if (status == PR_NOTFOUND ? job->by_id : job->by_id && status != PR_OK)
			worst = complain(job, message, status);
		else if (status != PR_NOTFOUND && matches(job, message, true))
			job->verb->show(&job->out, message);
		(void)fwrite(job->out.data, 1, job->out.len, stdout);
		pr_text_clear(&job->out);
		pr_arena_reset(job->scope->arena);
	}
	return worst;
}

/* What the terms mean is settled for all of them before the first is changed. */
static void narrow(struct job *job)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->count; i++) {
		struct message *message = &job->chosen[i];
		if (look(job, message) != PR_NOTFOUND && matches(job, message, true))
			job->chosen[kept++] = (struct message){.entry = message->entry};
		else
			pr_free((void *)(uintptr_t)message->entry.id.data);
		pr_arena_reset(job->scope->arena);
	}
	job->count = kept;
	if (kept == 0)
		fprintf(stderr, "no message matches\n");
}

static int change_all(struct job *job, size_t *done_out)
{
	int worst = EX_OK;

	if (!store_role(job->scope, PR_STORE_DELIVERY)) {
		fprintf(stderr, "postriderctl queue: %.*s\n", PR_PRINT(job->scope->reason));
		return EX_TEMPFAIL;
	}
	for (size_t i = 0; i < job->count; i++) {
		enum pr_status status = job->verb->change(job, job->chosen[i].entry.id);
		if (status == PR_OK) {
			printf("%s %s\n", job->chosen[i].entry.id.data, job->verb->done);
			job->chosen[i].changed = true;
			++*done_out;
		} else {
			worst = complain(job, &job->chosen[i], status);
		}
		pr_arena_reset(job->scope->arena);
		progress(job, job->verb->done, i + 1);
	}
	return worst;
}

/* The next that were changed, as many as a selection holds. */
static void select_changed(const struct job *job, size_t *next, struct queue_selection *selection)
{
	for (selection->count = 0; *next < job->count && selection->count < SELECTION_TERMS_MAX; ++*next)
		if (job->chosen[*next].changed)
			selection->terms[selection->count++] = (struct selection_term){.letter = 'I', .text = job->chosen[*next].entry.id};
}

/* Those that were changed are tried now, however young they are; beyond what can be named so, a run of everything comes upon them. */
static int ask_for_run(const struct job *job, const char *config)
{
	struct queue_selection selection = {.kind = SELECTION_WAITING};
	struct pr_text request;
	size_t next = 0;
	int status = EX_OK;

	pr_text_init(&request, CONTROL_LINE_MAX - 2);
	for (size_t asked = 0; next < job->count && status == EX_OK; asked++) {
		pr_text_clear(&request);
		pr_text_add_c(&request, "queue-run");
		if (asked == SELECTION_RUNS_MAX)
			next = job->count;
		else
			select_changed(job, &next, &selection);
		if (asked < SELECTION_RUNS_MAX && (selection.count == 0 || !selection_print(&selection, &request)))
			continue;
		status = control_tell(config, request.data);
	}
	pr_text_fini(&request);
	return status;
}

static int carry_out(struct job *job, const char *config)
{
	size_t done = 0;

	store_role(job->scope, PR_STORE_READ);
	if (job->json)
		return stream(job);
	int status = job->by_id ? EX_OK : gather(job);
	if (status != EX_OK)
		return status;
	if (job->verb->show != NULL)
		return show_all(job);
	if (!job->by_id)
		narrow(job);
	status = job->count > 0 ? change_all(job, &done) : EX_OK;
	if (done > 0) {
		int told = job->verb->wakes ? ask_for_run(job, config) : control_tell(config, "rescan");
		if (job->verb->wakes && told != EX_OK)
			fprintf(stderr, "the daemon could not be told; its next queue run finds the mail\n");
	}
	return status;
}

static int run(struct job *job, const struct arguments *arguments)
{
	struct config *config;
	struct pr_arena arena;
	struct tool tool;

	int status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	status = permit(config->options.queue_directory.data);
	config_free(config);
	if (status == EX_OK)
		status = tool_open_store(arguments, &tool);
	if (status != EX_OK)
		return status;
	pr_arena_init(&arena, MESSAGE_ARENA);
	pr_text_init(&job->out, 2 * MESSAGE_ARENA);
	job->scope = &tool.scope;
	tool.scope.arena = &arena;
	status = carry_out(job, arguments->config);
	tool.scope.arena = &tool.arena;
	pr_text_fini(&job->out);
	pr_arena_fini(&arena);
	tool_close(&tool);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

int queue_tool(const struct arguments *arguments)
{
	struct job job = {.verb = NULL};

	if (arguments->address_count > 1)
		job.verb = queue_verb(arguments->addresses[1]);
	if (job.verb == NULL && arguments->address_count > 1)
		fprintf(stderr, "postriderctl queue: there is no verb %s\n", arguments->addresses[1]);
	if (job.verb == NULL)
		return queue_usage();
	job.terms = pr_alloc(arguments->address_count * sizeof *job.terms);
	job.added = pr_alloc(arguments->address_count * sizeof *job.added);
	job.removed = pr_alloc(arguments->address_count * sizeof *job.removed);
	job.progress = isatty(STDERR_FILENO) == 1;
	pr_arena_init(&job.words, MESSAGE_ARENA);
	int status = queue_words(&job, arguments->addresses + 2, arguments->address_count - 2);
	if (status == EX_OK)
		status = run(&job, arguments);
	for (size_t i = 0; i < job.count; i++)
		pr_free((void *)(uintptr_t)job.chosen[i].entry.id.data);
	pr_free(job.chosen);
	pr_free(job.terms);
	pr_free(job.added);
	pr_free(job.removed);
	pr_arena_fini(&job.words);
	return status;
}
