/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a domain says of its MTA-STS, in good form and in bad, and policies on disk.
 * Each good policy is printed and read again, and cut at every place it is another one or none; each wrong one says why in a sentence.
 */
#include "modules/mailers/smtp/sts_policy.h"
#include "modules/mailers/smtp/sts_store.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>

#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BASE "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n"

static const struct good {
	const char *text, *printed;
} good[] = {
    {BASE, BASE},
    {"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmx: *.example.net\r\nmax_age: 0\r\n", "version: STSv1\nmode: testing\nmx: mx.example.org\nmx: *.example.net\nmax_age: 0\n"},
    {"version: STSv1\nmode: none\nmax_age: 86400", "version: STSv1\nmode: none\nmax_age: 86400\n"},                  /* no hosts, no last line end */
    {"max_age:1\nmx:a.b\nmode:enforce\nversion:STSv1\n", "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 1\n"},    /* any order, no blanks */
    {"version:  \tSTSv1 \nmode: enforce\t\nmx: MX.Example.ORG  \n\nmax_age: 9\n", "version: STSv1\nmode: enforce\nmx: MX.Example.ORG\nmax_age: 9\n"},
    {BASE "mode: none\nmax_age: x\nversion: STSv2\n", BASE},                                                         /* of several the first counts */
    {BASE "x-more: any ; thing\nMode: none\nnew.key_1-2:\n", BASE},                                                  /* what is not known */
    {"version: STSv1\nmode: enforce\nmx: a.b.\nmax_age: 1\n", "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 1\n"}, /* as if it were a record */
    {BASE "note: gr\xc3\xbc\xc3\x9f dich\n", BASE},
    {"version: STSv1\nmode: enforce\nmx: a\nmax_age: 4294967295\n", "version: STSv1\nmode: enforce\nmx: a\nmax_age: 31557600\n"}, /* a year at most */
};

static const struct wrong {
	const char *text, *why;
} wrong[] = {
    {"", "no line of version"},
    {"mode: enforce\nmx: a.b\nmax_age: 1\n", "no line of version"},
    {"version: STSv1\nmx: a.b\nmax_age: 1\n", "no line of mode"},
    {"version: STSv1\nmode: enforce\nmax_age: 1\n", "no line of mx"},
    {"version: STSv1\nmode: testing\nmax_age: 1\n", "no line of mx"},
    {"version: STSv1\nmode: none\n", "no line of max_age"},
    {"version: STSv2\nmode: none\nmax_age: 1\n", "a version that is not known: \"STSv2\""},
    {"version: stsv1\nmode: none\nmax_age: 1\n", "a version that is not known: \"stsv1\""},
    {"version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 1\n", "a mode that is not known: \"Enforce\""},
    {"version: STSv1\nmode: none\nmax_age: -1\n", "max_age is no number of seconds: \"-1\""},
    {"version: STSv1\nmode: none\nmax_age: 1d\n", "max_age is no number of seconds: \"1d\""},
    {"version: STSv1\nmode: none\nmax_age: 12345678901\n", "max_age is no number of seconds: \"12345678901\""},
    {"version: STSv1\nmode: none\nmax_age:\n", "max_age is no number of seconds: \"\""},
    {"version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n", "mx is no name of a host: \"a b\""},
    {"version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n", "mx is no name of a host: \"*\""},
    {"version: STSv1\nmode: enforce\nmx: *.\nmax_age: 1\n", "mx is no name of a host: \"*\""},
    {"version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1\n", "mx is no name of a host: \"a.*.b\""},
    {"version: STSv1\nmode: enforce\nmx: *.*.b\nmax_age: 1\n", "mx is no name of a host: \"*.*.b\""},
    {"version: STSv1\nmode: enforce\nmx: a.b..\nmax_age: 1\n", "mx is no name of a host: \"a.b.\""},
    {"version: STSv1\nmode: enforce\nmx: [192.0.2.1]\nmax_age: 1\n", "mx is no name of a host: \"[192.0.2.1]\""},
    {"version: STSv1\nmode: enforce\nmx: .\nmax_age: 1\n", "mx is no name of a host: \".\""},
    {"version: STSv1\nmode: enforce\nmx: ../etc\nmax_age: 1\n", "mx is no name of a host: \"../etc\""},
    {"version: STSv1\nmode enforce\nmx: a.b\nmax_age: 1\n", "a line that is no key with a colon: \"mode enforce\""},
    {"<html><body>404</body></html>\n", "a line that is no key with a colon"},
    {BASE "-key: x\n", "a line that is no key with a colon: \"-key: x\""},
    {BASE "123456789012345678901234567890123: x\n", "a line that is no key with a colon"},
    {BASE "note: \xff\n", "not text"},
};

static bool parse(struct pr_str text, struct sts_policy *policy, struct pr_text *why)
{
	char *copy = malloc(text.len + (text.len == 0)); /* of its own size, for sanitizers */

	memcpy(copy, text.data, text.len);
	bool done = sts_policy_parse((struct pr_str){copy, text.len}, policy, why);
	free(copy);
	return done;
}

static void test_good(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct pr_text printed, why;
		struct sts_policy policy;
		pr_text_init(&printed, 1u << 17);
		pr_text_init(&why, 1000);
		CU_ASSERT_TRUE(sts_policy_parse(pr_str(good[i].text), &policy, &why));
		sts_policy_print(&policy, &printed);
		CU_ASSERT_STRING_EQUAL(printed.data, good[i].printed);
		CU_ASSERT_EQUAL(why.len, 0);
		CU_ASSERT_TRUE(sts_policy_parse(pr_text_str(&printed), &policy, &why));
		for (size_t len = 0; len < strlen(good[i].text); len++)
			(void)parse((struct pr_str){good[i].text, len}, &policy, &why);
		pr_text_fini(&why);
		pr_text_fini(&printed);
	}
}

static void test_wrong(void)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct pr_text why;
		struct sts_policy policy = {.count = 99};
		pr_text_init(&why, 1000);
		CU_ASSERT_FALSE(parse(pr_str(wrong[i].text), &policy, &why));
		CU_ASSERT_PTR_NOT_NULL(strstr(why.data, wrong[i].why));
		if (strstr(why.data, wrong[i].why) == NULL)
			printf("%zu: %s\n", i, why.data);
		CU_ASSERT_EQUAL(policy.count, 99);
		pr_text_fini(&why);
	}
}

static void test_bounds(void)
{
	struct pr_text text, why;
	struct sts_policy policy;

	pr_text_init(&text, 1u << 18);
	pr_text_init(&why, 1000);
	pr_text_add_c(&text, "version: STSv1\nmode: enforce\nmax_age: 5\n");
	for (int i = 0; i < STS_MX_MAX; i++)
		pr_text_addf(&text, "mx: mx%d.example.org\n", i);
	CU_ASSERT_TRUE(sts_policy_parse(pr_text_str(&text), &policy, &why));
	CU_ASSERT_EQUAL(policy.count, STS_MX_MAX);
	size_t fits = text.len;
	pr_text_add_c(&text, "mx: one.more\n");
	CU_ASSERT_FALSE(sts_policy_parse(pr_text_str(&text), &policy, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "too many hosts"));
	pr_text_cut(&text, fits);
	while (text.len < STS_POLICY_BYTES)
		pr_text_add_c(&text, "\n");
	CU_ASSERT_TRUE(sts_policy_parse(pr_text_str(&text), &policy, &why));
	pr_text_add_c(&text, "\n");
	CU_ASSERT_FALSE(sts_policy_parse(pr_text_str(&text), &policy, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "more than 64 kilobytes"));
	CU_ASSERT_FALSE(sts_policy_parse((struct pr_str){BASE "note: \0\n", sizeof BASE + 8}, &policy, &why));
	pr_text_fini(&why);
	pr_text_fini(&text);
}

/* RFC 8461 section 4.1: an asterisk is one whole label, and the leftmost one. */
static void test_hosts(void)
{
	static const struct {
		const char *host;
		bool is_in;
	} cases[] = {{"mx.example.org", true}, {"MX.EXAMPLE.org", true}, {"mx.example.org.", true}, {"a.example.net", true}, {"A.Example.NET", true}, {"example.net", false},
	             {".example.net", false}, {"a.b.example.net", false}, {"aexample.net", false}, {"example.org", false}, {"amx.example.org", false}, {"x.mx.example.org", false},
	             {"*.example.net", true}, {"", false}, {".", false}, {"net", false}};
	struct sts_policy policy;
	struct pr_text why;

	pr_text_init(&why, 1000);
	CU_ASSERT_TRUE(sts_policy_parse(PR_STR("version: STSv1\nmode: enforce\nmx: mx.example.org\nmx: *.example.net\nmax_age: 1\n"), &policy, &why));
	for (size_t i = 0; i < COUNT(cases); i++) {
		CU_ASSERT_EQUAL(sts_policy_has(&policy, pr_str(cases[i].host)), cases[i].is_in);
		if (sts_policy_has(&policy, pr_str(cases[i].host)) != cases[i].is_in)
			printf("%s\n", cases[i].host);
	}
	pr_text_fini(&why);
}

static void test_records(void)
{
	static const struct {
		const char *texts[3], *id;
	} cases[] = {
	    {{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"}, {{"v=STSv1;id=1"}, "1"}, {{"v=STSv1 ; id=a ; more=x ;"}, "a"}, {{"v=STSv1; more=x; id=a"}, "a"},
	    {{"something else", "v=STSv1; id=2", "v=spf1 -all"}, "2"}, {{"v=STSv1; id=12345678901234567890123456789012"}, "12345678901234567890123456789012"},
	    {{"v=STSv1; id=1", "v=STSv1; id=1"}, NULL}, {{"v=STSv1"}, NULL}, {{"v=STSv1;"}, NULL}, {{"v=STSv1; id="}, NULL}, {{"v=STSv1; id=a-b"}, NULL},
	    {{"v=STSv1; id=1; id=2"}, NULL}, {{"v=STSv1; ID=1"}, NULL}, {{"v=STSv2; id=1"}, NULL}, {{"V=STSv1; id=1"}, NULL}, {{"id=1; v=STSv1"}, NULL},
	    {{"v=STSv1 id=1"}, NULL}, {{"v=STSv1; id=123456789012345678901234567890123"}, NULL}, {{"v=STSv1;; id=1"}, NULL}, {{"v=STSv1; id=1; x"}, NULL}, {{""}, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pr_str texts[3], id = PR_NONE;
		size_t count = 0;
		for (; count < 3 && cases[i].texts[count] != NULL; count++)
			texts[count] = pr_str(cases[i].texts[count]);
		bool found = sts_record_find(texts, count, &id);
		CU_ASSERT_EQUAL(found, cases[i].id != NULL);
		CU_ASSERT_TRUE(!found || pr_str_equal(id, pr_str(cases[i].id)));
		if (found != (cases[i].id != NULL))
			printf("%s\n", cases[i].texts[0]);
	}
	CU_ASSERT_FALSE(sts_record_find(NULL, 0, &(struct pr_str){NULL, 0}));
}

static char top[64], folder[80];

static void begin(void)
{
	snprintf(top, sizeof top, "/tmp/postrider-sts-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
	snprintf(folder, sizeof folder, "%s/policies", top);
}

static bool keep(const char *domain, int64_t fetched, const char *id, const char *policy)
{
	struct pr_text text, why;
	struct sts_stored stored = {.fetched = fetched, .text = &text};

	pr_text_init(&text, STS_POLICY_BYTES);
	pr_text_init(&why, 1000);
	snprintf(stored.id, sizeof stored.id, "%s", id);
	pr_text_add_c(&text, policy);
	bool done = sts_store_write(pr_str(folder), pr_str(domain), &stored, &why);
	pr_text_fini(&why);
	pr_text_fini(&text);
	return done;
}

static bool is_kept(const char *domain, int64_t fetched, const char *id, const char *policy)
{
	struct pr_text text;
	struct sts_stored stored = {.text = &text};

	pr_text_init(&text, STS_POLICY_BYTES);
	bool same = sts_store_read(pr_str(folder), pr_str(domain), &stored) == PR_OK && stored.fetched == fetched && strcmp(stored.id, id) == 0 && strcmp(text.data, policy) == 0;
	pr_text_fini(&text);
	return same;
}

static void test_kept(void)
{
	begin();
	CU_ASSERT_FALSE(is_kept("example.org", 5, "1", BASE));
	CU_ASSERT_TRUE(keep("example.org", 5, "1", BASE));
	CU_ASSERT_TRUE(is_kept("example.org", 5, "1", BASE));
	CU_ASSERT_TRUE(keep("example.org", 6, "12345678901234567890123456789012", "version: STSv1\nmode: none\nmax_age: 1\n"));
	CU_ASSERT_TRUE(is_kept("example.org", 6, "12345678901234567890123456789012", "version: STSv1\nmode: none\nmax_age: 1\n"));
	static const char *const names[] = {"", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "[192.0.2.1]"};
	for (size_t i = 0; i < COUNT(names); i++) {
		CU_ASSERT_FALSE(keep(names[i], 5, "1", BASE));
		CU_ASSERT_FALSE(is_kept(names[i], 5, "1", BASE));
	}
	scratch_remove(top);
	CU_ASSERT_FALSE(keep("example.org", 5, "1", BASE)); /* and what is above it is not made */
}

static void write_file(const char *name, const char *text, int64_t age)
{
	char path[200];
	struct pr_text why;
	struct utimbuf when = {.actime = time(NULL) - (time_t)age, .modtime = time(NULL) - (time_t)age};

	pr_text_init(&why, 1000);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	CU_ASSERT_EQUAL(pr_file_replace(path, 0600, pr_str(text), &why), PR_OK);
	CU_ASSERT_EQUAL(utime(path, &when), 0);
	pr_text_fini(&why);
}

static bool is_there(const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

/* What somebody else has written, or a disk has eaten. */
static void test_spoiled(void)
{
	static const char *const spoiled[] = {"", "V1", "V1\n", "V2\nfetched: 5\nid: 1\n\n" BASE, "V1\nfetched: x\nid: 1\n\n" BASE, "V1\nfetched: 5\n\n" BASE,
	                                      "V1\nfetched: 5\nid: 123456789012345678901234567890123\n\n" BASE, "V1\nfetched: 5\nid: 1\nmore\n\n" BASE,
	                                      "V1\nfetched: 99999999999999999999\nid: 1\n\n" BASE, "V1\nfetched: -5\nid: 1\n\n" BASE};
	struct pr_text text;
	struct sts_stored stored = {.text = &text};

	begin();
	CU_ASSERT_TRUE(keep("example.net", 5, "1", BASE));
	pr_text_init(&text, STS_POLICY_BYTES);
	for (size_t i = 0; i < COUNT(spoiled); i++) {
		write_file("example.org", spoiled[i], 0);
		CU_ASSERT_EQUAL(sts_store_read(pr_str(folder), PR_STR("example.org"), &stored), PR_NOTFOUND);
		CU_ASSERT_EQUAL(text.len, 0);
	}
	pr_text_fini(&text);
	scratch_remove(top);
}

static void test_swept(void)
{
	int64_t now = (int64_t)time(NULL);
	char head[100], live[400], over[400];

	begin();
	CU_ASSERT_TRUE(keep("young.example", now, "1", BASE));
	snprintf(head, sizeof head, "V1\nfetched: %lld\nid: 1\n\n", (long long)now - 600000);
	snprintf(live, sizeof live, "%s%s", head, BASE);
	snprintf(over, sizeof over, "%s%s", head, "version: STSv1\nmode: none\nmax_age: 600000\n");
	write_file("live.example", live, 600);
	write_file("over.example", over, 600);
	write_file("now.example", over, 0); /* somebody writes it */
	write_file("none.example.new.AbCdEf", "V1\n", 600);
	write_file(".mine", "", 600);
	sts_store_sweep(pr_str(folder), now);
	CU_ASSERT_TRUE(is_there("young.example") && is_there("live.example") && is_there("now.example") && is_there(".mine"));
	CU_ASSERT_FALSE(is_there("over.example") || is_there("none.example.new.AbCdEf"));
	scratch_remove(top);
	sts_store_sweep(pr_str(folder), now); /* nothing is there */
}

static const struct unit_case cases[] = {{"policies", test_good}, {"what is none", test_wrong}, {"bounds", test_bounds}, {"hosts of a policy", test_hosts},
    {"TXT records", test_records}, {"kept on disk", test_kept}, {"spoiled files", test_spoiled}, {"what has ended goes", test_swept}, {NULL, NULL}};
UNIT_MAIN("sts", cases)
