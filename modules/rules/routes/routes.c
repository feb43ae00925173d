/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor, the options, and the sets made of them.  Everything is filled when the engine opens and only read afterwards, so all
 * threads may use it at once.
 */
#include "routes.h"

#include <postrider/file.h>

#define LIST_FILE_MAX ((size_t)64 << 20)

static void add_list(struct names *names, struct pr_list list)
{
	for (size_t i = 0; i < list.count; i++)
		names_add(names, list.items[i]);
}

/* Numbers among the relay domains are networks, as in sendmail's class R. */
static void add_relay(struct routes *routes, struct pr_str name)
{
	if (!networks_add(&routes->clients, name))
		names_add(&routes->relay, name);
}

static void add_local(struct routes *routes, struct pr_str name)
{
	names_add(&routes->local, name);
}

/* One name a line, # begins a comment. */
static enum pr_status read_names(struct pr_call *call, struct pr_str path, void (*add)(struct routes *, struct pr_str))
{
	struct pr_text bytes, why;
	struct pr_str rest, line;
	enum pr_status status = PR_OK;

	if (path.len == 0)
		return PR_OK;
	pr_text_init(&bytes, LIST_FILE_MAX);
	pr_text_init(&why, 1000);
	if (pr_file_read(path.data, LIST_FILE_MAX, &bytes, &why) != PR_OK)
		status = pr_fail(call, PR_MISUSE, "%.*s", PR_PRINT(pr_text_str(&why)));
	for (rest = pr_text_str(&bytes); status == PR_OK && pr_str_next(&rest, '\n', &line);) {
		line = pr_str_trim(pr_str_slice(line, 0, pr_str_find(line, '#')));
		if (line.len > 0)
			add(call->instance, line);
	}
	pr_text_fini(&bytes);
	pr_text_fini(&why);
	return status;
}

/* Mail for a mailer that is not there would wait, so it is said before. */
static enum pr_status check_mailer(struct pr_call *call, const char *option, struct pr_str mailer)
{
	struct pr_str all = call->host->option(call, PR_STR("Mailers")), rest = all, name;

	if (mailer.len == 0 || all.data == NULL)
		return PR_OK;
	while (pr_str_next(&rest, ',', &name))
		if (pr_str_equal(name, mailer))
			return PR_OK;
	return pr_fail(call, PR_MISUSE, "%s: there is no mailer %.*s; declare it in mailers, or name one of %.*s", option, PR_PRINT(mailer),
	               PR_PRINT(all));
}

static enum pr_status check_mailers(struct pr_call *call)
{
	const struct routes *routes = call->instance;
	const struct {
		const char *option;
		struct pr_str mailer;
	} named[] = {{"local_mailer", routes->local_mailer}, {"remote_mailer", routes->remote_mailer}, {"relay_mailer", routes->relay_mailer},
	             {"smart_host", routes_triple_mailer(routes, routes->smart_host)},
	             {"luser_relay", routes_triple_mailer(routes, routes->luser_relay)}};
	enum pr_status status = PR_OK;

	for (size_t i = 0; status == PR_OK && i < sizeof named / sizeof named[0]; i++)
		status = check_mailer(call, named[i].option, named[i].mailer);
	return status;
}

static enum pr_status check(struct pr_call *call)
{
	const struct routes *routes = call->instance;
	struct networks parsed = {0};
	enum pr_status status = check_mailers(call);

	for (size_t i = 0; status == PR_OK && i < routes->relay_clients.count; i++)
		if (!networks_add(&parsed, routes->relay_clients.items[i]))
			status = pr_fail(call, PR_MISUSE, "relay_clients: \"%.*s\" is no address or network (names are not trusted here)",
			                 PR_PRINT(routes->relay_clients.items[i]));
	networks_fini(&parsed);
	return status;
}

static enum pr_status open_engine(struct pr_call *call)
{
	struct routes *routes = call->instance;

	names_add(&routes->local, PR_STR("localhost"));
	names_add(&routes->local, PR_STR("[127.0.0.1]"));
	names_add(&routes->local, PR_STR("[IPv6:::1]"));
	add_list(&routes->local, routes->local_domains);
	add_list(&routes->virtuals, routes->virtual_domains);
	add_list(&routes->masquerade, routes->masquerade_domains);
	add_list(&routes->exceptions, routes->masquerade_exceptions);
	add_list(&routes->exposed, routes->exposed_users);
	add_list(&routes->generics, routes->generics_domains);
	for (size_t i = 0; i < routes->relay_domains.count; i++)
		add_relay(routes, routes->relay_domains.items[i]);
	for (size_t i = 0; i < routes->relay_clients.count; i++)
		networks_add(&routes->clients, routes->relay_clients.items[i]);
	enum pr_status status = read_names(call, routes->local_host_names, add_local);
	return status == PR_OK ? read_names(call, routes->relay_domains_file, add_relay) : status;
}

static void close_engine(struct pr_call *call)
{
	struct routes *routes = call->instance;

	names_fini(&routes->local);
	names_fini(&routes->relay);
	names_fini(&routes->virtuals);
	names_fini(&routes->masquerade);
	names_fini(&routes->exceptions);
	names_fini(&routes->exposed);
	names_fini(&routes->generics);
	networks_fini(&routes->clients);
}

#define OPTION(field, type, default_, help) PR_OPTION(struct routes, field, #field, type, 0, default_, help)

static const struct pr_option options[] = {
	OPTION(local_domains, PR_OPTION_LIST, NULL, "domains whose mail ends here"),
	OPTION(local_host_names, PR_OPTION_PATH, NULL, "a file with more of them, one a line"),
	OPTION(virtual_domains, PR_OPTION_LIST, NULL, "domains, with all below them, for which virtusertable is asked though they are not local"),
	OPTION(relay_domains, PR_OPTION_LIST, NULL, "domains, with all below them, to which anybody's mail is passed on; numbers are client networks"),
	OPTION(relay_based_on_mx, PR_OPTION_BOOL, "false", "pass mail on to domains whose MX records name this host"),
	OPTION(relay_domains_file, PR_OPTION_PATH, NULL, "a file with more of them"),
	OPTION(relay_clients, PR_OPTION_LIST, "127.0.0.1,::1", "addresses and networks that may send anywhere"),
	OPTION(relay_authenticated, PR_OPTION_LIST, "*", "who may send anywhere after AUTH: names, @domains, * for all; none: nobody"),
	OPTION(relay_mechanisms, PR_OPTION_LIST, "*", "mechanisms of AUTH that are good enough for that; * for all"),
	OPTION(smart_host, PR_OPTION_STRING, NULL, "host, [host] or mailer:host for all mail that leaves"),
	OPTION(local_mailer, PR_OPTION_STRING, "local", "mailer for local users"),
	OPTION(remote_mailer, PR_OPTION_STRING, "esmtp", "mailer for other domains"),
	OPTION(relay_mailer, PR_OPTION_STRING, "relay", "mailer for a host named without one"),
	OPTION(remote_names, PR_OPTION_LIST, "smtp,smtp8,dsmtp", "names in tables that mean remote_mailer"),
	OPTION(access, PR_OPTION_STRING, "access", "map: who may send and receive"),
	OPTION(virtusertable, PR_OPTION_STRING, "virtusertable", "map: addresses of local and virtual domains"),
	OPTION(mailertable, PR_OPTION_STRING, "mailertable", "map: routes of domains"),
	OPTION(genericstable, PR_OPTION_STRING, "genericstable", "map: outside addresses of local senders"),
	OPTION(domaintable, PR_OPTION_STRING, "domaintable", "map: other names of domains"),
	OPTION(aliases, PR_OPTION_LIST, "aliases", "maps that make a name known to luser_relay"),
	OPTION(luser_relay, PR_OPTION_STRING, NULL, "mailer:host or local:user for names that are no account and no alias"),
	OPTION(masquerade_as, PR_OPTION_STRING, NULL, "domain that local senders show"),
	OPTION(masquerade_domains, PR_OPTION_LIST, NULL, "other domains that are shown as masquerade_as"),
	OPTION(masquerade_exceptions, PR_OPTION_LIST, NULL, "domains that are never changed"),
	OPTION(masquerade_entire_domain, PR_OPTION_BOOL, "false", "masquerade_domains include all below them"),
	OPTION(masquerade_envelope, PR_OPTION_BOOL, "false", "change the envelope sender too"),
	OPTION(all_masquerade, PR_OPTION_BOOL, "false", "change recipients in the header too"),
	OPTION(exposed_users, PR_OPTION_LIST, "root", "users who keep this host's own name"),
	OPTION(generics_domains, PR_OPTION_LIST, NULL, "domains for which genericstable is asked, besides names without a domain"),
	OPTION(generics_entire_domain, PR_OPTION_BOOL, "false", "generics_domains include all below them"),
	OPTION(always_add_domain, PR_OPTION_BOOL, "false", "add the domain to local addresses that stay here"),
	OPTION(accept_null_mx_senders, PR_OPTION_BOOL, "false", "take mail from domains that say they take none (RFC 7505)"),
	OPTION(accept_unresolvable_domains, PR_OPTION_BOOL, "false", "take mail from domains that DNS does not know"),
	OPTION(accept_unqualified_senders, PR_OPTION_BOOL, "false", "take senders without a domain from anybody"),
	OPTION(blocklist_recipients, PR_OPTION_BOOL, "true", "the access table can shut out recipients"),
	PR_OPTION_END
};

static const struct pr_rules_ops ops = { .size = sizeof ops, .resolve = routes_resolve, .rewrite = routes_rewrite,
	.check = routes_check, .console = routes_console, .explain = routes_explain, .feature = routes_feature };

PR_MODULE(routes) = { PR_MODULE_HEAD(PR_KIND_RULES), .flags = PR_CONCURRENT, .instance_size = sizeof(struct routes),
	.thread_size = sizeof(struct routes_thread), .name = "routes",
	.version = "1.0", .summary = "routing by lists and tables", .options = options, .check = check, .open = open_engine,
	.close = close_engine, .ops = &ops };
