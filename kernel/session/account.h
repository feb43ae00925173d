/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the accounts of this machine say of a user: his full name, from the field of passwd that GECOS once needed.
 */
#ifndef KERNEL_SESSION_ACCOUNT_H
#define KERNEL_SESSION_ACCOUNT_H

#include <postrider/arena.h>

#include <stdint.h>

/* PR_NONE: there is no such account, or it has no name. */
struct pr_str account_full_name(struct pr_str user, struct pr_arena *arena);
struct pr_str account_full_name_of(uint32_t uid, struct pr_arena *arena);

#endif
