/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS against tests/tool/dnsstub: what exists, what does not, what could not be asked, and answers of bad intent.
 * The stub runs as a child for the length of the program; without python3 the test is skipped (status 77).
 */
#include "kernel/net/dns.h"
#include "tests/unit/unit.h"

#include <arpa/nameser.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pr_arena arena;
static struct pr_call call;
static const struct pr_mx *mx;
static struct pr_list addresses;
static size_t count;

static void fresh(void)
{
	pr_arena_fini(&arena);
	pr_arena_init(&arena, 1u << 20);
	call = (struct pr_call){.size = sizeof call, .arena = &arena};
	count = 0;
	addresses = (struct pr_list){NULL, 0};
}

static enum pr_status ask_mx(const char *name)
{
	fresh();
	return dns_mx(&call, pr_str(name), &mx, &count);
}

static enum pr_status ask_addresses(const char *name)
{
	fresh();
	return dns_addresses(&call, pr_str(name), &addresses);
}

static enum pr_status ask_name(const char *address, struct pr_str *name_out)
{
	fresh();
	*name_out = PR_NONE;
	return dns_name(&call, pr_str(address), name_out);
}

static void test_mx(void)
{
	CU_ASSERT_EQUAL(ask_mx("two.example"), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 2); /* the name with a line feed is left out */
	CU_ASSERT_TRUE(pr_str_equal(mx[0].name, PR_STR("mx1.two.example")));
	CU_ASSERT_EQUAL(mx[0].preference, 10);
	CU_ASSERT_TRUE(pr_str_equal(mx[1].name, PR_STR("mx2.two.example")));
	CU_ASSERT_EQUAL(ask_mx("TWO.example."), PR_OK);
	CU_ASSERT_EQUAL(ask_mx("alias.example"), PR_OK);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(ask_mx("null.example"), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT_EQUAL(mx[0].name.len, 0);
	CU_ASSERT_EQUAL(ask_mx("evil.example"), PR_TEMPFAIL);
}

static void test_absent(void)
{
	CU_ASSERT_EQUAL(ask_mx("a.example"), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_mx("nowhere.example"), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_mx("out.example"), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_mx(""), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_mx("localhost"), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_addresses("nowhere.example"), PR_NOTFOUND);
	char *huge = malloc(5001);
	memset(huge, 'x', 5000);
	huge[5000] = '\0';
	CU_ASSERT_EQUAL(ask_mx(huge), PR_NOTFOUND);
	free(huge);
	CU_ASSERT_TRUE(call.reason.len > 0);
}

static void test_could_not_ask(void)
{
	CU_ASSERT_EQUAL(ask_mx("fail.example"), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ask_mx("refused.example"), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ask_mx("garbage.example"), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ask_addresses("fail.example"), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ask_mx("drop.example"), PR_TEMPFAIL);
}

static void test_aliases_without_end(void)
{
	CU_ASSERT_EQUAL(ask_mx("loop1.example"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(ask_mx("self.example"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(ask_addresses("loop1.example"), PR_PERMFAIL);
}

static void test_addresses(void)
{
	CU_ASSERT_EQUAL(ask_addresses("a.example"), PR_OK);
	CU_ASSERT_EQUAL_FATAL(addresses.count, 3);
	CU_ASSERT_TRUE(pr_str_equal(addresses.items[0], PR_STR("192.0.2.1")));
	CU_ASSERT_TRUE(pr_str_equal(addresses.items[2], PR_STR("2001:db8::1")));
	CU_ASSERT_EQUAL(ask_addresses("six.example"), PR_OK);
	CU_ASSERT_EQUAL(addresses.count, 1);
	CU_ASSERT_EQUAL(ask_addresses("localhost"), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(addresses.items[0], PR_STR("127.0.0.1")));
}

static void test_transport(void)
{
	CU_ASSERT_EQUAL(ask_addresses("spoof.example"), PR_OK);
	CU_ASSERT_EQUAL_FATAL(addresses.count, 1);
	CU_ASSERT_TRUE(pr_str_equal(addresses.items[0], PR_STR("192.0.2.7")));
	CU_ASSERT_EQUAL(ask_addresses("big.example"), PR_OK);
	CU_ASSERT_EQUAL_FATAL(addresses.count, 1);
	CU_ASSERT_TRUE(pr_str_equal(addresses.items[0], PR_STR("192.0.2.8")));
	CU_ASSERT_EQUAL(ask_mx("many.example"), PR_OK);
	CU_ASSERT_EQUAL(count, 50);
}

static void test_names(void)
{
	struct pr_str name;

	CU_ASSERT_EQUAL(ask_name("192.0.2.1", &name), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(name, PR_STR("good.example")));
	CU_ASSERT_EQUAL(ask_name("192.0.2.2", &name), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_name("192.0.2.3", &name), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_name("IPv6:2001:db8::1", &name), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(name, PR_STR("six.example")));
	CU_ASSERT_EQUAL(ask_name("127.0.0.1", &name), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(name, PR_STR("localhost")));
	CU_ASSERT_EQUAL(ask_name("not an address", &name), PR_NOTFOUND);
}

static enum pr_status ask_records(const char *name, uint32_t type, const struct pr_dns_record **records_out)
{
	fresh();
	return dns_records(&call, pr_str(name), type, records_out, &count);
}

/* Records as text; where an alias leads is told. */
static void test_records(void)
{
	const struct pr_dns_record *records = NULL;

	CU_ASSERT_EQUAL(ask_records("a.example", ns_t_a, &records), PR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_TRUE(pr_str_has_prefix_nocase(records[0].text, PR_STR("192.0.2.")));
	CU_ASSERT_TRUE(pr_str_equal(records[0].name, PR_STR("a.example")));
	CU_ASSERT_EQUAL(ask_records("a.example.", ns_t_aaaa, &records), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(records[0].text, PR_STR("2001:db8::1")));
	CU_ASSERT_EQUAL(ask_records("alias.example", ns_t_mx, &records), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(records[0].name, PR_STR("two.example")));
	CU_ASSERT_TRUE(count == 3 && (records[0].preference == 10 || records[0].preference == 20));
	CU_ASSERT_EQUAL(ask_records("alias.example", ns_t_cname, &records), PR_OK);
	CU_ASSERT_TRUE(count == 1 && pr_str_equal(records[0].text, PR_STR("two.example")));
	CU_ASSERT_EQUAL(ask_records("text.example", ns_t_txt, &records), PR_OK);
	CU_ASSERT_TRUE(count == 1 && pr_str_equal(records[0].text, PR_STR("v=spf1 mx -all")));
	CU_ASSERT_EQUAL(ask_records("1.2.0.192.in-addr.arpa", ns_t_ptr, &records), PR_OK);
	CU_ASSERT_TRUE(pr_str_equal(records[0].text, PR_STR("good.example")));
	CU_ASSERT_EQUAL(ask_records("null.example", ns_t_mx, &records), PR_OK);
	CU_ASSERT_EQUAL(records[0].text.len, 0);
	CU_ASSERT_EQUAL(ask_records("nowhere.example", ns_t_txt, &records), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_records("a.example", ns_t_txt, &records), PR_NOTFOUND);
	CU_ASSERT_EQUAL(ask_records("fail.example", ns_t_txt, &records), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ask_records("self.example", ns_t_a, &records), PR_PERMFAIL);
	CU_ASSERT_EQUAL(ask_records("a.example", ns_t_hinfo, &records), PR_MISUSE);
}

static const struct unit_case cases[] = {
	{"records of any type", test_records},
	{"MX records", test_mx},
	{"what is not there", test_absent},
	{"what could not be asked", test_could_not_ask},
	{"aliases without end", test_aliases_without_end},
	{"addresses", test_addresses},
	{"spoofed, truncated, too many", test_transport},
	{"names of addresses", test_names},
	{NULL, NULL},
};

static bool copy_zone(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char line[1024];

	if (in == NULL || out == NULL)
		return false;
	while (fgets(line, sizeof line, in) != NULL)
		fputs(line, out);
	for (int i = 0; i < 200; i++)
		fprintf(out, "many.example MX %d mx%d.many.example\n", i, i);
	fclose(in);
	return fclose(out) == 0;
}

static pid_t start_stub(const char *source, const char *zone, char *port, size_t room)
{
	char program[1024];
	int ends[2];

	snprintf(program, sizeof program, "%s/tests/tool/dnsstub", source);
	if (pipe(ends) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		execlp("python3", "python3", program, "127.0.0.1", "0", zone, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	unsigned int number = 0;
	char line[200] = "";

	while (said != NULL && number == 0 && fgets(line, sizeof line, said) != NULL)
		if (sscanf(line, "%u", &number) != 1)
			printf("the name server says: %s", line);
	if (said != NULL)
		fclose(said);
	snprintf(port, room, "%u", number);
	return number > 0 ? child : -1;
}

int main(void)
{
	const char *source = getenv("srcdir") != NULL ? getenv("srcdir") : SOURCE_DIR;
	char zone[1024], port[32], server[64];
	int status = 77;

	snprintf(zone, sizeof zone, "%s/tests/unit/test_dns.zone", source);
	char copy[] = "/tmp/postrider-test-zone-XXXXXX";
	int fd = mkstemp(copy);
	if (fd < 0 || !copy_zone(zone, copy))
		return EXIT_FAILURE;
	close(fd);
	pid_t child = start_stub(source, copy, port, sizeof port);
	if (child > 0 && port[0] != '\0') {
		snprintf(server, sizeof server, "127.0.0.1:%s", port);
		struct pr_str item = pr_str(server);
		struct pr_list servers = {&item, 1};
		struct pr_text why;
		pr_text_init(&why, 400);
		if (!dns_init(&servers, PR_STR(""), &why))
			return EXIT_FAILURE;
		pr_text_fini(&why);
		pr_arena_init(&arena, 1024);
		status = unit_run("dns", cases);
		pr_arena_fini(&arena);
	}
	if (child > 0) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
	}
	unlink(copy);
	return status;
}
