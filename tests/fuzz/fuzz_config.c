/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postrider.conf from bytes: either a configuration, or at least one sentence that says why not.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/config/config.h"

/* libconfig itself loses the token it was reading when the text is broken there; once per broken file, and not ours.
 * What config_parse allocates never passes through the library, so it is still watched. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str text = {(const char *)data, size};
	struct pr_text errors;

	/* an @include would read whatever file the mutation names */
	for (size_t i = 0; i + 8 <= size; i++)
		if (memcmp(data + i, "@include", 8) == 0)
			return 0;
	pr_text_init(&errors, 1 << 20);
	struct config *config = config_parse("fuzz.conf", text, NULL, &errors);
	FUZZ_CHECK(config != NULL || errors.len > 0);
	config_free(config);
	pr_text_fini(&errors);
	return 0;
}
