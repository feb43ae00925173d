/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the bytes of one address to its pieces: comments and blanks go first, then
 * a source route, then local part and domain are looked at.
 * Cleaning writes to a buffer of fixed size on the stack, so a megabyte of "address" is refused
 * before any memory is asked for.
 */
#include "address_scan.h"
#include "ascii.h"

#define CLEANED_MAX 1024 /* an address of 256 bytes and a long route before it */

struct cleaned {
	char bytes[CLEANED_MAX];
	size_t len;
	bool blank; /* blanks or comments were passed since the last byte */
};

enum scan_class scan_byte(struct scanner *scanner, char byte)
{
	enum scan_class inside = scanner->depth > 0 ? SCAN_COMMENT : scanner->quoted ? SCAN_QUOTED : SCAN_ESCAPED;

	if (scanner->escaped) {
		scanner->escaped = false;
		return inside;
	}
	if (byte == '\\') {
		scanner->escaped = true;
		return inside;
	}
	if (scanner->depth > 0) {
		scanner->depth += (byte == '(') - (size_t)(byte == ')');
		return SCAN_COMMENT;
	}
	if (byte == '"') {
		scanner->quoted = !scanner->quoted;
		return SCAN_QUOTED;
	}
	if (scanner->quoted)
		return SCAN_QUOTED;
	if (byte != '(')
		return SCAN_SYNTAX;
	scanner->depth = 1;
	return SCAN_COMMENT;
}

const char *scan_fault(const struct scanner *scanner)
{
	if (scanner->depth > 0)
		return "Unbalanced '('";
	if (scanner->quoted)
		return "Unbalanced '\"'";
	return scanner->escaped ? "Nothing follows the backslash" : NULL;
}

/* RFC 5322 allows blanks and comments around these, and only around these. */
static bool joins(char byte)
{
	return byte == '.' || byte == '@' || byte == ',' || byte == ':';
}

static const char *clean_byte(struct cleaned *cleaned, enum scan_class class, char byte, struct accept_rule rule)
{
	if (class == SCAN_COMMENT)
		return NULL;
	if (class == SCAN_SYNTAX && ascii_is_space(byte)) {
		cleaned->blank = true;
		return rule.strict ? "Blank inside the address" : NULL;
	}
	if (ascii_is_control(byte) || byte == '\t')
		return "Control character in address";
	if ((unsigned char)byte >= 0x80 && !rule.utf8)
		return "8-bit character in address";
	if (cleaned->blank && cleaned->len > 0 && !joins(byte) && !joins(cleaned->bytes[cleaned->len - 1]))
		return "Blank inside the address";
	cleaned->blank = false;
	if (cleaned->len == sizeof cleaned->bytes)
		return "Address too long";
	cleaned->bytes[cleaned->len++] = byte;
	return NULL;
}

static const char *clean(struct pr_str text, struct accept_rule rule, struct cleaned *cleaned)
{
	struct scanner scanner = {0};
	const char *fault = NULL;

	for (size_t i = 0; fault == NULL && i < text.len; i++) {
		enum scan_class class = scan_byte(&scanner, text.data[i]);
		if (class == SCAN_SYNTAX && text.data[i] == ')')
			return "Unbalanced ')'";
		fault = clean_byte(cleaned, class, text.data[i], rule);
	}
	if (fault == NULL && rule.utf8 && !pr_utf8_is_valid((struct pr_str){cleaned->bytes, cleaned->len}))
		fault = "Address is no UTF-8";
	return fault != NULL ? fault : scan_fault(&scanner);
}

static const char *domain_fault(struct pr_str domain, bool utf8)
{
	if (domain.len == 0)
		return "Host name required";
	if (domain.data[0] != '[' && pr_str_find(domain, ':') < domain.len)
		return "Colon illegal in host name part";
	return (utf8 ? address_domain_is_valid_utf8 : pr_domain_is_valid)(domain) ? NULL : "Invalid host name";
}

/* "@a,@b:joe@c" becomes "joe@c" (RFC 5321 section 4.1.2: accept the route, and ignore it). */
static const char *skip_route(struct pr_str *inner, bool utf8)
{
	struct pr_str hop, route;
	size_t colon = 0;

	if (inner->len == 0 || inner->data[0] != '@')
		return NULL;
	for (bool literal = false; colon < inner->len && (literal || inner->data[colon] != ':'); colon++)
		literal = inner->data[colon] == '[' || (literal && inner->data[colon] != ']');
	if (colon == inner->len)
		return "User address required";
	route = pr_str_slice(*inner, 0, colon);
	*inner = pr_str_slice(*inner, colon + 1, inner->len);
	while (pr_str_next(&route, ',', &hop))
		if (hop.len == 0 || hop.data[0] != '@' || domain_fault(pr_str_slice(hop, 1, hop.len), utf8) != NULL)
			return "Invalid route address";
	return NULL;
}

/* What only quotes or a backslash can bring into a local part (RFC 5322 section 3.2.3). */
static const char *local_fault(struct pr_str local)
{
	struct scanner scanner = {0};

	if (local.len == 0)
		return "User address required";
	for (size_t i = 0; i < local.len; i++) {
		if (scan_byte(&scanner, local.data[i]) != SCAN_SYNTAX)
			continue;
		switch (local.data[i]) {
		case '@':
			return "More than one @ in address";
		case '<':
			return "Unbalanced '<'";
		case '>':
			return "Unbalanced '>'";
		case ',':
		case ';':
			return "Comma or semicolon in address";
		}
	}
	return NULL;
}

static const char *address_fault(struct pr_str inner, bool utf8, struct pr_address *address)
{
	if (inner.len + 2 > PR_ADDRESS_MAX)
		return "Address too long";
	pr_address_split(inner, address);
	const char *fault = local_fault(address->local);
	if (fault == NULL && address->local.len < inner.len)
		fault = domain_fault(address->domain, utf8);
	/* the dot of the root says nothing in mail, and would hide that two names are the same */
	if (fault == NULL && address->domain.len > 1 && address->domain.data[address->domain.len - 1] == '.') {
		address->domain.len--;
		address->full.len--;
	}
	return fault;
}

enum pr_status address_accept(struct pr_str text, struct accept_rule rule, struct pr_arena *arena,
                              struct pr_address *address_out, struct pr_str *why_out)
{
	struct cleaned cleaned = {.len = 0};
	struct pr_address address = {PR_STR(""), PR_STR(""), PR_STR("")};
	const char *fault = clean(text, rule, &cleaned);
	struct pr_str inner = {cleaned.bytes, cleaned.len};

	if (fault == NULL && (inner.len > 0 || !rule.allow_empty)) {
		fault = skip_route(&inner, rule.utf8);
		if (fault == NULL)
			fault = address_fault(inner, rule.utf8, &address);
	}
	if (fault == NULL) {
		address.full = pr_arena_copy(arena, address.full);
		address.local = pr_arena_copy(arena, address.local);
		address.domain = pr_arena_copy(arena, address.domain);
		if (address.full.data == NULL || address.local.data == NULL || address.domain.data == NULL)
			fault = "Address too long";
	}
	if (fault != NULL) {
		*why_out = pr_str(fault);
		return PR_PERMFAIL;
	}
	*address_out = address;
	return PR_OK;
}
