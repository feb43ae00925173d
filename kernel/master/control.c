/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each connection brings one line; what cannot be answered at once (reload, status, stop) leaves a mark on the connection, and the
 * event it waits for answers all marked ones.
 */
#include "kernel/master/control.h"

#include "kernel/log/log.h"
#include "kernel/master/state.h"

#include <errno.h>
#include <postrider/address.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MS 10000
#define STATUS_MS 2000
#define STOP_SILENT_MS 1000 /* a stop that takes longer says what it waits for */
#define REPLY_MAX 16384

static void finish(struct connection *connection, struct pr_str reply)
{
	/* a few KiB always fit into the socket's buffer; a client that is gone is no trouble */
	(void)!send(connection->fd, reply.data, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(connection->fd);
	connection->fd = -1;
	connection->waits_reload = connection->waits_status = connection->waits_stop = false;
	pr_text_fini(&connection->in);
}

bool control_waits(const struct connection *connection)
{
	return connection->waits_reload || connection->waits_status || connection->waits_stop;
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

/* Those who may only list the queue leave the operator a connection, however many they make. */
static struct connection *free_connection(struct master *master, bool denied)
{
	size_t strangers = 0;

	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		strangers += master->connections[i].fd >= 0 && master->connections[i].denied;
	if (denied && strangers >= MASTER_CONNECTIONS_MAX / 2)
		return NULL;
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		if (master->connections[i].fd < 0)
			return &master->connections[i];
	return NULL;
}

void control_accept(struct master *master)
{
	int fd = accept4(master->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	bool denied = !is_allowed(fd);
	struct connection *connection = free_connection(master, denied);
	if (connection == NULL) {
		static const char busy[] = "ERROR too many connections\n";
		(void)!send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL);
		close(fd);
		return;
	}
	memset(connection, 0, sizeof *connection);
	connection->fd = fd;
	connection->denied = denied; /* told when its line was read: a close before that would take the words along */
	connection->deadline_ms = master_now_ms() + INPUT_MS;
	pr_text_init(&connection->in, CONTROL_LINE_MAX);
}

static const char *state_name(const struct child *child)
{
	switch (child->state) {
	case CHILD_STARTING:
		return "starting";
	case CHILD_READY:
		return "serving";
	case CHILD_LEAVING:
		return "leaving";
	case CHILD_NONE:
		break;
	}
	return child->restart_ms != 0 ? "restarting" : "gone";
}

static bool still_asked(const struct child *child)
{
	return child->state == CHILD_READY && !child->replied;
}

static void print_child(struct pr_text *out, const struct generation *generation, const struct child *child)
{
	if (child->pid > 0)
		pr_text_addf(out, "%s pid %ld", child->role, (long)child->pid);
	else
		pr_text_addf(out, "%s pid -", child->role);
	pr_text_addf(out, " generation %u %s", generation->number, state_name(child));
	if (child->report[0] != '\0')
		pr_text_addf(out, " %s", child->report);
	else if (still_asked(child))
		pr_text_add_c(out, " (did not answer in time)");
	pr_text_add_byte(out, '\n');
}

static struct generation *generation_at(struct master *master, size_t index)
{
	struct generation *all[] = {master->current, master->old, master->next};

	return all[index];
}

static void answer_status(struct master *master)
{
	struct pr_text out;

	pr_text_init(&out, REPLY_MAX);
	pr_text_addf(&out, "master pid %ld generation %u uptime %lld\n", (long)getpid(),
	             master->current != NULL ? master->current->number : 0,
	             (long long)(master_now_ms() - master->born_ms) / 1000);
	for (size_t i = 0; i < 3; i++) {
		const struct generation *generation = generation_at(master, i);
		if (generation == NULL)
			continue;
		print_child(&out, generation, &generation->receiver);
		print_child(&out, generation, &generation->courier);
	}
	pr_text_add_c(&out, "OK\n");
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		if (master->connections[i].fd >= 0 && master->connections[i].waits_status)
			finish(&master->connections[i], pr_text_str(&out));
	pr_text_fini(&out);
}

void control_status_arrived(struct master *master, bool time_is_up)
{
	const struct generation *current = master->current;

	if (time_is_up || current == NULL || (!still_asked(&current->receiver) && !still_asked(&current->courier)))
		answer_status(master);
}

static void ask_state(struct child *child)
{
	child->report[0] = '\0'; /* what it said once is not how it is now */
	child->replied = child->channel < 0 || !channel_send(child->channel, CHANNEL_STATUS, 0, 0, PR_STR(""), -1);
}

static void do_status(struct master *master, struct connection *connection, struct pr_str rest)
{
	(void)rest;
	connection->waits_status = true;
	connection->deadline_ms = master_now_ms() + STATUS_MS;
	if (master->current != NULL) {
		ask_state(&master->current->receiver);
		ask_state(&master->current->courier);
	}
	control_status_arrived(master, false);
}

static void do_reload(struct master *master, struct connection *connection, struct pr_str rest)
{
	(void)rest;
	if (master->settings->single) {
		finish(connection, PR_STR("ERROR --single has only one generation\n"));
		return;
	}
	connection->waits_reload = true;
	connection->deadline_ms = 0;
	generation_begin(master);
}

static void do_stop(struct master *master, struct connection *connection, struct pr_str rest)
{
	(void)rest;
	connection->asked_ms = master_now_ms();
	connection->waits_stop = true; /* whoever starts the next daemon when this is answered must find the place free */
	connection->deadline_ms = 0;
	if (!master->stopping) {
		master->stopping = true;
		generation_stop_all(master);
	}
}

/* "D=DIRECTORY": true when that is not where this daemon works, and the client has been told. */
static bool is_other_queue(const struct master *master, struct connection *connection, struct pr_str *rest)
{
	struct pr_str before = *rest, word;
	struct pr_text own;

	if (!pr_str_next(rest, ' ', &word) || !pr_str_has_prefix_nocase(word, PR_STR("D="))) {
		*rest = before;
		return false;
	}
	pr_text_init(&own, CONTROL_LINE_MAX);
	if (master->current != NULL)
		(void)pr_xtext_encode(pr_str(master->current->table.queue), &own);
	bool other = !pr_str_equal(pr_text_str(&own), pr_str_slice(word, 2, word.len));
	if (other) {
		pr_text_clear(&own);
		pr_text_addf(&own, "OTHER %s\nOK\n", master->current != NULL ? master->current->table.queue : "");
		finish(connection, pr_text_str(&own));
	}
	pr_text_fini(&own);
	return other;
}

/* Whom we do not know the courier answers, who knows restrictqrun and whose the queue is. */
static void do_queue_run(struct master *master, struct connection *connection, struct pr_str rest)
{
	struct child *courier = master->current != NULL ? &master->current->courier : NULL;

	if (is_other_queue(master, connection, &rest))
		return;
	if (courier != NULL && courier->state == CHILD_READY &&
	    channel_send(courier->channel, CHANNEL_WAKE, 0, 0, rest.len > 0 ? rest : PR_STR(""), connection->denied ? connection->fd : -1))
		finish(connection, connection->denied ? PR_STR("") : PR_STR("OK\n"));
	else
		finish(connection, PR_STR("ERROR no courier is running\n"));
}

/* Somebody has changed the queue by hand: the courier looks at it now, instead of within a minute. */
static void do_rescan(struct master *master, struct connection *connection, struct pr_str rest)
{
	struct child *courier = master->current != NULL ? &master->current->courier : NULL;

	(void)rest;
	if (courier != NULL && courier->state == CHILD_READY && channel_send(courier->channel, CHANNEL_WAKE, 0, WAKE_SCAN, PR_STR(""), connection->denied ? connection->fd : -1))
		finish(connection, connection->denied ? PR_STR("") : PR_STR("OK\n"));
	else
		finish(connection, PR_STR("ERROR no courier is running\n"));
}

/* The courier knows what is queued and who may see it; the connection is his from here on. */
static void do_queue_list(struct master *master, struct connection *connection, struct pr_str rest)
{
	(void)rest;
	struct child *courier = master->current != NULL ? &master->current->courier : NULL;

	if (courier != NULL && courier->state == CHILD_READY &&
	    channel_send(courier->channel, CHANNEL_LIST, 0, 0, PR_STR(""), connection->fd))
		finish(connection, PR_STR(""));
	else
		finish(connection, PR_STR("ERROR no courier is running\n"));
}

static const struct {
	struct pr_str word;
	void (*run)(struct master *master, struct connection *connection, struct pr_str rest);
	bool words;
} commands[] = {{{"status", 6}, do_status, false},
    {{"reload", 6}, do_reload, false},
    {{"stop", 4}, do_stop, false},
    {{"queue-run", 9}, do_queue_run, true},
    {{"rescan", 6}, do_rescan, false},
    {{"queue-list", 10}, do_queue_list, false}};

/* What a stranger may ask for, and be told by the courier that he may not. */
static bool is_for_all(struct pr_str line)
{
	struct pr_str word = pr_str_slice(line, 0, pr_str_find(line, ' '));

	return pr_str_equal(line, PR_STR("queue-list")) || pr_str_equal(line, PR_STR("rescan")) || pr_str_equal(word, PR_STR("queue-run"));
}

static void run_line(struct master *master, struct connection *connection, struct pr_str line)
{
	size_t blank = pr_str_find(line, ' ');
	struct pr_str word = pr_str_slice(line, 0, blank), rest = pr_str_trim(pr_str_slice(line, blank, line.len));

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (pr_str_equal(word, commands[i].word) && (rest.len == 0 || commands[i].words)) {
			commands[i].run(master, connection, rest);
			return;
		}
	}
	finish(connection, PR_STR("ERROR unknown request\n"));
}

void control_input(struct master *master, struct connection *connection)
{
	char bytes[CONTROL_LINE_MAX];

	if (control_waits(connection)) { /* asked for no event, so this is the hang-up; unanswered it would come at every turn */
		finish(connection, PR_STR(""));
		return;
	}
	ssize_t got = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		finish(connection, PR_STR(""));
		return;
	}
	if (!pr_text_add(&connection->in, bytes, (size_t)got)) {
		finish(connection, PR_STR("ERROR line too long\n"));
		return;
	}
	struct pr_str text = pr_text_str(&connection->in);
	size_t end = pr_str_find(text, '\n');
	if (end < text.len && connection->denied && !is_for_all(pr_str_trim(pr_str_slice(text, 0, end))))
		finish(connection, PR_STR("ERROR permission denied\n"));
	else if (end < text.len)
		run_line(master, connection, pr_str_trim(pr_str_slice(text, 0, end)));
}

void control_reload_done(struct master *master, const char *error)
{
	struct pr_text out;

	if (master->reload_pending) /* the newest wish has not been tried yet */
		return;
	pr_text_init(&out, REPLY_MAX);
	if (error == NULL)
		pr_text_add_c(&out, "OK\n");
	else
		pr_text_addf(&out, "ERROR reload failed: %s\n", error);
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		if (master->connections[i].fd >= 0 && master->connections[i].waits_reload)
			finish(&master->connections[i], pr_text_str(&out));
	pr_text_fini(&out);
}

/* A line before the answer. */
static void tell_waits(struct connection *connection, struct pr_str why)
{
	struct pr_text line;

	pr_text_init(&line, REPLY_MAX);
	pr_text_addf(&line, "WAIT %.*s\n", PR_PRINT(why));
	(void)!send(connection->fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	pr_text_fini(&line);
	connection->told = true;
}

void control_reload_waits(struct master *master, struct pr_str why)
{
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++) {
		struct connection *connection = &master->connections[i];
		if (connection->fd >= 0 && connection->waits_reload && !connection->told)
			tell_waits(connection, why);
	}
}

static void tell_stop_waits(const struct master *master, struct connection *connection)
{
	const struct generation *both[] = {master->current, master->old};
	struct pr_text text;

	pr_text_init(&text, REPLY_MAX / 2);
	for (size_t i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		pr_text_add_c(&text, text.len == 0 ? "stop waits until " : ", and until ");
		generation_print_leaving(both[i], &text);
	}
	if (text.len > 0)
		tell_waits(connection, pr_text_str(&text));
	pr_text_fini(&text);
}

void control_tick(struct master *master, int64_t now)
{
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++) {
		struct connection *connection = &master->connections[i];
		if (connection->fd >= 0 && connection->waits_stop && !connection->told && now >= connection->asked_ms + STOP_SILENT_MS)
			tell_stop_waits(master, connection);
		if (connection->fd < 0 || connection->deadline_ms == 0 || now < connection->deadline_ms)
			continue;
		if (connection->waits_status)
			control_status_arrived(master, true);
		else
			finish(connection, PR_STR("ERROR timed out\n"));
	}
}

void control_close_all(struct master *master)
{
	struct pr_text stopped;

	pr_text_init(&stopped, REPLY_MAX);
	if (master->kept[0] != '\0')
		pr_text_addf(&stopped, "KEPT %s\n", master->kept);
	else
		pr_text_add_c(&stopped, "OK\n");
	for (size_t i = 0; i < MASTER_CONNECTIONS_MAX; i++)
		if (master->connections[i].fd >= 0)
			finish(&master->connections[i], master->connections[i].waits_stop ? pr_text_str(&stopped) : PR_STR("ERROR the daemon leaves\n"));
	pr_text_fini(&stopped);
}
