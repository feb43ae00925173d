/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The epoll set, the list of posted tasks, and the rule that a task has one owner.  The posted list is woken through a
 * semaphore eventfd in the same epoll set, so a thread waits in one place only and takes one piece of work at a time.
 */
#include "kernel/session/loop.h"
#include "kernel/session/loop_internal.h"

#include <postrider/text.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BUSY 1u
#define EVENTS (LOOP_IO | LOOP_TIMER | LOOP_COMMIT | LOOP_LEAVE)

void loop_task_init(struct loop_task *task, bool (*run)(struct loop_task *, struct worker *, uint32_t))
{
	task->next_ready = NULL;
	task->run = run;
	atomic_store(&task->state, BUSY);
}

static void push_ready(struct loop *loop, struct loop_task *task)
{
	uint64_t one = 1;

	pthread_mutex_lock(&loop->lock);
	task->next_ready = NULL;
	*loop->ready_tail = task;
	loop->ready_tail = &task->next_ready;
	pthread_mutex_unlock(&loop->lock);
	while (write(loop->ready_fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static struct loop_task *pop_ready(struct loop *loop)
{
	uint64_t one;

	if (read(loop->ready_fd, &one, sizeof one) < 0)
		return NULL; /* another thread was faster */
	pthread_mutex_lock(&loop->lock);
	struct loop_task *task = loop->ready;
	if (task != NULL) {
		loop->ready = task->next_ready;
		if (loop->ready == NULL)
			loop->ready_tail = &loop->ready;
	}
	pthread_mutex_unlock(&loop->lock);
	return task;
}

void loop_post(struct loop *loop, struct loop_task *task, uint32_t event)
{
	if ((atomic_fetch_or(&task->state, event | BUSY) & BUSY) == 0)
		push_ready(loop, task);
}

void loop_release(struct loop *loop, struct loop_task *task)
{
	uint32_t expected = BUSY;

	if (!atomic_compare_exchange_strong(&task->state, &expected, 0))
		push_ready(loop, task);
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
	struct epoll_event event = {.events = wanted | EPOLLONESHOT, .data.ptr = task};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool loop_rewatch(struct loop *loop, struct loop_task *task, int fd, uint32_t wanted)
{
	struct epoll_event event = {.events = wanted | EPOLLONESHOT, .data.ptr = task};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

bool loop_open_sets(struct loop *loop)
{
	struct epoll_event ready = {.events = EPOLLIN, .data.ptr = &loop->ready};
	struct epoll_event leave = {.events = EPOLLIN, .data.ptr = &loop->leave_fd};

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
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

enum loop_take loop_take(struct loop *loop, struct worker *worker)
{
	struct epoll_event event;
	int count = epoll_wait(loop->epoll_fd, &event, 1, loop->settings.idle_ms);

	if (count == 0)
		return LOOP_NOTHING;
	if (count < 0)
		return LOOP_WORKED; /* EINTR */
	if (event.data.ptr == &loop->leave_fd)
		return LOOP_END;
	struct loop_task *task = event.data.ptr;
	bool posted = event.data.ptr == &loop->ready;
	if (posted)
		task = pop_ready(loop);
	loop_busy(loop);
	if (task != NULL && (posted || (atomic_fetch_or(&task->state, LOOP_IO | BUSY) & BUSY) == 0))
		run_owned(task, worker);
	loop_idle(loop);
	return LOOP_WORKED;
}
