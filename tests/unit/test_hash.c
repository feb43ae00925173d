/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hash map: built, looked up, replaced under readers, and damaged in every way we could think of.  A damaged table must defer
 * mail: the right value or PR_TEMPFAIL, never PR_NOTFOUND and never a crash.
 */
#include "modules/maps/hash/check.h"
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

#include <postrider/file.h>
#include <postrider/map.h>

#include <fcntl.h>
#include <gdbm.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS 700

extern const struct pr_module hash_LTX_pr_module;

static const char *memory = "64M"; /* "0": through GDBM itself, as large files are */
static char folder[64], path[96], copy[96];
static struct fake_world world;

static const struct pr_map_ops *ops(void)
{
	return hash_LTX_pr_module.ops;
}

static bool open_map(struct fake_instance *map, const char *file, const char *extra, const char *value)
{
	const char *const options[] = { "file", file, "memory", memory, extra, value, NULL };

	return fake_open(map, &world, &hash_LTX_pr_module, options);
}

static enum pr_status look(struct fake_instance *map, const char *key, struct pr_str *value_out)
{
	return ops()->lookup(fake_call(map), pr_str(key), NULL, value_out);
}

static bool has(struct fake_instance *map, const char *key, const char *value)
{
	struct pr_str found = PR_NONE;

	return look(map, key, &found) == PR_OK && pr_str_equal(found, pr_str(value));
}

static enum pr_status put(struct fake_instance *map, const char *key, const char *value)
{
	return ops()->store(fake_call(map), pr_str(key), pr_str(value));
}

/* What nobody announced is noticed a moment later (LOOK_AGAIN_MS). */
static void settle(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static void setup(void)
{
	static unsigned number;

	snprintf(folder, sizeof folder, "/tmp/test-hash-%d-%u", (int)getpid(), number++);
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
	snprintf(path, sizeof path, "%s/table", folder);
	snprintf(copy, sizeof copy, "%s/copy.db", folder);
	fake_world_init(&world);
}

static void teardown(void)
{
	static const char *const names[] = { "table.db", "table.db.new", "copy.db", "x.db", "fifo.db", "dir.db" };
	char name[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(name, sizeof name, "%s/%s", folder, names[i]);
		if (unlink(name) != 0)
			rmdir(name);
	}
	CU_ASSERT_EQUAL(rmdir(folder), 0);
	fake_world_fini(&world);
}

static void build(const char *word)
{
	struct fake_instance map;
	char key[32], value[64];

	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	CU_ASSERT_EQUAL(ops()->begin(fake_call(&map)), PR_OK);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "Key%d", i);
		snprintf(value, sizeof value, "%s %d", word, i);
		CU_ASSERT_EQUAL(put(&map, key, value), PR_OK);
	}
	CU_ASSERT_EQUAL(ops()->commit(fake_call(&map)), PR_OK);
	fake_close(&map);
}

static void test_lookup(void)
{
	struct fake_instance map;
	struct pr_str value;
	char name[128];

	setup();
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_TEMPFAIL); /* not built yet */
	CU_ASSERT(pr_str_find(map.call.reason, '/') < map.call.reason.len);
	build("value");
	CU_ASSERT(has(&map, "key1", "value 1"));
	CU_ASSERT(has(&map, "KEY699", "value 699"));
	CU_ASSERT_EQUAL(look(&map, "key700", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(look(&map, "", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(look(&map, "\1postrider seal", &value), PR_NOTFOUND);
	build("other"); /* a rebuilt table is seen by the open handle */
	CU_ASSERT(has(&map, "key1", "other 1"));
	fake_close(&map);
	snprintf(name, sizeof name, "%s.db", path);
	CU_ASSERT(open_map(&map, name, "fold", "false")); /* NAME.db is used as it stands */
	CU_ASSERT_EQUAL(look(&map, "KEY1", &value), PR_NOTFOUND);
	CU_ASSERT(has(&map, "key1", "other 1"));
	unlink(name);
	settle();
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_TEMPFAIL);
	fake_close(&map);
	CU_ASSERT(open_map(&map, name, "optional", "true"));
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_NOTFOUND);
	fake_close(&map);
	teardown();
}

static void test_cursor(void)
{
	struct fake_instance map;
	struct pr_str key, value;
	uint64_t cursor = 0;
	size_t count = 0;

	setup();
	build("v");
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	while (ops()->next(fake_call(&map), &cursor, &key, &value) == PR_OK) {
		CU_ASSERT(pr_str_has_prefix_nocase(key, PR_STR("key")));
		CU_ASSERT_EQUAL(value.data[0], 'v');
		count++;
	}
	CU_ASSERT_EQUAL(count, KEYS);
	fake_close(&map);
	teardown();
}

static void test_rebuilding(void)
{
	struct fake_instance map, other;
	struct pr_str value;
	struct stat status;
	char name[128];

	setup();
	build("old");
	snprintf(name, sizeof name, "%s.db", path);
	CU_ASSERT_EQUAL(chmod(name, 0640), 0);
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	CU_ASSERT_EQUAL(put(&map, "a", "b"), PR_MISUSE); /* not without begin */
	CU_ASSERT_EQUAL(ops()->commit(fake_call(&map)), PR_MISUSE);
	CU_ASSERT_EQUAL(ops()->begin(fake_call(&map)), PR_OK);
	CU_ASSERT_EQUAL(put(&map, "a", "1"), PR_OK);
	CU_ASSERT_EQUAL(put(&map, "A", "2"), PR_OK); /* the later one stands */
	CU_ASSERT_EQUAL(put(&map, "gone", "3"), PR_OK);
	CU_ASSERT_EQUAL(ops()->remove(fake_call(&map), PR_STR("gone")), PR_OK);
	CU_ASSERT_EQUAL(ops()->remove(fake_call(&map), PR_STR("gone")), PR_NOTFOUND);
	CU_ASSERT(has(&map, "key1", "old 1")); /* readers still see the old table */
	CU_ASSERT_FATAL(open_map(&other, path, NULL, NULL));
	other.call.deadline_ms = 1; /* long past: do not wait for the lock */
	CU_ASSERT_EQUAL(ops()->begin(fake_call(&other)), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(ops()->commit(fake_call(&map)), PR_OK);
	CU_ASSERT(has(&map, "a", "2"));
	CU_ASSERT_EQUAL(look(&map, "gone", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_NOTFOUND);
	CU_ASSERT(stat(name, &status) == 0 && (status.st_mode & 0777) == 0640); /* as the old one */
	/* a builder that gives up leaves the table alone */
	CU_ASSERT_EQUAL(ops()->begin(fake_call(&map)), PR_OK);
	CU_ASSERT_EQUAL(put(&map, "b", "1"), PR_OK);
	fake_close(&map);
	CU_ASSERT(has(&other, "a", "2"));
	CU_ASSERT_EQUAL(look(&other, "b", &value), PR_NOTFOUND);
	fake_close(&other);
	teardown();
}

/* A file of another program, with sendmail's final NUL. */
static void test_foreign(void)
{
	struct fake_instance map;
	struct pr_str value;

	setup();
	GDBM_FILE db = gdbm_open(copy, 0, GDBM_NEWDB, 0644, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	gdbm_store(db, (datum){ "with", 5 }, (datum){ "one", 4 }, GDBM_REPLACE);
	gdbm_store(db, (datum){ "without", 7 }, (datum){ "two", 3 }, GDBM_REPLACE);
	gdbm_close(db);
	CU_ASSERT_FATAL(open_map(&map, copy, NULL, NULL));
	CU_ASSERT(has(&map, "WITH", "one"));
	CU_ASSERT(has(&map, "without", "two"));
	CU_ASSERT_EQUAL(look(&map, "neither", &value), PR_NOTFOUND);
	CU_ASSERT_EQUAL(chmod(copy, 0666), 0);
	settle();
	CU_ASSERT_EQUAL(look(&map, "with", &value), PR_TEMPFAIL); /* anybody may have written it */
	fake_close(&map);
	CU_ASSERT_FATAL(open_map(&map, copy, "unsafe", "true"));
	CU_ASSERT(has(&map, "with", "one"));
	fake_close(&map);
	teardown();
}

/* What a fresh reader makes of these bytes: how often it was wrong about a key that is in the table. */
static int wrong_answers(const char *bytes, size_t length, bool exact)
{
	struct fake_instance map;
	struct pr_str value;
	char key[32], right[32];
	int wrong = 0, fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || !pr_write_all(fd, bytes, length) || close(fd) != 0 || !open_map(&map, copy, NULL, NULL))
		return 1000000;
	for (int i = 0; i < KEYS; i += 29) {
		snprintf(key, sizeof key, "key%d", i);
		snprintf(right, sizeof right, "value %d", i);
		enum pr_status status = look(&map, key, &value);
		if (status != PR_TEMPFAIL && !(status == PR_OK && (!exact || pr_str_equal(value, pr_str(right)))))
			wrong++;
	}
	fake_close(&map);
	return wrong;
}

static void damage(struct pr_text *file, bool exact)
{
	unsigned int seed = 12345;

	CU_ASSERT_EQUAL(wrong_answers(file->data, file->len, true), 0);
	for (size_t cut = 0; cut < file->len; cut += cut < 300 ? 1 : 509) /* cut short everywhere */
		CU_ASSERT_EQUAL(wrong_answers(file->data, cut, exact), 0);
	for (size_t at = 0; at < file->len; at += at < 256 ? 1 : 61) { /* a flipped bit everywhere, every 4 kB among them */
		file->data[at] = (char)(file->data[at] ^ (1 << (at % 8)));
		CU_ASSERT_EQUAL(wrong_answers(file->data, file->len, exact), 0);
		file->data[at] = (char)(file->data[at] ^ (1 << (at % 8)));
	}
	for (size_t page = 0; page + 4096 <= file->len; page += 4096) { /* a page lost, a page of noise, a page twice */
		char saved[4096];
		memcpy(saved, file->data + page, sizeof saved);
		memset(file->data + page, 0, sizeof saved);
		CU_ASSERT_EQUAL(wrong_answers(file->data, file->len, exact), 0);
		for (size_t i = 0; i < sizeof saved; i++)
			file->data[page + i] = (char)(rand_r(&seed) >> 7);
		CU_ASSERT_EQUAL(wrong_answers(file->data, file->len, exact), 0);
		if (page >= 4096) {
			memcpy(file->data + page, file->data + page - 4096, sizeof saved);
			CU_ASSERT_EQUAL(wrong_answers(file->data, file->len, exact), 0);
		}
		memcpy(file->data + page, saved, sizeof saved);
	}
}

static void read_whole(const char *name, struct pr_text *file)
{
	struct pr_text why;

	pr_text_init(file, 1 << 24);
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(pr_file_read(name, 1 << 24, file, &why), PR_OK);
	pr_text_fini(&why);
}

static void test_damaged(void)
{
	struct pr_text file;
	char name[128];

	setup();
	build("value");
	snprintf(name, sizeof name, "%s.db", path);
	read_whole(name, &file);
	damage(&file, true);
	pr_text_fini(&file);
	teardown();
}

/* Without a seal a flipped bit in a value cannot be noticed; everything else must be. */
static void test_damaged_foreign(void)
{
	struct pr_text file;
	char name[128], key[32], value[64];

	setup();
	snprintf(name, sizeof name, "%s/x.db", folder);
	GDBM_FILE db = gdbm_open(name, 512, GDBM_NEWDB, 0644, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "key%d", i);
		snprintf(value, sizeof value, "value %d", i);
		gdbm_store(db, (datum){ key, (int)strlen(key) }, (datum){ value, (int)strlen(value) }, GDBM_REPLACE);
	}
	gdbm_close(db);
	read_whole(name, &file);
	damage(&file, false);
	pr_text_fini(&file);
	teardown();
}

/* 0: every key right or an error; 1: a key is "unknown", or its value wrong */
static int gdbm_alone(void)
{
	char key[32], right[32];
	int wrong = 0;
	GDBM_FILE db = gdbm_open(copy, 0, GDBM_READER | GDBM_NOLOCK | GDBM_NOMMAP, 0, NULL);

	for (int i = 0; db != NULL && i < KEYS; i += 29) {
		snprintf(key, sizeof key, "key%d", i);
		snprintf(right, sizeof right, "value %d", i);
		datum found = gdbm_fetch(db, (datum){ key, (int)strlen(key) });
		if (found.dptr == NULL ? gdbm_errno == GDBM_ITEM_NOT_FOUND : strncmp(found.dptr, right, (size_t)found.dsize) != 0)
			wrong = 1;
		free(found.dptr);
	}
	if (db != NULL)
		gdbm_close(db);
	return wrong;
}

/* The control: the same damage fools GDBM when nobody looks first, so the tests above can fail. */
static void test_control(void)
{
	struct pr_text file;
	char name[128];
	int fooled = 0, status = 0;

	setup();
	build("value");
	snprintf(name, sizeof name, "%s.db", path);
	read_whole(name, &file);
	for (size_t at = 4096; at < file.len; at += 251) {
		file.data[at] = (char)(file.data[at] ^ 4);
		int fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		CU_ASSERT(fd >= 0 && pr_write_all(fd, file.data, file.len));
		close(fd);
		file.data[at] = (char)(file.data[at] ^ 4);
		pid_t child = fork();
		if (child == 0)
			_exit(gdbm_alone());
		if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
			fooled++;
	}
	CU_ASSERT(fooled > 0);
	pr_text_fini(&file);
	teardown();
}

static void test_no_table(void)
{
	static const char berkeley[64] = { [12] = 0x61, 0x15, 0x06, 0x00 };
	struct fake_instance map;
	struct pr_str value;
	char name[128];

	setup();
	CU_ASSERT_EQUAL(wrong_answers("", 0, true), 0);
	CU_ASSERT_EQUAL(wrong_answers("key1 value 1\n", 13, true), 0);
	CU_ASSERT_EQUAL(wrong_answers(berkeley, sizeof berkeley, true), 0);
	CU_ASSERT_FATAL(open_map(&map, copy, NULL, NULL));
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_TEMPFAIL);
	CU_ASSERT_PTR_NOT_NULL(strstr(map.call.reason.data, "Berkeley"));
	fake_close(&map);
	snprintf(name, sizeof name, "%s/fifo.db", folder);
	CU_ASSERT_EQUAL(mkfifo(name, 0600), 0);
	CU_ASSERT_FATAL(open_map(&map, name, NULL, NULL));
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_TEMPFAIL);
	fake_close(&map);
	snprintf(name, sizeof name, "%s/dir.db", folder);
	CU_ASSERT_EQUAL(mkdir(name, 0700), 0);
	CU_ASSERT_FATAL(open_map(&map, name, NULL, NULL));
	CU_ASSERT_EQUAL(look(&map, "key1", &value), PR_TEMPFAIL);
	fake_close(&map);
	teardown();
}

/* A full disk, played by a limit on file size: the old table stays. */
static void test_disk_full(void)
{
	struct rlimit old, small;
	struct fake_instance map;
	char key[32];
	enum pr_status status = PR_OK;

	setup();
	build("old");
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 40000;
	setrlimit(RLIMIT_FSIZE, &small);
	status = ops()->begin(fake_call(&map));
	for (int i = 0; status == PR_OK && i < 100000; i++) {
		snprintf(key, sizeof key, "key%d", i);
		status = put(&map, key, "new value, rather long so that it takes its room");
	}
	CU_ASSERT_EQUAL(status, PR_TEMPFAIL);
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT(has(&map, "key1", "old 1"));
	fake_close(&map);
	build("new"); /* and the next builder is not disturbed */
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	CU_ASSERT(has(&map, "key1", "new 1"));
	fake_close(&map);
	teardown();
}

struct reader {
	struct fake_instance map;
	unsigned long looked, wrong;
	const int *stop;
};

static void *read_on(void *argument)
{
	struct reader *reader = argument;
	struct pr_str value;
	char key[32];

	for (unsigned long i = 0; !__atomic_load_n(reader->stop, __ATOMIC_RELAXED); i++) {
		snprintf(key, sizeof key, "key%lu", i % KEYS);
		if (look(&reader->map, key, &value) != PR_OK)
			reader->wrong++;
		reader->looked++;
	}
	return NULL;
}

static void test_readers_during_rebuild(void)
{
	struct reader readers[3];
	pthread_t threads[3];
	int stop = 0;

	setup();
	build("old");
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(open_map(&readers[i].map, path, NULL, NULL));
		readers[i].looked = readers[i].wrong = 0;
		readers[i].stop = &stop;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	}
	for (int i = 0; i < 40; i++)
		build(i % 2 == 0 ? "new" : "old");
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT(readers[i].looked > 0);
		CU_ASSERT_EQUAL(readers[i].wrong, 0);
		fake_close(&readers[i].map);
	}
	teardown();
}

/* One instance, a thread memory for each thread, as the kernel has it. */
struct sharer {
	struct pr_call call;
	struct pr_arena arena;
	unsigned long looked, wrong;
	const int *stop;
};

static void *share(void *argument)
{
	struct sharer *sharer = argument;
	struct pr_str value;
	char key[32];

	for (unsigned long i = 0; !__atomic_load_n(sharer->stop, __ATOMIC_RELAXED); i++) {
		snprintf(key, sizeof key, i % 3 == 0 ? "no%lu" : "key%lu", i % KEYS);
		pr_arena_reset(&sharer->arena);
		if (ops()->lookup(&sharer->call, pr_str(key), NULL, &value) != (i % 3 == 0 ? PR_NOTFOUND : PR_OK))
			sharer->wrong++;
		sharer->looked++;
	}
	hash_LTX_pr_module.thread_close(&sharer->call);
	return NULL;
}

static void test_one_instance(void)
{
	struct sharer sharers[3];
	struct fake_instance map;
	pthread_t threads[3];
	int stop = 0;

	setup();
	build("old");
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	for (size_t i = 0; i < 3; i++) {
		sharers[i] = (struct sharer){ .call = map.call, .stop = &stop };
		pr_arena_init(&sharers[i].arena, 1 << 20);
		sharers[i].call.arena = &sharers[i].arena;
		sharers[i].call.thread = pr_alloc(hash_LTX_pr_module.thread_size);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, share, &sharers[i]), 0);
	}
	for (int i = 0; i < 20; i++)
		build(i % 2 == 0 ? "new" : "old");
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT(sharers[i].looked > 0);
		CU_ASSERT_EQUAL(sharers[i].wrong, 0);
		pr_free(sharers[i].call.thread);
		pr_arena_fini(&sharers[i].arena);
	}
	fake_close(&map);
	teardown();
}

static void test_on_disk(void)
{
	memory = "0";
	test_lookup();
	test_cursor();
	test_rebuilding();
	test_foreign();
	test_damaged();
	test_damaged_foreign();
	test_readers_during_rebuild();
	test_one_instance();
	memory = "64M";
}

/* Flags of a K line, in either form. */
static void test_flags(void)
{
	struct fake_instance map;
	struct pr_str value;
	const struct pr_list two = { (const struct pr_str[]){ PR_STR_INIT("one"), PR_STR_INIT("two") }, 2 };
	char line[160];

	setup();
	CU_ASSERT_FATAL(open_map(&map, path, NULL, NULL));
	CU_ASSERT_EQUAL(ops()->begin(fake_call(&map)), PR_OK);
	CU_ASSERT_EQUAL(put(&map, "Key", "%0/%1/%2/%3/%%/%x/%"), PR_OK);
	CU_ASSERT_EQUAL(ops()->commit(fake_call(&map)), PR_OK);
	CU_ASSERT_EQUAL(ops()->lookup(fake_call(&map), PR_STR("KEY"), &two, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("KEY/one/two//%/%x/%")));
	CU_ASSERT(has(&map, "KEY", "%0/%1/%2/%3/%%/%x/%")); /* nobody's arguments: as it stands */
	fake_close(&map);
	snprintf(line, sizeof line, "-o -m -a%%0 -T.TMP -q -S+ -A %s", path);
	CU_ASSERT_FATAL(fake_open(&map, &world, &hash_LTX_pr_module, (const char *const[]){ "arguments", line, NULL }));
	CU_ASSERT_EQUAL(ops()->lookup(fake_call(&map), PR_STR("KEY"), &two, &value), PR_OK);
	CU_ASSERT(pr_str_equal(value, PR_STR("KEY%0")));
	CU_ASSERT_EQUAL(look(&map, "nothing", &value), PR_NOTFOUND);
	snprintf(line, sizeof line, "%s.db", path);
	CU_ASSERT_EQUAL(chmod(line, 0666), 0);
	settle();
	CU_ASSERT(has(&map, "Key", "Key.TMP")); /* a failure, and the reason is there for who wants to know */
	CU_ASSERT_PTR_NOT_NULL(map.call.reason.data);
	fake_close(&map);
	snprintf(line, sizeof line, "-t %s", path);
	CU_ASSERT_FATAL(fake_open(&map, &world, &hash_LTX_pr_module, (const char *const[]){ "arguments", line, NULL }));
	CU_ASSERT_EQUAL(look(&map, "key", &value), PR_NOTFOUND);
	fake_close(&map);
	CU_ASSERT_FALSE(fake_open(&map, &world, &hash_LTX_pr_module, (const char *const[]){ "arguments", "-Z /etc/x", NULL }));
	CU_ASSERT(pr_str_equal(map.call.reason, PR_STR("Illegal option Z")));
	fake_close(&map);
	CU_ASSERT_FALSE(fake_open(&map, &world, &hash_LTX_pr_module, (const char *const[]){ "arguments", "-o", NULL }));
	fake_close(&map);
	teardown();
}

static const struct unit_case cases[] = { { "the same on disk", test_on_disk }, { "flags", test_flags },
	{ "many threads, one instance", test_one_instance }, { "lookup", test_lookup }, { "cursor", test_cursor }, { "rebuilding", test_rebuilding },
	{ "tables of other programs", test_foreign }, { "damage to our tables", test_damaged },
	{ "damage to other tables", test_damaged_foreign }, { "damage without our check", test_control },
	{ "no table at all", test_no_table }, { "disk full", test_disk_full },
	{ "readers during a rebuild", test_readers_during_rebuild }, { NULL, NULL } };
UNIT_MAIN("maps/hash", cases)
