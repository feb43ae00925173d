/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the access table can ask of a connection:  [PERM+|TEMP+] VERIFY[:bits] | ENCR:bits  [+CN[:name] ++CS:subject ++CI:issuer ++CITag:tag]
 * A value that begins with neither VERIFY nor ENCR asks for nothing, and takes a default away.  The words of the refusals are sendmail.cf's.
 */
#include "routes.h"

struct requirement {
	uint32_t code;
	const char *enhanced;
	bool verify;
	uint64_t bits;
	struct pr_str more; /* "CN:x++CI:y" */
};

static bool take_word(struct pr_str *text, const char *word)
{
	struct pr_str prefix = pr_str(word);

	if (!pr_str_has_prefix_nocase(*text, prefix))
		return false;
	*text = pr_str_slice(*text, prefix.len, text->len);
	return true;
}

/* False: nothing is asked. */
static bool parse(struct pr_str value, struct requirement *out)
{
	*out = (struct requirement){.code = 454, .enhanced = "4.7.0"};
	struct pr_str text = pr_str_trim(value);
	if (take_word(&text, "PERM+"))
		*out = (struct requirement){.code = 503, .enhanced = "5.7.0"};
	else if (take_word(&text, "TEMP+"))
		out->code = 403;
	out->verify = take_word(&text, "VERIFY");
	if (!out->verify && !take_word(&text, "ENCR"))
		return false;
	size_t plus = pr_str_find(text, '+');
	struct pr_str bits = pr_str_trim(pr_str_slice(text, 0, plus));
	out->more = plus < text.len ? pr_str_trim(pr_str_slice(text, plus + 1, text.len)) : PR_STR("");
	if (bits.len == 0)
		return out->verify;
	return bits.data[0] == ':' && pr_str_number(pr_str_trim(pr_str_slice(bits, 1, bits.len)), UINT32_MAX, &out->bits);
}

static struct pr_str macro(struct pr_call *call, const char *name)
{
	struct pr_str value = call->host->macro(call, pr_str(name));

	return value.data != NULL ? value : PR_STR("");
}

static void refuse(const struct requirement *requirement, struct pr_str text, struct pr_verdict *verdict)
{
	routes_reject(verdict, requirement->code, requirement->enhanced, text);
}

/* The handshake itself failed: there is no connection to judge. */
static bool has_failed(struct pr_str verify, const struct requirement *requirement, struct pr_verdict *verdict)
{
	static const struct {
		const char *verify, *text;
	} failures[] = {
	    {"SOFTWARE", "TLS handshake failed."}, {"PROTOCOL", "STARTTLS failed."}, {"DANE_FAIL", "DANE check failed."},
	    {"CONFIG", "STARTTLS temporarily not possible."},
	};

	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
		if (pr_str_equal(verify, pr_str(failures[i].verify))) {
			refuse(requirement, pr_str(failures[i].text), verdict);
			return true;
		}
	return false;
}

static struct pr_str why_not_verified(struct pr_call *call, struct pr_str verify)
{
	static const struct {
		const char *verify, *text;
	} reasons[] = {
	    {"", "authentication required"}, {"FAIL", "authentication failed"}, {"NO", "not authenticated"}, {"NOT", "no authentication requested"},
	    {"NONE", "other side does not support STARTTLS"}, {"CLEAR", "STARTTLS disabled locally"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (pr_str_equal(verify, pr_str(reasons[i].verify)))
			return pr_str(reasons[i].text);
	return pr_arena_printf(call->arena, "authentication failure %.*s", PR_PRINT(verify));
}

static uint64_t bits_of(struct pr_call *call)
{
	uint64_t cipher = 0, auth = 0;

	if (!pr_str_number(macro(call, "cipher_bits"), UINT32_MAX, &cipher))
		cipher = 0;
	if (!pr_str_number(macro(call, "auth_ssf"), UINT32_MAX, &auth))
		auth = 0;
	return cipher > auth ? cipher : auth;
}

/* "CN:mx.example.org" and its like; absent: it is met, else why not.  Names are compared without regard to case, as rules compare words. */
static struct pr_str unmet(struct pr_call *call, struct pr_str item)
{
	static const struct {
		const char *prefix, *macro, *label;
	} subjects[] = {{"CN:", "cn_subject", "CN"}, {"CS:", "cert_subject", "Cert Subject"}, {"CI:", "cert_issuer", "Cert Issuer"}};
	struct pr_str issuer = macro(call, "cert_issuer"), value = PR_NONE;

	if (pr_str_equal_nocase(item, PR_STR("CN"))) { /* the name we called, or who called us */
		struct pr_str server = macro(call, "server_name");
		item = pr_arena_printf(call->arena, "CN:%.*s", PR_PRINT(server.len > 0 ? server : macro(call, "client_name")));
	}
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct pr_str wanted = item, is = macro(call, subjects[i].macro);
		if (!take_word(&wanted, subjects[i].prefix))
			continue;
		return pr_str_equal_nocase(wanted, is) ? PR_NONE : pr_arena_printf(call->arena, "%s %.*s does not match %.*s", subjects[i].label, PR_PRINT(is), PR_PRINT(wanted));
	}
	if (!take_word(&item, "CITag:"))
		return PR_NONE;
	const struct routes *routes = call->instance;
	struct pr_str key = pr_arena_printf(call->arena, "%.*s:%.*s", PR_PRINT(item), PR_PRINT(issuer));
	if (routes_lookup(call, routes->access, key, &value) == PR_OK && pr_str_equal_nocase(value, PR_STR("OK")))
		return PR_NONE;
	return pr_arena_printf(call->arena, "Cert Issuer %.*s not acceptable", PR_PRINT(issuer));
}

static bool take_item(struct pr_str *rest, struct pr_str *item_out)
{
	size_t at = 0;

	if (rest->len == 0)
		return false;
	while (at < rest->len && !(rest->data[at] == '+' && at + 1 < rest->len && rest->data[at + 1] == '+'))
		at++;
	*item_out = pr_str_trim(pr_str_slice(*rest, 0, at));
	*rest = pr_str_slice(*rest, at + 2, rest->len);
	return true;
}

void routes_judge_tls(struct pr_call *call, struct pr_str verify, struct pr_str value, struct pr_verdict *verdict)
{
	struct requirement requirement;
	struct pr_str item;
	bool asks = parse(value.data != NULL ? value : PR_STR(""), &requirement);

	verify = verify.data != NULL ? verify : PR_STR("");
	if (has_failed(verify, &requirement, verdict) || !asks)
		return;
	if (requirement.verify && !pr_str_equal(verify, PR_STR("OK")) && !pr_str_equal(verify, PR_STR("TRUSTED"))) {
		refuse(&requirement, why_not_verified(call, verify), verdict);
		return;
	}
	uint64_t bits = bits_of(call);
	if (bits < requirement.bits) {
		refuse(&requirement, pr_arena_printf(call->arena, "encryption too weak %llu less than %llu", (unsigned long long)bits, (unsigned long long)requirement.bits), verdict);
		return;
	}
	while (take_item(&requirement.more, &item)) {
		struct pr_str why = unmet(call, item);
		if (why.data != NULL) {
			refuse(&requirement, why, verdict);
			return;
		}
	}
}
