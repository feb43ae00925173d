/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stat(2) of each file, by whoever may, mixed into one number.
 * A handful of system calls every two seconds is cheaper than inotify, and sees through symbolic links, which is how certificates are mostly replaced.
 */
#include "kernel/net/tls/watch.h"

#include "kernel/net/tls/file.h"

#include <string.h>
#include <time.h>

#define PATHS_MAX (1u << 22)

void net_watch_init(struct net_watch *watch)
{
	memset(watch, 0, sizeof *watch);
	pr_text_init(&watch->paths, PATHS_MAX);
}

void net_watch_fini(struct net_watch *watch)
{
	pr_text_fini(&watch->paths);
}

void net_watch_add(struct net_watch *watch, struct pr_str paths)
{
	struct pr_str one;

	while (paths.len > 0 && pr_str_next(&paths, ',', &one)) {
		one = pr_str_trim(one);
		if (one.len == 0)
			continue;
		pr_text_add_str(&watch->paths, one);
		pr_text_add_byte(&watch->paths, '\0');
	}
}

static uint64_t mix(uint64_t sign, uint64_t value)
{
	sign = (sign ^ value) * 0x9e3779b97f4a7c15u;
	return sign ^ (sign >> 29);
}

/* *newest: when the latest of them became what it is. */
static uint64_t mix_file(uint64_t sign, const char *path, time_t *newest)
{
	struct stat info;
	int error = net_tls_file_stat(path, &info);

	if (error != 0)
		return mix(sign, (uint64_t)error);
	*newest = info.st_ctim.tv_sec > *newest ? info.st_ctim.tv_sec : *newest;
	sign = mix(mix(sign, (uint64_t)info.st_dev), (uint64_t)info.st_ino);
	sign = mix(mix(sign, (uint64_t)info.st_size), (uint64_t)info.st_mode);
	sign = mix(mix(sign, (uint64_t)info.st_mtim.tv_sec), (uint64_t)info.st_mtim.tv_nsec);
	return mix(mix(sign, (uint64_t)info.st_ctim.tv_sec), (uint64_t)info.st_ctim.tv_nsec);
}

static uint64_t sign_of(const struct net_watch *watch, time_t *newest)
{
	uint64_t sign = 1;

	for (size_t at = 0; at < watch->paths.len; at += strlen(watch->paths.data + at) + 1)
		sign = mix_file(sign, watch->paths.data + at, newest);
	return sign;
}

uint64_t net_watch_sign(const struct net_watch *watch)
{
	time_t newest = 0;

	return sign_of(watch, &newest);
}

void net_watch_begin(struct net_watch *watch)
{
	watch->loaded = watch->seen = net_watch_sign(watch);
}

bool net_watch_changed(struct net_watch *watch, int64_t now)
{
	if (now < watch->next)
		return false;
	watch->next = now + NET_WATCH_SECONDS;
	time_t newest = 0, clock = time(NULL);
	uint64_t sign = sign_of(watch, &newest);
	/* whoever looks seldom need not look twice; a clock that is elsewhere makes him do so */
	bool at_rest = sign == watch->seen || (newest > 0 && newest + NET_WATCH_SECONDS < clock);
	watch->seen = sign;
	if (sign == watch->loaded || !at_rest)
		return false;
	watch->loaded = sign;
	return true;
}
