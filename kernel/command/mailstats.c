/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailstats: the table of StatusFile, byte for byte as sendmail prints it.  Numbers become names by the configuration, ours or a
 * sendmail.cf; it is read before the file, so a wrong one is told even when only the file was asked for.
 */
#include "kernel/command/modes.h"

#include "kernel/config/dialect.h"
#include "kernel/queue/statistics.h"

#include <postrider/file.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_MAX (4u << 20)
#define TRIES 40 /* while the daemon writes */
#define PAUSE_NS 50000000

struct request {
	const char *config, *file;
	bool no_names, program, clear;
};

/* What the configuration says; keeps what the names point into. */
struct meaning {
	struct pr_text text;
	struct config *config;
	struct statistics_names names;
	struct pr_str file;
};

static int usage(void)
{
	fputs("usage: mailstats [-C cffile] [-c] [-P] [-f stfile] [-o] [-p]\n", stderr);
	return EX_USAGE;
}

/* -c asked for another file of sendmail's; here there is one configuration. */
static int parse(int argc, char **argv, struct request *request)
{
	int letter;

	optind = 1;
	while ((letter = getopt(argc, argv, "C:cf:opP")) != -1) {
		switch (letter) {
		case 'C':
			request->config = optarg;
			break;
		case 'f':
			request->file = optarg;
			break;
		case 'o':
			request->no_names = true;
			break;
		case 'p':
			request->clear = true;
			request->program = true;
			break;
		case 'P':
			request->program = true;
			break;
		case 'c':
			break;
		default:
			return usage();
		}
	}
	return optind == argc ? EX_OK : usage();
}

static int parse_own(const char *path, struct pr_str text, struct config **config_out)
{
	struct pr_text errors;

	pr_text_init(&errors, 7000);
	*config_out = config_parse(path, text, NULL, &errors);
	if (*config_out == NULL)
		fputs(errors.data, stderr);
	pr_text_fini(&errors);
	return *config_out != NULL ? EX_OK : EX_CONFIG;
}

static int read_text(const char *path, struct pr_text *text)
{
	struct pr_text why;

	pr_text_init(&why, 1000);
	enum pr_status status = pr_file_read(path, CONFIG_MAX, text, &why);
	if (status != PR_OK)
		fprintf(stderr, "mailstats: %s: %s\n", path, status == PR_NOTFOUND ? "No such file or directory" : why.data);
	pr_text_fini(&why);
	return status == PR_OK ? EX_OK : EX_NOINPUT;
}

/* The sendmail.cf that the rules of postrider.conf are; absent: they are not. */
static struct pr_str cf_of(const struct config *config)
{
	for (size_t i = 0; i < config->instance_count; i++)
		if (config->instances[i].kind == PR_KIND_RULES && pr_str_equal(config->instances[i].module, PR_STR("cf")))
			return config_setting_text(&config->instances[i], "file");
	return PR_NONE;
}

/* What the rules say wins, as it does in the daemon. */
static int read_own(const struct request *request, struct meaning *meaning)
{
	int status = parse_own(request->config, pr_text_str(&meaning->text), &meaning->config);
	if (status != EX_OK)
		return status;
	struct pr_str cf = cf_of(meaning->config), file = PR_NONE;
	statistics_names_init(&meaning->names);
	if (cf.len > 0) {
		char *path = pr_copy_str(cf);
		pr_text_clear(&meaning->text);
		status = read_text(path, &meaning->text);
		pr_free(path);
		if (status == EX_OK)
			(void)statistics_cf_parse(pr_text_str(&meaning->text), &meaning->names, &file);
	}
	statistics_names_add_all(meaning->config, &meaning->names);
	meaning->file = file.len > 0 ? file : meaning->config->options.status_file;
	return status;
}

/* The daemon has more mailers than a sendmail.cf names; without a postrider.conf of the site those that are built in. */
static void add_site(struct meaning *meaning)
{
	struct pr_text text, ignored;

	pr_text_init(&text, CONFIG_MAX);
	pr_text_init(&ignored, 7000);
	if (pr_file_read(dialect_site_path(), CONFIG_MAX, &text, &ignored) != PR_OK)
		pr_text_clear(&text);
	meaning->config = config_parse(dialect_site_path(), pr_text_str(&text), NULL, &ignored);
	if (meaning->config != NULL)
		statistics_names_add_all(meaning->config, &meaning->names);
	pr_text_fini(&ignored);
	pr_text_fini(&text);
}

static int read_config(const struct request *request, struct meaning *meaning)
{
	int status = read_text(request->config, &meaning->text);
	if (status != EX_OK)
		return status;
	if (!statistics_cf_parse(pr_text_str(&meaning->text), &meaning->names, &meaning->file))
		return read_own(request, meaning);
	add_site(meaning);
	return EX_OK;
}

static bool is_row(const struct statistics *statistics, size_t mailer)
{
	static const enum statistics_kind kinds[] = {MESSAGES_FROM, MESSAGES_TO, MESSAGES_REJECTED, MESSAGES_DISCARDED, MESSAGES_QUARANTINED};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (statistics->messages[kinds[i]][mailer] != 0)
			return true;
	return false;
}

static void print_numbers(const int64_t numbers[STATISTICS_KINDS], const char *unit)
{
	printf(" %8lld %10lld%s %8lld %10lld%s   %6lld  %6lld  %6lld", (long long)numbers[MESSAGES_FROM], (long long)numbers[KBYTES_FROM], unit,
	       (long long)numbers[MESSAGES_TO], (long long)numbers[KBYTES_TO], unit, (long long)numbers[MESSAGES_REJECTED],
	       (long long)numbers[MESSAGES_DISCARDED], (long long)numbers[MESSAGES_QUARANTINED]);
}

static void print_head(const struct request *request, const struct statistics *statistics, int64_t now)
{
	time_t since = (time_t)statistics->since;
	struct tm local = {0};
	char text[64];

	if (request->program) {
		printf("%lld %lld\n", (long long)since, (long long)now);
		return;
	}
	(void)localtime_r(&since, &local);
	(void)strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local);
	printf("Statistics from %s\n", text);
	printf(" M   msgsfr  bytes_from   msgsto    bytes_to  msgsrej msgsdis msgsqur%s\n", request->no_names ? "" : "  Mailer");
}

static void print_rows(const struct request *request, const struct statistics *statistics, const struct statistics_names *names)
{
	const char *unit = request->program ? "" : "K";
	int64_t numbers[STATISTICS_KINDS], totals[STATISTICS_KINDS] = {0};

	for (size_t mailer = 0; mailer < STATISTICS_MAILERS; mailer++) {
		for (size_t kind = 0; kind < STATISTICS_KINDS; kind++) {
			numbers[kind] = statistics->messages[kind][mailer];
			totals[kind] = (int64_t)((uint64_t)totals[kind] + (uint64_t)numbers[kind]);
		}
		if (!is_row(statistics, mailer))
			continue;
		printf("%2zu", mailer);
		print_numbers(numbers, unit);
		if (request->no_names)
			putchar('\n');
		else
			printf("  %.*s\n", PR_PRINT(names->names[mailer]));
	}
	if (!request->program)
		puts("=====================================================================");
	fputs(" T", stdout);
	print_numbers(totals, unit);
	putchar('\n');
}

static void print_connections(const struct request *request, const int64_t connections[CONNECTION_KINDS])
{
	printf(request->program ? " C %8lld %8lld %6lld\n" : " C %8lld             %8lld               %6lld\n",
	       (long long)connections[CONNECTION_FROM], (long long)connections[CONNECTION_TO], (long long)connections[CONNECTION_REJECTED]);
}

static int show(const struct request *request, const char *path, const struct statistics_names *names)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t now = (int64_t)time(NULL);
	struct statistics statistics;
	struct pr_text why;
	enum pr_status status;

	pr_text_init(&why, 5000);
	for (int try = 0;; try++) {
		pr_text_clear(&why);
		status = request->clear ? statistics_take(path, now, &statistics, &why) : statistics_read(path, now, &statistics, &why);
		if (status != PR_TEMPFAIL || try == TRIES)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (status != PR_OK)
		fprintf(stderr, "mailstats: %s\n", why.data);
	pr_text_fini(&why);
	if (status != PR_OK)
		return status == PR_NOTFOUND ? EX_NOINPUT : EX_OSERR;
	print_head(request, &statistics, now);
	print_rows(request, &statistics, names);
	print_connections(request, statistics.connections);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int mailstats_main(int argc, char **argv)
{
	struct request request = {.config = CONFIG_DEFAULT_PATH};
	struct meaning meaning = {.config = NULL};

	int status = parse(argc, argv, &request);
	if (status != EX_OK)
		return status;
	pr_text_init(&meaning.text, CONFIG_MAX);
	status = read_config(&request, &meaning);
	char *path = request.file != NULL ? pr_copy_c(request.file) : meaning.file.len > 0 ? pr_copy_str(meaning.file) : NULL;
	if (status == EX_OK && path == NULL) {
		fputs("mailstats: no statistics file located\n", stderr);
		status = EX_OSFILE;
	}
	if (status == EX_OK)
		status = show(&request, path, &meaning.names);
	pr_free(path);
	config_free(meaning.config);
	pr_text_fini(&meaning.text);
	return status;
}
