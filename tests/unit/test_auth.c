/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What authentication is made of: base64, what a site wants of mechanisms, verifiers, and the keys of RFC 7677's own example.
 */
#include "modules/auth/map/map.h"

#include "tests/unit/unit.h"

#include <postrider/base64.h>
#include <string.h>

static struct pr_arena arena;

static bool is(struct pr_str a, const char *b)
{
	return pr_str_equal(a, pr_str(b));
}

/* RFC 4648 section 10. */
static void test_base64(void)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm9vYg=a", "Z=g=", "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v ", "Zm-v", "Zh==", "Zm9=", "Zm\xe9v"};
	struct pr_str bytes;

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		CU_ASSERT(is(pr_base64_encode(&arena, pr_str(pairs[i][0])), pairs[i][1]));
		CU_ASSERT(pr_base64_decode(&arena, pr_str(pairs[i][1]), &bytes) && is(bytes, pairs[i][0]));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(pr_base64_decode(&arena, pr_str(bad[i]), &bytes));
	CU_ASSERT_FALSE(pr_base64_decode(&arena, (struct pr_str){"Zm9\0", 4}, &bytes));
}

/* An arena that is full gives nothing, and says so. */
static void test_base64_without_room(void)
{
	struct pr_str bytes;
	char many[1000];
	struct pr_arena small;

	memset(many, 'A', sizeof many);
	pr_arena_init(&small, 100);
	CU_ASSERT_PTR_NULL(pr_base64_encode(&small, (struct pr_str){many, sizeof many}).data);
	CU_ASSERT_FALSE(pr_base64_decode(&small, (struct pr_str){many, sizeof many}, &bytes));
	pr_arena_fini(&small);
}

static void test_wanted(void)
{
	static const struct {
		uint32_t flags, properties;
		bool wanted;
	} cases[] = {
	    {0, PR_AUTH_IS_PLAINTEXT, true},
	    {PR_AUTH_NO_PLAINTEXT, PR_AUTH_IS_PLAINTEXT, false},
	    {PR_AUTH_NO_PLAINTEXT | PR_AUTH_TLS, PR_AUTH_IS_PLAINTEXT, true},
	    {PR_AUTH_NO_PLAINTEXT, PR_AUTH_IS_MUTUAL, true},
	    {PR_AUTH_MUTUAL, PR_AUTH_IS_MUTUAL, true},
	    {PR_AUTH_MUTUAL | PR_AUTH_TLS, PR_AUTH_IS_PLAINTEXT, false},
	    {PR_AUTH_NO_ANONYMOUS, PR_AUTH_IS_ANONYMOUS, false},
	    {PR_AUTH_NO_ACTIVE, PR_AUTH_IS_ACTIVE, false},
	    {PR_AUTH_NO_DICTIONARY, PR_AUTH_IS_DICTIONARY, false},
	    {PR_AUTH_FORWARD_SECRECY, 0, false},
	    {PR_AUTH_CREDENTIALS, PR_AUTH_HAS_CREDENTIALS, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CU_ASSERT_EQUAL(pr_auth_is_wanted(cases[i].flags, cases[i].properties), cases[i].wanted);
}

#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

/* RFC 7677 section 3: user "user", password "pencil", 4096 rounds. */
static void test_keys(void)
{
	unsigned char salted[HASH_MAX], stored[HASH_MAX], server[HASH_MAX];
	struct verifier verifier;

	CU_ASSERT_FATAL(verifier_parse(&arena, PR_STR("{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER), &verifier));
	CU_ASSERT(verifier.hash == HASH_SHA256 && verifier.iterations == 4096 && verifier.salt.len == 16);
	CU_ASSERT_FATAL(hash_password(HASH_SHA256, PR_STR("pencil"), verifier.salt, verifier.iterations, salted));
	CU_ASSERT_FATAL(hash_keys(HASH_SHA256, salted, stored, server));
	CU_ASSERT(hash_is_equal(stored, verifier.stored, sizeof stored) && hash_is_equal(server, verifier.server, sizeof server));
	CU_ASSERT_FATAL(hash_password(HASH_SHA256, PR_STR("pencils"), verifier.salt, verifier.iterations, salted));
	CU_ASSERT_FATAL(hash_keys(HASH_SHA256, salted, stored, server));
	CU_ASSERT_FALSE(hash_is_equal(stored, verifier.stored, sizeof stored));
}

static void test_verifiers(void)
{
	static const char *const bad[] = {
	    "", "secret", "{PLAIN}secret", "{SCRAM-SHA-256}", "{SCRAM-SHA-256}4096", "{SCRAM-SHA-256}4096," SALT, "{SCRAM-SHA-256}4096," SALT "," STORED,
	    "{SCRAM-SHA-256}0," SALT "," STORED "," SERVER, "{SCRAM-SHA-256}-1," SALT "," STORED "," SERVER, "{SCRAM-SHA-256}99999999999," SALT "," STORED "," SERVER,
	    "{SCRAM-SHA-256}4096,," STORED "," SERVER, "{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER ",x", "{SCRAM-SHA-256}4096," SALT "," SALT "," SERVER,
	    "{SCRAM-SHA-1}4096," SALT "," STORED "," SERVER, "{CRYPT}",
	};
	struct verifier verifier;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(verifier_parse(&arena, pr_str(bad[i]), &verifier));
	CU_ASSERT(verifier_parse(&arena, PR_STR(" {crypt}$6$x$y\n"), &verifier) && verifier.hash == 0 && is(verifier.crypted, "$6$x$y"));
	CU_ASSERT(verifier_parse(&arena, PR_STR("$y$j9T$x$y"), &verifier) && is(verifier.crypted, "$y$j9T$x$y"));
}

static void test_names(void)
{
	CU_ASSERT(map_is_name(PR_STR("joe")) && map_is_name(PR_STR("J\xc3\xb6rg@example.org")));
	CU_ASSERT(!map_is_name(PR_STR("")) && !map_is_name(PR_STR("a\nb")) && !map_is_name((struct pr_str){"a\0b", 3}));
}

int main(void)
{
	static const struct unit_case tests[] = {{"base64", test_base64}, {"base64 without room", test_base64_without_room}, {"what is wanted", test_wanted},
	    {"keys of RFC 7677", test_keys}, {"verifiers", test_verifiers}, {"names", test_names}, {NULL, NULL}};

	pr_arena_init(&arena, 1u << 20);
	int result = unit_run("auth", tests);
	pr_arena_fini(&arena);
	return result;
}
