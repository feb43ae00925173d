/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looks at the courier's line every now and then.  Idle three times in a row is done: between two looks a message may just have changed hands.
 */
#include "kernel/command/queue_progress.h"

#include "kernel/command/modes.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#define LINES_MAX (1u << 16)
#define IDLE_LOOKS 3
#define ASKED_MOST 5     /* couriers that end before the run does: a message may be what ends them */
#define ABSENT_SECONDS 150 /* a courier that is gone is started again after a minute at the latest */

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* ^C ends the run, not only us: who asked for it stops the daemon that it was started for. */
static void watch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note_signal};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaction(numbers[i], &action, NULL);
}

/* What stands behind "name=" or the word `name`; absent: it is not there. */
static bool find_number(struct pr_str line, struct pr_str name, bool is_key, uint64_t *number_out)
{
	struct pr_str word;

	while (pr_str_word(&line, " ", &word)) {
		if (is_key && word.len > name.len && word.data[name.len] == '=' && pr_str_equal(pr_str_slice(word, 0, name.len), name))
			return pr_str_number(pr_str_slice(word, name.len + 1, word.len), UINT64_MAX, number_out);
		if (!is_key && pr_str_equal(word, name))
			return pr_str_word(&line, " ", &word) && pr_str_number(word, UINT64_MAX, number_out);
	}
	return false;
}

static bool is_busy(struct pr_str line)
{
	static const struct pr_str names[] = {PR_STR_INIT("ready"), PR_STR_INIT("in_line"), PR_STR_INIT("running"), PR_STR_INIT("scanning")};
	uint64_t number;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!find_number(line, names[i], true, &number) || number > 0)
			return true;
	return false;
}

static bool is_serving(struct pr_str line)
{
	struct pr_str word;

	if (!pr_str_word(&line, " ", &word) || !pr_str_equal(word, PR_STR("courier")))
		return false;
	while (pr_str_word(&line, " ", &word))
		if (pr_str_equal(word, PR_STR("serving")))
			return true;
	return false;
}

void progress_read(struct pr_str status, struct progress *progress_out)
{
	struct pr_str line;

	*progress_out = (struct progress){.busy = true};
	while (progress_out->pid == 0 && pr_str_next(&status, '\n', &line)) {
		if (!is_serving(line) || !find_number(line, PR_STR("pid"), false, &progress_out->pid))
			continue;
		progress_out->answered = find_number(line, PR_STR("runs"), true, &progress_out->runs);
		progress_out->busy = !progress_out->answered || is_busy(line);
	}
}

/* What control_ask does not print itself is in the lines. */
static int ask(const char *config, const char *request, struct pr_text *lines)
{
	pr_text_clear(lines);
	int status = control_ask(config, request, lines);
	if (status != EX_OK && lines->len > 0)
		fprintf(stderr, "%s", lines->data);
	return status;
}

struct waiting {
	const char *config, *request;
	struct pr_text lines;
	struct progress asked; /* the courier that knows of the run, and how many he had taken up before */
	unsigned int times;    /* that it was asked for */
	unsigned int idle;     /* looks in a row */
	time_t seen;           /* when there was a courier */
};

static int ask_for_run(struct waiting *waiting, const struct progress *now)
{
	if (waiting->times++ == ASKED_MOST) {
		fprintf(stderr, "the courier has ended %d times during this queue run, which is not complete\n", ASKED_MOST);
		return EX_TEMPFAIL;
	}
	waiting->asked = *now;
	waiting->idle = 0;
	return ask(waiting->config, waiting->request, &waiting->lines);
}

static time_t now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int look(struct waiting *waiting)
{
	struct progress now;
	int status = ask(waiting->config, "status", &waiting->lines);

	if (status != EX_OK)
		return status;
	progress_read(pr_text_str(&waiting->lines), &now);
	if (now.pid != 0)
		waiting->seen = now_seconds();
	if (now_seconds() - waiting->seen > ABSENT_SECONDS) {
		fprintf(stderr, "the courier does not come back; this queue run is not complete\n");
		return EX_TEMPFAIL;
	}
	if (now.answered && now.pid != waiting->asked.pid)
		return ask_for_run(waiting, &now);
	waiting->idle = now.answered && now.runs > waiting->asked.runs && !now.busy ? waiting->idle + 1 : 0;
	return EX_OK;
}

int progress_run(const char *config, const char *request)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	struct waiting waiting = {.config = config, .request = request, .seen = now_seconds()};

	watch_signals();
	pr_text_init(&waiting.lines, LINES_MAX);
	int status = look(&waiting);
	while (status == EX_OK && waiting.idle < IDLE_LOOKS && !interrupted) {
		(void)nanosleep(&pause, NULL);
		status = look(&waiting);
	}
	pr_text_fini(&waiting.lines);
	return interrupted ? EX_OK : status;
}
