/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Users, looked up before a fork and become after it.
 */
#ifndef KERNEL_MASTER_IDENTITY_H
#define KERNEL_MASTER_IDENTITY_H

#include <postrider/status.h>
#include <postrider/text.h>
#include <sys/types.h>

#define IDENTITY_GROUPS_MAX 128

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS_MAX];
	size_t group_count;
	char name[64];
	char home[512];
	char shell[128];
};

/* The account of that name with all its groups; PR_NOTFOUND, PR_TEMPFAIL with a sentence. */
enum pr_status identity_find(const char *name, struct identity *identity_out, struct pr_text *why);
/* "user", "user:group", numbers allowed; never uid 0. */
enum pr_status identity_find_default(const char *spec, struct identity *identity_out, struct pr_text *why);
/* The user this process already is. */
enum pr_status identity_find_self(struct identity *identity_out, struct pr_text *why);
/* Makes `gid` the main group, the former one stays among the groups. */
void identity_set_group(struct identity *identity, gid_t gid);
/* "UID:GID:GROUP:..." and back, for the command line of a role; uid 0 is no identity. */
void identity_print(const struct identity *identity, struct pr_text *out);
bool identity_parse(struct pr_str text, struct identity *identity_out);
/* In the child: becomes the identity for good and proves it; does nothing when this process is no root.  False: leave at once. */
bool identity_become(const struct identity *identity);

#endif
