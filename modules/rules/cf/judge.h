/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values that sendmail judges while it reads its file.
 *
 *     O PrivacyOptions=novrfy,nosuch      "nosuch unrecognized" is said, novrfy goes on to the kernel
 *     O Timeout.helo=5                    300s: the unit of this option is the minute
 *     Kr regex (                          "pattern-compile-error: ...", and there is no such map
 *
 * What comes out is in the kernel's own strict words, so nothing is said twice; what sendmail takes without a word passes here without one.
 */
#ifndef CF_JUDGE_H
#define CF_JUDGE_H

#include "cf.h"

/* The value of an option as it is declared; absent: it is not (an error was told, or there is nothing to set). */
struct pr_str cf_judge_option(struct cf *cf, const char *name, struct pr_str value);
/* A time with units, "1h30m", as seconds: "5400s".  `unit` counts a number without one. */
struct pr_str cf_judge_time(struct cf *cf, struct pr_str value, char unit);
/* Timeout.NAME; absent: there is no such timeout, or it is bad. */
struct pr_str cf_judge_timeout(struct cf *cf, struct pr_str name, struct pr_str value);
/* Words between commas and blanks; those that nobody knows are named and left out. */
struct pr_str cf_judge_privacy(struct cf *cf, struct pr_str value);
struct pr_str cf_judge_blame(struct cf *cf, struct pr_str value);
struct pr_str cf_judge_resolver(struct cf *cf, struct pr_str value);
/* ServerSSLOptions, ClientSSLOptions. */
struct pr_str cf_judge_tls(struct cf *cf, const char *option, struct pr_str value);
/* DaemonPortOptions, ClientPortOptions. */
struct pr_str cf_judge_ports(struct cf *cf, struct pr_str value);
/* "user", "user:group": is there such a one?  `what` begins the complaint. */
bool cf_judge_user(struct cf *cf, const char *what, struct pr_str value, bool has_group);
/* Is there such a class of maps in the language? */
bool cf_judge_has_class(struct pr_str name);
/* The file in the arguments of a map; false: the class wants none.  *is_optional_out: -o. */
bool cf_judge_map_file(struct pr_str class_name, struct pr_str arguments, struct pr_str *file_out, bool *is_optional_out);
/* A map of a K line or an alias file; false: it has been told, and there is none. */
bool cf_judge_map(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments);
/* An equate of a mailer, a queue group or a filter; absent: it has been told, and there is none. */
struct pr_str cf_judge_mailer(struct cf *cf, struct pr_str mailer, char letter, struct pr_str value);
struct pr_str cf_judge_group(struct cf *cf, struct pr_str group, char letter, struct pr_str value);
struct pr_str cf_judge_filter(struct cf *cf, struct pr_str filter, char letter, struct pr_str value);
/* Is it known where the files of a queue group lie? */
bool cf_judge_group_place(struct cf *cf, bool has_path);
/* Milter.NAME */
bool cf_judge_milter(struct cf *cf, struct pr_str name);
/* A flag of a map and what belongs to it. */
struct cf_flag {
	char letter; /* NUL: a lone dash */
	struct pr_str value;
};
/* Takes the next flag off *rest; false: what follows is none.  Which letters have the next word for a value depends on the class; the first
 * is about those that all maps of files have. */
bool cf_flag_take(struct pr_str *rest, struct cf_flag *flag_out);
bool cf_flag_take_of(struct pr_str *rest, struct pr_str class_name, struct cf_flag *flag_out);
bool cf_word_take(struct pr_str *rest, struct pr_str *word_out);
/* Do maps of files have it? */
bool cf_flag_is_of_files(char letter);
/* The arguments of a map without what means nothing to its class: for the module.  Of a class that is none of sendmail's they are as written. */
struct pr_str cf_map_words(struct cf *cf, struct pr_str class_name, struct pr_str arguments);
/* The members of a sequence that are there. */
struct pr_str cf_sequence_members(struct cf *cf, struct pr_str arguments);
/* A list of alias files without those of unusable classes. */
struct pr_str cf_judge_aliases(struct cf *cf, struct pr_str value);
/* What can only be said when all is read. */
void cf_judge_whole(struct cf *cf);

#endif
