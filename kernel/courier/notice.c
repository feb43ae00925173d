/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notices: which recipients are told about, to whom, and the message composed straight into the queue.
 * The null sender never gets one; a bounce that fails goes to DoubleBounceAddress with a mark in its envelope, and
 * when that one fails too, a line in the log is all that is left.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/mail/dsn.h"
#include "kernel/queue/queue.h"

#include <postrider/address.h>

#define RETURNED_BODY_MAX (1 << 20) /* larger originals come back as their header only */
#define DOUBLE_MARK "double_bounce"

struct notice {
	struct job *job;
	enum dsn_kind kind;
	struct pr_str to;
	bool copy; /* PostmasterCopy's */
	bool *report;
	struct pr_body body;
	const struct pr_envelope *envelope; /* as it was queued */
};

static bool wants(const struct pr_recipient *recipient, enum dsn_kind kind)
{
	bool given = (recipient->flags & PR_RECIPIENT_NOTIFY) != 0;

	switch (kind) {
	case DSN_FAILURE:
		return !given || (recipient->flags & PR_RECIPIENT_NOTIFY_FAILURE) != 0;
	case DSN_DELAY:
		return !given || (recipient->flags & PR_RECIPIENT_NOTIFY_DELAY) != 0;
	case DSN_SUCCESS:
		return (recipient->flags & PR_RECIPIENT_NOTIFY_SUCCESS) != 0;
	default:
		return true;
	}
}

/* Those in this state that want to hear of it; how many are chosen. */
static size_t choose(struct notice *notice, enum pr_recipient_state state)
{
	const struct pr_envelope *envelope = notice->job->envelope;
	size_t count = 0;

	notice->report = pr_arena_alloc(&notice->job->arena, envelope->recipient_count + 1);
	for (size_t i = 0; notice->report != NULL && i < envelope->recipient_count; i++) {
		notice->report[i] = envelope->recipients[i].state == state && wants(&envelope->recipients[i], notice->kind);
		count += notice->report[i];
	}
	return count;
}

/* Success is told once, and what the next host has promised to tell is not ours. */
static void success_is_told(struct pr_recipient *recipient)
{
	recipient->flags = (recipient->flags & ~PR_RECIPIENT_NOTIFY_SUCCESS) | PR_RECIPIENT_NOTIFY;
}

static void leave_out_taken(struct job *job)
{
	for (size_t i = 0; i < job->parcel_count; i++)
		if ((job->parcels[i].flags & PR_DELIVERY_DSN_TAKEN) != 0 && job->parcels[i].recipient->state == PR_RECIPIENT_DELIVERED)
			success_is_told(job->parcels[i].recipient);
}

static size_t choose_delivered(struct notice *notice, size_t index)
{
	if (notice->job->envelope->recipients[index].state != PR_RECIPIENT_DELIVERED || notice->report[index])
		return 0;
	notice->report[index] = true;
	return 1;
}

/* Adds those that were delivered and want to be told of, or whose sender wants it by BY=; how many are chosen. */
static size_t choose_success(struct notice *notice)
{
	const struct job *job = notice->job;
	size_t count = 0;

	leave_out_taken(notice->job);
	for (size_t i = 0; notice->report != NULL && i < job->envelope->recipient_count; i++)
		if (wants(&job->envelope->recipients[i], DSN_SUCCESS))
			count += choose_delivered(notice, i);
	for (size_t i = 0; notice->report != NULL && i < job->parcel_count; i++)
		if (job->parcels[i].by != DSN_BY_NOTHING)
			count += choose_delivered(notice, (size_t)(job->parcels[i].recipient - job->envelope->recipients));
	return count;
}

static void successes_are_told(const struct notice *notice)
{
	struct pr_envelope *envelope = notice->job->envelope;

	for (size_t i = 0; i < envelope->recipient_count; i++)
		if (notice->report[i] && envelope->recipients[i].state == PR_RECIPIENT_DELIVERED)
			success_is_told(&envelope->recipients[i]);
	for (size_t i = 0; i < notice->job->parcel_count; i++)
		notice->job->parcels[i].by = DSN_BY_NOTHING;
}

static enum pr_status read_original(void *context, void *buffer, size_t room, size_t *length_out)
{
	struct notice *notice = context;

	return body_read(&notice->job->scope, &notice->body, buffer, room, length_out);
}

static void mark_double(struct job *job, struct pr_envelope *envelope)
{
	struct pr_macro *macros = pr_arena_alloc(&job->arena, (envelope->macro_count + 1) * sizeof *macros);

	if (macros == NULL)
		return;
	for (size_t i = 0; i < envelope->macro_count; i++)
		macros[i] = envelope->macros[i];
	macros[envelope->macro_count] = (struct pr_macro){PR_STR(DOUBLE_MARK), PR_STR("1")};
	envelope->macros = macros;
	envelope->macro_count++;
}

static bool has_privacy(const struct options *options, const char *word)
{
	for (size_t i = 0; i < options->privacy.count; i++)
		if (pr_str_equal_nocase(options->privacy.items[i], pr_str(word)))
			return true;
	return false;
}

/* Lists and bulk mail get no body back: who sent them has it. */
static bool is_bulk(const struct pr_envelope *envelope)
{
	static const char *const words[] = {"list", "bulk", "junk"};
	const struct pr_header *header = pr_envelope_header(envelope, PR_STR("Precedence"));

	for (size_t i = 0; header != NULL && i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(pr_str_trim(header->value), pr_str(words[i])))
			return true;
	return false;
}

static size_t body_limit(const struct job *job, const struct notice *notice)
{
	const struct options *options = job->courier->options;

	/* what must not go without TLS does not come back without it (RFC 8689 section 5); the notice itself goes as it can */
	if (pr_envelope_macro(job->envelope, PR_STR(PR_MACRO_REQUIRETLS)).len > 0)
		return 0;
	if (notice->kind == DSN_SUCCESS || notice->copy || (job->envelope->flags & PR_ENVELOPE_RET_HEADERS) != 0 ||
	    job->envelope->body_size > RETURNED_BODY_MAX || has_privacy(options, "nobodyreturn") || is_bulk(job->envelope))
		return 0;
	return RETURNED_BODY_MAX;
}

static enum pr_status compose(void *context, struct pr_str id, queue_write *write, void *write_context, struct pr_envelope **envelope_out)
{
	struct notice *notice = context;
	struct job *job = notice->job;
	const struct options *options = job->courier->options;
	int64_t now = courier_wall();
	struct dsn_facts facts = {.kind = notice->kind, .id = id, .host_name = options->host_name, .to = notice->to,
	                          .error_header = notice_error_header(job, id, now), .now = now, .zone = courier_zone(now), .return_after = job_return_after(job),
	                          .warn_after = job_warn_after(job), .body_limit = body_limit(job, notice),
	                          .words = notice_words(job), .plain = !options->send_mime_errors, .expired = job->expired, .late = job->late};
	enum pr_status status = dsn_build(&facts, job->envelope, notice->report, read_original, notice, write, write_context, &job->arena,
	                                  envelope_out);

	if (status == PR_OK)
		status = notice_header(job, *envelope_out);
	if (status == PR_OK) {
		(*envelope_out)->flags |= PR_ENVELOPE_RESPONSE;
		if (notice->kind == DSN_POSTMASTER)
			mark_double(job, *envelope_out);
		notice_expand(job, *envelope_out);
		notice->envelope = *envelope_out;
	}
	return status;
}

static enum pr_status send_notice(struct notice *notice)
{
	static const char *const words[] = {[DSN_FAILURE] = "DSN: return to sender", [DSN_DELAY] = "DSN: warning",
	                                    [DSN_SUCCESS] = "DSN: Return receipt", [DSN_POSTMASTER] = "postmaster notify"};
	struct job *job = notice->job;
	struct courier *courier = job->courier;
	struct pr_str id = PR_NONE;

	notice->body.size = sizeof notice->body;
	enum pr_status status = store_body_open(&job->scope, &job->claim, &notice->body);
	if (status != PR_OK)
		return status;
	status = queue_compose(&job->scope, notice_group(job, notice->to), compose, notice, &id);
	struct pr_str reason = job->scope.reason;
	store_body_close(&job->scope, &notice->body);
	job->scope.reason = reason;
	if (status != PR_OK)
		return status;
	const char *word = words[notice->kind];
	if (job->late && (notice->kind == DSN_FAILURE || notice->kind == DSN_DELAY))
		word = by_words(job, notice->kind == DSN_DELAY);
	log_at(6, LOGP_INFO, job->entry->id, "%.*s: %s", PR_PRINT(id), word);
	courier->counters.notices++;
	courier_count_notice(courier, notice->envelope);
	courier_add(courier, id, 0);
	return PR_OK;
}

/* The postmaster's copy of a bounce, header only.  The bounce itself is queued; a copy that cannot be is only told. */
static void send_copy(struct job *job)
{
	struct notice copy = {.job = job, .kind = DSN_POSTMASTER, .to = job->courier->options->postmaster_copy, .copy = true};

	if (copy.to.len > 0 && choose(&copy, PR_RECIPIENT_FAILED) > 0 && send_notice(&copy) != PR_OK)
		log_line(LOGP_WARNING, job->entry->id, "cannot queue the postmaster's copy: %.*s", PR_PRINT(job->scope.reason));
}

enum pr_status notice_failure(struct job *job)
{
	struct notice notice = {.job = job, .kind = DSN_FAILURE, .to = job->envelope->sender};

	if (pr_address_inner(notice.to).len == 0) {
		notice.kind = DSN_POSTMASTER;
		notice.to = job->courier->options->double_bounce;
		if (pr_envelope_macro(job->envelope, PR_STR(DOUBLE_MARK)).len > 0 || notice.to.len == 0) {
			log_line(LOGP_NOTICE, job->entry->id, "unable to deliver a bounce to anybody; dropped");
			return PR_OK;
		}
	}
	if (choose(&notice, PR_RECIPIENT_FAILED) == 0)
		return PR_OK;
	if (notice.kind == DSN_FAILURE)
		choose_success(&notice);
	enum pr_status status = send_notice(&notice);
	if (status == PR_OK)
		successes_are_told(&notice);
	if (status == PR_OK && notice.kind == DSN_FAILURE)
		send_copy(job);
	return status;
}

enum pr_status notice_success(struct job *job)
{
	struct notice notice = {.job = job, .kind = DSN_SUCCESS, .to = job->envelope->sender};

	notice.report = pr_arena_alloc(&job->arena, job->envelope->recipient_count + 1);
	if (pr_address_inner(notice.to).len == 0 || choose_success(&notice) == 0)
		return PR_OK;
	enum pr_status status = send_notice(&notice);
	if (status == PR_OK)
		successes_are_told(&notice);
	return status;
}

enum pr_status notice_delay(struct job *job)
{
	struct notice notice = {.job = job, .kind = DSN_DELAY, .to = job->envelope->sender};
	struct pr_envelope *envelope = job->envelope;
	int64_t after = job_warn_after(job);

	if ((envelope->flags & PR_ENVELOPE_WARNED) != 0 || pr_address_inner(notice.to).len == 0)
		return PR_OK;
	if (!by_warns(job) && (after <= 0 || courier_age(job->courier, envelope->created) < after))
		return PR_OK;
	envelope->flags |= PR_ENVELOPE_WARNED; /* once, even when nobody wants it */
	return choose(&notice, PR_RECIPIENT_DEFERRED) > 0 ? send_notice(&notice) : PR_OK;
}
