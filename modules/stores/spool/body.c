/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading df of a claimed message.
 * The file is opened as carefully as a control file: it may be anything by now.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct body {
	int fd;
	char id[SPOOL_ID_MAX + 1];
};

static enum pr_status body_read(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct body *b = body->context;
	ssize_t got;

	do
		got = read(b->fd, buffer, room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return pr_fail(call, PR_TEMPFAIL, "cannot read df%s: error %d", b->id, errno);
	*length_out = (size_t)got;
	return PR_OK;
}

static enum pr_status body_rewind(struct pr_body *body, struct pr_call *call)
{
	struct body *b = body->context;

	if (lseek(b->fd, 0, SEEK_SET) != 0)
		return pr_fail(call, PR_TEMPFAIL, "cannot rewind df%s: error %d", b->id, errno);
	return PR_OK;
}

/* A body that came with its claim from the journal. */
struct memory_body {
	struct spool_record *record;
	size_t at;
};

static enum pr_status memory_read(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct memory_body *b = body->context;
	size_t left = b->record->body - b->at;

	(void)call;
	if (room > left)
		room = left;
	memcpy(buffer, b->record->data + b->record->control + b->at, room);
	b->at += room;
	*length_out = room;
	return PR_OK;
}

static enum pr_status memory_rewind(struct pr_body *body, struct pr_call *call)
{
	struct memory_body *b = body->context;

	(void)call;
	b->at = 0;
	return PR_OK;
}

static void open_memory(struct spool_record *record, struct pr_body *body_out)
{
	struct memory_body *b = pr_alloc(sizeof *b);

	b->record = record;
	*body_out = (struct pr_body){.size = sizeof *body_out, .length = record->body, .context = b, .read = memory_read, .rewind = memory_rewind};
}

static enum pr_status open_body(struct pr_call *call, const struct spool_place *place, const char *name, int *fd_out, int64_t *length_out)
{
	int fd = openat(place->data_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return spool_fail(call, place, errno, "cannot open", name);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return pr_fail(call, PR_TEMPFAIL, "%s is no regular file", name);
	}
	*fd_out = fd;
	*length_out = st.st_size;
	return PR_OK;
}

enum pr_status spool_body_open(struct pr_call *call, struct pr_claim *claim, struct pr_body *body_out)
{
	struct spool_name name;
	struct body *b;
	int64_t length = 0;
	int fd;

	if (!spool_id_is_valid(claim->id))
		return pr_fail(call, PR_MISUSE, "that is no queue id");
	struct spool_record *record = spool_claim_record(spool_of(call), claim);

	if (record != NULL) {
		open_memory(record, body_out);
		return PR_OK;
	}
	name = spool_name('d', claim->id.data);
	/* the first reader gets what the claim has opened and measured */
	fd = spool_claim_take_body(spool_of(call), claim, &length);
	if (fd < 0) {
		const struct spool_place *place = spool_claim_place(spool_of(call), claim);

		if (place == NULL)
			return pr_fail(call, PR_PERMFAIL, "%.*s is not claimed with this epoch", PR_PRINT(claim->id));

		enum pr_status status = open_body(call, place, name.text, &fd, &length);

		if (status != PR_OK)
			return status;
	}
	b = pr_alloc(sizeof *b);
	b->fd = fd;
	memcpy(b->id, claim->id.data, claim->id.len);
	*body_out = (struct pr_body){ .size = sizeof *body_out, .length = length, .context = b, .read = body_read, .rewind = body_rewind };
	return PR_OK;
}

void spool_body_close(struct pr_call *call, struct pr_body *body)
{
	struct body *b = body->context;

	(void)call;
	if (b == NULL)
		return;
	if (body->read == memory_read) {
		struct memory_body *memory = body->context;

		spool_record_release(memory->record);
		pr_free(memory);
		body->context = NULL;
		return;
	}
	close(b->fd);
	pr_free(b);
	body->context = NULL;
}
