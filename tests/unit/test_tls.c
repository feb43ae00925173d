/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The client's side of TLS: options that cannot be used are named, and a peer that does not speak TLS, or nothing at all, ends the handshake in time.
 */
#include "kernel/net/tls/client.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void test_options(void)
{
	static const struct {
		struct net_tls_trust trust;
		const char *why; /* NULL: good */
	} cases[] = {
		{{.cert_file = {NULL, 0}}, NULL},
		{{.words = {.ciphers = {"HIGH:!aNULL", 11}, .suites = {"TLS_AES_256_GCM_SHA384", 22}, .options = {"+SSL_OP_NO_TICKET, -SSL_OP_TLSEXT_PADDING 16", 44}}}, NULL},
		{{.fingerprint = {"sha256", 6}}, NULL},
		{{.cert_file = {"/dev/null", 9}}, "ClientCertFile and ClientKeyFile must be given together"},
		{{.cert_file = {"/no/such.pem", 12}, .key_file = {"/no/such.key", 12}}, "ClientCertFile: /no/such.pem"},
		{{.ca_file = {"/no/such.pem", 12}}, "CACertFile: /no/such.pem"},
		{{.crl_file = {"/no/such.pem", 12}}, "CRLFile: /no/such.pem"},
		{{.words = {.ciphers = {"NONSENSE", 8}}}, "CipherList: NONSENSE"},
		{{.words = {.suites = {"NONSENSE", 8}}}, "CipherSuites: NONSENSE"},
		{{.words = {.options = {"+SSL_OP_NO_TICKET,SSL_OP_FLY", 28}}}, "ClientSSLOptions: SSL_OP_FLY is no switch"},
		{{.fingerprint = {"sha257", 6}}, "CertFingerprintAlgorithm: sha257"},
	};
	struct pr_text why;

	pr_text_init(&why, 1000);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		pr_text_clear(&why);
		struct net_tls_client *client = net_tls_client_new(&cases[i].trust, &why);
		CU_ASSERT_EQUAL(client != NULL, cases[i].why == NULL);
		if (cases[i].why != NULL && (why.len == 0 || strncmp(why.data, cases[i].why, strlen(cases[i].why)) != 0)) {
			fprintf(stderr, "wanted: %s\n   got: %s\n", cases[i].why, why.len > 0 ? why.data : "(nothing)");
			CU_FAIL("another sentence");
		}
		net_tls_client_free(client);
	}
	pr_text_fini(&why);
}

/* The handshake with somebody who has said `words`, and then says nothing (or hangs up). */
static void shake(const char *words, bool hangs_up, const char *expected)
{
	const struct net_tls_trust trust = {.cert_file = PR_NONE};
	struct timeval slice = {.tv_usec = 20000};
	struct pr_text why;
	int pair[2];

	pr_text_init(&why, 1000);
	struct net_tls_client *client = net_tls_client_new(&trust, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice);
	CU_ASSERT_EQUAL(write(pair[1], words, strlen(words)), (ssize_t)strlen(words));
	if (hangs_up)
		shutdown(pair[1], SHUT_WR);
	time_t began = time(NULL);
	CU_ASSERT_PTR_NULL(net_tls_connect(client, pair[0], PR_STR("mx.example.org"), 200, &why));
	CU_ASSERT_TRUE(time(NULL) - began <= 5);
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, expected));
	net_tls_client_free(client);
	pr_text_fini(&why);
	close(pair[0]);
	close(pair[1]);
}

static void test_no_tls_there(void)
{
	shake("250 hello, what is this?\r\n", false, "wrong version number");
	shake("", true, "unexpected eof");
	shake("", false, "it took too long");
}

static const struct unit_case cases[] = {{"options", test_options}, {"no TLS there", test_no_tls_there}, {NULL, NULL}};

UNIT_MAIN("tls client", cases)
