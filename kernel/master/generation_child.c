/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the children of a generation say, and what their end means: a step forward, the end of this generation, or a restart
 * with back-off.
 */
#include "kernel/master/state.h"

#include "kernel/log/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STABLE_MS 60000    /* a role that lived so long starts its back-off anew */
#define BACKOFF_MAX 60

static void child_note(char *room, size_t size, const char *text, size_t len)
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

void child_last_words(struct child *child)
{
	struct channel_message message;
	int fd;

	while (child->channel >= 0 && channel_receive(child->channel, &message, &fd, 0) > 0) {
		if (fd >= 0)
			close(fd);
		if (message.kind == CHANNEL_CRASH)
			child_note(child->stack, sizeof child->stack, message.text, message.length);
		else if (message.kind == CHANNEL_FAILED)
			child_note(child->said, sizeof child->said, message.text, message.length);
	}
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
		child_end(child);
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
		child_note(child->said, sizeof child->said, text.data, text.len);
		if (child == &generation->plan)
			master->config_status = (int)message->number;
		if (generation == master->next)
			generation_fail(master, child->said);
		break;
	case CHANNEL_CRASH:
		child_note(child->stack, sizeof child->stack, text.data, text.len);
		break;
	case CHANNEL_STATE:
		child_note(child->report, sizeof child->report, text.data, text.len);
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
	child_last_words(child);
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
