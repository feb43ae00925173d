/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A world for modules under test: maps, DNS and accounts from a text file, no kernel behind it.
 *
 *   map NAME KEY<TAB>VALUE     dns NAME mx 10 HOST     dns NAME a ADDRESS     dns NAME fail
 *   ptr ADDRESS NAME           user NAME               broken MAP   missing MAP   option NAME VALUE       macro NAME VALUE
 * and, for dns_records: dns NAME aaaa ADDRESS, txt TEXT, ptr NAME, ns NAME, cname NAME (which is followed)
 *
 * A map named "broken" or "missing" answers PR_TEMPFAIL; of the second the file is not there.
 */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include <postrider/host.h>
#include <postrider/module.h>

struct fake_line {
	struct pr_str words[4]; /* kind, name, key or type, value */
};

struct fake_world {
	struct pr_arena arena;
	struct fake_line *lines;
	size_t count, room;
	struct pr_str own_name;
	struct pr_str set_name, set_value; /* what macro_set was told last */
};

void fake_world_init(struct fake_world *world);
void fake_world_fini(struct fake_world *world);
bool fake_world_read(struct fake_world *world, const char *path);
void fake_world_add(struct fake_world *world, const char *line);

/* An instance of a module in this world; options as name, value pairs ended by NULL. */
struct fake_instance {
	const struct pr_module *module;
	struct pr_arena options; /* and the arena of calls */
	struct pr_arena arena;
	struct pr_call call;
	struct pr_host host;
	void *memory, *thread;
};
bool fake_open(struct fake_instance *instance, struct fake_world *world, const struct pr_module *module, const char *const *options);
void fake_close(struct fake_instance *instance);
/* A fresh call: the arena emptied, no reason. */
struct pr_call *fake_call(struct fake_instance *instance);

#endif
