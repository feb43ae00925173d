/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A map: key in, value out.
 *
 * An administrator writes `maps = { access = { module = "hash"; file = "/etc/postrider/access"; }; };`
 * and from then on anything may ask the map "access" for a key.  The kernel
 * hands the key as it is to be looked up (folding is the map's business when
 * it has an option for it).  lookup answers PR_OK with a value in the call's
 * arena, PR_NOTFOUND, or - when it could not look - PR_TEMPFAIL with a reason:
 * then mail waits, it never bounces.
 *
 * Map data is not configuration: when the table behind a map is rebuilt, the
 * next lookup sees the new one.  A map that must be fast may look for a new
 * table only every few milliseconds, if its commit() waits that long.
 * mapflags.h has the options and flags that maps share.
 */
#ifndef POSTRIDER_MAP_H
#define POSTRIDER_MAP_H

#include "module.h"

struct pr_map_ops {
	size_t size;
	enum pr_status (*lookup)(struct pr_call *call, struct pr_str key, const struct pr_list *args,
	                         struct pr_str *value_out); /* args: sendmail's $@ arguments, may be NULL */
	/* The rest may be NULL. */
	enum pr_status (*store)(struct pr_call *call, struct pr_str key, struct pr_str value);
	enum pr_status (*remove)(struct pr_call *call, struct pr_str key);
	/* *cursor is 0 at first; PR_NOTFOUND at the end. */
	enum pr_status (*next)(struct pr_call *call, uint64_t *cursor, struct pr_str *key_out, struct pr_str *value_out);
	enum pr_status (*begin)(struct pr_call *call);  /* rebuild into a new table ... */
	enum pr_status (*commit)(struct pr_call *call); /* ... made durable and put in place at once */
	/* Who owns the data: uid of the owner of the table, for rules of trust. */
	enum pr_status (*owner)(struct pr_call *call, uint32_t *uid_out);
};

#endif
