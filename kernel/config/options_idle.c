/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row per name, with what is true here instead; alphabetical.  A row leaves this table when options.c gets one of that name.
 */
#include "kernel/config/options_idle.h"

#define RULES NULL /* read by the rule engine or a map */

static const char by_module[] = "what is one process at a time there is a thread here";
static const char no_layer[] = "no security layer of SASL is asked for; encryption is TLS's business";
static const char no_engine[] = "the TLS library of OpenSSL 3 has providers, which its own openssl.cnf names";
static const char no_seed[] = "the TLS library takes its random bytes from the system";
static const char no_memory[] = "memory is bounded by design: every buffer has a maximum";
static const char in_one_piece[] = "bodies pass as they are: 8 bits are kept";
static const char files_fixed[] = "queue files are 0600, always";
static const char no_dialup[] = "there are no dial-up lines in this world";
static const char resolver_own[] = "the resolver's own times are taken";
static const char no_milter[] = "in this release nothing speaks the milter protocol";

const struct option_idle options_idle[] = {
    {"AliasWait", "an alias table is replaced in one step, so it is never found half made"},
    {"AuthMaxBits", no_layer},
    {"AuthRealm", RULES},
    {"BlankSub", RULES},
    {"CheckAliases", "newaliases looks at each address, always"},
    {"CheckpointInterval", "results are recorded after each piece of a delivery"},
    {"ColonOkInAddr", RULES},
    {"ControlSocketName", "the control socket is control.sock in RunDirectory"},
    {"DataFileBufferSize", no_memory},
    {"DeadLetterDrop", "mail that nobody can be told about is kept in the queue"},
    {"DialDelay", no_dialup},
    {"DontInitGroups", "a helper has the groups of its user, always"},
    {"DontLockFilesForRead", "tables are replaced in one step, so readers need no lock"},
    {"DontProbeInterfaces", RULES},
    {"DontPruneRoutes", "source routes are dropped, RFC 5321 appendix C"},
    {"ErrorMode", "the command line and the sender's program decide"},
    {"FastSplit", "MX records are looked up at delivery, always"},
    {"ForkEachJob", by_module},
    {"HostsFile", RULES},
    {"InputMailFilters", "all filters are asked, in the order of their declaration"},
    {"LDAPDefaultSpec", "in this release no map asks LDAP"},
    {"MailboxDatabase", "accounts are those of the system's user database"},
    {"MatchGECOS", "full names are no addresses here"},
    {"MaxForwardEntries", ".forward files are not read by this release"},
    {"MaxQueueRunSize", "a queue run is never cut short"},
    {"MemoryResource", no_memory},
    {"MeToo", "a sender who is a member of a list gets its mail, always"},
    {"Milter.LogLevel", no_milter},
    {"Milter.macros.connect", no_milter},
    {"Milter.macros.data", no_milter},
    {"Milter.macros.envfrom", no_milter},
    {"Milter.macros.envrcpt", no_milter},
    {"Milter.macros.eoh", no_milter},
    {"Milter.macros.eom", no_milter},
    {"Milter.macros.helo", no_milter},
    {"MustQuoteChars", RULES},
    {"NiceQueueRun", by_module},
    {"OldStyleHeaders", "recipients are separated by commas; on the command line by blanks too"},
    {"OperatorChars", RULES},
    {"ProcessTitlePrefix", "processes show their role"},
    {"QueueFileMode", files_fixed},
    {"QueueLowMem", no_memory},
    {"RandFile", no_seed},
    {"RefuseLowMem", no_memory},
    {"RejectLogInterval", "what is refused many times is logged once a minute"},
    {"RequiresDirfsync", "directories are made durable, always"},
    {"ResolverOptions", RULES},
    {"RrtImpliesDsn", "Return-Receipt-To is no request for a notice"},
    {"RunAsUser", "users in postrider.conf says who receiver and courier are; neither is ever root"},
    {"ServiceSwitchFile", RULES},
    {"SetCertAltnames", RULES},
    {"SevenBitInput", in_one_piece},
    {"SharedMemoryKey", "counters are in memory that the daemon shares with its own processes"},
    {"SharedMemoryKeyFile", "counters are in memory that the daemon shares with its own processes"},
    {"SingleLineFromHeader", "a folded From: is understood"},
    {"SoftBounce", "permanent failures are permanent"},
    {"SSLEngine", no_engine},
    {"SSLEnginePath", no_engine},
    {"TempFileMode", files_fixed},
    {"Timeout.control", "requests to the control socket are short"},
    {"Timeout.fileopen", "tables are opened without waiting for locks"},
    {"Timeout.resolver.retrans", resolver_own},
    {"Timeout.resolver.retrans.first", resolver_own},
    {"Timeout.resolver.retrans.normal", resolver_own},
    {"Timeout.resolver.retry", resolver_own},
    {"Timeout.resolver.retry.first", resolver_own},
    {"Timeout.resolver.retry.normal", resolver_own},
    {"TimeZoneSpec", "the system's time zone is taken"},
    {"UnsafeGroupWrites", "what a group may write to is unsafe, unless DontBlameSendmail says otherwise"},
    {"UseCompressedIPv6Addresses", "IPv6 addresses are written in their short form, always"},
    {"UseErrorsTo", "notices go to the envelope sender, always"},
    {"UseMSP", "the local submission socket needs no queue that a group writes to"},
    {"UserDatabaseSpec", "there is no user database in this release"},
    {"Verbose", "-v is said on the command line"},
    {"XscriptFileBufferSize", no_memory},
    {NULL, NULL},
};

const struct option_idle *option_idle_find(struct pr_str name)
{
	for (const struct option_idle *row = options_idle; row->name != NULL; row++)
		if (pr_str_equal_nocase(pr_str(row->name), name))
			return row;
	return NULL;
}
