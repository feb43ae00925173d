/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The negative control: a target with a planted fault.  Its test is expected to fail; if it passes, the mutations
 * find nothing and the other targets prove nothing.
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i++)
		FUZZ_CHECK(memcmp(data + i, "BUG\n", 4) != 0);
	return 0;
}
