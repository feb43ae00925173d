/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Start, serve, leave.  The main thread runs no session: it keeps the clock, listens to the master and grows the set of
 * threads, so these go on however many modules block.
 */
#include "kernel/queue/load.h"
#include "kernel/session/receiver.h"

#include "kernel/log/log.h"
#include "kernel/log/trace.h"
#include "kernel/net/channel.h"
#include "kernel/net/tls/server.h"
#include "kernel/session/accept.h"
#include "kernel/session/ask.h"
#include "kernel/session/auth.h"
#include "kernel/session/admit.h"
#include "kernel/session/filters.h"
#include "kernel/session/statistics.h"
#include "kernel/session/table.h"
#include "kernel/session/tls_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EXIT_CONFIG 78
#define EXIT_OS 71
#define THREADS_MIN 4
#define THREAD_IDLE_MS 20000
#define ARENA_MAX (256u * 1024 * 1024)
#define DRAIN_SECONDS 3600
#define STOP_SECONDS 30
#define COARSE_MS 5 /* by which session_now() may lag */

static void about_to_wait(void *context)
{
	const struct receiver *receiver = context;

	loop_hand_over(receiver->loop);
}

static void *bench_open(void *context)
{
	struct receiver *receiver = context;
	struct module_thread *modules = module_thread_new(receiver->modules);

	if (modules == NULL)
		return NULL;
	struct bench *bench = pr_alloc(sizeof *bench);
	module_thread_set_wait(modules, about_to_wait, receiver);
	bench->modules = modules;
	bench->room = BENCH_BUFFER;
	bench->buffer = pr_alloc(BENCH_BUFFER);
	pr_arena_init(&bench->arena, ARENA_MAX);
	return bench;
}

static void bench_close(void *context, void *local)
{
	struct bench *bench = local;

	(void)context;
	pr_arena_fini(&bench->arena);
	module_thread_free(bench->modules);
	pr_free(bench->buffer);
	pr_free(bench);
}

static void attention(void *context)
{
	const struct receiver *receiver = context;
	uint64_t one = 1;

	if (write(receiver->attention_fd, &one, sizeof one) < 0)
		return; /* full: attention is wanted already */
}

static bool open_modules(struct receiver *receiver, struct pr_text *why)
{
	const struct role *role = receiver->role;

	receiver->config = config_load_routed(role->config_path, role->routing_path, &role->overrides, why);
	if (receiver->config == NULL)
		return false;
	receiver->options = &receiver->config->options;
	if (role->single == 0) {
		log_open(receiver->config->log.data, "postrider");
		log_set_level((int)receiver->options->log_level);
	}
	trace_start(role->trace > 0 ? role->trace : -1);
	receiver->modules = module_set_open(receiver->config, MODULE_ROLE_RECEIVER, why);
	if (role->single == 0)
		log_set_level((int)receiver->options->log_level); /* the rule engine's own file may have said another one */
	if (receiver->modules == NULL)
		return false;
	session_statistics_open(receiver);
	auth_offers_open(receiver);
	help_open(receiver);
	while (module_at(receiver->modules, PR_KIND_FILTER, receiver->filter_count) != NULL)
		receiver->filter_count++;
	if (receiver->filter_count > FILTERS_MAX) {
		pr_text_addf(why, "%zu filters are declared; %d are possible", receiver->filter_count, FILTERS_MAX);
		return false;
	}
	struct module_thread *thread = module_thread_new(receiver->modules);
	struct module_scope scope;
	struct pr_arena arena;
	pr_arena_init(&arena, 65536);
	module_scope_init(&scope, thread, &arena);
	bool intake = store_role(&scope, PR_STORE_INTAKE);
	if (!intake)
		pr_text_addf(why, "the store cannot take mail: %.*s", PR_PRINT(scope.reason.data != NULL ? scope.reason : PR_STR("no reason given")));
	module_thread_free(thread);
	pr_arena_fini(&arena);
	return intake;
}

static bool start_threads(struct receiver *receiver, struct pr_text *why)
{
	int64_t most = receiver->options->max_threads;
	struct loop_settings settings = {
	    .threads_min = most > 0 && most < THREADS_MIN ? (size_t)most : THREADS_MIN,
	    .threads_max = most > 0 ? (size_t)most : THREADS_MIN,
	    .idle_ms = THREAD_IDLE_MS,
	    .context = receiver,
	    .thread_open = bench_open,
	    .thread_close = bench_close,
	    .attention = attention,
	};

	receiver->table = table_new();
	receiver->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	receiver->attention_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	receiver->loop = receiver->attention_fd < 0 ? NULL : loop_new(&settings);
	if (receiver->loop != NULL && accept_start(receiver))
		return true;
	pr_text_addf(why, "cannot start the receiver: %s", strerror(errno));
	return false;
}

static void init(struct receiver *receiver, const struct role *role)
{
	receiver->role = role;
	receiver->attention_fd = -1;
	receiver->reserve_fd = -1;
	pthread_mutex_init(&receiver->reserve_lock, NULL);
	timer_wheel_init(&receiver->wheel, session_now());
}

static void fini(struct receiver *receiver)
{
	accept_stop(receiver);
	/* no thread of ours, then none of the store's that may still be posting a commit; then what they post to */
	loop_stop(receiver->loop);
	module_set_close(receiver->modules);
	loop_free(receiver->loop);
	config_free(receiver->config);
	counters_free(receiver->counters);
	auth_offers_close(receiver);
	help_close(receiver);
	for (size_t i = 0; i < receiver->listener_count; i++)
		pthread_mutex_destroy(&receiver->listeners[i].lock);
	pr_free(receiver->listeners);
	table_free(receiver->table);
	net_tls_server_free(receiver->tls);
	traffic_free(receiver->traffic);
	timer_wheel_fini(&receiver->wheel);
	pthread_mutex_destroy(&receiver->reserve_lock);
	if (receiver->reserve_fd >= 0)
		close(receiver->reserve_fd);
	if (receiver->attention_fd >= 0)
		close(receiver->attention_fd);
	pr_free(receiver);
}

static void timer_fired(void *context, struct timer *timer)
{
	const struct receiver *receiver = context;
	struct session *session = (struct session *)((char *)timer - offsetof(struct session, timer));

	loop_post(receiver->loop, &session->task, LOOP_TIMER);
}

/* No more connections; sessions end at their next command boundary.  Returns the second after which we leave anyway. */
static int64_t begin_leaving(struct receiver *receiver, int64_t limit)
{
	if (atomic_exchange(&receiver->leaving, 1) == 0) {
		accept_stop(receiver);
		table_post(receiver->table, receiver->loop, LOOP_LEAVE);
	}
	return session_now() + limit;
}

static void send_state(struct receiver *receiver, uint32_t serial)
{
	struct loop_counts threads;
	struct pr_text text;

	loop_count(receiver->loop, &threads);
	pr_text_init(&text, 1000);
	pr_text_addf(&text, "receiver generation=%u sessions=%zu threads=%zu load=%lld accepted=%llu refused=%llu messages=%llu timeouts=%llu auth_failures=%llu bare_line_ends=%llu%s",
	    receiver->role->generation, table_count(receiver->table), threads.threads,
	    (long long)atomic_load(&receiver->load), (unsigned long long)atomic_load(&receiver->counts.accepted),
	    (unsigned long long)atomic_load(&receiver->counts.refused),
	    (unsigned long long)atomic_load(&receiver->counts.messages),
	    (unsigned long long)atomic_load(&receiver->counts.timeouts), (unsigned long long)atomic_load(&receiver->counts.auth_failures),
	    (unsigned long long)atomic_load(&receiver->counts.bare_line_ends),
	    atomic_load(&receiver->leaving) != 0 ? " leaving" : "");
	channel_send(receiver->role->channel, CHANNEL_STATE, serial, 0, pr_text_str(&text), -1);
	pr_text_fini(&text);
}

/* Reads one message of the master; false when the master is gone. */
static bool hear_master(struct receiver *receiver, int64_t *leave_at)
{
	struct channel_message message;
	int fd = -1;
	int got = channel_receive(receiver->role->channel, &message, &fd, 0);

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return got < 0;
	int64_t limit = message.kind == CHANNEL_STOP ? STOP_SECONDS : DRAIN_SECONDS;
	if (message.number > 0 && message.number < limit)
		limit = message.number;
	if (message.kind == CHANNEL_STATUS)
		send_state(receiver, message.serial);
	else if (message.kind == CHANNEL_DRAIN || message.kind == CHANNEL_STOP)
		*leave_at = begin_leaving(receiver, limit);
	return true;
}

/* Once a second, by the thread that keeps time. */
static void look_at_load(struct receiver *receiver, int64_t *looked)
{
	int64_t now = session_now();

	if (now == *looked)
		return;
	*looked = now;
	atomic_store_explicit(&receiver->load, load_average(receiver->options), memory_order_relaxed);
}

/* The timers are due at the beginning of a second. */
static int until_next_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1000 - (int)(now.tv_nsec / 1000000) + COARSE_MS;
}

static void serve(struct receiver *receiver)
{
	struct pollfd fds[2] = {
	    {.fd = receiver->attention_fd, .events = POLLIN},
	    {.fd = receiver->role->channel, .events = POLLIN},
	};
	int64_t leave_at = INT64_MAX, looked = 0;
	uint64_t count;

	for (;;) {
		look_at_load(receiver, &looked);
		int again = loop_tend(receiver->loop);
		if (poll(fds, 2, again >= 0 ? again : until_next_second()) > 0) {
			if (fds[0].revents != 0 && read(receiver->attention_fd, &count, sizeof count) < 0)
				fds[0].revents = 0;
			if (fds[1].revents != 0 && !hear_master(receiver, &leave_at)) {
				fds[1].fd = -1; /* ignored by poll from now on */
				leave_at = begin_leaving(receiver, DRAIN_SECONDS);
			}
		}
		timer_wheel_advance(&receiver->wheel, session_now(), timer_fired, receiver);
		accept_tend(receiver);
		tls_serve_tend(receiver);
		if (atomic_load(&receiver->leaving) != 0 && (table_count(receiver->table) == 0 || session_now() >= leave_at))
			return;
	}
}

int receiver_main(const struct role *role)
{
	struct receiver *receiver = pr_alloc(sizeof *receiver);
	struct pr_text why;
	int status = EXIT_CONFIG;

	init(receiver, role);
	if (role->single == 0)
		signal(SIGPIPE, SIG_IGN);
	pr_text_init(&why, CHANNEL_TEXT_MAX - 1);
	if (!open_modules(receiver, &why))
		goto out;
	receiver->session_limit = accept_limit(receiver->options);
	status = EXIT_OS;
	if (!admit_start(receiver, &why))
		goto out;
	status = EXIT_CONFIG;
	if (!tls_serve_open(receiver, &why))
		goto out;
	status = EXIT_OS;
	if (!start_threads(receiver, &why))
		goto out;
	status = 0;
	channel_send(role->channel, CHANNEL_READY, 0, 0, PR_STR("receiver"), -1);
	serve(receiver);
	if (table_count(receiver->table) > 0) {
		/* Threads may be inside modules: nothing may be taken away under them.  The process ends by itself. */
		log_line(LOGP_WARNING, "NOQUEUE", "receiver leaves with %zu sessions still running", table_count(receiver->table));
		pr_text_fini(&why);
		return 0;
	}
out:
	if (status != 0)
		channel_send(role->channel, CHANNEL_FAILED, 0, status, pr_text_str(&why), -1);
	pr_text_fini(&why);
	fini(receiver);
	return status;
}
