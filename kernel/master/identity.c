/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All questions to the user database are asked before the fork, so the child does nothing but system calls whose results are
 * checked - including the attempt to become root again, which must fail.
 */
#include "kernel/master/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_ROOM 16384

static bool copy_field(const char *value, char *room, size_t size)
{
	size_t len = strlen(value);

	if (len >= size)
		return false;
	memcpy(room, value, len + 1);
	return true;
}

static enum pr_status fill(const struct passwd *entry, struct identity *identity, struct pr_text *why)
{
	int count = IDENTITY_GROUPS_MAX;

	memset(identity, 0, sizeof *identity);
	identity->uid = entry->pw_uid;
	identity->gid = entry->pw_gid;
	if (!copy_field(entry->pw_name, identity->name, sizeof identity->name) ||
	    !copy_field(entry->pw_dir, identity->home, sizeof identity->home) ||
	    !copy_field(entry->pw_shell, identity->shell, sizeof identity->shell)) {
		pr_text_addf(why, "the account of %s has a field that is too long", entry->pw_name);
		return PR_TEMPFAIL;
	}
	if (getgrouplist(entry->pw_name, entry->pw_gid, identity->groups, &count) < 0) {
		pr_text_addf(why, "%s is in more than %d groups", entry->pw_name, IDENTITY_GROUPS_MAX);
		return PR_TEMPFAIL;
	}
	identity->group_count = (size_t)count;
	return PR_OK;
}

enum pr_status identity_find(const char *name, struct identity *identity_out, struct pr_text *why)
{
	struct passwd room, *entry = NULL;
	char *space = pr_alloc(ENTRY_ROOM);
	enum pr_status status;
	int failure;

	do
		failure = getpwnam_r(name, &room, space, ENTRY_ROOM, &entry);
	while (failure == EINTR);
	if (entry != NULL) {
		status = fill(entry, identity_out, why);
	} else if (failure == 0 || failure == ENOENT) {
		pr_text_addf(why, "there is no user %s", name);
		status = PR_NOTFOUND;
	} else {
		pr_text_addf(why, "cannot look up user %s: %s", name, strerror(failure));
		status = PR_TEMPFAIL;
	}
	pr_free(space);
	return status;
}

static enum pr_status find_by_uid(uid_t uid, struct identity *identity_out, struct pr_text *why)
{
	struct passwd room, *entry = NULL;
	char *space = pr_alloc(ENTRY_ROOM);
	enum pr_status status = PR_NOTFOUND;
	int failure;

	do
		failure = getpwuid_r(uid, &room, space, ENTRY_ROOM, &entry);
	while (failure == EINTR);
	if (entry != NULL)
		status = fill(entry, identity_out, why);
	else
		pr_text_addf(why, "there is no user with uid %lu", (unsigned long)uid);
	pr_free(space);
	return status;
}

enum pr_status identity_find_self(struct identity *identity_out, struct pr_text *why)
{
	return find_by_uid(geteuid(), identity_out, why);
}

static enum pr_status find_group(const char *name, gid_t *gid_out, struct pr_text *why)
{
	struct group room, *entry = NULL;
	uint64_t number;
	char *space;

	if (pr_str_number(pr_str(name), UINT32_MAX - 1, &number)) {
		*gid_out = (gid_t)number;
		return PR_OK;
	}
	space = pr_alloc(ENTRY_ROOM);
	(void)getgrnam_r(name, &room, space, ENTRY_ROOM, &entry);
	if (entry != NULL)
		*gid_out = entry->gr_gid;
	else
		pr_text_addf(why, "there is no group %s", name);
	pr_free(space);
	return entry != NULL ? PR_OK : PR_NOTFOUND;
}

enum pr_status identity_find_default(const char *spec, struct identity *identity_out, struct pr_text *why)
{
	struct pr_str whole = pr_str(spec);
	size_t colon = pr_str_find(whole, ':');
	char *user = pr_copy_str(pr_str_slice(whole, 0, colon));
	enum pr_status status;
	uint64_t number;
	gid_t gid = 0;

	if (pr_str_number(pr_str(user), UINT32_MAX - 1, &number))
		status = find_by_uid((uid_t)number, identity_out, why);
	else
		status = identity_find(user, identity_out, why);
	if (status == PR_OK && colon < whole.len) {
		status = find_group(spec + colon + 1, &gid, why);
		if (status == PR_OK) {
			identity_out->gid = gid;
			identity_out->groups[0] = gid;
			identity_out->group_count = 1;
		}
	}
	if (status == PR_OK && (identity_out->uid == 0 || identity_out->gid == 0)) {
		pr_text_addf(why, "%s is root", spec);
		status = PR_PERMFAIL;
	}
	pr_free(user);
	return status;
}

void identity_set_group(struct identity *identity, gid_t gid)
{
	bool known = false;

	for (size_t i = 0; i < identity->group_count; i++)
		known = known || identity->groups[i] == gid;
	if (!known && identity->group_count < IDENTITY_GROUPS_MAX)
		identity->groups[identity->group_count++] = gid;
	identity->gid = gid;
}

void identity_print(const struct identity *identity, struct pr_text *out)
{
	pr_text_addf(out, "%lu:%lu", (unsigned long)identity->uid, (unsigned long)identity->gid);
	for (size_t i = 0; i < identity->group_count; i++)
		pr_text_addf(out, ":%lu", (unsigned long)identity->groups[i]);
}

bool identity_parse(struct pr_str text, struct identity *identity_out)
{
	struct pr_str rest = text, word;
	uint64_t number;

	memset(identity_out, 0, sizeof *identity_out);
	for (size_t i = 0; pr_str_next(&rest, ':', &word); i++) {
		if (!pr_str_number(word, UINT32_MAX - 1, &number) || i == IDENTITY_GROUPS_MAX + 2)
			return false;
		if (i == 0)
			identity_out->uid = (uid_t)number;
		else if (i == 1)
			identity_out->gid = (gid_t)number;
		else
			identity_out->groups[identity_out->group_count++] = (gid_t)number;
	}
	return identity_out->uid != 0 && pr_str_find(text, ':') < text.len;
}

bool identity_become(const struct identity *identity)
{
	uid_t real, effective, saved;

	if (geteuid() != 0)
		return true;
	if (setgroups(identity->group_count, identity->groups) != 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return false;
	if (getresuid(&real, &effective, &saved) != 0 || real != identity->uid || effective != identity->uid ||
	    saved != identity->uid)
		return false;
	return identity->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}
