/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of keys for the policy, a walk over semicolons for the record.
 * Who is strict here loses no mail: a policy that is no policy leaves the domain with the one it had, or with none.
 */
#include "sts_policy.h"

#include <postrider/address.h>

static const char *const modes[] = {[STS_NONE] = "none", [STS_TESTING] = "testing", [STS_ENFORCE] = "enforce"};

struct reading {
	struct sts_policy *policy;
	struct pr_text *why;
	uint32_t seen; /* a bit for each row of the table */
};

static bool complain(struct reading *reading, const char *what, struct pr_str value)
{
	pr_text_addf(reading->why, "%s: \"", what);
	pr_text_add_escaped(reading->why, value, 80);
	pr_text_add_c(reading->why, "\"");
	return false;
}

static bool take_version(struct reading *reading, struct pr_str value)
{
	return pr_str_equal(value, PR_STR("STSv1")) || complain(reading, "a version that is not known", value);
}

static bool take_mode(struct reading *reading, struct pr_str value)
{
	for (uint32_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (pr_str_equal(value, pr_str(modes[i]))) {
			reading->policy->mode = i;
			return true;
		}
	return complain(reading, "a mode that is not known", value);
}

static bool take_age(struct reading *reading, struct pr_str value)
{
	uint64_t seconds = 0;

	if (value.len > 10 || !pr_str_number(value, UINT64_MAX, &seconds))
		return complain(reading, "max_age is no number of seconds", value);
	reading->policy->max_age = seconds < STS_MAX_AGE ? (int64_t)seconds : STS_MAX_AGE;
	return true;
}

static bool take_mx(struct reading *reading, struct pr_str value)
{
	struct sts_policy *policy = reading->policy;

	if (value.len > 1 && value.data[value.len - 1] == '.')
		value.len--;
	struct pr_str name = pr_str_has_prefix_nocase(value, PR_STR("*.")) ? pr_str_slice(value, 2, value.len) : value;

	if (!pr_domain_is_valid(name) || name.data[0] == '[' || name.data[name.len - 1] == '.')
		return complain(reading, "mx is no name of a host", value);
	if (policy->count == STS_MX_MAX)
		return complain(reading, "too many hosts", value);
	policy->mx[policy->count++] = value;
	return true;
}

enum { VERSION, MODE, AGE, MX, KEYS };

static const struct {
	struct pr_str key;
	bool (*take)(struct reading *reading, struct pr_str value);
	bool repeats;
} keys[KEYS] = {
    [VERSION] = {PR_STR_INIT("version"), take_version, false},
    [MODE] = {PR_STR_INIT("mode"), take_mode, false},
    [AGE] = {PR_STR_INIT("max_age"), take_age, false},
    [MX] = {PR_STR_INIT("mx"), take_mx, true},
};

static bool is_letter_or_digit(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* sts-policy-ext-name, and sts-ext-name of the record: 1 to 32 of them, the first a letter or digit. */
static bool is_key(struct pr_str key)
{
	if (key.len < 1 || key.len > 32 || !is_letter_or_digit(key.data[0]))
		return false;
	for (size_t i = 1; i < key.len; i++)
		if (!is_letter_or_digit(key.data[i]) && key.data[i] != '_' && key.data[i] != '-' && key.data[i] != '.')
			return false;
	return true;
}

static struct pr_str without_blanks(struct pr_str text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = pr_str_slice(text, 1, text.len);
	while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static bool take_line(struct reading *reading, struct pr_str line)
{
	size_t colon = pr_str_find(line, ':');
	struct pr_str key = pr_str_slice(line, 0, colon), value = without_blanks(pr_str_slice(line, colon + 1, line.len));

	if (colon == line.len || !is_key(key))
		return complain(reading, "a line that is no key with a colon", line);
	for (uint32_t i = 0; i < KEYS; i++) {
		if (!pr_str_equal(key, keys[i].key))
			continue;
		bool counts = keys[i].repeats || (reading->seen & 1u << i) == 0;
		reading->seen |= 1u << i;
		return !counts || keys[i].take(reading, value);
	}
	return true;
}

bool sts_policy_parse(struct pr_str text, struct sts_policy *policy_out, struct pr_text *why)
{
	struct sts_policy policy = {.count = 0};
	struct reading reading = {.policy = &policy, .why = why};
	struct pr_str line;

	if (text.len > STS_POLICY_BYTES)
		return complain(&reading, "more than 64 kilobytes", PR_STR("..."));
	if (pr_str_find(text, '\0') < text.len || !pr_utf8_is_valid(text))
		return complain(&reading, "not text", pr_str_slice(text, 0, 80));
	while (pr_str_next(&text, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		line = without_blanks(line);
		if (line.len > 0 && !take_line(&reading, line))
			return false;
	}
	for (uint32_t i = 0; i < KEYS; i++)
		if ((reading.seen & 1u << i) == 0 && (i != MX || policy.mode != STS_NONE)) {
			pr_text_addf(why, "no line of %s", keys[i].key.data);
			return false;
		}
	*policy_out = policy;
	return true;
}

const char *sts_mode_name(uint32_t mode)
{
	return mode < sizeof modes / sizeof modes[0] ? modes[mode] : "?";
}

void sts_policy_print(const struct sts_policy *policy, struct pr_text *out)
{
	pr_text_addf(out, "version: STSv1\nmode: %s\n", sts_mode_name(policy->mode));
	for (size_t i = 0; i < policy->count; i++)
		pr_text_addf(out, "mx: %.*s\n", PR_PRINT(policy->mx[i]));
	pr_text_addf(out, "max_age: %lld\n", (long long)policy->max_age);
}

bool sts_policy_has(const struct sts_policy *policy, struct pr_str host)
{
	if (host.len > 1 && host.data[host.len - 1] == '.')
		host.len--;
	struct pr_str above = pr_str_slice(host, pr_str_find(host, '.'), host.len); /* ".example.org" */
	for (size_t i = 0; i < policy->count; i++) {
		struct pr_str pattern = policy->mx[i];
		bool is_wild = pattern.data[0] == '*';
		if (is_wild ? above.len < host.len && above.len > 0 && pr_str_equal_nocase(pr_str_slice(pattern, 1, pattern.len), above) : pr_str_equal_nocase(pattern, host))
			return true;
	}
	return false;
}

static bool is_id(struct pr_str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!is_letter_or_digit(id.data[i]))
			return false;
	return id.len >= 1 && id.len <= STS_ID_MAX;
}

/* What stands behind a "=" of a key that is not known: sts-ext-value. */
static bool is_value(struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= ' ' || value.data[i] > '~' || value.data[i] == '=')
			return false;
	return value.len > 0;
}

static bool is_of_sts(struct pr_str text)
{
	struct pr_str version;

	return pr_str_next(&text, ';', &version) && pr_str_equal(without_blanks(version), PR_STR("v=STSv1"));
}

static bool parse_record(struct pr_str text, struct pr_str *id_out)
{
	struct pr_str field, id = PR_NONE;

	pr_str_next(&text, ';', &field); /* the version */
	while (pr_str_next(&text, ';', &field)) {
		field = without_blanks(field);
		size_t equals = pr_str_find(field, '=');
		struct pr_str key = pr_str_slice(field, 0, equals), value = pr_str_slice(field, equals + 1, field.len);
		if (field.len == 0 && text.len == 0)
			break; /* behind the last delimiter */
		if (!is_key(key) || !is_value(value))
			return false;
		if (!pr_str_equal(key, PR_STR("id")))
			continue;
		if (id.len > 0 || !is_id(value))
			return false;
		id = value;
	}
	*id_out = id;
	return id.len > 0;
}

bool sts_record_find(const struct pr_str *texts, size_t count, struct pr_str *id_out)
{
	const struct pr_str *only = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!is_of_sts(texts[i]))
			continue;
		if (only != NULL)
			return false;
		only = &texts[i];
	}
	return only != NULL && parse_record(*only, id_out);
}
