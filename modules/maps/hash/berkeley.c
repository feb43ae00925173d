/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Berkeley DB through its library, without an environment: no lock files, no logs, a private cache for each handle.
 * The library is silent (its messages are ours to give), and a file is never opened for writing.
 */
#include "berkeley.h"

#include <db.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct berkeley {
	DB *db;
	DBC *cursor;
	DBT value; /* the library's memory, grown as needed */
	DBT key;
	DBT check;
};

static void say_nothing(const DB_ENV *environment, const char *prefix, const char *message)
{
	(void)environment;
	(void)prefix;
	(void)message;
}

/* It prints pages of a damaged file otherwise. */
static void show_nothing(const DB_ENV *environment, const char *message)
{
	(void)environment;
	(void)message;
}

static bool say(char *why, size_t why_size, int error)
{
	bool damaged = error == DB_VERIFY_BAD || error == DB_RUNRECOVERY || error == DB_PAGE_NOTFOUND;

	snprintf(why, why_size, "Berkeley DB: %s", damaged ? "the file is damaged; build it again" : db_strerror(error));
	return false;
}

static DB *new_handle(char *why, size_t why_size)
{
	DB *db = NULL;
	int error = db_create(&db, NULL, 0);

	if (error != 0) {
		say(why, why_size, error);
		return NULL;
	}
	db->set_errcall(db, say_nothing);
	db->set_msgcall(db, show_nothing);
	return db;
}

/* The first page as far as the library believes it without a check: with a bit of it wrong it opens the file again and again. */
struct meta {
	uint32_t lsn[2], page, magic, version, page_size;
	uint8_t encryption, type, flags, unused;
	uint32_t free_page, last_page, partitions;
};

/* Numbers are in the byte order of the machine that wrote them; no other has a page size of 512 to 65536. */
static uint32_t native(uint32_t number, uint32_t page_size)
{
	return page_size >= 512 && page_size <= 65536 ? number : __builtin_bswap32(number);
}

static bool check_meta(const char *path)
{
	struct meta meta;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good = fd >= 0 && fstat(fd, &status) == 0 && pread(fd, &meta, sizeof meta, 0) == (ssize_t)sizeof meta;

	if (fd >= 0)
		close(fd);
	if (!good)
		return false;
	uint32_t size = native(meta.page_size, meta.page_size), last = native(meta.last_page, meta.page_size);
	return size >= 512 && size <= 65536 && (size & (size - 1)) == 0 && meta.page == 0 && meta.encryption == 0 && meta.flags == 0 &&
	       meta.partitions == 0 && ((int64_t)last + 1) * size <= (int64_t)status.st_size;
}

bool berkeley_check(const char *path, char *why, size_t why_size)
{
	if (!check_meta(path))
		return say(why, why_size, DB_VERIFY_BAD);
	DB *db = new_handle(why, why_size);

	if (db == NULL)
		return false;
	/* The order of keys does not matter to who reads them all, and the check of it prints keys of a damaged page beyond their end.
	 * The handle is closed, whatever is found. */
	int error = db->verify(db, path, NULL, NULL, DB_NOORDERCHK);
	return error == 0 || say(why, why_size, error);
}

struct berkeley *berkeley_open(const char *path, char *why, size_t why_size)
{
	DB *db = new_handle(why, why_size);

	if (db == NULL)
		return NULL;
	int error = db->open(db, NULL, path, NULL, DB_UNKNOWN, DB_RDONLY, 0);
	if (error != 0) {
		say(why, why_size, error);
		db->close(db, 0);
		return NULL;
	}
	struct berkeley *file = pr_alloc(sizeof *file);
	file->db = db;
	file->value.flags = DB_DBT_REALLOC;
	file->key.flags = DB_DBT_REALLOC;
	file->check.flags = DB_DBT_REALLOC;
	return file;
}

void berkeley_close(struct berkeley *file)
{
	if (file == NULL)
		return;
	if (file->cursor != NULL)
		file->cursor->close(file->cursor);
	file->db->close(file->db, 0);
	free(file->value.data);
	free(file->key.data);
	free(file->check.data);
	pr_free(file);
}

static struct pr_str bytes_of(const DBT *item)
{
	return (struct pr_str){ item->size > 0 ? item->data : "", item->size };
}

static enum pr_status answer(int error, char *why, size_t why_size)
{
	if (error == 0)
		return PR_OK;
	if (error == DB_NOTFOUND)
		return PR_NOTFOUND;
	say(why, why_size, error);
	return PR_TEMPFAIL;
}

enum pr_status berkeley_next(struct berkeley *file, bool restart, struct pr_str *key_out, struct pr_str *value_out, char *why, size_t why_size)
{
	int error = file->cursor != NULL ? 0 : file->db->cursor(file->db, NULL, &file->cursor, 0);

	if (error == 0)
		error = file->cursor->get(file->cursor, &file->key, &file->value, restart ? DB_FIRST : DB_NEXT);
	/* a key that cannot be found where it stands is not the key that was stored */
	if (error == 0 && file->db->get(file->db, NULL, &file->key, &file->check, 0) != 0)
		error = DB_VERIFY_BAD;
	enum pr_status status = answer(error, why, why_size);
	if (status != PR_OK)
		return status;
	*key_out = bytes_of(&file->key);
	*value_out = bytes_of(&file->value);
	return PR_OK;
}
