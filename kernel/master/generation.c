/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A generation goes plan -> table -> listeners -> roles -> in force, one step per event; whatever else happens on the way
 * ends in generation_fail(), which undoes all of it.  Start, reload and crash restart use the same spawn and the same end.
 */
#include "kernel/master/state.h"

#include "kernel/log/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define READY_SECONDS 30
#define STOP_SECONDS 60
#define STABLE_MS 60000    /* a role that lived so long starts its back-off anew */
#define BACKOFF_MAX 60
#define DYING_MS 500       /* for the crash handler to say where it hung */

/* A table that is complete says how long; before that, the one in force. */
static int64_t ready_ms(const struct master *master)
{
	int64_t seconds = 0;

	if (master->next != NULL)
		seconds = (int64_t)master->next->table.ready_seconds;
	if (seconds == 0 && master->current != NULL)
		seconds = (int64_t)master->current->table.ready_seconds;
	return (seconds > 0 ? seconds : READY_SECONDS) * 1000;
}

static int64_t stop_seconds(const struct master *master)
{
	int64_t seconds = master->current != NULL ? (int64_t)master->current->table.stop_seconds : 0;

	return seconds > 0 ? seconds : STOP_SECONDS;
}

static void copy_line(char *room, size_t size, const char *text, size_t len)
{
	size_t used = 0;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len && used + 3 < size; i++) {
		if (text[i] == '\n') {
			room[used++] = ';';
			room[used++] = ' ';
		} else {
			/* a role may be in strange hands, and the administrator's terminal will show this */
			room[used++] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
		}
	}
	room[used] = '\0';
}

const char *child_how_it_ended(const struct child *child, int status, char *room, size_t size)
{
	const char *in = child->stack[0] != '\0' ? " in module " : "";

	if (child->said[0] != '\0')
		(void)snprintf(room, size, "%s", child->said);
	else if (child->pid == 0)
		(void)snprintf(room, size, "%s ended", child->role);
	else if (WIFSIGNALED(status))
		(void)snprintf(room, size, "%s ended by signal %d (%s)%s%s", child->role, WTERMSIG(status),
		               strsignal(WTERMSIG(status)), in, child->stack);
	else if (WEXITSTATUS(status) == 77)
		(void)snprintf(room, size, "%s could not become its user", child->role);
	else
		(void)snprintf(room, size, "%s ended with status %d%s%s", child->role, WEXITSTATUS(status), in, child->stack);
	return room;
}

static struct generation *free_slot(struct master *master)
{
	for (size_t i = 0; i < sizeof master->slots / sizeof master->slots[0]; i++)
		if (master->slots[i].number == 0)
			return &master->slots[i];
	return NULL;
}

static void slot_release(struct generation *generation)
{
	pr_text_fini(&generation->plan_text);
	generation->number = 0;
}

static void end_child(struct child *child)
{
	child_kill(child, SIGKILL);
	child_close(child); /* a pid that no child has is reaped without a word */
}

static void generation_fail(struct master *master, const char *why)
{
	struct generation *next = master->next;

	(void)snprintf(master->reason, sizeof master->reason, "%s", why);
	end_child(&next->plan);
	end_child(&next->receiver);
	end_child(&next->courier);
	listen_close(next, master->current);
	if (master->current != NULL)
		log_line(LOGP_ERR, NULL, "generation %u failed: %s; generation %u serves on", next->number, why,
		         master->current->number);
	else
		log_line(LOGP_ERR, NULL, "cannot start: %s", why);
	slot_release(next);
	master->next = NULL;
	if (master->current == NULL) {
		master->exit_status = master->config_status != 0 ? master->config_status : EX_CONFIG;
		master->stopping = true;
	}
	control_reload_done(master, master->reason);
}

static bool find_plan_user(struct master *master, struct identity *identity, struct pr_text *why)
{
	if (!master->privileged) {
		*identity = master->self;
		return true;
	}
	if (master->current != NULL) {
		*identity = master->current->receiver_user;
		return true;
	}
	/* The configuration, which names the users, is not read yet; it must be readable for one of these. */
	return identity_find("postrider", identity, why) == PR_OK || identity_find("nobody", identity, why) == PR_OK;
}

/* At most two generations: while an old one drains, or one is starting, the wish is remembered. */
void generation_begin(struct master *master)
{
	struct pr_text why;

	if (master->stopping)
		return;
	if (master->next != NULL || master->old != NULL) {
		master->reload_pending = true;
		return;
	}
	struct generation *next = free_slot(master);
	memset(next, 0, sizeof *next);
	next->plan = (struct child){.role = "plan", .channel = -1};
	next->receiver = (struct child){.role = "receiver", .channel = -1};
	next->courier = (struct child){.role = "courier", .channel = -1};
	next->number = ++master->last_number;
	next->deadline_ms = master_now_ms() + ready_ms(master);
	pr_text_init(&next->plan_text, TABLE_BYTES_MAX);
	master->reload_pending = false;
	master->next = next;
	pr_text_init(&why, 500);
	if (!find_plan_user(master, &next->receiver_user, &why))
		generation_fail(master, why.data);
	else if (!spawn_role(master, next, &next->plan))
		generation_fail(master, strerror(errno));
	pr_text_fini(&why);
}

static bool find_user(struct master *master, const char *name, struct identity *identity, struct pr_text *why)
{
	if (!master->privileged || master->settings->single) {
		*identity = master->self;
		return true;
	}
	enum pr_status status = identity_find(name, identity, why);
	if (status == PR_NOTFOUND)
		pr_text_addf(why, ", whom the configuration names in users = { ... }; create it with: adduser --system --group --no-create-home --home /nonexistent %s", name);
	if (status == PR_OK && identity->uid == 0) {
		pr_text_addf(why, "receiver and courier must not run as root");
		status = PR_PERMFAIL;
	}
	return status == PR_OK;
}

static bool find_users(struct master *master, struct generation *next, struct pr_text *why)
{
	if (!find_user(master, next->table.receiver_user, &next->receiver_user, why) ||
	    !find_user(master, next->table.courier_user, &next->courier_user, why))
		return false;
	/* what the receiver queues, the courier must be able to read: both have the receiver's group */
	identity_set_group(&next->courier_user, next->receiver_user.gid);
	return true;
}

/* The plan is complete: check it, prepare what it names, start the roles. */
static void generation_build(struct master *master, struct generation *next)
{
	struct pr_text why;

	pr_text_init(&why, 900);
	bool good = table_parse(pr_text_str(&next->plan_text), &next->table, &why);
	pr_text_fini(&next->plan_text);
	if (good && find_users(master, next, &why) && places_lock(master, next->table.run, &why) &&
	    places_prepare(master, next, &why) && listen_all(master, next, master->current, &why)) {
		next->deadline_ms = master_now_ms() + ready_ms(master);
		if (!spawn_role(master, next, &next->courier) || !spawn_role(master, next, &next->receiver))
			pr_text_addf(&why, "cannot start a role: %s", strerror(errno));
	}
	if (why.len > 0)
		generation_fail(master, why.data);
	pr_text_fini(&why);
}

static void leave(struct child *child, uint32_t kind, int64_t seconds)
{
	child->restart_ms = 0;
	if (child->state == CHILD_NONE)
		return;
	if (!channel_send(child->channel, kind, 0, seconds, PR_STR(""), -1))
		child_kill(child, SIGTERM);
	child->state = CHILD_LEAVING;
	child->kill_ms = master_now_ms() + (seconds + 5) * 1000;
}

static void generation_enter(struct master *master)
{
	struct generation *before = master->current, *next = master->next;
	struct pr_text why;

	master->next = NULL;
	master->current = next;
	(void)log_open(next->table.log, "postrider");
	log_line(LOGP_INFO, NULL, "generation %u in force: %zu listeners", next->number, next->listener_count);
	pr_text_init(&why, 500);
	if (before == NULL || strcmp(before->table.pid_file, next->table.pid_file) != 0) {
		if (before != NULL)
			(void)unlink(before->table.pid_file);
		master->pid_file_written = places_write_pid(master, next->table.pid_file, &why);
		if (!master->pid_file_written)
			log_line(LOGP_WARNING, NULL, "no pid file: %s", why.data);
	}
	pr_text_fini(&why);
	if (before != NULL) {
		listen_close(before, next);
		leave(&before->receiver, CHANNEL_DRAIN, MASTER_DRAIN_SECONDS);
		leave(&before->courier, CHANNEL_DRAIN, MASTER_DRAIN_SECONDS);
		master->old = before;
	}
	control_reload_done(master, NULL);
	drop_watch(master);
	generation_tick(master, master_now_ms());
}

static void take_ready(struct master *master, struct generation *generation, struct child *child)
{
	if (child->state == CHILD_STARTING)
		child->state = CHILD_READY;
	if (generation == master->next && generation->receiver.state == CHILD_READY &&
	    generation->courier.state == CHILD_READY)
		generation_enter(master);
	else if (generation == master->current)
		log_line(LOGP_INFO, NULL, "%s of generation %u serves again", child->role, generation->number);
}

static void take_plan(struct master *master, struct generation *generation, struct child *child, uint32_t kind,
                      struct pr_str text)
{
	if (generation != master->next || child != &generation->plan)
		return;
	if (kind == CHANNEL_PLAN && !pr_text_add_str(&generation->plan_text, text)) {
		generation_fail(master, "the plan is too long");
	} else if (kind == CHANNEL_END) {
		end_child(child);
		generation_build(master, generation);
	}
}

static void take_message(struct master *master, struct generation *generation, struct child *child,
                         const struct channel_message *message)
{
	struct pr_str text = {message->text, message->length};

	switch (message->kind) {
	case CHANNEL_READY:
		take_ready(master, generation, child);
		break;
	case CHANNEL_PLAN:
	case CHANNEL_END:
		take_plan(master, generation, child, message->kind, text);
		break;
	case CHANNEL_FAILED:
		copy_line(child->said, sizeof child->said, text.data, text.len);
		if (child == &generation->plan)
			master->config_status = (int)message->number;
		if (generation == master->next)
			generation_fail(master, child->said);
		break;
	case CHANNEL_CRASH:
		copy_line(child->stack, sizeof child->stack, text.data, text.len);
		break;
	case CHANNEL_STATE:
		copy_line(child->report, sizeof child->report, text.data, text.len);
		child->replied = true;
		control_status_arrived(master, false);
		break;
	case CHANNEL_HELPER:
		if (child == &generation->courier)
			helpers_serve(master, generation, child, message);
		break;
	default: /* nothing else is for a role to say */
		break;
	}
}

void generation_message(struct master *master, struct generation *generation, struct child *child)
{
	struct channel_message message;
	int fd;
	int got = channel_receive(child->channel, &message, &fd, 0);

	if (fd >= 0)
		close(fd); /* nobody sends the master descriptors */
	if (got > 0)
		take_message(master, generation, child, &message);
	else if (got == 0 && child->pid == 0)
		generation_child_gone(master, generation, child, 0);
	else if (got == 0) { /* the process is about to end: SIGCHLD tells how */
		close(child->channel);
		child->channel = -1;
		if (child->kill_ms == 0)
			child->kill_ms = master_now_ms() + 5000;
	}
}

/* The last words of a child that is gone; only CRASH and FAILED still matter. */
static void last_words(struct child *child)
{
	struct channel_message message;
	int fd;

	while (child->channel >= 0 && channel_receive(child->channel, &message, &fd, 0) > 0) {
		if (fd >= 0)
			close(fd);
		if (message.kind == CHANNEL_CRASH)
			copy_line(child->stack, sizeof child->stack, message.text, message.length);
		else if (message.kind == CHANNEL_FAILED)
			copy_line(child->said, sizeof child->said, message.text, message.length);
	}
}

/* First restart at once, then after 1, 2, 4 ... 60 seconds. */
static void plan_restart(struct child *child, int64_t now)
{
	int64_t wait = 0;

	if (now - child->started_ms > STABLE_MS)
		child->failures = 0;
	if (child->failures > 0)
		wait = child->failures > 6 ? BACKOFF_MAX : 1 << (child->failures - 1);
	if (child->failures < 100)
		child->failures++;
	child->restart_ms = now + wait * 1000;
	if (child->restart_ms == 0)
		child->restart_ms = 1;
}

/* A plan that ended has usually said all it had to say. */
static void plan_gone(struct master *master, struct generation *generation, int status)
{
	char how[800];

	while (master->next == generation && generation->plan.channel >= 0) {
		struct pollfd one = {.fd = generation->plan.channel, .events = POLLIN};
		if (poll(&one, 1, 0) <= 0 || (one.revents & POLLIN) == 0)
			break;
		int before = generation->plan.channel;
		struct channel_message message;
		int fd;
		if (channel_receive(before, &message, &fd, 0) <= 0)
			break;
		if (fd >= 0)
			close(fd);
		take_message(master, generation, &generation->plan, &message);
	}
	if (master->next == generation && generation->plan.state != CHILD_NONE)
		generation_fail(master, child_how_it_ended(&generation->plan, status, how, sizeof how));
}

void generation_child_gone(struct master *master, struct generation *generation, struct child *child, int status)
{
	char how[800];

	if (child == &generation->plan) {
		plan_gone(master, generation, status);
		return;
	}
	bool told = child->state == CHILD_LEAVING;
	if (child->pid == 0)
		traffic_gone(master, child, 0);
	last_words(child);
	(void)child_how_it_ended(child, status, how, sizeof how);
	if (generation == master->next) {
		generation_fail(master, how);
		return;
	}
	child_close(child);
	if (told && (status != 0 || child->said[0] != '\0')) {
		log_line(LOGP_WARNING, NULL, "leaving generation %u: %s", generation->number, how);
		if (master->stopping && child == &generation->courier)
			(void)snprintf(master->kept, sizeof master->kept, "%s", how);
	}
	if (!told && generation == master->current) {
		plan_restart(child, master_now_ms());
		log_line(LOGP_ERR, NULL, "%s of generation %u is gone: %s; starting it again in %lld s", child->role,
		         generation->number, how, (long long)(child->restart_ms - master_now_ms() + 999) / 1000);
	}
	generation_tick(master, master_now_ms());
}

static bool is_gone(const struct generation *generation)
{
	return generation->plan.state == CHILD_NONE && generation->receiver.state == CHILD_NONE &&
	       generation->courier.state == CHILD_NONE;
}

/* Too long: SIGABRT first, so that its crash handler names the module it hangs in. */
static void generation_time_out(struct master *master)
{
	struct generation *next = master->next;
	struct child *late = next->plan.state == CHILD_STARTING      ? &next->plan
	                     : next->courier.state == CHILD_STARTING ? &next->courier
	                                                             : &next->receiver;
	struct pollfd one = {.fd = late->channel, .events = POLLIN};
	char how[800];

	child_kill(late, SIGABRT);
	if (late->pid > 0 && poll(&one, 1, DYING_MS) > 0)
		last_words(late);
	(void)snprintf(how, sizeof how, "%s was not ready within %lld s%s%s", late->role, (long long)ready_ms(master) / 1000,
	               late->stack[0] != '\0' ? ", it hung in module " : "", late->stack);
	generation_fail(master, how);
}

static void child_tick(struct master *master, struct generation *generation, struct child *child, int64_t now)
{
	if (child->kill_ms != 0 && now >= child->kill_ms) {
		child->kill_ms = 0;
		log_line(LOGP_WARNING, NULL, "%s of generation %u did not leave in time and is killed", child->role,
		         generation->number);
		child_kill(child, SIGKILL);
	}
	if (generation != master->current || master->stopping)
		return;
	if (child->state == CHILD_STARTING && now - child->started_ms > ready_ms(master)) {
		log_line(LOGP_ERR, NULL, "%s of generation %u hangs while it starts", child->role, generation->number);
		child->started_ms = now;
		child_kill(child, SIGABRT);
		child->kill_ms = now + 1000;
	}
	if (child->restart_ms != 0 && now >= child->restart_ms && !spawn_role(master, generation, child))
		child->restart_ms = now + 1000;
}

void generation_tick(struct master *master, int64_t now)
{
	struct generation *both[] = {master->current, master->old};

	for (size_t i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		child_tick(master, both[i], &both[i]->receiver, now);
		child_tick(master, both[i], &both[i]->courier, now);
	}
	if (master->old != NULL && is_gone(master->old)) {
		log_line(LOGP_INFO, NULL, "generation %u has left", master->old->number);
		slot_release(master->old);
		master->old = NULL;
	}
	if (master->next != NULL && now >= master->next->deadline_ms)
		generation_time_out(master);
	if (master->reload_pending && master->next == NULL && master->old == NULL)
		generation_begin(master);
}

void generation_stop_all(struct master *master)
{
	int64_t seconds = stop_seconds(master);
	struct generation *both[] = {master->current, master->old};

	if (master->next != NULL)
		generation_fail(master, "the daemon is being stopped");
	for (size_t i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		leave(&both[i]->receiver, CHANNEL_STOP, seconds);
		leave(&both[i]->courier, CHANNEL_STOP, seconds);
	}
	master->stop_deadline_ms = master_now_ms() + (seconds + 7) * 1000;
}

bool generation_any_alive(const struct master *master)
{
	return master->next != NULL || (master->current != NULL && !is_gone(master->current)) ||
	       (master->old != NULL && !is_gone(master->old));
}
