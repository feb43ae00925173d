/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which segment is written next: one that is retired, or a new one, locked for as long as it is written.
 * Its generation is above all that was ever known of its number, so that no mark of an earlier use is taken for one of this.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_MODE 0640
#define MAKE_AGAIN_SECONDS 5
#define GENERATION_CHANCE 40 /* bits */

/* ENOENT: it has none, so nothing was ever retired. */
static bool is_retired(const struct journal *journal, uint32_t number, uint64_t generation)
{
	int fd = openat(journal->directory, journal_done_name(number).text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct journal_head done;
	bool retired;

	if (fd < 0)
		return false;
	retired = journal_read_head(fd, number, &done) && done.retired >= generation;
	close(fd);
	return retired;
}

/* The generation of a file that is made anew is above all that its companions know of the one that was there. */
static uint64_t last_generation(const struct journal *journal, uint32_t number)
{
	const struct journal_file_name names[] = {journal_done_name(number), journal_mark_name(number)};
	uint64_t last = 0;

	for (size_t i = 0; i < 2; i++) {
		int fd = openat(journal->directory, names[i].text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		struct journal_head head = {0};

		if (fd < 0)
			continue;
		if (pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && head.generation > last)
			last = head.generation;
		if (i == 0 && head.retired > last)
			last = head.retired;
		close(fd);
	}
	return last;
}

/* Grows, and cannot be known beforehand: what a client puts into the body of a message could otherwise be taken for records, when the
 * segment is used again and read beyond what was written into it. */
static bool next_generation(uint64_t last, uint64_t *next_out)
{
	uint64_t chance;

	if (getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance)
		return false;
	*next_out = ((last >> GENERATION_CHANCE) + 1) << GENERATION_CHANCE | chance >> (64 - GENERATION_CHANCE);
	return true;
}

static bool is_blank(int fd)
{
	struct journal_head head, blank = {0};

	return pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && memcmp(&head, &blank, sizeof head) == 0;
}

/* Ours from now on, with a new generation; its head becomes durable with the first batch. */
static bool begin_segment(struct journal_writer *writer, int fd, uint32_t number, uint64_t generation)
{
	struct journal_head head = {.generation = generation};

	journal_head_seal(&head, number);
	if (pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
		return false;
	writer->fd = fd;
	writer->number = number;
	writer->generation = generation;
	writer->offset = JOURNAL_HEAD;
	writer->index = 0;
	writer->durable = JOURNAL_HEAD;
	writer->next_try = number + 1;
	atomic_store_explicit(&writer->latest, number, memory_order_relaxed);
	return true;
}

/* Only a help for those who look: without it they wait a little before they believe in the last records. */
static void map_mark(struct spool *spool)
{
	struct journal_writer *writer = &spool->journal.writer;
	struct journal_file_name name = journal_mark_name(writer->number);
	struct stat st;
	int fd = openat(spool->journal.directory, name.text, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = journal_create(spool->journal.directory, name.text, JOURNAL_HEAD, SEGMENT_MODE);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == (off_t)JOURNAL_HEAD) {
		void *memory = mmap(NULL, JOURNAL_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		writer->mark = memory == MAP_FAILED ? NULL : memory;
	}
	close(fd);
	if (writer->mark != NULL)
		*writer->mark = (struct journal_head){.number = writer->number, .generation = writer->generation, .retired = JOURNAL_HEAD};
}

/* On a full disk not with every message. */
static int make_segment(struct journal *journal, uint32_t number)
{
	struct timespec now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < journal->writer.make_again)
		return -1;
	fd = journal_create(journal->directory, journal_log_name(number).text, JOURNAL_SEGMENT, SEGMENT_MODE);
	int error = fd < 0 ? errno : 0;
	if (error == EEXIST) /* somebody else has just made it */
		return -1;
	if (error != 0)
		journal->writer.make_again = now.tv_sec + MAKE_AGAIN_SECONDS;
	if (error != 0 && error != journal->writer.make_error)
		atomic_store(&journal->writer.make_failed, error);
	journal->writer.make_error = error;
	return fd;
}

static bool try_segment(struct spool *spool, uint32_t number, bool make)
{
	struct journal *journal = &spool->journal;
	struct journal_head head;
	struct stat st;
	int fd = openat(journal->directory, journal_log_name(number).text, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make)
		fd = make_segment(journal, number);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == (off_t)JOURNAL_SEGMENT) {
		bool used = journal_read_head(fd, number, &head);

		uint64_t generation, last = used ? head.generation : last_generation(journal, number);

		if ((used ? is_retired(journal, number, head.generation) : is_blank(fd)) && next_generation(last, &generation) &&
		    begin_segment(&journal->writer, fd, number, generation)) {
			map_mark(spool);
			return true;
		}
	}
	close(fd);
	return false;
}

/* One that is there already, if it can be: a quiet journal stays a few files that are used in turns. */
bool journal_take_segment(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	uint32_t first = journal->writer.next_try;

	for (int make = 0; make < 2; make++)
		for (uint32_t i = 0; i < journal->count; i++)
			if (try_segment(spool, (first + i) % journal->count, make != 0))
				return true;
	return false;
}

/* They are used in turns, so the one half a round ahead is the oldest of the half that was used last. */
bool journal_is_roomy(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	struct journal_head head;
	bool roomy = true;

	if (journal->count == 0 || !journal_open_directory(spool))
		return false;
	uint32_t number = (atomic_load_explicit(&journal->writer.latest, memory_order_relaxed) + journal->count / 2) % journal->count;
	int fd = openat(journal->directory, journal_log_name(number).text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	if (journal_read_head(fd, number, &head))
		roomy = is_retired(journal, number, head.generation);
	close(fd);
	return roomy;
}
