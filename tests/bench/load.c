/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load: sends, waits until everything accepted has come out at the sink, and prints one line of JSON.
 *
 *   load --port P [--sink P] [--connections N] [--messages N] [--seconds S] [--size BYTES] [--per-connection N]
 *        [--drain SECONDS] [--domain NAME] [--idle N]
 *
 * --idle N opens N connections, says EHLO on each, prints "idle" and waits for end of file on standard input.
 */
#include "tests/bench/bench.h"

#include <getopt.h>
#include <sys/resource.h>

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Lines of every nasty kind - empty, lone dot, leading dots, long - up to the wanted size. */
void bench_make_filler(struct bench *bench)
{
	static const char *const lines[] = {"The quick brown fox jumps over the lazy dog and the postrider rides on.", "", ".", "..", ".dot",
	    "From the middle of nowhere", "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ !#$%&'*+-/=?^_`{|}~"};
	size_t room = bench->size + 512;

	bench->filler = malloc(room);
	bench->filler_wire = malloc(room * 2);
	for (size_t i = 0; bench->filler_length < bench->size; i++) {
		const char *line = lines[i % (sizeof lines / sizeof lines[0])];
		size_t len = strlen(line);
		memcpy(bench->filler + bench->filler_length, line, len);
		bench->filler[bench->filler_length + len] = '\n';
		bench->filler_length += len + 1;
		if (line[0] == '.')
			bench->filler_wire[bench->filler_wire_length++] = '.';
		memcpy(bench->filler_wire + bench->filler_wire_length, line, len);
		memcpy(bench->filler_wire + bench->filler_wire_length + len, "\r\n", 2);
		bench->filler_wire_length += len + 2;
	}
}

static void drain(struct bench *bench, double most)
{
	double end = bench_now() + most;
	long before = -1;

	while (bench->sink_port != 0 && bench->delivered < bench->accepted && bench_now() < end) {
		if (bench->delivered != before)
			end = bench_now() + most;
		before = bench->delivered;
		usleep(2000);
	}
	if (bench->sink_port != 0)
		usleep(200000); /* doubles come late */
}

static void report(const struct bench *bench)
{
	long missing = 0;
	double sent = bench->last_accepted - bench->started;
	double done = bench->last_delivered - bench->started;

	for (long i = 0; i < bench->messages && i < bench->next; i++)
		if (bench->seen[i] == 2)
			missing++;
	printf("{\"accepted\": %ld, \"refused\": %ld, \"errors\": %ld, \"delivered\": %ld, \"missing\": %ld, \"doubled\": %ld, "
	       "\"changed\": %ld, \"unknown\": %ld, \"accept_rate\": %.1f, \"relay_rate\": %.1f, \"seconds\": %.3f, \"sink_connections\": %ld}\n",
	    bench->accepted, bench->refused, bench->errors, bench->delivered, bench->sink_port != 0 ? missing : 0, bench->doubled,
	    bench->changed, bench->unknown, sent > 0 ? (double)bench->accepted / sent : 0,
	    done > 0 ? (double)bench->delivered / done : 0, done > 0 ? done : sent, bench->sink_connections);
}

static int idle(const struct bench *bench, int count)
{
	char buffer[4096];

	for (int i = 0; i < count; i++) {
		int fd = bench_connect(bench->port);
		if (fd < 0 || read(fd, buffer, sizeof buffer) <= 0 || !bench_write(fd, "EHLO idle.example\r\n", 19) ||
		    read(fd, buffer, sizeof buffer) <= 0) {
			fprintf(stderr, "load: connection %d of %d fails\n", i + 1, count);
			return EXIT_FAILURE;
		}
	}
	puts("idle");
	fflush(stdout);
	while (read(STDIN_FILENO, buffer, sizeof buffer) > 0)
		continue;
	return EXIT_SUCCESS;
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static const struct option options[] = {{"port", 1, NULL, 'p'}, {"sink", 1, NULL, 's'}, {"connections", 1, NULL, 'c'},
    {"messages", 1, NULL, 'n'}, {"seconds", 1, NULL, 't'}, {"size", 1, NULL, 'z'}, {"per-connection", 1, NULL, 'k'},
    {"drain", 1, NULL, 'd'}, {"domain", 1, NULL, 'D'}, {"idle", 1, NULL, 'i'}, {NULL, 0, NULL, 0}};

static bool take_option(struct bench *bench, int letter, const char *value, double *most, int *idle_count)
{
	switch (letter) {
	case 'p': bench->port = (int)strtol(value, NULL, 10); break;
	case 's': bench->sink_port = (int)strtol(value, NULL, 10); break;
	case 'c': bench->connections = (int)strtol(value, NULL, 10); break;
	case 'n': bench->messages = strtol(value, NULL, 10); break;
	case 't': bench->seconds = strtod(value, NULL); break;
	case 'z': bench->size = strtoul(value, NULL, 10); break;
	case 'k': bench->per_connection = strtol(value, NULL, 10); break;
	case 'd': *most = strtod(value, NULL); break;
	case 'D': bench->domain = value; break;
	case 'i': *idle_count = (int)strtol(value, NULL, 10); break;
	default: return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct bench bench = {.connections = 10, .messages = 1000, .size = 1024, .domain = "dest.example"};
	double most = 10;
	int idle_count = 0;
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(&bench, letter, optarg, &most, &idle_count))
			return 64;
	if (bench.port == 0 || bench.messages < 1 || bench.messages > BENCH_MESSAGES_MAX || bench.connections < 1) {
		fprintf(stderr, "load: --port is needed, --messages from 1 to %d, --connections from 1\n", BENCH_MESSAGES_MAX);
		return 64;
	}
	raise_limit();
	if (idle_count > 0)
		return idle(&bench, idle_count);
	bench.seen = calloc((size_t)bench.messages, 1);
	bench_make_filler(&bench);
	if (bench.sink_port != 0 && !bench_sink_start(&bench)) {
		perror("load: sink");
		return 71;
	}
	pthread_t *threads = calloc((size_t)bench.connections, sizeof *threads);
	bench.started = bench_now();
	for (int i = 0; i < bench.connections; i++)
		pthread_create(&threads[i], NULL, bench_client, &bench);
	for (int i = 0; i < bench.connections; i++)
		pthread_join(threads[i], NULL);
	drain(&bench, most);
	report(&bench);
	return bench.changed == 0 && bench.unknown == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
