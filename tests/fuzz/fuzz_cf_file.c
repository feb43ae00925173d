/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole sendmail.cf as bytes: reading ends, what is declared has names, errors have texts, and an address goes through whatever came of it.
 */
#include "tests/fuzz/cf_world.h"
#include "tests/fuzz/fuzz.h"

static void look_at_declarations(struct cf_world *world)
{
	const struct pr_declared *declared = NULL;
	size_t count = 0;

	cf_world_ops()->declare(cf_world_call(world), &declared, &count);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(declared[i].size == sizeof declared[i] && declared[i].kind > 0 && declared[i].name.data != NULL);
		for (size_t j = 0; j < declared[i].count; j++)
			FUZZ_CHECK(declared[i].settings[j].name.len > 0 && declared[i].settings[j].value.data != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = { "=S0", "=S3", "=M", "$=w", "$j", "/parse a.b@c.d", "/try local a@b" };
	struct pr_route route = { .size = sizeof route };
	struct cf_world world;
	struct pr_text out;

	bool good = cf_world_open(&world, (struct pr_str){ (const char *)data, size });
	FUZZ_CHECK(good == (world.cf->errors == 0));
	FUZZ_CHECK(good || world.cf->messages.len > 0);
	look_at_declarations(&world);
	enum pr_status status = cf_world_ops()->resolve(cf_world_call(&world), PR_STR("joe@mail.example"), PR_STR(""), &route);
	FUZZ_CHECK(status != PR_OK || route.mailer.len > 0);
	pr_text_init(&out, (size_t)1 << 20);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		pr_text_clear(&out);
		cf_world_ops()->console(cf_world_call(&world), pr_str(lines[i]), &out);
	}
	pr_text_fini(&out);
	cf_world_close(&world);
	return 0;
}
