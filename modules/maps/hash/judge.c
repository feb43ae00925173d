/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is this file to be believed?  Asked once for each file that is put in place, by whichever thread meets it first; a bad verdict is
 * remembered too, because a damaged table is asked thousands of times a minute.
 */
#include "check.h"
#include "hash.h"

#include <postrider/file.h>

#include <stdio.h>
#include <sys/stat.h>

/* Nobody but owners may be able to change it, nor any directory on the way.  Who owns them is the administrator's choice, as
 * with sendmail, whose makemap gives tables to TrustedUser. */
static bool is_trusted(struct hash_map *map, int fd)
{
	struct stat status;
	struct pr_text why;

	map->is_unsafe = 0;
	if (map->unsafe)
		return true;
	pr_text_init(&why, sizeof map->why - 1);
	bool good = fstat(fd, &status) == 0 && pr_file_is_safe(map->path, (uint32_t)status.st_uid, map->safe, &why);
	map->is_unsafe = !good;
	if (!good)
		snprintf(map->why, sizeof map->why, "%.*s", PR_PRINT(pr_text_str(&why)));
	pr_text_fini(&why);
	return good;
}

void hash_judge(struct hash_map *map, int fd, const struct identity *identity)
{
	bool btree = false, sealed = false;

	if (map->known && identity_equal(&map->verified, identity))
		return;
	map->kind = !hash_is_berkeley(fd, &btree) ? FILE_GDBM : btree ? FILE_BERKELEY_BTREE : FILE_BERKELEY_HASH;
	map->good = is_trusted(map, fd);
	if (map->good && map->kind == FILE_GDBM)
		map->good = hash_check(fd, (int64_t)identity->size, &sealed, map->why, sizeof map->why);
	else if (map->good)
		map->good = berkeley_check(map->path, map->why, sizeof map->why);
	map->sealed = sealed;
	map->verified = *identity;
	map->known = 1;
}
