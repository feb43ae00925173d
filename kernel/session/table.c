/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions come in blocks that are linked for ever; a free list hands them out last-in first-out, so a quiet server
 * keeps using the same few cache lines.
 */
#include "kernel/session/table.h"

#include <string.h>

#define BLOCK 32

struct block {
	struct block *next;
	struct session sessions[BLOCK];
};

struct table {
	pthread_mutex_t lock;
	struct block *blocks;
	struct session *free;
	size_t count;
};

struct table *table_new(void)
{
	struct table *table = pr_alloc(sizeof *table);

	pthread_mutex_init(&table->lock, NULL);
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	while (table->blocks != NULL) {
		struct block *block = table->blocks;
		table->blocks = block->next;
		pr_free(block);
	}
	pthread_mutex_destroy(&table->lock);
	pr_free(table);
}

static void add_block(struct table *table)
{
	struct block *block = pr_alloc(sizeof *block);

	block->next = table->blocks;
	table->blocks = block;
	for (size_t i = BLOCK; i-- > 0;) {
		/* busy for ever until taken: an event for it is noted and never run */
		loop_task_init(&block->sessions[i].task, session_run);
		block->sessions[i].next = table->free;
		table->free = &block->sessions[i];
	}
}

struct session *table_take(struct table *table, size_t most)
{
	struct session *session = NULL;

	pthread_mutex_lock(&table->lock);
	if (table->count < most) {
		if (table->free == NULL)
			add_block(table);
		session = table->free;
		table->free = session->next;
		table->count++;
	}
	pthread_mutex_unlock(&table->lock);
	if (session == NULL)
		return NULL;
	/* All but the task and the timer, which other threads may be looking at. */
	memset(&session->stream, 0, sizeof *session - offsetof(struct session, stream));
	loop_task_init(&session->task, session_run);
	session->in_use = 1;
	return session;
}

size_t table_give(struct table *table, struct session *session)
{
	pthread_mutex_lock(&table->lock);
	session->in_use = 0;
	session->next = table->free;
	table->free = session;
	size_t left = --table->count;
	pthread_mutex_unlock(&table->lock);
	return left;
}

size_t table_count(struct table *table)
{
	pthread_mutex_lock(&table->lock);
	size_t count = table->count;
	pthread_mutex_unlock(&table->lock);
	return count;
}

void table_post(struct table *table, struct loop *loop, uint32_t event)
{
	pthread_mutex_lock(&table->lock);
	for (struct block *block = table->blocks; block != NULL; block = block->next)
		for (size_t i = 0; i < BLOCK; i++)
			loop_post(loop, &block->sessions[i].task, event);
	pthread_mutex_unlock(&table->lock);
}
