/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A role that crashes says which module was on the stack.
 */
#ifndef KERNEL_MODULE_CRASH_H
#define KERNEL_MODULE_CRASH_H

/* Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT that send CHANNEL_CRASH with module_on_stack() over `channel` and
 * then let the signal end the process.  Once, early in a role; kernel/main.c does it for all of them. */
void crash_install(int channel);
/* No debugger of the same user, no core with passwords. */
void crash_hide(void);

#endif
