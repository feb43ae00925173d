/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared by loop.c (what is run) and threads.c (who runs it).
 */
#ifndef KERNEL_SESSION_LOOP_INTERNAL_H
#define KERNEL_SESSION_LOOP_INTERNAL_H

#include "kernel/session/loop.h"

struct loop {
	struct loop_settings settings;
	int epoll_fd, ready_fd, leave_fd;
	pthread_mutex_t lock; /* ready list, thread counts */
	pthread_cond_t left;  /* a thread has left */
	pthread_t last;       /* the one that left last, not joined yet */
	bool has_last;
	struct loop_task *ready;
	struct loop_task **ready_tail;
	_Atomic size_t posted; /* length of the ready list */
	_Atomic size_t threads; /* that count; changed under lock */
	size_t running;       /* that still touch this struct, under lock */
	size_t processors;
	_Atomic size_t idle;
	_Atomic uint64_t runs;
	_Atomic uint32_t watched; /* loop_tend() is being called */
	/* of loop_tend() only */
	uint64_t runs_before;
	int64_t cpu_before, clock_before;
	uint32_t calm;
};

enum loop_take { LOOP_WORKED, LOOP_NOTHING, LOOP_OVER };

bool loop_open_sets(struct loop *loop);
void loop_close_sets(struct loop *loop);
/* Waits for one piece of work and does it. */
enum loop_take loop_take(struct loop *loop, struct worker *worker);
void loop_busy(struct loop *loop);
void loop_idle(struct loop *loop);

#endif
