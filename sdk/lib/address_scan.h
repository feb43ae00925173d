/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading address syntax byte by byte (RFC 5322 section 3.2).
 *
 * A scanner says of each byte whether it is syntax, part of a quoted string, an
 * escaped byte or part of a comment.  It has no stack: comments nest by a counter, so ten
 * thousand open parentheses cost ten thousand additions.
 *
 * address_accept() takes the bytes between the brackets (or of a bare address)
 * and gives the address in pieces, or the sentence why it is none.
 */
#ifndef SDK_LIB_ADDRESS_SCAN_H
#define SDK_LIB_ADDRESS_SCAN_H

#include <postrider/address.h>

enum scan_class { SCAN_SYNTAX, SCAN_ESCAPED, SCAN_QUOTED, SCAN_COMMENT };

struct scanner {
	size_t depth; /* of open comments */
	bool quoted;
	bool escaped; /* the next byte is */
};

enum scan_class scan_byte(struct scanner *scanner, char byte);
/* "Unbalanced '('" and so on, or NULL when nothing is open. */
const char *scan_fault(const struct scanner *scanner);

/* How address_accept() reads. */
struct accept_rule {
	bool strict;      /* blanks are refused, not skipped: a path of SMTP */
	bool allow_empty; /* "" is an address: the null reverse-path */
	bool utf8;        /* characters beyond ASCII are letters (RFC 6531) */
};

/* pr_domain_is_valid() with what is beyond ASCII as letters. */
bool address_domain_is_valid_utf8(struct pr_str domain);

/* On success the pieces are NUL-terminated copies in the arena. */
enum pr_status address_accept(struct pr_str text, struct accept_rule rule, struct pr_arena *arena,
                              struct pr_address *address_out, struct pr_str *why_out);

#endif
