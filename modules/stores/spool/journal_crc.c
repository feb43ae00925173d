/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CRC-32C by an instruction of the processor: SSE 4.2 on x86-64, asked for at run time.  Its result comes after three cycles, and a new one
 * can begin in each, so long data is taken in three rows at once: the CRC is linear, and what the first row gives is moved on over the
 * others as if they were zeros.
 * The one difference between platforms lives in this file; elsewhere the tables of journal_format.c do the work.
 */
#include "journal.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

bool journal_crc_is_fast(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}

#define SSE42 __attribute__((target("sse4.2")))
#define ROW 1024u /* bytes */

static uint32_t moved[4][256]; /* by the bytes of a CRC, least first: what becomes of it over ROW zeros */
static pthread_once_t moved_made = PTHREAD_ONCE_INIT;

SSE42 static void make_moved(void)
{
	for (uint32_t bit = 0; bit < 32; bit++) {
		uint64_t crc = UINT64_C(1) << bit;

		for (uint32_t i = 0; i < ROW / 8; i++)
			crc = __builtin_ia32_crc32di(crc, 0);
		for (uint32_t value = 0; value < 256; value++)
			if ((value >> bit % 8 & 1) != 0)
				moved[bit / 8][value] ^= (uint32_t)crc;
	}
}

static uint64_t move_on(uint64_t crc)
{
	return moved[0][crc & 0xff] ^ moved[1][crc >> 8 & 0xff] ^ moved[2][crc >> 16 & 0xff] ^ moved[3][crc >> 24 & 0xff];
}

static uint64_t word_at(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return word;
}

SSE42 static uint64_t three_rows(uint64_t crc, const unsigned char *at)
{
	uint64_t second = 0, third = 0;

	for (const unsigned char *end = at + ROW; at < end; at += 8) {
		crc = __builtin_ia32_crc32di(crc, word_at(at));
		second = __builtin_ia32_crc32di(second, word_at(at + ROW));
		third = __builtin_ia32_crc32di(third, word_at(at + 2 * ROW));
	}
	return move_on(move_on(crc) ^ second) ^ third;
}

SSE42 uint32_t journal_crc_fast(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *at = data;
	uint64_t wide = crc;

	if (len >= 3 * ROW)
		pthread_once(&moved_made, make_moved);
	for (; len >= 3 * ROW; len -= 3 * ROW, at += 3 * ROW)
		wide = three_rows(wide, at);
	for (; len >= 8; len -= 8, at += 8)
		wide = __builtin_ia32_crc32di(wide, word_at(at));
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
