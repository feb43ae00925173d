/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The roles count in memory, the master writes: it is there from the first message to the last, when a role was killed and while two
 * generations run, and it may write to a file that belongs to nobody's role.  What cannot be written now waits in the memory.
 */
#include "kernel/log/log.h"
#include "kernel/master/state.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define INTERVAL_MS 5000
#define LAST_TRIES 20 /* at the end somebody may just hold the lock */
#define LAST_PAUSE_NS 50000000

static const char *path_of(const struct master *master)
{
	return master->current != NULL ? master->current->table.statistics : "";
}

void statistics_open(struct master *master)
{
	master->statistics.fd = -1;
	master->statistics.counters = counters_new(&master->statistics.fd);
	if (master->statistics.counters == NULL)
		log_line(LOGP_WARNING, NULL, "no mail statistics: cannot make their memory: %s", strerror(errno));
}

static void complain(struct master_statistics *statistics, const char *why)
{
	if (strcmp(statistics->said, why) == 0)
		return;
	(void)snprintf(statistics->said, sizeof statistics->said, "%s", why);
	log_line(LOGP_WARNING, NULL, "StatusFile %s", why);
}

/* False: it is worth another try. */
static bool write_out(struct master *master)
{
	struct master_statistics *statistics = &master->statistics;
	struct statistics more;
	struct pr_text why;

	counters_take(statistics->counters, &more);
	if (statistics_is_zero(&more))
		return true;
	pr_text_init(&why, sizeof statistics->said - 1);
	enum pr_status status = statistics_add(path_of(master), &more, (int64_t)time(NULL), &why);
	/* no file, no statistics: what was counted before it was made is not in it */
	if (status == PR_TEMPFAIL || status == PR_PERMFAIL)
		counters_give_back(statistics->counters, &more);
	if (status == PR_PERMFAIL)
		complain(statistics, why.data);
	else if (status == PR_OK)
		statistics->said[0] = '\0';
	pr_text_fini(&why);
	return status != PR_TEMPFAIL;
}

static bool is_wanted(const struct master *master)
{
	return master->statistics.counters != NULL && path_of(master)[0] != '\0';
}

int64_t statistics_wait_ms(const struct master *master, int64_t most)
{
	int64_t left = master->statistics.next_ms - master_now_ms();

	return is_wanted(master) && left < most ? left : most;
}

void statistics_tick(struct master *master, int64_t now)
{
	if (now < master->statistics.next_ms || !is_wanted(master))
		return;
	(void)write_out(master);
	master->statistics.next_ms = now + INTERVAL_MS;
}

void statistics_close(struct master *master)
{
	const struct timespec pause = {.tv_nsec = LAST_PAUSE_NS};

	for (int try = 0; is_wanted(master) && !write_out(master); try++) {
		if (try == LAST_TRIES) {
			log_line(LOGP_WARNING, NULL, "StatusFile %s cannot be written; the last counts are lost", path_of(master));
			break;
		}
		(void)nanosleep(&pause, NULL);
	}
	counters_free(master->statistics.counters);
	master->statistics.counters = NULL;
}
