/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CRC-32C by an instruction of the processor: SSE 4.2 on x86-64, asked for at run time.
 * The one difference between platforms lives in this file; elsewhere the tables of journal_format.c do the work.
 */
#include "journal.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

bool journal_crc_is_fast(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) uint32_t journal_crc_fast(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *at = data;
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--, at++)
		crc = __builtin_ia32_crc32qi(crc, *at);
	return crc;
}

#else

bool journal_crc_is_fast(void)
{
	return false;
}

uint32_t journal_crc_fast(uint32_t crc, const void *data, size_t len)
{
	(void)data;
	(void)len;
	return crc;
}

#endif
