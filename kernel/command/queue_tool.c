/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl queue: the operator's hands.  A verb is a row of a table, and so is a term of the filter.
 * What is meant is settled first, reading only; then each message is changed under its own lock by the store, so nothing
 * happens to one that is being delivered, and a queue that moves meanwhile costs a message on stderr and no more.
 */
#include "kernel/command/modes.h"

#include "kernel/command/queue_terms.h"

#include <errno.h>
#include <postrider/address.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_ARENA (40u << 20) /* more than the largest envelope a store reads */
#define REASON_MAX 1000

#define BIT(state) (1u << (state))
#define SET_ASIDE (BIT(PR_ENTRY_HELD) | BIT(PR_ENTRY_QUARANTINED))
#define ALL_STATES (BIT(QUEUE_STATES) - 1)

struct job {
	struct module_scope *scope;
	const struct verb *verb;
	struct term *terms;
	size_t term_count;
	struct message *chosen; /* without envelopes; ids on the heap */
	size_t count, room;
	struct pr_text out;
	struct pr_str reason; /* --reason */
	struct pr_edit edit;  /* --sender, and how many of the next two */
	struct pr_str *removed, *added;
	struct pr_arena words;
	bool progress;        /* --progress, or a terminal watches */
	bool json;
	bool by_id;
};

/* Either shows or changes, and says `done` of what it changed. */
struct verb {
	const char *name;
	const char *help;
	void (*show)(struct pr_text *out, const struct message *message);
	enum pr_status (*change)(struct job *job, struct pr_str id);
	const char *done;
	uint32_t states; /* that terms may choose */
	bool ids, terms, reason, json, wakes, edits;
};

static bool matches(const struct job *job, const struct message *message, bool full)
{
	if (job->term_count > 0 && (job->verb->states & BIT(message->entry.state)) == 0)
		return false;
	for (size_t i = 0; i < job->term_count; i++)
		if (term_is_full(&job->terms[i]) == full && !term_holds(&job->terms[i], message))
			return false;
	return true;
}

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

static int usage(void)
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

static void choose(struct job *job, const struct pr_entry *entry)
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

static int take_words(struct job *job, char **words, size_t count)
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
			choose(job, &(struct pr_entry){.size = sizeof(struct pr_entry), .id = word});
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
			choose(job, &entry);
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
			++*done_out;
		} else {
			worst = complain(job, &job->chosen[i], status);
		}
		pr_arena_reset(job->scope->arena);
		progress(job, job->verb->done, i + 1);
	}
	return worst;
}

static int carry_out(struct job *job, const char *config)
{
	struct pr_text lines;
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
	if (done > 0 && (job->verb->wakes || geteuid() == 0)) {
		pr_text_init(&lines, 65536);
		int told = control_ask(config, job->verb->wakes ? "queue-run" : "rescan", &lines);
		if (job->verb->wakes && told != EX_OK)
			fprintf(stderr, "the daemon could not be told; its next queue run finds the mail\n");
		pr_text_fini(&lines);
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

	for (size_t i = 0; arguments->address_count > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(arguments->addresses[1], verbs[i].name) == 0)
			job.verb = &verbs[i];
	if (job.verb == NULL && arguments->address_count > 1)
		fprintf(stderr, "postriderctl queue: there is no verb %s\n", arguments->addresses[1]);
	if (job.verb == NULL)
		return usage();
	job.terms = pr_alloc(arguments->address_count * sizeof *job.terms);
	job.added = pr_alloc(arguments->address_count * sizeof *job.added);
	job.removed = pr_alloc(arguments->address_count * sizeof *job.removed);
	job.progress = isatty(STDERR_FILENO) == 1;
	pr_arena_init(&job.words, MESSAGE_ARENA);
	int status = take_words(&job, arguments->addresses + 2, arguments->address_count - 2);
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
