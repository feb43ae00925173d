/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who waits for the first attempt of a message (DeliveryMode i): a descriptor by queue id.  The end of an attempt looks here only when
 * somebody waits at all, which costs everybody else one load.
 */
#include "kernel/courier/internal.h"
#include "kernel/queue/queue.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct courier_word {
	struct courier_word *next;
	int fd;
	char id[PLAN_ID_MAX + 1];
};

static struct courier_word **bucket_of(struct courier_words *words, struct pr_str id)
{
	return &words->buckets[(size_t)pr_str_hash_nocase(id) % COURIER_WORD_BUCKETS];
}

static void say(int fd, char what)
{
	(void)send(fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* whoever does not wait any more hears nothing */
	close(fd);
}

void words_open(struct courier *courier)
{
	pthread_mutex_init(&courier->words.lock, NULL);
}

void words_note(struct courier *courier, struct pr_str id, int fd)
{
	struct courier_words *words = &courier->words;

	pthread_mutex_lock(&words->lock);
	bool take = !words->closed && id.len > 0 && id.len <= PLAN_ID_MAX;
	if (take) {
		struct courier_word **bucket = bucket_of(words, id), *word = pr_alloc(sizeof *word);
		memcpy(word->id, id.data, id.len);
		word->fd = fd;
		word->next = *bucket;
		*bucket = word;
		atomic_fetch_add(&words->count, 1);
	}
	pthread_mutex_unlock(&words->lock);
	if (!take)
		say(fd, QUEUE_WORD_QUEUED);
}

void words_say(struct courier *courier, struct pr_str id, char what)
{
	struct courier_words *words = &courier->words;

	if (atomic_load(&words->count) == 0)
		return;
	pthread_mutex_lock(&words->lock);
	for (struct courier_word **link = bucket_of(words, id), *word; (word = *link) != NULL;) {
		if (!pr_str_equal(pr_str(word->id), id)) {
			link = &word->next;
			continue;
		}
		*link = word->next;
		say(word->fd, what);
		pr_free(word);
		atomic_fetch_sub(&words->count, 1);
	}
	pthread_mutex_unlock(&words->lock);
}

void words_close(struct courier *courier)
{
	struct courier_words *words = &courier->words;

	pthread_mutex_lock(&words->lock);
	words->closed = true;
	for (size_t i = 0; i < COURIER_WORD_BUCKETS; i++)
		for (struct courier_word *word; (word = words->buckets[i]) != NULL;) {
			words->buckets[i] = word->next;
			say(word->fd, QUEUE_WORD_QUEUED);
			pr_free(word);
		}
	atomic_store(&words->count, 0);
	pthread_mutex_unlock(&words->lock);
}
