/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte tells the version.  Addresses are read by the C library and printed again, so what goes on to rules and logs is
 * of one form whoever wrote it.
 */
#include "kernel/smtp/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

#define V1_MAX 107
#define V2_FIXED 16
#define WORDS_MAX 6

static const char signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static enum proxy_result wrong(const char **why_out, const char *why)
{
	*why_out = why;
	return PROXY_WRONG;
}

/* An IPv4 address in the clothes of IPv6 is one, as everywhere (kernel/net/peer.h). */
static bool print_address(int family, const void *binary, char out[PROXY_ADDRESS_MAX])
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	size_t head = 0;

	if (family == AF_INET6 && memcmp(binary, mapped, sizeof mapped) == 0) {
		family = AF_INET;
		binary = (const unsigned char *)binary + sizeof mapped;
	} else if (family == AF_INET6) {
		memcpy(out, "IPv6:", head = 5);
	}
	return inet_ntop(family, binary, out + head, (socklen_t)(PROXY_ADDRESS_MAX - head)) != NULL;
}

static bool read_address(int family, struct pr_str text, char out[PROXY_ADDRESS_MAX])
{
	unsigned char binary[16];
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, binary) == 1 && print_address(family, binary, out);
}

bool proxy_address_parse(struct pr_str text, char address_out[PROXY_ADDRESS_MAX])
{
	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		return read_address(AF_INET6, pr_str_slice(text, 5, text.len), address_out);
	return read_address(AF_INET, text, address_out) || read_address(AF_INET6, text, address_out);
}

static bool read_end(int family, struct pr_str address, struct pr_str port, struct proxy_end *end)
{
	uint64_t number = 0;

	if (!pr_str_number(port, UINT16_MAX, &number))
		return false;
	end->port = (uint32_t)number;
	return read_address(family, address, end->address);
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT", one blank between two words. */
static bool read_line(struct pr_str line, struct proxy_header *header)
{
	struct pr_str words[WORDS_MAX], rest = line;
	size_t count = 0;

	while (count < WORDS_MAX && pr_str_next(&rest, ' ', &words[count]))
		count++;
	if (count >= 2 && pr_str_equal(words[1], PR_STR("UNKNOWN")))
		return true;
	if (count != WORDS_MAX || rest.len > 0)
		return false;
	bool six = pr_str_equal(words[1], PR_STR("TCP6"));
	if (!six && !pr_str_equal(words[1], PR_STR("TCP4")))
		return false;
	int family = six ? AF_INET6 : AF_INET;
	header->speaks = true;
	return read_end(family, words[2], words[4], &header->client) && read_end(family, words[3], words[5], &header->server);
}

static enum proxy_result parse_one(struct pr_str bytes, struct proxy_header *header, const char **why_out)
{
	static const char head[] = "PROXY ";
	size_t common = bytes.len < sizeof head - 1 ? bytes.len : sizeof head - 1;
	size_t end = pr_str_find(pr_str_slice(bytes, 0, V1_MAX), '\n');

	if (memcmp(bytes.data, head, common) != 0)
		return wrong(why_out, "no PROXY header");
	if (end >= bytes.len || end >= V1_MAX)
		return bytes.len < V1_MAX ? PROXY_MORE : wrong(why_out, "a PROXY header of more than 107 bytes");
	header->len = end + 1;
	if (bytes.data[end - 1] != '\r' || !read_line(pr_str_slice(bytes, 0, end - 1), header))
		return wrong(why_out, "a PROXY header that nobody can read");
	return PROXY_DONE;
}

static uint32_t number_at(const char *bytes)
{
	return (uint32_t)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static bool read_binary(int family, const char *bytes, struct proxy_header *header)
{
	size_t size = family == AF_INET6 ? 16 : 4;

	header->speaks = true;
	header->client.port = number_at(bytes + 2 * size);
	header->server.port = number_at(bytes + 2 * size + 2);
	return print_address(family, bytes, header->client.address) && print_address(family, bytes + size, header->server.address);
}

/* The command and whom it is about; the block is there as a whole. */
static enum proxy_result read_block(const char *block, size_t len, struct proxy_header *header, const char **why_out)
{
	unsigned char command = (unsigned char)block[12] & 0x0f, family = (unsigned char)block[13];

	if (command > 1)
		return wrong(why_out, "a PROXY header with an unknown command");
	if (command == 0 || family == 0) /* LOCAL, UNSPEC */
		return PROXY_DONE;
	if (family != 0x11 && family != 0x21)
		return wrong(why_out, "a PROXY header that is not about TCP");
	if (len < (family == 0x21 ? 36u : 12u))
		return wrong(why_out, "a PROXY header too short for its addresses");
	return read_binary(family == 0x21 ? AF_INET6 : AF_INET, block + V2_FIXED, header) ? PROXY_DONE
	                                                                                   : wrong(why_out, "a PROXY header that nobody can read");
}

static enum proxy_result parse_two(struct pr_str bytes, struct proxy_header *header, const char **why_out)
{
	size_t common = bytes.len < sizeof signature ? bytes.len : sizeof signature;

	if (memcmp(bytes.data, signature, common) != 0)
		return wrong(why_out, "no PROXY header");
	if (bytes.len > 12 && ((unsigned char)bytes.data[12] & 0xf0) != 0x20)
		return wrong(why_out, "a PROXY header of an unknown version");
	if (bytes.len < V2_FIXED)
		return PROXY_MORE;
	size_t len = number_at(bytes.data + 14);
	if (V2_FIXED + len > PROXY_HEADER_MAX)
		return wrong(why_out, "a PROXY header of more than 4112 bytes");
	if (bytes.len < V2_FIXED + len)
		return PROXY_MORE;
	header->len = V2_FIXED + len;
	return read_block(bytes.data, len, header, why_out);
}

enum proxy_result proxy_header_parse(struct pr_str bytes, struct proxy_header *header_out, const char **why_out)
{
	struct proxy_header header = {0};
	enum proxy_result result = PROXY_MORE;

	if (bytes.len > 0)
		result = bytes.data[0] == '\r' ? parse_two(bytes, &header, why_out) : parse_one(bytes, &header, why_out);
	if (result == PROXY_DONE)
		*header_out = header;
	return result;
}
