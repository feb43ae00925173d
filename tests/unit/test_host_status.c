/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of hosts as names of files: reversed labels, and nothing that could lead out of the directory.
 */
#include "kernel/queue/host_status.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool path_is(struct pr_str host, const char *expected)
{
	struct pr_text path;

	pr_text_init(&path, 2000);
	bool made = host_status_path(host, &path);
	bool good = made == (expected != NULL) && (expected == NULL || strcmp(path.data, expected) == 0);
	if (!good)
		printf("%.*s: %s\n", PR_PRINT(host), path.data);
	pr_text_fini(&path);
	return good;
}

static void test_paths(void)
{
	CU_ASSERT(path_is(pr_str("mx1.remote.example"), "example./remote./mx1"));
	CU_ASSERT(path_is(pr_str("MX1.Remote.example."), "example./remote./mx1"));
	CU_ASSERT(path_is(pr_str("localhost"), "localhost"));
	CU_ASSERT(path_is(pr_str("[127.0.0.2]"), "2./0./0./127")); /* the folders that sendmail makes */
	CU_ASSERT(path_is(pr_str("[127.0.0.2]:2525"), "2:2525./0./0./127"));
	CU_ASSERT(path_is(pr_str("[IPv6:::1]"), "ipv6:::1"));
	CU_ASSERT(path_is(pr_str("[]"), NULL) && path_is(pr_str("[../x]"), NULL));
}

static void test_hostile(void)
{
	char label[300];

	memset(label, 'x', sizeof label);
	CU_ASSERT(path_is((struct pr_str){label, 200}, strndupa(label, 200)));
	CU_ASSERT(path_is((struct pr_str){label, 201}, NULL));
	CU_ASSERT(path_is((struct pr_str){label, 300}, NULL));
	static const char *const names[] = {"", ".", "..", "a..b", ".a", "../../etc/passwd", "a/b", "a b", "a\nb", "a\x7f.b", "/etc",
	    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		CU_ASSERT(path_is(pr_str(names[i]), NULL));
	CU_ASSERT(path_is(PR_STR("a\0b"), NULL));
}

static void test_parse(void)
{
	static const char *const bad[] = {"", "V0\nE0\n", "V1\nE0\nU5\n.\n", "V0\nE-1\nU5\n.\n", "V0\nEx\nU5\n.\n", "V0\nE0\n.\n", "V0\nU99999999999999999999999\n.\n"};
	struct host_status status;
	struct pr_arena arena;

	pr_arena_init(&arena, 4096);
	CU_ASSERT(host_status_parse(pr_str("V0\nE111\nH2\nS75\nD4.4.1\nRsaid so\nU1795626963\n.\n"), &arena, &status));
	CU_ASSERT(status.error == 111 && status.resolver == 2 && status.status == 75 && status.when == 1795626963);
	CU_ASSERT(pr_str_equal(status.reply, PR_STR("said so")) && pr_str_equal(status.enhanced, PR_STR("4.4.1")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT(!host_status_parse(pr_str(bad[i]), &arena, &status));
	pr_arena_fini(&arena);
}

static const struct unit_case host_cases[] = {{"paths", test_paths}, {"hostile names", test_hostile}, {"the file", test_parse}, {NULL, NULL}};
UNIT_MAIN("host_status", host_cases)
