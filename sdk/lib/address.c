/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The path of MAIL FROM and RCPT TO, and the small questions about one address.
 * A path is found by its bracket first and judged afterwards, so that what stands
 * behind it (the parameters) is known even when the path is refused.
 */
#include "address_scan.h"
#include "ascii.h"

struct pr_str pr_address_inner(struct pr_str address)
{
	struct pr_str inner = pr_str_trim(address);

	if (inner.len >= 2 && inner.data[0] == '<' && inner.data[inner.len - 1] == '>')
		return pr_str_slice(inner, 1, inner.len - 1);
	return inner;
}

void pr_address_split(struct pr_str inner, struct pr_address *address_out)
{
	struct scanner scanner = {0};
	size_t at = inner.len;

	for (size_t i = 0; i < inner.len; i++)
		if (scan_byte(&scanner, inner.data[i]) == SCAN_SYNTAX && inner.data[i] == '@')
			at = i;
	address_out->full = inner;
	address_out->local = pr_str_slice(inner, 0, at);
	address_out->domain = at < inner.len ? pr_str_slice(inner, at + 1, inner.len) : PR_STR("");
}

static bool is_domain_byte(char byte)
{
	return ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '-' || byte == '_' || byte == '.';
}

static bool is_literal(struct pr_str domain)
{
	if (domain.len < 3 || domain.data[domain.len - 1] != ']')
		return false;
	for (size_t i = 1; i < domain.len - 1; i++)
		if (!is_domain_byte(domain.data[i]) && domain.data[i] != ':')
			return false;
	return true;
}

static bool is_domain(struct pr_str domain, bool utf8)
{
	char before = '.';

	if (domain.len == 0 || domain.len > 255)
		return false;
	if (domain.data[0] == '[')
		return is_literal(domain);
	for (size_t i = 0; i < domain.len; i++) {
		bool beyond = utf8 && (unsigned char)domain.data[i] >= 0x80;
		if ((!is_domain_byte(domain.data[i]) && !beyond) || (domain.data[i] == '.' && before == '.'))
			return false;
		before = domain.data[i];
	}
	return true;
}

bool pr_domain_is_valid(struct pr_str domain)
{
	return is_domain(domain, false);
}

bool address_domain_is_valid_utf8(struct pr_str domain)
{
	return is_domain(domain, true);
}

/* Index of the bracket that ends a path which begins behind `from`; text.len when there is none. */
static size_t find_bracket(struct pr_str text, size_t from, const char **fault)
{
	struct scanner scanner = {0};

	for (size_t i = from; i < text.len; i++) {
		enum scan_class class = scan_byte(&scanner, text.data[i]);
		if (class == SCAN_SYNTAX && text.data[i] == '>')
			return i;
		if (class == SCAN_SYNTAX && text.data[i] == '<')
			break;
	}
	*fault = scan_fault(&scanner);
	if (*fault == NULL)
		*fault = "Unbalanced '<'";
	return text.len;
}

static size_t find_blank(struct pr_str text, size_t from)
{
	struct scanner scanner = {0};
	size_t i = from;

	while (i < text.len && (scan_byte(&scanner, text.data[i]) != SCAN_SYNTAX || !ascii_is_space(text.data[i])))
		i++;
	return i;
}

static enum pr_status read_path(struct pr_str text, bool utf8, struct pr_arena *arena, struct pr_address *address_out,
                                struct pr_str *rest_out, struct pr_str *why_out)
{
	const char *fault = NULL;
	size_t begin = 0, end;

	while (begin < text.len && ascii_is_blank(text.data[begin]))
		begin++;
	bool bracket = begin < text.len && text.data[begin] == '<';
	if (bracket)
		end = find_bracket(text, ++begin, &fault);
	else
		end = find_blank(text, begin);
	*rest_out = pr_str_slice(text, end + bracket, text.len);
	if (fault != NULL) {
		*why_out = pr_str(fault);
		return PR_PERMFAIL;
	}
	struct accept_rule rule = {.strict = true, .allow_empty = bracket, .utf8 = utf8};
	return address_accept(pr_str_slice(text, begin, end), rule, arena, address_out, why_out);
}

enum pr_status pr_address_path(struct pr_str text, struct pr_arena *arena, struct pr_address *address_out,
                               struct pr_str *rest_out, struct pr_str *why_out)
{
	return read_path(text, false, arena, address_out, rest_out, why_out);
}

enum pr_status pr_address_path_utf8(struct pr_str text, struct pr_arena *arena, struct pr_address *address_out,
                                    struct pr_str *rest_out, struct pr_str *why_out)
{
	return read_path(text, true, arena, address_out, rest_out, why_out);
}
