/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Builds each line in a bounded text with everything foreign escaped, then logs it as one string.
 * Whole lines in one place, because people grep for them and programs parse them.
 */
#include "kernel/session/report.h"

#include "kernel/log/log.h"
#include "kernel/session/envelope.h"
#include "kernel/session/introduce.h"

#include <inttypes.h>

#define LINE_MAX_BYTES 3500
#define ADDRESS_BYTES 300
#define TEXT_BYTES 600

static void add(struct pr_text *line, const char *before, struct pr_str value, size_t most)
{
	if (value.data == NULL)
		return;
	pr_text_add_c(line, before);
	pr_text_add_escaped(line, value, most);
}

static void add_relay(struct pr_text *line, struct session *session, struct bench *bench)
{
	add(line, ", relay=", session_client(session, &bench->arena), ADDRESS_BYTES);
}

static void describe(struct pr_text *line, struct session *session, struct bench *bench, struct pr_str sender, size_t recipients)
{
	const struct transaction *transaction = session->transaction;

	add(line, "from=", sender, ADDRESS_BYTES);
	pr_text_addf(line, ", size=%llu, class=%d, nrcpts=%zu", (unsigned long long)transaction->size,
	    (int)envelope_class(session->receiver->config, transaction->fields, transaction->field_count), recipients);
	add(line, ", msgid=", transaction->message_id, ADDRESS_BYTES);
	add(line, ", bodytype=", transaction->body_type, 16);
	if (session->user.data == NULL && session->machine != NULL)
		add(line, ", proto=", pr_str(smtp_machine_protocol(session->machine)), 16);
	if (session->user.data == NULL)
		add(line, ", daemon=", session->listener->name, 64);
	add_relay(line, session, bench);
	forwarded_print(session, line);
}

void report_received(struct session *session, struct bench *bench, const struct part *part)
{
	struct pr_text line;

	if (log_level() < 5)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	describe(&line, session, bench, part->envelope->sender, part->envelope->recipient_count);
	add(&line, ", quarantine=", session->transaction->quarantine, TEXT_BYTES);
	log_at(5, LOGP_INFO, part->id.data, "%s", line.data);
	if (part->owner.data != NULL)
		log_at(5, LOGP_INFO, part->id.data, "clone: owner=%.*s", PR_PRINT(part->owner));
	pr_text_fini(&line);
}

void report_nothing(struct session *session, struct bench *bench)
{
	struct pr_text line;

	if (log_level() < 5 || session->transaction == NULL)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	describe(&line, session, bench, session->transaction->sender, 0);
	log_at(5, LOGP_INFO, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

/* As the client saw it: with the address in front of what is said of a mailbox. */
static void add_reply(struct pr_text *line, const struct pr_verdict *verdict, struct pr_str about)
{
	pr_text_addf(line, "%u ", verdict->code);
	if (verdict->enhanced.data != NULL)
		pr_text_addf(line, "%.*s ", PR_PRINT(verdict->enhanced));
	if (about.len > 0 && about.data[0] == '<' && smtp_names_address(verdict->code)) {
		pr_text_add_escaped(line, about, ADDRESS_BYTES);
		pr_text_add_c(line, "... ");
	}
	pr_text_add_escaped(line, verdict->text.data != NULL ? verdict->text : PR_STR(""), TEXT_BYTES);
}

static void add_verdict(struct pr_text *line, const struct pr_verdict *verdict, struct pr_str about)
{
	if (verdict->action == PR_DISCARD) {
		pr_text_add_c(line, ", discard");
	} else if (verdict->action == PR_QUARANTINE) {
		add(line, ", quarantine=", verdict->text, TEXT_BYTES);
	} else {
		pr_text_add_c(line, ", reject=");
		add_reply(line, verdict, about);
	}
}

void report_rejected_by(struct session *session, struct bench *bench, struct pr_str ruleset, const struct pr_list *arguments,
    const struct pr_verdict *verdict)
{
	struct pr_text line;

	if (log_level() < 4)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	add(&line, "ruleset=", ruleset, 64);
	for (size_t i = 0; i < arguments->count; i++) {
		pr_text_addf(&line, ", arg%zu=", i + 1);
		pr_text_add_escaped(&line, arguments->items[i], ADDRESS_BYTES);
	}
	add_relay(&line, session, bench);
	add_verdict(&line, verdict, arguments->count > 0 ? arguments->items[0] : PR_NONE);
	log_at(4, LOGP_NOTICE, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

void report_rejected(struct session *session, struct bench *bench, const char *ruleset, struct pr_str argument,
    const struct pr_verdict *verdict)
{
	struct pr_list arguments = {&argument, argument.data != NULL ? 1 : 0};

	report_rejected_by(session, bench, pr_str(ruleset), &arguments, verdict);
}

void report_asked(struct session *session, struct bench *bench, const char *verb, struct pr_str argument)
{
	struct pr_text line;

	if (log_level() < 6)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	pr_text_add_escaped(&line, session_client(session, &bench->arena), ADDRESS_BYTES);
	pr_text_addf(&line, ": %s ", verb);
	pr_text_add_escaped(&line, argument, ADDRESS_BYTES);
	log_at(6, LOGP_INFO, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

void report_filter(struct session *session, struct bench *bench, struct pr_str filter, const char *hook,
    struct pr_str argument, const struct pr_verdict *verdict)
{
	struct pr_text line;

	if (log_level() < 4)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	pr_text_addf(&line, "Milter (%.*s): ", PR_PRINT(filter));
	if (argument.data != NULL)
		pr_text_addf(&line, "%s=", hook);
	else
		pr_text_add_c(&line, hook);
	add(&line, "", argument, ADDRESS_BYTES);
	add_relay(&line, session, bench);
	add_verdict(&line, verdict, PR_NONE);
	log_at(4, LOGP_INFO, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

static void report_limited(const struct session *session, struct log_repeat *repeat, const char *what, struct pr_str reason)
{
	struct pr_text line;
	uint64_t more;

	if (!log_repeat_begin(repeat, session_now(), &more))
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	pr_text_addf(&line, "SYSERR: %s: ", what);
	pr_text_add_escaped(&line, reason.data != NULL ? reason : PR_STR("no reason given"), TEXT_BYTES);
	if (more > 0)
		pr_text_addf(&line, " (and %" PRIu64 " times more since the last line)", more);
	log_line(LOGP_ERR, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

void report_no_room(const struct session *session, struct pr_str reason)
{
	report_limited(session, &session->receiver->no_room, "queue", reason);
}

void report_not_written(const struct session *session, struct pr_str reason)
{
	report_limited(session, &session->receiver->not_written, "queue", reason);
}

void report_no_auth(const struct session *session, struct pr_str reason)
{
	report_limited(session, &session->receiver->no_auth, "AUTH", reason);
}

void report_room(const struct session *session)
{
	uint64_t more;

	if (log_repeat_end(&session->receiver->no_room, &more))
		log_line(LOGP_NOTICE, NULL, "the queue takes mail again; it was refused %" PRIu64 " times more since the last line", more);
}

void report_failure(const struct session *session, const char *what, struct pr_str reason)
{
	struct pr_text line;

	pr_text_init(&line, LINE_MAX_BYTES);
	pr_text_addf(&line, "SYSERR: %s: ", what);
	pr_text_add_escaped(&line, reason.data != NULL ? reason : PR_STR("no reason given"), TEXT_BYTES);
	log_line(LOGP_ERR, transaction_log_id(session), "%s", line.data);
	pr_text_fini(&line);
}

void report_introduced(struct session *session, struct bench *bench, const struct pr_str *said)
{
	struct pr_text line;

	if (log_level() < 9)
		return;
	pr_text_init(&line, LINE_MAX_BYTES);
	add(&line, "xclient=", session_client(session, &bench->arena), ADDRESS_BYTES);
	pr_text_add_c(&line, ": ");
	add(&line, "", said[SMTP_ATTRIBUTE_NAME], ADDRESS_BYTES);
	add(&line, " [", said[SMTP_ATTRIBUTE_ADDR].data != NULL ? said[SMTP_ATTRIBUTE_ADDR] : PR_STR(""), ADDRESS_BYTES);
	pr_text_add_byte(&line, ']');
	add(&line, ", login=", said[SMTP_ATTRIBUTE_LOGIN], ADDRESS_BYTES);
	log_at(9, LOGP_INFO, "NOQUEUE", "%s", line.data);
	pr_text_fini(&line);
}
