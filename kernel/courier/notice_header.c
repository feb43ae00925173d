/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the configuration says of notices: the header fields of the rule engine (H lines of a sendmail.cf), and ErrorHeader.
 * The macros in both are those of the notice, which comes from localhost and from MAILER-DAEMON, and not of the message it is about.
 */
#include "config.h"
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/mail/header.h"
#include "kernel/module/templates.h"

#include <postrider/file.h>

#define ERROR_HEADER_MAX (64u << 10)

static struct header_facts facts_of(const struct job *job, struct pr_str id, int64_t now)
{
	return (struct header_facts){
	    .id = id, .host_name = job->courier->options->host_name, .helo = PR_STR("localhost"), .client = PR_STR("localhost"),
	    .version = PR_STR(PACKAGE_VERSION), .sender = PR_STR("MAILER-DAEMON"), .full_name = PR_STR("Mail Delivery Subsystem"),
	    .now = now, .zone = courier_zone(now), .add_missing = 1};
}

/* The job's, but for the macros of the message that it delivers. */
static struct module_scope scope_of(const struct job *job)
{
	struct module_scope scope = job->scope;

	scope.macro = NULL;
	return scope;
}

static struct pr_str read_file(struct job *job, struct pr_str path)
{
	struct pr_str result = PR_NONE;
	struct pr_text text, why;

	pr_text_init(&text, ERROR_HEADER_MAX);
	pr_text_init(&why, 1000);
	if (pr_file_read(path.data, ERROR_HEADER_MAX, &text, &why) == PR_OK)
		result = pr_str_trim(pr_arena_copy(&job->arena, pr_text_str(&text)));
	else
		log_line(LOGP_WARNING, job->entry->id, "ErrorHeader: %.*s", PR_PRINT(pr_text_str(&why)));
	pr_text_fini(&text);
	pr_text_fini(&why);
	return result;
}

/* The text, or the name of a file that holds it; one that cannot be read is left out, as sendmail does. */
struct pr_str notice_error_header(struct job *job, struct pr_str id, int64_t now)
{
	struct pr_str given = job->courier->options->error_header, expanded = PR_NONE;
	struct header_facts facts = facts_of(job, id, now);
	struct module_scope scope = scope_of(job);

	if (given.len > 0 && given.data[0] == '/')
		given = read_file(job, given);
	if (given.len == 0)
		return PR_NONE;
	if (templates_expand(&scope, &facts, given, &expanded) == PR_OK)
		return expanded;
	log_line(LOGP_WARNING, job->entry->id, "ErrorHeader: %.*s", PR_PRINT(scope.reason));
	return given;
}

/* Which an engine with templates must have itself: of what it does not declare sendmail's notices have nothing either. */
static bool is_templates(struct pr_str name)
{
	static const char *const names[] = {"Received", "Date", "From", "Message-Id"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (pr_str_equal_nocase(pr_str(names[i]), name))
			return true;
	return false;
}

enum pr_status notice_header(struct job *job, struct pr_envelope *envelope)
{
	struct header_facts facts = facts_of(job, envelope->id, envelope->created);
	struct module_scope scope = scope_of(job);
	struct pr_header *fields = pr_arena_alloc(&job->arena, (envelope->header_count + 1) * sizeof *fields);
	size_t count = 0;

	if (fields == NULL || !templates_fill(&scope, &job->arena, &facts)) {
		job->scope.reason = scope.reason.len > 0 ? scope.reason : PR_STR("too much memory for a notice");
		return PR_TEMPFAIL;
	}
	if (facts.templates == NULL)
		return PR_OK;
	for (size_t i = 0; i < envelope->header_count; i++)
		if (!is_templates(envelope->headers[i].name))
			fields[count++] = envelope->headers[i];
	return header_complete(&facts, fields, count, &job->arena, &envelope->headers, &envelope->header_count);
}
