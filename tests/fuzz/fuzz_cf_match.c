/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules from the first half of the bytes, an address from the second (a NUL parts them): every match is one that the rule allows, and all
 * ends in bounded work.
 */
#include "tests/fuzz/cf_world.h"
#include "tests/fuzz/fuzz.h"

static const char head[] = "V10/Berkeley\nDjmail.example\nO OperatorChars=.:%@!^/[]+\nO BlankSub=.\nCXalpha beta alpha.beta a b\nC{long}a.b.a b.a\n"
                           "D{v}a.b\nDwb\nKmap null\nKmac macro\nKar arith\nMlocal, P=/bin/cat, F=lsn, A=cat $u\nMsmtp, P=[IPC], F=mu, A=TCP $h\n"
                           "S4\nR$* < $* > $*\t$1 $2 $3\nSa\nR$* . $*\t$@ $2 $1\nS0\n";

/* Operands stand one behind the other inside the address, and literals between them are there. */
static void check_match(struct cf_run *run, const struct cf_rule *rule, const struct cf_tokens *tokens)
{
	struct cf_match operands[CF_OPERANDS];
	uint32_t end = 0;

	if (!cf_rule_matches(run, rule, tokens->at, tokens->count, operands))
		return;
	for (uint32_t i = 0; i < rule->operands; i++) {
		FUZZ_CHECK(operands[i].first >= end && operands[i].end >= operands[i].first && operands[i].end <= tokens->count);
		end = operands[i].end;
	}
}

static void match_all(struct cf_world *world, struct pr_str address)
{
	struct cf_tokens tokens = {0};
	struct cf_run run;

	cf_run_begin(&run, cf_world_call(world));
	struct cf_scan scan = { .alphabet = &world->cf->alphabet, .arena = &world->arena, .text = address };
	cf_scan(&scan, &tokens);
	for (uint32_t i = 0; i < world->cf->sets[0].count; i++)
		check_match(&run, &world->cf->sets[0].rules[i], &tokens);
	/* each end of each operand is tried from each end of the one before it, at most */
	uint64_t ends = tokens.count + 20u;
	FUZZ_CHECK(run.work <= CF_OPERANDS * ends * ends * (world->cf->sets[0].count + 1u));
	cf_tokens_fini(&tokens);
}

static void ask(struct cf_world *world, struct pr_str address)
{
	struct pr_list arguments = { &address, 1 };
	struct pr_route route = { .size = sizeof route };
	struct pr_verdict verdict = { .action = PR_CONTINUE };
	struct pr_str form = PR_NONE;

	enum pr_status status = cf_world_ops()->resolve(cf_world_call(world), address, PR_STR(""), &route);
	FUZZ_CHECK(status != PR_OK || route.mailer.len > 0);
	FUZZ_CHECK(status == PR_OK || route.code >= 400 || world->call.reason.data != NULL);
	for (uint32_t which = PR_REWRITE_ENVELOPE_SENDER; which <= PR_REWRITE_HEADER_RECIPIENT; which++)
		cf_world_ops()->rewrite(cf_world_call(world), which, PR_STR("smtp"), address, &form);
	cf_world_ops()->check(cf_world_call(world), PR_CHECK_MAIL, NULL, &arguments, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *parting = size > 0 ? memchr(data, 0, size) : NULL;
	size_t rules = parting != NULL ? (size_t)(parting - data) : size / 2, rest = parting != NULL ? rules + 1 : rules;
	struct cf_world world;
	struct pr_text file;

	pr_text_init(&file, sizeof head + size + 2);
	pr_text_add(&file, head, sizeof head - 1);
	pr_text_add(&file, data, rules);
	pr_text_add_byte(&file, '\n');
	cf_world_open(&world, pr_text_str(&file));
	struct pr_str address = { (const char *)data + rest, size - rest };
	match_all(&world, address);
	ask(&world, address);
	cf_world_close(&world);
	pr_text_fini(&file);
	return 0;
}
