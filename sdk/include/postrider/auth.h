/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Authentication: mechanisms and steps, for the server and the client side (RFC 4954, RFC 4422).
 */
#ifndef POSTRIDER_AUTH_H
#define POSTRIDER_AUTH_H

#include "module.h"

struct pr_auth_step {
	size_t size;
	struct pr_str mechanism; /* in */
	struct pr_str input;     /* in: decoded bytes from the other side; absent at the first step without initial response */
	struct pr_str output;    /* out: bytes for the other side, to be encoded by the kernel */
	uint32_t done;           /* out: 1 when the exchange is over */
	uint32_t strength;       /* out: security layer bits */
	struct pr_str name;      /* out when done: authenticated as */
	struct pr_str realm;
};

struct pr_auth_ops {
	size_t size;
	enum pr_status (*mechanisms)(struct pr_call *call, uint32_t tls, struct pr_list *names_out);
	/* PR_OK: go on or done; PR_NOTFOUND: wrong credentials (535); PR_TEMPFAIL: could not check (454). */
	enum pr_status (*server_step)(struct pr_call *call, struct pr_auth_step *step);
	enum pr_status (*client_step)(struct pr_call *call, struct pr_auth_step *step);
};

#endif
