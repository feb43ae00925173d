/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The option table: sendmail's long names, one row each (kernel/config/options.c).
 *
 * postrider.conf's `options` group, -O Name=value and -o letter all fill this one
 * record through the same table.  Times are seconds, sizes bytes.
 */
#ifndef KERNEL_CONFIG_OPTIONS_H
#define KERNEL_CONFIG_OPTIONS_H

#include <postrider/option.h>

struct options {
	/* names and places */
	struct pr_str queue_directory;   /* QueueDirectory */
	struct pr_list alias_files;      /* AliasFile */
	struct pr_str default_user;      /* DefaultUser: for programs and files from system aliases */
	struct pr_str host_name;         /* HostName: $j; default: the machine's canonical name */
	struct pr_str pid_file;          /* PidFile */
	struct pr_str trusted_user;      /* TrustedUser */
	struct pr_str run_directory;     /* RunDirectory, DropDirectory: from -O, in the place of the file's settings */
	struct pr_str drop_directory;
	struct pr_str host_status_directory; /* HostStatusDirectory */
	struct pr_str tls_policy_directory;  /* TLSPolicyDirectory; mailers ask */
	struct pr_str tls_report_directory;  /* TLSReportDirectory */
	struct pr_str status_file;       /* StatusFile */
	struct pr_str eight_bit_mode;    /* EightBitMode: begins with m, p or s; checked */
	struct pr_str default_charset;   /* DefaultCharSet */
	struct pr_str max_mime_header_length; /* MaxMimeHeaderLength: options_mime_limits() reads it; checked */
	struct pr_list mime_never, mime_quoted, mime_encodable, mime_messages; /* classes n, q, e and s */
	struct pr_str super_safe;        /* SuperSafe: true, false, postmilter, interactive; checked */
	struct pr_str error_header;      /* ErrorHeader: text, or /FILE */
	struct pr_str postmaster_copy;   /* PostmasterCopy */
	struct pr_str direct_modifiers;  /* DirectSubmissionModifiers */
	struct pr_str double_bounce;     /* DoubleBounceAddress, default postmaster */
	struct pr_str greeting;          /* SmtpGreetingMessage */
	struct pr_str unix_from_line;    /* UnixFromLine */
	struct pr_str delivery_mode;     /* DeliveryMode: begins with i b q or d; checked */
	struct pr_str help_file;         /* HelpFile */
	struct pr_str cert_file;         /* ServerCertFile: PEM, the whole chain, or several with commas; with the key: STARTTLS is offered */
	struct pr_str key_file;          /* ServerKeyFile: PEM, readable by the receiver's user */
	struct pr_str ca_file, ca_path;  /* CACertFile, CACertPath: of whom certificates are believed */
	struct pr_str tls_srv_options;   /* TLSSrvOptions: V: clients are not asked for one */
	/* TLS as a client; all may be empty */
	struct pr_str client_cert_file, client_key_file; /* ClientCertFile, ClientKeyFile: PEM, readable by the courier's user */
	struct pr_str crl_file, crl_path; /* CRLFile, CRLPath */
	struct pr_str cipher_list, cipher_suites; /* CipherList, CipherSuites: of both sides */
	struct pr_str server_ssl_options, client_ssl_options; /* ServerSSLOptions, ClientSSLOptions: "+SSL_OP_..." */
	struct pr_str cert_fingerprint;  /* CertFingerprintAlgorithm */
	struct pr_str dh_parameters;     /* DHParameters: of the receiver */
	uint32_t tls_fallback;           /* TLSFallbacktoClear */
	struct pr_str default_auth_info; /* DefaultAuthInfo; AuthMechanisms, AuthOptions: as a client */
	struct pr_str auth_mechanisms, auth_options;
	struct pr_list privacy;          /* PrivacyOptions */
	struct pr_list precedence;       /* Precedence: "NAME=NUMBER", checked */
	struct pr_list xclient_networks, xforward_networks; /* XclientNetworks, XforwardNetworks; checked */
	struct pr_list trusted_users;    /* TrustedUsers: may use -f without a warning */
	struct pr_str safe_file_environment; /* SafeFileEnvironment */
	uint32_t dont_expand_cnames;     /* DontExpandCnames */
	struct pr_str dont_blame;        /* DontBlameSendmail */
	struct pr_list resolver;         /* Resolver: "127.0.0.1:5353", default: /etc/resolv.conf */
	struct pr_str client_ports, connect_only_to, helo_name; /* ClientPortOptions (lines with semicolons), ConnectOnlyTo, HeloName; mailers ask */
	struct pr_str fallback_mx_host, fallback_smart_host; /* FallbackMXhost, FallbackSmartHost: "relay.example.org", "[192.0.2.1]"; mailers ask */
	uint32_t try_null_mx_list;       /* TryNullMXList */
	uint32_t strict_transport;       /* StrictTransportSecurity; mailers ask */
	uint32_t dane;                   /* DANE; mailers ask */
	struct pr_str trust_anchors;     /* TrustAnchorFile; empty: no DNSSEC */
	uint32_t resolve_clients;        /* ResolveClients: look up the client's name in DNS; default true */
	struct pr_str forward_path;      /* ForwardPath */
	/* limits */
	int64_t max_message_size;        /* MaxMessageSize, 0: none */
	int64_t max_headers_length;      /* MaxHeadersLength, 32768 */
	int64_t max_recipients;          /* MaxRecipientsPerMessage, 0: 10,000,000 bytes of envelope */
	int64_t max_hop_count;           /* MaxHopCount, 25 */
	int64_t max_alias_recursion;     /* MaxAliasRecursion, 10 */
	int64_t max_daemon_children;     /* MaxDaemonChildren: sessions at once, 0: descriptors allow */
	int64_t max_sessions_per_client; /* MaxSessionsPerClient, 0: no limit */
	int64_t connection_rate_window;  /* ConnectionRateWindowSize, seconds */
	int64_t connection_rate_throttle;/* ConnectionRateThrottle: connections a second at one listener, 0: no limit */
	struct pr_str no_recipient_action; /* NoRecipientAction */
	int64_t bad_rcpt_throttle;       /* BadRcptThrottle, 0: none */
	int64_t bad_rcpt_throttle_delay; /* BadRcptThrottleDelay, seconds */
	int64_t bad_rcpt_shutdown, bad_rcpt_shutdown_good; /* BadRcptShutdown, 0: none; BadRcptShutdownGood, percent */
	uint32_t require_tls;            /* RequireTLS: REQUIRETLS is offered in TLS */
	uint32_t chunking;               /* Chunking: BDAT is taken */
	int64_t max_messages;            /* MaxMessagesPerConnection, 0: no limit */
	int64_t max_auth_failures;       /* MaxAuthFailures, 0: only within a session */
	int64_t max_noop_commands;       /* MaxNOOPCommands, 0: no slow-down */
	int64_t max_threads;             /* MaxThreads: receiver's worker limit, 64 */
	int64_t courier_threads;         /* CourierThreads: deliveries at once, 40 */
	int64_t connections_per_host;    /* MaxConnectionsPerHost: deliveries at once to one destination, 20 */
	int64_t connection_cache_timeout;/* ConnectionCacheTimeout, seconds */
	int64_t connection_cache_size;   /* ConnectionCacheSize */
	int64_t min_free_blocks;         /* MinFreeBlocks */
	int64_t deliver_by_min;          /* DeliverByMin, seconds; below 0: DELIVERBY is not offered */
	/* queue */
	int64_t min_queue_age;           /* MinQueueAge */
	int64_t max_queue_age;           /* MaxQueueAge; -1: not said */
	int64_t queue_interval;          /* QueueInterval; 0: only when asked (-q), -1: not said */
	int64_t recipient_factor, class_factor, retry_factor; /* RecipientFactor ClassFactor RetryFactor */
	struct pr_str queue_sort_order;  /* QueueSortOrder: plan_sort_parse understands it */
	int64_t max_queue_children;      /* MaxQueueChildren, 0: none of its own */
	int64_t max_runners_per_queue;   /* MaxRunnersPerQueue, 0: none of its own */
	int64_t queue_la, queue_factor;  /* QueueLA, 0: none; QueueFactor */
	int64_t refuse_la, delay_la;     /* RefuseLA, DelayLA, 0: none */
	struct pr_str load_average_file; /* LoadAverageFile */
	uint32_t single_thread_delivery; /* SingleThreadDelivery */
	/* Timeout.queuereturn.urgent and so on, by enum timeout_class; -1: that without a class */
	int64_t timeout_return_of[4], timeout_warn_of[4];
	/* Timeout.* */
	int64_t timeout_initial, timeout_connect, timeout_helo, timeout_mail, timeout_rcpt, timeout_datainit,
	    timeout_datablock, timeout_datafinal, timeout_rset, timeout_quit, timeout_misc, timeout_command,
	    timeout_ident, timeout_hoststatus, timeout_queuereturn, timeout_queuewarn, timeout_starttls, timeout_auth, timeout_iconnect, timeout_aconnect, timeout_lhlo,
	    timeout_ready, timeout_stop, /* of a new generation; of a stop */
	    timeout_message, timeout_session; /* in total, 0: no limit */
	/* switches */
	int64_t log_level;               /* LogLevel */
	uint32_t allow_bogus_helo;       /* AllowBogusHELO */
	uint32_t ignore_dots;            /* IgnoreDots */
	uint32_t hold_expensive;         /* HoldExpensive */
	uint32_t send_mime_errors;       /* SendMimeErrors; default true */
	uint32_t reject_nul;             /* RejectNUL; default true as Debian's */
	uint32_t save_from_line;         /* SaveFromLine */
	uint32_t smtp_utf8;              /* SmtpUTF8 */
};

enum timeout_class { TIMEOUT_NORMAL = 0, TIMEOUT_URGENT = 1, TIMEOUT_NON_URGENT = 2, TIMEOUT_DSN = 3 };

extern const struct pr_option options_table[];
/* What no text can say as a default; before the table's defaults. */
void options_prepare(struct options *options);
/* The class that a Precedence: field names, 0 when it is none. */
int64_t options_class(const struct options *options, struct pr_str name);
/* "bulk=-60"; false: that is no class. */
bool options_class_parse(struct pr_str text, struct pr_str *name_out, int64_t *class_out);
/* Where nobody says an interval: seconds from the first try to the second one, and the longest time between two. */
#define OPTIONS_FIRST_WAIT 300
#define OPTIONS_LONGEST_WAIT 14400
/* Seconds between two queue runs; `given`: by -q, or 0.  0: only when asked, -1: nobody says. */
int64_t options_interval(const struct options *options, int64_t given);
/* "00:30:00", "3+00:00:00" */
struct pr_str options_interval_text(struct pr_arena *arena, int64_t seconds);
size_t options_count(void); /* rows of the table, its end among them */
/* "2047/1023", or one number: half of it is the second.  False: it is neither; then there are no limits. */
bool options_mime_limits(const struct options *options, int64_t *header_out, int64_t *field_out);
/* HostStatusDirectory, which may be a name below the queue directory; nothing when there is none. */
void options_host_status_path(const struct options *options, struct pr_text *out);
/* TLSPolicyDirectory and TLSReportDirectory, likewise; the first only with StrictTransportSecurity. */
void options_tls_policy_path(const struct options *options, struct pr_text *out);
void options_tls_report_path(const struct options *options, struct pr_text *out);

#endif
