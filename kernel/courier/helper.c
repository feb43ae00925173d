/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Local deliveries: a mailer's local_deliver goes to a helper process that the master starts as the right user.
 * Many threads may ask at once over one channel; the first thread reads the answers and hands each to the asker with
 * the same serial.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ASK_SECONDS 60

struct ask {
	struct ask *next;
	uint32_t serial;
	bool answered;
	int64_t status; /* enum pr_status: whether asking again may help */
	int fd;
	char text[512];
};

struct courier_asks {
	struct courier *courier;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct ask *first;
	uint32_t serial;
};

static void forget(struct courier_asks *asks, struct ask *wanted)
{
	struct ask **link = &asks->first;

	while (*link != wanted)
		link = &(*link)->next;
	*link = wanted->next;
}

static void wait_answer(struct courier_asks *asks, struct ask *ask)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ASK_SECONDS;
	while (!ask->answered)
		if (pthread_cond_timedwait(&asks->answered, &asks->lock, &end) != 0)
			break;
}

static enum pr_status ask_master(void *context, struct pr_str user, int *fd_out, struct pr_text *why)
{
	struct courier_asks *asks = context;
	struct ask ask = {.fd = -1};
	enum pr_status status = PR_TEMPFAIL;

	pthread_mutex_lock(&asks->lock);
	ask.serial = ++asks->serial;
	ask.next = asks->first;
	asks->first = &ask;
	bool sent = channel_send(asks->courier->role->channel, CHANNEL_HELPER, ask.serial, 0, user, -1);
	if (sent)
		wait_answer(asks, &ask);
	forget(asks, &ask);
	pthread_mutex_unlock(&asks->lock);
	if (ask.fd >= 0) {
		*fd_out = ask.fd;
		status = PR_OK;
	} else {
		if (ask.status == PR_PERMFAIL || ask.status == PR_NOTFOUND)
			status = (enum pr_status)ask.status;
		pr_text_addf(why, "no helper: %s", ask.text[0] != '\0' ? ask.text : sent ? "the master does not answer" : "no master");
	}
	return status;
}

bool helpers_answer(struct courier *courier, const struct channel_message *message, int fd)
{
	struct courier_asks *asks = courier->asks;
	bool found = false;

	pthread_mutex_lock(&asks->lock);
	for (struct ask *ask = asks->first; ask != NULL && !found; ask = ask->next) {
		if (ask->serial != message->serial)
			continue;
		found = ask->answered = true;
		ask->fd = fd;
		ask->status = message->number;
		size_t length = message->length < sizeof ask->text - 1 ? message->length : sizeof ask->text - 1;
		memcpy(ask->text, message->text, length);
	}
	pthread_cond_broadcast(&asks->answered);
	pthread_mutex_unlock(&asks->lock);
	if (!found && fd >= 0)
		close(fd); /* whoever asked has given up */
	return found;
}

/* Behind what the mailer gives: the variables of the configuration, or as this process has them. */
static void add_environment(const struct config *config, struct pr_call *call, struct pr_list *list)
{
	struct pr_str *all = pr_arena_alloc(call->arena, (list->count + config->environment_count + 1) * sizeof *all);
	size_t count = 0;

	if (all == NULL)
		return;
	for (; count < list->count; count++)
		all[count] = list->items[count];
	for (size_t i = 0; i < config->environment_count; i++) {
		const struct config_variable *variable = &config->environment[i];
		struct pr_str value = variable->value.data != NULL ? variable->value : pr_str(getenv(variable->name.data));
		if (value.data != NULL)
			all[count++] = pr_arena_printf(call->arena, "%.*s=%.*s", PR_PRINT(variable->name), PR_PRINT(value));
	}
	*list = (struct pr_list){all, count};
}

static enum pr_status deliver(void *context, struct pr_call *call, struct pr_local_delivery *delivery)
{
	struct courier *courier = context;
	bool appends = delivery->kind == PR_LOCAL_MBOX || delivery->kind == PR_LOCAL_FILE;

	if (delivery->kind == PR_LOCAL_PROGRAM || delivery->kind == PR_LOCAL_DIALOGUE)
		add_environment(courier->config, call, &delivery->environment);
	/* in a mailbox of many messages a body line that looks like a separator must not be one */
	return helper_deliver(courier->helpers, call, delivery, appends ? HELPER_QUOTE_FROM : 0);
}

void helpers_open(struct courier *courier)
{
	struct module_services services = {.local_deliver = deliver, .context = courier};
	pthread_condattr_t monotonic;

	courier->asks = pr_alloc(sizeof *courier->asks);
	courier->asks->courier = courier;
	pthread_mutex_init(&courier->asks->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&courier->asks->answered, &monotonic);
	pthread_condattr_destroy(&monotonic);
	courier->helpers = helper_client_new(ask_master, courier->asks);
	host_record_offer(&services);
	tls_record_offer(courier, &services);
	module_set_services(courier->set, &services);
}

void helpers_close(struct courier *courier)
{
	helper_client_free(courier->helpers);
	if (courier->asks == NULL)
		return;
	pthread_cond_destroy(&courier->asks->answered);
	pthread_mutex_destroy(&courier->asks->lock);
	pr_free(courier->asks);
}
