/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The service switch file: which services answer for what, and in which order.
 *
 *   hosts     files dns
 *   aliases   files
 *
 * One line for each; the first one of a name counts.  Without the file: dns and files for hosts as sendmail has it ("dns nis files"), files
 * for all else.
 */
#ifndef MODULES_MAPS_SEQUENCE_SERVICES_H
#define MODULES_MAPS_SEQUENCE_SERVICES_H

#include <postrider/module.h>

#define SERVICES_DEFAULT_FILE "/etc/mail/service.switch"

/* The services of `what`, separated by blanks, in the arena.  `path` is absent: the option ServiceSwitchFile, or else the usual place. */
enum pr_status services_find(struct pr_call *call, struct pr_str path, struct pr_str what, struct pr_str *services_out);

#endif
