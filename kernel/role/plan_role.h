/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan role: reads the configuration, loads and checks every module, and prints the master's table (kernel/master/table.h).
 */
#ifndef KERNEL_ROLE_PLAN_ROLE_H
#define KERNEL_ROLE_PLAN_ROLE_H

#include "kernel/config/config.h"
#include "kernel/config/role.h"

int plan_main(const struct role *role);
/* The table as text; pure. */
bool plan_print(const struct config *config, struct pr_text *out);

#endif
