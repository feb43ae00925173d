/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A set of modules for one test: configuration text in, a scope to call with out.
 */
#ifndef TESTS_UNIT_TEST_MODULE_H
#define TESTS_UNIT_TEST_MODULE_H

#include "kernel/module/module.h"
#include "tests/unit/unit.h"

struct stage {
	struct config *config;
	struct module_set *set;
	struct module_thread *thread;
	struct pr_arena arena;
	struct module_scope scope;
};

extern char stage_journal[64]; /* "journal" of the probe modules, emptied by stage_open */
extern struct pr_text stage_errors;
extern const char *stage_local; /* more settings for the mailer "local" */

/* Only the declared instances; rules and store default to the debug modules, and mailers are all debugmailer. */
bool stage_try(struct stage *stage, const char *text, uint32_t roles, const char *module_directory);
void stage_open(struct stage *stage, const char *text); /* must work: receiver and courier roles */
void stage_close(struct stage *stage);
enum pr_status stage_ask(struct stage *stage, const char *map, const char *key, struct pr_str *value_out);
/* The value or the reason is this; says so when not. */
bool stage_is(struct pr_str got, const char *wanted);
const char *stage_read(const char *path); /* in static memory */

/* test_module_hooks.c */
extern const struct unit_case hook_cases[];

#endif
