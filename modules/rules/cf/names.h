/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of macros and classes.
 *
 * `$j` and `${client_name}` name macros, `$=w` and `$={VirtHost}` classes, and both kinds share one space of names.  A name of one
 * byte is its own number; longer ones get numbers from 256 on as they are met.  `{j}` is `j`.  Numbers never change and never end, so
 * a rule holds two bytes where the file holds a word.
 */
#ifndef CF_NAMES_H
#define CF_NAMES_H

#include <postrider/text.h>

#define CF_NAME_LONG 256u  /* the first number of a long name */
#define CF_NAMES_MAX 65000u
#define CF_NAME_NONE 0u
#define CF_NAME_UNKNOWN 65535u /* a name nobody has said, when no name is made any more: nothing has this number */

struct cf_names {
	struct pr_str *items; /* [number - CF_NAME_LONG] */
	size_t count;
	size_t room;
	uint32_t *slots; /* open addressing: index + 1, 0: empty */
	size_t slot_count;
	bool is_sealed;          /* many threads read: no name is made any more, nothing is told */
	struct pr_text problems; /* what was wrong with names that were read, a line each; whoever reads takes and clears them */
};

void cf_names_fini(struct cf_names *names);
/* Number of the name (without braces), made when it is new.  CF_NAME_NONE: empty, or there are too many. */
uint16_t cf_names_get(struct cf_names *names, struct pr_str name);
/* The same, but nothing is made: CF_NAME_NONE when it was never met. */
uint16_t cf_names_find(const struct cf_names *names, struct pr_str name);
/* Adds the name as it is written: "j", "{client_name}". */
bool cf_names_print(const struct cf_names *names, uint16_t number, struct pr_text *out);
/* The bare name, for the kernel's tables; one-byte names are put into buffer. */
struct pr_str cf_names_text(const struct cf_names *names, uint16_t number, char buffer[2]);

/* Reads a name at the front of *rest: one byte, or "{...}" (letters, digits and _; others are told and left out), and moves *rest behind it.
 * CF_NAME_NONE when there is none: the problems tell why, in sendmail's words. */
uint16_t cf_names_read(struct cf_names *names, struct pr_str *rest);

#endif
