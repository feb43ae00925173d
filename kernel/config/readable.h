/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables that nobody of us may read.
 *
 * Debian's sendmail leaves its tables to smmta:smmsp, mode 0640.  A daemon that started with them all the same would answer each recipient with
 * "try again later", and the reason would stand in the log only; so it does not start, and says which file it is and what makes it readable.
 */
#ifndef KERNEL_CONFIG_READABLE_H
#define KERNEL_CONFIG_READABLE_H

#include "kernel/config/config.h"

/* Looks at the tables of all maps for receiver and courier; with `is_root` false for the user we are.  False: some that are there can be read by
 * neither, and `why` has a line for each, and the commands. */
bool config_is_readable(const struct config *config, bool is_root, struct pr_text *why);

/* The file that a setting of a map names, and what is added to it (".db"); absent: it names none. */
struct pr_str config_map_file(const struct config_instance *map, const struct config_setting *setting, const char **suffix_out);

#endif
