/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter that writes a log line at every hook and, when told to, misbehaves at one of them.
 * It is how a site sees what a filter would see, and how the kernel's handling of filters is tried out.
 */
#include <postrider/filter.h>

#include <signal.h>
#include <string.h>
#include <time.h>

struct debug {
	struct pr_str at;
	struct pr_str match;
	struct pr_str action;
	struct pr_str text;
	struct pr_str enhanced;
	int64_t code;
	int64_t pause;
	uint32_t quiet;
	uint32_t reserved;
	struct pr_list add;
	struct pr_list insert;
	struct pr_list change;
	struct pr_str sender;
	struct pr_list recipients_add;
	struct pr_list recipients_remove;
	struct pr_str body;
};

struct session {
	int64_t hooks;
	int64_t body_bytes;
};

static const struct pr_option options[] = {
    PR_OPTION(struct debug, at, "at", PR_OPTION_STRING, 0, "message", "the hook at which to act: connect helo mail rcpt data header eoh body message"),
    PR_OPTION(struct debug, match, "match", PR_OPTION_STRING, 0, "", "act only when the argument of the hook contains this"),
    PR_OPTION(struct debug, action, "action", PR_OPTION_STRING, 0, "continue",
        "continue accept reject defer discard quarantine fail misuse crash hang"),
    PR_OPTION(struct debug, code, "code", PR_OPTION_INT, 0, "0", "SMTP code of the verdict"),
    PR_OPTION(struct debug, enhanced, "enhanced", PR_OPTION_STRING, 0, NULL, "enhanced status code of the verdict"),
    PR_OPTION(struct debug, text, "text", PR_OPTION_STRING, 0, NULL, "text of the verdict, or reason of the failure"),
    PR_OPTION(struct debug, pause, "pause", PR_OPTION_TIME, 0, "0", "sleep that long before acting"),
    PR_OPTION(struct debug, quiet, "quiet", PR_OPTION_BOOL, 0, "no", "write no log lines"),
    PR_OPTION(struct debug, add, "add_header", PR_OPTION_LIST, 0, NULL, "\"Name: value\" fields to add at the end"),
    PR_OPTION(struct debug, insert, "insert_header", PR_OPTION_LIST, 0, NULL, "\"Name: value\" fields to insert at the front"),
    PR_OPTION(struct debug, change, "change_header", PR_OPTION_LIST, 0, NULL,
        "\"Name: value\" replaces the first field of that name, \"Name:\" deletes it"),
    PR_OPTION(struct debug, sender, "change_sender", PR_OPTION_STRING, 0, NULL, "the new envelope sender"),
    PR_OPTION(struct debug, recipients_add, "add_recipient", PR_OPTION_LIST, 0, NULL, "recipients to add"),
    PR_OPTION(struct debug, recipients_remove, "remove_recipient", PR_OPTION_LIST, 0, NULL, "recipients to remove"),
    PR_OPTION(struct debug, body, "replace_body", PR_OPTION_STRING, 0, NULL, "the new body"),
    PR_OPTION_END,
};

/* What an action word means: a verdict, or a way to fail. */
struct action {
	const char *name;
	uint32_t verdict;
	enum pr_status status;
	void (*misbehave)(void);
};

static void crash(void)
{
	raise(SIGSEGV);
}

static void hang(void)
{
	for (;;)
		nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
}

static const struct action actions[] = {
    {"continue", PR_CONTINUE, PR_OK, NULL}, {"accept", PR_ACCEPT, PR_OK, NULL}, {"reject", PR_REJECT, PR_OK, NULL},
    {"defer", PR_DEFER, PR_OK, NULL}, {"discard", PR_DISCARD, PR_OK, NULL}, {"quarantine", PR_QUARANTINE, PR_OK, NULL},
    {"fail", PR_CONTINUE, PR_TEMPFAIL, NULL}, {"misuse", PR_CONTINUE, PR_MISUSE, NULL}, {"crash", PR_CONTINUE, PR_OK, crash},
    {"hang", PR_CONTINUE, PR_OK, hang},
};

static const struct action *find_action(struct pr_str name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (pr_str_equal_nocase(pr_str(actions[i].name), name))
			return &actions[i];
	return NULL;
}

static bool contains(struct pr_str text, struct pr_str part)
{
	return part.len == 0 || (text.len >= part.len && memmem(text.data, text.len, part.data, part.len) != NULL);
}

/* Writes the log line of a hook, and does there what the options say. */
static enum pr_status visit(struct pr_call *call, const char *hook, struct pr_str argument, struct pr_verdict *verdict)
{
	struct debug *debug = call->instance;
	struct session *session = call->session;
	struct pr_text shown;

	session->hooks++;
	if (debug->quiet == 0) {
		pr_text_init(&shown, 2000);
		pr_text_add_escaped(&shown, argument, 500);
		call->host->log(call, PR_LOG_INFO, "debug: %s %s", hook, shown.data);
		pr_text_fini(&shown);
	}
	if (!pr_str_equal_nocase(debug->at, pr_str(hook)) || !contains(argument, debug->match))
		return PR_OK;
	if (debug->pause > 0)
		nanosleep(&(struct timespec){.tv_sec = debug->pause}, NULL);
	const struct action *action = find_action(debug->action);
	if (action->misbehave != NULL)
		action->misbehave();
	if (action->status != PR_OK)
		return pr_fail(call, action->status, "%s", debug->text.data != NULL ? debug->text.data : "told to fail");
	*verdict = (struct pr_verdict){action->verdict, (uint32_t)debug->code, debug->enhanced, debug->text};
	return PR_OK;
}

static enum pr_status check(struct pr_call *call)
{
	static const char hooks[] = " connect helo mail rcpt data header eoh body message ";
	const struct debug *debug = call->instance;

	if (find_action(debug->action) == NULL)
		return pr_fail(call, PR_MISUSE, "action \"%s\" is not known", debug->action.data);
	struct pr_str padded = pr_arena_printf(call->arena, " %s ", debug->at.data);
	if (padded.data == NULL || strstr(hooks, padded.data) == NULL)
		return pr_fail(call, PR_MISUSE, "at = \"%s\" is no hook", debug->at.data);
	return PR_OK;
}

static enum pr_status on_connect(struct pr_call *call, const struct pr_client *client, struct pr_verdict *verdict)
{
	struct pr_str argument = pr_arena_printf(call->arena, "%.*s [%.*s]", PR_PRINT(client->name), PR_PRINT(client->address));

	return visit(call, "connect", argument, verdict);
}

static enum pr_status on_helo(struct pr_call *call, struct pr_str name, struct pr_verdict *verdict)
{
	return visit(call, "helo", name, verdict);
}

/* "<address> SIZE=5 BODY=8BITMIME" */
static struct pr_str with_parameters(struct pr_call *call, struct pr_str address, const struct pr_list *parameters)
{
	struct pr_text text;

	pr_text_init(&text, 4000);
	pr_text_add_str(&text, address);
	for (size_t i = 0; parameters != NULL && i < parameters->count; i++)
		pr_text_addf(&text, " %.*s", PR_PRINT(parameters->items[i]));
	struct pr_str argument = pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return argument;
}

static enum pr_status on_mail(struct pr_call *call, struct pr_str sender, const struct pr_list *parameters, struct pr_verdict *verdict)
{
	return visit(call, "mail", with_parameters(call, sender, parameters), verdict);
}

static enum pr_status on_rcpt(struct pr_call *call, struct pr_str recipient, const struct pr_list *parameters, struct pr_verdict *verdict)
{
	return visit(call, "rcpt", with_parameters(call, recipient, parameters), verdict);
}

static enum pr_status on_data(struct pr_call *call, struct pr_verdict *verdict)
{
	return visit(call, "data", PR_STR(""), verdict);
}

static enum pr_status on_header(struct pr_call *call, const struct pr_header *header, struct pr_verdict *verdict)
{
	struct pr_str argument = pr_arena_printf(call->arena, "%.*s:%.*s", PR_PRINT(header->name), PR_PRINT(header->value));

	return visit(call, "header", argument, verdict);
}

static enum pr_status on_eoh(struct pr_call *call, struct pr_verdict *verdict)
{
	return visit(call, "eoh", PR_STR(""), verdict);
}

static enum pr_status on_body(struct pr_call *call, const void *data, size_t len, struct pr_verdict *verdict)
{
	struct session *session = call->session;

	session->body_bytes += (int64_t)len;
	return visit(call, "body", (struct pr_str){data, len}, verdict);
}

/* Splits "Name: value"; an empty value is absent. */
static struct pr_str split_field(struct pr_str field, struct pr_str *value_out)
{
	size_t colon = pr_str_find(field, ':');

	*value_out = pr_str_slice(field, colon + 1, field.len);
	if (pr_str_trim(*value_out).len == 0)
		*value_out = PR_NONE;
	return pr_str_trim(pr_str_slice(field, 0, colon));
}

static enum pr_status edit_headers(struct pr_call *call, const struct debug *debug, const struct pr_filter_edit *edit)
{
	enum pr_status status = PR_OK;
	struct pr_str name, value;

	for (size_t i = 0; status == PR_OK && i < debug->add.count; i++) {
		name = split_field(debug->add.items[i], &value);
		status = edit->header_add(call, name, value);
	}
	for (size_t i = 0; status == PR_OK && i < debug->insert.count; i++) {
		name = split_field(debug->insert.items[i], &value);
		status = edit->header_insert(call, 0, name, value);
	}
	for (size_t i = 0; status == PR_OK && i < debug->change.count; i++) {
		name = split_field(debug->change.items[i], &value);
		status = edit->header_change(call, name, 1, value);
	}
	return status;
}

static enum pr_status edit_envelope(struct pr_call *call, const struct debug *debug, const struct pr_filter_edit *edit)
{
	enum pr_status status = PR_OK;

	if (debug->sender.data != NULL)
		status = edit->sender_change(call, debug->sender);
	for (size_t i = 0; status == PR_OK && i < debug->recipients_add.count; i++)
		status = edit->recipient_add(call, debug->recipients_add.items[i]);
	for (size_t i = 0; status == PR_OK && i < debug->recipients_remove.count; i++)
		status = edit->recipient_remove(call, debug->recipients_remove.items[i]);
	if (status == PR_OK && debug->body.data != NULL)
		status = edit->body_replace(call, debug->body.data, debug->body.len);
	return status;
}

static enum pr_status on_message(struct pr_call *call, const struct pr_envelope *envelope, const struct pr_filter_edit *edit,
    struct pr_verdict *verdict)
{
	const struct debug *debug = call->instance;
	const struct session *session = call->session;
	struct pr_str argument = pr_arena_printf(call->arena, "%.*s from %.*s: %zu recipients, %zu fields, %lld bytes seen",
	    PR_PRINT(envelope->id), PR_PRINT(envelope->sender), envelope->recipient_count, envelope->header_count,
	    (long long)session->body_bytes);
	enum pr_status status = edit_headers(call, debug, edit);

	if (status == PR_OK)
		status = edit_envelope(call, debug, edit);
	return status == PR_OK ? visit(call, "message", argument, verdict) : status;
}

static void on_abort(struct pr_call *call)
{
	struct session *session = call->session;
	struct pr_verdict ignored;

	session->body_bytes = 0;
	visit(call, "abort", PR_STR(""), &ignored);
}

static void on_close(struct pr_call *call)
{
	const struct session *session = call->session;
	struct pr_verdict ignored;

	visit(call, "close", pr_arena_printf(call->arena, "after %lld hooks", (long long)session->hooks), &ignored);
}

static const struct pr_filter_ops ops = {
    .size = sizeof ops,
    .connect = on_connect,
    .helo = on_helo,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data = on_data,
    .header = on_header,
    .eoh = on_eoh,
    .body = on_body,
    .message = on_message,
    .abort = on_abort,
    .close = on_close,
};

PR_MODULE(debug) = {
    PR_MODULE_HEAD(PR_KIND_FILTER),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct debug),
    .session_size = sizeof(struct session),
    .name = "debug",
    .version = "1.0",
    .summary = "logs every hook; rejects, defers, edits, sleeps or crashes when told to",
    .options = options,
    .check = check,
    .ops = &ops,
};
