/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One question, one packet: who asks the name servers.
 *
 * Above this line everything is the same whoever asks: names are checked, packets read and aliases followed in dns_query.c.  Below it is
 *
 *   dns_ask_unbound.c  libunbound: one context for the process, a cache, DNSSEC, any number of threads
 *   dns_ask_libc.c     the C library's resolver, where libunbound was not there at build time: no cache, and nothing is ever secure
 *
 * Whoever it is: an answer that does not come in time, SERVFAIL, REFUSED and an answer that DNSSEC proves false are PR_TEMPFAIL, with the reason.
 */
#ifndef KERNEL_NET_DNS_ASK_H
#define KERNEL_NET_DNS_ASK_H

#include "kernel/net/dns.h"

#define DNS_PACKET_MAX 65536
#define DNS_PATIENCE_MS 20000 /* for one question, when the call has no deadline of its own */

struct dns_packet {
	size_t len;
	uint32_t rcode; /* of the answer that came; 0: none did */
	bool secure; /* proven by DNSSEC, from the trust anchor down */
	unsigned char bytes[DNS_PACKET_MAX];
};

/* Once per process, before the first question.  False, with a sentence: these settings cannot be used here. */
bool dns_ask_init(const struct dns_settings *settings, struct pr_text *why);
/* `name` is complete and has sound labels.  PR_OK: NOERROR, with or without records; PR_NOTFOUND: there is no such name. */
enum pr_status dns_ask(struct pr_call *call, const char *name, int type, struct dns_packet *packet);

#endif
