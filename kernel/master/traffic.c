/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each receiver has a column of the table while its process lives, and no longer: by the process and not by the generation, for one that was
 * killed may still be dying when the next one starts.  The master writes nothing there but zeroes, and believes nothing it could read.
 */
#include "kernel/log/log.h"
#include "kernel/master/state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void traffic_open(struct master *master)
{
	master->traffic.fd = -1;
	master->traffic.table = traffic_new(&master->traffic.fd);
	if (master->traffic.table == NULL)
		log_line(LOGP_WARNING, NULL, "each receiver counts its clients alone: cannot make memory for all: %s", strerror(errno));
}

void traffic_close(struct master *master)
{
	traffic_free(master->traffic.table);
	master->traffic.table = NULL;
	if (master->traffic.fd >= 0)
		close(master->traffic.fd);
	master->traffic.fd = -1;
}

int traffic_take(struct master *master, const struct child *receiver)
{
	for (int i = 0; master->traffic.table != NULL && i < TRAFFIC_COLUMNS; i++) {
		if (master->traffic.columns[i].child != NULL)
			continue;
		master->traffic.columns[i].child = receiver;
		master->traffic.columns[i].pid = 0;
		return i;
	}
	return -1;
}

static void give(struct master *master, size_t column)
{
	master->traffic.columns[column].child = NULL;
	traffic_forget(master->traffic.table, (uint32_t)column);
}

void traffic_started(struct master *master, int column, pid_t pid)
{
	if (column < 0)
		return;
	if (pid < 0)
		give(master, (size_t)column);
	else
		master->traffic.columns[column].pid = pid;
}

void traffic_gone(struct master *master, const struct child *child, pid_t pid)
{
	for (size_t i = 0; i < TRAFFIC_COLUMNS; i++) {
		const struct child *holder = master->traffic.columns[i].child;
		if (holder != NULL && master->traffic.columns[i].pid == pid && (pid > 0 || holder == child))
			give(master, i);
	}
}
