/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking messages in: a transaction is the message itself, which commit puts at the end of the list.
 * Options make commit answer late and from another thread, refuse, or not know.
 */
#include "debugstore.h"

#include <string.h>
#include <time.h>

static const struct pr_option options[] = {
    PR_OPTION(struct debugstore, commit, "commit", PR_OPTION_STRING, 0, "durable", "durable, late, refused, unknown, full or fail"),
    PR_OPTION(struct debugstore, most, "most", PR_OPTION_INT, 0, "10000", "messages it takes"),
    PR_OPTION(struct debugstore, delay, "delay", PR_OPTION_INT, 0, "50", "milliseconds that a late commit takes"),
    PR_OPTION_END,
};

enum { DURABLE, LATE, REFUSED, UNKNOWN, FULL, FAIL };

static enum pr_status check(struct pr_call *call)
{
	static const char *const words[] = {
	    [DURABLE] = "durable", [LATE] = "late", [REFUSED] = "refused", [UNKNOWN] = "unknown", [FULL] = "full", [FAIL] = "fail",
	};
	struct debugstore *store = call->instance;

	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal(store->commit, pr_str(words[i]))) {
			store->how = i;
			return PR_OK;
		}
	return pr_fail(call, PR_MISUSE, "commit = \"%s\" is not known", store->commit.data);
}

static enum pr_status on_open(struct pr_call *call)
{
	struct debugstore *store = call->instance;

	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->quiet, NULL);
	store->role = PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ;
	return PR_OK;
}

void debugstore_unreference(struct message *message)
{
	if (--message->references > 0)
		return;
	pr_arena_fini(&message->arena);
	pr_text_fini(&message->body);
	pr_free(message);
}

static void on_close(struct pr_call *call)
{
	struct debugstore *store = call->instance;

	pthread_mutex_lock(&store->lock);
	while (store->late > 0)
		pthread_cond_wait(&store->quiet, &store->lock);
	while (store->messages != NULL) {
		struct message *message = store->messages;
		store->messages = message->next;
		debugstore_unreference(message);
	}
	pthread_mutex_unlock(&store->lock);
	pthread_cond_destroy(&store->quiet);
	pthread_mutex_destroy(&store->lock);
}

static enum pr_status role(struct pr_call *call, uint32_t wanted)
{
	struct debugstore *store = call->instance;

	if (wanted == 0 || (wanted & ~(PR_STORE_INTAKE | PR_STORE_DELIVERY | PR_STORE_READ)) != 0)
		return pr_fail(call, PR_MISUSE, "role %u is not known", (unsigned int)wanted);
	store->role = wanted;
	return PR_OK;
}

bool debugstore_may(struct pr_call *call, uint32_t wanted, const char *doing)
{
	const struct debugstore *store = call->instance;

	if ((store->role & wanted) != 0)
		return true;
	pr_fail(call, PR_MISUSE, "this role may not %s", doing);
	return false;
}

/* accepting ------------------------------------------------------------- */

static enum pr_status begin(struct pr_call *call, void **transaction_out, struct pr_str *id_out)
{
	struct debugstore *store = call->instance;

	if (!debugstore_may(call, PR_STORE_INTAKE, "begin a message"))
		return PR_MISUSE;
	struct message *message = pr_alloc(sizeof *message);
	message->references = 1;
	pr_arena_init(&message->arena, ENVELOPE_MOST);
	pr_text_init(&message->body, BODY_MOST);
	pthread_mutex_lock(&store->lock);
	message->number = ++store->last_number;
	pthread_mutex_unlock(&store->lock);
	struct pr_str id = pr_arena_printf(&message->arena, "DEBUG%08llu", (unsigned long long)message->number);
	memcpy(message->id, id.data, id.len < sizeof message->id ? id.len : sizeof message->id - 1);
	*transaction_out = message;
	*id_out = pr_arena_copy(call->arena, id);
	return PR_OK;
}

static enum pr_status body(struct pr_call *call, void *transaction, const void *data, size_t len)
{
	struct message *message = transaction;

	return pr_text_add(&message->body, data, len) ? PR_OK : pr_fail(call, PR_TEMPFAIL, "the message is too long for memory");
}

static void on_abort(struct pr_call *call, void *transaction)
{
	(void)call;
	debugstore_unreference(transaction);
}

/* Puts the message at the end of the list; false when the store is full. */
static bool insert(struct debugstore *store, struct message *message)
{
	struct message **end = &store->messages;

	pthread_mutex_lock(&store->lock);
	bool fits = store->count < (uint64_t)store->most;
	while (*end != NULL)
		end = &(*end)->next;
	if (fits) {
		*end = message;
		store->count++;
	}
	pthread_mutex_unlock(&store->lock);
	return fits;
}

struct late {
	struct debugstore *store;
	struct message *message;
	pr_commit_done *done;
	void *context;
};

static void settle(struct debugstore *store, struct message *message, pr_commit_done *done, void *context)
{
	if (insert(store, message)) {
		done(context, PR_COMMIT_DURABLE, PR_NONE);
		return;
	}
	debugstore_unreference(message);
	done(context, PR_COMMIT_REFUSED, PR_STR("the store is full"));
}

static void *settle_late(void *argument)
{
	struct late *late = argument;
	struct debugstore *store = late->store;

	nanosleep(&(struct timespec){.tv_sec = store->delay / 1000, .tv_nsec = store->delay % 1000 * 1000000}, NULL);
	settle(store, late->message, late->done, late->context);
	pr_free(late);
	pthread_mutex_lock(&store->lock);
	if (--store->late == 0)
		pthread_cond_broadcast(&store->quiet);
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

static enum pr_status commit_late(struct pr_call *call, struct message *message, pr_commit_done *done, void *context)
{
	struct debugstore *store = call->instance;
	struct late *late = pr_alloc(sizeof *late);
	pthread_t thread;

	*late = (struct late){store, message, done, context};
	pthread_mutex_lock(&store->lock);
	store->late++;
	pthread_mutex_unlock(&store->lock);
	if (pthread_create(&thread, NULL, settle_late, late) == 0) {
		pthread_detach(thread);
		return PR_OK;
	}
	pthread_mutex_lock(&store->lock);
	store->late--;
	pthread_mutex_unlock(&store->lock);
	pr_free(late);
	debugstore_unreference(message);
	return pr_fail(call, PR_TEMPFAIL, "no thread for a late answer");
}

/* A line end inside an address would become a line of its own in every store that writes lines, and in every reply. */
static bool is_one_line(struct pr_str str)
{
	for (size_t i = 0; i < str.len; i++)
		if (str.data[i] == '\n' || str.data[i] == '\r' || str.data[i] == '\0')
			return false;
	return true;
}

/* Inner line ends of a field are followed by white space, or they begin another field. */
static bool is_folded(struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '\n' && (i + 1 == value.len || (value.data[i + 1] != ' ' && value.data[i + 1] != '\t')))
			return false;
	return true;
}

static bool is_sane(const struct pr_envelope *envelope)
{
	bool sane = is_one_line(envelope->sender) && is_one_line(envelope->envelope_id) && is_one_line(envelope->auth) &&
	            is_one_line(envelope->message) && is_one_line(envelope->quarantine);

	for (size_t i = 0; sane && i < envelope->recipient_count; i++) {
		const struct pr_recipient *recipient = &envelope->recipients[i];
		sane = recipient->address.len > 0 && is_one_line(recipient->address) && is_one_line(recipient->original) && is_one_line(recipient->final) &&
		       is_one_line(recipient->owner) && is_one_line(recipient->alias) && is_one_line(recipient->status);
	}
	for (size_t i = 0; sane && i < envelope->header_count; i++)
		sane = is_one_line(envelope->headers[i].name) && is_folded(envelope->headers[i].value);
	return sane;
}

static enum pr_status commit(struct pr_call *call, void *transaction, const struct pr_envelope *envelope, pr_commit_done *done,
    void *context)
{
	struct debugstore *store = call->instance;
	struct message *message = transaction;

	if (!is_sane(envelope)) {
		debugstore_unreference(message);
		return pr_fail(call, PR_PERMFAIL, "an empty address, or a line end or NUL in the envelope");
	}
	message->envelope = pr_envelope_copy(envelope, &message->arena);
	if (message->envelope == NULL || store->how == FAIL) {
		debugstore_unreference(message);
		return pr_fail(call, PR_TEMPFAIL, store->how == FAIL ? "told to fail" : "the envelope is too long for memory");
	}
	message->envelope->id = pr_str(message->id);
	message->envelope->body_size = (int64_t)message->body.len;
	if (store->how == LATE)
		return commit_late(call, message, done, context);
	if (store->how == DURABLE) {
		settle(store, message, done, context);
	} else if (store->how == UNKNOWN) {
		insert(store, message); /* it is there, but nobody knows */
		done(context, PR_COMMIT_UNKNOWN, PR_STR("told not to know"));
	} else {
		debugstore_unreference(message);
		done(context, PR_COMMIT_REFUSED, store->how == FULL ? PR_STR("told to be full") : PR_STR("told to refuse"));
	}
	return PR_OK;
}

static const struct pr_store_ops ops = {
    .size = sizeof ops,
    .role = role,
    .begin = begin,
    .body = body,
    .commit = commit,
    .abort = on_abort,
    .next = debugstore_next,
    .next_end = debugstore_next_end,
    .peek = debugstore_peek,
    .claim = debugstore_claim,
    .body_open = debugstore_body_open,
    .body_close = debugstore_body_close,
    .renew = debugstore_renew,
    .update = debugstore_update,
    .finish = debugstore_finish,
    .defer = debugstore_defer,
    .release = debugstore_release,
    .hold = debugstore_hold,
    .unhold = debugstore_unhold,
    .requeue = debugstore_requeue,
    .remove = debugstore_remove,
    .health = debugstore_health,
    .drain = debugstore_drain,
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
