/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wake-ups: one datagram per message, the id and behind a NUL what the plan wants to know before anybody has read the message.
 * Both ends are one program on one machine, so the numbers travel as they are.
 */
#include "kernel/queue/queue.h"

#include "kernel/plan/order.h"

#include <postrider/address.h>

#include <string.h>
#include <sys/socket.h>

#define ID_MAX 64 /* what a wake-up carries at most */

struct facts {
	int64_t order;
	uint32_t source;
};

void queue_wake(int wake_fd, struct pr_str id)
{
	if (wake_fd >= 0 && id.len > 0 && id.len <= ID_MAX)
		(void)send(wake_fd, id.data, id.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void queue_wake_with(int wake_fd, const struct pr_envelope *envelope, struct pr_str sort_order)
{
	struct pr_str id = envelope->id;
	struct plan_facts known = {.id = id, .priority = envelope->priority, .created = envelope->created, .seed = envelope->created};
	enum plan_sort sort = PLAN_UNSORTED;
	char bytes[QUEUE_WAKE_MAX];

	if (wake_fd < 0 || id.len == 0 || id.len > ID_MAX)
		return;
	if (envelope->recipient_count > 0)
		known.recipient = pr_address_inner(envelope->recipients[0].address);
	plan_sort_parse(sort_order, &sort);
	struct facts facts = {.order = plan_sort_key(sort, &known), .source = plan_source(envelope->sender)};
	memcpy(bytes, id.data, id.len);
	bytes[id.len] = '\0';
	memcpy(bytes + id.len + 1, &facts, sizeof facts);
	(void)send(wake_fd, bytes, id.len + 1 + sizeof facts, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void queue_wake_read(const char *bytes, size_t len, struct plan_item *item_out)
{
	struct pr_str all = {bytes, len};
	size_t id = pr_str_find(all, '\0');
	struct facts facts = {.order = 0};

	if (len == id + 1 + sizeof facts)
		memcpy(&facts, bytes + id + 1, sizeof facts);
	item_out->id = pr_str_slice(all, 0, id);
	item_out->order = facts.order;
	item_out->source = facts.source;
}
