/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DANE for SMTP (RFC 7672): which certificate a host may show, by the word of its own zone.
 *
 * Only what DNSSEC proves counts: the host's addresses (an address that is not proven could be anybody's, and no TLSA record is asked for),
 * and the TLSA record itself.  That the MX record which led to the host was proven is for who found it to know.
 */
#ifndef KERNEL_NET_DANE_H
#define KERNEL_NET_DANE_H

#include "kernel/net/dns.h"

/* pr_host.dane_find */
enum pr_status dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out);

#endif
