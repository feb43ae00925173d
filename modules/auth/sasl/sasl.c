/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor.  Mechanisms, passwords and where they are kept are the library's affair and its configuration's (sasldb, saslauthd, SQL
 * ...); which of them are offered is AuthMechanisms', with sendmail's default, and AuthOptions'.
 */
#include "sasl.h"

/* sendmail's: a password that goes as it is has to be wanted. */
static const char usual[] = "EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5";

static const struct pr_option options[] = {
    PR_OPTION(struct sasl_options, application, "application", PR_OPTION_STRING, 0, "Sendmail", "name of the library's configuration: NAME.conf"),
    PR_OPTION(struct sasl_options, config_path, "config_path", PR_OPTION_PATH, 0, NULL, "where that file is; default: the library's places"),
    PR_OPTION_END,
};

static enum pr_status open_library(struct pr_call *call)
{
	return sasl_library_open(call, call->instance);
}

static bool has_word(const char *words, struct pr_str wanted)
{
	struct pr_str rest = pr_str(words), word;

	while (pr_str_word(&rest, " ", &word))
		if (pr_str_equal_nocase(word, wanted))
			return true;
	return false;
}

/* In the order of what is allowed: all that the library has, or of the usual ones those it has. */
static bool collect(struct pr_call *call, const char *available, const char *allowed, struct pr_list *names_out)
{
	struct pr_str rest = pr_str(allowed), word;
	struct pr_str *names = pr_arena_alloc(call->arena, (pr_str(allowed).len + 1) * sizeof *names);
	size_t count = 0;

	while (names != NULL && pr_str_word(&rest, " ", &word))
		if (has_word(available, word))
			names[count++] = pr_arena_copy(call->arena, word);
	*names_out = (struct pr_list){names, count};
	return names != NULL;
}

static enum pr_status mechanisms(struct pr_call *call, uint32_t flags, struct pr_list *names_out)
{
	struct pr_str chosen = call->host->option(call, PR_STR("AuthMechanisms"));
	struct sasl_exchange exchange;
	const char *available = "";
	enum pr_status status = sasl_exchange_open(call, &exchange, flags);

	if (status == PR_OK) {
		int result = sasl_listmech(exchange.connection, NULL, "", " ", "", &available, NULL, NULL);
		if (result != SASL_OK)
			available = ""; /* none that fits */
		if (!collect(call, available, chosen.len > 0 ? available : usual, names_out))
			status = pr_fail(call, PR_TEMPFAIL, "too many mechanisms");
	}
	sasl_exchange_close(&exchange);
	return status;
}

/* The rules are told who proved himself; whom he named beside is `author`. */
static void tell_name(struct pr_call *call, struct sasl_exchange *exchange, struct pr_auth_step *step)
{
	struct pr_str author = sasl_exchange_property(call, exchange, SASL_USERNAME);

	step->done = 1;
	step->strength = 0;
	step->name = pr_arena_copy(call->arena, pr_str(exchange->name));
	step->realm = sasl_exchange_property(call, exchange, SASL_DEFUSERREALM);
	if (!pr_str_equal(author, step->name))
		step->author = author;
}

static enum pr_status server_step(struct pr_call *call, struct pr_auth_step *step)
{
	struct sasl_exchange *exchange = call->session;
	const char *bytes = NULL;
	unsigned int length = 0;
	bool is_first = exchange->connection == NULL;
	enum pr_status status = is_first ? sasl_exchange_open(call, exchange, step->flags) : PR_OK;

	if (status != PR_OK)
		return status;
	int result = is_first ? sasl_server_start(exchange->connection, pr_arena_copy(call->arena, step->mechanism).data, step->input.data,
	                            (unsigned int)step->input.len, &bytes, &length)
	                      : sasl_server_step(exchange->connection, step->input.data, (unsigned int)step->input.len, &bytes, &length);
	if (result == SASL_OK) {
		tell_name(call, exchange, step);
	} else if (result == SASL_CONTINUE) {
		step->output = bytes != NULL ? pr_arena_copy(call->arena, (struct pr_str){bytes, length}) : PR_STR("");
	} else {
		status = sasl_exchange_fail(call, exchange, result, &step->name);
	}
	return status;
}

static void server_end(struct pr_call *call)
{
	sasl_exchange_close(call->session);
}

static const struct pr_auth_ops ops = {
    .size = sizeof ops,
    .mechanisms = mechanisms,
    .server_step = server_step,
    .server_end = server_end,
};

PR_MODULE(sasl) = {
    PR_MODULE_HEAD(PR_KIND_AUTH),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct sasl_options),
    .session_size = sizeof(struct sasl_exchange),
    .name = "sasl",
    .version = "1.0",
    .summary = "asks Cyrus SASL: sasldb, saslauthd and all else that its configuration names",
    .options = options,
    .open = open_library,
    .ops = &ops,
};
