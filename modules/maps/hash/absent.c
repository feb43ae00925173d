/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In place of berkeley.c in a build without Berkeley DB.
 * Such a table is still told from damage, and the sentence says what can be done.
 */
#include "berkeley.h"

#include <stdio.h>

static enum pr_status say(char *why, size_t why_size)
{
	snprintf(why, why_size, "a Berkeley DB file, and this build has no Berkeley DB (configure --with-libdb); build the table again from its source with makemap or newaliases");
	return PR_TEMPFAIL;
}

bool berkeley_check(const char *path, char *why, size_t why_size)
{
	(void)path;
	return say(why, why_size) == PR_OK;
}

struct berkeley *berkeley_open(const char *path, char *why, size_t why_size)
{
	(void)path;
	say(why, why_size);
	return NULL;
}

void berkeley_close(struct berkeley *file)
{
	(void)file;
}

enum pr_status berkeley_next(struct berkeley *file, bool restart, struct pr_str *key_out, struct pr_str *value_out, char *why, size_t why_size)
{
	(void)file;
	(void)restart;
	(void)key_out;
	(void)value_out;
	return say(why, why_size);
}
