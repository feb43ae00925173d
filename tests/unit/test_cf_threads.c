/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine says PR_CONCURRENT: eight threads over one instance must agree, and (built with TSan) must not race.  And an address must
 * not cost an allocation: the heap is counted here, by wrapping what the SDK gets its memory with.
 */
#include "tests/unit/cf_stage.h"

#include <pthread.h>
#include <string.h>

#define THREADS 8
#define ROUNDS 400

static const char rules[] =
    "V10/Berkeley\nDjmail.corp.example\nO OperatorChars=.:%@!^/[]+\nO DontProbeInterfaces=True\nO BlankSub=.\n"
    "Mlocal, P=/bin/cat, F=lsn, A=cat $u\nMsmtp, P=[IPC], F=mu, A=TCP $h\n"
    "Cwcorp.example\nKmac macro\nKa arith\nKgone hash /nonexistent\nD{seen}none\n"
    "S3\nR$* < $* > $*\t$: $2\nR$* @ $+\t$: $1 < @ $2 >\n"
    "S0\nR$* < @ bad . $* >\t$#error $@ 5.1.2 $: \"550 no $1\"\nR$* < @ $=w >\t$#local $: $>up $1\nR$* < @ $* >\t$#smtp $@ $2 $: $1 < @ $2 >\n"
    "R$*\t$#local $: $1\nS4\nR$* < @ $* >\t$1 @ $2\nSup\nR$*\t$: $(mac {seen} $@ $1 $) $1\nR$*\t$: $(a + $@ 1 $@ 2 $: $) $1 $&{seen}\n"
    "R3 $*\t$@ $>down $1\nSdown\nR$* a $* a $* a $* a $- b\t$@ odd\nR$*\t$: $1\n"
    "Scheck_mail\nR$*\t$: $>3 $1\nR$* < @ $+ . spam >\t$#error $@ 5.7.1 $: \"553 away \" $2\nR$* < @ missing . $* >\t$: $(gone $1 $)\nR$*\t$@ OK\n"
    "Squeuegroup\nR$*\t$# $1\n";

static const char *const addresses[] = { "joe@corp.example", "Joe <JOE@remote.example>", "x@bad.example", "a.a.a.a.a.a.a.a.b@corp.example",
	"joe", "joe@missing.example", "\"a b\"@corp.example", "a b c" };
#define ADDRESSES (sizeof addresses / sizeof addresses[0])

static void open_stage(void)
{
	cf_stage_begin();
	fake_world_add(&cf_world, "missing gone");
	CU_ASSERT_FATAL(cf_stage_read(rules));
}

struct worker {
	pthread_t thread;
	struct pr_arena arena;
	struct pr_call call;
	void *memory;
	char wanted[ADDRESSES][200]; /* what the first round gave */
	size_t differences;
};

/* One answer out of all that a call can say. */
static void ask(struct worker *worker, const char *address, char answer[200])
{
	struct pr_route route = { .size = sizeof route };
	struct pr_verdict verdict = { .action = PR_CONTINUE };
	struct pr_str text = pr_str(address), form = PR_STR("-"), group = PR_STR("-");
	struct pr_list arguments = { &text, 1 };
	struct pr_call *call = &worker->call;

	pr_arena_reset(&worker->arena);
	int status = cf_stage_ops()->resolve(call, text, PR_STR(""), &route);
	cf_stage_ops()->rewrite(call, PR_REWRITE_HEADER_SENDER, PR_STR("smtp"), text, &form);
	cf_stage_ops()->check(call, PR_CHECK_MAIL, NULL, &arguments, &verdict);
	cf_stage_ops()->queue_group(call, text, &group);
	cf_stage_ops()->local(call, PR_STR("local"), PR_STR(""), text, &route);
	pr_print(answer, 200, "%d %.*s|%.*s|%.*s|%.*s|%u|%.*s", status, PR_PRINT(route.mailer), PR_PRINT(route.host), PR_PRINT(route.user),
	         PR_PRINT(form), (unsigned)verdict.code, PR_PRINT(group));
}

static void worker_init(struct worker *worker)
{
	memset(worker, 0, sizeof *worker);
	pr_arena_init(&worker->arena, (size_t)1 << 20);
	worker->memory = pr_alloc(cf_engine.module->thread_size);
	worker->call = cf_engine.call;
	worker->call.arena = &worker->arena;
	worker->call.thread = worker->memory;
	for (size_t i = 0; i < ADDRESSES; i++)
		ask(worker, addresses[i], worker->wanted[i]);
}

static void worker_fini(struct worker *worker)
{
	cf_engine.module->thread_close(&worker->call);
	pr_free(worker->memory);
	pr_arena_fini(&worker->arena);
}

/* Texts with names that no line of the file says: the table of names is shared. */
static bool expands(struct worker *worker)
{
	struct pr_str greeting = PR_NONE;

	pr_arena_reset(&worker->arena);
	if (cf_stage_ops()->expand(&worker->call, PR_STR("$j ${nobody_says} ${seen}"), &greeting) != PR_OK)
		return false;
	return cf_same("expansion", "mail.corp.example  none", greeting.data);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	char answer[200];

	for (size_t i = 0; i < ROUNDS * ADDRESSES; i++) {
		ask(worker, addresses[i % ADDRESSES], answer);
		worker->differences += strcmp(answer, worker->wanted[i % ADDRESSES]) != 0;
		worker->differences += !expands(worker);
	}
	return NULL;
}

static void test_threads(void)
{
	static struct worker workers[THREADS];

	open_stage();
	for (size_t i = 0; i < THREADS; i++)
		worker_init(&workers[i]);
	CU_ASSERT_STRING_EQUAL(workers[0].wanted[0], "0 local||joe.joe|joe@corp.example|0|joe@corp.example");
	CU_ASSERT_STRING_EQUAL(workers[0].wanted[1], "0 smtp|remote.example|JOE@remote.example|JOE@remote.example|0|Joe<JOE@remote.example>");
	for (size_t i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		CU_ASSERT_EQUAL(workers[i].differences, 0);
		CU_ASSERT_STRING_EQUAL(workers[i].wanted[3], workers[0].wanted[3]);
		worker_fini(&workers[i]);
	}
	cf_stage_close();
}

/* the heap -------------------------------------------------------------- */

static size_t allocations;

void *__real_pr_alloc(size_t size);
void *__real_pr_resize(void *memory, size_t size);
char *__real_pr_copy_str(struct pr_str str);
void *__wrap_pr_alloc(size_t size);
void *__wrap_pr_resize(void *memory, size_t size);
char *__wrap_pr_copy_str(struct pr_str str);

static void count(void)
{
	__atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
}

void *__wrap_pr_alloc(size_t size)
{
	count();
	return __real_pr_alloc(size);
}

void *__wrap_pr_resize(void *memory, size_t size)
{
	count();
	return __real_pr_resize(memory, size);
}

char *__wrap_pr_copy_str(struct pr_str str)
{
	count();
	return __real_pr_copy_str(str);
}

static void test_allocations(void)
{
	static struct worker worker;
	char answer[200];

	open_stage();
	worker_init(&worker);
	for (size_t i = 0; i < 2 * ADDRESSES; i++)
		ask(&worker, addresses[i % ADDRESSES], answer);
	CU_ASSERT(__atomic_load_n(&allocations, __ATOMIC_RELAXED) > 100); /* the counting works: reading the file took some */
	size_t before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
	for (size_t i = 0; i < 10000; i++)
		ask(&worker, addresses[i % ADDRESSES], answer);
	CU_ASSERT_EQUAL(__atomic_load_n(&allocations, __ATOMIC_RELAXED), before);
	worker_fini(&worker);
	cf_stage_close();
}

static const struct unit_case cases[] = { { "eight threads, one instance", test_threads }, { "no allocation", test_allocations }, { NULL, NULL } };
UNIT_MAIN("cf threads", cases)
