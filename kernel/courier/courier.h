/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier: queue out.  One thread drives one delivery or one cached connection; kernel/plan says what is next.
 */
#ifndef KERNEL_COURIER_COURIER_H
#define KERNEL_COURIER_COURIER_H

#include "kernel/config/role.h"

int courier_main(const struct role *role);

#endif
