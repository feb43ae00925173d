/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine wants a path, so the bytes stand in a memfd.  Lines that would run a program are spoilt first: a fuzzer must not.
 */
#include "tests/fuzz/cf_world.h"
#include "tests/fuzz/fuzz.h"

#include <postrider/host.h>
#include <sys/mman.h>
#include <unistd.h>

extern const struct pr_module cf_LTX_pr_module;

static bool map_exists(struct pr_call *call, struct pr_str map)
{
	(void)call;
	return map.len > 0 && map.data[0] == 'm';
}

/* Every map that begins with m gives its key back, reversed case of the first byte left alone; keys that begin with t cannot be answered. */
static enum pr_status map_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)map;
	(void)args;
	if (key.len > 0 && key.data[0] == 't')
		return pr_fail(call, PR_TEMPFAIL, "not now");
	if (key.len == 0 || key.data[0] == 'n')
		return PR_NOTFOUND;
	*value_out = pr_arena_copy(call->arena, key);
	return PR_OK;
}

static struct pr_str no_macro(struct pr_call *call, struct pr_str name)
{
	(void)call;
	return pr_str_equal(name, PR_STR("j")) ? PR_STR("mail.example") : PR_NONE;
}

static const struct pr_host host = { .size = sizeof host, .map_lookup = map_lookup, .map_exists = map_exists, .macro = no_macro };

const struct pr_rules_ops *cf_world_ops(void)
{
	return cf_LTX_pr_module.ops;
}

struct pr_call *cf_world_call(struct cf_world *world)
{
	pr_arena_reset(&world->arena);
	world->call.reason = PR_NONE;
	return &world->call;
}

/* F lines read files and run programs of this machine: they become comments. */
static void write_harmless(int fd, struct pr_str bytes)
{
	for (size_t start = 0; start < bytes.len;) {
		size_t end = start + pr_str_find(pr_str_slice(bytes, start, bytes.len), '\n');
		const char *line = bytes.data + start;
		size_t len = (end < bytes.len ? end + 1 : end) - start;
		bool is_class_file = *line == 'F';
		FUZZ_CHECK(write(fd, is_class_file ? "#" : line, is_class_file ? 1 : len) >= 0);
		if (is_class_file)
			FUZZ_CHECK(write(fd, line + 1, len - 1) >= 0);
		start += len;
	}
}

bool cf_world_open(struct cf_world *world, struct pr_str bytes)
{
	static char path[64];
	int fd = memfd_create("cf", 0);

	FUZZ_CHECK(fd >= 0);
	write_harmless(fd, bytes);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	memset(world, 0, sizeof *world);
	pr_arena_init(&world->arena, (size_t)64 << 20);
	world->cf = pr_alloc(cf_LTX_pr_module.instance_size);
	world->thread = pr_alloc(cf_LTX_pr_module.thread_size);
	world->cf->file = pr_str(path);
	world->cf->dont_probe = true;
	world->call = (struct pr_call){ .size = sizeof world->call, .host = &host, .arena = &world->arena, .instance = world->cf,
		.thread = world->thread };
	bool good = cf_LTX_pr_module.check(&world->call) == PR_OK;
	world->cf->dont_probe = true; /* names of interfaces are asked of the resolver */
	cf_LTX_pr_module.open(&world->call);
	close(fd);
	return good;
}

void cf_world_close(struct cf_world *world)
{
	cf_LTX_pr_module.thread_close(&world->call);
	cf_LTX_pr_module.close(&world->call);
	pr_free(world->cf);
	pr_free(world->thread);
	pr_arena_fini(&world->arena);
}
