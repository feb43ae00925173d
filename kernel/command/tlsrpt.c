/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl tlsrpt: the records of a day, sorted, a report for each domain on standard output, and on standard error to whom it would go.
 * So `postriderctl tlsrpt --domain example.org > report.json` makes a file that can be sent as it is.
 */
#include "kernel/command/tlsrpt.h"

#include "kernel/command/modes.h"
#include "kernel/net/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define TEXT_MAX ((size_t)64 << 20)
#define ARENA_MAX ((size_t)512 << 20)
#define TYPE_TXT 16

struct request {
	char day[TLS_DAY_ROOM];
	struct pr_str domain; /* absent: all */
	const struct config *config;
	struct pr_arena arena;
	struct tlsrpt_row *rows;
	size_t count;
};

static int usage(void)
{
	fprintf(stderr, "usage: postriderctl tlsrpt [--day YYYY-MM-DD] [--domain DOMAIN]\n"
	                "  how TLS with next hosts fared on that day (UTC; default: today), as the reports of RFC 8460; TLSReportDirectory must be set\n");
	return EX_USAGE;
}

static bool take_day(struct request *request, const char *value)
{
	int64_t begin;

	if (!tls_day_parse(pr_str(value), &begin)) {
		fprintf(stderr, "postriderctl tlsrpt: %.40s is no day such as 2026-11-26\n", value);
		return false;
	}
	tls_day_print(begin, request->day);
	return true;
}

static bool take_domain(struct request *request, const char *value)
{
	request->domain = pr_str(value);
	return value[0] != '\0';
}

static const struct {
	const char *name;
	bool (*take)(struct request *request, const char *value);
} options[] = {{"--day", take_day}, {"--domain", take_domain}};

/* "--day D" and "--day=D". */
static bool take_word(struct request *request, const struct arguments *arguments, size_t *at)
{
	const char *word = arguments->addresses[*at];

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		size_t len = strlen(options[i].name);
		if (strncmp(word, options[i].name, len) != 0)
			continue;
		if (word[len] == '=')
			return options[i].take(request, word + len + 1);
		if (word[len] == '\0' && *at + 1 < arguments->address_count)
			return options[i].take(request, arguments->addresses[++*at]);
	}
	return false;
}

static bool read_words(struct request *request, const struct arguments *arguments)
{
	tls_day_print((int64_t)time(NULL), request->day);
	for (size_t i = 1; i < arguments->address_count; i++)
		if (!take_word(request, arguments, &i))
			return false;
	return true;
}

static int compare_text(struct pr_str a, struct pr_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_domain(const void *x, const void *y)
{
	const struct tls_record *a = &((const struct tlsrpt_row *)x)->record, *b = &((const struct tlsrpt_row *)y)->record;
	const struct pr_str fields[][2] = {{a->domain, b->domain}, {a->policy, b->policy}, {a->strings, b->strings}, {a->hosts, b->hosts}, {a->failure, b->failure},
	                                   {a->host, b->host}, {a->address, b->address}, {a->source, b->source}, {a->reason, b->reason}};
	int order = 0;

	for (size_t i = 0; order == 0 && i < sizeof fields / sizeof fields[0]; i++)
		order = compare_text(fields[i][0], fields[i][1]);
	return order;
}

static void take_record(void *context, struct pr_str text, uint64_t count)
{
	struct request *request = context;
	struct tlsrpt_row row = {.count = count};

	if (!tls_record_parse(text, &request->arena, &row.record))
		return;
	if (request->domain.data == NULL || pr_str_equal_nocase(row.record.domain, request->domain))
		request->rows[request->count++] = row;
}

static bool is_tlsrpt(struct pr_str text)
{
	struct pr_str version;

	return pr_str_next(&text, ';', &version) && pr_str_equal(pr_str_trim(version), PR_STR("v=TLSRPTv1"));
}

bool tlsrpt_addresses(const struct pr_str *texts, size_t count, struct pr_str *addresses_out)
{
	struct pr_str record = PR_NONE, field;

	for (size_t i = 0; i < count; i++) {
		if (!is_tlsrpt(texts[i]))
			continue;
		if (record.data != NULL)
			return false; /* of several none counts */
		record = texts[i];
	}
	while (pr_str_next(&record, ';', &field)) {
		field = pr_str_trim(field);
		if (!pr_str_has_prefix_nocase(field, PR_STR("rua=")))
			continue;
		*addresses_out = pr_str_trim(pr_str_slice(field, 4, field.len));
		return addresses_out->len > 0;
	}
	return false;
}

/* In words, for the end of a sentence. */
static struct pr_str find_addresses(struct request *request, struct pr_str domain)
{
	struct pr_call call = {.size = sizeof call, .arena = &request->arena};
	const struct pr_dns_record *records = NULL;
	struct pr_str found = PR_NONE;
	size_t count = 0;

	enum pr_status status = dns_records(&call, pr_arena_printf(&request->arena, "_smtp._tls.%.*s", PR_PRINT(domain)), TYPE_TXT, &records, &count);
	struct pr_str *texts = pr_arena_alloc(&request->arena, (count + 1) * sizeof *texts);
	for (size_t i = 0; texts != NULL && i < count; i++)
		texts[i] = records[i].text;
	if (status == PR_OK && texts != NULL && tlsrpt_addresses(texts, count, &found))
		return pr_arena_printf(&request->arena, "the report goes to %.*s", PR_PRINT(found));
	if (status == PR_TEMPFAIL)
		return PR_STR("to whom the report goes cannot be found out now");
	return PR_STR("the domain wants no report");
}

static bool show(struct request *request, const struct tlsrpt_row *rows, size_t count)
{
	struct tlsrpt_report report = {.day = pr_str(request->day), .organization = request->config->options.host_name, .rows = rows, .count = count};
	struct pr_str domain = rows[0].record.domain;
	uint64_t all = 0, bad = 0;
	struct pr_text text, who;

	for (size_t i = 0; i < count; i++) {
		all += rows[i].count;
		bad += rows[i].record.failure.len > 0 ? rows[i].count : 0;
	}
	pr_text_init(&text, TEXT_MAX);
	pr_text_init(&who, 4096);
	pr_text_add_escaped(&who, find_addresses(request, domain), 2000);
	fprintf(stderr, "%.*s: %llu session%s failed of %llu; %s\n", PR_PRINT(domain), (unsigned long long)bad, bad == 1 ? "" : "s", (unsigned long long)all, who.data);
	tlsrpt_print(&report, &text);
	bool done = !text.overflow && printf("%s%s", rows > request->rows ? "\n" : "", text.data) > 0 && fflush(stdout) == 0;
	if (text.overflow)
		fprintf(stderr, "%.*s: the report is larger than this program makes one\n", PR_PRINT(domain));
	pr_text_fini(&who);
	pr_text_fini(&text);
	return done;
}

static int show_all(struct request *request)
{
	size_t end;

	qsort(request->rows, request->count, sizeof *request->rows, by_domain);
	for (size_t i = 0; i < request->count; i = end) {
		for (end = i + 1; end < request->count && pr_str_equal(request->rows[i].record.domain, request->rows[end].record.domain); end++)
			continue;
		if (!show(request, request->rows + i, end - i))
			return EX_IOERR;
	}
	if (request->count == 0)
		fprintf(stderr, "nothing was counted on %s\n", request->day);
	return EX_OK;
}

static int run(struct request *request, const char *path)
{
	const struct options *settings = &request->config->options;
	struct tls_tally *tally = tls_tally_new(TLS_RECORDS_MAX * 2);
	struct pr_text why;

	pr_text_init(&why, 1000);
	pr_arena_init(&request->arena, ARENA_MAX);
	enum pr_status status = tls_book_read(path, request->day, tally, &why);
	int result = EX_NOINPUT;
	if (status != PR_OK && status != PR_NOTFOUND)
		fprintf(stderr, "%s\n", why.data);
	else if (!dns_init(&settings->resolver, settings->trust_anchors, &why))
		fprintf(stderr, "%s\n", why.data);
	else {
		request->rows = pr_alloc((tls_tally_size(tally) + 1) * sizeof *request->rows);
		tls_tally_walk(tally, take_record, request);
		result = show_all(request);
	}
	pr_free(request->rows);
	tls_tally_free(tally);
	pr_arena_fini(&request->arena);
	pr_text_fini(&why);
	return result;
}

int tlsrpt_tool(const struct arguments *arguments)
{
	struct request request = {.domain = PR_NONE};
	struct config *config = NULL;
	struct pr_text path;

	if (!read_words(&request, arguments))
		return usage();
	int status = tool_config(arguments, &config);
	if (status != EX_OK)
		return status;
	request.config = config;
	pr_text_init(&path, 4096);
	options_tls_report_path(&config->options, &path);
	if (path.len == 0) {
		fprintf(stderr, "TLSReportDirectory is not set: nothing is counted\n");
		status = EX_CONFIG;
	} else
		status = run(&request, path.data);
	pr_text_fini(&path);
	config_free(config);
	return status;
}
