/* SPDX-License-Identifier: BSD-2-Clause
 *
 * O lines: `O QueueDirectory=/var/spool/mqueue`, or the letters of old, `OQ/var/spool/mqueue`.  The table is every name that sendmail knows;
 * what a value means is the kernel's business, except for the few options of the language itself.  Names may be shortened as
 * long as they are clear.
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct known {
	const char *name;
	char letter; /* '\0': none */
} known[] = {
	{ "AliasFile", 'A' }, { "AliasWait", 'a' }, { "AllowBogusHELO", 0 }, { "AuthMechanisms", 0 }, { "AuthOptions", 0 },
	{ "AuthMaxBits", 0 }, { "AuthRealm", 0 }, { "BlankSub", 'B' }, { "BadRcptThrottle", 0 }, { "BadRcptShutdown", 0 },
	{ "BadRcptShutdownGood", 0 }, { "CheckpointInterval", 'C' }, { "ConnectionCacheSize", 'k' }, { "CACertFile", 0 },
	{ "CACertPath", 0 }, { "CertFingerprintAlgorithm", 0 }, { "CheckAliases", 'n' }, { "CipherList", 0 }, { "CipherSuites", 0 },
	{ "ClassFactor", 'z' }, { "ClientPortOptions", 0 }, { "ClientCertFile", 0 }, { "ClientKeyFile", 0 }, { "ClientSSLOptions", 0 },
	{ "ConnectionCacheTimeout", 'K' }, { "ColonOkInAddr", 0 }, { "ConnectOnlyTo", 0 }, { "ConnectionRateThrottle", 0 },
	{ "ConnectionRateWindowSize", 0 }, { "ControlSocketName", 0 }, { "CRLFile", 0 }, { "CRLPath", 0 }, { "DeliveryMode", 'd' },
	{ "DaemonPortOptions", 'O' }, { "DataFileBufferSize", 0 }, { "DefaultUser", 'u' }, { "DeadLetterDrop", 0 }, { "DefaultCharSet", 0 },
	{ "DefaultAuthInfo", 0 }, { "DeliverByMin", 0 }, { "DelayLA", 0 }, { "DHParameters", 0 }, { "DialDelay", 0 },
	{ "DirectSubmissionModifiers", 0 }, { "DontPruneRoutes", 'R' }, { "DontExpandCnames", 0 }, { "DontBlameSendmail", 0 },
	{ "DontInitGroups", 0 }, { "DontLockFilesForRead", 0 }, { "DontProbeInterfaces", 0 }, { "DoubleBounceAddress", 0 },
	{ "EightBitMode", '8' }, { "ErrorHeader", 'E' }, { "ErrorMode", 'e' }, { "ForwardPath", 'J' }, { "FallbackMXhost", 'V' },
	{ "FastSplit", 0 }, { "FallbackSmartHost", 0 }, { "ForkEachJob", 'Y' }, { "HoldExpensive", 'c' }, { "HelpFile", 'H' },
	{ "HeloName", 0 }, { "HostsFile", 0 }, { "HostStatusDirectory", 0 }, { "IgnoreDots", 'i' }, { "InputMailFilters", 0 },
	{ "LogLevel", 'L' }, { "LDAPDefaultSpec", 0 }, { "MinFreeBlocks", 'b' }, { "MatchGECOS", 'G' }, { "MaxHopCount", 'h' },
	{ "MailboxDatabase", 0 }, { "MaxMessageSize", 0 }, { "MaxAliasRecursion", 0 }, { "MaxDaemonChildren", 0 },
	{ "MaxForwardEntries", 0 }, { "MaxHeadersLength", 0 }, { "MaxMimeHeaderLength", 0 }, { "MaxNOOPCommands", 0 },
	{ "MaxQueueRunSize", 0 }, { "MaxQueueChildren", 0 }, { "MaxQueueAge", 0 }, { "MaxRecipientsPerMessage", 0 },
	{ "MaxRunnersPerQueue", 0 }, { "MeToo", 'm' }, { "MinQueueAge", 0 }, { "Milter", 0 }, { "MustQuoteChars", 0 },
	{ "NoRecipientAction", 0 }, { "NiceQueueRun", 0 }, { "OldStyleHeaders", 'o' }, { "OperatorChars", 0 }, { "PrivacyOptions", 'p' },
	{ "PostmasterCopy", 'P' }, { "PidFile", 0 }, { "ProcessTitlePrefix", 0 }, { "QueueFactor", 'q' }, { "QueueDirectory", 'Q' },
	{ "QueueFileMode", 0 }, { "QueueLA", 'x' }, { "QueueSortOrder", 0 }, { "QueueTimeout", 'T' }, { "ResolverOptions", 'I' },
	{ "RefuseLA", 'X' }, { "RandFile", 0 }, { "RecipientFactor", 'y' }, { "RejectLogInterval", 0 }, { "RejectNUL", 0 },
	{ "RequiresDirfsync", 0 }, { "RetryFactor", 'Z' }, { "RrtImpliesDsn", 0 }, { "RunAsUser", 0 }, { "SevenBitInput", '7' },
	{ "SaveFromLine", 'f' }, { "SafeFileEnvironment", 0 }, { "SendMimeErrors", 'j' }, { "ServiceSwitchFile", 0 },
	{ "ServerCertFile", 0 }, { "ServerKeyFile", 0 }, { "ServerSSLOptions", 0 }, { "SetCertAltnames", 0 }, { "SharedMemoryKey", 0 },
	{ "SharedMemoryKeyFile", 0 }, { "SingleLineFromHeader", 0 }, { "SingleThreadDelivery", 0 }, { "SmtpGreetingMessage", 0 },
	{ "SoftBounce", 0 }, { "SSLEngine", 0 }, { "SSLEnginePath", 0 }, { "StatusFile", 'S' }, { "StrictTransportSecurity", 0 },
	{ "SuperSafe", 's' }, { "TempFileMode", 'F' }, { "Timeout", 'r' }, { "TimeZoneSpec", 't' }, { "TLSSrvOptions", 0 },
	{ "TLSFallbacktoClear", 0 }, { "TryNullMXList", 'w' }, { "TrustedUser", 0 }, { "UseErrorsTo", 'l' }, { "UserDatabaseSpec", 'U' },
	{ "UnixFromLine", 0 }, { "UnsafeGroupWrites", 0 }, { "UseCompressedIPv6Addresses", 0 }, { "UseMSP", 0 }, { "Verbose", 'v' },
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
	const struct known *found = NULL, *other = NULL;

	for (size_t i = 0; i < KNOWN; i++) {
		if (pr_str_equal_nocase(pr_str(known[i].name), name))
			return &known[i];
		if (!pr_str_has_prefix_nocase(pr_str(known[i].name), name))
			continue;
		if (found == NULL)
			found = &known[i];
		else if (other == NULL)
			other = &known[i];
	}
	if (other != NULL) {
		cf_complain(cf, "readcf: ambiguous option name %.*s (matches %s and %s)", PR_PRINT(name), found->name, other->name);
		return NULL;
	}
	if (found != NULL)
		cf_note(cf, "Option %.*s used as abbreviation for %s", PR_PRINT(name), found->name);
	else
		cf_complain(cf, "readcf: unknown option name %.*s", PR_PRINT(name));
	return found;
}

/* options of the language ----------------------------------------------- */

/* What the first rule was cut with stays. */
static void operator_chars(struct cf *cf, struct pr_str value)
{
	if (cf->has_operators)
		cf_remark(cf, "Warning: OperatorChars is being redefined.\n         It should only be set before ruleset definitions.");
	if (!cf->has_rules)
		cf_alphabet_init(&cf->alphabet, value, cf->alphabet.blank);
	cf->has_operators = true;
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

/* ${daemon_flags} of what this host's programs send: capital letters twice, so that a rule can tell them from small ones. */
static void direct_modifiers(struct cf *cf, struct pr_str value)
{
	struct pr_text text;

	pr_text_init(&text, 3 * value.len + 1);
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] == ' ')
			continue;
		pr_text_addf(&text, "%s%c", text.len > 0 ? " " : "", value.data[i]);
		if (value.data[i] >= 'A' && value.data[i] <= 'Z')
			pr_text_add_byte(&text, value.data[i]);
	}
	cf_macro_set_text(cf, "daemon_flags", pr_text_str(&text));
	pr_text_fini(&text);
}

static void cert_altnames(struct cf *cf, struct pr_str value)
{
	cf->has_altnames = is_true(value);
}

static const struct {
	const char *name;
	void (*set)(struct cf *cf, struct pr_str value);
} ours[] = {
	{ "OperatorChars", operator_chars }, { "BlankSub", blank_sub }, { "ColonOkInAddr", colon_ok }, { "DontProbeInterfaces", dont_probe },
	{ "MustQuoteChars", must_quote }, { "DirectSubmissionModifiers", direct_modifiers }, { "SetCertAltnames", cert_altnames },
};

/* Others look past what stands behind a dot. */
static bool takes_sub(const struct known *option)
{
	return strcmp(option->name, "Timeout") == 0 || strcmp(option->name, "Milter") == 0;
}

/* mail=5m,rcpt=1h, as option r was written. */
static void set_timeouts(struct cf *cf, struct pr_str list)
{
	struct pr_str item;

	while (list.len > 0 && pr_str_next(&list, ',', &item)) {
		size_t equal = pr_str_find(item, '=');
		struct pr_str name = pr_str_trim(pr_str_slice(item, 0, equal));
		struct pr_str value = cf_judge_timeout(cf, name, pr_str_trim(pr_str_slice(item, equal + 1, item.len)));
		if (value.data != NULL)
			cf_declare_setting(cf, cf_declare(cf, PR_DECLARED_OPTION, pr_arena_printf(&cf->arena, "Timeout.%.*s", PR_PRINT(name))), "value", value);
	}
}

static void set(struct cf *cf, const struct known *option, struct pr_str sub, struct pr_str value)
{
	struct pr_str name = pr_str(option->name);
	bool has_sub = sub.data != NULL;

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(ours[i].name, option->name) == 0)
			ours[i].set(cf, value);
	if (!has_sub && strcmp(option->name, "Timeout") == 0 && pr_str_find(value, '=') < value.len) {
		set_timeouts(cf, value);
		return;
	}
	if (takes_sub(option) && (has_sub || strcmp(option->name, "Milter") == 0)) {
		value = strcmp(option->name, "Timeout") == 0 ? cf_judge_timeout(cf, sub, value) : cf_judge_milter(cf, sub) ? value : PR_NONE;
		name = pr_arena_printf(&cf->arena, "%s.%.*s", option->name, PR_PRINT(sub));
	} else {
		value = cf_judge_option(cf, option->name, value);
	}
	if (value.data != NULL)
		cf_declare_setting(cf, cf_declare(cf, PR_DECLARED_OPTION, name), "value", value);
}

/* Expanded when they are used. */
static bool keeps_dollars(const struct known *option)
{
	static const char *const names[] = { "SmtpGreetingMessage", "UnixFromLine", "ForwardPath", "HeloName", "ErrorHeader" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], option->name) == 0)
			return true;
	return false;
}

static void read_letter(struct cf *cf, struct pr_str line)
{
	const struct known *option = line.len > 0 ? by_letter(line.data[0]) : NULL;
	struct pr_str value = pr_str_slice(line, 1, line.len);

	if (line.len > 0 && line.data[0] == 'M')
		cf_read_macro(cf, value);
	else if (option == NULL)
		cf_complain(cf, "readcf: unknown option name 0x%x", line.len > 0 ? (unsigned char)line.data[0] : 0u);
	else
		set(cf, option, PR_NONE, pr_str_trim(cf_expand_text(cf, value)));
}

void cf_read_option(struct cf *cf, struct pr_str line)
{
	struct pr_str sub = PR_NONE;

	if (line.len == 0 || line.data[0] != ' ') {
		read_letter(cf, line);
		return;
	}
	line = pr_str_slice(line, 1, line.len);
	size_t equal = pr_str_find(line, '='), dot = pr_str_find(line, '.'), end = equal < dot ? equal : dot;
	while (end > 0 && (line.data[end - 1] == ' ' || line.data[end - 1] == '\t'))
		end--;
	struct pr_str name = pr_str_slice(line, 0, end);
	struct pr_str value = equal < line.len ? pr_str_trim(pr_str_slice(line, equal + 1, line.len)) : PR_STR("");
	if (name.len == 0) {
		cf_complain(cf, "readcf: null option name");
		return;
	}
	if (dot < equal)
		sub = pr_str_trim(pr_str_slice(line, dot + 1, equal));
	const struct known *option = by_name(cf, name);
	if (option != NULL)
		set(cf, option, sub, keeps_dollars(option) ? value : cf_expand_text(cf, value));
}
