/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail addresses on the wire and in tables (RFC 5321 section 4.1.2, RFC 5322 section 3.4).
 *
 * pr_address_path reads the path of MAIL FROM:/RCPT TO: from the front of a
 * command line; pr_address_list splits a header or alias value into mailboxes,
 * with comments, groups, quoted strings, display names and route addresses
 * taken off.  Neither allocates outside the arena nor recurses: nesting of
 * comments is counted, and everything is linear in the input.
 */
#ifndef POSTRIDER_ADDRESS_H
#define POSTRIDER_ADDRESS_H

#include "arena.h"
#include "status.h"

#define PR_ADDRESS_MAX 256 /* RFC 5321 4.5.3.1.3: path of 256 bytes with punctuation */

struct pr_address {
	struct pr_str full;   /* "joe@example.org", route and brackets taken off; "" for <> */
	struct pr_str local;  /* "joe", as written, quotes kept */
	struct pr_str domain; /* "example.org" or "[192.0.2.1]"; empty when there is none */
};

/* Reads "<...>" or a bare word at the front of `text`.  *rest_out begins after it.
 * PR_PERMFAIL and a sentence in *why_out ("Unbalanced '<'", "Colon illegal in host name part",
 * "User address required") when it is no address; *rest_out is set in any case.  Blanks inside the
 * brackets, controls and 8-bit bytes are refused; a route and comments are taken off. */
enum pr_status pr_address_path(struct pr_str text, struct pr_arena *arena, struct pr_address *address_out,
                               struct pr_str *rest_out, struct pr_str *why_out);
/* Since 1.5.  The same where UTF-8 may stand in both parts (RFC 6531 section 3.3). */
enum pr_status pr_address_path_utf8(struct pr_str text, struct pr_arena *arena, struct pr_address *address_out,
                                    struct pr_str *rest_out, struct pr_str *why_out);
/* "joe@example.org" from "<joe@example.org>", and the same for a bare one. */
struct pr_str pr_address_inner(struct pr_str address);
/* Splits "joe@example.org" at the last @ outside quotes. */
void pr_address_split(struct pr_str inner, struct pr_address *address_out);
/* One mailbox per call from a header value or an alias right hand side; PR_NOTFOUND at the end,
 * PR_PERMFAIL for a piece that is no address (skipped; *rest stands behind it).  The address comes without
 * brackets; a header may well name "/file", which is then just a local part.  With `alias` true a line end separates
 * like a comma, and "|prog args", "/file",
 * ":include:/path" and "\user" are accepted as they are, quotes around them taken off. */
enum pr_status pr_address_next(struct pr_str *rest, bool alias, struct pr_arena *arena, struct pr_str *address_out,
                               struct pr_str *why_out);
/* Letters, digits, '-', '_', dots not doubled, at most 255 bytes; or an address literal in brackets. */
bool pr_domain_is_valid(struct pr_str domain);

/* xtext of RFC 3461 section 4. */
bool pr_xtext_decode(struct pr_str text, struct pr_arena *arena, struct pr_str *decoded_out);
bool pr_xtext_encode(struct pr_str text, struct pr_text *out);

#endif
