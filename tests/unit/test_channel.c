/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The channel keeps borders and descriptors; the helper's packets survive the trip and no damaged one is believed.
 */
#include "kernel/net/helper_protocol.h"
#include "kernel/role/arguments.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct channel_message message;

static void test_round_trip(void)
{
	int pair[2], fd, pipe_fds[2];
	char byte = 'x';

	CU_ASSERT_TRUE_FATAL(channel_pair(pair) && pipe(pipe_fds) == 0);
	CU_ASSERT_TRUE(channel_send(pair[0], CHANNEL_HELPER, 7, -5, PR_STR("joe"), pipe_fds[1]));
	CU_ASSERT_TRUE(channel_send(pair[0], CHANNEL_READY, 8, 0, PR_NONE, -1));
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 1000), 1);
	CU_ASSERT_TRUE(message.kind == CHANNEL_HELPER && message.serial == 7 && message.number == -5);
	CU_ASSERT_STRING_EQUAL(message.text, "joe");
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_TRUE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CU_ASSERT_EQUAL(write(fd, &byte, 1), 1);
	close(fd);
	byte = 0;
	CU_ASSERT_EQUAL(read(pipe_fds[0], &byte, 1), 1);
	CU_ASSERT_EQUAL(byte, 'x');
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 1000), 1);
	CU_ASSERT_TRUE(message.kind == CHANNEL_READY && message.length == 0 && fd == -1);
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 10), -1);
	close(pair[0]);
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 10), 0);
	close(pair[1]);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void test_limits(void)
{
	static char big[CHANNEL_TEXT_MAX + 100];
	int pair[2], fd;

	CU_ASSERT_TRUE_FATAL(channel_pair(pair));
	memset(big, 'a', sizeof big);
	CU_ASSERT_FALSE(channel_send(pair[0], CHANNEL_PLAN, 0, 0, (struct pr_str){big, CHANNEL_TEXT_MAX}, -1));
	CU_ASSERT_TRUE(channel_send(pair[0], CHANNEL_PLAN, 0, 0, (struct pr_str){big, CHANNEL_TEXT_MAX - 1}, -1));
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 10), 1);
	CU_ASSERT_EQUAL(message.length, CHANNEL_TEXT_MAX - 1);
	CU_ASSERT_EQUAL(send(pair[0], big, sizeof big, 0), (ssize_t)sizeof big); /* not by our rules: too long */
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 10), -1);
	CU_ASSERT_EQUAL(send(pair[0], big, 3, 0), 3); /* too short for a head */
	CU_ASSERT_EQUAL(channel_receive(pair[1], &message, &fd, 10), -1);
	close(pair[0]);
	close(pair[1]);
}

static void make_request(struct pr_text *packet)
{
	static const struct pr_str argv[] = {{"/bin/sh", 7}, {"-c", 2}, {"cat", 3}};
	static const struct pr_str variables[] = {{"SENDER=a@b", 10}};
	const struct helper_request request = {.kind = 4, .flags = 1, .timeout = 60, .header_size = 12345,
	                                       .user = PR_NONE, .path = PR_STR("~/Maildir"), .argv = {argv, 3},
	                                       .environment = {variables, 1}};

	CU_ASSERT_TRUE(helper_request_print(&request, packet));
}

static void test_request(void)
{
	struct helper_request got;
	struct pr_arena arena;
	struct pr_text packet;

	pr_arena_init(&arena, 65536);
	pr_text_init(&packet, HELPER_PACKET_MAX);
	make_request(&packet);
	CU_ASSERT_TRUE_FATAL(helper_request_parse(pr_text_str(&packet), &arena, &got));
	CU_ASSERT_TRUE(got.kind == 4 && got.flags == 1 && got.timeout == 60 && got.header_size == 12345);
	CU_ASSERT_EQUAL(got.user.len, 0);
	CU_ASSERT_STRING_EQUAL(got.path.data, "~/Maildir");
	CU_ASSERT_EQUAL_FATAL(got.argv.count, 3);
	CU_ASSERT_STRING_EQUAL(got.argv.items[2].data, "cat");
	CU_ASSERT_STRING_EQUAL(got.environment.items[0].data, "SENDER=a@b");
	pr_text_add_byte(&packet, 'x'); /* rest bytes */
	CU_ASSERT_FALSE(helper_request_parse(pr_text_str(&packet), &arena, &got));
	pr_text_fini(&packet);
	pr_arena_fini(&arena);
}

static void test_damaged_request(void)
{
	struct helper_request got;
	struct pr_arena arena;
	struct pr_text packet;
	unsigned int refused = 0;

	pr_arena_init(&arena, 1 << 20);
	pr_text_init(&packet, HELPER_PACKET_MAX);
	make_request(&packet);
	for (size_t len = 0; len < packet.len; len++) {
		char *exact = malloc(len + 1);
		memcpy(exact, packet.data, len);
		CU_ASSERT_FALSE(helper_request_parse((struct pr_str){exact, len}, &arena, &got));
		free(exact);
	}
	for (size_t at = 0; at < packet.len; at++) {
		packet.data[at] = (char)(packet.data[at] ^ 0xff);
		pr_arena_reset(&arena);
		refused += helper_request_parse(pr_text_str(&packet), &arena, &got) ? 0 : 1;
		packet.data[at] = (char)(packet.data[at] ^ 0xff);
	}
	CU_ASSERT_TRUE(refused > 0);
	pr_text_fini(&packet);
	pr_arena_fini(&arena);
}

static void test_reply(void)
{
	const struct helper_reply reply = {.status = PR_TEMPFAIL, .exit_status = -9, .reason = PR_STR("locked"),
	                                   .output = {"a\0b", 3}};
	struct helper_reply got;
	struct pr_text packet;

	pr_text_init(&packet, HELPER_PACKET_MAX);
	CU_ASSERT_TRUE(helper_reply_print(&reply, &packet));
	CU_ASSERT_TRUE_FATAL(helper_reply_parse(pr_text_str(&packet), &got));
	CU_ASSERT_TRUE(got.status == PR_TEMPFAIL && got.exit_status == -9 && got.output.len == 3);
	CU_ASSERT_STRING_EQUAL(got.reason.data, "locked");
	for (size_t len = 0; len < packet.len; len++)
		CU_ASSERT_FALSE(helper_reply_parse((struct pr_str){packet.data, len}, &got));
	packet.data[0] = 77; /* no such status */
	CU_ASSERT_FALSE(helper_reply_parse(pr_text_str(&packet), &got));
	pr_text_fini(&packet);
}

static void test_role_arguments(void)
{
	char *good[] = {"postrider", "--role", "receiver", "--config", "/c", "--channel", "5", "--wake", "6", "--generation", "3",
	                "--listen", "MTA:7:0", "--listen", "a:b:8:1", "-O", "HostName=x", NULL};
	char *bad[] = {"postrider", "--role", "receiver", "--config", "/c", "--channel", "5x", NULL};
	static struct role_arguments arguments;
	struct pr_text why;

	pr_text_init(&why, 1000);
	CU_ASSERT_STRING_EQUAL(role_name(17, good), "receiver");
	CU_ASSERT_PTR_NULL(role_name(1, good));
	CU_ASSERT_TRUE_FATAL(role_arguments_parse(17, good, &arguments, &why));
	CU_ASSERT_TRUE(arguments.role.channel == 5 && arguments.role.wake == 6 && arguments.role.generation == 3);
	CU_ASSERT_EQUAL_FATAL(arguments.role.listener_count, 2);
	CU_ASSERT_TRUE(arguments.listeners[1].fd == 8 && arguments.listeners[1].submission == 1);
	CU_ASSERT_TRUE(pr_str_equal(arguments.listeners[1].name, PR_STR("a:b")));
	CU_ASSERT_EQUAL(arguments.role.overrides.count, 1);
	CU_ASSERT_FALSE(role_arguments_parse(7, bad, &arguments, &why));
	CU_ASSERT_FALSE(role_arguments_parse(3, good, &arguments, &why)); /* no channel */
	pr_text_fini(&why);
}

static const struct unit_case cases[] = {{"round trip with a descriptor", test_round_trip},
                                         {"too long, too short", test_limits},
                                         {"helper request", test_request},
                                         {"damaged helper request", test_damaged_request},
                                         {"helper reply", test_reply},
                                         {"role arguments", test_role_arguments},
                                         {NULL, NULL}};
UNIT_MAIN("channel", cases)
