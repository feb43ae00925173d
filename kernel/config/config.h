/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postrider.conf, read into plain structs; libconfig ends here.
 *
 *   module_directory = "/usr/lib/postrider";      users = { receiver = "postrider"; courier = "postrider-q"; };
 *   run_directory = "/run/postrider";             drop_directory = "/var/spool/postrider/drop";
 *   log = "syslog";                               # or "stderr" or a file name
 *   options = { QueueDirectory = "/var/spool/postrider/mqueue"; Timeout = { queuereturn = "5d"; }; };
 *   listeners = ( { name = "MTA"; address = "0.0.0.0"; port = 25; } );
 *   certificates = ( { names = ( "mx.example.net" ); cert = "/etc/ssl/net.pem"; key = "/etc/ssl/private/net.key"; } );
 *   maps    = { access = { module = "hash"; file = "/etc/postrider/access.db"; }; };
 *   mailers = { local = { module = "local"; }; esmtp = { module = "smtp"; }; };
 *   filters = ( { name = "watch"; module = "debug"; } );
 *   rules   = { module = "routes"; local_domains = ( "example.org" ); };
 *   store   = { module = "spool"; };
 *   auth    = ( ... );
 *
 * Every error names file and line and the nearest known key.  config_load fails on the first syntax error, and
 * otherwise collects all errors (one a line) before it fails.
 * A configuration is constant for the life of a process.
 */
#ifndef KERNEL_CONFIG_CONFIG_H
#define KERNEL_CONFIG_CONFIG_H

#include "kernel/config/options.h"
#include <postrider/module.h>
#include <postrider/rules.h>

struct config_setting {
	struct pr_str name;
	struct pr_str text;         /* scalar value as text */
	const struct pr_str *items; /* list value */
	size_t item_count;
	uint32_t is_list;
	uint32_t line;
	const char *file;
};

/* One declared instance: kind, its name, the module's file name, the settings meant for the module's option table, and
 * those the kernel takes for itself (mailers: flags, size_limit, line_limit, recipients; filters: on_failure). */
struct config_instance {
	uint32_t kind; /* enum pr_kind */
	uint32_t line; /* 0: built in, nobody declared it */
	uint32_t is_of_rules; /* declared by the rule engine: an M line */
	const char *file;
	struct pr_str name;
	struct pr_str module;
	const struct config_setting *settings;
	size_t setting_count;
	struct pr_str flags;      /* mailers: F= letters; absent: module's default_flags */
	struct pr_str on_failure; /* filters: "tempfail" (default) or "accept" or "reject" */
	int64_t size_limit;       /* mailers: M=, 0 none */
	int64_t line_limit;       /* mailers: L=, 0 none */
	int64_t recipients;       /* mailers: r=, recipients per transaction, 100 */
	struct pr_str queue_group; /* mailers: Q=, absent: mqueue */
	int64_t messages;         /* mailers: m=, messages per connection, 0 no limit */
	int64_t connections;      /* mailers: deliveries at once to one destination, 0: MaxConnectionsPerHost */
	struct pr_str types;      /* mailers: T=, "DNS/RFC822/SMTP" for notices; absent: by RFC 3464 */
	struct pr_str charset;    /* mailers: C=, of 8-bit text whose sender is of this mailer; absent: DefaultCharSet */
	struct pr_str end_of_line; /* mailers: E=, absent: LF, or what the protocol says */
	int64_t quote_from, hide_dots, strip_nul, blank_end; /* mailers: F=E, X, 1, b where the module does not do it by itself */
};

/* A queue group; "mqueue" is the default one, whose directory is QueueDirectory. */
struct queue_group {
	struct pr_str name, path;
	int64_t interval;   /* seconds between queue runs; 0: QueueInterval */
	int64_t runners;    /* deliveries of queue runs at once; 0: MaxRunnersPerQueue */
	int64_t recipients; /* most in one message, it is split beyond; 0: no limit */
	uint32_t line;
	const char *file;
};

/* The setting of that name, in any case as modules find their options; of two the last, which is the one that counts.  NULL: there is none. */
const struct config_setting *config_setting_find(const struct config_instance *instance, const char *name);
/* Its value; absent: there is none. */
struct pr_str config_setting_text(const struct config_instance *instance, const char *name);
/* Is it there, and a yes in one of the words that PR_OPTION_BOOL has for it? */
bool config_setting_is_true(const struct config_instance *instance, const char *name);

/* What is shown to clients of TLS that name one of these hosts (SNI). */
struct config_certificate {
	struct pr_list names;  /* "mx.example.org", "*.example.org" */
	struct pr_str cert, key;
	uint32_t line;
	const char *file;
};

struct config_listener {
	struct pr_str name;    /* "MTA" */
	struct pr_str address; /* "0.0.0.0", "::1"; absent for a Unix socket */
	struct pr_str path;    /* Unix socket, else absent */
	uint32_t port;
	struct pr_str modifiers; /* sendmail's letters, for ${daemon_flags}; a E s S count here */
	uint32_t mode;         /* of the Unix socket, 0666 */
	uint32_t submission;   /* 1: the local submission socket: SO_PEERCRED is the identity */
	uint32_t lmtp;         /* protocol = "lmtp" */
	int64_t children;      /* most sessions at once; 0: no limit of its own */
	int64_t refuse_la, delay_la, queue_la; /* RefuseLA, DelayLA, QueueLA of its own; -1: as everywhere */
	int64_t send_buffer, receive_buffer; /* bytes, SndBufSize and RcvBufSize; 0: as the system sizes them */
	int64_t backlog;       /* Listen: connections that wait to be accepted; 0: many */
	char super_safe;       /* t f p i; 0: as everywhere */
	char delivery_mode;    /* i b q d; 0: as everywhere */
	struct pr_list filters; /* names of those that see its sessions; only when has_filters */
	uint32_t has_filters;
	struct pr_list proxy;  /* networks of the proxies it serves, checked; none: it serves clients */
	uint32_t line;
	const char *file;
};

/* A variable for the programs of mailers; value absent: as the daemon has it. */
struct config_variable {
	struct pr_str name, value;
};

/* A word in Precedence: and what it counts. */
struct config_precedence {
	struct pr_str name;
	int64_t value;
};

/* An option the kernel has no use for (options_idle.h), kept for who asks. */
struct config_other_option {
	struct pr_str name, text;
};

struct config_place {
	const char *file; /* "-O" for a command line */
	uint32_t line;
};

struct config {
	struct pr_arena arena;
	struct pr_str path;
	struct pr_str module_directory;
	struct pr_str run_directory;  /* submit.sock, control.sock */
	struct pr_str drop_directory;
	struct pr_str log;
	struct pr_str receiver_user, courier_user;
	struct config_place receiver_place, courier_place;
	struct config_place *option_places; /* one for each row of options_table */
	struct options options;
	const struct config_listener *listeners; /* the submission socket RUN/submit.sock is always the last */
	size_t listener_count;
	uint32_t has_listeners;       /* `listeners` is there, be it empty */
	const struct config_certificate *certificates;
	size_t certificate_count;
	const struct config_instance *instances;
	size_t instance_count;
	const struct queue_group *groups; /* those declared */
	size_t group_count;
	uint32_t has_declared;        /* what the rule engine declares is in */
	char mode; /* of operation, as ${opMode} has it; NUL: nobody said */
	uint32_t exit_status;         /* sysexit the rule engine asks for, its own configuration being wrong; 0: none */
	uint32_t is_hopeless;         /* so wrong that nothing of it was declared */
	struct pr_list overrides;     /* -O, which win over everything that comes later */
	const struct config_variable *environment; /* for programs that mailers run */
	size_t environment_count;
	const struct config_precedence *precedences;
	size_t precedence_count;
	const struct config_other_option *others;
	size_t other_count;
	struct pr_text notices; /* "FILE:LINE: option X: accepted, no effect here: why", one a line */
};

/* Where an option of the kernel was set last; file NULL: nowhere, it has its default. */
const struct config_place *config_option_place(const struct config *config, const char *name);

#define CONFIG_DEFAULT_PATH CONFIG_DIR "/postrider.conf"

/* `overrides` are "Name=value" from -O, in order.  NULL and the sentences in `errors` when it cannot be used. */
struct config *config_load(const char *path, const struct pr_list *overrides, struct pr_text *errors);
/* The same from bytes, for fuzzing and tests; `path` only names it in errors. */
struct config *config_parse(const char *path, struct pr_str bytes, const struct pr_list *overrides, struct pr_text *errors);
/* The same, with the routing of `routing` - a sendmail.cf, or NULL - in the place of what the file itself says of it: the rule engine is cf, and of
 * the file nothing but the rest counts.  A file at the default place may then be missing. */
struct config *config_load_routed(const char *path, const char *routing, const struct pr_list *overrides, struct pr_text *errors);
/* What the rule engine's own configuration says is put into the tables: it wins over postrider.conf, and -O over both.  Before an
 * instance of the configuration is in use.  False, with a sentence each in `errors`; what could be understood is done nevertheless. */
bool config_declare(struct config *config, const struct pr_declared *declared, size_t count, struct pr_text *errors);
void config_free(struct config *config);
/* NULL: not declared. */
const struct queue_group *config_group(const struct config *config, struct pr_str name);

#endif
