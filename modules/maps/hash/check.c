/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judges a file with pread only: a file that shrinks under a mapping would end the process, a short read is just an answer.
 * The checksum mixes eight bytes a step, so a table of a hundred megabytes is judged in a fraction of a second.
 */
#include "check.h"
#include "layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 18)

static bool read_at(int fd, int64_t offset, void *data, size_t length)
{
	char *bytes = data;

	while (length > 0) {
		ssize_t got = pread(fd, bytes, length, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		offset += got;
		length -= (size_t)got;
	}
	return true;
}

static bool say(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return false;
}

/* the seal -------------------------------------------------------------- */

/* Offset of the digits, 0 when there is no seal, -1 when the file cannot be read. */
static int64_t find_seal(int fd, int64_t size, char *buffer)
{
	const size_t overlap = SEAL_KEY_LENGTH + SEAL_LENGTH;

	for (int64_t offset = 0; offset < size;) {
		size_t length = size - offset < CHUNK ? (size_t)(size - offset) : CHUNK;
		if (!read_at(fd, offset, buffer, length))
			return -1;
		const char *hit = memmem(buffer, length, SEAL_KEY "=", SEAL_KEY_LENGTH + 1);
		if (hit != NULL && (size_t)(hit - buffer) + overlap <= length)
			return offset + (hit - buffer) + (int64_t)SEAL_KEY_LENGTH + 1;
		if (length < CHUNK)
			break;
		offset += (int64_t)(length - overlap);
	}
	return 0;
}

static uint64_t mix(uint64_t sum, const char *data, size_t length)
{
	uint64_t word;

	for (; length >= sizeof word; data += sizeof word, length -= sizeof word) {
		memcpy(&word, data, sizeof word);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 29;
	}
	for (; length > 0; data++, length--)
		sum = (sum ^ (unsigned char)*data) * 1099511628211u;
	return sum;
}

/* Digits count as zeros.  CHUNK is a multiple of eight, so only the last piece has an odd end. */
static bool checksum(int fd, int64_t size, int64_t digits, char *buffer, uint64_t *sum_out)
{
	uint64_t sum = 14695981039346656037u ^ (uint64_t)size;

	for (int64_t offset = 0; offset < size; offset += CHUNK) {
		size_t length = size - offset < CHUNK ? (size_t)(size - offset) : CHUNK;
		if (!read_at(fd, offset, buffer, length))
			return false;
		for (int64_t i = digits; i < digits + 16; i++)
			if (i >= offset && i < offset + (int64_t)length)
				buffer[i - offset] = '0';
		sum = mix(sum, buffer, length);
	}
	*sum_out = sum;
	return true;
}

bool hash_seal(int fd)
{
	char *buffer = pr_alloc(CHUNK);
	char digits[17];
	uint64_t sum = 0;
	bool good = false;
	off_t size = lseek(fd, 0, SEEK_END);
	int64_t at = size < 0 ? -1 : find_seal(fd, size, buffer);

	if (at <= 0) {
		errno = EIO;
	} else if (checksum(fd, size, at, buffer, &sum)) {
		snprintf(digits, sizeof digits, "%016llx", (unsigned long long)sum);
		good = pwrite(fd, digits, 16, at) == 16;
	}
	pr_free(buffer);
	return good;
}

static bool check_seal(int fd, int64_t size, int64_t at, char *buffer)
{
	char digits[17], stored[16];
	uint64_t sum = 0;

	if (!read_at(fd, at, stored, sizeof stored) || !checksum(fd, size, at, buffer, &sum))
		return false;
	snprintf(digits, sizeof digits, "%016llx", (unsigned long long)sum);
	return memcmp(digits, stored, 16) == 0;
}

/* the header ------------------------------------------------------------ */

static bool is_gdbm(uint32_t magic)
{
	return magic == GDBM_MAGIC_32 || magic == GDBM_MAGIC_64 || magic == GDBM_MAGIC_OLD || magic == GDBM_MAGIC_SYNC_32 ||
	       magic == GDBM_MAGIC_SYNC_64;
}

static bool check_shape(const struct gdbm_head *head, int64_t size, char *why, size_t why_size)
{
	/* GDBM itself takes a file longer than its header says for one that needs recovery. */
	if (head->next_block != size)
		return say(why, why_size, head->next_block > size ? "the file is cut short" : "the file is longer than its header says");
	if (head->block_size < 512 || head->block_size > (1 << 24) || head->dir_size <= 0 || head->dir_bits < 0 ||
	    head->dir_bits > 30 || head->dir_size != (int32_t)((1u << head->dir_bits) * 8u) || head->dir < head->block_size ||
	    head->dir > size - head->dir_size || head->bucket_size < 512 || head->bucket_size > (1 << 24) || head->bucket_elems <= 0 ||
	    (size_t)head->bucket_elems > ((size_t)head->bucket_size - sizeof(struct gdbm_bucket)) / sizeof(struct gdbm_element))
		return say(why, why_size, "the header is damaged");
	return true;
}

bool hash_is_berkeley(int fd, bool *btree_out)
{
	uint32_t magic = 0;

	if (!read_at(fd, BERKELEY_MAGIC_OFFSET, &magic, sizeof magic))
		return false;
	*btree_out = magic == BERKELEY_BTREE_MAGIC || magic == __builtin_bswap32(BERKELEY_BTREE_MAGIC);
	return *btree_out || magic == BERKELEY_HASH_MAGIC || magic == __builtin_bswap32(BERKELEY_HASH_MAGIC);
}

static bool check_head(int fd, int64_t size, struct gdbm_head *head, char *why, size_t why_size)
{
	if (size == 0)
		return say(why, why_size, "the file is empty");
	if (size < (int64_t)sizeof *head || !read_at(fd, 0, head, sizeof *head))
		return say(why, why_size, "the file is too short for a table");
	if (!is_gdbm(head->magic))
		return say(why, why_size, "neither a GDBM nor a Berkeley DB file");
	return check_shape(head, size, why, why_size);
}

/* reading it whole ------------------------------------------------------- */

/* Bounds are looked at once more: the file may have changed since it was judged. */
static bool load_bucket(const char *bytes, int64_t size, const struct gdbm_head *head, int64_t offset, struct memory *table)
{
	if (offset < 0 || offset > size - head->bucket_size)
		return false;
	const struct gdbm_bucket *bucket = (const struct gdbm_bucket *)(const void *)(bytes + offset);
	for (int32_t i = 0; i < head->bucket_elems; i++) {
		struct gdbm_element element;
		memcpy(&element, &bucket->elements[i], sizeof element);
		if (element.hash == -1)
			continue;
		if (element.key_size < 0 || element.data_size < 0 || element.data < 0 || element.data > size ||
		    (int64_t)element.key_size + element.data_size > size - element.data)
			return false;
		struct pr_str key = { bytes + element.data, (size_t)element.key_size };
		struct pr_str value = { key.data + key.len, (size_t)element.data_size };
		if (!pr_str_equal(key, (struct pr_str){ SEAL_KEY, SEAL_KEY_LENGTH }) && !memory_add(table, key, value))
			return false;
	}
	return true;
}

static bool load_buckets(const char *bytes, int64_t size, struct memory *table)
{
	struct gdbm_head head;
	int64_t place = 0, before = -1;
	char why[128];

	memcpy(&head, bytes, sizeof head);
	if (head.next_block != size || !check_shape(&head, size, why, sizeof why))
		return false;
	for (int64_t at = head.dir; at < head.dir + head.dir_size; at += (int64_t)sizeof place, before = place) {
		memcpy(&place, bytes + at, sizeof place);
		if (place != before && !load_bucket(bytes, size, &head, place, table))
			return false;
	}
	return true;
}

bool hash_load(int fd, int64_t size, struct memory *table)
{
	char *bytes = size < (int64_t)sizeof(struct gdbm_head) ? NULL : pr_resize(NULL, (size_t)size);
	bool good = bytes != NULL && read_at(fd, 0, bytes, (size_t)size) && load_buckets(bytes, size, table);

	pr_free(bytes);
	return good;
}

/* the walk through a file without a seal -------------------------------- */

struct walk {
	int fd;
	int64_t size;
	const struct gdbm_head *head;
	char *buffer;
};

static int32_t key_hash(const char *key, size_t length)
{
	uint32_t value = 0x238f13afu * (uint32_t)length;

	for (size_t i = 0; i < length; i++)
		value = (value + ((uint32_t)(unsigned char)key[i] << (i * 5 % 24))) & 0x7fffffffu;
	return (int32_t)((1103515243u * value + 12345u) & 0x7fffffffu);
}

static bool check_element(struct walk *walk, const struct gdbm_element *element, uint32_t first, uint32_t last)
{
	if (element->key_size < 0 || element->data_size < 0 || element->key_size > (int32_t)CHUNK ||
	    element->data < walk->head->block_size || element->data > walk->size ||
	    (int64_t)element->key_size + element->data_size > walk->size - element->data)
		return false;
	if (!read_at(walk->fd, element->data, walk->buffer, (size_t)element->key_size))
		return false;
	size_t start = element->key_size < 4 ? (size_t)element->key_size : 4;
	uint32_t slot = (uint32_t)((uint64_t)(uint32_t)element->hash >> (31 - walk->head->dir_bits));
	return slot >= first && slot <= last && memcmp(element->key_start, walk->buffer, start) == 0 &&
	       key_hash(walk->buffer, (size_t)element->key_size) == element->hash;
}

/* A bucket that serves the directory slots [first, last]. */
static bool check_bucket(struct walk *walk, int64_t offset, uint32_t first, uint32_t last, struct gdbm_bucket *bucket)
{
	const struct gdbm_head *head = walk->head;
	int32_t used = 0;

	if (offset < head->block_size || offset > walk->size - head->bucket_size ||
	    !read_at(walk->fd, offset, bucket, (size_t)head->bucket_size))
		return false;
	if (bucket->space_count < 0 || bucket->space_count > 6 || bucket->bits < 0 || bucket->bits > head->dir_bits ||
	    bucket->count < 0 || bucket->count > head->bucket_elems ||
	    (1u << (head->dir_bits - bucket->bits)) != last - first + 1)
		return false;
	for (int32_t i = 0; i < bucket->space_count; i++)
		if (bucket->spaces[i].size < 0 || bucket->spaces[i].address < 0 ||
		    bucket->spaces[i].address > walk->size - bucket->spaces[i].size)
			return false;
	for (int32_t i = 0; i < head->bucket_elems; i++) {
		if (bucket->elements[i].hash == -1)
			continue;
		used++;
		if (!check_element(walk, &bucket->elements[i], first, last))
			return false;
	}
	return used == bucket->count;
}

static bool check_structure(struct walk *walk)
{
	const struct gdbm_head *head = walk->head;
	size_t count = (size_t)head->dir_size / 8;
	int64_t *directory = pr_alloc((size_t)head->dir_size); /* within the size of the file */
	struct gdbm_bucket *bucket = pr_alloc((size_t)head->bucket_size);
	bool good = read_at(walk->fd, head->dir, directory, (size_t)head->dir_size);

	for (size_t first = 0; good && first < count;) {
		size_t last = first;
		while (last + 1 < count && directory[last + 1] == directory[first])
			last++;
		good = check_bucket(walk, directory[first], (uint32_t)first, (uint32_t)last, bucket);
		first = last + 1;
	}
	pr_free(directory);
	pr_free(bucket);
	return good;
}

bool hash_check(int fd, int64_t size, bool *sealed_out, char *why, size_t why_size)
{
	struct gdbm_head head;

	*sealed_out = false;
	if (!check_head(fd, size, &head, why, why_size))
		return false;
	char *buffer = pr_alloc(CHUNK);
	struct walk walk = { .fd = fd, .size = size, .head = &head, .buffer = buffer };
	int64_t at = find_seal(fd, size, buffer);
	bool good = at > 0 ? check_seal(fd, size, at, buffer) : at == 0 && check_structure(&walk);
	pr_free(buffer);
	*sealed_out = at > 0;
	if (!good)
		return say(why, why_size, at > 0 ? "the checksum is wrong: the file is damaged; build it again" : "the file is damaged; build it again");
	return true;
}
