/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wake-ups: one datagram per message, the id and behind a NUL what the plan wants to know before anybody has read the message.
 * One that begins with a NUL asks for a queue run instead (ETRN).  Both ends are one program on one machine, so the numbers travel as they are.  A descriptor may come along, for the word of the first attempt.
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
	uint32_t mode; /* a letter of DeliveryMode, or anything: the configured one */
};

static bool send_bytes(int wake_fd, const char *bytes, size_t len, int word_fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec piece = {(void *)(uintptr_t)bytes, len};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};

	if (word_fd < 0)
		return send(wake_fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof word_fd);
	memcpy(CMSG_DATA(head), &word_fd, sizeof word_fd);
	return sendmsg(wake_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

void queue_wake(int wake_fd, struct pr_str id)
{
	if (wake_fd >= 0 && id.len > 0 && id.len <= ID_MAX)
		(void)send_bytes(wake_fd, id.data, id.len, -1);
}

bool queue_wake_for(int wake_fd, const struct pr_envelope *envelope, struct pr_str sort_order, char mode, int word_fd)
{
	struct pr_str id = envelope->id;
	struct plan_facts known = {.id = id, .priority = envelope->priority, .created = envelope->created, .seed = envelope->created};
	enum plan_sort sort = PLAN_UNSORTED;
	char bytes[QUEUE_WAKE_MAX];

	if (wake_fd < 0 || id.len == 0 || id.len > ID_MAX)
		return false;
	if (envelope->recipient_count > 0)
		known.recipient = pr_address_inner(envelope->recipients[0].address);
	plan_sort_parse(sort_order, &sort);
	struct facts facts = {.order = plan_sort_key(sort, &known), .source = plan_source(envelope->sender), .mode = (unsigned char)mode};
	memcpy(bytes, id.data, id.len);
	bytes[id.len] = '\0';
	memcpy(bytes + id.len + 1, &facts, sizeof facts);
	return send_bytes(wake_fd, bytes, id.len + 1 + sizeof facts, word_fd);
}

static bool is_mode(uint32_t letter)
{
	return letter == QUEUE_MODE_VERBOSE || letter == 'i' || letter == 'b' || letter == 'q' || letter == 'd';
}

void queue_wake_read(const char *bytes, size_t len, struct plan_item *item_out, char *mode_out)
{
	struct pr_str all = {bytes, len};
	size_t id = pr_str_find(all, '\0');
	struct facts facts = {.order = 0};

	if (len == id + 1 + sizeof facts)
		memcpy(&facts, bytes + id + 1, sizeof facts);
	item_out->id = pr_str_slice(all, 0, id);
	item_out->order = facts.order;
	item_out->source = facts.source;
	*mode_out = (char)(is_mode(facts.mode) ? facts.mode : 0);
}

/* No id begins with a NUL. */
bool queue_wake_run(int wake_fd, struct pr_str line)
{
	char bytes[QUEUE_WAKE_MAX] = {0};

	if (wake_fd < 0 || line.len >= sizeof bytes)
		return false;
	memcpy(bytes + 1, line.data, line.len);
	return send_bytes(wake_fd, bytes, 1 + line.len, -1);
}

bool queue_wake_is_run(const char *bytes, size_t len, struct pr_str *line_out)
{
	if (len == 0 || bytes[0] != '\0')
		return false;
	*line_out = (struct pr_str){bytes + 1, len - 1};
	return true;
}

int queue_wake_descriptor(const struct msghdr *message)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}
