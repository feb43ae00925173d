/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Macros of the message that is on its way, for rules and mailers: one row each, computed when asked; what reception wrote into the
 * envelope comes behind them.
 */
#include "kernel/courier/internal.h"
#include "kernel/mail/header.h"
#include "kernel/queue/load.h"

#include <postrider/address.h>

#include <unistd.h>

static struct pr_str number(struct job *job, int64_t value)
{
	return pr_arena_printf(&job->arena, "%lld", (long long)value);
}

static struct pr_str id(struct job *job)
{
	return job->claim.id;
}

static struct pr_str host_name(struct job *job)
{
	return job->courier->options->host_name;
}

static struct pr_str sender(struct job *job)
{
	return pr_address_inner(job->envelope->sender);
}

static struct pr_str tries(struct job *job)
{
	return number(job, job->envelope->tries);
}

static struct pr_str recipients(struct job *job)
{
	return number(job, (int64_t)job->envelope->recipient_count);
}

static struct pr_str size(struct job *job)
{
	return job->envelope->body_size > 0 ? number(job, job->envelope->body_size) : PR_NONE;
}

static struct pr_str body_type(struct job *job)
{
	return job->envelope->body_type;
}

static struct pr_str envelope_id(struct job *job)
{
	return job->envelope->envelope_id;
}

static struct pr_str dsn_ret(struct job *job)
{
	if ((job->envelope->flags & PR_ENVELOPE_RET_GIVEN) == 0)
		return PR_NONE;
	return (job->envelope->flags & PR_ENVELOPE_RET_HEADERS) != 0 ? PR_STR("HDRS") : PR_STR("FULL");
}

static struct pr_str quarantine(struct job *job)
{
	return job->envelope->quarantine;
}

static struct pr_str message_id(struct job *job)
{
	for (size_t i = 0; i < job->envelope->header_count; i++)
		if (pr_str_equal_nocase(job->envelope->headers[i].name, PR_STR("Message-Id")))
			return pr_str_trim(job->envelope->headers[i].value);
	return PR_NONE;
}

static struct pr_str recipient_host(struct job *job)
{
	return job->scope.deliveries != NULL ? job->scope.host : PR_NONE;
}

static struct pr_str recipient_user(struct job *job)
{
	return job->scope.deliveries != NULL && job->scope.delivery_count > 0 ? job->scope.deliveries[0].user : PR_NONE;
}

static struct pr_str recipient_mailer(struct job *job)
{
	return job->scope.deliveries != NULL ? job->scope.mailer : PR_NONE;
}

static struct pr_str op_mode(struct job *job)
{
	return job->is_run ? PR_STR("q") : PR_STR("d");
}

static struct pr_str load_avg(struct job *job)
{
	return number(job, load_average(job->courier->options));
}

static struct pr_str queue_interval(struct job *job)
{
	int64_t interval = options_interval(job->courier->options, job->courier->role->queue_interval);

	return interval > 0 ? options_interval_text(&job->arena, interval) : PR_NONE;
}

static struct pr_str process_id(struct job *job)
{
	return number(job, getpid());
}

static struct pr_str unix_time(struct job *job)
{
	return number(job, courier_wall());
}

static struct pr_str date(struct job *job)
{
	int64_t now = courier_wall();

	return mail_date(&job->arena, now, courier_zone(now));
}

static struct pr_str ctime_date(struct job *job)
{
	int64_t now = courier_wall();

	return mail_ctime(&job->arena, now, courier_zone(now));
}

static const struct {
	const char *name;
	struct pr_str (*value)(struct job *job);
	bool needs_envelope;
} rows[] = {
    {"b", date, false},
    {"bodytype", body_type, true},
    {"d", ctime_date, false},
    {"dsn_envid", envelope_id, true},
    {"dsn_ret", dsn_ret, true},
    {"envid", envelope_id, true},
    {"f", sender, true},
    {"h", recipient_host, false},
    {"i", id, false},
    {"j", host_name, false},
    {"load_avg", load_avg, false},
    {"mail_addr", sender, true},
    {"mail_from", sender, true},
    {"msg_id", message_id, true},
    {"msg_size", size, true},
    {"nrcpts", recipients, true},
    {"ntries", tries, true},
    {"opMode", op_mode, false},
    {"p", process_id, false},
    {"quarantine", quarantine, true},
    {"queue_interval", queue_interval, false},
    {"rcpt_addr", recipient_user, false},
    {"rcpt_host", recipient_host, false},
    {"rcpt_mailer", recipient_mailer, false},
    {"time", unix_time, false},
    {"u", recipient_user, false},
};

struct pr_str courier_macro(void *context, struct pr_str name)
{
	struct job *job = context;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_equal(pr_str(rows[i].name), name))
			return rows[i].needs_envelope && job->envelope == NULL ? PR_NONE : rows[i].value(job);
	return job->envelope != NULL ? pr_envelope_macro(job->envelope, name) : PR_NONE;
}
