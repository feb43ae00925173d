/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A scripted SMTP server on 127.0.0.1, one thread.  A script is a list of steps, ended by NULL:
 *
 *   "<text"  sends text          ">text"  reads a line that must begin with text
 *   "."      reads a message up to the final dot, kept as it came
 *   "#N"     sends N bytes of a reply that does not end       "~"  reset (RST) and end of this connection
 *   "%N"     reads N bytes, which are not kept
 *   "$"      closes in order     "zN"     sleeps N tenths of a second     "+"  accepts the next connection
 */
#ifndef TESTS_UNIT_FAKE_SERVER_H
#define TESTS_UNIT_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct fake_server;

struct fake_server *fake_server_start(const char *const *script);
unsigned int fake_server_port(const struct fake_server *server);
/* Waits for the end of the script; true when every step was as expected. */
bool fake_server_stop(struct fake_server *server);
/* After stop: everything read by "." steps, and every line read by ">" steps. */
const char *fake_server_data(const struct fake_server *server, size_t *length_out);
const char *fake_server_lines(const struct fake_server *server);
unsigned int fake_server_reads(const struct fake_server *server); /* segments that arrived */
void fake_server_free(struct fake_server *server);

#endif
