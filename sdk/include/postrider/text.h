/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Borrowed bytes and growing bytes.
 *
 * struct pr_str points at bytes somebody else owns.  Mail may contain NUL, so
 * the length is the truth; a pr_str that the SDK or the kernel hands out is
 * also NUL-terminated unless the text says otherwise.  An absent string has
 * data == NULL; an empty one has data != NULL and len == 0.
 *
 * struct pr_text owns its bytes and grows up to the maximum it was born with.
 * An addition that would pass the maximum changes nothing, returns false and
 * sets `overflow`, so a chain of additions can be checked once at the end.
 * data is always NUL-terminated after the first addition (never NULL after
 * pr_text_init, which points it at a static empty string).
 */
#ifndef POSTRIDER_TEXT_H
#define POSTRIDER_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pr_str {
	const char *data;
	size_t len;
};

struct pr_list {
	const struct pr_str *items;
	size_t count;
};

struct pr_text {
	char *data;
	size_t len;
	size_t room; /* bytes allocated, 0 while data is the static empty string */
	size_t max;  /* most bytes it may ever hold, without the final NUL */
	uint32_t overflow;
	uint32_t reserved;
};

#define PR_STR(literal) ((struct pr_str){(literal), sizeof(literal) - 1})
#define PR_STR_INIT(literal) {(literal), sizeof(literal) - 1} /* in a static table */
#define PR_NONE ((struct pr_str){NULL, 0})
#define PR_PRINT(str) (int)(str).len, (str).data /* for "%.*s" */

/* strings --------------------------------------------------------------- */
struct pr_str pr_str(const char *c_string); /* NULL gives PR_NONE */
bool pr_str_equal(struct pr_str a, struct pr_str b);
bool pr_str_equal_nocase(struct pr_str a, struct pr_str b); /* ASCII letters only */
bool pr_str_has_prefix_nocase(struct pr_str text, struct pr_str prefix);
bool pr_str_has_suffix_nocase(struct pr_str text, struct pr_str suffix);
struct pr_str pr_str_trim(struct pr_str text); /* blanks, tabs, CR, LF at both ends */
struct pr_str pr_str_slice(struct pr_str text, size_t from, size_t to); /* clamped; [from, to) */
/* Position of the byte, or text.len when it is absent. */
size_t pr_str_find(struct pr_str text, char byte);
size_t pr_str_find_last(struct pr_str text, char byte);
/* Takes the next piece up to `separator` off the front of *rest; false when *rest is empty.
 * "a,,b," gives "a", "", "b". */
bool pr_str_next(struct pr_str *rest, char separator, struct pr_str *piece_out);
/* Takes the next word off the front of *rest: what stands between bytes of `separators`, which may be many in a row.  False when there is none. */
bool pr_str_word(struct pr_str *rest, const char *separators, struct pr_str *word_out);
/* Decimal digits only, the whole string; false when not a number or over max. */
bool pr_str_number(struct pr_str text, uint64_t max, uint64_t *number_out);
/* Since 1.5.  Only bytes below 0x80?  Well-formed UTF-8 (RFC 3629) without the controls U+0080 to U+009F? */
bool pr_str_is_ascii(struct pr_str text);
bool pr_utf8_is_valid(struct pr_str text);
/* FNV-1a over lower-cased ASCII. */
uint64_t pr_str_hash_nocase(struct pr_str text);

/* texts ----------------------------------------------------------------- */
void pr_text_init(struct pr_text *text, size_t max);
void pr_text_fini(struct pr_text *text); /* safe on a zeroed struct */
void pr_text_clear(struct pr_text *text); /* keeps the memory; also clears overflow */
bool pr_text_add(struct pr_text *text, const void *data, size_t len);
bool pr_text_add_str(struct pr_text *text, struct pr_str str);
bool pr_text_add_c(struct pr_text *text, const char *c_string);
bool pr_text_add_byte(struct pr_text *text, char byte);
bool pr_text_addf(struct pr_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool pr_text_addv(struct pr_text *text, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Adds bytes made safe for a log line: controls, 8-bit and the backslash as \ooo, at most max bytes then "...". */
bool pr_text_add_escaped(struct pr_text *text, struct pr_str str, size_t max);
void pr_text_cut(struct pr_text *text, size_t len); /* shortens */
/* Since 1.5, for who writes bytes in place.  Room for `len` more of them behind data + len, or false, and overflow, when that would pass the maximum; and
 * `len` of that room are now text. */
bool pr_text_reserve(struct pr_text *text, size_t len);
void pr_text_extend(struct pr_text *text, size_t len);
void pr_text_consume(struct pr_text *text, size_t len); /* drops from the front */
struct pr_str pr_text_str(const struct pr_text *text); /* borrowed, until the next change */

/* printing -------------------------------------------------------------- */
/* snprintf and vsnprintf, in meaning and result; several times faster for %s %.*s %c and integers. */
int pr_print(char *out, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
int pr_format(char *out, size_t room, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* memory ---------------------------------------------------------------- */
/* Never NULL: when memory is short the process prints one line to stderr and aborts
 * (the queue is on disk, the master starts the role again).  A size that comes from
 * outside must have met a limit before it gets here. */
void *pr_alloc(size_t size); /* zeroed */
void *pr_resize(void *memory, size_t size);
char *pr_copy_c(const char *c_string); /* NULL stays NULL, absent likewise */
char *pr_copy_str(struct pr_str str); /* NUL-terminated heap copy */
void pr_free(void *memory); /* NULL is fine */

#endif
