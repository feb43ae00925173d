/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SMTP mailer with a host of its own making: what the tests of its conversation begin with.
 */
#ifndef TESTS_UNIT_MAILER_FIXTURE_H
#define TESTS_UNIT_MAILER_FIXTURE_H

#include "modules/mailers/smtp/smtp.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <time.h>

extern const struct pr_module smtp_LTX_pr_module;

#define EHLO_ALL "<250-fake.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-DSN\r\n250 HELP\r\n"
#define HELLO_ALL "<220 fake.example ESMTP\r\n", ">EHLO me.example\r\n", EHLO_ALL
#define HELLO_PLAIN "<220 fake.example ESMTP\r\n", ">EHLO me.example\r\n", "<250 fake.example\r\n"

/* the host --------------------------------------------------------------- */
static const struct pr_mx *mx_answer;
static size_t mx_count;
static enum pr_status mx_status;

static enum pr_status fake_mx(struct pr_call *call, struct pr_str domain, const struct pr_mx **mx_out, size_t *count_out)
{
	(void)domain;
	*mx_out = mx_answer;
	*count_out = mx_count;
	return mx_status == PR_OK ? PR_OK : pr_fail(call, mx_status, "no answer");
}

static enum pr_status fake_addresses(struct pr_call *call, struct pr_str name, struct pr_list *addresses_out)
{
	static const struct pr_str here[] = {{"127.0.0.1", 9}};

	if (pr_str_has_prefix_nocase(name, PR_STR("none")))
		return pr_fail(call, PR_NOTFOUND, "no such name");
	if (pr_str_has_prefix_nocase(name, PR_STR("later")))
		return pr_fail(call, PR_TEMPFAIL, "no answer");
	*addresses_out = (struct pr_list){here, 1};
	return PR_OK;
}

static struct pr_str fake_option(struct pr_call *call, struct pr_str name)
{
	(void)call;
	if (pr_str_equal(name, PR_STR("HostName")))
		return PR_STR("me.example");
	return pr_str_has_prefix_nocase(name, PR_STR("Timeout.")) ? PR_STR("1s") : PR_NONE;
}

static struct pr_str fake_macro(struct pr_call *call, struct pr_str name)
{
	(void)call;
	(void)name;
	return PR_NONE;
}

static struct pr_str header = {"From: a@x\nTo: b@y\n\n", 19};
static bool fits;          /* the kernel knows content_fit() */
static uint32_t offered[4];
static size_t offered_count;

static enum pr_status fake_fit(struct pr_call *call, uint32_t offers, uint32_t *form_out)
{
	(void)call;
	if (!fits)
		return PR_MISUSE;
	offered[offered_count++ % 4] = offers;
	*form_out = offers & PR_OFFERS_EIGHT_BIT ? PR_CONTENT_EIGHT_BIT : 0;
	return PR_OK;
}

static enum pr_status fake_header(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out)
{
	(void)call;
	(void)envelope;
	if (fits)
		pr_text_addf(out, "X-Form: %u\n", offered[(offered_count - 1) % 4]);
	pr_text_add_str(out, header);
	return PR_OK;
}

static char answered[2000]; /* "RCPT To:<a@x>;..." in the order of the refusals */

static void fake_answered(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command)
{
	size_t length = strlen(answered);

	(void)call;
	(void)delivery;
	snprintf(answered + length, sizeof answered - length, "%.*s;", PR_PRINT(command));
}

static const struct pr_host host = {.size = sizeof host, .option = fake_option, .macro = fake_macro, .dns_mx = fake_mx,
                                    .dns_addresses = fake_addresses, .header_print = fake_header, .answered = fake_answered, .content_fit = fake_fit};

/* the body ---------------------------------------------------------------- */
struct bytes {
	struct pr_str all;
	size_t at, piece;
	bool breaks;
};

static enum pr_status read_bytes(struct pr_body *body, struct pr_call *call, void *buffer, size_t room, size_t *length_out)
{
	struct bytes *bytes = body->context;
	size_t left = bytes->all.len - bytes->at, take = bytes->piece < room ? bytes->piece : room;

	if (left == 0 && bytes->breaks)
		return pr_fail(call, PR_TEMPFAIL, "disk on fire");
	*length_out = take < left ? take : left;
	memcpy(buffer, bytes->all.data + bytes->at, *length_out);
	bytes->at += *length_out;
	return PR_OK;
}

static enum pr_status rewind_bytes(struct pr_body *body, struct pr_call *call)
{
	(void)call;
	((struct bytes *)body->context)->at = 0;
	return PR_OK;
}

/* the fixture --------------------------------------------------------------- */
struct fixture {
	struct smtp smtp;
	struct smtp_session session;
	struct pr_arena arena;
	struct pr_call call;
	struct bytes bytes;
	struct pr_body body;
	struct pr_envelope envelope;
	struct pr_recipient recipients[3];
	struct pr_delivery deliveries[3];
	struct pr_destination destination;
	char host[80];
};

static void begin(struct fixture *f, size_t recipients, const char *host_text)
{
	static const char *const users[] = {"u1@y.example", "u2@y.example", "u3@y.example"};
	struct pr_str why;

	memset(f, 0, sizeof *f);
	answered[0] = '\0';
	pr_arena_init(&f->arena, 1u << 24);
	f->call = (struct pr_call){.size = sizeof f->call, .host = &host, .arena = &f->arena, .instance = &f->smtp, .session = &f->session};
	CU_ASSERT_EQUAL(pr_option_defaults(smtp_LTX_pr_module.options, &f->smtp, &f->arena, &why), PR_OK);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.check(&f->call), PR_OK);
	CU_ASSERT_EQUAL(smtp_LTX_pr_module.open(&f->call), PR_OK);
	f->bytes = (struct bytes){.all = PR_STR("hello\n"), .piece = 65536};
	f->body = (struct pr_body){.size = sizeof f->body, .context = &f->bytes, .read = read_bytes, .rewind = rewind_bytes};
	f->envelope = (struct pr_envelope){.size = sizeof f->envelope, .sender = PR_STR("<a@x.example>"), .body_size = 6};
	for (size_t i = 0; i < recipients; i++)
		f->deliveries[i] = (struct pr_delivery){.recipient = &f->recipients[i], .user = pr_str(users[i]), .status = PR_MISUSE};
	f->destination = (struct pr_destination){.size = sizeof f->destination, .identity = PR_STR("me.example")};
	snprintf(f->host, sizeof f->host, "%s", host_text);
	f->destination.host = pr_str(f->host);
	mx_status = PR_NOTFOUND;
	mx_count = 0;
}

static void end(struct fixture *f)
{
	smtp_drop(&f->session);
	pr_arena_fini(&f->arena);
}

static struct fake_server *begin_with(struct fixture *f, size_t recipients, const char *const *script)
{
	struct fake_server *server = fake_server_start(script);
	char text[64];

	snprintf(text, sizeof text, "[127.0.0.1]:%u", fake_server_port(server));
	begin(f, recipients, text);
	return server;
}

static const struct pr_mailer_ops *ops(void)
{
	return smtp_LTX_pr_module.ops;
}

static void deliver(struct fixture *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		f->deliveries[i].status = PR_MISUSE;
	CU_ASSERT_EQUAL(ops()->deliver(&f->call, &f->destination, &f->envelope, &f->body, f->deliveries, count), PR_OK);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_NOT_EQUAL(f->deliveries[i].status, PR_MISUSE);
}

static void finish(struct fixture *f, struct fake_server *server)
{
	end(f);
	CU_ASSERT_TRUE(fake_server_stop(server));
	fake_server_free(server);
}

static bool reply_has(const struct pr_delivery *delivery, const char *text)
{
	bool found = delivery->reply.data != NULL && strstr(delivery->reply.data, text) != NULL;

	if (!found)
		fprintf(stderr, "reply is \"%s\", not \"%s\"\n", delivery->reply.data != NULL ? delivery->reply.data : "(none)", text);
	return found;
}

#endif
