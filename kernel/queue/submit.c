/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of our own: begin, body and commit in one blocking call.
 * The completion may come in another thread, so the caller sleeps on a condition until it has.
 */
#include "kernel/queue/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	enum pr_commit result; /* 0: not yet */
	char reason[1000];
};

static void note_result(void *context, enum pr_commit result, struct pr_str reason)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	snprintf(waiting->reason, sizeof waiting->reason, "%.*s", PR_PRINT(reason));
	waiting->result = result;
	pthread_cond_signal(&waiting->answered);
	pthread_mutex_unlock(&waiting->lock);
}

static enum pr_status commit(struct module_scope *scope, void *transaction, const struct pr_envelope *envelope)
{
	struct waiting waiting = { .result = 0 };
	enum pr_status status;

	pthread_mutex_init(&waiting.lock, NULL);
	pthread_cond_init(&waiting.answered, NULL);
	status = store_commit(scope, transaction, envelope, note_result, &waiting);
	if (status == PR_OK) {
		pthread_mutex_lock(&waiting.lock);
		while (waiting.result == 0)
			pthread_cond_wait(&waiting.answered, &waiting.lock);
		pthread_mutex_unlock(&waiting.lock);
		if (waiting.result != PR_COMMIT_DURABLE) {
			/* UNKNOWN counts as failed: twice is better than never */
			scope->reason = pr_arena_copy(scope->arena, pr_str(waiting.reason));
			status = PR_TEMPFAIL;
		}
	}
	pthread_cond_destroy(&waiting.answered);
	pthread_mutex_destroy(&waiting.lock);
	return status;
}

struct body_target {
	struct module_scope *scope;
	void *transaction;
};

static enum pr_status write_body(void *context, const void *data, size_t len)
{
	struct body_target *target = context;

	return store_body(target->scope, target->transaction, data, len);
}

static enum pr_status begin(struct module_scope *scope, struct pr_str group, void **transaction_out, struct pr_str *id_out)
{
	const struct pr_intake intake = { .size = sizeof intake, .queue = group.len > 0 ? group : PR_NONE };
	enum pr_status status = store_begin_in(scope, &intake, transaction_out, id_out);

	return status == PR_NOTFOUND ? store_begin(scope, transaction_out, id_out) : status;
}

enum pr_status queue_compose(struct module_scope *scope, struct pr_str group, queue_composer *compose, void *context, struct pr_str *id_out)
{
	struct body_target target = { .scope = scope };
	struct pr_envelope *envelope = NULL;
	struct pr_str id;
	enum pr_status status = begin(scope, group, &target.transaction, &id);

	if (status != PR_OK)
		return status;
	status = compose(context, id, write_body, &target, &envelope);
	if (status != PR_OK) {
		store_abort(scope, target.transaction);
		return status;
	}
	status = commit(scope, target.transaction, envelope);
	if (status == PR_OK)
		*id_out = id;
	return status;
}

struct source {
	const struct pr_envelope *envelope;
	queue_body_source *body;
	void *context;
};

static enum pr_status copy_source(void *context, struct pr_str id, queue_write *write, void *write_context,
                                  struct pr_envelope **envelope_out)
{
	const struct source *source = context;
	char buffer[8192];
	size_t len = 0;
	enum pr_status status;

	(void)id;
	do {
		len = 0;
		status = source->body == NULL ? PR_OK : source->body(source->context, buffer, sizeof buffer, &len);
		if (status == PR_OK && len > 0)
			status = write(write_context, buffer, len);
	} while (status == PR_OK && len > 0);
	*envelope_out = (struct pr_envelope *)(uintptr_t)source->envelope;
	return status;
}

enum pr_status queue_submit(struct module_scope *scope, const struct pr_envelope *envelope, queue_body_source *body,
                            void *context, struct pr_str *id_out)
{
	struct source source = { envelope, body, context };

	return queue_compose(scope, PR_NONE, copy_source, &source, id_out);
}
