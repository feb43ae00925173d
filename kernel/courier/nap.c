/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Workers that have nothing to do sleep in one epoll set, where a wake-up of the receiver or a call from inside ends the sleep of one of
 * them: the one that lay down last, whose stack and memory are still warm.  Whoever is woken by mail reads it and delivers it himself.
 * Both are edge-triggered, so one event wakes one worker, and the one for calls need not be read.
 */
#include "kernel/courier/internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool watch(const struct courier *courier, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	return fd < 0 || epoll_ctl(courier->naps, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool naps_open(struct courier *courier)
{
	courier->naps = epoll_create1(EPOLL_CLOEXEC);
	courier->calls = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	courier->needed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return courier->naps >= 0 && courier->calls >= 0 && courier->needed >= 0 && watch(courier, courier->calls) && watch(courier, courier->role->wake);
}

void naps_close(struct courier *courier)
{
	close(courier->naps);
	close(courier->calls);
	close(courier->needed);
}

static void tell(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof one);
}

enum nap nap_take(struct courier *courier, int seconds)
{
	struct epoll_event event = {.data.fd = -1};

	int64_t due = plan_next_due(courier->plan);
	if (due > courier_now() && due < courier->sleeps_until) /* the first thread keeps the time, and would sleep past it */
		tell(courier->needed);
	courier->idle++;
	pthread_cond_broadcast(&courier->quiet);
	pthread_mutex_unlock(&courier->lock);
	int got = epoll_wait(courier->naps, &event, 1, seconds * 1000);
	pthread_mutex_lock(&courier->lock);
	courier->idle--;
	if (got == 0)
		return NAP_OVER;
	return got > 0 && event.data.fd == courier->role->wake ? NAP_MAIL : NAP_CALLED;
}

void nap_call(struct courier *courier)
{
	tell(courier->calls);
}

void nap_more_wakes(struct courier *courier)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = courier->role->wake};

	(void)epoll_ctl(courier->naps, EPOLL_CTL_MOD, courier->role->wake, &event);
}

void nap_without_wakes(struct courier *courier)
{
	(void)epoll_ctl(courier->naps, EPOLL_CTL_DEL, courier->role->wake, NULL);
}

void nap_need_one(struct courier *courier)
{
	if (courier->idle > 0 || courier->starting > 0 || courier->draining)
		return;
	if (courier->workers < courier->max_workers && worker_start(courier))
		return;
	if (!courier->listens)
		tell(courier->needed);
	courier->listens = true;
}

bool nap_main_listens(struct courier *courier)
{
	uint64_t count;

	(void)!read(courier->needed, &count, sizeof count);
	courier->listens = courier->listens && courier->idle == 0;
	return courier->listens;
}
