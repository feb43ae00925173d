/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Brackets are needed around an IPv6 address with a port, and only there.
 * The one reader of these items, so that what was found good is what is asked.
 */
#include "kernel/config/server.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_address(const char *text)
{
	unsigned char ignored[16];

	return inet_pton(AF_INET, text, ignored) == 1 || inet_pton(AF_INET6, text, ignored) == 1;
}

bool config_server_parse(struct pr_str item, char *address, uint32_t *port_out)
{
	struct pr_str name = pr_str_trim(item), port = PR_NONE;
	size_t close = pr_str_find(name, ']'), colon = pr_str_find_last(name, ':');
	bool bracketed = name.len > 0 && name.data[0] == '[' && close < name.len;
	uint64_t number = 53;

	if (bracketed) {
		port = pr_str_slice(name, close + 1, name.len);
		name = pr_str_slice(name, 1, close);
	} else if (colon < name.len && pr_str_find(name, ':') == colon) {
		port = pr_str_slice(name, colon, name.len);
		name = pr_str_slice(name, 0, colon);
	}
	if (port.len > 0 && (port.data[0] != ':' || !pr_str_number(pr_str_slice(port, 1, port.len), 65535, &number) || number == 0))
		return false;
	if (name.len == 0 || name.len >= INET6_ADDRSTRLEN)
		return false;
	memcpy(address, name.data, name.len);
	address[name.len] = '\0';
	*port_out = (uint32_t)number;
	return is_address(address);
}
