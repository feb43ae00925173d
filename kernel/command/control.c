/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl: one line to the master's control socket, and what it answers.  The verb is a row of a table.
 */
#include "kernel/command/modes.h"

#include "kernel/command/sendmail/dialogue.h"
#include "kernel/command/sendmail/places.h"
#include "kernel/master/control.h"

#include <errno.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#define ANSWER_MAX (1u << 20)
#define WAIT PR_STR("WAIT ")
#define PATIENCE_SECONDS 3600 /* Timeout.ready and Timeout.stop are the daemon's to keep */

/* "WAIT what for" is for whoever looks on, and at once; *shown is how much of the answer was looked at. */
static void show_waits(struct pr_str answer, size_t *shown)
{
	for (;;) {
		struct pr_str rest = pr_str_slice(answer, *shown, answer.len);
		size_t end = pr_str_find(rest, '\n');
		if (end == rest.len)
			return;
		struct pr_str line = pr_str_slice(rest, 0, end);
		if (pr_str_has_prefix_nocase(line, WAIT))
			printf("%.*s\n", PR_PRINT(pr_str_slice(line, WAIT.len, line.len)));
		(void)fflush(stdout);
		*shown += end + 1;
	}
}

/* Up to the end or an error: whether the answer is whole is seen in its last line.  False: there was none in time. */
static bool read_all(int fd, struct pr_text *answer)
{
	char buffer[4096];
	size_t shown = 0;

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !pr_text_add(answer, buffer, (size_t)got))
			return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
		show_waits(pr_text_str(answer), &shown);
	}
}

/* All lines but the last are for people; the last one is OK, ERROR and the reason, or - of a stop that left something undone - KEPT and what. */
static int judge(struct pr_str answer, struct pr_text *lines)
{
	struct pr_str line, last = PR_NONE;

	while (pr_str_next(&answer, '\n', &line)) {
		if (pr_str_has_prefix_nocase(line, WAIT))
			continue;
		if (last.len > 0)
			pr_text_addf(lines, "%.*s\n", PR_PRINT(last));
		if (line.len > 0)
			last = line;
	}
	if (pr_str_equal(last, PR_STR("OK")))
		return EX_OK;
	if (pr_str_has_prefix_nocase(last, PR_STR("KEPT"))) {
		fprintf(stderr, "the daemon has left, but %.*s\n", PR_PRINT(pr_str_trim(pr_str_slice(last, 4, last.len))));
		return EX_TEMPFAIL;
	}
	if (pr_str_has_prefix_nocase(last, PR_STR("ERROR")))
		fprintf(stderr, "%.*s\n", PR_PRINT(pr_str_trim(pr_str_slice(last, 5, last.len))));
	else
		fprintf(stderr, "the daemon ended without an answer\n");
	return EX_SOFTWARE;
}

static int converse(int fd, const char *request, struct pr_text *lines)
{
	struct pr_text answer, line;
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	pr_text_init(&answer, ANSWER_MAX);
	pr_text_init(&line, CONTROL_LINE_MAX);
	pr_text_addf(&line, "%s\n", request);
	int status = EX_UNAVAILABLE;
	if (pr_write_all(fd, line.data, line.len)) {
		if (read_all(fd, &answer)) {
			status = judge(pr_text_str(&answer), lines);
		} else {
			fprintf(stderr, "no answer within %d s; the daemon goes on with it, its log will say how it ended\n", PATIENCE_SECONDS);
			status = EX_TEMPFAIL;
		}
	}
	pr_text_fini(&line);
	pr_text_fini(&answer);
	return status;
}

int control_ask(const char *config, const char *request, struct pr_text *lines)
{
	struct places places;
	struct pr_text error;
	int fd;

	pr_text_init(&error, 4096);
	int status = places_find(config, &places, &error);
	if (status != EX_OK)
		fprintf(stderr, "%s\n", error.data);
	else if (dialogue_connect(places.control_socket, &fd)) {
		status = converse(fd, request, lines);
		close(fd);
	} else {
		status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
		pr_text_addf(lines, "%s %s: %s\n", status == EX_NOPERM ? "only root and the daemon's own user may ask at" : "no daemon answers at",
		    places.control_socket, strerror(errno));
	}
	pr_text_fini(&error);
	return status;
}

int control_tell(const char *config, const char *request)
{
	struct pr_text lines;

	pr_text_init(&lines, ANSWER_MAX);
	int status = control_ask(config, request, &lines);
	pr_text_fini(&lines);
	return status;
}

static int ask_and_print(const char *config, const char *request)
{
	struct pr_text lines;

	pr_text_init(&lines, ANSWER_MAX);
	int status = control_ask(config, request, &lines);
	(void)fwrite(lines.data, 1, lines.len, status == EX_OK || status == EX_SOFTWARE ? stdout : stderr);
	pr_text_fini(&lines);
	return status;
}

static const struct verb {
	const char *name;
	const char *help;
	int (*run)(const struct arguments *arguments); /* NULL: ask the daemon */
	bool takes_words;
} verbs[] = {
    {"status", "who runs, since when", NULL, false},
    {"reload", "a new generation with the configuration as it is now; says why not", NULL, false},
    {"check", "read the configuration and all modules, change nothing", check_mode, false},
    {"stop", "finish running transactions and leave", NULL, false},
    {"queue", "list, show, hold, quarantine, edit, release, delete or requeue messages; `postriderctl queue` says how", queue_tool, true},
    {"explain", "which rules and tables lead an address where it goes, or what another configuration would change; `postriderctl explain` says how",
        explain_tool, true},
    {"tlsrpt", "how TLS with next hosts fared on a day, as the reports of RFC 8460", tlsrpt_tool, true},
    {"handback", "after a crash: write everything into the files that sendmail reads", handback_mode, false},
    {"queue-run", "try every waiting message now", NULL, false},
};

static int usage(void)
{
	fprintf(stderr, "usage: postriderctl [-C file] [-O option=value] verb\n");
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(stderr, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	return EX_USAGE;
}

static int run_verb(const struct arguments *arguments)
{
	if (arguments->address_count == 0)
		return usage();
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(arguments->addresses[0], verbs[i].name) != 0)
			continue;
		if (arguments->address_count > 1 && !verbs[i].takes_words)
			return usage();
		if (verbs[i].run != NULL)
			return verbs[i].run(arguments);
		return ask_and_print(arguments->config, verbs[i].name);
	}
	fprintf(stderr, "postriderctl: unknown verb %s\n", arguments->addresses[0]);
	return usage();
}

int control_main(int argc, char **argv)
{
	return arguments_run(argc, argv, run_verb);
}
