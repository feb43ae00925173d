/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sends the index to who asked, in a thread of its own that may be as slow as its reader.
 * The lock is held for a few rows at a time; what is not complete is read from the store first, by a peek each while they are few and by one
 * reading of all when they are many.
 */
#include "kernel/courier/index_internal.h"
#include "kernel/log/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROWS_AT_ONCE 64
#define SEND_AT (64u << 10)
#define PEEKS_MAX 256
#define ARENA_MAX (40u << 20)
#define PATIENCE_SECONDS 60 /* a reader that takes nothing for so long is gone */

struct client {
	struct courier *courier;
	struct module_thread *thread;
	struct pr_arena arena;
	struct module_scope scope;
	struct pr_text out;
	int fd;
};

/* False: the reader is gone, or we shall leave. */
static bool send_out(struct client *client)
{
	size_t sent = 0;
	int idle = 0;

	while (sent < client->out.len) {
		ssize_t got = send(client->fd, client->out.data + sent, client->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (got > 0) {
			sent += (size_t)got;
			idle = 0;
			continue;
		}
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		struct pollfd one = {.fd = client->fd, .events = POLLOUT};
		if (poll(&one, 1, 1000) == 0 && (++idle == PATIENCE_SECONDS || courier_is_leaving(client->courier)))
			return false;
	}
	pr_text_clear(&client->out);
	return true;
}

static void fill(struct client *client, const struct pr_entry *entry, const struct pr_envelope *envelope)
{
	courier_index_filled(client->courier, entry, envelope, &client->arena);
	pr_arena_reset(&client->arena);
	module_scope_init(&client->scope, client->thread, &client->arena);
}

/* The ids of up to `room` rows that are not complete, or that another process was delivering when they were read. */
static size_t collect(struct client *client, char (*ids)[PLAN_INDEX_ID_MAX + 1], size_t room)
{
	struct courier_index *index = client->courier->index;
	struct plan_index_row row;
	uint32_t cursor = 0;
	size_t count = 0;

	pthread_mutex_lock(&index->lock);
	bool any = index->elsewhere || plan_index_incomplete(index->table) > 0;
	index->elsewhere = false; /* the reading says it again */
	if (any)
		while (count < room && plan_index_next(index->table, &cursor, &row))
			if (!row.complete || (row.state == PR_ENTRY_CLAIMED && !row.running)) {
				memcpy(ids[count], row.id.data, row.id.len);
				ids[count++][row.id.len] = '\0';
			}
	pthread_mutex_unlock(&index->lock);
	return count;
}

static void fill_one(struct client *client, const char *id)
{
	struct pr_entry entry = {.size = sizeof entry};
	struct pr_envelope *envelope = NULL;
	enum pr_status status = store_peek(&client->scope, pr_str(id), &envelope, &entry);

	if (status == PR_OK) {
		fill(client, &entry, envelope);
		return;
	}
	if (status == PR_NOTFOUND)
		courier_index_vanished(client->courier, pr_str(id));
	pr_arena_reset(&client->arena);
}

static void fill_all(struct client *client)
{
	struct pr_envelope *envelope = NULL;
	void *cursor = NULL;

	for (;;) {
		struct pr_entry entry = {.size = sizeof entry};
		if (store_list(&client->scope, &cursor, &entry, &envelope) != PR_OK)
			return;
		fill(client, &entry, envelope);
		if (courier_is_leaving(client->courier)) {
			store_next_end(&client->scope, &cursor);
			return;
		}
	}
}

static void complete(struct client *client)
{
	char (*ids)[PLAN_INDEX_ID_MAX + 1] = pr_alloc(PEEKS_MAX * sizeof *ids);
	size_t count = collect(client, ids, PEEKS_MAX);

	if (count == PEEKS_MAX)
		fill_all(client);
	else
		for (size_t i = 0; i < count; i++)
			fill_one(client, ids[i]);
	pr_free(ids);
}

static void add_head(struct client *client)
{
	struct courier_index *index = client->courier->index;

	pr_text_addf(&client->out, "QUEUE %d %.*s\n", ROW_VERSION, PR_PRINT(client->courier->options->queue_directory));
	for (size_t i = 0; i < index->places.count; i++)
		pr_text_addf(&client->out, "PLACE %s %s\n", index->places.items[i].group, index->places.items[i].path);
	pthread_mutex_lock(&index->lock);
	size_t count = plan_index_count(index->table);
	pthread_mutex_unlock(&index->lock);
	pr_text_addf(&client->out, "ROWS %zu\n", count);
}

/* A few rows; false at the end. */
static bool add_rows(struct client *client, uint32_t *cursor)
{
	struct courier_index *index = client->courier->index;
	struct plan_index_row row;
	bool more = true;

	pthread_mutex_lock(&index->lock);
	for (int i = 0; more && i < ROWS_AT_ONCE && client->out.len < SEND_AT; i++) {
		more = plan_index_next(index->table, cursor, &row);
		/* what is still incomplete was finished between the reading and now */
		if (more && row.complete)
			row_write(index->table, &row, &client->out);
	}
	pthread_mutex_unlock(&index->lock);
	return more;
}

static void send_rows(struct client *client)
{
	static const uint32_t end = 0;
	uint32_t cursor = 0;

	add_head(client);
	while (add_rows(client, &cursor))
		if (client->out.len >= SEND_AT && !send_out(client))
			return;
	pr_text_add(&client->out, &end, sizeof end);
	(void)send_out(client);
}

static bool is_filled(struct courier_index *index)
{
	pthread_mutex_lock(&index->lock);
	bool filled = index->filled;
	pthread_mutex_unlock(&index->lock);
	return filled;
}

static void answer(struct client *client)
{
	if (!rights_see(client->courier, client->fd)) {
		pr_text_add_c(&client->out, "DENIED\n");
	} else if (!is_filled(client->courier->index)) {
		pr_text_add_c(&client->out, "BUSY the queue is still being read\n");
	} else {
		complete(client);
		send_rows(client);
		return;
	}
	(void)send_out(client);
}

static int next_client(struct courier_index *index)
{
	int fd = -1;

	pthread_mutex_lock(&index->lock);
	if (index->waiting_count > 0)
		fd = index->waiting[--index->waiting_count];
	pthread_mutex_unlock(&index->lock);
	return fd;
}

static void *client_main(void *argument)
{
	struct courier *courier = argument;
	struct client client = {.courier = courier, .fd = next_client(courier->index)};

	client.thread = module_thread_new(courier->set);
	pr_arena_init(&client.arena, ARENA_MAX);
	module_scope_init(&client.scope, client.thread, &client.arena);
	pr_text_init(&client.out, 2 * (size_t)ROW_MAX);
	if (client.fd >= 0)
		answer(&client);
	close(client.fd);
	pr_text_fini(&client.out);
	pr_arena_fini(&client.arena);
	module_thread_free(client.thread);
	pthread_mutex_lock(&courier->index->lock);
	courier->index->serving--;
	pthread_mutex_unlock(&courier->index->lock);
	courier_service_ends(courier);
	return NULL;
}

void courier_index_answer(struct courier *courier, int fd)
{
	struct courier_index *index = courier->index;
	static const char busy[] = "BUSY too many listings at once\n";

	if (fd < 0)
		return;
	pthread_mutex_lock(&index->lock);
	bool good = index->serving < INDEX_CLIENTS_MAX;
	if (good) {
		index->serving++;
		index->waiting[index->waiting_count++] = fd;
	}
	pthread_mutex_unlock(&index->lock);
	if (good) {
		courier_service_starts(courier, client_main);
		return;
	}
	(void)!send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}
