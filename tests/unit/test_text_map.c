/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text map: columns, alias files, changes of the file, and what it says when there is none.
 */
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>
#include <postrider/map.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct pr_module text_LTX_pr_module;

static struct fake_world world;
static char path[64];

static void write_file(const char *contents)
{
	struct pr_text why;

	snprintf(path, sizeof path, "/tmp/test-text-map-%d", (int)getpid());
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL(pr_file_replace(path, 0644, pr_str(contents), &why), PR_OK);
	pr_text_fini(&why);
}

static struct pr_str look(struct fake_instance *map, const char *key)
{
	const struct pr_map_ops *ops = text_LTX_pr_module.ops;
	struct pr_str value = PR_NONE;
	enum pr_status status = ops->lookup(fake_call(map), pr_str(key), NULL, &value);

	return status == PR_OK ? value : pr_str(pr_status_name(status));
}

static void expect(struct fake_instance *map, const char *key, const char *wanted)
{
	struct pr_str got = look(map, key);

	CU_ASSERT(pr_str_equal(got, pr_str(wanted)));
	if (!pr_str_equal(got, pr_str(wanted)))
		printf("\n  %s: %.*s, not %s", key, PR_PRINT(got), wanted);
}

static bool open_map(struct fake_instance *map, const char *const *more)
{
	const char *options[12] = { "file", path };
	size_t count = 2;

	while (more != NULL && *more != NULL && count < 11)
		options[count++] = *more++;
	options[count] = NULL;
	return fake_open(map, &world, &text_LTX_pr_module, options);
}

static void test_columns(void)
{
	struct fake_instance map;
	static const char *const second[] = { "value_column", "1", "fold", "false", NULL };
	static const char *const colon[] = { "delimiter", ":", "key_column", "1", "value_column", "0", NULL };

	fake_world_init(&world);
	write_file("# comment\n\nKey1  value one\nkey2\ttwo\nkey1 again\nalone\nlast end");
	CU_ASSERT_FATAL(open_map(&map, NULL));
	expect(&map, "KEY1", "value one");
	expect(&map, "key2", "two");
	expect(&map, "alone", "");
	expect(&map, "last", "end");
	expect(&map, "none", "notfound");
	write_file("key1 changed\n");
	expect(&map, "key1", "changed");
	expect(&map, "key2", "notfound");
	CU_ASSERT_EQUAL(chmod(path, 0666), 0);
	expect(&map, "key1", "tempfail");
	CU_ASSERT_EQUAL(unlink(path), 0);
	expect(&map, "key1", "tempfail");
	fake_close(&map);
	write_file("Key1  value one\nalone\n");
	CU_ASSERT_FATAL(open_map(&map, second));
	expect(&map, "Key1", "value");
	expect(&map, "key1", "notfound");
	expect(&map, "alone", "notfound");
	fake_close(&map);
	write_file("red:rouge:one\ngreen:vert:two\n");
	CU_ASSERT_FATAL(open_map(&map, colon));
	expect(&map, "VERT", "green");
	fake_close(&map);
	unlink(path);
	fake_world_fini(&world);
}

static void test_aliases(void)
{
	static const char *const aliases[] = { "format", "aliases", NULL };
	static const char *const wrong[] = { "format", "alias", NULL };
	struct fake_instance map;

	fake_world_init(&world);
	write_file("root: alice\nteam: alice,\n  bob\nroot: bob\n");
	CU_ASSERT_FATAL(open_map(&map, aliases));
	expect(&map, "Root", "bob"); /* the later one stands, as in newaliases */
	expect(&map, "team", "alice, bob");
	fake_close(&map);
	CU_ASSERT_FALSE(open_map(&map, wrong));
	fake_close(&map);
	unlink(path);
	fake_world_fini(&world);
}

static void test_many(void)
{
	const struct pr_map_ops *ops = text_LTX_pr_module.ops;
	struct pr_text text;
	struct pr_str key, value;
	struct fake_instance map;
	uint64_t cursor = 0;
	size_t count = 0;

	fake_world_init(&world);
	pr_text_init(&text, 1 << 24);
	for (int i = 0; i < 50000; i++)
		pr_text_addf(&text, "key%d value%d\n", i, i);
	write_file(text.data);
	CU_ASSERT_FATAL(open_map(&map, NULL));
	expect(&map, "key49999", "value49999");
	while (ops->next(fake_call(&map), &cursor, &key, &value) == PR_OK)
		count++;
	CU_ASSERT_EQUAL(count, 50000);
	fake_close(&map);
	unlink(path);
	pr_text_fini(&text);
	fake_world_fini(&world);
}

static const struct unit_case cases[] = { { "columns", test_columns }, { "aliases", test_aliases }, { "50,000 entries", test_many }, { NULL, NULL } };
UNIT_MAIN("maps/text", cases)
