/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message from standard input: fields up to the first empty line, the rest is the body.
 * Line ends become LF, as the kernel hands them to modules; a message without a header has only a body.
 */
#include "tool.h"

#include <postrider/address.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MESSAGE_MOST ((size_t)64 << 20)
#define FIELDS_MOST 2000

static bool read_input(struct pr_text *bytes)
{
	char buffer[16384];
	size_t got;
	bool fits = true;

	while (fits && (got = fread(buffer, 1, sizeof buffer, stdin)) > 0)
		fits = pr_text_add(bytes, buffer, got);
	if (!fits || ferror(stdin)) {
		tool_complain(fits ? "the message cannot be read" : "the message is larger than 64 MB");
		return false;
	}
	/* CRLF to LF, in place */
	size_t len = 0;
	for (size_t i = 0; i < bytes->len; i++)
		if (bytes->data[i] != '\r' || i + 1 == bytes->len || bytes->data[i + 1] != '\n')
			bytes->data[len++] = bytes->data[i];
	pr_text_cut(bytes, len);
	return true;
}

/* The field at the front of `text`, continuation lines included; its length with the last line end, 0 for none. */
static size_t field_length(struct pr_str text)
{
	size_t end = pr_str_find(text, '\n'), colon = pr_str_find(text, ':');

	if (end == text.len || colon == 0 || colon > end)
		return 0;
	while (end + 1 < text.len && (text.data[end + 1] == ' ' || text.data[end + 1] == '\t'))
		end += 1 + pr_str_find(pr_str_slice(text, end + 1, text.len), '\n');
	return end < text.len ? end + 1 : text.len;
}

static struct pr_str split_header(struct pr_str text, struct pr_arena *arena, struct pr_envelope *envelope)
{
	size_t len;

	envelope->headers = pr_arena_alloc(arena, FIELDS_MOST * sizeof *envelope->headers);
	while (envelope->headers != NULL && envelope->header_count < FIELDS_MOST && (len = field_length(text)) > 0) {
		size_t colon = pr_str_find(text, ':');
		envelope->headers[envelope->header_count++] = (struct pr_header){
		    .name = pr_arena_copy(arena, pr_str_slice(text, 0, colon)),
		    .value = pr_arena_copy(arena, pr_str_slice(text, colon + 1, text.data[len - 1] == '\n' ? len - 1 : len)),
		    .condition = PR_STR(""),
		};
		text = pr_str_slice(text, len, text.len);
	}
	if (envelope->header_count > 0 && text.len > 0 && text.data[0] == '\n')
		text = pr_str_slice(text, 1, text.len);
	return text;
}

static enum pr_status body_read(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct tool_message *message = body->context;
	struct pr_str left = pr_str_slice(message->body_bytes, message->body_at, SIZE_MAX);

	(void)call;
	*length_out = left.len < room ? left.len : room;
	if (*length_out > 0)
		memcpy(buffer, left.data, *length_out);
	message->body_at += *length_out;
	return PR_OK;
}

static enum pr_status body_rewind(struct pr_body *body, struct pr_call *call)
{
	struct tool_message *message = body->context;

	(void)call;
	message->body_at = 0;
	return PR_OK;
}

bool tool_message_read(struct tool_message *message, const char *recipient)
{
	*message = (struct tool_message){.body_at = 0};
	pr_text_init(&message->bytes, MESSAGE_MOST);
	pr_arena_init(&message->arena, 2 * MESSAGE_MOST);
	if (!read_input(&message->bytes))
		return false;
	message->recipient = (struct pr_recipient){
	    .address = pr_arena_printf(&message->arena, "<%.*s>", PR_PRINT(pr_address_inner(pr_str(recipient)))),
	    .flags = PR_RECIPIENT_PRIMARY,
	};
	message->envelope = (struct pr_envelope){
	    .size = sizeof message->envelope,
	    .id = PR_STR("postrider-module"),
	    .sender = PR_STR("<postmaster>"),
	    .created = time(NULL),
	    .recipients = &message->recipient,
	    .recipient_count = 1,
	};
	message->body_bytes = split_header(pr_text_str(&message->bytes), &message->arena, &message->envelope);
	message->envelope.body_size = (int64_t)message->body_bytes.len;
	message->body = (struct pr_body){
	    sizeof message->body, (int64_t)message->body_bytes.len, message, body_read, body_rewind,
	};
	return true;
}

void tool_message_fini(struct tool_message *message)
{
	pr_text_fini(&message->bytes);
	pr_arena_fini(&message->arena);
}
