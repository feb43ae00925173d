/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes of a GDBM file, as far as they must be judged before the library is let in.
 *
 * A header, a directory of 2^dir_bits offsets, and buckets of fixed size with a table of elements; numbers are in the byte order and
 * with the alignment of the machine (GDBM files do not travel).
 */
#ifndef MODULES_MAPS_HASH_LAYOUT_H
#define MODULES_MAPS_HASH_LAYOUT_H

#include <stdint.h>
#include <sys/types.h>

struct gdbm_head {
	uint32_t magic;
	int32_t block_size;
	int64_t dir;
	int32_t dir_size;
	int32_t dir_bits;
	int32_t bucket_size;
	int32_t bucket_elems;
	int64_t next_block;
};

struct gdbm_space {
	int32_t size;
	int32_t padding;
	int64_t address;
};

struct gdbm_element {
	int32_t hash; /* -1: free */
	char key_start[4];
	int64_t data;
	int32_t key_size;
	int32_t data_size;
};

struct gdbm_bucket {
	int32_t space_count;
	int32_t padding;
	struct gdbm_space spaces[6];
	int32_t bits;
	int32_t count;
	struct gdbm_element elements[];
};

#define GDBM_MAGIC_32 0x13579acdu
#define GDBM_MAGIC_64 0x13579acfu
#define GDBM_MAGIC_OLD 0x13579aceu
#define GDBM_MAGIC_SYNC_32 0x13579ad0u
#define GDBM_MAGIC_SYNC_64 0x13579ad1u
#define BERKELEY_MAGIC_OFFSET 12
#define BERKELEY_HASH_MAGIC 0x00061561u
#define BERKELEY_BTREE_MAGIC 0x00053162u

#endif
