/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A role is this very program executed again (/proc/self/exe, so that master and role always speak the same protocol even while a package is being
 * replaced): all that needs memory or a lookup is done before the fork, the child only makes checked system calls.
 */
#include "kernel/master/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGUMENTS_MAX (TABLE_LISTENERS_MAX * 2 + 1024)

static struct master_roles threads; /* --single; set once by main */

void master_set_roles(const struct master_roles *roles)
{
	threads = *roles;
}

struct arguments {
	char *items[ARGUMENTS_MAX + 1];
	size_t count;
};

static void add_argument(struct arguments *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_argument(struct arguments *arguments, const char *format, ...)
{
	struct pr_text text;
	va_list args;

	if (arguments->count == ARGUMENTS_MAX)
		return;
	pr_text_init(&text, 65536);
	va_start(args, format);
	pr_text_addv(&text, format, args);
	va_end(args);
	arguments->items[arguments->count++] = pr_copy_c(text.data);
	pr_text_fini(&text);
}

static void free_arguments(struct arguments *arguments)
{
	while (arguments->count > 0)
		pr_free(arguments->items[--arguments->count]);
	pr_free(arguments);
}

static bool is_role(const struct child *child, const char *name)
{
	return strcmp(child->role, name) == 0;
}

static int wake_end(const struct master *master, const struct child *child)
{
	return is_role(child, "receiver") ? master->wake[1] : is_role(child, "courier") ? master->wake[0] : -1;
}

/* Without StatusFile nobody counts.  The plan has no use for it. */
static int statistics_end(const struct master *master, const struct generation *generation, const struct child *child)
{
	return is_role(child, "plan") || generation->table.statistics[0] == '\0' ? -1 : master->statistics.fd;
}

static int traffic_end_of(const struct master *master, const struct child *child)
{
	return child->column >= 0 ? master->traffic.fd : -1;
}

static const struct identity *child_identity(const struct generation *generation, const struct child *child)
{
	return is_role(child, "courier") ? &generation->courier_user : &generation->receiver_user;
}

/* "--identity UID:GID:GROUP:GROUP...": the role becomes its user itself, because a program that is executed as that user could be stopped
 * and traced by the user's other processes before it can hide, and the plan is believed. */
static void add_identity(struct arguments *arguments, const struct identity *identity)
{
	struct pr_text text;

	pr_text_init(&text, 16 * (IDENTITY_GROUPS_MAX + 2));
	identity_print(identity, &text);
	add_argument(arguments, "--identity");
	add_argument(arguments, "%s", text.data);
	pr_text_fini(&text);
}

static struct arguments *make_arguments(const struct master *master, const struct generation *generation,
                                        const struct child *child, int channel, int files)
{
	const struct master_settings *settings = master->settings;
	struct arguments *arguments = pr_alloc(sizeof *arguments);

	add_argument(arguments, "postrider");
	add_argument(arguments, "--role");
	add_argument(arguments, "%s", child->role);
	add_argument(arguments, "--config");
	add_argument(arguments, "%s", settings->config_path);
	if (settings->routing_path != NULL) {
		add_argument(arguments, "--routing");
		add_argument(arguments, "%s", settings->routing_path);
	}
	add_argument(arguments, "--generation");
	add_argument(arguments, "%u", generation->number);
	add_argument(arguments, "--master-uid");
	add_argument(arguments, "%lu", (unsigned long)geteuid());
	add_argument(arguments, "--channel");
	add_argument(arguments, "%d", channel);
	if (master->privileged)
		add_identity(arguments, child_identity(generation, child));
	if (wake_end(master, child) >= 0) {
		add_argument(arguments, "--wake");
		add_argument(arguments, "%d", wake_end(master, child));
	}
	if (files >= 0) {
		add_argument(arguments, "--files");
		add_argument(arguments, "%d", files);
	}
	if (statistics_end(master, generation, child) >= 0) {
		add_argument(arguments, "--statistics");
		add_argument(arguments, "%d", statistics_end(master, generation, child));
	}
	if (traffic_end_of(master, child) >= 0) {
		add_argument(arguments, "--traffic");
		add_argument(arguments, "%d:%d", traffic_end_of(master, child), child->column);
	}
	if (generation->table.log[0] != '\0') {
		add_argument(arguments, "--log");
		add_argument(arguments, "%s", generation->table.log);
	}
	if (settings->queue_interval > 0) {
		add_argument(arguments, "--queue-interval");
		add_argument(arguments, "%lld", (long long)settings->queue_interval);
	}
	if (settings->persistent) {
		add_argument(arguments, "--persistent");
		add_argument(arguments, "1");
	}
	if (settings->trace > 0) {
		add_argument(arguments, "--trace");
		add_argument(arguments, "%d", settings->trace);
	}
	if (is_role(child, "courier") && settings->selected) {
		add_argument(arguments, "--selected");
		add_argument(arguments, "1");
	}
	if (is_role(child, "courier") && settings->verbose) {
		add_argument(arguments, "--verbose");
		add_argument(arguments, "1");
	}
	for (size_t i = 0; is_role(child, "receiver") && i < generation->listener_count; i++) {
		add_argument(arguments, "--listen");
		add_argument(arguments, "%s:%d:%d", generation->listeners[i].spec.name, generation->listeners[i].fd,
		             generation->listeners[i].spec.submission ? 1 : 0);
	}
	for (size_t i = 0; i < settings->overrides.count; i++) {
		add_argument(arguments, "-O");
		add_argument(arguments, "%.*s", PR_PRINT(settings->overrides.items[i]));
	}
	arguments->items[arguments->count] = NULL;
	return arguments;
}

void spawn_clean_process(void)
{
	static const int defaults[] = {SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2};
	static const int ignored[] = {SIGHUP, SIGINT, SIGPIPE};
	sigset_t none;

	(void)setsid(); /* the terminal's ^C is the master's business */
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		(void)signal(defaults[i], SIG_DFL);
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	umask(007);
}

static bool keep_open(int fd)
{
	return fd < 0 || fcntl(fd, F_SETFD, 0) == 0;
}

/* In the background, whoever started us may wait for the end of our output; the first generation is born while it is still open. */
static bool leave_terminal(const struct master *master, const struct generation *generation, bool speaks)
{
	bool is_needed = generation->table.log[0] == '\0' || strcmp(generation->table.log, "stderr") == 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (master->settings->foreground || null < 0)
		return master->settings->foreground;
	return dup2(null, 0) == 0 && (speaks || dup2(null, 1) == 1) && (is_needed || dup2(null, 2) == 2);
}

__attribute__((noreturn)) static void become_role(const struct master *master, const struct generation *generation,
                                                  const struct child *child, int channel, int files, char **arguments)
{
	bool good = keep_open(channel) && keep_open(files) && keep_open(wake_end(master, child)) && keep_open(statistics_end(master, generation, child)) &&
	            keep_open(traffic_end_of(master, child)) && keep_open(master->settings->trace > 0 ? master->settings->trace : -1) &&
	            leave_terminal(master, generation, master->settings->verbose && is_role(child, "courier"));

	spawn_clean_process();
	for (size_t i = 0; is_role(child, "receiver") && i < generation->listener_count; i++)
		good = good && keep_open(generation->listeners[i].fd);
	if (!good)
		_exit(77);
	execv("/proc/self/exe", arguments);
	_exit(71);
}

struct thread_start {
	struct role role;
	int (*run)(const struct role *role);
	struct pr_str *overrides;
	struct role_listener listeners[TABLE_LISTENERS_MAX];
};

static void *run_thread(void *argument)
{
	struct thread_start *start = argument;

	(void)start->run(&start->role);
	close(start->role.channel); /* the master's sign that the role is over */
	if (start->role.wake >= 0)
		close(start->role.wake);
	if (start->role.statistics >= 0)
		close(start->role.statistics);
	if (start->role.traffic >= 0)
		close(start->role.traffic);
	for (size_t i = 0; i < start->role.listener_count; i++)
		close(start->listeners[i].fd);
	pr_free(start);
	return NULL;
}

static bool start_thread(const struct master *master, const struct generation *generation, struct child *child, int channel)
{
	struct thread_start *start = pr_alloc(sizeof *start);
	pthread_t thread;
	int wake = wake_end(master, child), statistics = statistics_end(master, generation, child), traffic = traffic_end_of(master, child);

	start->run = is_role(child, "plan")       ? threads.plan
	             : is_role(child, "receiver") ? threads.receiver
	                                          : threads.courier;
	start->role = (struct role){.name = child->role, .config_path = master->settings->config_path,
	                            .routing_path = master->settings->routing_path,
	                            .overrides = master->settings->overrides, .generation = generation->number,
	                            .single = 1, .channel = channel,
	                            .wake = wake < 0 ? -1 : fcntl(wake, F_DUPFD_CLOEXEC, 3),
	                            .statistics = statistics < 0 ? -1 : fcntl(statistics, F_DUPFD_CLOEXEC, 3),
	                            .traffic = traffic < 0 ? -1 : fcntl(traffic, F_DUPFD_CLOEXEC, 3),
	                            .trace = master->settings->trace,
	                            .column = traffic < 0 ? 0 : (uint32_t)child->column,
	                            .listeners = start->listeners, .master_uid = (uint32_t)geteuid(),
	                            .queue_interval = master->settings->queue_interval,
	                            .persistent = master->settings->persistent,
	                            .selected = master->settings->selected, .verbose = master->settings->verbose};
	for (size_t i = 0; is_role(child, "receiver") && i < generation->listener_count; i++) {
		const struct listener *listener = &generation->listeners[i];
		start->listeners[i] = (struct role_listener){.fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 3),
		                                             .submission = listener->spec.submission,
		                                             .name = pr_str(listener->spec.name)};
		start->role.listener_count = i + 1;
	}
	if (start->run == NULL || pthread_create(&thread, NULL, run_thread, start) != 0) {
		pr_free(start);
		return false;
	}
	(void)pthread_detach(thread);
	return true;
}

/* A role that is another user asks for files that are root's; whoever is not there cannot be asked. */
static int files_pair(const struct master *master, const struct generation *generation, struct child *child)
{
	int pair[2];

	if (!master->privileged || generation->table.file_count == 0 || is_role(child, "plan") || !channel_pair(pair))
		return -1;
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	child->files = pair[0];
	return pair[1];
}

static bool start_process(const struct master *master, const struct generation *generation, struct child *child, int channel)
{
	int files = files_pair(master, generation, child);
	struct arguments *arguments = make_arguments(master, generation, child, channel, files);
	pid_t pid = fork();

	if (pid == 0)
		become_role(master, generation, child, channel, files, arguments->items);
	if (pid > 0)
		child->pid = pid;
	if (files >= 0)
		close(files);
	free_arguments(arguments);
	return pid > 0;
}

bool spawn_role(struct master *master, struct generation *generation, struct child *child)
{
	int pair[2];

	if (!channel_pair(pair))
		return false;
	child->pid = 0;
	child->said[0] = child->stack[0] = child->report[0] = '\0';
	child->kill_ms = child->restart_ms = 0;
	child->column = is_role(child, "receiver") ? traffic_take(master, child) : -1;
	bool started = master->settings->single ? start_thread(master, generation, child, pair[1])
	                                        : start_process(master, generation, child, pair[1]);
	if (!started || !master->settings->single)
		close(pair[1]);
	traffic_started(master, child->column, started ? child->pid : -1);
	if (!started) {
		close(pair[0]);
		child_close_files(child);
		return false;
	}
	/* a role that does not read must not make the master wait */
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	child->channel = pair[0];
	child->started_ms = master_now_ms();
	child->state = CHILD_STARTING;
	return true;
}

void child_close_files(struct child *child)
{
	if (child->files >= 0)
		close(child->files);
	child->files = -1;
}

void child_close(struct child *child)
{
	child_close_files(child);
	if (child->channel >= 0)
		close(child->channel);
	child->channel = -1;
	child->state = CHILD_NONE;
	child->pid = 0;
	child->kill_ms = 0;
}

void child_kill(struct child *child, int signal_number)
{
	if (child->pid > 0)
		(void)kill(child->pid, signal_number);
}
