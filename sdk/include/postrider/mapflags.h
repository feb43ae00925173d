/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flags that all maps share, and how a value is finished.
 *
 * In sendmail.cf a map is declared as `K access hash -o -a.FOUND -T<TMPF> /etc/mail/access`: a name, a class, flags, and words.
 * In postrider.conf the same is `{ module = "hash"; optional = true; append = ".FOUND"; ... }` or, as it was written,
 * `{ module = "hash"; arguments = "-o -a.FOUND -T<TMPF> /etc/mail/access"; }`.  A module gets both for little:
 *
 *   struct colour_map { struct pr_map_flags flags; int64_t shade; };
 *   static const struct pr_option options[] = { PR_MAP_OPTIONS(struct colour_map, flags), ..., PR_OPTION_END };
 *   static const struct pr_map_flag letters[] = { PR_MAP_FLAG('s', PR_MAP_NUMBER, struct colour_map, shade), PR_MAP_FLAG_END };
 *
 *   check():   return pr_map_flags_parse(call, letters, map, &map->flags);
 *   lookup():  status = ... the raw value of pr_map_fold(call, &map->flags, key) ...
 *              return pr_map_answer(call, &map->flags, status, key, args, raw, value_out);
 *
 * What the letters mean (in brackets the option):
 *
 *   -o  optional          a missing file is an empty table        -f  fold = false      keys are looked up as they are
 *   -a  append            text behind every value                 -m  match_only        the value is the key itself
 *   -T  append_tempfail   a temporary failure is answered with the key and this text; the reason stays in the call, so that
 *                         who asked can tell it from a value
 *   -t  never_defer       a temporary failure is "not found"      -D  not_deferred      not asked in DeliveryMode d
 *   -N  nul = "always"    keys in the table end with a NUL byte   -O  nul = "never"     they do not; else both are tried (and with both letters none)
 *   -q  keep_quotes, -S space:  how the rule engine makes a key of several words; no matter to a module
 *   -A -d -k -l -v -z     taken for classes where they mean something, and without effect where the module has no such letter
 *
 * Who has arguments ($@ in a rule) passes them, if only an empty list: then %0 in a value is the key, %1 ... %9 are the arguments (absent
 * ones nothing) and %% is %.  Without (args is NULL) the value is handed out as it stands in the table.  Appended text and a key that
 * is the value (-m) are never touched.
 */
#ifndef POSTRIDER_MAPFLAGS_H
#define POSTRIDER_MAPFLAGS_H

#include "map.h"

struct pr_map_flags {
	struct pr_str arguments;       /* as written; absent when nobody wrote any */
	struct pr_str words;           /* what stands behind the flags, trimmed; absent likewise */
	struct pr_str append;          /* absent: nothing */
	struct pr_str append_tempfail; /* absent: failures are failures */
	struct pr_str space;           /* one byte, or absent */
	struct pr_str nul;             /* "", "always", "never", "none" */
	uint32_t fold;
	uint32_t optional;
	uint32_t match_only;
	uint32_t never_defer;
	uint32_t not_deferred;
	uint32_t keep_quotes;
};

/* Rows for the option table of a module whose instance has a struct pr_map_flags in `field_`. */
#define PR_MAP_OPTIONS(type_, field_) \
	PR_OPTION(type_, field_.arguments, "arguments", PR_OPTION_STRING, 0, NULL, "flags and words as in a K line of sendmail.cf"), \
	PR_OPTION(type_, field_.append, "append", PR_OPTION_STRING, 0, NULL, "text behind every value (-a)"), \
	PR_OPTION(type_, field_.append_tempfail, "append_tempfail", PR_OPTION_STRING, 0, NULL, \
	    "a temporary failure is answered with the key and this text (-T)"), \
	PR_OPTION(type_, field_.fold, "fold", PR_OPTION_BOOL, 0, "true", "upper and lower case are the same in keys (not -f)"), \
	PR_OPTION(type_, field_.optional, "optional", PR_OPTION_BOOL, 0, "false", "a missing file is an empty table (-o)"), \
	PR_OPTION(type_, field_.match_only, "match_only", PR_OPTION_BOOL, 0, "false", "the value of a key that is found is the key (-m)"), \
	PR_OPTION(type_, field_.never_defer, "never_defer", PR_OPTION_BOOL, 0, "false", "what cannot be looked up is not found (-t)"), \
	PR_OPTION(type_, field_.not_deferred, "not_deferred", PR_OPTION_BOOL, 0, "false", "not asked in DeliveryMode deferred (-D)"), \
	PR_OPTION(type_, field_.keep_quotes, "keep_quotes", PR_OPTION_BOOL, 0, "false", "rules leave the quotes in a key (-q)"), \
	PR_OPTION(type_, field_.space, "space", PR_OPTION_STRING, 0, NULL, "byte between the words of a key (-S)"), \
	PR_OPTION(type_, field_.nul, "nul", PR_OPTION_STRING, 0, "", "keys in a table end with NUL: always (-N), never (-O), or both are tried")

enum pr_map_flag_kind {
	PR_MAP_SET = 1,     /* uint32_t: becomes 1 */
	PR_MAP_CLEAR = 2,   /* uint32_t: becomes 0 */
	PR_MAP_TEXT = 3,    /* struct pr_str: the rest of the word, perhaps nothing */
	PR_MAP_WORD = 4,    /* struct pr_str: the rest of the word, or else the next word */
	PR_MAP_NUMBER = 5,  /* int64_t, as PR_MAP_WORD */
	PR_MAP_TIME = 6,    /* int64_t seconds, the rest of the word; a bare number is seconds */
	PR_MAP_BYTE = 7,    /* struct pr_str of the one byte that follows; \n \t and \\ as in C */
	PR_MAP_IGNORED = 8  /* the word is taken and forgotten */
};

struct pr_map_flag {
	uint32_t letter;
	uint32_t kind;  /* enum pr_map_flag_kind */
	size_t offset;  /* into the record given to pr_map_flags_parse */
};

#define PR_MAP_FLAG(letter_, kind_, type_, field_) { (letter_), (kind_), offsetof(type_, field_) }
#define PR_MAP_FLAG_END { 0, 0, 0 }

/* What sendmail puts between the parts of a value where a rule shows $| (the regex map): one byte, which no address contains. */
#define PR_MAP_SEPARATOR "\233"

/* The reason that goes with PR_NOTFOUND when there is no table at all, and -o says that there need not be one. */
#define PR_MAP_ABSENT "there is no such table"
/* That answer.  Such tables are asked for every address, so the reason is no text that has to be made. */
static inline enum pr_status pr_map_absent(struct pr_call *call)
{
	call->reason = PR_STR(PR_MAP_ABSENT);
	return PR_NOTFOUND;
}

/* Takes flags->arguments apart; texts point into it.  Letters of `own` (may be NULL) go into `record` and come before the shared ones.
 * PR_MISUSE: "Illegal option x", or a value that is none. */
enum pr_status pr_map_flags_parse(struct pr_call *call, const struct pr_map_flag *own, void *record, struct pr_map_flags *flags);
/* Takes one word off the front of *rest; false at the end. */
bool pr_map_word(struct pr_str *rest, struct pr_str *word_out);

/* Is the map not to be asked now (-D)?  Then it answers PR_NOTFOUND. */
bool pr_map_is_deferred(struct pr_call *call, const struct pr_map_flags *flags);
/* The key as it is looked up: lower case unless -f.  In the arena; absent when there is no memory left. */
struct pr_str pr_map_fold(struct pr_call *call, const struct pr_map_flags *flags, struct pr_str key);
/* The answer of a lookup that found `raw` (any memory), or failed: -m, %n, -a, -T, -t. */
enum pr_status pr_map_answer(struct pr_call *call, const struct pr_map_flags *flags, enum pr_status status, struct pr_str key,
                             const struct pr_list *args, struct pr_str raw, struct pr_str *value_out);

#endif
