/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row per option; adding an option is adding a row and a field.  Defaults are those of sendmail's binary or
 * its m4 library, whichever an administrator meets.
 */
#include "kernel/config/options.h"

#include <unistd.h>

#define ROW(field, name, type, value, help) PR_OPTION(struct options, field, name, type, 0, value, help)
#define IDLE(field, name, type, value, help) PR_OPTION(struct options, field, name, type, PR_OPTION_NO_EFFECT, value, help)
#define STRING PR_OPTION_STRING
#define PATH PR_OPTION_PATH
#define LIST PR_OPTION_LIST
#define INT PR_OPTION_INT
#define SIZE PR_OPTION_SIZE
#define TIME PR_OPTION_TIME
#define BOOL PR_OPTION_BOOL

/* sendmail's: how many processes may wait for each processor. */
#define QUEUE_LA_EACH 8
#define REFUSE_LA_EACH 12

static int64_t processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? count : 1;
}

void options_prepare(struct options *options)
{
	options->queue_la = QUEUE_LA_EACH * processors();
	options->refuse_la = REFUSE_LA_EACH * processors();
	options->max_queue_age = options->queue_interval = -1;
	for (size_t i = 0; i < sizeof options->timeout_return_of / sizeof options->timeout_return_of[0]; i++)
		options->timeout_return_of[i] = options->timeout_warn_of[i] = -1;
}

const struct pr_option options_table[] = {
    ROW(alias_files, "AliasFile", LIST, NULL, "maps that hold the aliases, by name, first one that answers wins"),
    ROW(allow_bogus_helo, "AllowBogusHELO", BOOL, "false", "accept HELO without a name"),
    ROW(bad_rcpt_shutdown, "BadRcptShutdown", INT, "0", "refused recipients of one message after which the client is sent away with 421; 0: never"),
    ROW(bad_rcpt_shutdown_good, "BadRcptShutdownGood", INT, "100", "only when so many percent of all its recipients were refused"),
    ROW(bad_rcpt_throttle, "BadRcptThrottle", INT, "0", "refused recipients of one message after which each further RCPT waits; 0: none does"),
    ROW(bad_rcpt_throttle_delay, "BadRcptThrottleDelay", TIME, "1s", "how long"),
    ROW(ca_file, "CACertFile", PATH, NULL, "certificates (PEM) of the authorities whose signature on a client's or next host's certificate counts"),
    ROW(ca_path, "CACertPath", PATH, NULL, "a directory of such certificates, named by their hashes"),
    ROW(chunking, "Chunking", BOOL, "true", "offer CHUNKING: messages may come by BDAT"),
    ROW(class_factor, "ClassFactor", INT, "1800", "weight of Precedence in the priority"),
    ROW(dane, "DANE", BOOL, "false", "what TLSA records say of next hosts binds (RFC 7672); needs TrustAnchorFile"),
    ROW(connect_only_to, "ConnectOnlyTo", STRING, NULL, "an address that all connections to next hosts go to, whatever hosts they are for"),
    ROW(connection_cache_size, "ConnectionCacheSize", INT, "40", "connections to next hosts kept open for the next message"),
    ROW(auth_mechanisms, "AuthMechanisms", STRING, NULL, "mechanisms of AUTH that may be used with next hosts; default: those that send no password as it is"),
    ROW(auth_options, "AuthOptions", STRING, NULL, "letters; p: no password as it is goes over a connection without TLS"),
    ROW(cert_fingerprint, "CertFingerprintAlgorithm", STRING, NULL, "digest of ${cert_fp}: sha256 ...; default: none is made"),
    ROW(client_ports, "ClientPortOptions", STRING, NULL, "where connections go out from: Family=inet, Addr=192.0.2.1, Modifier=h; another one behind a semicolon"),
    ROW(cipher_list, "CipherList", STRING, NULL, "ciphers up to TLS 1.2, as OpenSSL writes them; default: the library's"),
    ROW(cipher_suites, "CipherSuites", STRING, NULL, "suites of TLS 1.3; default: the library's"),
    ROW(client_cert_file, "ClientCertFile", PATH, NULL, "certificate and chain (PEM) shown to next hosts that ask"),
    ROW(client_key_file, "ClientKeyFile", PATH, NULL, "its key (PEM), readable by the courier's user"),
    ROW(client_ssl_options, "ClientSSLOptions", STRING, NULL, "switches of the TLS library for the courier, \"+SSL_OP_NAME -SSL_OP_NAME\""),
    ROW(connection_cache_timeout, "ConnectionCacheTimeout", TIME, "5m", "longest idle time of a kept connection"),
    ROW(connection_rate_throttle, "ConnectionRateThrottle", INT, "0", "connections a second taken by each listener, others wait; 0: no limit"),
    ROW(connection_rate_window, "ConnectionRateWindowSize", TIME, "60s", "time over which the rules' ${client_rate} and ${total_rate} count connections"),
    ROW(connections_per_host, "MaxConnectionsPerHost", INT, "20", "deliveries at once to one destination; reached as they go well"),
    ROW(courier_threads, "CourierThreads", INT, "40", "deliveries at once, those at hosts that hang not counted"),
    ROW(crl_file, "CRLFile", PATH, NULL, "lists (PEM) of certificates that were revoked"),
    ROW(crl_path, "CRLPath", PATH, NULL, "the same as a directory of hashed names"),
    ROW(default_auth_info, "DefaultAuthInfo", PATH, NULL, "user, name, password, realm, mechanisms (a line each) for hosts of which the rules know none"),
    ROW(default_user, "DefaultUser", STRING, "nobody", "account that runs programs and writes files named by system aliases"),
    ROW(default_charset, "DefaultCharSet", STRING, "unknown-8bit", "charset of text with eight bits that does not say its own"),
    ROW(delay_la, "DelayLA", INT, "0", "load average from which on each SMTP command waits for a second; 0: it is no matter"),
    ROW(deliver_by_min, "DeliverByMin", INT, "0", "least seconds that BY= with R may give a message (RFC 2852); below 0: DELIVERBY is not offered"),
    ROW(delivery_mode, "DeliveryMode", STRING, "background", "when new mail is tried: i before the client is answered, b at once, q or d in the next queue run"),
    ROW(dh_parameters, "DHParameters", STRING, NULL, "Diffie-Hellman for clients of TLS 1.2 without elliptic curves: i or 2: a prime that fits, none, or a file (PEM)"),
    ROW(direct_modifiers, "DirectSubmissionModifiers", STRING, "", "${daemon_flags} of what this host's programs send; empty: c u"),
    ROW(double_bounce, "DoubleBounceAddress", STRING, "postmaster", "gets bounces that cannot be returned; empty: drop them"),
    ROW(eight_bit_mode, "EightBitMode", STRING, "pass8", "eight bits without MIME: pass8 passes them, mimefy labels them, strict refuses them"),
    ROW(error_header, "ErrorHeader", STRING, NULL, "text, or the absolute path of a file, in front of every bounce and warning"),
    ROW(fallback_mx_host, "FallbackMXhost", STRING, NULL, "one more MX behind those of every destination"),
    ROW(fallback_smart_host, "FallbackSmartHost", STRING, NULL, "host that gets what no host of the destination could be reached for"),
    IDLE(forward_path, "ForwardPath", STRING, NULL, ".forward files are not read by this release"),
    ROW(greeting, "SmtpGreetingMessage", STRING, "$j Sendmail $v ready at $b", "text of the greeting"),
    ROW(help_file, "HelpFile", PATH, NULL, "what HELP says; default: a text of our own"),
    ROW(hold_expensive, "HoldExpensive", BOOL, "false", "mail for mailers with flag e waits for a queue run"),
    ROW(helo_name, "HeloName", STRING, NULL, "name to say in EHLO; default: HostName"),
    ROW(host_name, "HostName", STRING, NULL, "name of this host ($j); default: the machine's"),
    ROW(ignore_dots, "IgnoreDots", BOOL, "false", "a dot alone does not end a message on standard input"),
    ROW(load_average_file, "LoadAverageFile", PATH, "/proc/loadavg", "where the load average of the machine is read"),
    ROW(log_level, "LogLevel", INT, "9", "0 (little) to 20 (everything)"),
    ROW(max_alias_recursion, "MaxAliasRecursion", INT, "10", "deepest chain of aliases"),
    ROW(max_daemon_children, "MaxDaemonChildren", INT, "0", "SMTP sessions at once; 0: as many as descriptors allow"),
    ROW(max_headers_length, "MaxHeadersLength", SIZE, "32768", "most bytes of header"),
    ROW(max_hop_count, "MaxHopCount", INT, "25", "most Received: fields"),
    ROW(max_message_size, "MaxMessageSize", SIZE, "0", "most bytes of a message; 0: no limit"),
    ROW(max_mime_header_length, "MaxMimeHeaderLength", STRING, "2047/1023", "longest MIME field, and longest parameter of one, that is sent on; 0: any"),
    ROW(max_messages, "MaxMessagesPerConnection", INT, "0", "MAIL commands taken in one connection, 452 beyond; 0: any number"),
    ROW(max_auth_failures, "MaxAuthFailures", INT, "10", "failed AUTH of one client within ten minutes, whatever connections it came by, from which on each waits twice as long as the one before; 0: no limit"),
    ROW(max_noop_commands, "MaxNOOPCommands", INT, "20", "NOOP and VERB of one client, from which on each waits twice as long as the one before; 0: no limit"),
    ROW(max_queue_children, "MaxQueueChildren", INT, "0", "messages tried in queue runs at once; 0: CourierThreads"),
    ROW(max_runners_per_queue, "MaxRunnersPerQueue", INT, "0", "the same for each queue group that does not say its own; 0: no such limit"),
    ROW(max_queue_age, "MaxQueueAge", TIME, NULL, "longest time between two tries; default: 4h without queue runs of an interval, else none"),
    ROW(max_recipients, "MaxRecipientsPerMessage", INT, "0", "most RCPT of one message; 0: 100,000"),
    ROW(max_sessions_per_client, "MaxSessionsPerClient", INT, "0", "SMTP sessions at once from one address; 0: no limit"),
    ROW(max_threads, "MaxThreads", INT, "64", "most worker threads of the receiver"),
    ROW(mime_encodable, "MimeEncodable", LIST, "7bit,8bit,binary", "content transfer encodings from which another may be made; sendmail's class e"),
    ROW(mime_messages, "MimeMessages", LIST, "rfc822", "subtypes of message whose parts are encoded; class s"),
    ROW(mime_never, "MimeNeverEncoded", LIST, "multipart/signed", "types that are never encoded; class n"),
    ROW(mime_quoted, "MimeQuotedPrintable", LIST, NULL, "types that are never put into base64; class q"),
    ROW(min_free_blocks, "MinFreeBlocks", INT, "100", "free blocks of the queue's file system below which mail is refused with 452"),
    ROW(min_queue_age, "MinQueueAge", TIME, "5m", "shortest time between two tries"),
    ROW(no_recipient_action, "NoRecipientAction", STRING, "none", "a header that names no recipient: none, add-to, add-apparently-to, add-to-undisclosed or add-bcc"),
    ROW(pid_file, "PidFile", PATH, NULL, "default: postrider.pid in run_directory"),
    ROW(postmaster_copy, "PostmasterCopy", STRING, NULL, "gets a copy of the header of every bounce"),
    ROW(precedence, "Precedence", LIST, "special-delivery=100,first-class=0,list=-30,bulk=-60,junk=-100", "classes that Precedence: fields name, NAME=NUMBER"),
    ROW(privacy, "PrivacyOptions", LIST, "authwarnings", "needmailhelo noexpn novrfy noverb noetrn goaway restrictmailq restrictqrun ..."),
    ROW(queue_directory, "QueueDirectory", PATH, STATE_DIR "/mqueue", "where the spool store keeps its files"),
    ROW(queue_factor, "QueueFactor", INT, "600000", "divided by how far the load is above QueueLA: what has a greater priority waits"),
    ROW(queue_la, "QueueLA", INT, NULL, "load average from which on messages wait by their priority; 0: it is no matter; default: 8 for each processor"),
    ROW(run_directory, "RunDirectory", PATH, NULL, "takes the place of run_directory: a queue run beside the daemon"),
    ROW(drop_directory, "DropDirectory", PATH, NULL, "takes the place of drop_directory"),
    ROW(strict_transport, "StrictTransportSecurity", BOOL, "false", "policies of MTA-STS bind next hosts (RFC 8461); needs CACertFile or CACertPath"),
    ROW(tls_policy_directory, "TLSPolicyDirectory", STRING, ".sts", "where those policies are kept"),
    ROW(tls_report_directory, "TLSReportDirectory", STRING, NULL, "how TLS with next hosts fared, for reports (RFC 8460), is counted here; default: nowhere"),
    ROW(host_status_directory, "HostStatusDirectory", STRING, NULL, "what was learned of each next host, for hoststat; default: none"),
    ROW(queue_interval, "QueueInterval", TIME, NULL, "time between two queue runs; 0: only when asked; default: each message has its own time"),
    ROW(queue_sort_order, "QueueSortOrder", STRING, "priority", "order of a queue run: priority, host, filename, time, modification, random or none"),
    ROW(refuse_la, "RefuseLA", INT, NULL, "load average from which on connections are turned away with 421; 0: it is no matter; default: 12 for each processor"),
    ROW(recipient_factor, "RecipientFactor", INT, "30000", "weight of each recipient in the priority"),
    ROW(reject_nul, "RejectNUL", BOOL, "true", "refuse messages that hold NUL"),
    ROW(require_tls, "RequireTLS", BOOL, "true", "offer REQUIRETLS to clients that have TLS"),
    ROW(resolve_clients, "ResolveClients", BOOL, "true", "look up the name of each client"),
    ROW(resolver, "Resolver", LIST, NULL, "name servers, IPv4 address or address:port; default: /etc/resolv.conf"),
    ROW(retry_factor, "RetryFactor", INT, "90000", "weight of each try in the priority"),
    ROW(dont_expand_cnames, "DontExpandCnames", BOOL, "false", "an alias (CNAME) stays what it is when a name is made canonical"),
    ROW(dont_blame, "DontBlameSendmail", STRING, NULL, "what is allowed of the rights of files and directories"),
    ROW(safe_file_environment, "SafeFileEnvironment", STRING, NULL, "files named by aliases must lie below this directory"),
    IDLE(save_from_line, "SaveFromLine", BOOL, "false", "a leading From_ line of a message is always dropped"),
    ROW(send_mime_errors, "SendMimeErrors", BOOL, "true", "notices are multipart/report; without it one plain text, and DSN is not offered"),
    ROW(cert_file, "ServerCertFile", PATH, NULL, "certificate and chain (PEM), or several for several kinds of keys, with commas; with ServerKeyFile, STARTTLS is offered"),
    ROW(server_ssl_options, "ServerSSLOptions", STRING, NULL, "switches of the TLS library for the receiver, \"+SSL_OP_NAME -SSL_OP_NAME\""),
    ROW(key_file, "ServerKeyFile", PATH, NULL, "its key (PEM), or as many, readable by the receiver's user"),
    ROW(single_thread_delivery, "SingleThreadDelivery", BOOL, "false", "one connection to each host at a time"),
    ROW(smtp_utf8, "SmtpUTF8", BOOL, "false", "addresses and header fields in UTF-8 are taken from clients (SMTPUTF8)"),
    ROW(status_file, "StatusFile", PATH, NULL, "mail statistics for mailstats; written when the file exists; default: none"),
    ROW(super_safe, "SuperSafe", STRING, "true", "true: on disk before it is tried or accepted; interactive: mode i tries it first; false: not waited for; postmilter: as true"),
    ROW(tls_fallback, "TLSFallbacktoClear", BOOL, "false", "a next host with which the handshake fails is called again without TLS"),
    ROW(tls_srv_options, "TLSSrvOptions", STRING, NULL, "V: clients are not asked for a certificate"),
    ROW(timeout_initial, "Timeout.initial", TIME, "5m", "for the greeting"),
    ROW(timeout_connect, "Timeout.connect", TIME, "2m", "for a connection"),
    ROW(timeout_iconnect, "Timeout.iconnect", TIME, "0", "for a connection at the first attempt of a message; 0: as Timeout.connect"),
    ROW(timeout_aconnect, "Timeout.aconnect", TIME, "0", "for all connections of one attempt together; 0: no limit"),
    ROW(timeout_lhlo, "Timeout.lhlo", TIME, "2m", "for LHLO"),
    ROW(timeout_helo, "Timeout.helo", TIME, "5m", "for HELO or EHLO"),
    ROW(timeout_mail, "Timeout.mail", TIME, "10m", "for MAIL"),
    ROW(timeout_rcpt, "Timeout.rcpt", TIME, "1h", "for RCPT"),
    ROW(timeout_datainit, "Timeout.datainit", TIME, "5m", "for DATA"),
    ROW(timeout_datablock, "Timeout.datablock", TIME, "1h", "for each piece of a message"),
    ROW(timeout_datafinal, "Timeout.datafinal", TIME, "1h", "for the final dot"),
    ROW(timeout_rset, "Timeout.rset", TIME, "5m", "for RSET"),
    ROW(timeout_ready, "Timeout.ready", TIME, "30s", "how long a new generation may take to load and open its modules"),
    ROW(timeout_quit, "Timeout.quit", TIME, "2m", "for QUIT"),
    ROW(timeout_misc, "Timeout.misc", TIME, "2m", "for NOOP and the rest"),
    ROW(timeout_command, "Timeout.command", TIME, "1h", "for the next command of a client"),
    ROW(timeout_message, "Timeout.message", TIME, "0", "for a whole message, from MAIL to its end; 0: no limit"),
    ROW(timeout_session, "Timeout.session", TIME, "0", "for a whole connection, between its messages; 0: no limit"),
    IDLE(timeout_ident, "Timeout.ident", TIME, "5s", "IDENT is not asked by this release"),
    ROW(timeout_hoststatus, "Timeout.hoststatus", TIME, "30m", "how long a dead host is believed dead, at most until the next queue run"),
    ROW(timeout_queuereturn, "Timeout.queuereturn", TIME, "5d", "age at which a message is returned; now: after its first try"),
    ROW(timeout_return_of[TIMEOUT_DSN], "Timeout.queuereturn.dsn", TIME, NULL, "the same for bounces and other notices"),
    ROW(timeout_return_of[TIMEOUT_NON_URGENT], "Timeout.queuereturn.non-urgent", TIME, NULL, "the same for messages with Priority: non-urgent"),
    ROW(timeout_return_of[TIMEOUT_NORMAL], "Timeout.queuereturn.normal", TIME, NULL, "the same for messages of normal priority"),
    ROW(timeout_return_of[TIMEOUT_URGENT], "Timeout.queuereturn.urgent", TIME, NULL, "the same for messages with Priority: urgent"),
    ROW(timeout_queuewarn, "Timeout.queuewarn", TIME, "4h", "age at which the sender is told of the delay; 0: never"),
    ROW(timeout_warn_of[TIMEOUT_DSN], "Timeout.queuewarn.dsn", TIME, NULL, "the same for bounces and other notices"),
    ROW(timeout_warn_of[TIMEOUT_NON_URGENT], "Timeout.queuewarn.non-urgent", TIME, NULL, "the same for messages with Priority: non-urgent"),
    ROW(timeout_warn_of[TIMEOUT_NORMAL], "Timeout.queuewarn.normal", TIME, NULL, "the same for messages of normal priority"),
    ROW(timeout_warn_of[TIMEOUT_URGENT], "Timeout.queuewarn.urgent", TIME, NULL, "the same for messages with Priority: urgent"),
    ROW(timeout_stop, "Timeout.stop", TIME, "60s", "how long running transactions may take when the daemon is stopped"),
    ROW(timeout_auth, "Timeout.auth", TIME, "10m", "for each reply in AUTH"),
    ROW(timeout_starttls, "Timeout.starttls", TIME, "1h", "for the TLS handshake"),
    ROW(try_null_mx_list, "TryNullMXList", BOOL, "false", "a domain whose best MX is this host: its own address, if it has one, gets the mail"),
    IDLE(trusted_user, "TrustedUser", STRING, "root", "generated tables belong to who makes them"),
    ROW(trust_anchors, "TrustAnchorFile", PATH, NULL, "DS or DNSKEY records that DNSSEC begins with; default: answers of name servers are not verified"),
    ROW(trusted_users, "TrustedUsers", LIST, "root,daemon,uucp", "may name any sender without a warning header"),
    ROW(xclient_networks, "XclientNetworks", LIST, NULL, "networks of hosts that may say by XCLIENT whose connection they bring; default: none"),
    ROW(xforward_networks, "XforwardNetworks", LIST, NULL, "networks of hosts that may say by XFORWARD where their next message came from; default: none"),
    ROW(unix_from_line, "UnixFromLine", STRING, "From $g  $d", "the line between the messages of a mailbox"),
    PR_OPTION_END,
};

bool options_class_parse(struct pr_str text, struct pr_str *name_out, int64_t *class_out)
{
	size_t equals = pr_str_find(text, '=');
	struct pr_str name = pr_str_trim(pr_str_slice(text, 0, equals)), number = pr_str_trim(pr_str_slice(text, equals + 1, text.len));
	bool negative = number.len > 0 && number.data[0] == '-';
	uint64_t size;

	if (equals == text.len || name.len == 0 || !pr_str_number(pr_str_slice(number, negative, number.len), 1000000, &size))
		return false;
	*name_out = name;
	*class_out = negative ? -(int64_t)size : (int64_t)size;
	return true;
}

int64_t options_class(const struct options *options, struct pr_str name)
{
	struct pr_str known;
	int64_t class;

	for (size_t i = options->precedence.count; i-- > 0;) /* the last one counts, as in a file of P lines */
		if (options_class_parse(options->precedence.items[i], &known, &class) && pr_str_equal_nocase(known, name))
			return class;
	return 0;
}

bool options_mime_limits(const struct options *options, int64_t *header_out, int64_t *field_out)
{
	struct pr_str text = options->max_mime_header_length;
	size_t slash = pr_str_find(text, '/');
	uint64_t header = 0, field = 0;

	*header_out = *field_out = 0;
	if (!pr_str_number(pr_str_trim(pr_str_slice(text, 0, slash)), INT32_MAX, &header))
		return false;
	field = header / 2;
	if (slash < text.len && !pr_str_number(pr_str_trim(pr_str_slice(text, slash + 1, text.len)), INT32_MAX, &field))
		return false;
	*header_out = (int64_t)header;
	*field_out = (int64_t)field;
	return true;
}

int64_t options_interval(const struct options *options, int64_t given)
{
	return given > 0 ? given : options->queue_interval;
}

struct pr_str options_interval_text(struct pr_arena *arena, int64_t seconds)
{
	long long days = seconds / 86400, rest = seconds % 86400;
	struct pr_str time = pr_arena_printf(arena, "%02lld:%02lld:%02lld", rest / 3600, rest / 60 % 60, rest % 60);

	return days > 0 ? pr_arena_printf(arena, "%lld+%.*s", days, PR_PRINT(time)) : time;
}

size_t options_count(void)
{
	return sizeof options_table / sizeof options_table[0];
}

static void add_path(const struct options *options, struct pr_str name, struct pr_text *out)
{
	struct pr_str queue = options->queue_directory;

	if (name.len == 0)
		return;
	if (name.data[0] != '/') {
		/* QueueDirectory=/path/q*: the folder that holds them */
		pr_text_add_str(out, pr_str_find(queue, '*') < queue.len ? pr_str_slice(queue, 0, pr_str_find_last(queue, '/')) : queue);
		pr_text_add_byte(out, '/');
	}
	pr_text_add_str(out, name);
}

void options_host_status_path(const struct options *options, struct pr_text *out)
{
	add_path(options, options->host_status_directory, out);
}

void options_tls_policy_path(const struct options *options, struct pr_text *out)
{
	if (options->strict_transport)
		add_path(options, options->tls_policy_directory, out);
}

void options_tls_report_path(const struct options *options, struct pr_text *out)
{
	add_path(options, options->tls_report_directory, out);
}
