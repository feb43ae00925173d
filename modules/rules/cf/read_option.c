/* SPDX-License-Identifier: BSD-2-Clause
 *
 * O lines: `O QueueDirectory=/var/spool/mqueue`, or the letters of old, `OQ/var/spool/mqueue`.  The table is every name that sendmail knows;
 * what a value means is the kernel's business, except for the few options of the language itself.  Names may be shortened as
 * long as they are clear.
 */
#include "cf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct known {
	const char *name;
	char letter; /* '\0': none */
} known[] = {
	{ "AliasFile", 'A' }, { "AliasWait", 'a' }, { "AllowBogusHELO", 0 }, { "AuthMaxBits", 0 }, { "AuthMechanisms", 0 },
	{ "AuthOptions", 0 }, { "AuthRealm", 0 }, { "BadRcptShutdown", 0 }, { "BadRcptShutdownGood", 0 }, { "BadRcptThrottle", 0 },
	{ "BadRcptThrottleDelay", 0 }, { "BlankSub", 'B' }, { "CACertFile", 0 }, { "CACertPath", 0 }, { "CertFingerprintAlgorithm", 0 },
	{ "CheckAliases", 'n' }, { "CheckpointInterval", 'C' }, { "CipherList", 0 }, { "CipherSuites", 0 }, { "ClassFactor", 'z' },
	{ "ClientCertFile", 0 }, { "ClientKeyFile", 0 }, { "ClientPortOptions", 0 }, { "ClientSSLOptions", 0 }, { "ColonOkInAddr", 0 },
	{ "ConnectOnlyTo", 0 }, { "ConnectionCacheSize", 'k' }, { "ConnectionCacheTimeout", 'K' }, { "ConnectionRateThrottle", 0 },
	{ "ConnectionRateWindowSize", 0 }, { "ControlSocketName", 0 }, { "CRLFile", 0 }, { "CRLPath", 0 }, { "DaemonPortOptions", 'O' },
	{ "DataFileBufferSize", 0 }, { "DeadLetterDrop", 0 }, { "DefaultAuthInfo", 0 }, { "DefaultCharSet", 0 }, { "DefaultUser", 'u' },
	{ "DelayLA", 0 }, { "DeliverByMin", 0 }, { "DeliveryMode", 'd' }, { "DHParameters", 0 }, { "DialDelay", 0 },
	{ "DirectSubmissionModifiers", 0 }, { "DontBlameSendmail", 0 }, { "DontExpandCnames", 0 }, { "DontInitGroups", 0 },
	{ "DontLockFilesForRead", 0 }, { "DontProbeInterfaces", 0 }, { "DontPruneRoutes", 'R' }, { "DoubleBounceAddress", 0 },
	{ "EightBitMode", '8' }, { "ErrorHeader", 'E' }, { "ErrorMode", 'e' }, { "FallbackMXhost", 'V' }, { "FallbackSmartHost", 0 },
	{ "FastSplit", 0 }, { "ForkEachJob", 'Y' }, { "ForwardPath", 'J' }, { "HeloName", 0 }, { "HelpFile", 'H' },
	{ "HoldExpensive", 'c' }, { "HostsFile", 0 }, { "HostStatusDirectory", 0 }, { "IgnoreDots", 'i' }, { "InputMailFilters", 0 },
	{ "LDAPDefaultSpec", 0 }, { "LogLevel", 'L' }, { "MailboxDatabase", 0 }, { "MatchGECOS", 'G' }, { "MaxAliasRecursion", 0 },
	{ "MaxDaemonChildren", 0 }, { "MaxForwardEntries", 0 }, { "MaxHeadersLength", 0 }, { "MaxHopCount", 'h' }, { "MaxMessageSize", 0 },
	{ "MaxMimeHeaderLength", 0 }, { "MaxNOOPCommands", 0 }, { "MaxQueueAge", 0 }, { "MaxQueueChildren", 0 }, { "MaxQueueRunSize", 0 },
	{ "MaxRecipientsPerMessage", 0 }, { "MaxRunnersPerQueue", 0 }, { "MeToo", 'm' }, { "MemoryResource", 0 }, { "Milter", 0 },
	{ "MinFreeBlocks", 'b' }, { "MinQueueAge", 0 }, { "MustQuoteChars", 0 }, { "NiceQueueRun", 0 }, { "NoRecipientAction", 0 },
	{ "OldStyleHeaders", 'o' }, { "OperatorChars", 0 }, { "PidFile", 0 }, { "PostmasterCopy", 'P' }, { "PrivacyOptions", 'p' },
	{ "ProcessTitlePrefix", 0 }, { "QueueDirectory", 'Q' }, { "QueueFactor", 'q' }, { "QueueFileMode", 0 }, { "QueueLA", 'x' },
	{ "QueueLowMem", 0 }, { "QueueSortOrder", 0 }, { "QueueTimeout", 'T' }, { "RandFile", 0 }, { "RecipientFactor", 'y' },
	{ "RefuseLA", 'X' }, { "RefuseLowMem", 0 }, { "RejectLogInterval", 0 }, { "RejectNUL", 0 }, { "RequiresDirfsync", 0 },
	{ "ResolverOptions", 'I' }, { "RetryFactor", 'Z' }, { "RrtImpliesDsn", 0 }, { "RunAsUser", 0 }, { "SafeFileEnvironment", 0 },
	{ "SaveFromLine", 'f' }, { "SendMimeErrors", 'j' }, { "ServerCertFile", 0 }, { "ServerKeyFile", 0 }, { "ServerSSLOptions", 0 },
	{ "ServiceSwitchFile", 0 }, { "SetCertAltnames", 0 }, { "SevenBitInput", '7' }, { "SharedMemoryKey", 0 },
	{ "SharedMemoryKeyFile", 0 }, { "SingleLineFromHeader", 0 }, { "SingleThreadDelivery", 0 }, { "SmtpGreetingMessage", 0 },
	{ "SoftBounce", 0 }, { "SSLEngine", 0 }, { "SSLEnginePath", 0 }, { "StatusFile", 'S' }, { "StrictTransportSecurity", 0 },
	{ "SuperSafe", 's' }, { "TempFileMode", 'F' }, { "Timeout", 'r' }, { "TimeZoneSpec", 't' }, { "TLSFallbacktoClear", 0 },
	{ "TLSSrvOptions", 0 }, { "TrustedUser", 0 }, { "TryNullMXList", 'w' }, { "UnixFromLine", 0 }, { "UnsafeGroupWrites", 0 },
	{ "UseCompressedIPv6Addresses", 0 }, { "UseErrorsTo", 'l' }, { "UseMSP", 0 }, { "UserDatabaseSpec", 'U' }, { "Verbose", 'v' },
	{ "XscriptFileBufferSize", 0 },
};

#define KNOWN (sizeof known / sizeof known[0])

static const struct known *by_letter(char letter)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (known[i].letter == letter && letter != '\0')
			return &known[i];
	return NULL;
}

/* The whole name, or the only one that begins so. */
static const struct known *by_name(struct cf *cf, struct pr_str name)
{
	const struct known *found = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < KNOWN; i++) {
		if (pr_str_equal_nocase(pr_str(known[i].name), name))
			return &known[i];
		if (name.len > 0 && pr_str_has_prefix_nocase(pr_str(known[i].name), name)) {
			found = &known[i];
			matches++;
		}
	}
	if (matches > 1) {
		cf_complain(cf, "readcf: ambiguous option name %.*s (matches %s%s)", PR_PRINT(name), found->name, " and others");
		return NULL;
	}
	if (matches == 1)
		cf_remark(cf, "Option %.*s used as abbreviation for %s", PR_PRINT(name), found->name);
	else
		cf_complain(cf, "readcf: unknown option name %.*s", PR_PRINT(name));
	return found;
}

/* options of the language ----------------------------------------------- */

static void operator_chars(struct cf *cf, struct pr_str value)
{
	cf_alphabet_init(&cf->alphabet, value, cf->alphabet.blank);
}

static void blank_sub(struct cf *cf, struct pr_str value)
{
	if (value.len > 0)
		cf->alphabet.blank = value.data[0];
}

static bool is_true(struct pr_str value)
{
	return value.len == 0 || strchr("TtYy1", value.data[0]) != NULL;
}

static void colon_ok(struct cf *cf, struct pr_str value)
{
	cf->colon_ok = is_true(value);
}

static void must_quote(struct cf *cf, struct pr_str value)
{
	snprintf(cf->must_quote, sizeof cf->must_quote, "@,;:\\()[]%.*s", PR_PRINT(value));
}

static void dont_probe(struct cf *cf, struct pr_str value)
{
	cf->dont_probe = is_true(value) || pr_str_equal_nocase(value, PR_STR("loopback"));
}

static const struct {
	const char *name;
	void (*set)(struct cf *cf, struct pr_str value);
} ours[] = {
	{ "OperatorChars", operator_chars }, { "BlankSub", blank_sub }, { "ColonOkInAddr", colon_ok }, { "DontProbeInterfaces", dont_probe },
	{ "MustQuoteChars", must_quote },
};

/* Values are judged here where sendmail does so while it reads. */
static const char *const timeouts[] = { "initial", "connect", "aconnect", "iconnect", "helo", "mail", "rcpt", "datainit", "datablock",
	"datafinal", "rset", "quit", "misc", "command", "ident", "lhlo", "auth", "starttls", "fileopen", "control", "hoststatus",
	"resolver.retrans", "resolver.retrans.first", "resolver.retrans.normal", "resolver.retry", "resolver.retry.first",
	"resolver.retry.normal", "queuereturn", "queuereturn.normal", "queuereturn.urgent", "queuereturn.non-urgent", "queuereturn.dsn",
	"queuewarn", "queuewarn.normal", "queuewarn.urgent", "queuewarn.non-urgent", "queuewarn.dsn" };

static bool is_timeout(struct pr_str name)
{
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
		if (pr_str_equal_nocase(pr_str(timeouts[i]), name))
			return true;
	return false;
}

static bool check_subname(struct cf *cf, const struct known *option, struct pr_str sub)
{
	if (sub.len == 0 || strcmp(option->name, "Timeout") != 0 || is_timeout(sub))
		return true;
	cf_complain(cf, "settimeout: invalid timeout %.*s", PR_PRINT(sub));
	return false;
}

static void set(struct cf *cf, const struct known *option, struct pr_str sub, struct pr_str value)
{
	struct pr_str name = pr_str(option->name);

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(ours[i].name, option->name) == 0)
			ours[i].set(cf, value);
	if (!check_subname(cf, option, sub))
		return;
	if (sub.len > 0)
		name = pr_arena_printf(&cf->arena, "%s.%.*s", option->name, PR_PRINT(sub));
	cf_declare_setting(cf, cf_declare(cf, PR_DECLARED_OPTION, name), "value", value);
}

/* Expanded when they are used. */
static bool keeps_dollars(const struct known *option)
{
	static const char *const names[] = { "SmtpGreetingMessage", "UnixFromLine", "ForwardPath", "HeloName" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], option->name) == 0)
			return true;
	return false;
}

void cf_read_option(struct cf *cf, struct pr_str line)
{
	struct pr_str sub = PR_STR("");

	if (line.len > 0 && line.data[0] != ' ') {
		const struct known *option = by_letter(line.data[0]);
		if (option == NULL)
			cf_complain(cf, "readcf: unknown option name 0x%x", (unsigned char)line.data[0]);
		else
			set(cf, option, sub, pr_str_trim(cf_expand_text(cf, pr_str_slice(line, 1, line.len))));
		return;
	}
	line = pr_str_trim(line);
	size_t equal = pr_str_find(line, '='), dot = pr_str_find(line, '.');
	struct pr_str name = pr_str_trim(pr_str_slice(line, 0, equal < dot ? equal : dot));
	struct pr_str value = equal < line.len ? pr_str_trim(pr_str_slice(line, equal + 1, line.len)) : PR_STR("");
	if (dot < equal)
		sub = pr_str_trim(pr_str_slice(line, dot + 1, equal));
	const struct known *option = by_name(cf, name);
	if (option != NULL)
		set(cf, option, sub, keeps_dollars(option) ? value : cf_expand_text(cf, value));
}
