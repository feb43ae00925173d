/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that are lists of words, each with the words sendmail knows and its way to name one that it does not.
 */
#include "judge.h"

#include <string.h>

static const char *const privacy[] = { "public", "needmailhelo", "needexpnhelo", "needvrfyhelo", "noexpn", "novrfy", "noetrn", "noverb",
	"restrictmailq", "restrictqrun", "restrictexpand", "noreceipts", "nobodyreturn", "goaway", "authwarnings", "noactualrecipient", NULL };

static const char *const blame[] = { "Safe", "AssumeSafeChown", "ClassFileInUnsafeDirPath", "DontWarnForwardFileInUnsafeDirPath",
	"ErrorHeaderInUnsafeDirPath", "FileDeliveryToHardLink", "FileDeliveryToSymLink", "ForwardFileInGroupWritableDirPath",
	"ForwardFileInUnsafeDirPath", "ForwardFileInUnsafeDirPathSafe", "GroupReadableKeyFile", "GroupReadableSASLDBFile",
	"GroupReadableDefaultAuthInfoFile", "GroupWritableAliasFile", "GroupWritableDirPathSafe", "GroupWritableForwardFile",
	"GroupWritableForwardFileSafe", "GroupWritableIncludeFile", "GroupWritableIncludeFileSafe", "GroupWritableSASLDBFile",
	"HelpFileInUnsafeDirPath", "IncludeFileInGroupWritableDirPath", "IncludeFileInUnsafeDirPath", "IncludeFileInUnsafeDirPathSafe",
	"InsufficientEntropy", "LinkedAliasFileInWritableDir", "LinkedClassFileInWritableDir", "LinkedForwardFileInWritableDir",
	"LinkedIncludeFileInWritableDir", "LinkedMapInWritableDir", "LinkedServiceSwitchFileInWritableDir", "MapInUnsafeDirPath",
	"NonRootSafeAddr", "RunProgramInUnsafeDirPath", "RunWritableProgram", "TrustStickyBit", "WorldWritableAliasFile",
	"WorldWritableForwardFile", "WorldWritableIncludeFile", "WriteMapToHardLink", "WriteMapToSymLink", "WriteStatsToHardLink",
	"WriteStatsToSymLink", NULL };

static const char *const resolver[] = { "AAONLY", "DEBUG", "DEFNAMES", "DNSRCH", "HASWILDCARDMX", "IGNTC", "PRIMARY", "RECURSE",
	"STAYOPEN", "TRUE", "USEVC", "USE_DNSSEC", "USE_EDNS0", "WORKAROUNDBROKENAAAA", NULL };

/* Behind SSL_OP_. */
static const char *const tls[] = { "ALL", "ALLOW_NO_DHE_KEX", "ALLOW_UNSAFE_LEGACY_RENEGOTIATION", "CIPHER_SERVER_PREFERENCE",
	"CISCO_ANYCONNECT", "COOKIE_EXCHANGE", "CRYPTOPRO_TLSEXT_BUG", "DONT_INSERT_EMPTY_FRAGMENTS", "ENABLE_MIDDLEBOX_COMPAT",
	"EPHEMERAL_RSA", "LEGACY_SERVER_CONNECT", "MICROSOFT_BIG_SSLV3_BUFFER", "MICROSOFT_SESS_ID_BUG", "MSIE_SSLV2_RSA_PADDING",
	"NETSCAPE_CA_DN_BUG", "NETSCAPE_CHALLENGE_BUG", "NETSCAPE_DEMO_CIPHER_CHANGE_BUG", "NETSCAPE_REUSE_CIPHER_CHANGE_BUG",
	"NO_ANTI_REPLAY", "NO_COMPRESSION", "NO_ENCRYPT_THEN_MAC", "NO_QUERY_MTU", "NO_RENEGOTIATION",
	"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", "NO_SSLv2", "NO_SSLv3", "NO_TICKET", "NO_TLSv1", "NO_TLSv1_1", "NO_TLSv1_2",
	"NO_TLSv1_3", "PKCS1_CHECK_1", "PKCS1_CHECK_2", "PRIORITIZE_CHACHA", "SINGLE_DH_USE", "SINGLE_ECDH_USE",
	"SSLEAY_080_CLIENT_DH_BUG", "SSLREF2_REUSE_CERT_TYPE_BUG", "TLSEXT_PADDING", "TLS_BLOCK_PADDING_BUG", "TLS_D5_BUG",
	"TLS_ROLLBACK_BUG", NULL };

static bool is_known(const char *const *words, struct pr_str word)
{
	for (; *words != NULL; words++)
		if (pr_str_equal_nocase(pr_str(*words), word))
			return true;
	return false;
}

/* A sign in front takes the word away, or adds it. */
static struct pr_str unsigned_word(struct pr_str word)
{
	return word.data[0] == '+' || word.data[0] == '-' ? pr_str_slice(word, 1, word.len) : word;
}

struct list {
	const char *const *words;
	const char *prefix;  /* of each word */
	const char *before;  /* of the complaint */
	bool has_signs;
	bool has_numbers;
};

static bool is_good(const struct list *list, struct pr_str word)
{
	struct pr_str prefix = pr_str(list->prefix);

	if (list->has_numbers && word.len > 0 && word.data[0] >= '0' && word.data[0] <= '9')
		return true;
	return pr_str_has_prefix_nocase(word, prefix) && is_known(list->words, pr_str_slice(word, prefix.len, word.len));
}

/* The good words, with commas between them. */
static struct pr_str judge(struct cf *cf, const struct list *list, struct pr_str value)
{
	struct pr_str word, result;
	struct pr_text kept;

	pr_text_init(&kept, value.len * 2 + 1);
	while (pr_str_word(&value, ", \t\n", &word)) {
		struct pr_str bare = list->has_signs ? unsigned_word(word) : word;
		if (is_good(list, bare)) {
			pr_text_add_c(&kept, kept.len > 0 ? "," : "");
			pr_text_add_str(&kept, word);
		} else {
			cf_complain(cf, "readcf: %s%.*s unrecognized", list->before, PR_PRINT(bare));
		}
	}
	result = pr_arena_copy(&cf->arena, pr_text_str(&kept));
	pr_text_fini(&kept);
	return result;
}

struct pr_str cf_judge_privacy(struct cf *cf, struct pr_str value)
{
	return judge(cf, &(struct list){ .words = privacy, .prefix = "", .before = "Op line: " }, value);
}

struct pr_str cf_judge_blame(struct cf *cf, struct pr_str value)
{
	return judge(cf, &(struct list){ .words = blame, .prefix = "", .before = "DontBlameSendmail option: " }, value);
}

struct pr_str cf_judge_resolver(struct cf *cf, struct pr_str value)
{
	return judge(cf, &(struct list){ .words = resolver, .prefix = "", .before = "I option value ", .has_signs = true }, value);
}

struct pr_str cf_judge_tls(struct cf *cf, const char *option, struct pr_str value)
{
	struct pr_str before = pr_arena_printf(&cf->arena, "%s option value ", option);

	if (before.data == NULL)
		return PR_NONE;
	return judge(cf, &(struct list){ .words = tls, .prefix = "SSL_OP_", .before = before.data, .has_signs = true, .has_numbers = true }, value);
}
