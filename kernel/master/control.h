/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket, RUN_DIR/control.sock: how postriderctl talks to the master.
 *
 * A SOCK_STREAM socket that everybody may connect to, for mailq; but all except queue-list, queue-run and rescan is answered to root and the
 * master's own user only (SO_PEERCRED), and strangers never take more than half of the connections.  The client sends one line and reads
 * lines until the master closes:
 *
 *   status      "master pid 12 generation 3 uptime 77", then one line for each role, with what it says of itself now; OK
 *   reload      waits until the new generation is in force: OK; or ERROR and the reason, the old one serves on
 *   stop        the daemon finishes running transactions and leaves; OK when its place is free for another one
 *   queue-run   OK when the courier was told to run the whole queue
 *   queue-run D=DIRECTORY WORD...   the same for the messages that the words of a selection choose, and only when DIRECTORY (xtext) is the
 *               queue directory of this daemon; else a line "OTHER" and the one that is
 *   rescan      OK when the courier was told to look at the queue: somebody has changed it by hand
 *   queue-list  the connection goes to the courier, who decides whether this user may see the queue and sends it (kernel/queue/row.h)
 *
 * Before the answer to reload and stop there may be a line "WAIT text", which says what is waited for.
 * The last line is always "OK" or "ERROR text"; a connection that ends without one means that the master died.
 */
#ifndef KERNEL_MASTER_CONTROL_H
#define KERNEL_MASTER_CONTROL_H

#define CONTROL_SOCKET_NAME "control.sock"
#define CONTROL_LINE_MAX 6000 /* a selection of messages, kernel/queue/selection.h, and the name of a directory */

#endif
