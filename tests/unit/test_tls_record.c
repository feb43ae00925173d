/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Results of TLS as lines, their sums, the files of days, and the JSON that is made of them.
 * What is written is read again, by another book at the same time, too, and however often it was written anew.
 */
#include "kernel/command/tlsrpt.h"
#include "kernel/queue/tls_record.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pr_str lines[] = {PR_STR_INIT("version: STSv1"), PR_STR_INIT("mode: testing"), PR_STR_INIT("a\tb\\c\"\n\x01")};
static const struct pr_str hosts[] = {PR_STR_INIT("mx.example.org"), PR_STR_INIT("*.example.net")};

static struct pr_tls_result sample(void)
{
	return (struct pr_tls_result){.size = sizeof(struct pr_tls_result), .policy = PR_TLS_POLICY_STS, .domain = PR_STR("Example.ORG"), .strings = {lines, 3}, .hosts = {hosts, 2},
	                              .failure = PR_STR("certificate-expired"), .host = PR_STR("MX.example.org"), .address = PR_STR("192.0.2.1"), .source = PR_STR("2001:db8::1"),
	                              .reason = PR_STR("it\tis\nover \xff")};
}

static bool is(struct pr_str text, const char *wanted)
{
	return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

static void test_record(void)
{
	struct pr_tls_result result = sample(), bare = {.size = sizeof bare, .domain = PR_STR("d")};
	struct tls_record record;
	struct pr_arena arena;
	struct pr_text text;

	pr_arena_init(&arena, 1u << 20);
	pr_text_init(&text, TLS_RECORD_LINE * 2);
	tls_record_print(&result, &text);
	CU_ASSERT_EQUAL(pr_str_find(pr_text_str(&text), '\n'), text.len);
	CU_ASSERT_TRUE(tls_record_parse(pr_text_str(&text), &arena, &record));
	CU_ASSERT_TRUE(is(record.policy, "sts") && is(record.domain, "example.org") && is(record.host, "mx.example.org") && is(record.failure, "certificate-expired"));
	CU_ASSERT_TRUE(is(record.address, "192.0.2.1") && is(record.source, "2001:db8::1") && is(record.reason, "it\tis\nover \xff"));
	CU_ASSERT_TRUE(is(record.strings, "version: STSv1\nmode: testing\na\tb\\c\"\n\x01") && is(record.hosts, "mx.example.org\n*.example.net"));
	for (size_t len = 0; len < text.len; len++) /* a line that was cut is no line, or ends in fewer hosts */
		CU_ASSERT_TRUE(!tls_record_parse((struct pr_str){text.data, len}, &arena, &record) || record.hosts.len < 28);
	pr_text_clear(&text);
	tls_record_print(&bare, &text);
	CU_ASSERT_STRING_EQUAL(text.data, "no-policy-found\td\t\t\t\t\t\t\t");
	CU_ASSERT_TRUE(tls_record_parse(pr_text_str(&text), &arena, &record) && record.failure.len == 0 && record.strings.len == 0);
	CU_ASSERT_FALSE(tls_record_parse(PR_STR("no-policy-found\td\t\t\t\t\t\t\t\t"), &arena, &record));
	CU_ASSERT_FALSE(tls_record_parse(PR_STR("sts\t\t\t\t\t\t\t\t"), &arena, &record));
	pr_text_fini(&text);
	pr_arena_fini(&arena);
}

/* However much a stranger's words are, a line stays one of ours. */
static void test_long(void)
{
	struct pr_tls_result result = sample();
	struct pr_text text, big;
	struct pr_str many[200];

	pr_text_init(&text, TLS_RECORD_LINE * 2);
	pr_text_init(&big, 1u << 16);
	while (big.len < 60000)
		pr_text_add_c(&big, "\xff");
	for (size_t i = 0; i < 200; i++)
		many[i] = pr_str_slice(pr_text_str(&big), 0, 400);
	result.domain = result.host = result.address = result.source = result.failure = result.reason = pr_text_str(&big);
	result.strings = result.hosts = (struct pr_list){many, 200};
	tls_record_print(&result, &text);
	CU_ASSERT_EQUAL(text.overflow, 0);
	CU_ASSERT_TRUE(text.len < TLS_RECORD_LINE * 2);
	pr_text_fini(&big);
	pr_text_fini(&text);
}

static void test_days(void)
{
	static const char *const wrong[] = {"", "2026-11-2", "2026-11-31", "2026-02-29", "2026-13-01", "2026-00-10", "26-11-2026", "2026/11/26", "2026-11-26x", "1969-12-31", "2026-11-00"};
	char day[TLS_DAY_ROOM];
	int64_t begin = 0;

	CU_ASSERT_TRUE(tls_day_parse(PR_STR("2026-11-26"), &begin));
	CU_ASSERT_EQUAL(begin, 1795651200);
	tls_day_print(begin + 86399, day);
	CU_ASSERT_STRING_EQUAL(day, "2026-11-26");
	tls_day_print(begin + 86400, day);
	CU_ASSERT_STRING_EQUAL(day, "2026-11-27");
	CU_ASSERT_TRUE(tls_day_parse(PR_STR("2028-02-29"), &begin));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CU_ASSERT_FALSE(tls_day_parse(pr_str(wrong[i]), &begin));
}

static char top[64], folder[80];

static void begin_folder(void)
{
	snprintf(top, sizeof top, "/tmp/postrider-tls-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
	snprintf(folder, sizeof folder, "%s/days", top);
}

static void sum(void *context, struct pr_str record, uint64_t count)
{
	(void)record;
	*(uint64_t *)context += count;
}

static uint64_t total(const struct tls_tally *tally)
{
	uint64_t all = 0;

	tls_tally_walk(tally, sum, &all);
	return all;
}

static void fill(struct tls_tally *tally, unsigned int from, unsigned int to)
{
	char record[64];

	tls_tally_clear(tally);
	for (unsigned int i = from; i < to; i++) {
		snprintf(record, sizeof record, "sts\td%u.example\t\t\t\t\t\t\t", i);
		CU_ASSERT_TRUE(tls_tally_add(tally, pr_str(record), 2));
	}
}

static void test_tally(void)
{
	struct tls_tally *tally = tls_tally_new(2);

	CU_ASSERT_TRUE(tls_tally_add(tally, PR_STR("a"), 1) && tls_tally_add(tally, PR_STR("b"), 1) && tls_tally_add(tally, PR_STR("a"), 5));
	CU_ASSERT_FALSE(tls_tally_add(tally, PR_STR("c"), 1));
	CU_ASSERT_EQUAL(tls_tally_size(tally), 2);
	CU_ASSERT_EQUAL(total(tally), 7);
	tls_tally_clear(tally);
	CU_ASSERT_TRUE(tls_tally_size(tally) == 0 && tls_tally_add(tally, PR_STR("c"), 1));
	tls_tally_free(tally);
}

/* Two couriers, one of which writes the file anew. */
static void test_book(void)
{
	struct tls_tally *tally = tls_tally_new(5000), *all = tls_tally_new(5000);
	struct tls_book one = {0}, two = {0};
	struct pr_text why;
	struct stat info;
	char path[100];

	begin_folder();
	snprintf(path, sizeof path, "%s/2026-11-26", folder);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL(tls_book_read(folder, "2026-11-26", all, &why), PR_NOTFOUND);
	fill(tally, 0, 4000);
	for (int i = 0; i < 60; i++)
		CU_ASSERT_TRUE(tls_book_add(i % 2 == 0 ? &one : &two, folder, "2026-11-26", tally, &why));
	CU_ASSERT_TRUE(one.compacted + two.compacted > 0); /* else this tests less than it says */
	CU_ASSERT_TRUE(stat(path, &info) == 0 && info.st_size < 5 << 20 && (info.st_mode & 0777) == 0600);
	CU_ASSERT_EQUAL(tls_book_read(folder, "2026-11-26", all, &why), PR_OK);
	CU_ASSERT_EQUAL(tls_tally_size(all), 4000);
	CU_ASSERT_EQUAL(total(all), 60 * 4000 * 2);
	CU_ASSERT_EQUAL(tls_book_read(folder, "2026-11-27", all, &why), PR_NOTFOUND);
	tls_tally_free(all);
	tls_tally_free(tally);
	pr_text_fini(&why);
	scratch_remove(top);
}

/* New records find no room, known ones are counted on. */
static void test_full(void)
{
	struct tls_tally *tally = tls_tally_new(3 * TLS_RECORDS_MAX), *all = tls_tally_new(3 * TLS_RECORDS_MAX);
	struct tls_book book = {.compacted = 0};
	struct pr_text why;
	bool full = false;

	begin_folder();
	pr_text_init(&why, 1000);
	fill(tally, 0, TLS_RECORDS_MAX);
	CU_ASSERT_TRUE(tls_book_add(&book, folder, "2026-11-26", tally, &why));
	fill(tally, TLS_RECORDS_MAX / 2, 2 * TLS_RECORDS_MAX);
	for (int i = 0; i < 10 && !full; i++)
		full = !tls_book_add(&book, folder, "2026-11-26", tally, &why);
	CU_ASSERT_TRUE(full);
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "new ones are not counted"));
	CU_ASSERT_EQUAL(tls_book_read(folder, "2026-11-26", all, &why), PR_OK);
	CU_ASSERT_EQUAL(tls_tally_size(all), TLS_RECORDS_MAX);
	tls_tally_free(all);
	tls_tally_free(tally);
	pr_text_fini(&why);
	scratch_remove(top);
}

static void test_old_days(void)
{
	static const struct {
		const char *name;
		bool stays;
	} files[] = {{"2026-11-26", true}, {"2026-11-12", true}, {"2026-11-11", false}, {"2025-11-26", false}, {"readme", true}, {"2026-11-31", true}};
	struct tls_tally *tally = tls_tally_new(10);
	struct tls_book book = {0};
	struct pr_text why;
	char path[100];

	begin_folder();
	pr_text_init(&why, 1000);
	fill(tally, 0, 1);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		CU_ASSERT_TRUE(tls_book_add(&book, folder, files[i].name, tally, &why));
	tls_book_sweep(folder, 1795651200);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
		CU_ASSERT_EQUAL(access(path, F_OK) == 0, files[i].stays);
	}
	tls_tally_free(tally);
	pr_text_fini(&why);
	scratch_remove(top);
}

static void test_broken_file(void)
{
	struct tls_tally *tally = tls_tally_new(10);
	struct tls_book book = {0};
	struct pr_text why;
	char path[100];

	begin_folder();
	pr_text_init(&why, 1000);
	fill(tally, 0, 1);
	CU_ASSERT_TRUE(tls_book_add(&book, folder, "2026-11-26", tally, &why));
	snprintf(path, sizeof path, "%s/2026-11-26", folder);
	FILE *file = fopen(path, "a");
	fputs("x\ty\n\n17\n99999999999\tz\n5\tsts\td0.example\t\t\t\t\t\t\t\n3\tsts\tcut", file);
	fclose(file);
	tls_tally_clear(tally);
	CU_ASSERT_EQUAL(tls_book_read(folder, "2026-11-26", tally, &why), PR_OK);
	CU_ASSERT_EQUAL(tls_tally_size(tally), 1);
	CU_ASSERT_EQUAL(total(tally), 7);
	snprintf(path, sizeof path, "%s/2026-11-27", folder);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	CU_ASSERT_FALSE(tls_book_add(&book, folder, "2026-11-27", tally, &why)); /* no link is followed */
	tls_tally_free(tally);
	pr_text_fini(&why);
	scratch_remove(top);
}

static void test_json(void)
{
	const struct tlsrpt_row rows[] = {
	    {{.policy = PR_STR("sts"), .domain = PR_STR("d.example"), .strings = PR_STR("mode: \"x\"\nmx: a"), .hosts = PR_STR("a")}, 5},
	    {{.policy = PR_STR("sts"), .domain = PR_STR("d.example"), .strings = PR_STR("mode: \"x\"\nmx: a"), .hosts = PR_STR("a"), .failure = PR_STR("certificate-expired"),
	      .host = PR_STR("a"), .address = PR_STR("192.0.2.1")}, 2},
	    {{.policy = PR_STR("no-policy-found"), .domain = PR_STR("d.example")}, 1},
	};
	const struct tlsrpt_report report = {.day = PR_STR("2026-11-26"), .organization = PR_STR("mail.example"), .rows = rows, .count = 3};
	struct pr_text out;

	pr_text_init(&out, 1u << 20);
	tlsrpt_print(&report, &out);
	CU_ASSERT_STRING_EQUAL(out.data,
	    "{\n  \"organization-name\": \"mail.example\",\n  \"date-range\": {\"start-datetime\": \"2026-11-26T00:00:00Z\", \"end-datetime\": \"2026-11-26T23:59:59Z\"},\n"
	    "  \"contact-info\": \"postmaster@mail.example\",\n  \"report-id\": \"2026-11-26_d.example@mail.example\",\n  \"policies\": [\n"
	    "    {\n      \"policy\": {\n        \"policy-type\": \"sts\",\n        \"policy-string\": [\"mode: \\\"x\\\"\", \"mx: a\"],\n        \"policy-domain\": \"d.example\",\n"
	    "        \"mx-host\": [\"a\"]\n      },\n      \"summary\": {\"total-successful-session-count\": 5, \"total-failure-session-count\": 2},\n      \"failure-details\": [\n"
	    "        {\"result-type\": \"certificate-expired\", \"receiving-mx-hostname\": \"a\", \"receiving-ip\": \"192.0.2.1\", \"failed-session-count\": 2}\n      ]\n    },\n"
	    "    {\n      \"policy\": {\n        \"policy-type\": \"no-policy-found\",\n        \"policy-domain\": \"d.example\"\n      },\n"
	    "      \"summary\": {\"total-successful-session-count\": 1, \"total-failure-session-count\": 0}\n    }\n  ]\n}\n");
	pr_text_fini(&out);
}

static void test_addresses(void)
{
	static const struct {
		const char *texts[2], *wanted;
	} cases[] = {{{"v=TLSRPTv1; rua=mailto:a@b.example"}, "mailto:a@b.example"}, {{"v=TLSRPTv1;rua=mailto:a@b,https://c/d;"}, "mailto:a@b,https://c/d"},
	             {{"v=spf1", "v=TLSRPTv1; x=y; rua=mailto:a@b"}, "mailto:a@b"}, {{"v=TLSRPTv1; rua=mailto:a@b", "v=TLSRPTv1; rua=mailto:c@d"}, NULL},
	             {{"v=TLSRPTv1; rua="}, NULL}, {{"v=TLSRPTv1"}, NULL}, {{"v=TLSRPTv2; rua=mailto:a@b"}, NULL}, {{""}, NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pr_str texts[2] = {pr_str(cases[i].texts[0]), pr_str(cases[i].texts[1])}, found = PR_NONE;
		bool is_there = tlsrpt_addresses(texts, cases[i].texts[1] != NULL ? 2 : 1, &found);
		CU_ASSERT_EQUAL(is_there, cases[i].wanted != NULL);
		CU_ASSERT_TRUE(!is_there || is(found, cases[i].wanted));
	}
}

static const struct unit_case cases[] = {{"a record as a line", test_record}, {"long ones", test_long}, {"days", test_days}, {"a tally", test_tally}, {"the file of a day", test_book},
    {"a full day", test_full}, {"old days", test_old_days}, {"broken files", test_broken_file}, {"JSON", test_json}, {"to whom", test_addresses}, {NULL, NULL}};
UNIT_MAIN("tls_record", cases)
