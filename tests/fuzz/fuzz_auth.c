/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One exchange with the auth module of a map: the first byte is the mechanism, each line is what the client says in one step.  Whatever comes, nobody gets in but who
 * is in the table, the answers are those of the contract, and the first line is read as a verifier, too.
 */
#include "modules/auth/map/map.h"
#include "tests/fuzz/fuzz.h"

extern const struct pr_module map_LTX_pr_module;

static enum pr_status lookup(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)map;
	(void)args;
	if (pr_str_equal(key, PR_STR("user"))) /* RFC 7677 section 3, with one round */
		*value_out = PR_STR("{SCRAM-SHA-256}1,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
	else if (pr_str_equal(key, PR_STR("broken")))
		*value_out = PR_STR("{SCRAM-SHA-256}1,x");
	else
		return pr_str_equal(key, PR_STR("trouble")) ? pr_fail(call, PR_TEMPFAIL, "told to") : PR_NOTFOUND;
	return PR_OK;
}

static void exchange(struct pr_call *call, struct pr_str mechanism, struct pr_str rest)
{
	const struct pr_auth_ops *ops = map_LTX_pr_module.ops;
	enum pr_status status = PR_OK;
	struct pr_auth_step step;
	struct pr_str line;

	for (uint32_t steps = 0; status == PR_OK && steps < 5 && pr_str_next(&rest, '\n', &line); steps++) {
		step = (struct pr_auth_step){.size = sizeof step, .mechanism = mechanism, .input = line};
		status = ops->server_step(call, &step);
		FUZZ_CHECK(status == PR_OK || status == PR_NOTFOUND || status == PR_TEMPFAIL);
		FUZZ_CHECK(status == PR_OK || call->reason.len > 0);
		FUZZ_CHECK(status != PR_OK || step.done != 0 || step.output.data != NULL);
		if (step.done == 0)
			continue;
		FUZZ_CHECK(pr_str_equal(step.name, PR_STR("user")) && step.output.data == NULL);
		break;
	}
	ops->server_end(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pr_str mechanisms[] = {PR_STR_INIT("PLAIN"), PR_STR_INIT("LOGIN"), PR_STR_INIT("SCRAM-SHA-256"), PR_STR_INIT("SCRAM-SHA-1")};
	static const struct pr_host host = {.size = sizeof host, .map_lookup = lookup};
	struct auth_map instance = {.map = PR_STR("passwords")};
	struct map_exchange session = {.step = 0};
	struct pr_str text = {(const char *)data + 1, size > 0 ? size - 1 : 0};
	struct verifier verifier;
	struct pr_arena arena;

	if (size < 2)
		return 0;
	pr_arena_init(&arena, 1u << 20);
	struct pr_call call = {.size = sizeof call, .host = &host, .arena = &arena, .instance = &instance, .session = &session};
	if (verifier_parse(&arena, pr_str_slice(text, 0, pr_str_find(text, '\n')), &verifier))
		FUZZ_CHECK(verifier.hash == 0 ? verifier.crypted.len > 0 : verifier.iterations > 0 && verifier.salt.len > 0);
	exchange(&call, mechanisms[data[0] % 4], text);
	for (size_t i = 0; i < sizeof session; i++)
		FUZZ_CHECK(((const unsigned char *)&session)[i] == 0); /* nothing of it is left */
	pr_arena_fini(&arena);
	return 0;
}
