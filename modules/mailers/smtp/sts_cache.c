/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of domains under one lock, which is not held while somebody is asked; who fetches marks the entry as his.
 * Whatever goes wrong on the way ends with an answer, never with a failure of the delivery: a policy counts when it was seen, and only then.
 */
#include "sts_cache.h"

#include "sts_fetch.h"
#include "sts_store.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define BUCKETS 1024
#define ENTRIES_MAX 8192
#define REFRESH_SECONDS 86400
#define RETRY_SECONDS 300
#define FETCH_MS 30000
#define SWEEP_SECONDS 86400
#define TYPE_TXT 16

struct entry {
	struct entry *next;
	char *domain;
	struct pr_text text;           /* the policy as it was printed; empty: none */
	char id[STS_ID_MAX + 1];       /* of the record for which it was fetched */
	char tried_id[STS_ID_MAX + 1]; /* of the last one for which it could not be */
	int64_t fetched, max_age, tried, used;
	bool is_busy;                  /* somebody fetches */
	uint32_t waiting;
	struct pr_str failure;         /* of the last try, a literal; absent: it went well */
	char reason[300];
};

struct sts_cache {
	struct sts_settings settings;
	char *texts[3];                /* of the settings */
	pthread_mutex_t lock;
	pthread_cond_t fetched;
	struct entry *buckets[BUCKETS];
	size_t count;
	int64_t swept;
};

static struct pr_str own(char **place, struct pr_str text)
{
	*place = pr_copy_str(text.data != NULL ? text : PR_STR(""));
	return (struct pr_str){*place, text.len};
}

struct sts_cache *sts_cache_new(const struct sts_settings *settings)
{
	struct sts_cache *cache = pr_alloc(sizeof *cache);
	pthread_condattr_t monotonic;

	cache->settings.port = settings->port;
	cache->settings.directory = own(&cache->texts[0], settings->directory);
	cache->settings.ca_file = own(&cache->texts[1], settings->ca_file);
	cache->settings.ca_path = own(&cache->texts[2], settings->ca_path);
	pthread_mutex_init(&cache->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&cache->fetched, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return cache;
}

static void free_entry(struct entry *entry)
{
	pr_text_fini(&entry->text);
	pr_free(entry->domain);
	pr_free(entry);
}

void sts_cache_free(struct sts_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *entry = cache->buckets[i], *next; entry != NULL; entry = next) {
			next = entry->next;
			free_entry(entry);
		}
	for (size_t i = 0; i < sizeof cache->texts / sizeof cache->texts[0]; i++)
		pr_free(cache->texts[i]);
	pthread_cond_destroy(&cache->fetched);
	pthread_mutex_destroy(&cache->lock);
	pr_free(cache);
}

static int64_t now_of_day(void)
{
	return (int64_t)time(NULL);
}

/* Room for one more: the one that was not asked for the longest time goes, it is on disk. */
static void forget_one(struct sts_cache *cache)
{
	struct entry **oldest = NULL;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry **place = &cache->buckets[i]; *place != NULL; place = &(*place)->next)
			if (!(*place)->is_busy && (*place)->waiting == 0 && (oldest == NULL || (*place)->used < (*oldest)->used))
				oldest = place;
	if (oldest == NULL)
		return;
	struct entry *entry = *oldest;
	*oldest = entry->next;
	cache->count--;
	free_entry(entry);
}

/* A clock that went back must not make a policy last longer. */
static void take_stored(struct entry *entry, const struct sts_stored *stored)
{
	struct sts_policy policy;
	struct pr_text why;
	int64_t now = now_of_day();

	pr_text_init(&why, 400);
	if (sts_policy_parse(pr_text_str(stored->text), &policy, &why)) {
		pr_text_add_str(&entry->text, pr_text_str(stored->text));
		entry->fetched = stored->fetched < now ? stored->fetched : now;
		entry->max_age = policy.max_age;
		memcpy(entry->id, stored->id, sizeof entry->id);
	}
	pr_text_fini(&why);
}

static struct entry *add_entry(struct sts_cache *cache, struct pr_str domain, struct entry **bucket)
{
	struct entry *entry = pr_alloc(sizeof *entry);
	struct pr_text text;
	struct sts_stored stored = {.text = &text};

	if (cache->count >= ENTRIES_MAX)
		forget_one(cache);
	entry->domain = pr_copy_str(domain);
	pr_text_init(&entry->text, STS_POLICY_BYTES);
	pr_text_init(&text, STS_POLICY_BYTES);
	if (sts_store_read(cache->settings.directory, domain, &stored) == PR_OK)
		take_stored(entry, &stored);
	pr_text_fini(&text);
	entry->next = *bucket;
	*bucket = entry;
	cache->count++;
	return entry;
}

static struct entry *get_entry(struct sts_cache *cache, struct pr_str domain)
{
	struct entry **bucket = &cache->buckets[pr_str_hash_nocase(domain) % BUCKETS], *entry = *bucket;

	while (entry != NULL && !pr_str_equal(pr_str(entry->domain), domain))
		entry = entry->next;
	if (entry == NULL)
		entry = add_entry(cache, domain, bucket);
	entry->used = now_of_day();
	return entry;
}

/* The id of the domain's record; false: none is known now. */
static bool ask_record(struct pr_call *call, struct pr_str domain, struct pr_str *id_out)
{
	struct pr_str name = pr_arena_printf(call->arena, "_mta-sts.%.*s", PR_PRINT(domain)), before = call->reason;
	const struct pr_dns_record *records = NULL;
	size_t count = 0;
	bool found = false;

	if (name.data != NULL && pr_dns_records(call, name, TYPE_TXT, &records, &count) == PR_OK && count > 0) {
		struct pr_str *texts = pr_arena_alloc(call->arena, count * sizeof *texts);
		for (size_t i = 0; texts != NULL && i < count; i++)
			texts[i] = records[i].text;
		found = texts != NULL && sts_record_find(texts, count, id_out);
	}
	call->reason = before; /* no failure of the delivery */
	return found;
}

static bool is_valid(const struct entry *entry, int64_t now)
{
	return entry->text.len > 0 && now < entry->fetched + entry->max_age;
}

static int64_t refresh_age(const struct entry *entry)
{
	return entry->max_age / 2 < REFRESH_SECONDS ? entry->max_age / 2 : REFRESH_SECONDS;
}

static bool wants_fetch(const struct entry *entry, struct pr_str id, int64_t now)
{
	bool was_tried = entry->failure.len > 0 && pr_str_equal(id, pr_str(entry->tried_id)) && now >= entry->tried && now < entry->tried + RETRY_SECONDS;

	if (was_tried)
		return false;
	return !is_valid(entry, now) || !pr_str_equal(id, pr_str(entry->id)) || now >= entry->fetched + refresh_age(entry);
}

/* What a fetch brought, with the lock not held. */
struct catch {
	struct pr_text body, printed, why;
	struct pr_str failure;
	struct sts_policy policy;
};

static void fetch(const struct sts_cache *cache, struct pr_call *call, struct pr_str domain, struct catch *catch)
{
	struct sts_fetch what = {.host = pr_arena_printf(call->arena, "mta-sts.%.*s", PR_PRINT(domain)), .port = cache->settings.port,
	                         .ca_file = cache->settings.ca_file, .ca_path = cache->settings.ca_path, .milliseconds = pr_call_remaining(call, FETCH_MS)};
	struct pr_str before = call->reason;

	catch->failure = PR_STR("sts-policy-fetch-error");
	if (what.host.data == NULL || what.milliseconds <= 0) {
		pr_text_add_c(&catch->why, "there is no time left");
		return;
	}
	if (call->host->dns_addresses(call, what.host, &what.addresses) != PR_OK || what.addresses.count == 0) {
		pr_text_addf(&catch->why, "%.*s has no address that could be found", PR_PRINT(what.host));
		call->reason = before;
		return;
	}
	enum sts_fetched result = sts_fetch(&what, &catch->body, &catch->why);
	if (result == STS_NOT_TRUSTED)
		catch->failure = PR_STR("sts-webpki-invalid");
	else if (result == STS_FETCHED && !sts_policy_parse(pr_text_str(&catch->body), &catch->policy, &catch->why))
		catch->failure = PR_STR("sts-policy-invalid");
	else if (result == STS_FETCHED) {
		catch->failure = PR_NONE;
		sts_policy_print(&catch->policy, &catch->printed);
	}
}

static void take_policy(struct entry *entry, const struct catch *catch, struct pr_str id, int64_t now)
{
	pr_text_clear(&entry->text);
	pr_text_add_str(&entry->text, pr_text_str(&catch->printed));
	entry->fetched = now;
	entry->max_age = catch->policy.max_age;
	memcpy(entry->id, id.data, id.len);
	entry->id[id.len] = '\0';
	entry->failure = PR_NONE;
	entry->reason[0] = '\0';
}

static void take_failure(struct entry *entry, const struct catch *catch, struct pr_str id, int64_t now)
{
	entry->failure = catch->failure;
	entry->tried = now;
	memcpy(entry->tried_id, id.data, id.len);
	entry->tried_id[id.len] = '\0';
	pr_print(entry->reason, sizeof entry->reason, "%s", catch->why.data);
}

static void keep(struct sts_cache *cache, struct pr_call *call, struct pr_str domain, struct pr_str id, struct catch *catch, int64_t now, bool sweeps)
{
	struct sts_stored stored = {.fetched = now, .text = &catch->printed};

	memcpy(stored.id, id.data, id.len);
	if (sweeps)
		sts_store_sweep(cache->settings.directory, now);
	if (cache->settings.directory.len > 0 && !sts_store_write(cache->settings.directory, domain, &stored, &catch->why))
		call->host->log(call, PR_LOG_WARNING, "MTA-STS: the policy of %.*s cannot be kept: %s", PR_PRINT(domain), catch->why.data);
}

/* The lock is held when it begins and ends. */
static void renew(struct sts_cache *cache, struct pr_call *call, struct entry *entry, struct pr_str domain, struct pr_str id)
{
	struct catch *catch = pr_alloc(sizeof *catch);
	int64_t now = now_of_day();
	bool had = is_valid(entry, now), sweeps = now >= cache->swept + SWEEP_SECONDS || now < cache->swept;

	if (sweeps)
		cache->swept = now;
	entry->is_busy = true;
	pthread_mutex_unlock(&cache->lock);
	pr_text_init(&catch->body, STS_POLICY_BYTES);
	pr_text_init(&catch->printed, STS_POLICY_BYTES);
	pr_text_init(&catch->why, 1000);
	fetch(cache, call, domain, catch);
	if (catch->failure.len == 0) {
		call->host->log(call, PR_LOG_INFO, "MTA-STS: policy of %.*s fetched: id=%.*s, mode=%s, max_age=%lld, hosts=%u", PR_PRINT(domain), PR_PRINT(id),
		    sts_mode_name(catch->policy.mode), (long long)catch->policy.max_age, catch->policy.count);
		keep(cache, call, domain, id, catch, now, sweeps);
	} else
		call->host->log(call, PR_LOG_WARNING, "MTA-STS: policy of %.*s cannot be fetched, %s: %.*s: %s", PR_PRINT(domain),
		    had ? "the one of before counts on" : "its mail goes without", PR_PRINT(catch->failure), catch->why.data);
	pthread_mutex_lock(&cache->lock);
	if (catch->failure.len == 0)
		take_policy(entry, catch, id, now);
	else
		take_failure(entry, catch, id, now_of_day());
	entry->is_busy = false;
	pthread_cond_broadcast(&cache->fetched);
	pr_text_fini(&catch->body);
	pr_text_fini(&catch->printed);
	pr_text_fini(&catch->why);
	pr_free(catch);
}

static void wait_for(struct sts_cache *cache, const struct pr_call *call, struct entry *entry)
{
	int64_t patience = pr_call_remaining(call, FETCH_MS);
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += patience / 1000 + 1;
	entry->waiting++;
	while (entry->is_busy && pthread_cond_timedwait(&cache->fetched, &cache->lock, &end) == 0)
		continue;
	entry->waiting--;
}

static enum pr_status copy_answer(const struct entry *entry, bool is_announced, struct pr_call *call, struct sts_answer *answer)
{
	struct pr_arena *arena = call->arena;
	struct pr_text why;

	*answer = (struct sts_answer){.policy = NULL};
	if (is_announced && entry->failure.len > 0) {
		answer->failure = entry->failure;
		answer->reason = pr_arena_copy(arena, pr_str(entry->reason));
	}
	if (!is_valid(entry, now_of_day()))
		return PR_OK;
	struct sts_policy *policy = pr_arena_alloc(arena, sizeof *policy);
	struct pr_str text = pr_arena_copy(arena, pr_text_str(&entry->text));
	pr_text_init(&why, 400);
	if (policy != NULL && text.data != NULL && sts_policy_parse(text, policy, &why))
		answer->policy = policy;
	pr_text_fini(&why);
	return answer->policy != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the MTA-STS policy of %s", entry->domain);
}

enum pr_status sts_cache_ask(struct sts_cache *cache, struct pr_call *call, struct pr_str domain, struct sts_answer *answer_out)
{
	struct pr_str name = pr_arena_lower(call->arena, domain), id = PR_NONE;

	*answer_out = (struct sts_answer){.policy = NULL};
	if (name.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the name of a domain");
	bool is_announced = ask_record(call, name, &id);
	pthread_mutex_lock(&cache->lock);
	struct entry *entry = get_entry(cache, name);
	if (is_announced && entry->is_busy && !is_valid(entry, now_of_day()))
		wait_for(cache, call, entry);
	if (is_announced && !entry->is_busy && wants_fetch(entry, id, now_of_day()))
		renew(cache, call, entry, name, id);
	enum pr_status status = copy_answer(entry, is_announced, call, answer_out);
	pthread_mutex_unlock(&cache->lock);
	return status;
}
