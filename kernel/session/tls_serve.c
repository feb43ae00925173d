/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files are looked at and read by the thread that keeps time, so no session ever waits for a disk on behalf of TLS.
 * What cannot be used is told once, and what was there goes on: an expired certificate is better than none.
 */
#include "kernel/session/tls_serve.h"

#include "kernel/log/log.h"
#include "kernel/net/tls/server.h"

#define WHY_MAX 1000

static void tell_short_dh(struct pr_str value)
{
	if (pr_str_equal(value, PR_STR("1")) || pr_str_equal(value, PR_STR("5")))
		log_at(8, LOGP_WARNING, NULL, "STARTTLS=server, DHParameters=%.*s: so short a prime protects nothing; one that fits the certificate is taken",
		    PR_PRINT(value));
}

bool tls_serve_open(struct receiver *receiver, struct pr_text *why)
{
	struct net_tls_server_settings settings;

	if (net_tls_server_lacks(receiver->config, why))
		return false;
	if (!net_tls_server_settings(receiver->config, &settings))
		return true;
	receiver->tls = net_tls_server_new(&settings, traffic_tickets(receiver->traffic), why);
	if (receiver->tls != NULL)
		tell_short_dh(settings.dh_parameters);
	return receiver->tls != NULL;
}

void tls_serve_tend(struct receiver *receiver)
{
	struct pr_text why;

	if (receiver->tls == NULL)
		return;
	pr_text_init(&why, WHY_MAX);
	switch (net_tls_server_look(receiver->tls, session_now(), &why)) {
	case NET_TLS_SAME:
		break;
	case NET_TLS_RENEWED:
		log_at(8, LOGP_INFO, NULL, "STARTTLS=server, files were replaced: new connections get what is in them");
		break;
	case NET_TLS_BROKEN:
		log_line(LOGP_ERR, NULL, "STARTTLS=server, error: files were replaced and cannot be used, what was there before is used on: %s", why.data);
		break;
	}
	pr_text_fini(&why);
}
