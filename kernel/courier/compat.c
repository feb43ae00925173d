/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_compat: may this sender write to this recipient at all?  Asked before each try.
 * sendmail makes an exit status of the enhanced code that the set names, and of that the words in log and notice, so 5.7.1 becomes "Data
 * format error"; whoever reads its logs knows them, so a table says them here too.
 */
#include "kernel/courier/internal.h"

#include "kernel/log/log.h"

#define LINE_MAX_BYTES 3500
#define TEXT_BYTES 600

static const struct compat_result usage = {PR_PERMFAIL, "5.5.4", "500 5.0.0", "Command line usage error", false};
static const struct compat_result data = {PR_PERMFAIL, "5.5.2", "501 5.6.0", "Data format error", false};
static const struct compat_result user = {PR_PERMFAIL, "5.1.1", "550 5.1.1", "User unknown", true};
static const struct compat_result host = {PR_PERMFAIL, "5.1.2", "550 5.1.2", "Host unknown", true};
static const struct compat_result unavailable = {PR_PERMFAIL, "5.5.0", "554 5.0.0", "Service unavailable", false};
static const struct compat_result protocol = {PR_PERMFAIL, "5.5.0", "554 5.5.0", "Remote protocol error", false};
static const struct compat_result configuration = {PR_PERMFAIL, "5.5.0", "554 5.3.5", "Local configuration error", false};
static const struct compat_result system_error = {PR_TEMPFAIL, "4.5.0", NULL, "Operating system error", false};
static const struct compat_result io_error = {PR_TEMPFAIL, "4.5.0", NULL, "I/O error", false};
static const struct compat_result deferred = {PR_TEMPFAIL, "4.2.0", NULL, "Deferred", false};
static const struct compat_result discarded = {PR_OK, "2.0.0", NULL, NULL, false};

/* What stands behind the first digit of an enhanced code; the longest that fits. */
static const struct {
	const char *code;
	const struct compat_result *result;
} results[] = {
    {".1.0", &data},          {".1.1", &user},          {".1.2", &host},     {".1.3", &usage},    {".1.5", &configuration},
    {".1.6", &user},          {".1.7", &usage},         {".1.8", &host},     {".2.3", &data},     {".3.", &system_error},
    {".4.0", &io_error},      {".4.1", &deferred},      {".4.2", &io_error}, {".4.3", &deferred}, {".4.4", &protocol},
    {".4.5", &deferred},      {".4.6", &configuration}, {".5.", &protocol},  {".7.", &data},
};

static const struct compat_result *result_of(const struct pr_verdict *verdict)
{
	struct pr_str rest = pr_str_slice(verdict->enhanced, 1, verdict->enhanced.len);

	if (verdict->code / 100 == 4)
		return &deferred;
	if (verdict->code == 553 && pr_str_equal(rest, PR_STR(".3.0"))) /* a text without any code */
		return &unavailable;
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (pr_str_has_prefix_nocase(rest, pr_str(results[i].code)) && (results[i].code[3] == '\0' || rest.len == 4))
			return results[i].result;
	return &unavailable;
}

static struct pr_str reply_of(struct job *job, const struct parcel *parcel, const struct pr_verdict *verdict)
{
	bool about = verdict->code != 421 && verdict->code != 551;

	return pr_arena_printf(&job->arena, "%u %.*s %.*s%s%.*s", verdict->code, PR_PRINT(verdict->enhanced),
	    PR_PRINT(about ? parcel->recipient->address : PR_STR("")), about ? "... " : "", PR_PRINT(verdict->text));
}

static void report(struct job *job, const struct parcel *parcel, const struct pr_verdict *verdict, struct pr_str reply)
{
	struct pr_str relay = pr_envelope_macro(job->envelope, PR_STR("_"));
	struct pr_text line;

	pr_text_init(&line, LINE_MAX_BYTES);
	pr_text_add_c(&line, "ruleset=check_compat, arg1=");
	pr_text_add_escaped(&line, job->envelope->sender, TEXT_BYTES);
	pr_text_add_c(&line, ", arg2=");
	pr_text_add_escaped(&line, parcel->recipient->address, TEXT_BYTES);
	if (relay.len > 0) {
		pr_text_add_c(&line, ", relay=");
		pr_text_add_escaped(&line, relay, TEXT_BYTES);
	}
	pr_text_add_c(&line, verdict->action == PR_DISCARD ? ", discard" : verdict->action == PR_QUARANTINE ? ", quarantine=" : ", reject=");
	pr_text_add_escaped(&line, verdict->action == PR_DISCARD ? PR_STR("") : verdict->action == PR_QUARANTINE ? verdict->text : reply, TEXT_BYTES);
	log_at(4, LOGP_NOTICE, job->entry->id, "%s", line.data);
	pr_text_fini(&line);
}

static void settle(struct parcel *parcel, const struct compat_result *result, struct pr_str reply)
{
	parcel->compat = result;
	parcel->status = result->status;
	parcel->enhanced = pr_str(result->enhanced);
	parcel->reply = reply;
}

/* Nobody hears of it, not even who wants to hear of success. */
static void discard(struct parcel *parcel)
{
	struct pr_recipient *recipient = parcel->recipient;

	recipient->flags = (recipient->flags & ~PR_RECIPIENT_NOTIFY_SUCCESS) | PR_RECIPIENT_NOTIFY;
	settle(parcel, &discarded, PR_STR("discarded"));
}

static void complete(struct pr_verdict *verdict)
{
	bool later = verdict->action == PR_DEFER;

	if (verdict->code == 0)
		verdict->code = later ? 451 : 550;
	if (verdict->enhanced.len == 0)
		verdict->enhanced = later ? PR_STR("4.7.1") : PR_STR("5.7.1");
	if (verdict->text.len == 0)
		verdict->text = later ? PR_STR("Try again later") : PR_STR("Access denied");
}

void compat_check(struct job *job, struct parcel *parcel)
{
	struct pr_str items[] = {job->envelope->sender, parcel->recipient->address};
	struct pr_list arguments = {items, 2};
	struct pr_check_context context = {.size = sizeof context, .sender = job->envelope->sender};
	struct pr_verdict verdict = {0};
	enum pr_status status = rules_check(&job->scope, PR_CHECK_COMPAT, &context, &arguments, &verdict);

	if (status == PR_TEMPFAIL) {
		verdict = (struct pr_verdict){.action = PR_DEFER, .code = 451, .enhanced = PR_STR("4.3.0"), .text = job->scope.reason};
		settle(parcel, &deferred, reply_of(job, parcel, &verdict));
		return;
	}
	if (verdict.action == PR_CONTINUE || verdict.action == PR_ACCEPT)
		return;
	complete(&verdict);
	struct pr_str reply = reply_of(job, parcel, &verdict);
	report(job, parcel, &verdict, reply);
	if (verdict.action == PR_DISCARD) {
		discard(parcel);
	} else if (verdict.action != PR_QUARANTINE) { /* which is logged and does nothing here, in sendmail too */
		courier_count_refusal(job);
		settle(parcel, result_of(&verdict), reply);
	}
}
