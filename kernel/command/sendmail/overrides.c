/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -O and -o by name: which options there are, and which mean something elsewhere or nothing any more.
 * A name that is none ends the program before it has done anything, as it ends sendmail.
 */
#include "kernel/command/sendmail/submit.h"

#include "kernel/config/options.h"

/* Options of the submission itself, and old ones that ask for what is always so. */
static bool is_accepted_elsewhere(struct pr_str name)
{
	static const char *const names[] = {"ErrorMode", "Verbose", "SevenBitInput", "EightBitMode", "BlankSub",
	    "CheckpointInterval", "ErrorHeader", "TempFileMode", "MatchGECOS", "ResolverOptions", "DaemonPortOptions",
	    "PostmasterCopy", "UserDatabaseSpec", "FallbackMXhost", "RefuseLA", "ForkEachJob",
	    "UseErrorsTo", "MeToo", "CheckAliases", "OldStyleHeaders", "Timeout", "TryNullMXList", NULL};

	for (size_t i = 0; names[i] != NULL; i++)
		if (pr_str_equal_nocase(name, pr_str(names[i])))
			return true;
	return false;
}

/* sendmail's other options.  They are its daemon's affair: a program that gives them along with a letter is not to be sent away, while a
 * daemon of ours that is told one of these would not do what was asked. */
static const char *const sendmail_names[] = {"AliasWait", "AuthMaxBits", "AuthMechanisms", "AuthOptions", "AuthRealm", "BadRcptShutdown",
    "BadRcptShutdownGood", "CACertFile", "CACertPath", "CRLFile", "CRLPath", "CipherList", "CipherSuites", "CertFingerprintAlgorithm",
    "DHParameters", "RandFile", "ClientCertFile", "ClientKeyFile", "ServerSSLOptions", "ClientSSLOptions", "SSLEngine", "SSLEnginePath",
    "TLSSrvOptions", "TLSFallbacktoClear", "SetCertAltnames", "ClientPortOptions", "ColonOkInAddr", "ConnectionRateThrottle",
    "ConnectionRateWindowSize", "ConnectOnlyTo", "ControlSocketName", "DataFileBufferSize", "XscriptFileBufferSize", "DeadLetterDrop",
    "DefaultAuthInfo", "DefaultCharSet", "DelayLA", "DeliverByMin", "DialDelay", "DirectSubmissionModifiers", "DontBlameSendmail",
    "DontExpandCnames", "DontInitGroups", "DontLockFilesForRead", "DontPruneRoutes", "DontProbeInterfaces", "FallbackSmartHost", "FastSplit",
    "HeloName", "HostsFile", "InputMailFilters", "LDAPDefaultSpec", "MailboxDatabase", "MaxForwardEntries", "MaxMimeHeaderLength",
    "MaxNOOPCommands", "MaxQueueRunSize", "Milter.LogLevel", "Milter.macros.connect", "Milter.macros.helo", "Milter.macros.envfrom",
    "Milter.macros.envrcpt", "Milter.macros.data", "Milter.macros.eoh", "Milter.macros.eom", "MustQuoteChars", "NiceQueueRun",
    "NoRecipientAction", "OperatorChars", "ProcessTitlePrefix", "QueueFileMode", "QueueTimeout", "RefuseLowMem", "QueueLowMem",
    "MemoryResource", "RejectLogInterval", "RequiresDirfsync", "RrtImpliesDsn", "RunAsUser", "ServiceSwitchFile", "SharedMemoryKey",
    "SharedMemoryKeyFile", "SingleLineFromHeader", "SoftBounce", "StrictTransportSecurity", "TimeZoneSpec", "UnsafeGroupWrites",
    "UseCompressedIPv6Addresses", "UseMSP", NULL};

static bool is_sendmails(struct pr_str name)
{
	for (size_t i = 0; sendmail_names[i] != NULL; i++)
		if (pr_str_equal_nocase(name, pr_str(sendmail_names[i])))
			return true;
	return false;
}

struct pr_str override_name(struct pr_str override)
{
	return pr_str_trim(pr_str_slice(override, 0, pr_str_find(override, '=')));
}

bool overrides_check(const struct arguments *arguments, bool submission, struct pr_text *error)
{
	for (size_t i = 0; i < arguments->override_count; i++) {
		struct pr_str name = override_name(arguments->overrides[i]);
		if (pr_option_find(options_table, name) != NULL || is_accepted_elsewhere(name) || (submission && is_sendmails(name)))
			continue;
		const char *near = pr_option_nearest(options_table, name);
		pr_text_addf(error, "readcf: unknown option name %.*s%s%s%s", PR_PRINT(name), near != NULL ? "; did you mean " : "",
		             near != NULL ? near : "", near != NULL ? "?" : "");
		return false;
	}
	return true;
}
