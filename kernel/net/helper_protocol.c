/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets are numbers of fixed size and strings with their length before them; the reader checks each length against what is left.
 * Both sides may be in strange hands: the courier believes a reply no more than the helper believes a request.
 */
#include "kernel/net/helper_protocol.h"

#include <string.h>

struct reader {
	struct pr_str rest;
	bool bad;
};

static bool add_number(struct pr_text *packet, uint64_t number)
{
	return pr_text_add(packet, &number, sizeof number);
}

static bool add_string(struct pr_text *packet, struct pr_str str)
{
	/* the final NUL makes a parsed string usable as a C string where it lies */
	return add_number(packet, str.len) && pr_text_add_str(packet, str) && pr_text_add_byte(packet, '\0');
}

static bool add_list(struct pr_text *packet, const struct pr_list *list)
{
	bool good = add_number(packet, list->count);

	for (size_t i = 0; good && i < list->count; i++)
		good = add_string(packet, list->items[i]);
	return good;
}

static uint64_t read_number(struct reader *reader, uint64_t max)
{
	uint64_t number = 0;

	if (reader->bad || reader->rest.len < sizeof number) {
		reader->bad = true;
		return 0;
	}
	memcpy(&number, reader->rest.data, sizeof number);
	reader->rest.data += sizeof number;
	reader->rest.len -= sizeof number;
	reader->bad = number > max;
	return reader->bad ? 0 : number;
}

static struct pr_str read_string(struct reader *reader, bool nul_allowed)
{
	uint64_t len = read_number(reader, HELPER_PACKET_MAX);
	struct pr_str str = {reader->rest.data, (size_t)len};

	if (reader->bad || reader->rest.len < len + 1 || str.data[len] != '\0' ||
	    (!nul_allowed && memchr(str.data, '\0', str.len) != NULL)) {
		reader->bad = true;
		return PR_STR("");
	}
	reader->rest.data += len + 1;
	reader->rest.len -= (size_t)len + 1;
	return str;
}

static struct pr_list read_list(struct reader *reader, struct pr_arena *arena)
{
	uint64_t count = read_number(reader, HELPER_ARGS_MAX);
	struct pr_str *items = pr_arena_alloc(arena, (size_t)(count + 1) * sizeof *items);

	if (items == NULL)
		reader->bad = true;
	for (uint64_t i = 0; !reader->bad && i < count; i++)
		items[i] = read_string(reader, false);
	return reader->bad ? (struct pr_list){NULL, 0} : (struct pr_list){items, (size_t)count};
}

bool helper_request_print(const struct helper_request *request, struct pr_text *packet)
{
	return request->argv.count <= HELPER_ARGS_MAX && request->environment.count <= HELPER_ARGS_MAX &&
	       add_number(packet, request->kind) && add_number(packet, request->flags) &&
	       add_number(packet, request->timeout) && add_number(packet, (uint32_t)request->niceness) && add_number(packet, request->header_size) &&
	       add_string(packet, request->user) && add_string(packet, request->path) &&
	       add_string(packet, request->directories) && add_string(packet, request->root) && add_list(packet, &request->argv) &&
	       add_list(packet, &request->environment);
}

bool helper_request_parse(struct pr_str packet, struct pr_arena *arena, struct helper_request *request_out)
{
	struct reader reader = {.rest = packet};
	struct helper_request request = {.kind = (uint32_t)read_number(&reader, UINT32_MAX)};

	request.flags = (uint32_t)read_number(&reader, UINT32_MAX);
	request.timeout = (uint32_t)read_number(&reader, UINT32_MAX);
	request.niceness = (int32_t)(uint32_t)read_number(&reader, UINT32_MAX);
	request.header_size = read_number(&reader, INT64_MAX);
	request.user = read_string(&reader, false);
	request.path = read_string(&reader, false);
	request.directories = read_string(&reader, false);
	request.root = read_string(&reader, false);
	request.argv = read_list(&reader, arena);
	request.environment = read_list(&reader, arena);
	if (reader.bad || reader.rest.len > 0)
		return false;
	*request_out = request;
	return true;
}

bool helper_reply_print(const struct helper_reply *reply, struct pr_text *packet)
{
	return add_number(packet, reply->status) && add_number(packet, (uint32_t)reply->exit_status) &&
	       add_string(packet, pr_str_slice(reply->reason, 0, 1000)) &&
	       add_string(packet, pr_str_slice(reply->output, 0, HELPER_OUTPUT_MAX));
}

bool helper_reply_parse(struct pr_str packet, struct helper_reply *reply_out)
{
	struct reader reader = {.rest = packet};
	struct helper_reply reply = {.status = (uint32_t)read_number(&reader, PR_MISUSE)};

	reply.exit_status = (int32_t)read_number(&reader, UINT32_MAX);
	reply.reason = read_string(&reader, true);
	reply.output = read_string(&reader, true);
	if (reader.bad || reader.rest.len > 0 || reply.output.len > HELPER_OUTPUT_MAX)
		return false;
	*reply_out = reply;
	return true;
}
