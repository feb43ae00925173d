/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A report as text, written as it comes: rows of one policy stand side by side.
 * Indented by hand, because people look at it before a program does.
 */
#include "kernel/command/tlsrpt.h"

#include "kernel/command/json.h"

bool tlsrpt_same_policy(const struct tls_record *a, const struct tls_record *b)
{
	return pr_str_equal(a->policy, b->policy) && pr_str_equal(a->domain, b->domain) && pr_str_equal(a->strings, b->strings) && pr_str_equal(a->hosts, b->hosts);
}

static void add_list(struct pr_text *out, const char *key, struct pr_str lines)
{
	const char *between = "";
	struct pr_str line;

	if (lines.len == 0)
		return;
	pr_text_addf(out, ",\n        \"%s\": [", key);
	while (pr_str_next(&lines, '\n', &line)) {
		pr_text_add_c(out, between);
		json_add(out, line);
		between = ", ";
	}
	pr_text_add_byte(out, ']');
}

static void add_policy(struct pr_text *out, const struct tls_record *record)
{
	pr_text_add_c(out, "      \"policy\": {\n        \"policy-type\": ");
	json_add(out, record->policy);
	add_list(out, "policy-string", record->strings);
	pr_text_add_c(out, ",\n        \"policy-domain\": ");
	json_add(out, record->domain);
	add_list(out, "mx-host", record->hosts);
	pr_text_add_c(out, "\n      },\n");
}

static void add_detail(struct pr_text *out, const struct tlsrpt_row *row)
{
	const struct {
		const char *key;
		struct pr_str value;
	} members[] = {{"sending-mta-ip", row->record.source}, {"receiving-mx-hostname", row->record.host}, {"receiving-ip", row->record.address},
	               {"failure-reason-code", row->record.reason}};

	pr_text_add_c(out, "        {\"result-type\": ");
	json_add(out, row->record.failure);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		if (members[i].value.len == 0)
			continue;
		pr_text_addf(out, ", \"%s\": ", members[i].key);
		json_add(out, members[i].value);
	}
	pr_text_addf(out, ", \"failed-session-count\": %llu}", (unsigned long long)row->count);
}

/* Rows of one policy. */
static void add_sessions(struct pr_text *out, const struct tlsrpt_row *rows, size_t count)
{
	uint64_t good = 0, bad = 0;
	const char *between = "";

	for (size_t i = 0; i < count; i++)
		*(rows[i].record.failure.len == 0 ? &good : &bad) += rows[i].count;
	pr_text_add_c(out, "    {\n");
	add_policy(out, &rows[0].record);
	pr_text_addf(out, "      \"summary\": {\"total-successful-session-count\": %llu, \"total-failure-session-count\": %llu}", (unsigned long long)good, (unsigned long long)bad);
	if (bad > 0)
		pr_text_add_c(out, ",\n      \"failure-details\": [\n");
	for (size_t i = 0; i < count; i++) {
		if (rows[i].record.failure.len == 0)
			continue;
		pr_text_add_c(out, between);
		add_detail(out, &rows[i]);
		between = ",\n";
	}
	pr_text_add_c(out, bad > 0 ? "\n      ]\n    }" : "\n    }");
}

void tlsrpt_print(const struct tlsrpt_report *report, struct pr_text *out)
{
	const struct tlsrpt_row *rows = report->rows;
	struct pr_text word;

	pr_text_init(&word, 1000);
	pr_text_add_c(out, "{\n  \"organization-name\": ");
	json_add(out, report->organization);
	pr_text_addf(out, ",\n  \"date-range\": {\"start-datetime\": \"%.*sT00:00:00Z\", \"end-datetime\": \"%.*sT23:59:59Z\"}", PR_PRINT(report->day), PR_PRINT(report->day));
	pr_text_addf(&word, "postmaster@%.*s", PR_PRINT(report->organization));
	pr_text_add_c(out, ",\n  \"contact-info\": ");
	json_add(out, pr_text_str(&word));
	pr_text_clear(&word);
	pr_text_addf(&word, "%.*s_%.*s@%.*s", PR_PRINT(report->day), PR_PRINT(rows[0].record.domain), PR_PRINT(report->organization));
	pr_text_add_c(out, ",\n  \"report-id\": ");
	json_add(out, pr_text_str(&word));
	pr_text_add_c(out, ",\n  \"policies\": [\n");
	for (size_t i = 0, end; i < report->count; i = end) {
		for (end = i + 1; end < report->count && tlsrpt_same_policy(&rows[i].record, &rows[end].record); end++)
			continue;
		pr_text_add_c(out, i > 0 ? ",\n" : "");
		add_sessions(out, rows + i, end - i);
	}
	pr_text_add_c(out, "\n  ]\n}\n");
	pr_text_fini(&word);
}
