/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message of the journal as the files that sendmail reads: df and tf are written, and tf is given the name qf.
 * A file of that name that is in the way is what a crash left of the same attempt, and makes room.
 */
#include "spool.h"

#include <postrider/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int create(struct spool *spool, int directory, const char *name, bool locked)
{
	int fd = spool_create(spool, directory, name, locked);

	if (fd < 0 && errno == EEXIST && unlinkat(directory, name, 0) == 0)
		fd = spool_create(spool, directory, name, locked);
	return fd;
}

/* 0 or an errno; *fd_out, unless NULL, receives the file, else it is closed. */
static int write_file(struct spool *spool, int directory, const char *name, struct pr_str bytes, const struct spool_files *files,
                      int *fd_out)
{
	int fd = create(spool, directory, name, fd_out != NULL), error = 0;

	if (fd < 0)
		return errno;
	if (!spool_give_to_owner(files->place, fd) || !pr_write_all(fd, bytes.data, bytes.len) || (files->durable && fdatasync(fd) != 0))
		error = errno;
	if (fd_out != NULL && error == 0)
		*fd_out = fd;
	else
		close(fd);
	return error;
}

int spool_files_write(struct spool *spool, const struct spool_files *files, int *fd_out)
{
	struct spool_name body_name = spool_name('d', files->id), control_name = spool_name('t', files->id);
	struct pr_str body = {files->record->data + files->record->control, files->record->body};
	int error = files->body_filed ? 0 : write_file(spool, files->place->data_fd, body_name.text, body, files, NULL);

	return error != 0 ? error : write_file(spool, files->place->control_fd, control_name.text, files->control, files, fd_out);
}

int spool_files_name(const struct spool_files *files)
{
	struct spool_name from = spool_name('t', files->id), to = spool_name(files->lost ? 'Q' : 'q', files->id);

	return renameat(files->place->control_fd, from.text, files->place->control_fd, to.text) == 0 ? 0 : errno;
}

void spool_files_drop(const struct spool_files *files)
{
	unlinkat(files->place->control_fd, spool_name('t', files->id).text, 0);
	if (!files->body_filed)
		unlinkat(files->place->data_fd, spool_name('d', files->id).text, 0);
}

/* Does the file hold these bytes and no others? */
static bool holds(int fd, struct pr_str bytes)
{
	char buffer[16384];
	struct stat st;
	size_t at = 0;

	if (fstat(fd, &st) != 0 || (uint64_t)st.st_size != bytes.len)
		return false;
	while (at < bytes.len) {
		ssize_t got = pread(fd, buffer, sizeof buffer, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || (size_t)got > bytes.len - at || memcmp(buffer, bytes.data + at, (size_t)got) != 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

bool journal_mend_body(struct spool *spool, struct journal_entry *entry)
{
	struct spool_name name = spool_name('d', entry->id);
	struct spool_record *record;
	bool good = true;

	if ((entry->flags & JOURNAL_BODY_FILED) != 0)
		return true; /* durable before its record was */
	record = journal_load(spool, entry);
	if (record->bad == 0) {
		struct pr_str body = {record->data + record->control, record->body};
		struct spool_files files = {.place = entry->place, .durable = true};
		int fd = openat(entry->place->data_fd, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		good = fd >= 0 && holds(fd, body);
		if (fd >= 0)
			close(fd);
		if (!good)
			good = write_file(spool, entry->place->data_fd, name.text, body, &files, NULL) == 0;
	}
	spool_record_release(record);
	return good;
}

void journal_lose(struct spool *spool, struct journal_entry *entry, const struct spool_record *record)
{
	struct journal_reader *reader = &spool->journal.reader;
	char id[JOURNAL_NAME_MAX];
	struct spool_files files = {.place = entry->place, .id = id, .control = {record->data, record->control}, .record = record, .durable = true, .lost = true,
	                            .body_filed = (entry->flags & JOURNAL_BODY_FILED) != 0};

	memcpy(id, entry->id, sizeof id);
	if (spool_files_write(spool, &files, NULL) == 0 && spool_files_name(&files) == 0)
		spool_directory_flush(files.place);
	else
		spool_files_drop(&files);
	pthread_mutex_lock(&reader->lock);
	journal_mark(reader, entry);
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}
