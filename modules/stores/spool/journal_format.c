/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Heads of segments and records, and what makes them believable: a magic, a generation, a checksum, and lengths that stay within the
 * segment.  The checksum is CRC-32C (RFC 9260 appendix A): by the processor where it can (journal_crc.c), else eight bytes at a step
 * through eight tables.
 */
#include "journal.h"

#include <stddef.h>
#include <string.h>

#define HEAD_MAGIC 0x314a5250u   /* "PRJ1" */
#define RECORD_MAGIC 0x524a5250u /* "PRJR" */
#define POLYNOMIAL 0x82f63b78u   /* reflected */

static uint32_t tables[8][256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
		tables[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
}

static uint32_t crc_by_tables(uint32_t crc, const unsigned char *at, size_t len)
{
	pthread_once(&tables_made, make_tables);
	for (; len >= 8; len -= 8, at += 8) {
		uint32_t low, high;

		memcpy(&low, at, 4);
		memcpy(&high, at + 4, 4);
		low ^= crc;
		crc = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^ tables[4][low >> 24] ^
		      tables[3][high & 0xff] ^ tables[2][(high >> 8) & 0xff] ^ tables[1][(high >> 16) & 0xff] ^ tables[0][high >> 24];
	}
	for (; len > 0; len--, at++)
		crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xff];
	return crc;
}

uint32_t journal_crc_tables(uint32_t crc, const void *data, size_t len)
{
	return ~crc_by_tables(~crc, data, len);
}

uint32_t journal_crc(uint32_t crc, const void *data, size_t len)
{
	return journal_crc_is_fast() ? ~journal_crc_fast(~crc, data, len) : journal_crc_tables(crc, data, len);
}

uint64_t journal_head_check(const struct journal_head *head)
{
	uint32_t low = journal_crc(0, head, offsetof(struct journal_head, check));

	return ((uint64_t)~low << 32) | low;
}

bool journal_head_is_good(const struct journal_head *head, uint32_t number)
{
	return head->magic == HEAD_MAGIC && head->number == number && head->check == journal_head_check(head);
}

void journal_head_seal(struct journal_head *head, uint32_t number)
{
	head->magic = HEAD_MAGIC;
	head->number = number;
	head->check = journal_head_check(head);
}

static uint32_t head_crc(const struct journal_record *record)
{
	struct journal_record copy = *record;

	copy.head_crc = 0;
	return journal_crc(0, &copy, sizeof copy);
}

void journal_record_seal(struct journal_record *record)
{
	record->magic = RECORD_MAGIC;
	record->head_crc = head_crc(record);
}

uint32_t journal_record_span(const struct journal_record *record)
{
	return (uint32_t)((sizeof *record + record->control + record->body + JOURNAL_ALIGN - 1) / JOURNAL_ALIGN * JOURNAL_ALIGN);
}

bool journal_fits(size_t control, size_t body)
{
	const size_t room = JOURNAL_SEGMENT - JOURNAL_HEAD - sizeof(struct journal_record) - JOURNAL_ALIGN;

	return control <= room && body <= room - control;
}

bool journal_record_is_good(const struct journal_record *record, uint64_t generation, uint64_t offset)
{
	return record->magic == RECORD_MAGIC && record->generation == generation && record->head_crc == head_crc(record) &&
	       record->kind == JOURNAL_MESSAGE && record->index < JOURNAL_RECORDS && journal_fits(record->control, record->body) &&
	       offset + journal_record_span(record) <= JOURNAL_SEGMENT && memchr(record->id, '\0', sizeof record->id) != NULL &&
	       memchr(record->place, '\0', sizeof record->place) != NULL;
}
