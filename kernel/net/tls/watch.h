/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that may be replaced while we run: has one of them become another, and is the replacing over?
 *
 * A certificate and its key are two files and are never replaced at one instant, so a change counts when it is some seconds old, or two looks have
 * seen the same.
 */
#ifndef KERNEL_NET_TLS_WATCH_H
#define KERNEL_NET_TLS_WATCH_H

#include <postrider/text.h>

#define NET_WATCH_SECONDS 2 /* between two looks */

struct net_watch {
	struct pr_text paths; /* one after the other, each with a NUL behind it */
	uint64_t loaded, seen;
	int64_t next;         /* second of the next look */
};

void net_watch_init(struct net_watch *watch);
void net_watch_fini(struct net_watch *watch);
/* One path, or several with commas between them; none is fine. */
void net_watch_add(struct net_watch *watch, struct pr_str paths);
/* When all are there, before they are read for the first time. */
void net_watch_begin(struct net_watch *watch);
/* True: they are others than those that were read, and have been the same for a while.  Read them now; it is said once. */
bool net_watch_changed(struct net_watch *watch, int64_t now);
/* What the files are, in one number: place, size and times. */
uint64_t net_watch_sign(const struct net_watch *watch);

#endif
