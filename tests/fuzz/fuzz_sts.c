/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A policy of MTA-STS, and the same bytes as a TXT record.  What is taken for a policy is within its bounds, and printed it is the same policy again; each
 * of its hosts that has no asterisk is in it.
 */
#include "modules/mailers/smtp/sts_policy.h"
#include "tests/fuzz/fuzz.h"

static void check_policy(const struct sts_policy *policy)
{
	struct sts_policy again;
	struct pr_text printed, why;

	FUZZ_CHECK(policy->count <= STS_MX_MAX && policy->mode <= STS_ENFORCE && policy->max_age >= 0 && policy->max_age <= STS_MAX_AGE);
	FUZZ_CHECK(policy->mode == STS_NONE || policy->count > 0);
	pr_text_init(&printed, STS_POLICY_BYTES);
	pr_text_init(&why, 1000);
	sts_policy_print(policy, &printed);
	FUZZ_CHECK(!printed.overflow && sts_policy_parse(pr_text_str(&printed), &again, &why));
	FUZZ_CHECK(again.count == policy->count && again.mode == policy->mode && again.max_age == policy->max_age);
	for (size_t i = 0; i < policy->count; i++) {
		FUZZ_CHECK(pr_str_equal(policy->mx[i], again.mx[i]));
		FUZZ_CHECK(policy->mx[i].data[0] == '*' || sts_policy_has(policy, policy->mx[i]));
	}
	pr_text_fini(&why);
	pr_text_fini(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + (size == 0));
	struct pr_str text = {copy, size}, texts[2], id = PR_NONE;
	struct sts_policy policy;
	struct pr_text why;

	if (size > 0)
		memcpy(copy, data, size);
	pr_text_init(&why, 1000);
	bool is_policy = sts_policy_parse(text, &policy, &why);
	FUZZ_CHECK(is_policy || why.len > 0);
	if (is_policy)
		check_policy(&policy);
	size_t half = pr_str_find(text, '\n');
	texts[0] = pr_str_slice(text, 0, half);
	texts[1] = pr_str_slice(text, half + 1, size);
	if (sts_record_find(texts, 2, &id))
		FUZZ_CHECK(id.len >= 1 && id.len <= STS_ID_MAX && id.data >= copy && id.data + id.len <= copy + size);
	pr_text_fini(&why);
	free(copy);
	return 0;
}
