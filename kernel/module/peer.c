/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The next host while a mailer talks to it: TLS for the mailer, and what the macros say of it.
 * What is known of a connection is computed once, at its handshake, and belongs to it: a session that waits in the courier's cache and is used
 * again for another message means the same host, the same certificate, the same verdict.
 */
#include "kernel/module/internal.h"
#include "kernel/net/dane.h"
#include "kernel/net/tls/client.h"

#include "kernel/log/log.h"

#include <errno.h>
#include <time.h>

struct pr_tls {
	struct net_tls *tls;
	struct pr_arena arena;
	struct net_tls_facts facts;
};

static struct net_tls_client *client_of(const struct options *options, struct pr_text *why)
{
	struct net_tls_trust trust = {
	    .cert_file = options->client_cert_file, .key_file = options->client_key_file,
	    .ca_file = options->ca_file, .ca_path = options->ca_path,
	    .crl_file = options->crl_file, .crl_path = options->crl_path,
	    .fingerprint = options->cert_fingerprint,
	    .words = {.ciphers = options->cipher_list, .suites = options->cipher_suites, .options = options->client_ssl_options},
	};

	return net_tls_client_new(&trust, why);
}

bool module_tls_check(const struct options *options, struct pr_text *why)
{
	struct net_tls_client *client = client_of(options, why);

	net_tls_client_free(client);
	return client != NULL;
}

bool module_tls_open(struct module_set *set, struct pr_text *why)
{
	set->tls = client_of(&set->config->options, why);
	return set->tls != NULL;
}

void module_tls_close(struct module_set *set)
{
	net_tls_client_free(set->tls);
	set->tls = NULL;
}

/* A certificate that was renewed counts for the next connection; at most one look in some seconds. */
static void look_at_files(struct net_tls_client *client)
{
	struct timespec now;
	struct pr_text why;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	pr_text_init(&why, 1000);
	switch (net_tls_client_look(client, (int64_t)now.tv_sec, &why)) {
	case NET_TLS_SAME:
		break;
	case NET_TLS_RENEWED:
		log_at(8, LOGP_INFO, NULL, "STARTTLS=client, files were replaced: new connections get what is in them");
		break;
	case NET_TLS_BROKEN:
		log_line(LOGP_ERR, NULL, "STARTTLS=client, error: files were replaced and cannot be used, what was there before is used on: %s", why.data);
		break;
	}
	pr_text_fini(&why);
}

static void report(const struct pr_tls *tls, struct pr_str name)
{
	const struct net_tls_facts *facts = &tls->facts;

	log_at(9, LOGP_INFO, NULL, "STARTTLS=client, relay=%.*s, version=%.*s, verify=%.*s, cipher=%.*s, bits=%.*s/%.*s", PR_PRINT(name),
	    PR_PRINT(facts->version), PR_PRINT(facts->verify), PR_PRINT(facts->cipher), PR_PRINT(facts->cipher_bits), PR_PRINT(facts->alg_bits));
	if (net_tls_is_resumed(tls->tls))
		log_at(12, LOGP_INFO, NULL, "STARTTLS=client, relay=%.*s, an earlier session goes on", PR_PRINT(name));
	log_at(14, LOGP_INFO, NULL, "STARTTLS=client, cert-subject=%.*s, cert-issuer=%.*s, verifymsg=%.*s", PR_PRINT(facts->cert_subject),
	    PR_PRINT(facts->cert_issuer), PR_PRINT(facts->verify_message));
}

/* With a NUL behind each, for the library. */
static bool copy_wish(struct pr_call *call, const struct pr_tls_wish *from, struct pr_tls_wish *wish)
{
	struct pr_str *names = pr_arena_alloc(call->arena, (from->names.count + 1) * sizeof *names);

	if (names == NULL)
		return false;
	for (size_t i = 0; i < from->names.count; i++)
		if ((names[i] = pr_arena_copy(call->arena, from->names.items[i])).data == NULL)
			return false;
	*wish = *from;
	if (from->dane != NULL) {
		struct pr_dane *dane = pr_arena_alloc(call->arena, sizeof *dane);
		if (dane == NULL)
			return false;
		*dane = *from->dane;
		if (dane->state == PR_DANE_VERIFY && (dane->base = pr_arena_copy(call->arena, dane->base)).data == NULL)
			return false;
		wish->dane = dane;
	}
	wish->name = pr_arena_copy(call->arena, from->name);
	wish->names.items = names;
	return wish->name.data != NULL;
}

enum pr_status host_tls_start_with(struct pr_call *call, int32_t socket, const struct pr_tls_wish *given, int64_t milliseconds, struct pr_tls **tls_out)
{
	struct module_set *set = ((const struct module_frame *)call->kernel)->instance->set;
	struct pr_tls_wish wish;
	struct pr_text why;

	if (set->tls == NULL)
		return pr_fail(call, PR_MISUSE, "this process has no TLS");
	look_at_files(set->tls);
	if (!copy_wish(call, given, &wish))
		return pr_fail(call, PR_TEMPFAIL, "no memory for names");
	pr_text_init(&why, 400);
	struct net_tls *connection = net_tls_connect_with(set->tls, socket, &wish, milliseconds, &why);
	if (connection == NULL) {
		log_at(7, LOGP_WARNING, NULL, "STARTTLS=client, error: handshake with %.*s failed: %s", PR_PRINT(wish.name), why.data);
		pr_fail(call, PR_TEMPFAIL, "handshake with %.*s failed: %s", PR_PRINT(wish.name), why.data);
		pr_text_fini(&why);
		return PR_TEMPFAIL;
	}
	pr_text_fini(&why);
	struct pr_tls *tls = pr_alloc(sizeof *tls);
	tls->tls = connection;
	pr_arena_init(&tls->arena, 1u << 16);
	net_tls_describe(connection, &tls->arena, &tls->facts);
	report(tls, wish.name);
	*tls_out = tls;
	return PR_OK;
}

enum pr_status host_tls_start(struct pr_call *call, int32_t socket, struct pr_str name, int64_t milliseconds, struct pr_tls **tls_out)
{
	return host_tls_start_with(call, socket, &(struct pr_tls_wish){.size = sizeof(struct pr_tls_wish), .name = name}, milliseconds, tls_out);
}

/* Records that nobody can use are told: whoever wrote them believes that his host is protected. */
enum pr_status host_dane_find(struct pr_call *call, struct pr_str host, uint32_t port, const struct pr_dane **dane_out)
{
	enum pr_status status = dane_find(call, host, port, dane_out);

	if (status == PR_OK && (*dane_out)->state == PR_DANE_ENCRYPT)
		log_at(8, LOGP_NOTICE, NULL, "DANE: host=%.*s, none of the TLSA records of _%u._tcp.%.*s can be used: TLS is asked for, whoever it is with",
		    PR_PRINT(host), port, PR_PRINT((*dane_out)->base));
	return status;
}

static int64_t outcome(enum net_result result, const size_t *length)
{
	if (result == NET_AGAIN)
		errno = EAGAIN;
	return result == NET_DONE ? (int64_t)*length : result == NET_CLOSED ? 0 : -1;
}

int64_t host_tls_read(struct pr_tls *tls, void *buffer, size_t room)
{
	size_t length = 0;
	uint32_t wants;

	return outcome(net_tls_read(tls->tls, buffer, room, &length, &wants), &length);
}

int64_t host_tls_write(struct pr_tls *tls, const void *data, size_t len)
{
	size_t length = 0;
	uint32_t wants;

	return outcome(net_tls_write(tls->tls, data, len, &length, &wants), &length);
}

void host_tls_end(struct pr_tls *tls)
{
	if (tls == NULL)
		return;
	net_tls_shutdown(tls->tls);
	net_tls_free(tls->tls);
	pr_arena_fini(&tls->arena);
	pr_free(tls);
}

void host_talks_to(struct pr_call *call, const struct pr_peer *peer)
{
	struct module_scope *scope = module_call_scope(call);
	struct pr_peer *copy = pr_arena_alloc(scope->arena, sizeof *copy);

	if (copy == NULL)
		return;
	copy->size = sizeof *copy;
	copy->name = pr_arena_copy(scope->arena, peer->name);
	copy->address = pr_arena_copy(scope->arena, peer->address);
	copy->tls = peer->tls;
	copy->verify = pr_arena_copy(scope->arena, peer->verify);
	copy->auth_type = pr_arena_copy(scope->arena, peer->auth_type);
	scope->peer = copy;
}

#define OF_PEER(name, field) {name, offsetof(struct pr_peer, field), false}
#define OF_TLS(name) {#name, offsetof(struct net_tls_facts, name), true}

static const struct {
	const char *name;
	size_t offset; /* of a struct pr_str */
	bool of_tls;   /* in the facts; else in the peer */
} macros[] = {
    OF_PEER("server_name", name), OF_PEER("server_addr", address), OF_PEER("auth_type", auth_type), OF_TLS(verify), OF_TLS(cipher),
    OF_TLS(cipher_bits), OF_TLS(alg_bits), OF_TLS(cert_subject), OF_TLS(cert_issuer), OF_TLS(cn_subject), OF_TLS(cn_issuer), OF_TLS(cert_md5),
    OF_TLS(cert_fp), OF_TLS(cert_host), OF_TLS(verify_message), OF_TLS(webpki), OF_TLS(cert_altnames), {"tls_version", offsetof(struct net_tls_facts, version), true},
};

bool module_peer_macro(const struct pr_peer *peer, struct pr_str name, struct pr_str *value_out)
{
	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
		if (!pr_str_equal(name, pr_str(macros[i].name)))
			continue;
		const char *base = macros[i].of_tls ? (peer->tls != NULL ? (const char *)&peer->tls->facts : NULL) : (const char *)peer;
		*value_out = base != NULL ? *(const struct pr_str *)(const void *)(base + macros[i].offset) : PR_NONE;
		if (peer->tls == NULL && pr_str_equal(name, PR_STR("verify")))
			*value_out = peer->verify;
		return true;
	}
	return false;
}
