/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of TLS: the cipher, and whose certificate the client showed.  Asked of the library each time, for few sets want to know.
 */
#include "kernel/net/tls/certificate.h"
#include "kernel/session/macros.h"

static struct pr_str verify(struct macro_context *context)
{
	const struct net_tls *tls = context->session->stream.tls;

	return tls != NULL ? pr_str(net_tls_verified(tls)) : PR_NONE;
}

static struct pr_str tls_version(struct macro_context *context)
{
	const struct net_tls *tls = context->session->stream.tls;

	return tls != NULL ? pr_arena_copy(context->arena, pr_str(net_tls_version(tls))) : PR_NONE;
}

static struct pr_str cipher(struct macro_context *context)
{
	const struct net_tls *tls = context->session->stream.tls;
	int bits, of;

	return tls != NULL ? pr_arena_copy(context->arena, pr_str(net_tls_cipher(tls, &bits, &of))) : PR_NONE;
}

static struct pr_str bits_of(struct macro_context *context, bool secret)
{
	const struct net_tls *tls = context->session->stream.tls;
	int bits = 0, of = 0;

	if (tls == NULL)
		return PR_NONE;
	(void)net_tls_cipher(tls, &bits, &of);
	return pr_arena_printf(context->arena, "%d", secret ? bits : of);
}

static struct pr_str cipher_bits(struct macro_context *context)
{
	return bits_of(context, true);
}

static struct pr_str alg_bits(struct macro_context *context)
{
	return bits_of(context, false);
}

static struct net_tls_certificate certificate_of(struct macro_context *context)
{
	struct net_tls_certificate certificate = {.subject = PR_NONE};
	const struct net_tls *tls = context->session->stream.tls;

	if (tls != NULL)
		(void)net_tls_certificate(tls, context->arena, &certificate);
	return certificate;
}

static struct pr_str cert_subject(struct macro_context *context)
{
	return certificate_of(context).subject;
}

static struct pr_str cert_issuer(struct macro_context *context)
{
	return certificate_of(context).issuer;
}

static struct pr_str cn_subject(struct macro_context *context)
{
	return certificate_of(context).cn_subject;
}

static struct pr_str cn_issuer(struct macro_context *context)
{
	return certificate_of(context).cn_issuer;
}

static struct pr_str cert_md5(struct macro_context *context)
{
	return certificate_of(context).md5;
}

static struct pr_str cert_fp(struct macro_context *context)
{
	return certificate_of(context).fingerprint;
}

const struct macro_row macro_rows_tls[] = {
    {"alg_bits", alg_bits},
    {"cert_fp", cert_fp},
    {"cert_issuer", cert_issuer},
    {"cert_md5", cert_md5},
    {"cert_subject", cert_subject},
    {"cipher", cipher},
    {"cipher_bits", cipher_bits},
    {"cn_issuer", cn_issuer},
    {"cn_subject", cn_subject},
    {"tls_version", tls_version},
    {"verify", verify},
    {NULL, NULL},
};
