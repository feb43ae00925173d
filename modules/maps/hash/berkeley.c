/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Berkeley DB through its library, without an environment: no lock files, no logs, a private cache for each handle.
 * The library is silent (its messages are ours to give), and a file is never opened for writing.
 */
#include "berkeley.h"

#include <db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct berkeley {
	DB *db;
	DBC *cursor;
	DBT value; /* the library's memory, grown as needed */
	DBT key;
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

bool berkeley_check(const char *path, char *why, size_t why_size)
{
	DB *db = new_handle(why, why_size);

	if (db == NULL)
		return false;
	int error = db->verify(db, path, NULL, NULL, 0); /* closes the handle, whatever it finds */
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
	pr_free(file);
}

int berkeley_descriptor(const struct berkeley *file)
{
	int fd = -1;

	return file->db->fd(file->db, &fd) == 0 ? fd : -1;
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

enum pr_status berkeley_get(struct berkeley *file, struct pr_str key, struct pr_str *value_out, char *why, size_t why_size)
{
	DBT wanted = { .data = (void *)(uintptr_t)key.data, .size = (u_int32_t)key.len };
	enum pr_status status = answer(file->db->get(file->db, NULL, &wanted, &file->value, 0), why, why_size);

	if (status == PR_OK)
		*value_out = bytes_of(&file->value);
	return status;
}

enum pr_status berkeley_next(struct berkeley *file, bool restart, struct pr_str *key_out, struct pr_str *value_out, char *why, size_t why_size)
{
	int error = file->cursor != NULL ? 0 : file->db->cursor(file->db, NULL, &file->cursor, 0);

	if (error == 0)
		error = file->cursor->get(file->cursor, &file->key, &file->value, restart ? DB_FIRST : DB_NEXT);
	enum pr_status status = answer(error, why, why_size);
	if (status != PR_OK)
		return status;
	*key_out = bytes_of(&file->key);
	*value_out = bytes_of(&file->value);
	return PR_OK;
}
