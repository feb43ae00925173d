/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's side of mailq: keeps the index in step with what becomes of messages, and sends it as lines to whoever asks.
 * A list is sent by a thread of its own that copies some hundred rows under the lock and writes them without, so neither
 * a slow reader nor a long queue delays a delivery.
 *
 *   ID TAB queue TAB state TAB flags TAB running TAB created TAB last try TAB priority TAB size TAB sender TAB body type TAB message { TAB recipient }
 *
 * and at the end a line with a dot.  No field holds a tab or a line end: addresses never do, and in reasons they become blanks.
 */
#include "kernel/courier/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ROWS_AT_ONCE 256
#define PATIENCE_SECONDS 30
#define ROW_ARENA (40u << 20)

void index_open(struct courier *courier)
{
	pthread_mutex_init(&courier->index.lock, NULL);
	courier->index.table = index_new();
}

void index_close(struct courier *courier)
{
	index_free(courier->index.table);
	pthread_mutex_destroy(&courier->index.lock);
}

/* Those that are not delivered yet, each ended by NUL. */
static struct pr_str open_recipients(const struct pr_envelope *envelope, struct pr_text *out)
{
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		if (envelope->recipients[i].state == PR_RECIPIENT_DELIVERED)
			continue;
		pr_text_add_str(out, envelope->recipients[i].address);
		pr_text_add_byte(out, '\0');
	}
	return pr_text_str(out);
}

static struct index_row row_of(const struct pr_envelope *envelope, struct pr_str id, struct pr_text *recipients)
{
	return (struct index_row){.id = id, .sender = envelope->sender, .body_type = envelope->body_type, .message = envelope->message,
	                          .recipients = open_recipients(envelope, recipients), .created = envelope->created,
	                          .last_try = envelope->last_try, .tries = envelope->tries, .priority = envelope->priority,
	                          .size = envelope->body_size, .flags = envelope->flags};
}

void index_job(struct job *job)
{
	struct courier *courier = job->courier;
	struct pr_text recipients;

	pr_text_init(&recipients, 64u << 20);
	struct index_row row = row_of(job->envelope, job->claim.id, &recipients);
	row.queue = job->claim.queue;
	pthread_mutex_lock(&courier->index.lock);
	index_put(courier->index.table, &row, courier->index.round);
	pthread_mutex_unlock(&courier->index.lock);
	pr_text_fini(&recipients);
}

void index_forget(struct courier *courier, struct pr_str id)
{
	pthread_mutex_lock(&courier->index.lock);
	index_remove(courier->index.table, id);
	pthread_mutex_unlock(&courier->index.lock);
}

void index_scan_begins(struct courier *courier)
{
	pthread_mutex_lock(&courier->index.lock);
	courier->index.round++;
	pthread_mutex_unlock(&courier->index.lock);
}

/* A reading of a directory may miss what is rewritten meanwhile: who was not seen is asked for by name. */
static bool is_gone(struct module_scope *scope, struct pr_str id)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope = NULL;

	return store_peek(scope, id, &envelope, &entry) == PR_NOTFOUND;
}

void index_scan_ends(struct courier *courier, struct module_scope *scope)
{
	struct courier_index *index = &courier->index;
	struct pr_str id;
	size_t cursor = 0;
	char name[64];

	pthread_mutex_lock(&index->lock);
	while (index_next_unseen(index->table, &cursor, index->round, &id)) {
		memcpy(name, id.data, id.len);
		id.data = name;
		pthread_mutex_unlock(&index->lock);
		bool gone = is_gone(scope, id);
		pr_arena_reset(scope->arena);
		pthread_mutex_lock(&index->lock);
		if (gone)
			index_remove(index->table, id);
	}
	index->whole = true;
	pthread_mutex_unlock(&index->lock);
}

/* A new one that nobody has tried is on its way out, and not worth a row, unless it must wait for a run. */
static bool is_waiting(const struct pr_entry *entry)
{
	return entry->tries > 0 || entry->state == PR_ENTRY_HELD || entry->state == PR_ENTRY_QUARANTINED || entry->state == PR_ENTRY_LOST ||
	       courier_wall() - entry->created > 10;
}

/* The scan has the first recipient only; for more the envelope is read, once. */
void index_entry(struct courier *courier, struct module_scope *scope, const struct pr_entry *entry)
{
	uint32_t state = entry->state == PR_ENTRY_CLAIMED ? PR_ENTRY_READY : entry->state;
	struct pr_envelope *envelope = NULL;
	struct pr_text recipients;

	if (!is_waiting(entry))
		return;
	pthread_mutex_lock(&courier->index.lock);
	bool seen = index_seen(courier->index.table, entry->id, entry->last_try, state, courier->index.round);
	pthread_mutex_unlock(&courier->index.lock);
	if (seen)
		return;
	pr_text_init(&recipients, 64u << 20);
	struct index_row row = {.id = entry->id, .sender = entry->sender, .body_type = entry->body_type, .message = entry->message,
	                        .created = entry->created, .last_try = entry->last_try, .tries = entry->tries, .priority = entry->priority,
	                        .size = entry->body_size, .flags = entry->flags};
	if (entry->recipients == 1 && entry->recipient.len > 0) {
		pr_text_add_str(&recipients, entry->recipient);
		pr_text_add_byte(&recipients, '\0');
		row.recipients = pr_text_str(&recipients);
	} else if (store_peek(scope, entry->id, &envelope, NULL) == PR_OK) {
		row = row_of(envelope, entry->id, &recipients);
	}
	row.queue = entry->queue;
	row.state = state;
	pthread_mutex_lock(&courier->index.lock);
	index_put(courier->index.table, &row, courier->index.round);
	pthread_mutex_unlock(&courier->index.lock);
	pr_text_fini(&recipients);
}

/* the list ---------------------------------------------------------------- */

static void add_field(struct pr_text *out, struct pr_str text)
{
	pr_text_add_byte(out, '\t');
	for (size_t i = 0; i < text.len; i++)
		pr_text_add_byte(out, text.data[i] == '\t' || text.data[i] == '\n' ? ' ' : text.data[i]);
}

static void add_row(struct pr_text *out, const struct index_row *row, bool running)
{
	struct pr_str rest = row->recipients, one;

	pr_text_add_str(out, row->id);
	add_field(out, row->queue);
	pr_text_addf(out, "\t%u\t%u\t%d\t%lld\t%lld\t%lld\t%lld", row->state, row->flags, running, (long long)row->created,
	             (long long)row->last_try, (long long)row->priority, (long long)row->size);
	add_field(out, row->sender);
	add_field(out, row->body_type);
	add_field(out, row->message);
	while (pr_str_next(&rest, '\0', &one))
		add_field(out, one);
	pr_text_add_byte(out, '\n');
}

static bool send_all(int fd, struct pr_text *out)
{
	for (size_t at = 0; at < out->len;) {
		ssize_t sent = send(fd, out->data + at, out->len - at, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += (size_t)sent;
	}
	pr_text_clear(out);
	return true;
}

static bool is_running(struct courier *courier, struct pr_str id)
{
	pthread_mutex_lock(&courier->lock);
	bool running = plan_is_running(courier->plan, id);
	pthread_mutex_unlock(&courier->lock);
	return running;
}

static bool send_index(struct courier *courier, int fd, struct pr_text *out)
{
	size_t cursor = 0;
	bool more = true;

	while (more) {
		struct index_row row;
		pthread_mutex_lock(&courier->index.lock);
		for (int i = 0; i < ROWS_AT_ONCE && more; i++) {
			more = index_next(courier->index.table, &cursor, &row);
			if (more)
				add_row(out, &row, is_running(courier, row.id));
		}
		pthread_mutex_unlock(&courier->index.lock);
		if (!send_all(fd, out))
			return false;
	}
	return true;
}

/* Messages that have just come are in the plan only; the store is asked for each. */
static void add_new_one(struct courier *courier, struct module_scope *scope, struct pr_str id, struct pr_text *out)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope = NULL;
	struct pr_text recipients;

	pthread_mutex_lock(&courier->index.lock);
	bool known = index_has(courier->index.table, id);
	pthread_mutex_unlock(&courier->index.lock);
	if (known || store_peek(scope, id, &envelope, &entry) != PR_OK)
		return;
	pr_text_init(&recipients, 64u << 20);
	struct index_row row = row_of(envelope, id, &recipients);
	row.queue = entry.queue;
	row.state = entry.state == PR_ENTRY_CLAIMED ? PR_ENTRY_READY : entry.state;
	add_row(out, &row, is_running(courier, id));
	pr_text_fini(&recipients);
}

static bool send_new(struct courier *courier, struct module_thread *thread, int fd, struct pr_text *out)
{
	char(*ids)[PLAN_ID_MAX + 1] = pr_alloc(ROWS_AT_ONCE * sizeof *ids);
	struct pr_arena arena;
	struct module_scope scope;
	size_t cursor = 0, count;
	bool good = true;

	pr_arena_init(&arena, ROW_ARENA);
	do {
		pthread_mutex_lock(&courier->lock);
		count = plan_list(courier->plan, &cursor, ids, ROWS_AT_ONCE);
		pthread_mutex_unlock(&courier->lock);
		for (size_t i = 0; i < count; i++) {
			module_scope_init(&scope, thread, &arena);
			add_new_one(courier, &scope, pr_str(ids[i]), out);
			pr_arena_reset(&arena);
		}
		good = send_all(fd, out);
	} while (good && count > 0);
	pr_arena_fini(&arena);
	pr_free(ids);
	return good;
}

static int take_asker(struct courier *courier)
{
	pthread_mutex_lock(&courier->index.lock);
	int fd = courier->index.asker_count > 0 ? courier->index.askers[--courier->index.asker_count] : -1;
	pthread_mutex_unlock(&courier->index.lock);
	return fd;
}

static void *list_main(void *argument)
{
	struct courier *courier = argument;
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct module_thread *thread = module_thread_new(courier->set);
	struct pr_text out;
	int fd;

	pr_text_init(&out, 256u << 20);
	while ((fd = take_asker(courier)) >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		if (send_index(courier, fd, &out) && send_new(courier, thread, fd, &out)) {
			pr_text_add_c(&out, ".\n");
			send_all(fd, &out);
		}
		pr_text_clear(&out);
		close(fd);
	}
	pr_text_fini(&out);
	module_thread_free(thread);
	courier_service_ends(courier);
	return NULL;
}

void index_list(struct courier *courier, int fd)
{
	bool taken;

	if (fd < 0)
		return;
	pthread_mutex_lock(&courier->index.lock);
	/* before the first scan is over the files know more than we do: the asker reads them himself */
	taken = courier->index.round > 0 && courier->index.whole && courier->index.asker_count < INDEX_ASKERS_MAX;
	if (taken)
		courier->index.askers[courier->index.asker_count++] = fd;
	pthread_mutex_unlock(&courier->index.lock);
	if (taken)
		courier_service_starts(courier, list_main);
	else
		close(fd);
}
