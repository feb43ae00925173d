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
#include <sysexits.h>
#include <unistd.h>

#define READY_SECONDS 30
#define STOP_SECONDS 60
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

void child_end(struct child *child)
{
	child_kill(child, SIGKILL);
	child_close(child); /* a pid that no child has is reaped without a word */
}

void generation_fail(struct master *master, const char *why)
{
	struct generation *next = master->next;

	(void)snprintf(master->reason, sizeof master->reason, "%s", why);
	child_end(&next->plan);
	child_end(&next->receiver);
	child_end(&next->courier);
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

static void print_leaving(const struct child *child, const char *what, struct pr_text *out)
{
	if (child->state != CHILD_NONE)
		pr_text_addf(out, "%s%s pid %ld, %s under way", out->len > 0 ? "; " : "", child->role, (long)child->pid, what);
}

void generation_print_leaving(const struct generation *generation, struct pr_text *out)
{
	struct pr_text roles;
	int64_t last = generation->receiver.kill_ms > generation->courier.kill_ms ? generation->receiver.kill_ms : generation->courier.kill_ms;

	pr_text_init(&roles, 400);
	print_leaving(&generation->courier, "messages", &roles);
	print_leaving(&generation->receiver, "sessions", &roles);
	pr_text_addf(out, "generation %u has left (%s)", generation->number, roles.len > 0 ? roles.data : "it is gone");
	if (last > 0)
		pr_text_addf(out, ", in %lld s at the latest", (long long)(last - master_now_ms() + 999) / 1000);
	pr_text_fini(&roles);
}

/* A reload that does nothing yet must not look like one that is lost. */
static void say_reload_waits(struct master *master)
{
	struct pr_text text;

	pr_text_init(&text, 1000);
	pr_text_add_c(&text, "reload waits until ");
	generation_print_leaving(master->old, &text);
	log_line(LOGP_NOTICE, NULL, "%s", text.data);
	control_reload_waits(master, pr_text_str(&text));
	pr_text_fini(&text);
}

/* At most two generations: while an old one drains, or one is starting, the wish is remembered. */
void generation_begin(struct master *master)
{
	struct pr_text why;

	if (master->stopping)
		return;
	if (master->next != NULL || master->old != NULL) {
		master->reload_pending = true;
		if (master->old != NULL)
			say_reload_waits(master);
		return;
	}
	struct generation *next = free_slot(master);
	memset(next, 0, sizeof *next);
	next->plan = (struct child){.role = "plan", .channel = -1, .files = -1};
	next->receiver = (struct child){.role = "receiver", .channel = -1, .files = -1};
	next->courier = (struct child){.role = "courier", .channel = -1, .files = -1};
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

void generation_build(struct master *master, struct generation *next)
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

void generation_enter(struct master *master)
{
	struct generation *before = master->current, *next = master->next;
	struct pr_text why;

	master->next = NULL;
	master->current = next;
	(void)log_open(next->table.log, "postrider");
	log_line(LOGP_INFO, NULL, "generation %u in force: %zu listeners", next->number, next->listener_count);
	if (next->left_out[0] != '\0')
		log_line(LOGP_WARNING, NULL, "%s; it is optional, and left out", next->left_out);
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
	if (master->reload_pending && before != NULL)
		say_reload_waits(master);
	drop_watch(master);
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
		child_last_words(late);
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
