/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers of the PROXY protocol and lists of networks.
 * Each header is fed whole, with bytes of a client behind it, and cut at every place: MORE until it is whole, the same then.
 */
#include "kernel/smtp/networks.h"
#include "kernel/smtp/proxy_header.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIX_A "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define SIX_B "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
#define HEADER(text) {text, sizeof text - 1}

static const struct good {
	struct pr_str header;
	bool speaks;
	const char *client, *server;
	uint32_t client_port, server_port;
} good[] = {
    {HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 45678 25\r\n"), true, "192.0.2.1", "198.51.100.2", 45678, 25},
    {HEADER("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), true, "255.255.255.255", "255.255.255.255", 65535, 65535},
    {HEADER("PROXY TCP6 2001:db8::1 2001:DB8:0:0:0:0:0:2 1 0\r\n"), true, "IPv6:2001:db8::1", "IPv6:2001:db8::2", 1, 0},
    {HEADER("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), true, "192.0.2.1", "IPv6:::1", 1, 2},
    {HEADER("PROXY UNKNOWN\r\n"), false, "", "", 0, 0},
    {HEADER("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), false, "", "", 0, 0},
    {HEADER(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\xb2\x6e\0\x19"), true, "192.0.2.1", "198.51.100.2", 45678, 25},
    {HEADER(SIGNATURE "\x21\x21\0\x24" SIX_A SIX_B "\xb2\x6e\1\xd1"), true, "IPv6:2001:db8::1", "IPv6:2001:db8::2", 45678, 465},
    {HEADER(SIGNATURE "\x21\x21\0\x24" MAPPED SIX_B "\xb2\x6e\1\xd1"), true, "192.0.2.1", "IPv6:2001:db8::2", 45678, 465},
    {HEADER(SIGNATURE "\x21\x11\0\x12\xc0\0\2\1\xc6\x33\x64\2\xb2\x6e\0\x19\4\0\3abc"), true, "192.0.2.1", "198.51.100.2", 45678, 25}, /* a TLV */
    {HEADER(SIGNATURE "\x20\0\0\0"), false, "", "", 0, 0},                                                    /* LOCAL */
    {HEADER(SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\xb2\x6e\0\x19"), false, "", "", 0, 0},          /* LOCAL: the addresses are ignored */
    {HEADER(SIGNATURE "\x21\0\0\3abc"), false, "", "", 0, 0},                                                 /* UNSPEC */
};

static const struct pr_str wrong[] = {
    HEADER("EHLO client.example\r\n"), HEADER("PROXX TCP4"), HEADER("proxy TCP4 192.0.2.1 198.51.100.2 45678 25\r\n"), HEADER("\r\nEHLO"), HEADER("PROXY\r\n"),
    HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 45678\r\n"), HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 45678 25 1\r\n"),
    HEADER("PROXY TCP4  192.0.2.1 198.51.100.2 45678 25\r\n"), HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 45678 65536\r\n"),
    HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n"), HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 0x10 25\r\n"), HEADER("PROXY TCP4 192.0.2 198.51.100.2 1 25\r\n"),
    HEADER("PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n"), HEADER("PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n"), HEADER("PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n"),
    HEADER("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 25\r\n"), HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 45678 25\n"), HEADER("PROXY TCP6 fe80::1%lo ::1 1 25\r\n"),
    HEADER(SIGNATURE "\x11\x11\0\x0c"), HEADER(SIGNATURE "\x22\x11\0\0"), HEADER(SIGNATURE "\x21\x12\0\0"), HEADER(SIGNATURE "\x21\x31\0\0"), HEADER(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\2\xb2\x6e\0"),
    HEADER(SIGNATURE "\x21\x21\0\x23" SIX_A SIX_B "\xb2\x6e\1"), HEADER(SIGNATURE "\x21\x11\x10\1"), HEADER("\r\n\r\n\1"),
};

/* Of its own size, so that a sanitizer sees a look behind the end. */
static enum proxy_result parse(const char *bytes, size_t len, struct proxy_header *header, const char **why)
{
	char *copy = malloc(len + (len == 0));

	memcpy(copy, bytes, len);
	enum proxy_result result = proxy_header_parse((struct pr_str){copy, len}, header, why);
	free(copy);
	return result;
}

static void check_good(const struct good *row, const struct proxy_header *header)
{
	CU_ASSERT_EQUAL(header->len, row->header.len);
	CU_ASSERT_EQUAL(header->speaks, row->speaks);
	CU_ASSERT_STRING_EQUAL(header->client.address, row->client);
	CU_ASSERT_STRING_EQUAL(header->server.address, row->server);
	CU_ASSERT_EQUAL(header->client.port, row->client_port);
	CU_ASSERT_EQUAL(header->server.port, row->server_port);
}

static void test_good(void)
{
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct proxy_header header;
		struct pr_text more;
		const char *why = NULL;
		for (size_t len = 0; len < good[i].header.len; len++)
			CU_ASSERT_EQUAL(parse(good[i].header.data, len, &header, &why), PROXY_MORE);
		CU_ASSERT_EQUAL(parse(good[i].header.data, good[i].header.len, &header, &why), PROXY_DONE);
		check_good(&good[i], &header);
		pr_text_init(&more, 10000);
		pr_text_add_str(&more, good[i].header);
		pr_text_add_c(&more, "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nEHLO x\r\n");
		CU_ASSERT_EQUAL(parse(more.data, more.len, &header, &why), PROXY_DONE);
		check_good(&good[i], &header);
		pr_text_fini(&more);
	}
}

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct proxy_header header = {.len = 4711};
		const char *why = NULL;
		enum proxy_result result = PROXY_MORE;
		for (size_t len = 0; len <= wrong[i].len && result == PROXY_MORE; len++)
			result = parse(wrong[i].data, len, &header, &why);
		CU_ASSERT_EQUAL(result, PROXY_WRONG);
		if (result != PROXY_WRONG)
			printf("row %zu: %.*s\n", i, PR_PRINT(wrong[i]));
		CU_ASSERT_PTR_NOT_NULL(why);
		CU_ASSERT_EQUAL(header.len, 4711);
	}
}

static void test_limits(void)
{
	struct proxy_header header;
	char bytes[PROXY_HEADER_MAX + 10];
	const char *why = NULL;

	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, "PROXY UNKNOWN ", 14);
	CU_ASSERT_EQUAL(parse(bytes, 106, &header, &why), PROXY_MORE);
	CU_ASSERT_EQUAL(parse(bytes, 107, &header, &why), PROXY_WRONG);
	memcpy(bytes + 105, "\r\n", 2);
	CU_ASSERT_EQUAL(parse(bytes, 107, &header, &why), PROXY_DONE);
	memcpy(bytes + 105, "x\r\n", 3);
	CU_ASSERT_EQUAL(parse(bytes, 108, &header, &why), PROXY_WRONG);
	memcpy(bytes, SIGNATURE "\x21\0\x10\0", 16);
	CU_ASSERT_EQUAL(parse(bytes, PROXY_HEADER_MAX - 1, &header, &why), PROXY_MORE);
	CU_ASSERT_EQUAL(parse(bytes, PROXY_HEADER_MAX, &header, &why), PROXY_DONE);
	CU_ASSERT_EQUAL(header.len, PROXY_HEADER_MAX);
}

static void test_networks(void)
{
	static const struct pr_str items[] = {{"192.0.2.0/24", 12}, {"10.1.2.3", 8}, {"2001:db8::/33", 13}, {"local", 5}, {"IPv6:::1", 8}, {"172.16.0.0/12", 13}};
	const struct pr_list list = {items, sizeof items / sizeof items[0]}, none = {NULL, 0};
	static const struct {
		const char *address;
		bool in;
	} rows[] = {{"192.0.2.7", true}, {"192.0.3.7", false}, {"10.1.2.3", true}, {"10.1.2.4", false}, {"IPv6:2001:db8:7fff::1", true}, {"IPv6:2001:db8:8000::1", false},
	    {"local", true}, {"LOCAL", false}, {"IPv6:::1", true}, {"IPv6:::2", false}, {"172.31.255.255", true}, {"172.32.0.0", false}, {"IPv6:::ffff:192.0.2.7", true}, {"", false}, {"x", false}};
	static const char *const bad[] = {"", "x", "192.0.2", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "::/129", "192.0.2.0/24/8", "Local", "192.0.2.0 /24", "mail.example.org"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CU_ASSERT_EQUAL(smtp_networks_have(&list, pr_str(rows[i].address)), rows[i].in);
		CU_ASSERT_FALSE(smtp_networks_have(&none, pr_str(rows[i].address)));
	}
	for (size_t i = 0; i < list.count; i++)
		CU_ASSERT_TRUE(smtp_network_is_valid(items[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(smtp_network_is_valid(pr_str(bad[i])));
	CU_ASSERT_TRUE(smtp_network_is_valid(PR_STR("0.0.0.0/0")) && smtp_network_is_valid(PR_STR("::/0")));
}

static const struct unit_case cases[] = {
    {"headers, whole and cut", test_good}, {"what is none", test_wrong}, {"lengths", test_limits}, {"networks", test_networks}, {NULL, NULL}};
UNIT_MAIN("proxy", cases)
