/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See store_harness.h.  Only the SDK's contract is used, so the same tests run against any store.
 */
#include "tests/unit/store_harness.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char harness_logged[16384];

static void host_log(struct pr_call *call, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One line after the other; what does not fit is dropped. */
static void host_log(struct pr_call *call, uint32_t level, const char *format, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	va_list args;

	(void)call;
	(void)level;
	pthread_mutex_lock(&lock);
	size_t used = strlen(harness_logged);
	if (used + 2 < sizeof harness_logged) {
		va_start(args, format);
		vsnprintf(harness_logged + used, sizeof harness_logged - used - 1, format, args);
		va_end(args);
		used = strlen(harness_logged);
		memcpy(harness_logged + used, "\n", 2);
	}
	pthread_mutex_unlock(&lock);
}

const char *harness_queue_groups;

static struct pr_str host_option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	return pr_str_equal(name, PR_STR("QueueGroups")) ? pr_str(harness_queue_groups) : PR_NONE;
}

static const struct pr_host host = { .size = sizeof host, .abi_major = PR_ABI_MAJOR, .abi_minor = PR_ABI_MINOR,
	                                 .log = host_log, .option = host_option };

void harness_call_init(struct harness_call *c, const struct harness *h)
{
	memset(c, 0, sizeof *c);
	pr_arena_init(&c->arena, 64u << 20);
	c->call = (struct pr_call){ .size = sizeof c->call, .host = &host, .arena = &c->arena, .instance = h->instance };
}

void harness_call_fini(struct harness_call *c)
{
	pr_arena_fini(&c->arena);
}

static const struct pr_module *find_module(void *library, const char *path)
{
	char symbol[128];
	const char *base = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;

	snprintf(symbol, sizeof symbol, "%.*s_LTX_pr_module", (int)strcspn(base, "."), base);
	return dlsym(library, symbol);
}

static bool set_option(struct harness *h, const char *setting)
{
	const char *equals = strchr(setting, '=');
	const struct pr_option *option = pr_option_find(h->module->options, (struct pr_str){ setting, (size_t)(equals - setting) });
	struct pr_str why = PR_NONE;

	if (option != NULL && pr_option_parse(option, pr_str(equals + 1), h->instance, &h->options, &why) == PR_OK)
		return true;
	fprintf(stderr, "harness: option %s: %.*s\n", setting, PR_PRINT(why));
	return false;
}

/* STORE_SETTINGS="name=value,name=value": the same tests over a store set up in another way. */
static bool set_from_environment(struct harness *h)
{
	const char *given = getenv("STORE_SETTINGS");
	struct pr_str rest = pr_str(given == NULL ? "" : given), one;
	bool good = true;

	while (good && pr_str_next(&rest, ',', &one)) {
		char *setting = pr_copy_str(one);

		good = set_option(h, setting);
		pr_free(setting);
	}
	return good;
}

static bool fill_options(struct harness *h, const char *const *settings)
{
	struct pr_str why = PR_NONE;
	char directory[300];

	if (h->module->options == NULL)
		return true;
	if (pr_option_defaults(h->module->options, h->instance, &h->options, &why) != PR_OK)
		return false;
	snprintf(directory, sizeof directory, "directory=%s", h->directory);
	if (pr_option_find(h->module->options, PR_STR("directory")) != NULL && !set_option(h, directory))
		return false;
	for (; settings != NULL && *settings != NULL; settings++)
		if (!set_option(h, *settings))
			return false;
	return set_from_environment(h);
}

bool harness_open(struct harness *h, const char *path, const char *directory, const char *const *settings, uint32_t role)
{
	struct harness_call c;
	bool ok = false;

	memset(h, 0, sizeof *h);
	snprintf(h->directory, sizeof h->directory, "%s", directory);
	pr_arena_init(&h->options, 1u << 20);
	h->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	h->module = h->library == NULL ? NULL : find_module(h->library, path);
	if (h->module == NULL) {
		fprintf(stderr, "harness: %s: %s\n", path, dlerror());
		return false;
	}
	h->ops = h->module->ops;
	h->instance = pr_alloc(h->module->instance_size + 1);
	harness_call_init(&c, h);
	ok = fill_options(h, settings) && (h->module->check == NULL || h->module->check(&c.call) == PR_OK) &&
	     (h->module->open == NULL || h->module->open(&c.call) == PR_OK) &&
	     (h->ops->role == NULL || h->ops->role(&c.call, role) == PR_OK);
	if (!ok)
		fprintf(stderr, "harness: %s: %.*s\n", path, PR_PRINT(c.call.reason));
	harness_call_fini(&c);
	return ok;
}

void harness_close(struct harness *h)
{
	struct harness_call c;

	harness_call_init(&c, h);
	if (h->module != NULL && h->module->close != NULL)
		h->module->close(&c.call);
	harness_call_fini(&c);
	pr_free(h->instance);
	h->instance = NULL;
	pr_arena_fini(&h->options);
	/* the library stays: sanitizers want to name its frames */
}

struct answer {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	enum pr_commit result;
	unsigned times;
	char reason[512];
};

static void note(void *context, enum pr_commit result, struct pr_str reason)
{
	struct answer *answer = context;

	pthread_mutex_lock(&answer->lock);
	answer->result = result;
	answer->times++;
	snprintf(answer->reason, sizeof answer->reason, "%.*s", PR_PRINT(reason));
	pthread_cond_signal(&answer->ready);
	pthread_mutex_unlock(&answer->lock);
}

static enum pr_commit wait_for(struct answer *answer)
{
	enum pr_commit result;

	pthread_mutex_lock(&answer->lock);
	while (answer->times == 0)
		pthread_cond_wait(&answer->ready, &answer->lock);
	result = answer->times == 1 ? answer->result : 0;
	pthread_mutex_unlock(&answer->lock);
	return result;
}

enum pr_commit harness_submit_in(const struct harness *h, struct pr_str queue, const struct pr_envelope *envelope, const char *body, size_t len)
{
	struct answer answer = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, "" };
	const struct pr_intake intake = { .size = sizeof intake, .queue = queue };
	struct harness_call c;
	struct pr_str id;
	void *transaction;
	enum pr_commit result = 0;

	harness_call_init(&c, h);
	if (h->ops->begin_in(&c.call, &intake, &transaction, &id) == PR_OK) {
		if (h->ops->body(&c.call, transaction, body, len) != PR_OK)
			h->ops->abort(&c.call, transaction);
		else if (h->ops->commit(&c.call, transaction, envelope, note, &answer) == PR_OK)
			result = wait_for(&answer);
	}
	harness_call_fini(&c);
	return result;
}

enum pr_commit harness_submit(const struct harness *h, const struct pr_envelope *envelope, const char *body, size_t len,
                              char id_out[64], char reason_out[512])
{
	struct answer answer = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, "" };
	struct harness_call c;
	struct pr_str id;
	void *transaction;
	enum pr_commit result = 0;

	harness_call_init(&c, h);
	if (h->ops->begin(&c.call, &transaction, &id) == PR_OK) {
		snprintf(id_out, 64, "%.*s", PR_PRINT(id));
		if (h->ops->body(&c.call, transaction, body, len / 2) != PR_OK ||
		    h->ops->body(&c.call, transaction, body + len / 2, len - len / 2) != PR_OK)
			h->ops->abort(&c.call, transaction);
		else if (h->ops->commit(&c.call, transaction, envelope, note, &answer) == PR_OK)
			result = wait_for(&answer);
	}
	if (reason_out != NULL)
		snprintf(reason_out, 512, "%.*s", result == 0 ? (int)c.call.reason.len : (int)strlen(answer.reason),
		         result == 0 ? c.call.reason.data : answer.reason);
	harness_call_fini(&c);
	return result;
}

void harness_envelope(struct harness_envelope *e)
{
	memset(e, 0, sizeof *e);
	e->recipients[0] = (struct pr_recipient){ .address = PR_STR("<joe@example.org>"), .flags = PR_RECIPIENT_PRIMARY };
	e->recipients[1] = (struct pr_recipient){ .address = PR_STR("<ann@example.net>"), .flags = PR_RECIPIENT_PRIMARY };
	e->headers[0] = (struct pr_header){ PR_STR("Received"), PR_STR(" from a by b;\n\tFri, 20 Nov 2026 12:32:14 GMT"), PR_STR("") };
	e->headers[1] = (struct pr_header){ PR_STR("Subject"), PR_STR(" a test"), PR_STR("") };
	e->macros[0] = (struct pr_macro){ PR_STR("r"), PR_STR("ESMTP") };
	e->macros[1] = (struct pr_macro){ PR_STR("daemon_flags"), PR_STR("c u") };
	e->envelope = (struct pr_envelope){
		.size = sizeof e->envelope, .sender = PR_STR("<sue@example.com>"), .body_type = PR_STR("8BITMIME"), .created = 1795179740,
		.priority = 60123, .flags = PR_ENVELOPE_EIGHT_BIT, .hops = 1, .headers = e->headers, .header_count = 2,
		.recipients = e->recipients, .recipient_count = 2, .macros = e->macros, .macro_count = 2,
	};
}

bool harness_read_body(const struct harness *h, struct pr_claim *claim, struct pr_text *out)
{
	struct harness_call c;
	struct pr_body body = { .size = sizeof body };
	char buffer[777];
	size_t len = 1;
	bool ok;

	harness_call_init(&c, h);
	ok = h->ops->body_open(&c.call, claim, &body) == PR_OK;
	while (ok && len > 0) {
		ok = body.read(&body, &c.call, buffer, sizeof buffer, &len) == PR_OK;
		if (ok)
			ok = pr_text_add(out, buffer, len);
	}
	if (body.context != NULL)
		h->ops->body_close(&c.call, &body);
	harness_call_fini(&c);
	return ok;
}

int harness_count(const struct harness *h)
{
	struct harness_call c;
	struct pr_entry entry;
	void *cursor = NULL;
	enum pr_status status;
	int count = 0;

	harness_call_init(&c, h);
	while ((status = h->ops->next(&c.call, &cursor, &entry)) == PR_OK)
		count++;
	harness_call_fini(&c);
	return status == PR_NOTFOUND ? count : -1;
}

bool harness_scratch(char path_out[256])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path_out, 256, "%s/postrider-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	return mkdtemp(path_out) != NULL;
}

static void for_each_name(const char *path, void (*act)(const char *path, const char *name, void *context), void *context)
{
	DIR *directory = opendir(path);
	struct dirent *found;

	while (directory != NULL && (found = readdir(directory)) != NULL)
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			act(path, found->d_name, context);
	if (directory != NULL)
		closedir(directory);
}

static void remove_name(const char *path, const char *name, void *context)
{
	char full[1024];

	(void)context;
	snprintf(full, sizeof full, "%s/%s", path, name);
	if (unlink(full) != 0) {
		for_each_name(full, remove_name, NULL);
		rmdir(full);
	}
}

void harness_remove_scratch(const char *path)
{
	for_each_name(path, remove_name, NULL);
	rmdir(path);
}

static void count_name(const char *path, const char *name, void *context)
{
	(void)path;
	if (strcmp(name, ".id") != 0 && strcmp(name, "journal") != 0 && strcmp(name, ".cut") != 0)
		++*(int *)context;
}

int harness_files(const char *path)
{
	int count = 0;

	for_each_name(path, count_name, &count);
	return count;
}
