/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All sessions of the process.  Their memory is re-used but never given back, as loop.h demands.
 */
#ifndef KERNEL_SESSION_TABLE_H
#define KERNEL_SESSION_TABLE_H

#include "kernel/session/session.h"

struct table;

struct table *table_new(void);
void table_free(struct table *table);
/* A zeroed session whose task is busy (owned by the caller), or NULL when `most` are in use. */
struct session *table_take(struct table *table, size_t most);
/* Returns how many are left. */
size_t table_give(struct table *table, struct session *session);
size_t table_count(struct table *table);
/* Posts an event to every session. */
void table_post(struct table *table, struct loop *loop, uint32_t event);

#endif
