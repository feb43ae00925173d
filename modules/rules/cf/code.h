/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text with dollars understood.
 *
 * A line of sendmail.cf is bytes in which `$` begins something: `$j`, `$=w`, `$*`, `$?x ... $| ... $.`.  Here such a line is a string of
 * 16-bit units: a byte stands for itself, and each `$` construct is one unit, followed by the number of its macro, class or
 * digit where it has one.  Mail can hold any byte, so nothing in an address can ever be taken for an operator.
 */
#ifndef CF_CODE_H
#define CF_CODE_H

#include "names.h"

enum cf_unit {
	CF_ANY = 256, /* $*  zero or more tokens */
	CF_SOME,      /* $+  one or more */
	CF_ONE,       /* $-  exactly one */
	CF_CLASS,     /* $=x a phrase in the class; number follows */
	CF_NOT_CLASS, /* $~x one token not in the class; number follows */
	CF_MACRO,     /* $x  number follows */
	CF_DEFERRED,  /* $&x number follows */
	CF_DIGIT,     /* $1  the digit follows */
	CF_MAILER,    /* $# */
	CF_HOST,      /* $@ */
	CF_USER,      /* $: */
	CF_CALL,      /* $> */
	CF_IF,        /* $?x number follows */
	CF_ELSE,      /* $| */
	CF_FI,        /* $. */
	CF_NAME_BEGIN, /* $[ */
	CF_NAME_END,   /* $] */
	CF_MAP_BEGIN,  /* $( */
	CF_MAP_END,    /* $) */
	CF_UNITS_END
};

struct cf_code {
	uint16_t *units;
	uint32_t count;
	uint32_t room;
};

#define CF_CODE_MAX 65536u /* units of one text */

bool cf_unit_has_number(uint16_t unit);
const char *cf_unit_text(uint16_t unit); /* "$*", "$#"; NULL for a byte */
void cf_code_fini(struct cf_code *code);
bool cf_code_add(struct cf_code *code, uint16_t unit);
void cf_code_copy(struct cf_code *code, const struct cf_code *from);
/* Appends the text with its dollars understood.  False when a name is wrong (names->problems) or the text is too long: it ends there,
 * with the construct that lacks its name. */
bool cf_code_parse(struct cf_code *code, struct cf_names *names, struct pr_str text);
/* The text it came from. */
bool cf_code_print(const struct cf_code *code, const struct cf_names *names, struct pr_text *out);

#endif
