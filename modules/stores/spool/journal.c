/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The journal's life within a process: made with the store, opened with the first message, closed in good order.
 */
#include "spool.h"

#include <unistd.h>

void journal_init(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	struct journal_reader *reader = &journal->reader;
	pthread_condattr_t monotonic;

	journal->directory = -1;
	pthread_mutex_init(&journal->opening, NULL);
	journal_writer_init(&journal->writer);
	pthread_mutex_init(&reader->lock, NULL);
	pthread_mutex_init(&reader->tailing, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&reader->changed, &monotonic);
	pthread_cond_init(&reader->work, &monotonic);
	pthread_cond_init(&reader->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pr_text_init(&reader->reports, 1u << 20);
	reader->lease_fd = -1;
	reader->filed_end = &reader->filed;
	reader->segments = pr_alloc((journal->count + 1) * sizeof *reader->segments);
	for (uint32_t i = 0; i < journal->count; i++)
		reader->segments[i].fd = reader->segments[i].done_fd = reader->segments[i].mark_fd = -1;
}

void journal_fini(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	struct journal_reader *reader = &journal->reader;

	journal_writer_fini(spool);
	journal_keeper_stop(spool);
	if (reader->lease_fd >= 0)
		close(reader->lease_fd);
	journal_index_fini(reader);
	for (uint32_t i = 0; i < journal->count; i++)
		journal_unmap(&reader->segments[i]);
	pr_free(reader->segments);
	pr_free(reader->missed);
	pr_text_fini(&reader->reports);
	pthread_cond_destroy(&reader->changed);
	pthread_cond_destroy(&reader->work);
	pthread_cond_destroy(&reader->news);
	pthread_mutex_destroy(&reader->lock);
	pthread_mutex_destroy(&reader->tailing);
	if (journal->directory >= 0)
		close(journal->directory);
	pthread_mutex_destroy(&journal->opening);
}
