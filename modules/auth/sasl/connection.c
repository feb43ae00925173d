/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One connection of the library: what it is told of the client, and what its results mean.  It tells a wrong password from a database that
 * cannot be read only by what it logs, so its log is listened to.
 */
#include "sasl.h"

#include <string.h>

#define CALLBACK(function) ((int (*)(void))(void (*)(void))(function))

/* Errors are the library's own trouble; what a client did wrong comes with other levels. */
static int hear(void *context, int level, const char *message)
{
	struct sasl_exchange *exchange = context;

	if (level == SASL_LOG_ERR && message != NULL && exchange->trouble[0] == '\0')
		pr_print(exchange->trouble, sizeof exchange->trouble, "%s", message);
	return SASL_OK;
}

/* Who it is is proven; for whom he may speak is a matter of trust_auth and of the rules. */
static int allow(sasl_conn_t *connection, void *context, const char *requested, unsigned int requested_length, const char *name, unsigned int length,
    const char *realm, unsigned int realm_length, struct propctx *properties)
{
	struct sasl_exchange *exchange = context;

	(void)connection;
	(void)requested;
	(void)requested_length;
	(void)realm;
	(void)realm_length;
	(void)properties;
	if (name == NULL || length >= sizeof exchange->name)
		return SASL_FAIL;
	pr_print(exchange->name, sizeof exchange->name, "%.*s", (int)length, name);
	return SASL_OK;
}

static unsigned int security_flags(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		unsigned int theirs;
	} rows[] = {{PR_AUTH_NO_PLAINTEXT, SASL_SEC_NOPLAINTEXT}, {PR_AUTH_NO_ACTIVE, SASL_SEC_NOACTIVE}, {PR_AUTH_NO_DICTIONARY, SASL_SEC_NODICTIONARY},
	            {PR_AUTH_FORWARD_SECRECY, SASL_SEC_FORWARD_SECRECY}, {PR_AUTH_CREDENTIALS, SASL_SEC_PASS_CREDENTIALS}, {PR_AUTH_MUTUAL, SASL_SEC_MUTUAL_AUTH},
	            {PR_AUTH_NO_ANONYMOUS, SASL_SEC_NOANONYMOUS}};
	unsigned int theirs = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((flags & rows[i].flag) != 0)
			theirs |= rows[i].theirs;
	return theirs;
}

static struct pr_str macro(struct pr_call *call, const char *name)
{
	return call->host->macro(call, pr_str(name));
}

/* "192.0.2.1;25" as the library wants it; NULL: not known. */
static const char *end_point(struct pr_call *call, const char *address_macro, const char *port_macro)
{
	struct pr_str address = macro(call, address_macro), port = macro(call, port_macro);

	if (pr_str_has_prefix_nocase(address, PR_STR("IPv6:")))
		address = pr_str_slice(address, 5, address.len);
	if (address.len == 0 || port.len == 0)
		return NULL;
	return pr_arena_printf(call->arena, "%.*s;%.*s", PR_PRINT(address), PR_PRINT(port)).data;
}

/* What TLS has settled: how strong it is, and for EXTERNAL whose certificate was believed. */
static int set_outside(struct pr_call *call, struct sasl_exchange *exchange, uint32_t flags)
{
	struct pr_str subject = macro(call, "cert_subject");
	uint64_t bits = 0;
	sasl_ssf_t strength = 0;
	int result;

	if ((flags & PR_AUTH_TLS) == 0 || !pr_str_number(macro(call, "cipher_bits"), UINT32_MAX, &bits))
		return SASL_OK;
	strength = (sasl_ssf_t)bits;
	result = sasl_setprop(exchange->connection, SASL_SSF_EXTERNAL, &strength);
	if (result == SASL_OK && subject.len > 0 && pr_str_equal(macro(call, "verify"), PR_STR("OK")))
		result = sasl_setprop(exchange->connection, SASL_AUTH_EXTERNAL, pr_arena_copy(call->arena, subject).data);
	return result;
}

enum pr_status sasl_exchange_open(struct pr_call *call, struct sasl_exchange *exchange, uint32_t flags)
{
	sasl_security_properties_t wanted = {.min_ssf = 0, .max_ssf = 0, .security_flags = security_flags(flags)};
	struct pr_str realm = call->host->option(call, PR_STR("AuthRealm"));

	if (realm.len == 0)
		realm = macro(call, "j");
	*exchange = (struct sasl_exchange){.callbacks = {{SASL_CB_LOG, CALLBACK(hear), exchange}, {SASL_CB_PROXY_POLICY, CALLBACK(allow), exchange},
	    {SASL_CB_LIST_END, NULL, NULL}}};
	int result = sasl_server_new("smtp", pr_arena_copy(call->arena, realm).data, NULL, end_point(call, "if_addr", "daemon_port"),
	    end_point(call, "client_addr", "client_port"), exchange->callbacks, 0, &exchange->connection);
	if (result == SASL_OK)
		result = sasl_setprop(exchange->connection, SASL_SEC_PROPS, &wanted);
	if (result == SASL_OK)
		result = set_outside(call, exchange, flags);
	return result == SASL_OK ? PR_OK : pr_fail(call, PR_TEMPFAIL, "Cyrus SASL: %s", sasl_errstring(result, NULL, NULL));
}

void sasl_exchange_close(struct sasl_exchange *exchange)
{
	if (exchange->connection != NULL)
		sasl_dispose(&exchange->connection);
}

static bool is_trouble(const struct sasl_exchange *exchange, int result, struct pr_str name)
{
	static const int troubles[] = {SASL_NOMEM, SASL_UNAVAIL, SASL_TRYAGAIN, SASL_CONFIGERR};

	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
		if (result == troubles[i])
			return true;
	/* "generic failure" is said of a daemon that does not answer, and of a client that has no name */
	return exchange->trouble[0] != '\0' || (result == SASL_FAIL && name.len > 0);
}

struct pr_str sasl_exchange_property(struct pr_call *call, struct sasl_exchange *exchange, int which)
{
	const void *value = NULL;

	if (sasl_getprop(exchange->connection, which, &value) != SASL_OK || value == NULL)
		return PR_NONE;
	return pr_arena_copy(call->arena, pr_str(value));
}

enum pr_status sasl_exchange_fail(struct pr_call *call, struct sasl_exchange *exchange, int result, struct pr_str *name_out)
{
	/* before anything else is asked, for that would be the last error then */
	struct pr_str detail = pr_arena_copy(call->arena, pr_str(sasl_errdetail(exchange->connection)));
	struct pr_str name = sasl_exchange_property(call, exchange, SASL_AUTHUSER);
	bool trouble = is_trouble(exchange, result, name);

	*name_out = name;
	return pr_fail(call, trouble ? PR_TEMPFAIL : PR_NOTFOUND, "%s (%d) %.*s%s%s", sasl_errstring(result, NULL, NULL), result, PR_PRINT(detail),
	    exchange->trouble[0] != '\0' ? ": " : "", exchange->trouble);
}
