/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts file: "address name name ...".
 */
#ifndef MODULES_MAPS_HOST_FILES_H
#define MODULES_MAPS_HOST_FILES_H

#include <postrider/module.h>

/* The full name of a host that the file has, by its name or by its name without `domain` (this machine's, may be absent): the first name
 * of its line with a dot, or else the first and the domain. */
enum pr_status files_canonical(struct pr_call *call, struct pr_str path, struct pr_str domain, struct pr_str name, struct pr_str *full_out);
/* The first name of the line of an address. */
enum pr_status files_name(struct pr_call *call, struct pr_str path, struct pr_str address, struct pr_str *name_out);

#endif
