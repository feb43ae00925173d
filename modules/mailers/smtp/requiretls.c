/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the sender wants of TLS (RFC 8689).  REQUIRETLS, in the envelope: the next host must be in TLS, prove its name and promise the same.
 * "TLS-Required: No", in the header: a handshake that fails is no reason to wait.  The first wins over the second (section 4.1).
 *
 * Judged before each transaction and not when the connection is made, for a connection serves more than one message.  Programs and sockets of this
 * machine are the end of the way: nobody listens there.
 */
#include "smtp.h"

bool smtp_requires_tls(const struct smtp_run *run)
{
	return pr_envelope_macro(run->envelope, PR_STR(PR_MACRO_REQUIRETLS)).len > 0;
}

bool smtp_prefers_delivery(const struct smtp_run *run)
{
	const struct pr_header *header = pr_envelope_header(run->envelope, PR_STR("TLS-Required"));

	return header != NULL && pr_str_equal_nocase(pr_str_trim(header->value), PR_STR("No")) && !smtp_requires_tls(run);
}

static bool is_word(struct smtp_run *run, const char *name, struct pr_str word)
{
	return pr_str_equal(run->call->host->macro(run->call, pr_str(name)), word);
}

static bool is_this_machine(const struct smtp_run *run)
{
	return run->smtp->path.len > 0 || pr_str_equal(pr_str(run->session->remote), PR_STR("localhost"));
}

/* By DANE, which looked for the names itself, or by an authority we believe (RFC 8689 section 4.2.1). */
static bool is_proven(struct smtp_run *run)
{
	return is_word(run, "verify", PR_STR("TRUSTED")) || (is_word(run, "verify", PR_STR("OK")) && is_word(run, "cert_host", PR_STR("OK")));
}

static const struct smtp_outcome no_tls = {PR_PERMFAIL, 550, {"5.7.10", 6}, {"550 5.7.10 Encryption needed, and the host offers no TLS", 56}, {NULL, 0}};
static const struct smtp_outcome no_proof = {PR_PERMFAIL, 550, {"5.7.10", 6}, {"550 5.7.10 Encryption needed, and the host cannot prove its name", 64}, {NULL, 0}};
static const struct smtp_outcome no_promise = {PR_PERMFAIL, 550, {"5.7.30", 6}, {"550 5.7.30 REQUIRETLS support required", 38}, {NULL, 0}};

bool smtp_is_good_enough(struct smtp_run *run, struct smtp_outcome *outcome)
{
	if (!smtp_requires_tls(run) || is_this_machine(run))
		return true;
	if (run->session->tls == NULL)
		*outcome = no_tls;
	else if (!is_proven(run))
		*outcome = no_proof;
	else if ((run->session->extensions & SMTP_REQUIRETLS) == 0)
		*outcome = no_promise;
	else
		return true;
	return false;
}
