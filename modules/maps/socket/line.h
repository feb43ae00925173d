/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection that carries netstrings ("5:hello,"), within a limit of time.
 */
#ifndef MODULES_MAPS_SOCKET_LINE_H
#define MODULES_MAPS_SOCKET_LINE_H

#include <postrider/text.h>

#define LINE_ANSWER_MAX 100000

struct line {
	int fd; /* -1: not connected */
	int64_t until_ms; /* CLOCK_MONOTONIC; the owner sets it before each use */
};

/* endpoint: "inet:port@host", "inet6:port@host", "unix:/path", "local:/path" or "/path".  False with errno or, as EHOSTUNREACH, no such
 * host; EINVAL: it is none of these. */
bool line_connect(struct line *line, struct pr_str endpoint);
bool line_is_endpoint(struct pr_str endpoint);
void line_close(struct line *line);
bool line_send(struct line *line, struct pr_str bytes);
/* One netstring; false with errno (EPROTO: it is none). */
bool line_receive(struct line *line, struct pr_text *out);

#endif
