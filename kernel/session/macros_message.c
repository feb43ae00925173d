/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of the message that comes in, and of this moment.
 */
#include "kernel/session/macros.h"

#include <postrider/address.h>

#include <time.h>
#include <unistd.h>

static const struct transaction *transaction_of(const struct macro_context *context)
{
	return context->session->transaction;
}

static struct pr_str number(struct macro_context *context, uint64_t value)
{
	return pr_arena_printf(context->arena, "%llu", (unsigned long long)value);
}

static struct pr_str domain_of(struct pr_str address)
{
	struct pr_str inner = pr_address_inner(address);

	return pr_str_slice(inner, pr_str_find_last(inner, '@') + 1, inner.len);
}

static struct pr_str mail_addr(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? pr_address_inner(transaction->sender) : PR_NONE;
}

static struct pr_str mail_host(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? domain_of(transaction->sender) : PR_NONE;
}

static struct pr_str rcpt_addr(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL && transaction->recipient_now.data != NULL ? pr_address_inner(transaction->recipient_now) : PR_NONE;
}

static struct pr_str rcpt_host(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL && transaction->recipient_now.data != NULL ? domain_of(transaction->recipient_now) : PR_NONE;
}

static struct pr_str bad_recipients(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? number(context, transaction->refused_recipients) : PR_NONE;
}

static struct pr_str hops(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL && transaction->recipients > 0 ? number(context, transaction->hops) : PR_NONE;
}

static struct pr_str body_type(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? transaction->body_type : PR_NONE;
}

static struct pr_str envelope_id(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? transaction->envelope_id : PR_NONE;
}

static struct pr_str dsn_ret(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	if (transaction == NULL || (transaction->flags & PR_ENVELOPE_RET_GIVEN) == 0)
		return PR_NONE;
	return (transaction->flags & PR_ENVELOPE_RET_HEADERS) != 0 ? PR_STR("HDRS") : PR_STR("FULL");
}

/* NOTIFY= of the recipient who is asked about. */
static struct pr_str dsn_notify(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL && transaction->recipient_now.data != NULL ? transaction->notify_now : PR_NONE;
}

static struct pr_str tries(struct macro_context *context)
{
	return transaction_of(context) != NULL ? PR_STR("0") : PR_NONE;
}

static struct pr_str message_id(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	if (transaction == NULL || transaction->message_id.len > 0)
		return transaction != NULL ? transaction->message_id : PR_NONE;
	for (size_t i = 0; i < transaction->field_count; i++) /* at the dot, before it is made where it is missing */
		if (pr_str_equal_nocase(transaction->fields[i].name, PR_STR("Message-Id")))
			return pr_str_trim(transaction->fields[i].value);
	return PR_NONE;
}

static struct pr_str quarantine(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL ? transaction->quarantine : PR_NONE;
}

static struct pr_str delivery_mode(struct macro_context *context)
{
	const struct transaction *transaction = transaction_of(context);

	return transaction != NULL && transaction->mode != 0 ? pr_arena_printf(context->arena, "%c", transaction->mode)
	                                                    : pr_arena_printf(context->arena, "%c", session_delivery_mode(context->session));
}

static struct pr_str op_mode(struct macro_context *context)
{
	return context->session->user.data != NULL ? PR_STR("m") : PR_STR("d");
}

static struct pr_str load_avg(struct macro_context *context)
{
	return number(context, (uint64_t)atomic_load(&context->session->receiver->load));
}

static struct pr_str queue_interval(struct macro_context *context)
{
	const struct receiver *receiver = context->session->receiver;
	int64_t interval = options_interval(receiver->options, receiver->role->queue_interval);

	return interval > 0 ? options_interval_text(context->arena, interval) : PR_NONE;
}

static struct pr_str process_id(struct macro_context *context)
{
	return number(context, (uint64_t)getpid());
}

static struct pr_str unix_time(struct macro_context *context)
{
	return number(context, (uint64_t)time(NULL));
}

static int32_t zone_of(time_t now)
{
	struct tm here = {0};

	localtime_r(&now, &here);
	return (int32_t)here.tm_gmtoff;
}

static struct pr_str date(struct macro_context *context)
{
	time_t now = time(NULL);

	return mail_date(context->arena, now, zone_of(now));
}

static struct pr_str ctime_date(struct macro_context *context)
{
	time_t now = time(NULL);

	return mail_ctime(context->arena, now, zone_of(now));
}

static struct pr_str stamp(struct macro_context *context)
{
	struct mail_time t = mail_time_split(time(NULL), 0);

	return pr_arena_printf(context->arena, "%04u%02u%02u%02u%02u", t.year, t.month + 1, t.day, t.hour, t.minute);
}

const struct macro_row macro_rows_message[] = {
    {"a", date},
    {"b", date},
    {"bodytype", body_type},
    {"c", hops},
    {"d", ctime_date},
    {"deliveryMode", delivery_mode},
    {"dsn_envid", envelope_id},
    {"dsn_notify", dsn_notify},
    {"dsn_ret", dsn_ret},
    {"envid", envelope_id},
    {"load_avg", load_avg},
    {"mail_addr", mail_addr},
    {"mail_host", mail_host},
    {"msg_id", message_id},
    {"nbadrcpts", bad_recipients},
    {"ntries", tries},
    {"opMode", op_mode},
    {"p", process_id},
    {"quarantine", quarantine},
    {"queue_interval", queue_interval},
    {"rcpt_addr", rcpt_addr},
    {"rcpt_host", rcpt_host},
    {"t", stamp},
    {"time", unix_time},
    {NULL, NULL},
};
