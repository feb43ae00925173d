/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables of sendmail's makemap, made here as it makes them: hash and btree, with and without final NULs, written anew in place under readers,
 * locked by a writer, and damaged.
 */
#include "modules/maps/hash/hash.h"
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>

#include <db.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define KEYS 3000

extern const struct pr_module hash_LTX_pr_module;

/* The library loses some memory when it finds a file damaged: once for each file, and nothing of ours. */
PR_EXPORT const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3\n";
}

static char folder[64], path[96];
static struct fake_world world;

static bool put(DB *db, const char *key, const char *value, bool nul)
{
	DBT k = { .data = (void *)(uintptr_t)key, .size = (u_int32_t)(strlen(key) + nul) };
	DBT v = { .data = (void *)(uintptr_t)value, .size = (u_int32_t)(strlen(value) + nul) };

	return db->put(db, NULL, &k, &v, 0) == 0;
}

/* In place, as sendmail's makemap does. */
static void build(DBTYPE type, bool nul, const char *word)
{
	char key[32], value[64];
	DB *db = NULL;

	CU_ASSERT_EQUAL_FATAL(db_create(&db, NULL, 0), 0);
	CU_ASSERT_EQUAL_FATAL(db->open(db, NULL, path, NULL, type, DB_CREATE | DB_TRUNCATE, 0644), 0);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key%d", i);
		snprintf(value, sizeof value, "%s %d", word, i);
		CU_ASSERT(put(db, key, value, nul));
	}
	CU_ASSERT(put(db, "empty", "", nul));
	CU_ASSERT_EQUAL(db->close(db, 0), 0);
}

static bool open_map(struct fake_instance *map, const char *arguments)
{
	char line[160];

	snprintf(line, sizeof line, "%s %s", arguments, path);
	return fake_open(map, &world, &hash_LTX_pr_module, (const char *const[]){ "arguments", line, "memory", "0", NULL });
}

static enum pr_status look(struct fake_instance *map, const char *key, struct pr_str *value_out)
{
	return hash_ops.lookup(fake_call(map), pr_str(key), NULL, value_out);
}

static bool has(struct fake_instance *map, const char *key, const char *value)
{
	struct pr_str found = PR_NONE;

	return look(map, key, &found) == PR_OK && pr_str_equal(found, pr_str(value));
}

static void settle(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static void setup(void)
{
	snprintf(folder, sizeof folder, "/tmp/test-berkeley-%d", (int)getpid());
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
	snprintf(path, sizeof path, "%s/table.db", folder);
	fake_world_init(&world);
}

static void teardown(void)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
	fake_world_fini(&world);
}

static void look_in(DBTYPE type, bool nul)
{
	struct fake_instance map;
	struct pr_str key, value;
	uint64_t cursor = 0;
	size_t count = 0;

	build(type, nul, "value");
	CU_ASSERT_FATAL(open_map(&map, ""));
	CU_ASSERT(has(&map, "key7", "value 7"));
	CU_ASSERT(has(&map, "KEY2999", "value 2999"));
	CU_ASSERT(has(&map, "empty", ""));
	CU_ASSERT_EQUAL(look(&map, "key3000", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(look(&map, "", &value), PR_NOTFOUND);
	while (hash_ops.next(fake_call(&map), &cursor, &key, &value) == PR_OK)
		count++;
	CU_ASSERT_EQUAL(count, KEYS + 1);
	build(type, nul, "other");
	settle();
	CU_ASSERT(has(&map, "key7", "other 7"));
	fake_close(&map);
	CU_ASSERT_FATAL(open_map(&map, "-N"));
	CU_ASSERT_EQUAL(look(&map, "key7", &value), nul ? PR_OK : PR_NOTFOUND);
	fake_close(&map);
	CU_ASSERT_FATAL(open_map(&map, "-O"));
	CU_ASSERT_EQUAL(look(&map, "key7", &value), nul ? PR_NOTFOUND : PR_OK);
	fake_close(&map);
	CU_ASSERT_FATAL(open_map(&map, "-N -O"));
	CU_ASSERT_EQUAL(look(&map, "key7", &value), PR_NOTFOUND); /* as sendmail says of itself */
	fake_close(&map);
	CU_ASSERT_FATAL(open_map(&map, "-f"));
	CU_ASSERT_EQUAL(look(&map, "key7", &value), PR_OK);
	CU_ASSERT_EQUAL(look(&map, "KEY7", &value), PR_NOTFOUND);
	fake_close(&map);
}

static void test_forms(void)
{
	setup();
	look_in(DB_HASH, false);
	look_in(DB_HASH, true);
	look_in(DB_BTREE, false);
	look_in(DB_BTREE, true);
	teardown();
}

/* While somebody holds the lock the old table answers; who has none waits, and then could not look. */
static void test_locked(void)
{
	struct fake_instance map, late;
	struct pr_str value;

	setup();
	build(DB_HASH, true, "old");
	CU_ASSERT_FATAL(open_map(&map, ""));
	CU_ASSERT(has(&map, "key1", "old 1"));
	int fd = open(path, O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(flock(fd, LOCK_EX), 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 8192), 0);
	settle();
	CU_ASSERT(has(&map, "key1", "old 1"));
	CU_ASSERT_FATAL(open_map(&late, ""));
	late.call.deadline_ms = 1;
	CU_ASSERT_EQUAL(look(&late, "key1", &value), PR_TEMPFAIL);
	close(fd);
	build(DB_HASH, true, "new");
	settle();
	CU_ASSERT(has(&map, "key1", "new 1"));
	fake_close(&late);
	fake_close(&map);
	teardown();
}

/* Of a fresh reader of these bytes; whatever it is, it must not crash. */
static enum pr_status answer(const struct pr_text *file)
{
	struct fake_instance map;
	struct pr_str value;
	struct pr_text why;

	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL(pr_file_replace(path, 0644, pr_text_str(file), &why), PR_OK);
	pr_text_fini(&why);
	CU_ASSERT_FATAL(open_map(&map, ""));
	enum pr_status status = look(&map, "key7", &value);
	fake_close(&map);
	return status;
}

/* Cut short and with bytes changed everywhere. */
static void damage(DBTYPE type)
{
	struct fake_instance map;
	struct pr_text file, why;
	struct pr_str value;
	unsigned int seed = 4711;
	int wrong = 0, told = 0, lost = 0, flips = 0;
	char key[32];

	setup();
	build(type, false, "value");
	pr_text_init(&file, 1 << 24);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_read(path, 1 << 24, &file, &why), PR_OK);
	for (size_t cut = 0; cut + 1 < file.len; cut += 4096) {
		CU_ASSERT_EQUAL(pr_file_replace(path, 0644, pr_str_slice(pr_text_str(&file), 0, cut + 100), &why), PR_OK);
		CU_ASSERT_FATAL(open_map(&map, ""));
		wrong += look(&map, "key7", &value) != PR_TEMPFAIL;
		fake_close(&map);
	}
	for (size_t at = 12; at < file.len; at += at < 512 ? 7 : 509) {
		file.data[at] = (char)(file.data[at] ^ 0x40);
		CU_ASSERT_EQUAL(pr_file_replace(path, 0644, pr_text_str(&file), &why), PR_OK);
		CU_ASSERT_FATAL(open_map(&map, ""));
		told += look(&map, "key7", &value) == PR_TEMPFAIL;
		for (int i = 0; i < KEYS; i++) {
			snprintf(key, sizeof key, "key%d", i);
			lost += look(&map, key, &value) == PR_NOTFOUND;
		}
		flips++;
		fake_close(&map);
		file.data[at] = (char)(file.data[at] ^ 0x40);
	}
	for (size_t page = 0; page + 4096 <= file.len; page += 4096) { /* a page lost, a page of noise */
		char saved[4096];
		memcpy(saved, file.data + page, sizeof saved);
		for (int noise = 0; noise < 4; noise++) {
			for (size_t i = 0; i < sizeof saved; i++)
				file.data[page + i] = noise == 0 ? '\0' : (char)(rand_r(&seed) >> 7);
			if (noise == 2) /* the head of the page stays */
				memcpy(file.data + page, saved, 26);
			wrong += answer(&file) == PR_OK && page == 0 && noise != 2;
		}
		memcpy(file.data + page, saved, sizeof saved);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(told > 0);
	CU_ASSERT(lost * 20 < flips); /* a bit of a key that still stands where it belongs cannot be told */
	printf(" %d bits: %d told, %d keys lost ", flips, told, lost);
	pr_text_fini(&file);
	pr_text_fini(&why);
	teardown();
}

static void test_damaged(void)
{
	damage(DB_HASH);
	damage(DB_BTREE);
}

static const struct unit_case cases[] = { { "hash and btree, with and without NUL", test_forms }, { "a writer holds the lock", test_locked }, { "damage", test_damaged }, { NULL, NULL } };
UNIT_MAIN("maps/hash on Berkeley DB", cases)
