/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several maps as one: the first that has the key answers.
 *
 * One that cannot be asked does not hide those behind it; only when none of them has the key is the failure the answer.
 */
#ifndef MODULES_MAPS_SEQUENCE_MEMBERS_H
#define MODULES_MAPS_SEQUENCE_MEMBERS_H

#include <postrider/mapflags.h>

struct members {
	struct pr_map_flags flags;
	struct pr_list maps;   /* the option */
	struct pr_str service; /* switch: what is looked up in the service switch file */
	struct pr_str file;    /* switch: that file */
	struct pr_str *names;  /* on the heap, each; set by open() */
	size_t count;
};

enum pr_status members_lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out);
void members_add(struct members *members, struct pr_str name);
void members_close(struct pr_call *call);

#endif
