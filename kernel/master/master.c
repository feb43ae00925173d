/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One poll loop over signals (signalfd), children's channels, the control socket and the drop directory; each turn ends with the
 * tick of everything that has a time.  Nothing in here blocks, so one hanging child never stops the others from being served.
 */
#include "kernel/master/master.h"

#include "kernel/log/log.h"
#include "kernel/master/control.h"
#include "kernel/master/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define WATCHES_MAX (24 + MASTER_CONNECTIONS_MAX)
#define TICK_MS 60000
#define BUSY_TICK_MS 200

struct watch {
	void (*ready)(struct master *master, const struct watch *watch);
	struct generation *generation;
	struct child *child;
	struct connection *connection;
};

struct watches {
	struct pollfd polls[WATCHES_MAX];
	struct watch items[WATCHES_MAX];
	nfds_t count;
};

int64_t master_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_watch(struct watches *watches, int fd, short events, struct watch watch)
{
	if (fd < 0 || watches->count == WATCHES_MAX)
		return;
	watches->polls[watches->count] = (struct pollfd){.fd = fd, .events = events};
	watches->items[watches->count++] = watch;
}

static void begin_stop(struct master *master)
{
	if (master->stopping)
		return;
	log_line(LOGP_INFO, NULL, "stopping daemon, reason=signal");
	master->stopping = true;
	generation_stop_all(master);
}

static struct child *find_child(struct master *master, pid_t pid, struct generation **generation_out)
{
	for (size_t i = 0; i < sizeof master->slots / sizeof master->slots[0]; i++) {
		struct generation *generation = &master->slots[i];
		struct child *children[] = {&generation->plan, &generation->receiver, &generation->courier};
		for (size_t j = 0; generation->number != 0 && j < 3; j++) {
			if (children[j]->pid == pid && children[j]->state != CHILD_NONE) {
				*generation_out = generation;
				return children[j];
			}
		}
	}
	return NULL;
}

static void reap(struct master *master)
{
	struct generation *generation = NULL;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = find_child(master, pid, &generation);
		traffic_gone(master, NULL, pid);
		if (child != NULL)
			generation_child_gone(master, generation, child, status);
		else if (!drop_gone(master, pid, status))
			(void)helpers_gone(master, pid);
	}
}

static void ready_signal(struct master *master, const struct watch *watch)
{
	struct signalfd_siginfo info;

	(void)watch;
	while (read(master->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(master);
			break;
		case SIGHUP:
			if (master->settings->single)
				log_line(LOGP_NOTICE, NULL, "SIGHUP: --single has only one generation");
			else
				generation_begin(master);
			break;
		default:
			begin_stop(master);
			break;
		}
	}
}

static void ready_child(struct master *master, const struct watch *watch)
{
	if (watch->child->channel >= 0)
		generation_message(master, watch->generation, watch->child);
}

static void ready_files(struct master *master, const struct watch *watch)
{
	(void)master;
	if (watch->child->files >= 0)
		files_serve(watch->generation, watch->child);
}

static void ready_control(struct master *master, const struct watch *watch)
{
	(void)watch;
	control_accept(master);
}

static void ready_connection(struct master *master, const struct watch *watch)
{
	if (watch->connection->fd >= 0)
		control_input(master, watch->connection);
}

static void ready_drop(struct master *master, const struct watch *watch)
{
	(void)watch;
	drop_event(master);
}

static void ready_feeder(struct master *master, const struct watch *watch)
{
	(void)watch;
	drop_output(master);
}

static void add_generation(struct watches *watches, struct generation *generation)
{
	if (generation == NULL)
		return;
	struct child *children[] = {&generation->plan, &generation->receiver, &generation->courier};
	for (size_t i = 0; i < 3; i++) {
		if (children[i]->state == CHILD_NONE)
			continue;
		add_watch(watches, children[i]->channel, POLLIN, (struct watch){.ready = ready_child, .generation = generation, .child = children[i]});
		add_watch(watches, children[i]->files, POLLIN, (struct watch){.ready = ready_files, .generation = generation, .child = children[i]});
	}
}

static void collect(struct master *master, struct watches *watches)
{
	watches->count = 0;
	add_watch(watches, master->signal_fd, POLLIN, (struct watch){.ready = ready_signal});
	add_watch(watches, master->control_fd, POLLIN, (struct watch){.ready = ready_control});
	add_watch(watches, master->drop_watch, POLLIN, (struct watch){.ready = ready_drop});
	add_watch(watches, master->feeder_pipe, POLLIN, (struct watch){.ready = ready_feeder});
	add_generation(watches, master->current);
	add_generation(watches, master->next);
	add_generation(watches, master->old);
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++) {
		struct connection *connection = &master->connections[i];
		short events = control_waits(connection) ? 0 : POLLIN;
		add_watch(watches, connection->fd, events,
		          (struct watch){.ready = ready_connection, .connection = connection});
	}
}

static bool has_deadline(const struct child *child)
{
	return child->kill_ms != 0 || child->restart_ms != 0 || child->state == CHILD_STARTING;
}

/* Short turns while something is going on, long ones otherwise: an idle daemon sleeps. */
static int turn_ms(const struct master *master)
{
	bool busy = master->next != NULL || master->old != NULL || master->stopping || master->drop_pending;

	if (master->current != NULL)
		busy = busy || has_deadline(&master->current->receiver) || has_deadline(&master->current->courier);
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		busy = busy || master->connections[i].fd >= 0;
	if (busy)
		return BUSY_TICK_MS;
	int64_t left = master->drop_ms - master_now_ms();
	left = statistics_wait_ms(master, left > TICK_MS ? TICK_MS : left);
	return left < 0 ? 0 : (int)left;
}

static void prepare_signals(struct master *master)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	master->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Tells the waiting parent, and lets go of the terminal. */
static void report_serving(struct master *master)
{
	int null;

	if (master->ready_pipe < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		if (strcmp(master->current->table.log, "stderr") != 0)
			(void)dup2(null, 2);
		close(null);
	}
	(void)!write(master->ready_pipe, "", 1);
	close(master->ready_pipe);
	master->ready_pipe = -1;
}

static bool open_control(struct master *master)
{
	struct pr_text path, why;

	pr_text_init(&path, TABLE_PATH_MAX + 20);
	pr_text_init(&why, 500);
	pr_text_addf(&path, "%s/%s", master->current->table.run, CONTROL_SOCKET_NAME);
	master->control_fd = listen_unix(path.data, 0666, &why);
	if (master->control_fd < 0)
		log_line(LOGP_ERR, NULL, "no control socket: %s", why.data);
	pr_text_fini(&path);
	pr_text_fini(&why);
	return master->control_fd >= 0;
}

static void first_time_in_force(struct master *master)
{
	master->serving = true;
	(void)open_control(master);
	log_line(LOGP_INFO, NULL, "starting daemon (%s)", master->settings->single ? "single" : "SMTP+queueing");
	report_serving(master);
}

static void run(struct master *master)
{
	struct watches *watches = pr_alloc(sizeof *watches);

	generation_begin(master);
	while (!master->stopping || generation_any_alive(master)) {
		collect(master, watches);
		int ready = poll(watches->polls, watches->count, turn_ms(master));
		for (nfds_t i = 0; ready > 0 && i < watches->count; i++)
			if (watches->polls[i].revents != 0)
				watches->items[i].ready(master, &watches->items[i]);
		int64_t now = master_now_ms();
		generation_tick(master, now);
		control_tick(master, now);
		drop_tick(master, now);
		statistics_tick(master, now);
		if (!master->serving && master->current != NULL)
			first_time_in_force(master);
		if (master->stopping && master->stop_deadline_ms != 0 && now > master->stop_deadline_ms)
			break;
	}
	pr_free(watches);
}

static void clean_up(struct master *master)
{
	struct pr_text path;

	if (master->feeder > 0)
		(void)kill(master->feeder, SIGTERM);
	if (master->current == NULL) {
		control_close_all(master);
		return;
	}
	if (master->control_fd >= 0) {
		pr_text_init(&path, TABLE_PATH_MAX + 20);
		pr_text_addf(&path, "%s/%s", master->current->table.run, CONTROL_SOCKET_NAME);
		(void)unlink(path.data);
		pr_text_fini(&path);
		close(master->control_fd);
	}
	listen_close(master->current, NULL);
	if (master->pid_file_written)
		(void)unlink(master->current->table.pid_file);
	log_line(LOGP_INFO, NULL, "daemon has left");
	if (master->run_lock >= 0)
		(void)flock(master->run_lock, LOCK_UN); /* by name: a child that is just leaving may hold the descriptor too */
	control_close_all(master);
}

/* Datagrams would do, but of those only ten may wait (net.unix.max_dgram_qlen) and a burst of mail would wait for the next scan;
 * here it is bytes that count. */
static bool open_wake(int pair[2])
{
	int room = 1 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room); /* as much as the system allows */
	return true;
}

static int serve(const struct master_settings *settings, int ready_pipe)
{
	struct master *master = pr_alloc(sizeof *master);
	struct pr_text why;

	master->settings = settings;
	master->privileged = geteuid() == 0;
	master->born_ms = master_now_ms();
	master->ready_pipe = ready_pipe;
	master->run_lock = master->control_fd = master->drop_watch = master->feeder_pipe = -1;
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		master->connections[i].fd = -1;
	pr_text_init(&master->feeder_text, 16384);
	pr_text_init(&why, 500);
	umask(022);
	(void)log_open("stderr", "postrider");
	prepare_signals(master);
	statistics_open(master);
	traffic_open(master);
	if (identity_find_self(&master->self, &why) != PR_OK ||
	    !open_wake(master->wake) || master->signal_fd < 0) {
		log_line(LOGP_ERR, NULL, "cannot start: %s", why.len > 0 ? why.data : strerror(errno));
		master->exit_status = EX_OSERR;
	} else {
		run(master);
		statistics_close(master);
		clean_up(master);
	}
	int exit_status = master->exit_status;
	pr_text_fini(&why);
	pr_text_fini(&master->feeder_text);
	traffic_close(master);
	pr_free(master);
	return exit_status;
}

/* The parent of a background daemon: its exit status is the daemon's first news. */
static int wait_for_news(int fd, pid_t daemon)
{
	char byte;
	ssize_t got;
	int status;

	do
		got = read(fd, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		return EX_OK;
	if (waitpid(daemon, &status, 0) == daemon && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	return EX_OSERR;
}

/* In the background the current directory is "/": a relative name would lose its meaning. */
static const char *whole_path(const char *path, char room[PATH_MAX])
{
	return path != NULL && realpath(path, room) != NULL ? room : path;
}

int master_main(const struct master_settings *given)
{
	static char config_path[PATH_MAX], routing_path[PATH_MAX];
	struct master_settings whole = *given, *settings = &whole;
	int pair[2];

	whole.config_path = whole_path(given->config_path, config_path);
	whole.routing_path = whole_path(given->routing_path, routing_path);
	/* descriptors 0-2 must be something, or a socket would end up there */
	for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
		if (fd > 2) {
			close(fd);
			break;
		}
	}
	if (settings->foreground || settings->single)
		return serve(settings, -1);
	if (pipe2(pair, O_CLOEXEC) != 0)
		return EX_OSERR;
	pid_t pid = fork();
	if (pid < 0)
		return EX_OSERR;
	if (pid == 0) {
		close(pair[0]);
		(void)setsid();
		(void)!chdir("/");
		_exit(serve(settings, pair[1]));
	}
	close(pair[1]);
	int status = wait_for_news(pair[0], pid);
	close(pair[0]);
	return status;
}
