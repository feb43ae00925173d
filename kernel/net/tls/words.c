/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the options say about ciphers and the library's own switches, by OpenSSL's names.
 * A number stands for bits that have none here; a sign takes the switch away.
 */
#include "kernel/net/tls/internal.h"

#include <openssl/err.h>

#include <string.h>

#define SWITCH(name) {#name, SSL_OP_##name}

static const struct {
	const char *name;
	uint64_t bits; /* 0: OpenSSL 3 knows the name and does nothing any more */
} switches[] = {
    SWITCH(ALL), SWITCH(ALLOW_NO_DHE_KEX), SWITCH(ALLOW_UNSAFE_LEGACY_RENEGOTIATION), SWITCH(CIPHER_SERVER_PREFERENCE), SWITCH(CISCO_ANYCONNECT),
    SWITCH(COOKIE_EXCHANGE), SWITCH(CRYPTOPRO_TLSEXT_BUG), SWITCH(DONT_INSERT_EMPTY_FRAGMENTS), SWITCH(ENABLE_MIDDLEBOX_COMPAT), SWITCH(EPHEMERAL_RSA),
    SWITCH(LEGACY_SERVER_CONNECT), SWITCH(MICROSOFT_BIG_SSLV3_BUFFER), SWITCH(MICROSOFT_SESS_ID_BUG), SWITCH(MSIE_SSLV2_RSA_PADDING),
    SWITCH(NETSCAPE_CA_DN_BUG), SWITCH(NETSCAPE_CHALLENGE_BUG), SWITCH(NETSCAPE_DEMO_CIPHER_CHANGE_BUG), SWITCH(NETSCAPE_REUSE_CIPHER_CHANGE_BUG),
    SWITCH(NO_ANTI_REPLAY), SWITCH(NO_COMPRESSION), SWITCH(NO_ENCRYPT_THEN_MAC), SWITCH(NO_QUERY_MTU), SWITCH(NO_RENEGOTIATION),
    SWITCH(NO_SESSION_RESUMPTION_ON_RENEGOTIATION), SWITCH(NO_SSLv2), SWITCH(NO_SSLv3), SWITCH(NO_TICKET), SWITCH(NO_TLSv1), SWITCH(NO_TLSv1_1),
    SWITCH(NO_TLSv1_2), SWITCH(NO_TLSv1_3), SWITCH(PKCS1_CHECK_1), SWITCH(PKCS1_CHECK_2), SWITCH(PRIORITIZE_CHACHA), SWITCH(SINGLE_DH_USE),
    SWITCH(SINGLE_ECDH_USE), SWITCH(SSLEAY_080_CLIENT_DH_BUG), SWITCH(SSLREF2_REUSE_CERT_TYPE_BUG), SWITCH(TLSEXT_PADDING), SWITCH(TLS_BLOCK_PADDING_BUG),
    SWITCH(TLS_D5_BUG), SWITCH(TLS_ROLLBACK_BUG),
};

static bool find_switch(struct pr_str word, uint64_t *bits_out)
{
	if (pr_str_has_prefix_nocase(word, PR_STR("SSL_OP_")))
		word = pr_str_slice(word, 7, word.len);
	else if (pr_str_number(word, UINT32_MAX, bits_out))
		return true;
	for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
		if (pr_str_equal_nocase(word, pr_str(switches[i].name))) {
			*bits_out = switches[i].bits;
			return true;
		}
	return false;
}

static bool apply_switches(SSL_CTX *ssl, const struct net_tls_words *words, struct pr_text *why)
{
	struct pr_str rest = words->options, word;
	uint64_t bits;

	while (pr_str_word(&rest, ", \t", &word)) {
		bool off = word.data[0] == '-';
		struct pr_str name = off || word.data[0] == '+' ? pr_str_slice(word, 1, word.len) : word;
		if (!find_switch(name, &bits)) {
			pr_text_addf(why, "%s: %.*s is no switch that this library knows", SSL_CTX_get_ssl_method(ssl) == TLS_server_method() ? "ServerSSLOptions" : "ClientSSLOptions", PR_PRINT(word));
			return false;
		}
		if (off)
			SSL_CTX_clear_options(ssl, bits);
		else
			SSL_CTX_set_options(ssl, bits);
	}
	return true;
}

bool net_tls_apply_words(SSL_CTX *ssl, const struct net_tls_words *words, struct pr_text *why)
{
	ERR_clear_error();
	if (words->ciphers.len > 0 && SSL_CTX_set_cipher_list(ssl, words->ciphers.data) != 1) {
		pr_text_addf(why, "CipherList: %.*s: ", PR_PRINT(words->ciphers));
		net_tls_explain(ERR_get_error(), "no cipher is left", why);
		return false;
	}
	if (words->suites.len > 0 && SSL_CTX_set_ciphersuites(ssl, words->suites.data) != 1) {
		pr_text_addf(why, "CipherSuites: %.*s: ", PR_PRINT(words->suites));
		net_tls_explain(ERR_get_error(), "not a list of suites", why);
		return false;
	}
	return apply_switches(ssl, words, why);
}
