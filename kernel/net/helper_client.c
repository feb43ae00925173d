/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's side of a delivery: the message goes into a memfd (so the helper can read it twice, and no queue file is ever
 * shown to it), a cached or new helper gets the request.  A connection is owned by one thread while it is used.
 */
#include "kernel/net/helper_protocol.h"

#include <errno.h>
#include <postrider/file.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MAX 64
#define NAME_MAX_BYTES 64
#define DEFAULT_SECONDS 600
#define SLACK_SECONDS 30 /* the helper's own limits come first */

struct idle_helper {
	int fd; /* -1: free */
	time_t since;
	char user[NAME_MAX_BYTES];
};

struct helper_client {
	pthread_mutex_t lock;
	helper_ask *ask;
	void *context;
	struct idle_helper idle[IDLE_MAX];
};

static time_t now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

struct helper_client *helper_client_new(helper_ask *ask, void *context)
{
	struct helper_client *client = pr_alloc(sizeof *client);

	client->ask = ask;
	client->context = context;
	(void)pthread_mutex_init(&client->lock, NULL);
	for (size_t i = 0; i < IDLE_MAX; i++)
		client->idle[i].fd = -1;
	return client;
}

static void close_idle(struct helper_client *client, time_t older_than)
{
	for (size_t i = 0; i < IDLE_MAX; i++) {
		if (client->idle[i].fd >= 0 && client->idle[i].since <= older_than) {
			close(client->idle[i].fd);
			client->idle[i].fd = -1;
		}
	}
}

void helper_client_free(struct helper_client *client)
{
	if (client == NULL)
		return;
	close_idle(client, now_seconds());
	(void)pthread_mutex_destroy(&client->lock);
	pr_free(client);
}

void helper_client_tick(struct helper_client *client)
{
	(void)pthread_mutex_lock(&client->lock);
	close_idle(client, now_seconds() - HELPER_IDLE_SECONDS);
	(void)pthread_mutex_unlock(&client->lock);
}

static bool is_for(const struct idle_helper *helper, struct pr_str user)
{
	return helper->fd >= 0 && pr_str_equal(pr_str(helper->user), user);
}

static int take_idle(struct helper_client *client, struct pr_str user)
{
	int fd = -1;

	(void)pthread_mutex_lock(&client->lock);
	for (size_t i = 0; fd < 0 && i < IDLE_MAX; i++) {
		if (is_for(&client->idle[i], user)) {
			fd = client->idle[i].fd;
			client->idle[i].fd = -1;
		}
	}
	(void)pthread_mutex_unlock(&client->lock);
	return fd;
}

static void give_back(struct helper_client *client, struct pr_str user, int fd)
{
	struct idle_helper *slot = NULL;

	if (user.len < NAME_MAX_BYTES) {
		(void)pthread_mutex_lock(&client->lock);
		close_idle(client, now_seconds() - HELPER_IDLE_SECONDS);
		for (size_t i = 0; slot == NULL && i < IDLE_MAX; i++)
			if (client->idle[i].fd < 0)
				slot = &client->idle[i];
		if (slot != NULL) {
			memcpy(slot->user, user.data, user.len);
			slot->user[user.len] = '\0';
			slot->since = now_seconds();
			slot->fd = fd;
		}
		(void)pthread_mutex_unlock(&client->lock);
	}
	if (slot == NULL)
		close(fd);
}

static enum pr_status copy_body(struct pr_call *call, struct pr_body *body, int fd)
{
	char *buffer = pr_alloc(65536);
	enum pr_status status = PR_OK;
	size_t got = 1;

	while (status == PR_OK && got > 0) {
		status = body->read(body, call, buffer, 65536, &got);
		if (status == PR_OK && got > 0 && !pr_write_all(fd, buffer, got))
			status = pr_fail(call, PR_TEMPFAIL, "cannot copy the message: %s", strerror(errno));
	}
	pr_free(buffer);
	return status;
}

static enum pr_status make_message(struct pr_call *call, struct pr_local_delivery *delivery, int *fd_out)
{
	enum pr_status status = PR_OK;
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd < 0 || !pr_write_all(fd, delivery->header.data, delivery->header.len))
		status = pr_fail(call, PR_TEMPFAIL, "cannot copy the message: %s", strerror(errno));
	if (status == PR_OK && delivery->body != NULL) {
		status = delivery->body->rewind(delivery->body, call);
		if (status == PR_OK)
			status = copy_body(call, delivery->body, fd);
	}
	if (status == PR_OK)
		*fd_out = fd;
	else if (fd >= 0)
		close(fd);
	return status;
}

static enum pr_status ask_helper(struct helper_client *client, struct pr_call *call, struct pr_str user, int *fd_out)
{
	struct pr_text why;

	pr_text_init(&why, 1000);
	enum pr_status status = client->ask(client->context, user, fd_out, &why);
	if (status != PR_OK)
		status = pr_fail(call, status, "%s", why.len > 0 ? why.data : "no helper is to be had");
	pr_text_fini(&why);
	return status;
}

/* A cached helper may have gone meanwhile: then a new one is asked for, once. */
static enum pr_status send_request(struct helper_client *client, struct pr_call *call, struct pr_str user,
                                   struct pr_str packet, int message, int *fd_out)
{
	int fd = take_idle(client, user);

	if (fd >= 0 && channel_send(fd, CHANNEL_HELPER, 0, 0, packet, message)) {
		*fd_out = fd;
		return PR_OK;
	}
	if (fd >= 0)
		close(fd);
	enum pr_status status = ask_helper(client, call, user, &fd);
	if (status != PR_OK)
		return status;
	if (!channel_send(fd, CHANNEL_HELPER, 0, 0, packet, message)) {
		status = pr_fail(call, PR_TEMPFAIL, "cannot talk to the helper: %s", strerror(errno));
		close(fd);
		return status;
	}
	*fd_out = fd;
	return PR_OK;
}

static enum pr_status take_reply(struct pr_call *call, struct pr_local_delivery *delivery,
                                 const struct channel_message *message)
{
	struct helper_reply reply;

	if (!helper_reply_parse((struct pr_str){message->text, message->length}, &reply))
		return pr_fail(call, PR_TEMPFAIL, "the helper's reply makes no sense");
	delivery->exit_status = reply.exit_status;
	delivery->output = pr_arena_copy(call->arena, reply.output);
	if (reply.status != PR_OK)
		return pr_fail(call, (enum pr_status)reply.status, "%.*s", PR_PRINT(reply.reason));
	return PR_OK;
}

/* The socket of a dialogue, out of *extra. */
static enum pr_status take_socket(struct pr_call *call, struct pr_local_delivery *delivery, enum pr_status status, int *extra)
{
	if (status != PR_OK || delivery->kind != PR_LOCAL_DIALOGUE)
		return status;
	if (*extra < 0)
		return pr_fail(call, PR_TEMPFAIL, "the helper gave no socket");
	delivery->fd = *extra;
	*extra = -1;
	return PR_OK;
}

static enum pr_status converse(struct helper_client *client, struct pr_call *call, struct pr_local_delivery *delivery,
                               struct pr_str packet, int message)
{
	struct pr_str user = delivery->user.data == NULL ? PR_STR("") : delivery->user;
	struct channel_message *reply = pr_alloc(sizeof *reply);
	int64_t wait = (int64_t)(delivery->timeout > 0 ? delivery->timeout : DEFAULT_SECONDS) + SLACK_SECONDS;
	int fd = -1, extra = -1;
	enum pr_status status = send_request(client, call, user, packet, message, &fd);

	if (status == PR_OK) {
		int got = channel_receive(fd, reply, &extra, wait > 86400 ? 86400000 : (int)wait * 1000);
		if (got > 0) {
			status = take_reply(call, delivery, reply);
			status = take_socket(call, delivery, status, &extra);
			if (status == PR_OK && delivery->kind == PR_LOCAL_DIALOGUE)
				close(fd); /* this helper stays with its program */
			else
				give_back(client, user, fd);
		} else {
			status = pr_fail(call, PR_TEMPFAIL, got == 0 ? "the helper ended without an answer"
			                                             : "the helper did not answer in time");
			close(fd);
		}
	}
	if (extra >= 0)
		close(extra);
	pr_free(reply);
	return status;
}

enum pr_status helper_deliver(struct helper_client *client, struct pr_call *call, struct pr_local_delivery *delivery,
                              uint32_t flags)
{
	struct helper_request request = {.kind = delivery->kind, .flags = flags, .timeout = delivery->timeout,
	                                 .header_size = delivery->header.len, .user = delivery->user,
	                                 .path = delivery->path, .argv = delivery->argv,
	                                 .environment = delivery->environment};
	struct pr_text packet;
	int message = -1;
	enum pr_status status = PR_OK;

	if (delivery->size >= offsetof(struct pr_local_delivery, fd) + sizeof delivery->fd) { /* of a module of 1.4 */
		request.directories = delivery->directories;
		request.root = delivery->root;
		request.niceness = delivery->niceness;
	} else if (delivery->kind == PR_LOCAL_DIALOGUE)
		return pr_fail(call, PR_MISUSE, "the module has no room for the socket of a dialogue");

	pr_text_init(&packet, HELPER_PACKET_MAX);
	if (!helper_request_print(&request, &packet))
		status = pr_fail(call, PR_PERMFAIL, "the arguments of the delivery are too long");
	if (status == PR_OK && delivery->kind != PR_LOCAL_DIALOGUE)
		status = make_message(call, delivery, &message);
	if (status == PR_OK)
		status = converse(client, call, delivery, pr_text_str(&packet), message);
	if (message >= 0)
		close(message);
	pr_text_fini(&packet);
	return status;
}
