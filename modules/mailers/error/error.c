/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The error mailer: refuses every recipient as the rules said, `$#error $@ code $: text`.
 * The host part is a word (NOUSER), a number of sysexits or an enhanced code; the user part is the text, which may begin
 * with an SMTP code of its own.
 */
#include <postrider/host.h>
#include <postrider/mailer.h>

struct meaning {
	const char *word;
	uint32_t exit_code; /* sysexits.h */
	uint32_t code;
	const char *enhanced;
};

static const struct meaning meanings[] = {
	{"USAGE", 64, 501, "5.5.4"},       {"NOUSER", 67, 550, "5.1.1"},   {"NOHOST", 68, 550, "5.1.2"},
	{"UNAVAILABLE", 69, 554, "5.0.0"}, {"SOFTWARE", 70, 554, "5.3.0"}, {"TEMPFAIL", 75, 450, "4.0.0"},
	{"PROTOCOL", 76, 554, "5.5.0"},    {"CONFIG", 78, 554, "5.3.5"},
};

struct refusal {
	uint32_t code;
	struct pr_str enhanced;
	struct pr_str text;
};

static bool is_enhanced(struct pr_str text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '.')
			dots++;
		else if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return dots == 2 && text.len >= 5 && (text.data[0] == '4' || text.data[0] == '5') && text.data[1] == '.';
}

static void read_host(struct pr_str host, struct refusal *refusal)
{
	uint64_t number = 0;
	bool numeric = pr_str_number(host, 1000, &number);

	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		if (!pr_str_equal_nocase(host, pr_str(meanings[i].word)) && !(numeric && number == meanings[i].exit_code))
			continue;
		refusal->code = meanings[i].code;
		refusal->enhanced = pr_str(meanings[i].enhanced);
		return;
	}
	if (is_enhanced(host)) {
		refusal->enhanced = host;
		refusal->code = host.data[0] == '4' ? 450 : 553;
	}
}

/* "550 5.7.1 No": the text's own codes win over the host's. */
static void read_text(struct pr_str text, struct refusal *refusal)
{
	struct pr_str rest = text, word = PR_NONE;
	uint64_t number;

	if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
		rest = text = pr_str_slice(text, 1, text.len - 1);
	if (pr_str_next(&rest, ' ', &word) && word.len == 3 && pr_str_number(word, 599, &number) && number >= 400) {
		refusal->code = (uint32_t)number;
		text = rest;
		if (pr_str_next(&rest, ' ', &word) && is_enhanced(word)) {
			refusal->enhanced = word;
			text = rest;
		} else if (refusal->enhanced.len > 0 && (uint32_t)(refusal->enhanced.data[0] - '0') != refusal->code / 100) {
			refusal->enhanced = PR_NONE;
		}
	}
	refusal->text = pr_str_trim(text);
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination, const struct pr_envelope *envelope,
                              struct pr_body *body, struct pr_delivery *deliveries, size_t count)
{
	(void)envelope;
	(void)body;
	for (size_t i = 0; i < count; i++) {
		struct refusal refusal = {.code = 553};
		read_host(destination->host, &refusal);
		read_text(deliveries[i].user, &refusal);
		bool later = refusal.code < 500;
		if (refusal.enhanced.data == NULL)
			refusal.enhanced = later ? PR_STR("4.0.0") : PR_STR("5.0.0");
		if (refusal.text.len == 0)
			refusal.text = later ? PR_STR("Try again later") : PR_STR("Service unavailable");
		deliveries[i].status = later ? PR_TEMPFAIL : PR_PERMFAIL;
		deliveries[i].code = refusal.code;
		deliveries[i].enhanced = pr_arena_copy(call->arena, refusal.enhanced);
		deliveries[i].reply = pr_arena_printf(call->arena, "%u %.*s %.*s", refusal.code, PR_PRINT(refusal.enhanced),
		                                      PR_PRINT(refusal.text));
	}
	return PR_OK;
}

static const struct pr_mailer_ops ops = {.size = sizeof ops, .default_flags = "m", .deliver = deliver};

PR_MODULE(error) = {
	PR_MODULE_HEAD(PR_KIND_MAILER), .flags = PR_CONCURRENT, .name = "error", .version = "1.0",
	.summary = "refuses mail as the rules say", .ops = &ops,
};
