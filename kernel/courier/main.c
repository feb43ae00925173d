/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's first thread: opens the modules, then waits for the master, for the time and, while all workers are busy, for wake-ups.
 * It hands ids to the plan and does no mail itself, so a slow delivery never keeps a wake-up waiting.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/log/trace.h"
#include "kernel/plan/order.h"
#include "kernel/queue/queue.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>

#define ENTRIES_MAX 2000000
#define STOP_DEFAULT_SECONDS 30
#define THREADS_MAX 2000
#define HANGING_FACTOR 4 /* most threads, in CourierThreads, when hosts hang */

bool courier_wants(struct courier *courier)
{
	if (courier->draining)
		return false;
	nap_need_one(courier);
	return courier->idle > 0;
}

void courier_kick(struct courier *courier)
{
	if (courier_wants(courier))
		nap_call(courier);
}

void courier_add(struct courier *courier, struct pr_str id, int64_t due)
{
	pthread_mutex_lock(&courier->lock);
	plan_add(courier->plan, id, due);
	courier_kick(courier);
	pthread_mutex_unlock(&courier->lock);
	courier_index_wake(courier, id);
}

int64_t courier_fresh_due(const struct courier *courier, uint8_t group)
{
	struct pr_str mode = courier->options->delivery_mode;

	return courier_fresh_due_in(courier, group, mode.len > 0 ? mode.data[0] : 'b');
}

/* DeliveryMode q and d: new mail waits for the next run. */
int64_t courier_fresh_due_in(const struct courier *courier, uint8_t group, char mode)
{
	if (mode != 'q' && mode != 'd')
		return 0;
	const struct plan_retry *retry = groups_retry(courier, group);
	if (retry->runs)
		return plan_retry_run(retry, courier_now() + 1);
	return retry->interval > 0 ? courier_now() + retry->interval : PLAN_NEVER;
}

/* Where MinQueueAge or MaxQueueAge counts, the reading of the queue says which messages are old enough. */
void courier_run_begin(struct courier *courier)
{
	dead_hosts_clear(&courier->dead_hosts);
	if (courier->retry.min_age > 0 || courier->retry.max_age > 0)
		plan_run_begin(courier->plan);
	else
		plan_run_all(courier->plan, courier_now());
}

static void run_all(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	courier_run_begin(courier);
	courier->run_all = courier->scan_wanted = true;
	pthread_cond_signal(&courier->scan);
	courier_kick(courier);
	pthread_mutex_unlock(&courier->lock);
}

static void scan_soon(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	courier->scan_wanted = true;
	pthread_cond_signal(&courier->scan);
	pthread_mutex_unlock(&courier->lock);
}

static void send_state(struct courier *courier, uint32_t serial)
{
	struct plan_counts counts;
	struct pr_text text;

	pthread_mutex_lock(&courier->lock);
	plan_count(courier->plan, courier_now(), &counts);
	unsigned int workers = courier->workers, idle = courier->idle;
	size_t cached = courier->cached;
	/* a run that has only begun to look is not done */
	unsigned int scanning = courier->selected_running + courier->run_all + courier->scan_counts;
	uint64_t runs = courier->runs;
	bool partial = courier->scan_counts && !courier->scanned_once;
	pthread_mutex_unlock(&courier->lock);
	pr_text_init(&text, CHANNEL_TEXT_MAX - 1);
	pr_text_addf(&text, "queued=%zu waiting=%zu ready=%zu in_line=%zu running=%zu scanning=%u runs=%llu destinations=%zu dead=%zu workers=%u idle=%u cached=%zu ",
	             counts.entries, counts.waiting, counts.fresh, counts.in_line, counts.running, scanning, (unsigned long long)runs,
	             counts.destinations, counts.dead, workers, idle, cached);
	pr_text_addf(&text, "sent=%llu deferred=%llu failed=%llu notices=%llu", (unsigned long long)courier->counters.sent,
	             (unsigned long long)courier->counters.deferred, (unsigned long long)courier->counters.failed,
	             (unsigned long long)courier->counters.notices);
	if (partial)
		pr_text_add_c(&text, " (still reading the queue, there may be more)");
	channel_send(courier->role->channel, CHANNEL_STATE, serial, 0, pr_text_str(&text), -1);
	pr_text_fini(&text);
}

/* Somebody whom the master does not know asks for a run; the connection is ours. */
static bool answer_stranger(const struct courier *courier, int fd)
{
	bool good = rights_run(courier, fd);
	struct pr_str reply = good ? PR_STR("OK\n") : PR_STR("ERROR permission denied\n");

	(void)!send(fd, reply.data, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	return good;
}

/* Whoever waits for a run sees by the count that it was taken up, also when the load lets nothing be done. */
static void start_run(struct courier *courier, struct pr_str selection)
{
	if (!load_skips_run(courier)) {
		if (selection.len > 0 || courier->role->selected != 0)
			selected_start(courier, selection);
		else
			run_all(courier);
	}
	pthread_mutex_lock(&courier->lock);
	courier->runs++;
	pthread_mutex_unlock(&courier->lock);
}

bool courier_read_channel(struct courier *courier, int64_t *limit_out)
{
	static _Thread_local struct channel_message message;
	int fd = -1;
	int got = channel_receive(courier->role->channel, &message, &fd, 0);

	*limit_out = -1;
	if (got == 0) { /* the master is gone: what is claimed is finished, a new master brings a new courier */
		*limit_out = STOP_DEFAULT_SECONDS;
		return false;
	}
	if (got < 0)
		return true;
	switch (message.kind) {
	case CHANNEL_DRAIN:
		return false;
	case CHANNEL_STOP:
		*limit_out = message.number > 0 ? message.number : STOP_DEFAULT_SECONDS;
		return false;
	case CHANNEL_WAKE:
		if (fd >= 0 && !answer_stranger(courier, fd))
			return true;
		if (message.number == WAKE_SCAN)
			scan_soon(courier);
		else
			start_run(courier, (struct pr_str){message.text, message.length});
		return true;
	case CHANNEL_STATUS:
		send_state(courier, message.serial);
		return true;
	case CHANNEL_LIST:
		wakes_read_all(courier);
		courier_index_answer(courier, fd);
		return true;
	case CHANNEL_HELPER:
		helpers_answer(courier, &message, fd);
		return true;
	default:
		return true;
	}
}

static int patience_ms(struct courier *courier)
{
	int64_t now = courier_now(), seconds = 5;

	pthread_mutex_lock(&courier->lock);
	int64_t due = plan_next_due(courier->plan);
	if (due != PLAN_NEVER || courier->idle < courier->workers)
		seconds = 1; /* a worker may put back something that is due soon */
	if (due > 0 && due != PLAN_NEVER && due - now < seconds)
		seconds = due > now ? due - now : 0;
	courier->sleeps_until = now + seconds;
	pthread_mutex_unlock(&courier->lock);
	return (int)(seconds * 1000) + (seconds == 0 ? 50 : 0);
}

/* Threads that hang at silent hosts do no work, so there may be as many more: a dozen dead hosts must not stop the living. */
static void note_hanging(struct courier *courier, unsigned int hanging)
{
	unsigned int most = courier->threads + hanging;

	courier->max_workers = most < courier->most_threads ? most : courier->most_threads;
}

/* Time passed: due messages and stale connections both want a worker. */
static void tick(struct courier *courier, int64_t *last)
{
	int64_t now = courier_now();

	if (now == *last)
		return;
	*last = now;
	load_look(courier);
	pthread_mutex_lock(&courier->lock);
	clock_note(&courier->clock, courier_wall(), now);
	note_hanging(courier, plan_tick(courier->plan, now));
	if (courier->cached > 0 || plan_next_due(courier->plan) <= now)
		courier_kick(courier);
	pthread_mutex_unlock(&courier->lock);
	if (courier->helpers != NULL)
		helper_client_tick(courier->helpers);
	tls_record_tick(courier);
}

static int64_t serve(struct courier *courier)
{
	struct pollfd fds[3] = {{.fd = courier->role->channel, .events = POLLIN}, {.fd = courier->needed, .events = POLLIN}, {.events = POLLIN}};
	int64_t limit = -1, ticked = 0;
	int wake = courier->role->wake;

	pthread_mutex_lock(&courier->lock);
	nap_need_one(courier);
	pthread_mutex_unlock(&courier->lock);
	for (;;) {
		pthread_mutex_lock(&courier->lock);
		fds[2].fd = nap_main_listens(courier) ? wake : -1;
		pthread_mutex_unlock(&courier->lock);
		int ready = poll(fds, 3, patience_ms(courier));
		if (ready < 0 && errno != EINTR)
			return STOP_DEFAULT_SECONDS;
		if (ready <= 0)
			fds[0].revents = fds[2].revents = 0;
		if ((fds[2].revents & POLLIN) != 0 ? !wakes_read_all(courier) : fds[2].revents != 0)
			wake = -1; /* the receiver is gone; the scan remains */
		if (fds[0].revents != 0 && !courier_read_channel(courier, &limit))
			return limit;
		tick(courier, &ticked);
	}
}

static void fail(const struct role *role, const char *what, struct pr_str why)
{
	/* who hears it logs it: one failure, one line */
	if (role->channel < 0 || !channel_send(role->channel, CHANNEL_FAILED, 0, 0, why, -1))
		log_line(LOGP_ERR, NULL, "%s: %.*s", what, PR_PRINT(why));
}

static void set_threads(struct courier *courier)
{
	struct rlimit files;
	int64_t threads = courier->options->courier_threads > 0 ? courier->options->courier_threads : 40, most = THREADS_MAX;

	/* a delivery may need four descriptors: claim, body, connection, lookup */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY && most > (int64_t)files.rlim_cur / 8)
		most = (int64_t)files.rlim_cur / 8;
	most = most < 2 ? 2 : most;
	threads = threads < 2 ? 2 : threads < most ? threads : most;
	courier->threads = courier->max_workers = (unsigned int)threads;
	courier->most_threads = (unsigned int)(threads * HANGING_FACTOR < most ? threads * HANGING_FACTOR : most);
	if (courier->role->verbose != 0) /* what is shown is one thing after the other */
		courier->max_workers = courier->most_threads = 1;
}

/* The interval of -q or QueueInterval is that of queue runs; where there is none, messages wait longer each time. */
static void set_retry(struct courier *courier)
{
	const struct options *options = courier->options;
	int64_t interval = options_interval(options, courier->role->queue_interval);
	bool has_max = options->max_queue_age >= 0;

	courier->retry = (struct plan_retry){.min_age = options->min_queue_age, .max_age = has_max ? options->max_queue_age : 0,
	                                     .longest = has_max ? options->max_queue_age : OPTIONS_LONGEST_WAIT,
	                                     .interval = interval >= 0 ? interval : OPTIONS_FIRST_WAIT, .runs = interval > 0,
	                                     .begin = courier_now()};
}

static void plan_open(struct courier *courier)
{
	const struct options *options = courier->options;
	int64_t per_host = options->connections_per_host > 0 ? options->connections_per_host : 20;
	int64_t some = courier->threads - (courier->threads + 3) / 4, runners = options->max_queue_children;

	set_retry(courier);
	/* a quarter of the threads is always left for other destinations */
	if (per_host > some)
		per_host = some > 0 ? some : 1;
	struct plan_limits limits = {.entries = ENTRIES_MAX, .destinations = 20000, .per_destination = (uint32_t)per_host,
	                             .parked = 100, .host_status = options->timeout_hoststatus, .threads = courier->threads,
	                             .runners = runners > 0 && runners < UINT32_MAX ? (uint32_t)runners : 0,
	                             .single_thread = options->single_thread_delivery};
	/* a host is tried again with the message, at the latest; the plan itself knows of runs */
	int64_t wait = plan_retry_delay(&courier->retry, &(struct plan_tried){.tries = 1});
	if (!courier->retry.runs && wait != PLAN_NEVER && limits.host_status >= wait)
		limits.host_status = wait > 1 ? wait - 1 : 0;
	courier->plan = plan_new(&limits);
	plan_sort_parse(options->queue_sort_order, &courier->sort);
	groups_open(courier);
}

static bool courier_open(struct courier *courier)
{
	const struct role *role = courier->role;
	struct pr_text errors;
	struct pr_arena arena;
	struct module_scope scope;
	bool good = false;

	pr_text_init(&errors, 7000);
	pr_arena_init(&arena, 1u << 20);
	courier->config = config_load_routed(role->config_path != NULL ? role->config_path : CONFIG_DEFAULT_PATH, role->routing_path,
	    &role->overrides, &errors);
	if (courier->config == NULL)
		goto out;
	courier->options = &courier->config->options;
	if (role->single == 0) { /* the threads of one process share both, and the receiver sets them */
		if (courier->config->log.len > 0)
			log_open(courier->config->log.data, "postrider");
		log_set_level((int)courier->options->log_level);
	}
	courier->set = module_set_open(courier->config, MODULE_ROLE_COURIER, &errors);
	if (courier->set == NULL || !module_tls_open(courier->set, &errors))
		goto out;
	struct module_thread *thread = module_thread_new(courier->set);
	module_scope_init(&scope, thread, &arena);
	good = store_role(&scope, PR_STORE_DELIVERY | PR_STORE_INTAKE);
	if (!good)
		pr_text_add_str(&errors, scope.reason);
	module_thread_free(thread);
	if (good && !(good = naps_open(courier)))
		pr_text_addf(&errors, "cannot watch for new mail: %s", strerror(errno));
	set_threads(courier);
	trace_start(courier->role->trace > 0 ? courier->role->trace : -1);
	verbose_open(courier);
	load_look(courier);
	plan_open(courier);
	courier_index_open(courier);
	tls_record_open(courier);
	helpers_open(courier);
	courier_statistics_open(courier);
out:
	if (!good)
		fail(role, "courier cannot start", pr_text_str(&errors));
	pr_arena_fini(&arena);
	pr_text_fini(&errors);
	return good;
}

static void courier_close(struct courier *courier)
{
	helpers_close(courier);
	leases_close(courier);
	module_set_close(courier->set);
	plan_free(courier->plan);
	courier_index_close(courier);
	courier_statistics_close(courier);
	tls_record_close(courier);
	pthread_mutex_destroy(&courier->words.lock);
	dead_hosts_fini(&courier->dead_hosts);
	config_free(courier->config);
	naps_close(courier);
	pthread_mutex_destroy(&courier->waking);
	pthread_cond_destroy(&courier->quiet);
	pthread_cond_destroy(&courier->scan);
	pthread_mutex_destroy(&courier->lock);
	pr_free(courier);
}

/* Held for moments and by many: on several processors a short spin is cheaper than to sleep and be woken. */
static void init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

/* This thread and those that it starts do not take the processor from one that runs, as soon as there is something for them: clients wait
 * for the receiver, and nobody for us.  The share of the machine stays the same. */
static void work_in_background(void)
{
#ifdef SCHED_BATCH
	if (sched_getscheduler(0) == SCHED_OTHER) /* whoever has chosen another one knows better */
		(void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
#endif
}

int courier_main(const struct role *role)
{
	struct courier *courier = pr_alloc(sizeof *courier);
	pthread_condattr_t monotonic;
	int64_t limit = -1;

	if (role->single == 0) /* its threads serve the receiver, too */
		work_in_background();
	courier->role = role;
	init_lock(&courier->lock);
	pthread_mutex_init(&courier->waking, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&courier->quiet, &monotonic);
	pthread_cond_init(&courier->scan, &monotonic);
	pthread_condattr_destroy(&monotonic);
	leases_open(courier);
	words_open(courier);
	dead_hosts_init(&courier->dead_hosts);
	if (!courier_open(courier))
		return EX_CONFIG;
	if (role->queue_now) {
		courier_run_once(courier);
	} else {
		if (role->selected == 0) {
			courier->scan_counts = true; /* before it has begun, too */
			courier_service_starts(courier, scan_main);
			courier_service_starts(courier, ready_main);
		}
		channel_send(role->channel, CHANNEL_READY, 0, 0, PR_NONE, -1);
		limit = serve(courier);
	}
	/* what does not end in time keeps its memory until the process ends; the claims go with it */
	bool drained = courier_drain(courier, limit);
	tls_record_flush(courier);
	if (!drained)
		return EX_OK;
	courier_close(courier);
	return EX_OK;
}
