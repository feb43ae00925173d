/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line that thirty years of programs call: sendmail's letters.
 *
 * Cron says `sendmail -i -t`, PHP says `sendmail -t -i -fwww@example.org`, a mailing list says
 * `sendmail -oi -f owner-list a@example.org b@example.org`.  One table of letters reads them all, for the small
 * program and for the full one alike; what a letter means for a mode is the mode's business.
 *
 * Always true: nothing here touches the world, and strings are argv's own.
 */
#ifndef KERNEL_COMMAND_SENDMAIL_ARGUMENTS_H
#define KERNEL_COMMAND_SENDMAIL_ARGUMENTS_H

#include <postrider/text.h>

#define ARGUMENTS_OVERRIDES 64 /* most -O and -o of one command line */
#define ARGUMENTS_MACROS 32    /* most -M */
#define ARGUMENTS_QUEUES 64    /* most -q */

struct arguments {
	const char *program; /* last part of argv[0] */
	char mode;           /* of -b: 'm' when nothing was said, 'q' for a lone -q, 'p' for mailq ... */
	char error_mode;     /* -e: p q m w e */
	bool mode_given;
	bool ignore_dots;                             /* -i */
	bool from_header;                             /* -t */
	bool gateway;                                 /* -G */
	bool verbose;                                 /* -v */
	bool queue_given;                             /* -q */
	bool submission;                              /* -Ac: the submission queue is meant */
	bool single;                                  /* --single */
	const char *queue;                            /* what stood behind the last -q, maybe empty */
	const char *queues[ARGUMENTS_QUEUES];         /* ... behind each of them */
	size_t queue_count;
	const char *quarantine;                       /* behind -Q: a reason, empty to lift one; NULL: no -Q */
	const char *config;                           /* -C */
	const char *sender;                           /* -f, -r */
	const char *full_name;                        /* -F */
	const char *body;                             /* -B */
	const char *notify;                           /* -N */
	const char *ret;                              /* -R: "HDRS" or "FULL" */
	const char *envelope_id;                      /* -V */
	const char *protocol;                         /* -p */
	const char *hops;                             /* -h */
	const char *macros[ARGUMENTS_MACROS];         /* -M: "fx", "{name}value"; they mean something to the test mode */
	size_t macro_count;
	const char *tag;                              /* -L */
	const char *trace;                            /* -X */
	const char *debug_file;                       /* -D */
	bool debug_given;                             /* -d */
	const char *debug;                            /* what stood behind the last -d */
	struct pr_str overrides[ARGUMENTS_OVERRIDES]; /* "Name=value", -o letters already under their long names */
	size_t override_count;
	char *override_memory[ARGUMENTS_OVERRIDES]; /* heap copies behind some of them */
	char **addresses;                           /* what follows the flags */
	size_t address_count;
};

/* 0, or the exit status of sysexits.h with the sentence in `error`. */
int arguments_parse(int argc, char **argv, struct arguments *arguments, struct pr_text *error);
void arguments_fini(struct arguments *arguments);
/* The last value given for an option by -O or -o, or PR_NONE. */
struct pr_str arguments_override(const struct arguments *arguments, struct pr_str name);
/* arguments_option.c: what stands behind -O and -o.  0, or EX_USAGE with the sentence in `error`. */
int arguments_long_option(struct arguments *arguments, const char *value, struct pr_text *error);
int arguments_short_option(struct arguments *arguments, const char *value, struct pr_text *error);
/* The mode that a program name stands for ("mailq" -> 'p'), or 0. */
char arguments_name_mode(const char *program);

#endif
