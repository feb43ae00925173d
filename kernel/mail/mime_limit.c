/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Most fields are shorter than any limit, so the length of the whole is looked at first.
 */
#include "kernel/mail/mime_limit.h"

enum kind { KIND_OTHER, KIND_TEXT, KIND_TOKENS, KIND_PARAMETERS };

static enum kind kind_of(struct pr_str name)
{
	static const struct {
		struct pr_str name;
		enum kind kind;
	} known[] = {
		{ PR_STR_INIT("Content-Type"), KIND_PARAMETERS }, { PR_STR_INIT("Content-Disposition"), KIND_PARAMETERS },
		{ PR_STR_INIT("Content-Transfer-Encoding"), KIND_TOKENS }, { PR_STR_INIT("Content-ID"), KIND_TOKENS },
		{ PR_STR_INIT("MIME-Version"), KIND_TOKENS }, { PR_STR_INIT("Content-Description"), KIND_TEXT },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (pr_str_equal_nocase(name, known[i].name))
			return known[i].kind;
	return KIND_OTHER;
}

/* The end of the parameter at the front: a semicolon outside of quotes, or the end of all. */
static size_t parameter_end(struct pr_str text)
{
	bool quoted = false;

	for (size_t at = 0; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '"')
			quoted = !quoted;
		else if (text.data[at] == ';' && !quoted)
			return at;
	}
	return text.len;
}

/* At most `most` bytes behind the first blank, in which no quote is left open. */
static void put_short(struct pr_str text, size_t most, struct pr_text *out)
{
	bool quoted = false;
	size_t at = 0;

	most += text.len > 0 && text.data[0] == ' ';
	if (text.len <= most) {
		pr_text_add_str(out, text);
		return;
	}
	while (at < most) {
		size_t take = text.data[at] == '\\' ? 2 : 1;
		bool opens = text.data[at] == '"' && !quoted;
		if (at + take + (quoted || opens) > most)
			break;
		quoted ^= text.data[at] == '"';
		at += take;
	}
	pr_text_add(out, text.data, at);
	if (quoted)
		pr_text_add_byte(out, '"');
}

static bool has_long_parameter(struct pr_str value, size_t most)
{
	while (value.len > most) {
		size_t end = parameter_end(value);
		if (end > most)
			return true;
		value = pr_str_slice(value, end + 1, value.len);
	}
	return false;
}

bool mime_limit_is_passed(int64_t header_max, int64_t field_max, struct pr_str name, struct pr_str value)
{
	bool whole = header_max > 0 && value.len > (uint64_t)header_max, part = field_max > 0 && value.len > (uint64_t)field_max;

	if (!whole && !part)
		return false;
	enum kind kind = kind_of(name);
	if (kind == KIND_OTHER)
		return false;
	return whole || (kind == KIND_PARAMETERS && has_long_parameter(value, (size_t)field_max));
}

void mime_limit_print(int64_t header_max, int64_t field_max, struct pr_str name, struct pr_str value, struct pr_text *out)
{
	size_t most = header_max > 0 ? (size_t)header_max : SIZE_MAX / 2;
	struct pr_text parts;

	if (kind_of(name) == KIND_TEXT) {
		pr_text_add_str(out, pr_str_slice(value, 0, most));
		return;
	}
	if (kind_of(name) != KIND_PARAMETERS || field_max <= 0) {
		put_short(value, most, out);
		return;
	}
	pr_text_init(&parts, 2 * value.len + 2);
	while (value.len > 0) {
		size_t end = parameter_end(value);
		put_short(pr_str_slice(value, 0, end), (size_t)field_max, &parts);
		if (end < value.len)
			pr_text_add_byte(&parts, ';');
		value = pr_str_slice(value, end + 1, value.len);
	}
	put_short(pr_text_str(&parts), most, out);
	pr_text_fini(&parts);
}
