/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine of sendmail.cf on a stage: a configuration from a string or file, a world of text for its maps, and its console to ask.
 */
#ifndef TESTS_UNIT_CF_STAGE_H
#define TESTS_UNIT_CF_STAGE_H

#include "modules/rules/cf/hooks.h"
#include "tests/unit/fake_host.h"
#include "tests/unit/unit.h"

extern struct fake_world cf_world;
extern struct fake_instance cf_engine;

/* Reads the text as a sendmail.cf; lines of the world may have been added between cf_stage_begin and this.  False: it was refused,
 * but the stage stands all the same, and cf_stage_messages() tells why. */
void cf_stage_begin(void);
bool cf_stage_read(const char *text);
bool cf_stage_open(const char *text); /* both */
void cf_stage_close(void);

struct cf *cf_stage_cf(void);
const struct pr_rules_ops *cf_stage_ops(void);
/* What was wrong with the file, each line without the name of the file. */
const char *cf_stage_messages(void);
/* One line for the console, and its answer; valid until the next question. */
const char *cf_stage_ask(const char *line);
/* The text a set makes of an address, tokens apart by blanks. */
const char *cf_stage_rewrite(const char *set, const char *address);

/* True when equal; tells both otherwise. */
bool cf_same(const char *what, const char *wanted, const char *got);

#endif
