/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two sides take turns, so one line is begun at a time.
 */
#include "kernel/command/sendmail/traced.h"

#include <string.h>
#include <unistd.h>

bool traced_open(struct traced *traced, const char *path)
{
	*traced = (struct traced){.file = path != NULL ? fopen(path, "ae") : NULL};
	return path == NULL || traced->file != NULL;
}

static void end_line(struct traced *traced)
{
	if (traced->side != NULL)
		(void)fputc('\n', traced->file);
	traced->side = NULL;
}

void traced_close(struct traced *traced)
{
	if (traced->file == NULL)
		return;
	end_line(traced);
	(void)fclose(traced->file);
	traced->file = NULL;
}

static void begin_line(struct traced *traced, const char *side)
{
	if (traced->side != NULL && strcmp(traced->side, side) == 0)
		return;
	end_line(traced);
	fprintf(traced->file, "%05d %s ", (int)getpid(), side);
	traced->side = side;
}

void traced_bytes(struct traced *traced, const char *side, struct pr_str bytes)
{
	while (traced->file != NULL && bytes.len > 0) {
		size_t end = pr_str_find(bytes, '\n'), len = end > 0 && end < bytes.len && bytes.data[end - 1] == '\r' ? end - 1 : end;
		begin_line(traced, side);
		(void)fwrite(bytes.data, 1, len, traced->file);
		if (end < bytes.len)
			end_line(traced);
		bytes = pr_str_slice(bytes, end + 1, bytes.len);
	}
	if (traced->file != NULL && traced->side == NULL)
		(void)fflush(traced->file);
}

void traced_line(struct traced *traced, const char *side, struct pr_str line)
{
	traced_bytes(traced, side, line);
	traced_bytes(traced, side, PR_STR("\n"));
}

static bool add_heard(void *context, const char *data, size_t len)
{
	traced_bytes(context, TRACED_HEARD, (struct pr_str){data, len});
	return true;
}

static bool add_said(void *context, const char *data, size_t len)
{
	struct traced *traced = context;
	struct pr_str rest = {data, len};

	while (rest.len > 0) {
		size_t end = pr_str_find(rest, '\n');
		if (rest.data[0] == '.' && traced->side == NULL)
			traced_bytes(traced, TRACED_SAID, PR_STR("."));
		traced_bytes(traced, TRACED_SAID, pr_str_slice(rest, 0, end + 1));
		rest = pr_str_slice(rest, end + 1, rest.len);
	}
	return true;
}

void traced_message(struct traced *traced, const char *side, const struct message *message)
{
	bool (*add)(void *, const char *, size_t) = side[0] == TRACED_SAID[0] ? add_said : add_heard;

	if (traced->file == NULL)
		return;
	(void)add(traced, message->header.data, message->header.len);
	(void)add(traced, "\n", 1);
	(void)spool_replay(&message->body, add, traced);
}
