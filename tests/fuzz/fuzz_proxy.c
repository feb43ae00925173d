/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A header of the PROXY protocol.  However it is cut the result is the same: MORE until it is whole or wrong, and no byte behind it matters; an
 * address that comes out is one that the C library would print.
 */
#include "kernel/smtp/networks.h"
#include "kernel/smtp/proxy_header.h"
#include "tests/fuzz/fuzz.h"

static enum proxy_result parse(const uint8_t *data, size_t size, struct proxy_header *header)
{
	const char *why = NULL;
	char *copy = malloc(size + (size == 0));

	if (size > 0)
		memcpy(copy, data, size);
	enum proxy_result result = proxy_header_parse((struct pr_str){copy, size}, header, &why);
	FUZZ_CHECK((result == PROXY_WRONG) == (why != NULL));
	free(copy);
	return result;
}

static void check_end(const struct proxy_end *end)
{
	struct pr_str item = pr_str(end->address);
	struct pr_list list = {&item, 1};

	FUZZ_CHECK(end->port <= 65535);
	FUZZ_CHECK(smtp_network_is_valid(item) && smtp_networks_have(&list, item));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header, again;

	if (size > 2 * PROXY_HEADER_MAX)
		return 0;
	enum proxy_result result = parse(data, size, &header);
	size_t step = size > 600 ? size / 100 : 1;
	for (size_t len = 0; len < size; len += step) {
		enum proxy_result early = parse(data, len, &again);
		FUZZ_CHECK(early == PROXY_MORE || early == result);
		FUZZ_CHECK(early != PROXY_DONE || (again.len == header.len && again.len <= len));
		FUZZ_CHECK(early != PROXY_MORE || result != PROXY_DONE || len < header.len);
	}
	if (result != PROXY_DONE)
		return 0;
	FUZZ_CHECK(header.len > 0 && header.len <= size && header.len <= PROXY_HEADER_MAX);
	if (header.speaks) {
		check_end(&header.client);
		check_end(&header.server);
	}
	return 0;
}
