/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The full program as an administrator knows it: sendmail's modes and the names beside them.
 *
 *   sendmail -bd    mailq    newaliases    makemap hash access < access    postriderctl reload
 *
 * command_main looks at its name, then at the mode letter, each a row of a table, and calls the one function that does
 * it.  A mode prints for people and returns an exit status of sysexits.h.
 */
#ifndef KERNEL_COMMAND_COMMAND_H
#define KERNEL_COMMAND_COMMAND_H

int command_main(int argc, char **argv);

#endif
