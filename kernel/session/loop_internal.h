/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared by loop.c (what is run), threads.c (how many run it) and lead.c (who of them sleeps in the epoll set).
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
	_Atomic size_t idle;  /* threads that run nothing */
	_Atomic(struct worker *) leader; /* the thread that sleeps in the epoll set or runs what came from it; NULL: nobody */
	_Atomic size_t sleepers; /* threads in epoll_wait: the leader, and one that has just ceased to be it */
	_Atomic size_t parked;   /* threads that wait to be called; changed under lock */
	size_t called;           /* of these, so many shall wake; under lock */
	pthread_cond_t calls;
	_Atomic uint64_t taken;  /* looks of the leader into the set */
	_Atomic uint64_t runs;
	_Atomic uint32_t watched; /* loop_tend() is being called */
	/* of loop_tend() only */
	uint64_t runs_before, taken_before;
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

/* lead.c */
void lead_init(struct loop *loop);
void lead_fini(struct loop *loop);
/* This thread is that worker. */
void lead_enter(struct worker *worker);
bool lead_has(const struct worker *worker);
/* False: another thread leads. */
bool lead_take(struct worker *worker);
/* Gives the lead up for good. */
void lead_end(struct worker *worker);
/* Calls another thread when much is posted. */
void lead_help(struct loop *loop);
/* Takes the lead away from who is stuck. */
void lead_rescue(struct loop *loop);
/* Waits to be called.  False: nobody has called for idle_ms. */
bool lead_park(struct loop *loop);

#endif
