/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the option table and the list of certificates to what a server wants to know; nothing is judged here.
 */
#include "kernel/net/tls/server.h"

bool net_tls_server_lacks(const struct config *config, struct pr_text *why)
{
	if (config->options.cert_file.len > 0)
		return false;
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];
		if (pr_str_find(listener->modifiers, 's') == listener->modifiers.len)
			continue;
		pr_text_addf(why, "%s:%u: listener %.*s has modifier s, TLS from the first byte, and there is no ServerCertFile", listener->file, listener->line,
		    PR_PRINT(listener->name));
		return true;
	}
	if (config->certificate_count == 0)
		return false;
	pr_text_addf(why, "%s:%u: certificates are for clients that name a host; all others need a ServerCertFile", config->certificates[0].file,
	    config->certificates[0].line);
	return true;
}

bool net_tls_server_settings(const struct config *config, struct net_tls_server_settings *settings_out)
{
	const struct options *options = &config->options;

	if (options->cert_file.len == 0 && options->key_file.len == 0)
		return false;
	*settings_out = (struct net_tls_server_settings){
	    .cert_file = options->cert_file, .key_file = options->key_file,
	    .ca_file = options->ca_file, .ca_path = options->ca_path,
	    .crl_file = options->crl_file, .crl_path = options->crl_path,
	    .dh_parameters = options->dh_parameters,
	    .fingerprint = options->cert_fingerprint,
	    .asks_nothing = pr_str_find(options->tls_srv_options, 'V') < options->tls_srv_options.len,
	    .words = {.ciphers = options->cipher_list, .suites = options->cipher_suites, .options = options->server_ssl_options},
	    .identities = config->certificates, .identity_count = config->certificate_count,
	};
	return true;
}
