/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the master and its children: one SOCK_SEQPACKET pair each, small messages, descriptors passed along.
 *
 *   master -> role    DRAIN  stop accepting/claiming, finish, leave       STOP  leave soon (SIGTERM): limit in number
 *                     WAKE   run the queue now (-q); text: a selection     STATUS  send one line of state
 *                     LIST   with a client's connection: who may, is told what is queued (courier; kernel/queue/row.h)
 *   role -> master    READY  loaded and serving                            FAILED text  why not; when it leaves: what it leaves undone
 *                     STATE text   answer to STATUS
 *                     CRASH text   the module that was on the stack when a signal ended the role (kernel/module/crash.h)
 *   plan -> master    PLAN text    pieces of the table (kernel/master/table.h), then END
 *   courier -> master HELPER name  a helper for that user, please; empty: for DefaultUser
 *   master -> courier HELPER number = 0 with a descriptor, or text = why not
 *
 * A second pair of the same kind is for files that only root may read (kernel/net/tls/file.h), so that answers come to who has asked:
 *
 *   role -> master    FILE path
 *   master -> role    FILE number = 0 with a descriptor, or an errno
 */
#ifndef KERNEL_NET_CHANNEL_H
#define KERNEL_NET_CHANNEL_H

#include <postrider/text.h>

enum channel_kind {
	CHANNEL_READY = 1, CHANNEL_FAILED, CHANNEL_DRAIN, CHANNEL_STOP, CHANNEL_WAKE, CHANNEL_STATUS, CHANNEL_STATE,
	CHANNEL_HELPER, CHANNEL_PLAN, CHANNEL_END, CHANNEL_CRASH, CHANNEL_LIST, CHANNEL_FILE
};

#define WAKE_SCAN 1 /* number of a WAKE: only look at the queue */
#define CHANNEL_TEXT_MAX 8000

struct channel_message {
	uint32_t kind;
	uint32_t serial;   /* a reply carries its question's */
	int64_t number;
	size_t length;
	char text[CHANNEL_TEXT_MAX];
};

/* Blocking; false with errno.  fd -1: none. */
bool channel_send(int channel, uint32_t kind, uint32_t serial, int64_t number, struct pr_str text, int fd);
/* 1 got one, 0 the other side is gone, -1 nothing within timeout_ms (or errno).  *fd_out is -1 when none came. */
int channel_receive(int channel, struct channel_message *message, int *fd_out, int timeout_ms);
bool channel_pair(int pair[2]); /* close-on-exec */

#endif
