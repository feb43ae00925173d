/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map whose keys are orders about its own call, so that a test sees what the kernel gave it.
 * Built twice, as probe (serialised) and as probemany (PR_CONCURRENT, PR_PROMPT): what differs then is the kernel's doing.
 */
#include <postrider/host.h>
#include <postrider/map.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DESCRIBE(name_) PR_MODULE(name_)
#define QUOTE_(name_) #name_
#define QUOTE(name_) QUOTE_(name_)

struct probe {
	struct pr_str journal;
	struct pr_str ask_open;
	struct pr_str ask_close;
	struct pr_str ask_thread;
	int64_t refuse_thread;
	int64_t number;
	struct pr_list words;
	_Atomic int inside;
	_Atomic int most;
	_Atomic int calls;
};

struct thread {
	int lookups;
};

static const struct pr_option options[] = {
    PR_OPTION(struct probe, journal, "journal", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "file that gets a line for each event"),
    PR_OPTION(struct probe, ask_open, "ask_open", PR_OPTION_STRING, 0, NULL, "map to ask in open()"),
    PR_OPTION(struct probe, ask_close, "ask_close", PR_OPTION_STRING, 0, NULL, "map to ask in close()"),
    PR_OPTION(struct probe, ask_thread, "ask_thread", PR_OPTION_STRING, 0, NULL, "map to ask in thread_open()"),
    PR_OPTION(struct probe, refuse_thread, "refuse_thread", PR_OPTION_INT, 0, "0", "so many thread_open() fail"),
    PR_OPTION(struct probe, number, "number", PR_OPTION_INT, 0, "42", "a number"),
    PR_OPTION(struct probe, words, "words", PR_OPTION_LIST, 0, NULL, "words"),
    PR_OPTION_END,
};

static void note(struct pr_call *call, const char *event, struct pr_str what)
{
	const struct probe *probe = call->instance;
	struct pr_str line = pr_arena_printf(call->arena, QUOTE(PROBE_NAME) " %s %.*s\n", event, PR_PRINT(what));
	int fd = open(probe->journal.data, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || !line.data || write(fd, line.data, line.len) != (ssize_t)line.len)
		abort();
	close(fd);
}

static enum pr_status ask(struct pr_call *call, const char *event, struct pr_str map)
{
	struct pr_str value = PR_NONE;

	if (map.data == NULL) {
		note(call, event, PR_STR("-"));
		return PR_OK;
	}
	enum pr_status status = call->host->map_lookup(call, map, PR_STR("key"), NULL, &value);
	note(call, event, status == PR_OK ? value : call->reason);
	return status;
}

static enum pr_status on_open(struct pr_call *call)
{
	return ask(call, "open", ((const struct probe *)call->instance)->ask_open);
}

static void on_close(struct pr_call *call)
{
	ask(call, "close", ((const struct probe *)call->instance)->ask_close);
}

static enum pr_status thread_open(struct pr_call *call)
{
	struct probe *probe = call->instance;

	if (__atomic_fetch_sub(&probe->refuse_thread, 1, __ATOMIC_RELAXED) > 0)
		return pr_fail(call, PR_TEMPFAIL, "no thread wanted");
	return ask(call, "thread_open", probe->ask_thread);
}

static void thread_close(struct pr_call *call)
{
	const struct thread *thread = call->thread;

	note(call, "thread_close", pr_arena_printf(call->arena, "%d", thread->lookups));
}

static void nap(int64_t milliseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)(milliseconds * 1000000)}, NULL);
}

/* Stays inside until two are there, at most 300 ms. */
static enum pr_status meet(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	struct probe *probe = call->instance;
	int now = atomic_fetch_add(&probe->inside, 1) + 1;

	(void)argument;
	if (now > atomic_load(&probe->most))
		atomic_store(&probe->most, now);
	for (int i = 0; i < 60 && atomic_load(&probe->most) < 2; i++)
		nap(5);
	atomic_fetch_sub(&probe->inside, 1);
	*value_out = pr_arena_printf(call->arena, "%d", atomic_load(&probe->most));
	return PR_OK;
}

/* "MAP KEY" */
static enum pr_status ask_map(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	size_t blank = pr_str_find(argument, ' ');

	return call->host->map_lookup(call, pr_str_slice(argument, 0, blank), pr_str_slice(argument, blank + 1, argument.len), NULL, value_out);
}

static enum pr_status answer_status(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	uint64_t number = 0;

	(void)call;
	*value_out = PR_STR("a value that nobody must see");
	if (argument.len > 0 && argument.data[0] == '-')
		return (enum pr_status)-1;
	return pr_str_number(argument, 100, &number) ? (enum pr_status)number : PR_MISUSE;
}

static enum pr_status fail(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	(void)value_out;
	return pr_fail(call, PR_TEMPFAIL, "%.*s", PR_PRINT(argument));
}

static enum pr_status no_value(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	(void)call;
	(void)argument;
	(void)value_out;
	return PR_OK;
}

static enum pr_status count_thread(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	const struct thread *thread = call->thread;

	(void)argument;
	*value_out = pr_arena_printf(call->arena, "%d", thread->lookups);
	return PR_OK;
}

static enum pr_status deadline(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	(void)argument;
	*value_out = pr_arena_printf(call->arena, "%lld", (long long)call->deadline_ms);
	return PR_OK;
}

static enum pr_status macro(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	*value_out = call->host->macro(call, argument);
	return value_out->data != NULL ? PR_OK : PR_NOTFOUND;
}

static enum pr_status option(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	*value_out = call->host->option(call, argument);
	return value_out->data != NULL ? PR_OK : PR_NOTFOUND;
}

static enum pr_status exists(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	*value_out = PR_STR("yes");
	return call->host->map_exists(call, argument) ? PR_OK : PR_NOTFOUND;
}

static enum pr_status user(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	uint32_t uid = 0;
	struct pr_str home = PR_NONE;
	enum pr_status status = call->host->user_find(call, argument, &uid, &home);

	*value_out = pr_arena_printf(call->arena, "%u %.*s", (unsigned int)uid, PR_PRINT(home));
	return status;
}

static enum pr_status deliver(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	struct pr_local_delivery delivery = {.size = sizeof delivery, .user = argument};

	*value_out = argument;
	return call->host->local_deliver(call, &delivery);
}

static enum pr_status tell_number(struct pr_call *call, struct pr_str argument, struct pr_str *value_out)
{
	const struct probe *probe = call->instance;

	(void)argument;
	*value_out = pr_arena_printf(call->arena, "%lld %zu", (long long)probe->number, probe->words.count);
	return PR_OK;
}

static const struct {
	const char *name;
	enum pr_status (*run)(struct pr_call *call, struct pr_str argument, struct pr_str *value_out);
} orders[] = {
    {"meet", meet}, {"ask", ask_map}, {"status", answer_status}, {"fail", fail}, {"novalue", no_value}, {"thread", count_thread},
    {"deadline", deadline}, {"macro", macro}, {"option", option}, {"exists", exists}, {"user", user}, {"deliver", deliver},
    {"number", tell_number},
};

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	struct probe *probe = call->instance;
	struct thread *thread = call->thread;
	size_t blank = pr_str_find(key, ' ');

	(void)args;
	atomic_fetch_add(&probe->calls, 1);
	thread->lookups++;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (pr_str_equal(pr_str_slice(key, 0, blank), pr_str(orders[i].name)))
			return orders[i].run(call, pr_str_slice(key, blank + 1, key.len), value_out);
	return PR_NOTFOUND;
}

static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};

DESCRIBE(PROBE_NAME) = {
    PR_MODULE_HEAD(PR_KIND_MAP),
    .flags = PROBE_FLAGS,
    .instance_size = sizeof(struct probe),
    .thread_size = sizeof(struct thread),
    .name = QUOTE(PROBE_NAME),
    .version = "1.0",
    .summary = "shows what a call is given",
    .options = options,
    .open = on_open,
    .close = on_close,
    .thread_open = thread_open,
    .thread_close = thread_close,
    .ops = &ops,
};
