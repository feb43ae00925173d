/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The epoll set, the list of posted tasks, and the rule that a task has one owner.  What comes from the set is posted too, and the list is
 * looked at before a thread sleeps; an edge-triggered eventfd wakes the leader when it sleeps in the set, and need not be read.
 */
#include "kernel/session/loop.h"
#include "kernel/session/loop_internal.h"

#include <postrider/text.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BUSY 1u
#define EVENTS (LOOP_IO | LOOP_TIMER | LOOP_COMMIT | LOOP_LEAVE | LOOP_END | LOOP_OTHER)
#define EVENTS_AT_ONCE 32
#define OTHER 1u /* added to the address of a task: this is its second descriptor */

void loop_task_init(struct loop_task *task, bool (*run)(struct loop_task *, struct worker *, uint32_t))
{
	task->next_ready = NULL;
	task->run = run;
	atomic_store(&task->state, BUSY);
}

/* Who sleeps in the set.  A thread that is awake looks at the list before it sleeps, and counts as asleep before it looks. */
static void wake_leader(struct loop *loop)
{
	uint64_t one = 1;

	if (atomic_load(&loop->sleepers) == 0)
		return;
	while (write(loop->ready_fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

/* True when it is the first of the row. */
static bool append_ready(struct loop *loop, struct loop_task *task)
{
	pthread_mutex_lock(&loop->lock);
	bool first = loop->ready == NULL;
	task->next_ready = NULL;
	*loop->ready_tail = task;
	loop->ready_tail = &task->next_ready;
	atomic_fetch_add(&loop->posted, 1);
	pthread_mutex_unlock(&loop->lock);
	return first;
}

static void push_ready(struct loop *loop, struct loop_task *task)
{
	/* the others of a row are seen by who takes the first */
	if (append_ready(loop, task))
		wake_leader(loop);
}

static struct loop_task *pop_ready(struct loop *loop)
{
	if (atomic_load(&loop->posted) == 0)
		return NULL;
	pthread_mutex_lock(&loop->lock);
	struct loop_task *task = loop->ready;
	if (task != NULL) {
		loop->ready = task->next_ready;
		if (loop->ready == NULL)
			loop->ready_tail = &loop->ready;
		atomic_fetch_sub(&loop->posted, 1);
	}
	pthread_mutex_unlock(&loop->lock);
	return task;
}

void loop_post(struct loop *loop, struct loop_task *task, uint32_t event)
{
	if ((atomic_fetch_or(&task->state, event | BUSY) & BUSY) == 0)
		push_ready(loop, task);
}

/* Nobody is woken: this thread looks at the list before it sleeps, and passes on what it does not take. */
void loop_defer(struct loop *loop, struct loop_task *task, uint32_t event)
{
	atomic_fetch_or(&task->state, event);
	append_ready(loop, task);
}

void loop_release(struct loop *loop, struct loop_task *task)
{
	uint32_t expected = BUSY;

	if (!atomic_compare_exchange_strong(&task->state, &expected, 0))
		push_ready(loop, task);
}

bool loop_can_spare(struct loop *loop)
{
	return atomic_load(&loop->idle) + 1 >= atomic_load(&loop->threads) && atomic_load(&loop->threads) > 1 && atomic_load(&loop->posted) == 0;
}

/* The caller has made the task busy. */
static void run_owned(struct loop_task *task, struct worker *worker)
{
	for (;;) {
		uint32_t events = atomic_fetch_and(&task->state, ~(uint32_t)EVENTS) & EVENTS;
		if (!task->run(task, worker, events))
			return;
		uint32_t expected = BUSY;
		if (atomic_compare_exchange_strong(&task->state, &expected, 0))
			return;
	}
}

bool loop_watch(struct loop *loop, struct loop_task *task, int fd, uint32_t wanted)
{
	struct epoll_event event = {.events = wanted | EPOLLRDHUP | EPOLLET, .data.ptr = task};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool loop_rewatch(struct loop *loop, struct loop_task *task, int fd, uint32_t wanted)
{
	struct epoll_event event = {.events = wanted | EPOLLRDHUP | EPOLLET, .data.ptr = task};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

bool loop_watch_other(struct loop *loop, struct loop_task *task, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = (char *)task + OTHER};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Whose event it is, and what it is noted as. */
static struct loop_task *read_event(const struct epoll_event *event, uint32_t *came_out)
{
	*came_out = LOOP_IO | ((event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? LOOP_END : 0);
	if (((uintptr_t)event->data.ptr & OTHER) == 0)
		return event->data.ptr;
	*came_out = LOOP_OTHER;
	return (struct loop_task *)(void *)((char *)event->data.ptr - OTHER);
}

void loop_unwatch(struct loop *loop, int fd)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

bool loop_open_sets(struct loop *loop)
{
	struct epoll_event ready = {.events = EPOLLIN | EPOLLET, .data.ptr = &loop->ready};
	struct epoll_event leave = {.events = EPOLLIN, .data.ptr = &loop->leave_fd};

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->leave_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return loop->epoll_fd >= 0 && loop->ready_fd >= 0 && loop->leave_fd >= 0 &&
	       epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->ready_fd, &ready) == 0 &&
	       epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->leave_fd, &leave) == 0;
}

void loop_close_sets(struct loop *loop)
{
	int fds[3] = {loop->epoll_fd, loop->ready_fd, loop->leave_fd};

	for (size_t i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* What is posted, if anything. */
static bool run_posted(struct loop *loop, struct worker *worker)
{
	struct loop_task *task = pop_ready(loop);

	if (task == NULL)
		return false;
	lead_help(loop);
	loop_busy(loop);
	run_owned(task, worker);
	loop_idle(loop);
	return true;
}

/* The order to leave is taken when nothing else is left to do. */
static enum loop_take note_events(struct loop *loop, const struct epoll_event *events, int count)
{
	enum loop_take took = LOOP_WORKED;

	for (int i = 0; i < count; i++) {
		uint32_t came;

		if (events[i].data.ptr == &loop->ready)
			continue; /* something is posted */
		if (events[i].data.ptr == &loop->leave_fd) {
			took = count == 1 ? LOOP_OVER : took;
			continue;
		}
		struct loop_task *task = read_event(&events[i], &came);
		if ((atomic_fetch_or(&task->state, came | BUSY) & BUSY) == 0) /* else its owner will see it */
			append_ready(loop, task);
	}
	return took;
}

static enum loop_take take_events(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = 0;

	atomic_fetch_add(&loop->taken, 1);
	atomic_fetch_add(&loop->sleepers, 1);
	if (atomic_load(&loop->posted) == 0)
		count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, -1);
	atomic_fetch_sub(&loop->sleepers, 1);
	return note_events(loop, events, count);
}

enum loop_take loop_take(struct loop *loop, struct worker *worker)
{
	if (run_posted(loop, worker))
		return LOOP_WORKED;
	if (lead_take(worker))
		return take_events(loop);
	return lead_park(loop) ? LOOP_WORKED : LOOP_NOTHING;
}
