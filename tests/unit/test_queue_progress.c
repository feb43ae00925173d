/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What "status" says of a queue run: idle is only a courier that serves, that has answered now, and that has nothing left to do.
 */
#include "kernel/command/queue_progress.h"
#include "tests/unit/unit.h"

#define MASTER "master pid 10 generation 1 uptime 3\n"
#define RECEIVER "receiver pid 11 generation 1 serving receiver generation=1 sessions=0 threads=2 load=0 runs=9 ready=0\n"
#define COUNTS(ready, in_line, running, scanning, runs) \
	"queued=4 waiting=4 ready=" ready " in_line=" in_line " running=" running " scanning=" scanning " runs=" runs " destinations=0 dead=0 workers=1 idle=1 cached=0 " \
	"sent=0 deferred=0 failed=0 notices=0\n"
#define COURIER "courier pid 12 generation 1 serving "

static void test_read(void)
{
	static const struct {
		const char *status;
		struct progress wanted;
	} cases[] = {
		{"", {.busy = true}},
		{MASTER, {.busy = true}},
		{MASTER RECEIVER, {.busy = true}},
		{MASTER RECEIVER COURIER "(did not answer in time)\n", {.pid = 12, .busy = true}},
		{MASTER RECEIVER "courier pid 12 generation 1 serving\n", {.pid = 12, .busy = true}},
		{MASTER RECEIVER "courier pid 0 generation 1 restarting\n", {.busy = true}},
		{MASTER RECEIVER "courier pid 12 generation 1 starting\n", {.busy = true}},
		{MASTER RECEIVER COURIER COUNTS("0", "0", "0", "0", "0"), {.pid = 12, .answered = true}},
		{MASTER RECEIVER COURIER COUNTS("0", "0", "0", "0", "18"), {.pid = 12, .runs = 18, .answered = true}},
		{MASTER RECEIVER COURIER COUNTS("1", "0", "0", "0", "1"), {.pid = 12, .runs = 1, .answered = true, .busy = true}},
		{MASTER RECEIVER COURIER COUNTS("0", "10", "0", "0", "1"), {.pid = 12, .runs = 1, .answered = true, .busy = true}},
		{MASTER RECEIVER COURIER COUNTS("0", "0", "2", "0", "1"), {.pid = 12, .runs = 1, .answered = true, .busy = true}},
		{MASTER RECEIVER COURIER COUNTS("0", "0", "0", "1", "1"), {.pid = 12, .runs = 1, .answered = true, .busy = true}},
		{MASTER RECEIVER COURIER "ready=0 runs=2\n", {.pid = 12, .runs = 2, .answered = true, .busy = true}}, /* cut off */
		{MASTER "courier pid 9 generation 1 leaving " COUNTS("0", "0", "0", "0", "5") "courier pid 12 generation 2 serving " COUNTS("0", "0", "0", "0", "1"),
		    {.pid = 12, .runs = 1, .answered = true}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct progress got;
		progress_read(pr_str(cases[i].status), &got);
		const struct progress *wanted = &cases[i].wanted;
		if (got.pid != wanted->pid || got.runs != wanted->runs || got.answered != wanted->answered || got.busy != wanted->busy) {
			fprintf(stderr, "case %zu: pid %llu runs %llu answered %d busy %d\n%s", i, (unsigned long long)got.pid, (unsigned long long)got.runs,
			        got.answered, got.busy, cases[i].status);
			CU_FAIL("other progress");
		}
	}
}

static const struct unit_case cases[] = {{"what status says", test_read}, {NULL, NULL}};

UNIT_MAIN("queue progress", cases)
