/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line in the log for what became of recipients, in sendmail's words, because people's scripts read them.
 * Recipients of a group with the same result share a line.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"

#include <stdio.h>
#include <string.h>

#define LINE_TO_MAX 1500 /* bytes of addresses in one line */
#define TEXT_MAX 600

static void print_duration(struct pr_text *out, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds >= 86400)
		pr_text_addf(out, "%lld+", (long long)(seconds / 86400));
	seconds %= 86400;
	pr_text_addf(out, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static bool is_digits_and_dots(struct pr_str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] != '.' && (word.data[i] < '0' || word.data[i] > '9'))
			return false;
	return word.len >= 5;
}

/* The reply's first line; without code and enhanced code when `bare`. */
static struct pr_str reply_line(const struct parcel *parcel, bool bare)
{
	struct pr_str line = pr_str_slice(parcel->reply, 0, pr_str_find(parcel->reply, '\n'));

	if (!bare || parcel->code == 0 || line.len < 4)
		return pr_str_trim(line);
	line = pr_str_slice(line, 4, line.len);
	size_t blank = pr_str_find(line, ' ');
	if (is_digits_and_dots(pr_str_slice(line, 0, blank)))
		line = pr_str_slice(line, blank, line.len);
	return pr_str_trim(line);
}

const char *report_failure_word(struct pr_str enhanced)
{
	static const struct {
		struct pr_str enhanced;
		const char *word;
	} words[] = {
		{{"5.1.1", 5}, "User unknown"}, {{"5.1.2", 5}, "Host unknown"}, {{"5.1.3", 5}, "Bad address"},
		{{"5.2.2", 5}, "Mailbox full"}, {{"5.2.3", 5}, "Message is too large"}, {{"5.3.4", 5}, "Message is too large"},
		{{"5.3.5", 5}, "Local configuration error"}, {{"5.5.0", 5}, "Remote protocol error"},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal(words[i].enhanced, enhanced))
			return words[i].word;
	return "Service unavailable";
}

static void print_stat(struct pr_text *out, const struct parcel *parcel)
{
	struct pr_str text = reply_line(parcel, parcel->status == PR_OK);

	if (parcel->compat != NULL) {
		pr_text_addf(out, ", stat=%s", parcel->compat->word);
		return;
	}
	if (parcel->status == PR_OK) {
		pr_text_add_c(out, ", stat=Sent");
		if (text.len > 0 && !pr_str_equal(text, PR_STR("Sent"))) {
			pr_text_add_c(out, " (");
			pr_text_add_escaped(out, text, TEXT_MAX);
			pr_text_add_c(out, ")");
		}
		return;
	}
	if (parcel->code != 0) {
		pr_text_add_c(out, ", reply=");
		pr_text_add_escaped(out, text, TEXT_MAX);
	}
	if (parcel->status == PR_PERMFAIL) {
		pr_text_addf(out, ", stat=%s", report_failure_word(parcel->enhanced));
		return;
	}
	bool said = pr_str_has_prefix_nocase(text, PR_STR("Deferred")) || pr_str_equal(text, PR_STR("queued"));
	pr_text_addf(out, ", stat=%s", said ? "" : text.len > 0 ? "Deferred: " : "Deferred");
	pr_text_add_escaped(out, text, TEXT_MAX);
}

static void print_line(const struct job *job, const struct parcel *parcel, struct pr_str to, int64_t seconds)
{
	const struct pr_recipient *recipient = parcel->recipient;
	struct pr_text out;

	pr_text_init(&out, 4000);
	pr_text_add_c(&out, "to=");
	pr_text_add_escaped(&out, to, LINE_TO_MAX + 600);
	if (recipient->owner.len > 0) {
		pr_text_add_c(&out, ", ctladdr=");
		pr_text_add_escaped(&out, recipient->alias.len > 0 ? recipient->alias : recipient->owner, 300);
		pr_text_addf(&out, " (%u/%u)", recipient->owner_uid, recipient->owner_gid);
	}
	pr_text_add_c(&out, ", delay=");
	print_duration(&out, courier_wall() - job->envelope->created);
	if (parcel->group != 0 || parcel->compat != NULL) {
		pr_text_add_c(&out, ", xdelay=");
		print_duration(&out, seconds);
		pr_text_add_c(&out, ", mailer=");
		pr_text_add_escaped(&out, parcel->mailer, 60);
	}
	pr_text_addf(&out, ", pri=%lld", (long long)job->envelope->priority);
	struct pr_str relay = parcel->remote.len > 0 ? parcel->remote : parcel->group != 0 || parcel->compat != NULL ? parcel->host : PR_NONE;
	if (relay.len > 0) {
		pr_text_add_c(&out, ", relay=");
		pr_text_add_escaped(&out, relay, 320);
	}
	pr_text_addf(&out, ", dsn=%.*s", PR_PRINT(parcel_enhanced(parcel)));
	print_stat(&out, parcel);
	log_at(parcel->status == PR_OK ? 8 : parcel->status == PR_PERMFAIL ? 7 : 9, LOGP_INFO, job->entry->id, "%s", out.data);
	pr_text_fini(&out);
}

static bool same_result(const struct parcel *a, const struct parcel *b)
{
	return a->status == b->status && a->code == b->code && pr_str_equal(a->reply, b->reply) &&
	       pr_str_equal(a->enhanced, b->enhanced) && pr_str_equal(a->remote, b->remote) && b->recipient->owner.len == 0;
}

static bool is_of(const struct job *job, const struct parcel *parcel, const struct group *group)
{
	if (group == NULL)
		return parcel->group == 0;
	return parcel->group == (uint32_t)(group - job->groups) + 1;
}

void report_group(const struct job *job, const struct group *group, int64_t seconds)
{
	const struct parcel *first = NULL;
	struct pr_text to;

	pr_text_init(&to, LINE_TO_MAX + 600);
	for (size_t i = 0; i < job->parcel_count; i++) {
		const struct parcel *parcel = &job->parcels[i];
		if (!is_of(job, parcel, group) || parcel->status == PR_MISUSE || (parcel->compat != NULL && parcel->compat->word == NULL))
			continue;
		if (first != NULL && (!same_result(first, parcel) || to.len > LINE_TO_MAX)) {
			print_line(job, first, pr_text_str(&to), seconds);
			pr_text_clear(&to);
			first = NULL;
		}
		if (first != NULL)
			pr_text_add_byte(&to, ',');
		else
			first = parcel;
		pr_text_add_str(&to, pr_str_slice(parcel->recipient->address, 0, 500));
	}
	if (first != NULL)
		print_line(job, first, pr_text_str(&to), seconds);
	pr_text_fini(&to);
}
