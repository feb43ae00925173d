/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a proxy in front of us says of a connection before the first byte of it: the PROXY protocol of HAProxy
 * (haproxy.org/download/2.9/doc/proxy-protocol.txt).
 *
 *   version 1   "PROXY TCP4 192.0.2.1 198.51.100.2 45678 25\r\n", at most 107 bytes with its end
 *   version 2   a signature of 12 bytes, command, family, a length, addresses and ports in binary, more fields (TLVs)
 *
 * TLVs are skipped.  Bytes behind the header are the client's and are not looked at; a header cut anywhere is MORE until it is
 * whole, and what can no longer become a header is WRONG at once.
 */
#ifndef KERNEL_SMTP_PROXY_HEADER_H
#define KERNEL_SMTP_PROXY_HEADER_H

#include <postrider/text.h>

#define PROXY_HEADER_MAX 4112 /* bytes: the fixed part of version 2 and 4096 more */
#define PROXY_ADDRESS_MAX 64

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_WRONG };

struct proxy_end {
	char address[PROXY_ADDRESS_MAX]; /* "192.0.2.1", "IPv6:2001:db8::1" */
	uint32_t port;
};

struct proxy_header {
	size_t len;      /* bytes of the header */
	bool speaks;     /* of a client; false: LOCAL or UNKNOWN, the connection is the proxy's own */
	struct proxy_end client, server;
};

/* *header_out with DONE; *why_out, one sentence, with WRONG. */
/* "192.0.2.1", "IPv6:2001:db8::1", "2001:db8::1": printed in the first two forms.  False: it is none. */
bool proxy_address_parse(struct pr_str text, char address_out[PROXY_ADDRESS_MAX]);
enum proxy_result proxy_header_parse(struct pr_str bytes, struct proxy_header *header_out, const char **why_out);

#endif
