/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of names (domains, users) and of networks, filled once when the engine opens and then only read.
 */
#ifndef MODULES_RULES_ROUTES_NAMES_H
#define MODULES_RULES_ROUTES_NAMES_H

#include <postrider/text.h>

struct names {
	char **slots; /* lower case */
	size_t room, count;
};

void names_fini(struct names *names);
void names_add(struct names *names, struct pr_str name); /* a final dot is taken off */
bool names_has(const struct names *names, struct pr_str name);
/* The name or a domain above it. */
bool names_covers(const struct names *names, struct pr_str name);

struct network {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t bits;
};

struct networks {
	struct network *items;
	size_t count;
};

void networks_fini(struct networks *networks);
/* "192.0.2.1", "192.0.2", "192.0.2.", "192.0.2.0/24", "2001:db8::/32", "IPv6:2001:db8::1"; false: none of them. */
bool networks_add(struct networks *networks, struct pr_str text);
bool networks_has(const struct networks *networks, struct pr_str address);

#endif
