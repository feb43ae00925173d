/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory store, made to answer a commit late and from another thread, to refuse or not to know.
 */
#include "tests/modules/debugstore.h"

#include <time.h>

static struct pr_option options[16];

static const struct pr_option own_options[] = {
	PR_OPTION(struct debugstore, commit, "commit", PR_OPTION_STRING, 0, "durable", "durable, late, refused, unknown, full or fail"),
	PR_OPTION(struct debugstore, delay, "delay", PR_OPTION_INT, 0, "50", "milliseconds that a late commit takes"),
	PR_OPTION(struct debugstore, wrong, "wrong", PR_OPTION_STRING, 0, "nothing", "the promise that is broken"),
};

/* The memory store's and our own, in one table. */
__attribute__((constructor)) static void join_options(void)
{
	size_t count = 0;

	for (; memory_options[count].name != NULL; count++)
		options[count] = memory_options[count];
	for (size_t i = 0; i < sizeof own_options / sizeof own_options[0]; i++)
		options[count++] = own_options[i];
}

enum { DURABLE, LATE, REFUSED, UNKNOWN, FULL, FAIL };

static enum pr_status check(struct pr_call *call)
{
	static const char *const words[] = {
		[DURABLE] = "durable", [LATE] = "late", [REFUSED] = "refused", [UNKNOWN] = "unknown", [FULL] = "full", [FAIL] = "fail",
	};
	struct debugstore *store = debugstore_of(call);

	if (!debugstore_wrong_parse(store))
		return pr_fail(call, PR_MISUSE, "wrong = \"%s\" is not known", store->wrong.data);
	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal(store->commit, pr_str(words[i]))) {
			store->how = i;
			return memory_check(call);
		}
	return pr_fail(call, PR_MISUSE, "commit = \"%s\" is not known", store->commit.data);
}

static enum pr_status on_open(struct pr_call *call)
{
	pthread_mutex_init(&debugstore_of(call)->lock, NULL);
	pthread_cond_init(&debugstore_of(call)->quiet, NULL);
	enum pr_status status = memory_open(call);
	return status == PR_OK ? memory_role(call, PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ) : status;
}

static enum pr_status drain(struct pr_call *call)
{
	struct debugstore *store = debugstore_of(call);

	pthread_mutex_lock(&store->lock);
	while (store->late > 0)
		pthread_cond_wait(&store->quiet, &store->lock);
	pthread_mutex_unlock(&store->lock);
	return PR_OK;
}

static void on_close(struct pr_call *call)
{
	drain(call);
	pthread_cond_destroy(&debugstore_of(call)->quiet);
	pthread_mutex_destroy(&debugstore_of(call)->lock);
	memory_close(call);
}

/* What the memory store says, held back until it may be told. */
struct answer {
	struct debugstore *store;
	pr_commit_done *done;
	void *context;
};

static void note(void *context, enum pr_commit result, struct pr_str reason)
{
	(void)reason;
	*(enum pr_commit *)context = result;
}

static void *tell_late(void *argument)
{
	struct answer *answer = argument;
	struct debugstore *store = answer->store;

	nanosleep(&(struct timespec){ .tv_sec = store->delay / 1000, .tv_nsec = store->delay % 1000 * 1000000 }, NULL);
	answer->done(answer->context, PR_COMMIT_DURABLE, PR_NONE);
	pr_free(answer);
	pthread_mutex_lock(&store->lock);
	if (--store->late == 0)
		pthread_cond_broadcast(&store->quiet);
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

static void answer_late(struct debugstore *store, pr_commit_done *done, void *context)
{
	struct answer *answer = pr_alloc(sizeof *answer);
	pthread_t thread;

	*answer = (struct answer){ store, done, context };
	pthread_mutex_lock(&store->lock);
	store->late++;
	pthread_mutex_unlock(&store->lock);
	if (pthread_create(&thread, NULL, tell_late, answer) == 0)
		pthread_detach(thread);
	else
		tell_late(answer);
}

static enum pr_status refuse(struct pr_call *call, void *transaction, pr_commit_done *done, void *context)
{
	struct debugstore *store = debugstore_of(call);

	memory_abort(call, transaction);
	if (store->how == FAIL)
		return pr_fail(call, PR_TEMPFAIL, "told to fail");
	done(context, PR_COMMIT_REFUSED, store->how == FULL ? PR_STR("Insufficient disk space: told to be full") : PR_STR("told to refuse"));
	return PR_OK;
}

static enum pr_status commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope, pr_commit_done *done,
    void *context)
{
	struct debugstore *store = debugstore_of(call);
	enum pr_commit result = 0;

	if (store->how == REFUSED || store->how == FULL || store->how == FAIL)
		return refuse(call, transaction, done, context);
	enum pr_status status = memory_commit(call, transaction, envelope, note, &result);
	if (status != PR_OK)
		return status;
	if (store->how == LATE)
		answer_late(store, done, context);
	else if (store->how == UNKNOWN) /* it is there, but nobody knows */
		done(context, PR_COMMIT_UNKNOWN, PR_STR("told not to know"));
	else
		done(context, result, PR_NONE);
	if (store->breaking == WRONG_TWICE)
		done(context, PR_COMMIT_DURABLE, PR_NONE);
	return PR_OK;
}

static const struct pr_store_ops ops = {
	.size = sizeof ops,
	.role = memory_role,
	.begin = memory_begin,
	.body = debugstore_body,
	.commit = commit,
	.abort = debugstore_abort,
	.next = memory_next,
	.next_end = memory_next_end,
	.peek = memory_peek,
	.claim = debugstore_claim,
	.body_open = memory_body_open,
	.body_close = memory_body_close,
	.renew = memory_renew,
	.update = memory_update,
	.finish = debugstore_finish,
	.defer = debugstore_defer,
	.release = memory_release,
	.hold = memory_hold,
	.unhold = memory_unhold,
	.requeue = memory_requeue,
	.remove = debugstore_remove,
	.health = memory_health,
	.drain = drain,
	.begin_in = memory_begin_in,
	.wait_ready = memory_wait_ready,
	.quarantine = memory_quarantine,
	.edit = debugstore_edit,
	.query = debugstore_query,
	.handover = memory_handover,
	.claim_aside = memory_claim_aside,
};

PR_MODULE(debugstore) = {
	PR_MODULE_HEAD(PR_KIND_STORE),
	.flags = PR_CONCURRENT,
	.instance_size = sizeof(struct debugstore),
	.name = "debugstore",
	.version = "1.0",
	.summary = "a queue in memory that commits late, refuses or does not know when told to",
	.options = options,
	.check = check,
	.open = on_open,
	.close = on_close,
	.ops = &ops,
};
