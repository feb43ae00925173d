/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One fuzz target is one function over bytes.  It is built twice: with fuzz_main.c as a test of `make check` (its corpus and a
 * few thousand mutations that are the same each time), and by tests/fuzz/run with libFuzzer.
 * FUZZ_CHECK says what must hold; it ends the process, which both drivers understand.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <postrider/text.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A small generator, so that one seed byte of the input decides about cuts and answers. */
static inline uint32_t fuzz_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

#endif
