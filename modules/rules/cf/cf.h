/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule engine for sendmail.cf.
 *
 * A site's sendmail.cf is read once: read*.c turn its lines into the tables below, compile.c its rules into rows of tokens.  From
 * then on the tables are only read (the -bt console, which owns its process, may change macros and classes), so all threads use them at once.
 *
 *     RCPT TO:<joe@example.org>
 *        resolve.c     set 3, set 0, then {mailer, host, user} from `$#mailer $@host $:user`   address.c
 *          rewrite.c   one set: rule by rule until none matches
 *            match.c   the left side: literals, $* $+ $- $=x $~x, the shortest match first
 *            apply.c   the right side: $1, $&x, then $[ $] and $( $) from left to right, then $>set from right to left
 *
 * Everything that changes while an address is worked on is in a struct cf_run on the stack of the call and in the thread's memory.
 */
#ifndef CF_CF_H
#define CF_CF_H

#include "join.h"
#include "phrase.h"

#include <postrider/rules.h>

#define CF_SETS_MAX 200u
#define CF_SETS_NUMBERED 100u
#define CF_OPERANDS 9u
#define CF_ARGUMENTS 10u
#define CF_DEPTH_MAX 50u
#define CF_LOOPS_MAX 100u
#define CF_WORK_MAX 5000000u /* rules tried and second thoughts for one address: only sets that call themselves without end get there */
#define CF_WORK_APPLY 20u    /* a rule that is applied costs as much as so many that are only tried */
#define CF_MAILERS_MAX 25u
#define CF_LEVEL_MAX 10
#define CF_PRECEDENCES_MAX 25u

/* sysexits that the language speaks of */
enum { CF_OK = 0, CF_USAGE = 64, CF_DATAERR = 65, CF_NOUSER = 67, CF_NOHOST = 68, CF_UNAVAILABLE = 69, CF_SOFTWARE = 70, CF_OSERR = 71,
	CF_IOERR = 74, CF_TEMPFAIL = 75, CF_PROTOCOL = 76, CF_NOPERM = 77, CF_CONFIG = 78 };

/* rules ----------------------------------------------------------------- */
enum cf_action { CF_AGAIN, CF_ONCE, CF_RETURN, CF_RESOLVE };

struct cf_rule {
	const struct cf_token *left;
	const struct cf_token *right;
	uint64_t need;        /* mask of the literals on the left */
	uint16_t left_count;
	uint16_t right_count;
	uint16_t least;       /* tokens that an address must have */
	uint8_t action;       /* enum cf_action */
	uint8_t skip;         /* a leading $: or $@ on the right */
	uint8_t operands;
	bool has_lookup;
	bool has_call;
	uint32_t line;
};

struct cf_set {
	struct pr_str name; /* absent: a number */
	struct cf_rule *rules;
	uint32_t count;
	uint32_t room;
	bool is_defined;
};

/* maps ------------------------------------------------------------------ */
enum cf_map_kind { CF_MAP_OTHER, CF_MAP_MACRO, CF_MAP_ARITH };

struct cf_map {
	struct pr_str name;
	struct pr_str class_name;
	struct pr_str arguments;
	uint32_t kind; /* enum cf_map_kind */
	uint32_t line;
	char space;    /* between atoms of the key: -S, else BlankSub as it was where the K line stands */
	bool is_told;  /* of the console: the file is not there, and that was said */
	bool keeps_quotes; /* -q, and class dequote: the key keeps its quotes and backslashes */
};

/* mailers --------------------------------------------------------------- */
struct cf_field {
	char letter;
	struct cf_code value;
};

struct cf_mailer {
	struct pr_str name;
	struct pr_str path;
	struct pr_str argv;     /* as written */
	uint64_t flags[2];      /* by byte */
	uint16_t sender_envelope, sender_header, recipient_envelope, recipient_header; /* number of the set + 1, 0: none */
	int64_t max_size, line_limit, max_recipients, max_messages, wait;
	struct pr_str end_of_line;
	struct pr_str directory, root, user, nice, charset, group;
	struct pr_str types[3];
	struct pr_declared_setting settings[24];
	uint32_t setting_count;
	uint32_t line;
};

/* headers --------------------------------------------------------------- */
struct cf_header {
	struct pr_str name;
	struct cf_code value;
	uint64_t flags[2];   /* mailer flags, any of them; none: always */
	uint16_t condition;  /* number of a macro, or 0 */
	uint16_t check;      /* $>set: number of the set + 1 */
	bool keeps_comments; /* $>+set */
	bool is_default;     /* H*: */
};

struct cf_macro {
	struct cf_code value;
	bool is_set;
};

struct cf {
	struct pr_str file; /* option */
	struct pr_arena arena;   /* everything the file declares; lives as long as the engine */
	struct cf_names names;
	struct cf_macro *macros; /* by number */
	size_t macro_room;
	struct cf_phrases *classes;
	struct cf_phrases spelling; /* the words of all of them */
	size_t class_room;
	struct cf_alphabet alphabet;
	struct cf_set sets[CF_SETS_MAX];
	uint32_t next_named;     /* the next number for a named set, downwards */
	struct cf_map *maps;
	size_t map_count, map_room;
	struct cf_mailer *mailers;
	size_t mailer_count;
	struct cf_header *headers;
	size_t header_count, header_room;
	struct pr_declared *declared;
	size_t declared_count, declared_room;
	int level;
	struct pr_text messages; /* diagnostics, a line each */
	uint32_t errors;         /* how many of them are errors */
	uint32_t fatal;          /* sysexit of one that ends the program: nothing is read after it */
	uint32_t status;         /* sysexit of the first error */
	bool is_read;
	struct pr_call *call;    /* while the file is read: the way to maps */
	bool has_altnames;       /* SetCertAltnames */
	uint16_t altnames_class; /* $={cert_altnames}, which changes from host to host; CF_NAME_NONE: it does not, or nobody asks */
	uint16_t type_macro;     /* ${addr_type}; CF_NAME_NONE: the file never asks for it */
	struct pr_str own_name;  /* of this host, before the file said another ($j) */
	/* where the reader is */
	struct pr_str current_file;
	uint32_t current_line;
	uint16_t set_current;    /* number + 1 of the set that R lines go to */
	bool colon_ok, dont_probe;
	bool has_operators;      /* OperatorChars were said, or rules were cut: $o, which says them up to level 6, is too late */
	bool has_rules;          /* rules were cut: no other OperatorChars any more */
	bool wants_host_status, has_host_status; /* SingleThreadDelivery, HostStatusDirectory */
	bool is_interactive_safe; /* SuperSafe */
	char delivery_mode;
	uint32_t safe_class;     /* PR_SAFE_...: what DontBlameSendmail allows of class files */
	struct pr_str mailbox_database;
	uint32_t precedence_count;
	char must_quote[64];     /* bytes that a phrase may only hold in quotes */
	struct cf_phrases told;  /* of the console: what is said once */
	uint32_t try_flags;      /* of the console: /tryflags */
	uint32_t tracing;        /* of the console: level of -d21 */
	uint32_t tracing_cuts, tracing_maps; /* ... of -d22 and -d60 */
};

/* symbols.c: macros, classes, sets, maps by name ------------------------- */
struct cf_macro *cf_macro_get(struct cf *cf, uint16_t number);
const struct cf_macro *cf_macro_find(const struct cf *cf, uint16_t number); /* NULL: not set */
void cf_macro_set_text(struct cf *cf, const char *name, struct pr_str value);
struct cf_phrases *cf_class_get(struct cf *cf, uint16_t number);
const struct cf_phrases *cf_class_find(const struct cf *cf, uint16_t number);
void cf_class_add(struct cf *cf, const char *name, const char *word);
/* Number + 1 of the set; 0: no such name.  "99=x" is 99. */
uint16_t cf_set_find(const struct cf *cf, struct pr_str name);
/* What sendmail says first of a name that names no set; PR_NONE: nothing. */
struct pr_str cf_set_fault(struct pr_arena *arena, struct pr_str name);
/* The same for the token behind $>, which may be in quotes. */
uint16_t cf_set_called(const struct cf *cf, const struct cf_token *name);
struct cf_map *cf_map_find(const struct cf *cf, struct pr_str name);
struct cf_mailer *cf_mailer_find(const struct cf *cf, struct pr_str name);
bool cf_mailer_has(const struct cf_mailer *mailer, char flag);
/* The name of set `number` as traces print it. */
struct pr_str cf_set_label(const struct cf *cf, uint16_t number, char buffer[12]);
void cf_symbols_fini(struct cf *cf);

/* expand.c --------------------------------------------------------------- */
/* $x and $?x $| $. by the values that are set now; all else is copied. */
void cf_expand_now(struct cf *cf, const struct cf_code *from, struct cf_code *to);
/* Text of a line to text with the macros put in; operators of the language are written as their letters.  Lives as long as the engine. */
struct pr_str cf_expand_text(struct cf *cf, struct pr_str text);

/* reading ---------------------------------------------------------------- */
/* An error, with file and line. */
void cf_complain(struct cf *cf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what the system refused: its words are added, and the exit status is another. */
void cf_complain_system(struct cf *cf, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With file and line, but no error. */
void cf_note(struct cf *cf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something was wrong; `status` is a sysexit. */
void cf_fail(struct cf *cf, uint32_t status);
/* A remark without file and line, and no error. */
void cf_remark(struct cf *cf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for names that were wrong (names.problems). */
void cf_complain_names(struct cf *cf);
/* A line as sendmail shows it: each dollar as the byte it is inside. */
struct pr_str cf_shown(struct cf *cf, struct pr_str line);
bool cf_read(struct cf *cf, struct pr_call *call);
void cf_read_rule(struct cf *cf, struct pr_str line);       /* compile.c; the line behind R */
void cf_read_set(struct cf *cf, struct pr_str line);        /* read_set.c */
void cf_read_mailer(struct cf *cf, struct pr_str line);
void cf_imply_flags(struct cf *cf);                         /* what the mailer local has in files of old levels */
void cf_read_header(struct cf *cf, struct pr_str line);
void cf_read_map(struct cf *cf, struct pr_str line);
void cf_read_option(struct cf *cf, struct pr_str line);
void cf_read_macro(struct cf *cf, struct pr_str line);      /* D */
void cf_read_group(struct cf *cf, struct pr_str line);      /* Q */
void cf_read_filter(struct cf *cf, struct pr_str line);     /* X */
void cf_read_class_file(struct cf *cf, struct pr_str line);
void cf_class_add_words(struct cf *cf, uint16_t number, struct pr_str words); /* they stand between blanks */
/* False: this is no `key@class:spec`, but a file or a program. */
bool cf_read_class_map(struct cf *cf, uint16_t number, struct pr_str rest, bool is_optional);
/* Number + 1 of the set that text names ("3", "name", "name=3"), made when it is new; 0 and a complaint: no name. */
uint16_t cf_set_make(struct cf *cf, struct pr_str text);
struct cf_map *cf_map_add(struct cf *cf, struct pr_str name, struct pr_str class_name, struct pr_str arguments);
void cf_link(struct cf *cf);                                /* names in rules to sets and maps */
struct pr_declared *cf_declare(struct cf *cf, uint32_t kind, struct pr_str name);
void cf_declare_setting(struct cf *cf, struct pr_declared *declared, const char *name, struct pr_str value);
/* What sendmail sets before it reads anything. */
void cf_defaults(struct cf *cf);
void cf_probe_interfaces(struct cf *cf); /* class w: names and addresses of this host */

/* running ---------------------------------------------------------------- */
struct cf_overlay { /* macros set while mail is worked on: by the map class macro, and by the engine itself */
	struct cf_overlay_item {
		uint16_t number;
		bool is_set;
		char *text;    /* kept for the next value */
		size_t length, text_room;
	} *items;
	size_t count, room;
};

struct cf_level {
	struct cf_tokens work, spare;
};

/* Memory that is used again and again, so that an address costs no allocation. */
struct cf_thread {
	struct cf_level levels[CF_DEPTH_MAX + 4];
	struct cf_tokens address, user; /* of cf_parse and its like; of the triple they build */
	struct pr_text frame, framed, expanded;
	struct cf_overlay overlay;
	struct cf_phrases altnames;   /* altnames.c */
	struct pr_text altnames_text; /* of these words */
	bool is_ready; /* texts have their sizes */
	bool is_begun; /* the console's macros are set */
};

/* An SMTP connection.  What is set before its first MAIL stays to its end, what is set in a transaction goes with that. */
struct cf_session {
	struct cf_overlay connection, transaction;
	bool has_begun; /* MAIL was asked about */
};

enum { CF_TRACE_WORKSPACE = 1, CF_TRACE_MACROS = 2, CF_TRACE_CALLS = 3, CF_TRACE_RESULTS = 4, CF_TRACE_FAILURES = 10, CF_TRACE_RULES = 12 }; /* levels of -d21 */

struct cf_run {
	struct cf *cf;
	struct pr_call *call;
	struct cf_thread *thread;
	struct cf_overlay *overlay;     /* where macros are set now */
	const struct cf_overlay *below; /* that of the connection, within a transaction; else NULL */
	struct pr_text *trace;  /* the console's output, or NULL */
	uint32_t tracing;       /* level of -d21 */
	struct pr_str about;    /* the address that complaints name */
	struct pr_str complaint; /* the last one, with its code */
	struct pr_str domain;   /* "@far.example" for header addresses without one (F=C); absent: they stay as they are */
	struct cf_steps *steps; /* what happened, for explain(); NULL: nobody asks */
	uint32_t depth;
	bool is_blind;          /* a map could not be looked into, other than the one of host names */
	bool has_calls_left;    /* a call failed, and what is worked on may hold it still: it is made again with the next rule */
	bool is_exhausted;      /* work ran out */
	uint32_t work;          /* how much was done for this address: at CF_WORK_MAX it ends */
};

struct cf_steps {
	struct pr_step *items;
	size_t count, most;
};
/* steps.c: notes a step; cheap to call only when run->steps is there. */
int64_t cf_now(void);
void cf_step_set(struct cf_run *run, uint16_t set, const struct cf_tokens *tokens);
void cf_step_end(struct cf_run *run, uint16_t set, const struct cf_tokens *tokens, int64_t began);
void cf_step_rule(struct cf_run *run, uint16_t set, const struct cf_rule *rule, const struct cf_tokens *before, const struct cf_tokens *after);
void cf_step_map(struct cf_run *run, struct pr_str map, struct pr_str key, struct pr_str value, int status, int64_t began);

/* MAIL begins a transaction: from here on macros are its own. */
void cf_transaction_begin(struct pr_call *call);
void cf_transaction_close(struct pr_call *call);
void cf_overlay_set(struct cf_overlay *overlay, uint16_t number, struct pr_str text);
void cf_overlay_unset(struct cf_overlay *overlay, uint16_t number);
void cf_overlay_clear(struct cf_overlay *overlay);
void cf_overlay_fini(struct cf_overlay *overlay);
/* Memory of a thread, made at its first use. */
void cf_thread_init(struct cf_thread *thread);
void cf_thread_fini(struct cf_thread *thread);
/* Other names of the certificate at the other end. */
const struct cf_phrases *cf_altnames(struct cf_run *run);
/* The value of a macro now, expanded; PR_NONE when it is not set. */
struct pr_str cf_macro_text(struct cf_run *run, uint16_t number);
struct pr_str cf_expand_run(struct cf_run *run, const struct cf_code *code);

void cf_run_init(struct cf_run *run, struct pr_call *call);
/* The same for work that is not part of what went before: outside a session nothing is remembered. */
void cf_run_begin(struct cf_run *run, struct pr_call *call);
/* ${addr_type}: what is rewritten now, "e s", "e r", "h s" or "h r"; NULL: nothing.  In the console it is what /tryflags said. */
void cf_run_type(struct cf_run *run, const char *type);
/* The console ends with this sysexit, when no other was first. */
void cf_run_fail(struct cf_run *run, uint32_t status);
/* What is no fault of the configuration: told, and no more. */
void cf_run_say(struct cf_run *run, bool is_about, struct pr_str text);
/* A complaint about the address ("553 5.1.3 ...") or about the configuration; shown with `about` in front when is_about. */
void cf_run_complain(struct cf_run *run, bool is_about, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* With -d21.2: what `$&x` stood for. */
void cf_trace_macro(struct cf_run *run, const char *side, uint16_t number, struct pr_str value);
/* Of two statuses: the first that is wrong counts, but one for a while before all others. */
static inline int cf_status(int before, int now)
{
	return before == CF_OK || now == CF_TEMPFAIL ? now : before;
}

/* Rewrites tokens in place by set `number`.  Returns the sysexit. */
int cf_rewrite(struct cf_run *run, uint16_t number, struct cf_tokens *tokens);

/* Without quotes and backslashes. */
struct pr_str cf_unquoted(struct pr_arena *arena, struct pr_str text);

/* console_slash.c: the status that a class of maps gives for "not found". */
int cf_map_nothing(struct pr_str class_name);

/* debug.c: cf_scan and cf_map_lookup as the console shows them with -d22 and -d60; elsewhere they show nothing. */
bool cf_scan_shown(struct cf_run *run, struct cf_scan *scan, struct cf_tokens *out);
int cf_map_lookup_shown(struct cf_run *run, struct pr_str name, const struct cf_map *map, struct pr_str key, const struct pr_list *arguments,
                        struct pr_str *value_out);

struct cf_match {
	uint16_t first, end; /* [first, end) of the address */
};
bool cf_rule_matches(struct cf_run *run, const struct cf_rule *rule, const struct cf_token *tokens, uint32_t count,
                     struct cf_match operands[CF_OPERANDS]);
/* The right side, into out.  Returns the sysexit; *is_failed_out: out is not to be used. */
int cf_rule_apply(struct cf_run *run, const struct cf_rule *rule, const struct cf_token *tokens, const struct cf_match *operands,
                  struct cf_tokens *out, bool *is_failed_out);
/* $( map key $@ ... $) of one map; *value_out is PR_NONE when nothing was found.  Returns the sysexit. */
int cf_map_lookup(struct cf_run *run, struct pr_str map, const struct cf_map *known, struct pr_str key, const struct pr_list *arguments,
                  struct pr_str *value_out);

#endif
