/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One message through a mailer, or through all hooks of a filter, as a courier or an SMTP session would do it.
 * Results are printed line by line, so that a test can grep for them.
 */
#include "tool.h"

#include <postrider/address.h>
#include <stdio.h>
#include <sysexits.h>

static const char *const action_names[] = {"continue", "accept", "reject", "defer", "discard", "quarantine"};

int tool_deliver(struct loaded *loaded, struct tool_message *message)
{
	const struct pr_mailer_ops *mailer = loaded->module->ops;
	struct pr_call *call = &loaded->call;
	struct pr_address address;

	pr_address_split(pr_address_inner(message->recipient.address), &address);
	struct pr_destination destination = {
	    .size = sizeof destination, .mailer = pr_str(loaded->module->name), .host = address.domain, .identity = PR_STR("localhost"),
	};
	struct pr_delivery delivery = {.recipient = &message->recipient, .user = address.full, .status = PR_MISUSE};
	enum pr_status status = mailer->session_open != NULL ? mailer->session_open(call, &destination) : PR_OK;
	if (status != PR_OK)
		return tool_answer(loaded, status);
	status = mailer->deliver(call, &destination, &message->envelope, &message->body, &delivery, 1);
	bool filled = delivery.status != PR_MISUSE;
	printf("%.*s: %s", PR_PRINT(message->recipient.address), pr_status_name(filled ? delivery.status : status));
	if (filled)
		printf(" %u %.*s %.*s (%.*s)", (unsigned int)delivery.code, PR_PRINT(delivery.enhanced), PR_PRINT(delivery.reply),
		    PR_PRINT(delivery.remote));
	printf("\n");
	int result = tool_answer(loaded, filled ? (enum pr_status)delivery.status : status);
	if (mailer->session_close != NULL)
		mailer->session_close(call);
	return result;
}

/* A filter's edits are shown, not done: nothing comes after the filter here. */
static enum pr_status show_field(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	(void)call;
	printf("header_add %.*s:%.*s\n", PR_PRINT(name), PR_PRINT(value));
	return PR_OK;
}

static enum pr_status show_insert(struct pr_call *call, uint32_t index, struct pr_str name, struct pr_str value)
{
	(void)call;
	printf("header_insert %u %.*s:%.*s\n", (unsigned int)index, PR_PRINT(name), PR_PRINT(value));
	return PR_OK;
}

static enum pr_status show_change(struct pr_call *call, struct pr_str name, uint32_t index, struct pr_str value)
{
	(void)call;
	printf("header_change %.*s %u%s%.*s\n", PR_PRINT(name), (unsigned int)index, value.data != NULL ? ":" : " deleted", PR_PRINT(value));
	return PR_OK;
}

static enum pr_status show_sender(struct pr_call *call, struct pr_str sender)
{
	(void)call;
	printf("sender_change %.*s\n", PR_PRINT(sender));
	return PR_OK;
}

static enum pr_status show_add(struct pr_call *call, struct pr_str address)
{
	(void)call;
	printf("recipient_add %.*s\n", PR_PRINT(address));
	return PR_OK;
}

static enum pr_status show_remove(struct pr_call *call, struct pr_str address)
{
	(void)call;
	printf("recipient_remove %.*s\n", PR_PRINT(address));
	return PR_OK;
}

static enum pr_status show_body(struct pr_call *call, const void *data, size_t len)
{
	(void)call;
	(void)data;
	printf("body_replace %zu bytes\n", len);
	return PR_OK;
}

static const struct pr_filter_edit edit = {
    sizeof edit, show_field, show_insert, show_change, show_sender, show_add, show_remove, show_body,
};

/* Prints the verdict of a hook that was called; true when the message goes on. */
static bool show(const struct loaded *loaded, const char *hook, enum pr_status status, const struct pr_verdict *verdict, int *result)
{
	if (status != PR_OK) {
		printf("%s: %s\n", hook, pr_status_name(status));
		*result = tool_answer(loaded, status);
		return false;
	}
	const char *action = verdict->action < sizeof action_names / sizeof action_names[0] ? action_names[verdict->action] : "?";
	printf("%s: %s", hook, action);
	if (verdict->action != PR_CONTINUE)
		printf(" %u %.*s %.*s", (unsigned int)verdict->code, PR_PRINT(verdict->enhanced), PR_PRINT(verdict->text));
	printf("\n");
	if (verdict->action == PR_REJECT || verdict->action == PR_DEFER)
		*result = verdict->action == PR_REJECT ? EX_UNAVAILABLE : EX_TEMPFAIL;
	return verdict->action == PR_CONTINUE;
}

/* One hook, if the filter has it: true when the message goes on. */
#define HOOK(name, ...) \
	(filter->name == NULL || show(loaded, #name, (verdict = (struct pr_verdict){0}, filter->name(__VA_ARGS__)), &verdict, &result))

static bool run_header(struct loaded *loaded, const struct pr_filter_ops *filter, const struct tool_message *message, int *result_out)
{
	struct pr_call *call = &loaded->call;
	struct pr_verdict verdict;
	int result = *result_out;
	bool going = true;

	for (size_t i = 0; going && i < message->envelope.header_count; i++)
		going = HOOK(header, call, &message->envelope.headers[i], &verdict);
	*result_out = result;
	return going;
}

int tool_filter(struct loaded *loaded, struct tool_message *message)
{
	static const struct pr_client client = {
	    .size = sizeof client, .name = PR_STR_INIT("localhost"), .address = PR_STR_INIT("127.0.0.1"), .daemon = PR_STR_INIT("MTA"),
	};
	const struct pr_filter_ops *filter = loaded->module->ops;
	const struct pr_list none = {NULL, 0};
	struct pr_call *call = &loaded->call;
	struct pr_verdict verdict;
	int result = EX_OK;

	(void)(HOOK(connect, call, &client, &verdict) && HOOK(helo, call, PR_STR("localhost"), &verdict) &&
	       HOOK(mail, call, message->envelope.sender, &none, &verdict) &&
	       HOOK(rcpt, call, message->recipient.address, &none, &verdict) && HOOK(data, call, &verdict) &&
	       run_header(loaded, filter, message, &result) && HOOK(eoh, call, &verdict) &&
	       HOOK(body, call, message->body_bytes.data, message->body_bytes.len, &verdict) &&
	       HOOK(message, call, &message->envelope, &edit, &verdict));
	if (filter->close != NULL)
		filter->close(call);
	return result;
}
