/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailq: asks the daemon, who has all of it in memory, and reads the files when there is none or it serves another queue.
 * Here the source and the right to see it are settled; gathering and printing are kernel/queue's.
 */
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/dialogue.h"
#include "kernel/command/sendmail/places.h"
#include "kernel/queue/listing.h"
#include "kernel/queue/load.h"

#include <errno.h>
#include <postrider/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 120 /* between two pieces of what the daemon sends */

struct query {
	const struct arguments *arguments;
	struct queue_selection selection;
	struct pr_arena arena;
	struct listing listing;
};

static void print(void *context, struct pr_str text)
{
	(void)fwrite(text.data, 1, text.len, context);
}

static struct pr_recipient *recipients_of(struct plan_index_row row, struct pr_arena *arena, size_t *count_out)
{
	struct pr_recipient *list = pr_arena_alloc(arena, ((size_t)row.recipients + 1) * sizeof *list);
	struct plan_index_recipient one;
	size_t count = 0;

	while (list != NULL && count < row.recipients && row_next(&row, &one))
		list[count++].address = one.address;
	*count_out = count;
	return list;
}

/* The words of -qI -qR -qS -qQ are asked of a row as of an envelope. */
static bool is_chosen(void *context, const struct plan_index_row *row)
{
	struct query *query = context;
	struct pr_entry entry = {.size = sizeof entry, .id = row->id, .state = row->state};
	struct pr_envelope envelope = {.size = sizeof envelope, .sender = row->sender, .quarantine = row->quarantine};

	envelope.recipients = recipients_of(*row, &query->arena, &envelope.recipient_count);
	bool chosen = selection_matches(&query->selection, &entry, row->unreadable ? NULL : &envelope);
	pr_arena_reset(&query->arena);
	return chosen;
}

static void query_init(struct query *query, const struct config *config)
{
	const struct queue_selection *selection = &query->selection;

	query->listing = (struct listing){
	    .kind = selection->kind == SELECTION_QUARANTINED ? QUEUE_QUARANTINED : selection->kind == SELECTION_LOST ? QUEUE_LOST : QUEUE_WAITING,
	    .verbose = query->arguments->verbose, .group = selection->group, .no_total = selection->group.len > 0,
	    .tried_after = time(NULL) - config->options.min_queue_age, .limits = load_limits(&config->options), .load = load_read(&config->options),
	    .recipient_factor = config->options.recipient_factor};
	plan_sort_parse(config->options.queue_sort_order, &query->listing.sort);
	if (selection->count > 0) {
		query->listing.filter = is_chosen;
		query->listing.filter_context = query;
	}
}

static int connect_daemon(const char *config)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	static const char request[] = "queue-list\n";
	struct places places;
	struct pr_text error;
	int fd = -1;

	pr_text_init(&error, 4096);
	if (places_find(config, &places, &error) != EX_OK || !dialogue_connect(places.control_socket, &fd))
		fd = -1;
	pr_text_fini(&error);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (pr_write_all(fd, request, sizeof request - 1))
		return fd;
	close(fd);
	return -1;
}

static enum listing_answer ask_daemon(struct query *query, const struct config *config)
{
	int fd = connect_daemon(query->arguments->config);

	if (fd < 0)
		return LISTING_NONE;
	enum listing_answer answer = listing_receive(&query->listing, fd, config->options.queue_directory);
	close(fd);
	return answer;
}

/* A queue that does not exist yet is an empty one; one that we may not enter is somebody else's. */
static bool is_permitted(const struct config *config)
{
	return access(config->options.queue_directory.data, R_OK | X_OK) == 0 || errno != EACCES;
}

static int deny(void)
{
	fprintf(stderr, "You are not permitted to see the queue\n");
	return EX_NOPERM;
}

static int read_files(struct query *query)
{
	struct tool tool;
	int status = tool_open_store(query->arguments, &tool);

	if (status != EX_OK)
		return status;
	places_from_config(&query->listing.places, tool.config);
	store_role(&tool.scope, PR_STORE_READ);
	if (listing_gather(&query->listing, &tool.scope) != PR_OK) {
		fprintf(stderr, "%.*s: %.*s\n", PR_PRINT(tool.config->options.queue_directory), PR_PRINT(tool.scope.reason));
		status = EX_TEMPFAIL;
	}
	tool_close(&tool);
	return status;
}

/* -Ac: what waits for a daemon, whether there is one or not. */
static int gather_submissions(struct query *query, const struct config *config)
{
	places_add(&query->listing.places, config->drop_directory, PR_NONE);
	if (listing_gather_drop(&query->listing, config->drop_directory.data))
		return EX_OK;
	if (errno == EACCES)
		return deny();
	fprintf(stderr, "%.*s: %s\n", PR_PRINT(config->drop_directory), strerror(errno));
	return EX_TEMPFAIL;
}

/* With no daemon there is more mail than the queue's; who may not read it there is not told of it. */
static int read_all(struct query *query, const struct config *config)
{
	int status = read_files(query);

	if (status == EX_OK && query->listing.kind == QUEUE_WAITING && query->selection.group.len == 0)
		(void)listing_gather_drop(&query->listing, config->drop_directory.data);
	return status;
}

static int gather(struct query *query, const struct config *config)
{
	if (query->arguments->submission)
		return gather_submissions(query, config);
	/* what is set aside from the start is nobody's to deliver, so the index hears of it late: who may read the files does */
	if (query->listing.kind != QUEUE_WAITING && access(config->options.queue_directory.data, R_OK | X_OK) == 0)
		return read_files(query);
	switch (ask_daemon(query, config)) {
	case LISTING_WHOLE:
		return EX_OK;
	case LISTING_DENIED:
		return deny();
	case LISTING_OTHER:
		return is_permitted(config) ? read_files(query) : deny();
	case LISTING_NONE:
		break;
	}
	return is_permitted(config) ? read_all(query, config) : deny();
}

static int show(struct query *query, const struct config *config)
{
	query_init(query, config);
	int status = gather(query, config);
	if (status == EX_OK)
		listing_print(&query->listing, print, stdout);
	listing_fini(&query->listing);
	return status == EX_OK && fflush(stdout) != 0 ? EX_IOERR : status;
}

int mailq_mode(const struct arguments *arguments)
{
	struct query query = {.arguments = arguments};
	struct config *config = NULL;
	int64_t ignored;

	int status = tool_selection(arguments, &query.selection);
	if (status == EX_OK)
		status = tool_interval(arguments, &ignored, NULL);
	if (status == EX_OK)
		status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	if (query.selection.group.len > 0 && config_group(config, query.selection.group) == NULL &&
	    !pr_str_equal_nocase(query.selection.group, PR_STR("mqueue"))) {
		fprintf(stderr, "Queue group %.*s unknown\n", PR_PRINT(query.selection.group)); /* and, as with sendmail, nothing else */
	} else {
		pr_arena_init(&query.arena, 64u << 20);
		status = show(&query, config);
		pr_arena_fini(&query.arena);
	}
	config_free(config);
	return status;
}

/* -bP: what sendmail keeps in shared memory, we have in the daemon's. */
int mailq_counts_mode(const struct arguments *arguments)
{
	struct query query = {.arguments = arguments};
	struct config *config = NULL;
	int status = tool_config(arguments, &config);

	if (status != EX_OK)
		return status;
	query_init(&query, config);
	enum listing_answer answer = ask_daemon(&query, config);
	if (answer == LISTING_WHOLE)
		listing_print_counts(&query.listing, print, stdout);
	else if (answer == LISTING_DENIED)
		status = deny();
	else
		printf("Data unavailable: shared memory not updated\n");
	listing_fini(&query.listing);
	config_free(config);
	return status;
}
