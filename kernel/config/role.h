/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a child of the master is born with.
 *
 * The master forks, sets the descriptors, becomes the role's user and execs `postrider --role NAME ...`; kernel/main.c
 * fills this struct from the arguments and calls NAME_main.  With --single the roles are threads of one
 * process and get the same struct.
 */
#ifndef KERNEL_CONFIG_ROLE_H
#define KERNEL_CONFIG_ROLE_H

#include <postrider/text.h>

struct role_listener {
	int fd;              /* listening, non-blocking */
	uint32_t submission; /* local submission socket */
	struct pr_str name;  /* "MTA" */
};

struct role {
	const char *name;         /* "receiver", "courier", "plan", "helper" */
	const char *config_path;
	const char *routing_path; /* -C of another dialect, or NULL */
	struct pr_list overrides; /* -O Name=value */
	uint32_t generation;
	uint32_t single;          /* 1: a thread of a --single process: do not touch signals, do not exit() */
	int channel;              /* SOCK_SEQPACKET to the master */
	int wake;                 /* receiver: write end, courier: read end of a SOCK_SEQPACKET pair carrying queue ids */
	int files;                /* SOCK_SEQPACKET to the master: what only root may read (kernel/net/tls/file.h), -1: none */
	int statistics;           /* memory of the counters (kernel/queue/statistics.h), -1: none */
	int traffic;              /* receiver: memory of who is connected (kernel/net/traffic.h), -1: none */
	int trace;                /* -X: for kernel/log/trace.h, 0: none */
	uint32_t column;          /* receiver: its own in there */
	const struct role_listener *listeners;
	size_t listener_count;
	uint32_t master_uid;      /* who may say XDROP on the submission socket */
	uint32_t queue_now;       /* courier: one run of the whole queue, then leave (sendmail -q without a daemon) */
	uint32_t selected;        /* courier: never looks for mail by itself, only what a WAKE asks for (sendmail -qI..., -q -v) */
	uint32_t verbose;         /* courier: one message after the other, and what happens goes to standard output (-v) */
	int64_t queue_interval;   /* -q30m, seconds; 0: the configuration's */
	uint32_t persistent;      /* it was -qp30m */
};

#endif
