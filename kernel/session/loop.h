/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tasks, run by a few threads over one epoll set.
 *
 * A task is anything that waits for something: a session, a listening socket.  Events for it come from the epoll set
 * or from loop_post() in any thread: a timer, a finished commit, the order to leave.  However many come at
 * once, a task is run by one thread at a time: the first event makes its bearer the owner, later ones are noted
 * and seen by the owner before it lets go.  So tasks need no locks.
 *
 * A descriptor is watched edge-triggered: an event says that something *has become* possible and is not repeated, so the owner
 * remembers it until a call says EAGAIN.  What that saves is a system call per command.
 *
 *        event --> not busy? --> busy: run() --> nothing new noted? --> not busy
 *                    | busy                        | noted
 *                    '--> note it                  '--> run() again
 *
 * One thread, the leader, sleeps in the epoll set and runs what comes, a batch at a time; the others are parked (lead.c).  A run() that is
 * about to wait for somebody else - another host, a program, a disk - says loop_hand_over() first, and another thread leads.  When all threads
 * are busy and events wait, loop_tend() starts another one, up to the limit; a thread that found nothing to do for a while leaves.
 *
 * The memory of a task must stay a task's memory for the life of the loop (re-used, never given back): a late event
 * of a task that is gone then runs the next one in vain, which is harmless.
 */
#ifndef KERNEL_SESSION_LOOP_H
#define KERNEL_SESSION_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* LOOP_END: the peer has closed, at least its side; comes with LOOP_IO.  LOOP_OTHER: anything at the second descriptor. */
enum { LOOP_IO = 2, LOOP_TIMER = 4, LOOP_COMMIT = 8, LOOP_LEAVE = 16, LOOP_END = 32, LOOP_OTHER = 64 };

struct loop;

/* One thread; `local` is what the owner of the loop gave it. */
struct worker {
	struct loop *loop;
	void *local;
};

struct loop_task {
	_Atomic uint32_t state; /* busy bit and noted events */
	struct loop_task *next_ready;
	/* False when the task is gone (given back to its owner): it is not touched again. */
	bool (*run)(struct loop_task *task, struct worker *worker, uint32_t events);
};

struct loop_settings {
	size_t threads_min;
	size_t threads_max;
	int idle_ms;      /* a thread without work for so long leaves, down to threads_min */
	void *context;
	void *(*thread_open)(void *context);  /* NULL result: the thread cannot work, and leaves */
	void (*thread_close)(void *context, void *local);
	void (*attention)(void *context);     /* threads have begun to run something: call loop_tend() soon; any thread */
};

struct loop_counts {
	size_t threads;
	size_t idle;
	uint64_t runs;
};

/* NULL with errno.  The threads run when it returns. */
struct loop *loop_new(const struct loop_settings *settings);
/* Lets the threads finish what they run, and waits until they are gone; loop_post stays possible and does nothing more. */
void loop_stop(struct loop *loop);
/* Stops it, and gives everything back: nobody may post any more. */
void loop_free(struct loop *loop);

/* A new task begins busy, owned by the caller, and is let go by loop_release(). */
void loop_task_init(struct loop_task *task, bool (*run)(struct loop_task *, struct worker *, uint32_t));
void loop_release(struct loop *loop, struct loop_task *task);
/* Notes the event; a task that is not busy is given to a thread. */
void loop_post(struct loop *loop, struct loop_task *task, uint32_t event);
/* Called by one of the loop's threads that owns the task, instead of running it or letting it go: it is run, as if the event had come,
 * when what waits already has had its turn. */
void loop_defer(struct loop *loop, struct loop_task *task, uint32_t event);

/* Called by the owner of the task.  `wanted`: EPOLLIN, EPOLLOUT or both. */
bool loop_watch(struct loop *loop, struct loop_task *task, int fd, uint32_t wanted); /* first time; false with errno */
bool loop_rewatch(struct loop *loop, struct loop_task *task, int fd, uint32_t wanted); /* to want something else from now on */
void loop_unwatch(struct loop *loop, int fd);
/* A second descriptor of the task, for reading, until it is closed. */
bool loop_watch_other(struct loop *loop, struct loop_task *task, int fd);

/* Called by who runs a task: from here on it may wait, and others shall not wait with it.  Costs nothing when somebody else leads already. */
void loop_hand_over(struct loop *loop);
/* True: all other threads sleep and nothing is posted, so the caller may keep its thread waiting for a moment. */
bool loop_can_spare(struct loop *loop);
/* Grows the set when it must.  Returns the milliseconds until it wants to be called again, -1: when there is attention. */
int loop_tend(struct loop *loop);
int64_t loop_clock_us(clockid_t clock); /* microseconds */
void loop_count(struct loop *loop, struct loop_counts *counts_out);

#endif
