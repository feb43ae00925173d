/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is this GDBM file whole?
 *
 * The library trusts much of what it reads, so a file is judged here before the library sees it.  The seal is a record
 * under a key no table can hold; its value is a checksum of the whole file, computed with its own digits as zeros.  Any flipped bit
 * in a sealed file is therefore noticed.  In a file without a seal the walk checks that every pointer stays inside the file
 * and that every key stands where its hash says; a flipped bit in a value can then go unnoticed.
 */
#ifndef MODULES_MAPS_HASH_CHECK_H
#define MODULES_MAPS_HASH_CHECK_H

#include "memory.h"

#include <postrider/text.h>

#define SEAL_KEY "\0postrider seal"
#define SEAL_KEY_LENGTH (sizeof SEAL_KEY - 1)
#define SEAL_EMPTY "=0000000000000000"
#define SEAL_LENGTH (sizeof SEAL_EMPTY - 1)

/* false and a sentence without the file's name in `why` (size bytes). */
bool hash_check(int fd, int64_t size, bool *sealed_out, char *why, size_t why_size);
/* Is it a Berkeley DB file, of this or the other byte order? */
bool hash_is_berkeley(int fd, bool *btree_out);
/* Adds all records of a file that passed the check; false when it has changed meanwhile. */
bool hash_load(int fd, int64_t size, struct memory *table);
/* Writes the digits into a closed, complete file; false with errno. */
bool hash_seal(int fd);

#endif
