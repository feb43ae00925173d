/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier's use of HostStatusDirectory: what a delivery showed about a host is written there, and a host that another process found
 * unreachable a moment ago is not tried.  Each file is a host that was called, as in sendmail: a mailer that has several to choose from asks and tells
 * about each; for any other, and for an address that is given as it is, the name the mail is for is the host.  Without the directory what such a mailer
 * tells is remembered by this process (dead_hosts.c).
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/queue/host_status.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#define RESOLVER_TRY_AGAIN 2

static bool find_directory(const struct courier *courier, struct pr_text *path)
{
	pr_text_init(path, 4096);
	options_host_status_path(courier->options, path);
	return path->len > 0;
}

/* What stands in a reply of ours, as the number sendmail would have kept. */
static int64_t error_of(struct pr_str reply)
{
	static const struct {
		const char *words;
		int error;
	} rows[] = {{"Connection refused", ECONNREFUSED}, {"Connection timed out", ETIMEDOUT}, {"No route to host", EHOSTUNREACH},
	    {"Network is unreachable", ENETUNREACH}, {"Connection reset", ECONNRESET}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (selection_contains(reply, pr_str(rows[i].words)))
			return rows[i].error;
	return 0;
}

/* "mx1.remote.example. [192.0.2.1]" or what the mail is for */
static struct pr_str name_of(const struct job *job, const struct group *group)
{
	for (size_t i = 0; i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];
		if (parcel->group == (uint32_t)(group - job->groups) + 1 && parcel->code != 0 && parcel->remote.len > 0)
			return pr_str_slice(parcel->remote, 0, pr_str_find(parcel->remote, ' '));
	}
	return group->host;
}

/* A directory that cannot be made is met by each delivery. */
static void say_not_kept(const struct job *job, struct pr_str name, const char *path, int error)
{
	struct pr_text more;
	uint64_t kept_back;

	if (!log_repeat_begin(&job->courier->status_fails, courier_now(), &kept_back))
		return;
	pr_text_init(&more, 100);
	if (kept_back > 0)
		pr_text_addf(&more, " (and %llu times more since the last line)", (unsigned long long)kept_back);
	log_line(LOGP_WARNING, job->entry->id, "HostStatusDirectory: cannot keep the status of %.*s in %s: %s%.*s", PR_PRINT(name), path, strerror(error),
	         PR_PRINT(pr_text_str(&more)));
	pr_text_fini(&more);
}

static void say_kept(const struct job *job)
{
	uint64_t kept_back;

	if (log_repeat_end(&job->courier->status_fails, &kept_back))
		log_line(LOGP_NOTICE, NULL, "HostStatusDirectory: the status of hosts is kept again; it was not %llu times more since the last line",
		         (unsigned long long)kept_back);
}

static void write_status(const struct job *job, struct pr_str name, bool dead, struct pr_str reply)
{
	struct pr_text path;
	struct pr_str line = pr_str_slice(reply, 0, pr_str_find(reply, '\n'));
	struct host_status status = {.error = dead ? error_of(line) : 0, .status = dead ? EX_TEMPFAIL : EX_OK, .when = courier_wall(),
	    .enhanced = dead ? PR_STR("4.4.1") : PR_STR("2.0.0")};

	status.reply = status.error == 0 ? line : PR_NONE;
	if (find_directory(job->courier, &path)) {
		if (host_status_write(path.data, name, &status))
			say_kept(job);
		else if (errno != EINVAL)
			say_not_kept(job, name, path.data, errno);
	}
	pr_text_fini(&path);
}

static bool is_known(struct job *job, struct pr_str name)
{
	struct host_status status;
	struct pr_text path;
	bool known = find_directory(job->courier, &path) && host_status_read(path.data, name, &job->arena, &status) == PR_OK;

	pr_text_fini(&path);
	return known;
}

static void write_alive(struct job *job, const struct group *group, struct pr_str reply)
{
	struct pr_str name = name_of(job, group);

	write_status(job, name, false, reply);
	/* it lives again, under whatever name */
	if (!pr_str_equal_nocase(name, group->host) && is_known(job, group->host))
		write_status(job, group->host, false, reply);
}

void host_record_write(struct job *job, const struct group *group, enum plan_outcome outcome, struct pr_str reply)
{
	if (group->host.len == 0 || outcome == PLAN_NEUTRAL)
		return;
	if (job->courier->options->host_status_directory.len == 0) {
		if (outcome != PLAN_UNREACHABLE)
			dead_hosts_forget(&job->courier->dead_hosts, name_of(job, group));
		return;
	}
	if (outcome != PLAN_UNREACHABLE)
		write_alive(job, group, reply);
	else if (!job->hosts_told) /* else each that could not be reached is known by its own name */
		write_status(job, group->host, true, reply);
}

static bool is_dead(struct job *job, struct pr_str host, struct pr_str *reason_out)
{
	struct host_status status;
	struct pr_text path;
	char text[128];
	bool dead = false;

	if (job->turn.urgent && !job->turn.patient)
		return false;
	if (job->courier->options->host_status_directory.len == 0)
		return dead_hosts_find(&job->courier->dead_hosts, host, courier_now(), &job->arena, reason_out);
	if (find_directory(job->courier, &path) && host_status_read(path.data, host, &job->arena, &status) == PR_OK) {
		dead = status.status == EX_TEMPFAIL && status.when <= courier_wall() &&
		       status.when + job->courier->options->timeout_hoststatus > courier_wall();
		if (dead && status.error != 0)
			*reason_out = pr_arena_printf(&job->arena, "Deferred: %s by %.*s", strerror_r((int)status.error, text, sizeof text), PR_PRINT(host));
		else if (dead)
			*reason_out = status.reply.len > 0 ? status.reply : PR_STR("Deferred");
	}
	pr_text_fini(&path);
	return dead;
}

bool host_record_is_dead(struct job *job, const struct group *group, struct pr_str *reason_out)
{
	if (group->host.len == 0 || job->courier->options->host_status_directory.len == 0)
		return false;
	return is_dead(job, group->host, reason_out);
}

static bool asked(void *context, void *owner, struct pr_str host, struct pr_str *reason_out)
{
	struct job *job = owner;

	(void)context;
	if (job == NULL || job->entry == NULL)
		return false;
	job->hosts_told = true;
	return is_dead(job, host, reason_out);
}

static void told(void *context, void *owner, struct pr_str host, struct pr_str reason)
{
	struct job *job = owner;

	(void)context;
	if (job == NULL || job->entry == NULL)
		return;
	job->hosts_told = true;
	if (job->courier->options->host_status_directory.len > 0)
		write_status(job, host, true, reason);
	else if (job->courier->options->timeout_hoststatus > 0)
		dead_hosts_note(&job->courier->dead_hosts, host, reason, courier_now() + job->courier->options->timeout_hoststatus);
}

void host_record_offer(struct module_services *services)
{
	services->host_is_dead = asked;
	services->host_failed = told;
}
