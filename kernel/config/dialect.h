/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which language a configuration file speaks, seen from its beginning.
 *
 *   V10/Berkeley                          a sendmail.cf: it is run by the rule engine cf, with the site's postrider.conf for the rest
 *   run_directory = "/run/postrider";     a postrider.conf
 *
 * The first line that is neither empty nor a `#` comment decides: a letter of sendmail.cf in the first column with what may follow it there.
 * A line that would be right in both (`Pjunk=-100`, `Edate: "x"`) says nothing and the next one is asked; a file that never says is
 * a postrider.conf.
 */
#ifndef KERNEL_CONFIG_DIALECT_H
#define KERNEL_CONFIG_DIALECT_H

#include <postrider/text.h>

bool dialect_is_cf(struct pr_str bytes);
/* The file of that name; false when it cannot be read, for who reads it next has the sentence. */
bool dialect_file_is_cf(const char *path);
/* The site's postrider.conf, beside a sendmail.cf given with -C: POSTRIDER_CONF of the environment - never in a process that gained rights
 * when it was executed - or else the built-in place. */
const char *dialect_site_path(void);

#endif
