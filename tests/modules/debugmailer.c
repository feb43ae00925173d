/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A mailer that writes each message to a file of its own and fails for the recipients it is told to.
 * The files are put in place by rename, so a test that sees one sees all of it.
 */
#include <postrider/file.h>
#include <postrider/mailer.h>

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct debugmailer {
	struct pr_str directory;
	struct pr_list defer;
	struct pr_list reject;
	struct pr_list unfilled;
	struct pr_str crash;
	struct pr_str fail;
	int64_t pause;
	int64_t session_most;
	_Atomic uint64_t messages;
};

struct session {
	uint64_t delivered;
	uint64_t opened;
};

static const struct pr_option options[] = {
    PR_OPTION(struct debugmailer, directory, "directory", PR_OPTION_PATH, 0, NULL, "where a file per message is written"),
    PR_OPTION(struct debugmailer, defer, "defer", PR_OPTION_LIST, 0, NULL, "users to answer 450"),
    PR_OPTION(struct debugmailer, reject, "reject", PR_OPTION_LIST, 0, NULL, "users to answer 550"),
    PR_OPTION(struct debugmailer, unfilled, "unfilled", PR_OPTION_LIST, 0, NULL, "users whose result is left to deliver()'s own status"),
    PR_OPTION(struct debugmailer, crash, "crash", PR_OPTION_STRING, 0, NULL, "the user that crashes"),
    PR_OPTION(struct debugmailer, fail, "fail", PR_OPTION_STRING, 0, NULL, "host whose session does not open"),
    PR_OPTION(struct debugmailer, pause, "pause", PR_OPTION_TIME, 0, "0", "how long a delivery takes"),
    PR_OPTION(struct debugmailer, session_most, "session_most", PR_OPTION_INT, 0, "100", "messages for one session"),
    PR_OPTION_END,
};

static bool is_listed(const struct pr_list *list, struct pr_str user)
{
	for (size_t i = 0; i < list->count; i++)
		if (pr_str_equal_nocase(list->items[i], user))
			return true;
	return false;
}

static enum pr_status session_open(struct pr_call *call, const struct pr_destination *destination)
{
	const struct debugmailer *mailer = call->instance;
	struct session *session = call->session;

	if (mailer->fail.data != NULL && pr_str_equal_nocase(mailer->fail, destination->host))
		return pr_fail(call, PR_TEMPFAIL, "told not to reach %.*s", PR_PRINT(destination->host));
	session->opened = 1;
	return PR_OK;
}

static enum pr_status add_body(struct pr_call *call, struct pr_body *body, struct pr_text *text)
{
	char buffer[4096];
	size_t got = 0;
	enum pr_status status;

	while ((status = body->read(body, call, buffer, sizeof buffer, &got)) == PR_OK && got > 0)
		if (!pr_text_add(text, buffer, got))
			return pr_fail(call, PR_TEMPFAIL, "the message is too long for a test");
	return status;
}

/* Sender, destination and users first, an empty line, then the message as a transport would send it. */
static enum pr_status write_message(struct pr_call *call, const struct pr_destination *destination, const struct pr_envelope *envelope,
    struct pr_body *body, const struct pr_delivery *deliveries, size_t count)
{
	struct debugmailer *mailer = call->instance;
	struct pr_text text, why;

	pr_text_init(&text, 64 << 20);
	pr_text_init(&why, 500);
	pr_text_addf(&text, "sender %.*s\nmailer %.*s\nhost %.*s\n", PR_PRINT(envelope->sender), PR_PRINT(destination->mailer),
	    PR_PRINT(destination->host));
	for (size_t i = 0; i < count; i++)
		pr_text_addf(&text, "user %.*s\n", PR_PRINT(deliveries[i].user));
	pr_text_add_byte(&text, '\n');
	enum pr_status status = call->host->header_print(call, envelope, &text);
	if (status == PR_OK)
		status = add_body(call, body, &text);
	if (status == PR_OK && mailer->directory.data != NULL) {
		struct pr_str path = pr_arena_printf(call->arena, "%s/%ld.%llu", mailer->directory.data, (long)getpid(),
		    (unsigned long long)atomic_fetch_add(&mailer->messages, 1));
		status = pr_file_replace(path.data, 0644, pr_text_str(&text), &why);
		if (status != PR_OK)
			pr_fail(call, status, "%s", why.data);
	}
	pr_text_fini(&text);
	pr_text_fini(&why);
	return status;
}

static void fill(const struct debugmailer *mailer, struct pr_delivery *delivery)
{
	delivery->remote = PR_STR("debug.invalid [192.0.2.1]");
	if (is_listed(&mailer->unfilled, delivery->user))
		return;
	if (is_listed(&mailer->defer, delivery->user)) {
		delivery->status = PR_TEMPFAIL;
		delivery->code = 450;
		delivery->enhanced = PR_STR("4.2.0");
		delivery->reply = PR_STR("told to wait");
	} else if (is_listed(&mailer->reject, delivery->user)) {
		delivery->status = PR_PERMFAIL;
		delivery->code = 550;
		delivery->enhanced = PR_STR("5.1.1");
		delivery->reply = PR_STR("told to refuse");
	} else {
		delivery->status = PR_OK;
		delivery->code = 250;
		delivery->enhanced = PR_STR("2.0.0");
		delivery->reply = PR_STR("written");
	}
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination, const struct pr_envelope *envelope,
    struct pr_body *body, struct pr_delivery *deliveries, size_t count)
{
	const struct debugmailer *mailer = call->instance;
	struct session *session = call->session;
	bool unfilled = false;

	if (session->opened == 0)
		return pr_fail(call, PR_MISUSE, "deliver without session_open");
	if (mailer->pause > 0)
		nanosleep(&(struct timespec){.tv_sec = mailer->pause}, NULL);
	for (size_t i = 0; i < count; i++)
		if (mailer->crash.data != NULL && pr_str_equal_nocase(mailer->crash, deliveries[i].user))
			raise(SIGSEGV);
	enum pr_status status = write_message(call, destination, envelope, body, deliveries, count);
	for (size_t i = 0; status == PR_OK && i < count; i++) {
		fill(mailer, &deliveries[i]);
		unfilled |= deliveries[i].status == PR_MISUSE;
	}
	session->delivered++;
	return unfilled ? pr_fail(call, PR_TEMPFAIL, "told to leave a result open") : status;
}

static bool alive(struct pr_call *call)
{
	const struct debugmailer *mailer = call->instance;
	const struct session *session = call->session;

	return session->opened != 0 && session->delivered < (uint64_t)mailer->session_most;
}

static void session_close(struct pr_call *call)
{
	const struct session *session = call->session;

	call->host->log(call, PR_LOG_INFO, "debugmailer: session closed after %llu messages", (unsigned long long)session->delivered);
}

static const struct pr_mailer_ops ops = {
    .size = sizeof ops,
    .default_flags = "lsDFMXmn",
    .session_open = session_open,
    .deliver = deliver,
    .alive = alive,
    .session_close = session_close,
};

PR_MODULE(debugmailer) = {
    PR_MODULE_HEAD(PR_KIND_MAILER),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct debugmailer),
    .session_size = sizeof(struct session),
    .name = "debugmailer",
    .version = "1.0",
    .summary = "writes messages to files and fails when told to",
    .options = options,
    .ops = &ops,
};
