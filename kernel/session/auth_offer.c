/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What EHLO lists behind AUTH.  Modules are asked, which may cost a connection or some work of a library; so the answer is kept for a minute for
 * all clients of whom no more is known than that they came, with TLS or without.  A module that cannot say what it has is left out and logged
 * once a minute, and what is known is kept for seconds only: neither does each client wait for it, nor is it missed for long when it is back.
 */
#include "kernel/session/auth.h"

#include "kernel/config/words.h"
#include "kernel/net/tls/certificate.h"
#include "kernel/session/report.h"

#include <string.h>

#define OFFER_MAX 900    /* a line of EHLO */
#define MECHANISM_MAX 20 /* RFC 4422 section 3.1 */
#define KEPT 8
#define KEEP_SECONDS 60
#define KEEP_PART_SECONDS 5
#define COLLECT_MS 5000 /* for each module */

/* By flags, for those without a certificate that was believed. */
struct auth_offers {
	pthread_mutex_t lock;
	size_t next;
	struct {
		uint32_t flags;
		int64_t until; /* 0: empty */
		char text[OFFER_MAX + 1];
	} rows[KEPT];
};

void auth_offers_open(struct receiver *receiver)
{
	if (module_at(receiver->modules, PR_KIND_AUTH, 0) == NULL)
		return;
	receiver->offers = pr_alloc(sizeof *receiver->offers);
	pthread_mutex_init(&receiver->offers->lock, NULL);
}

void auth_offers_close(struct receiver *receiver)
{
	if (receiver->offers == NULL)
		return;
	pthread_mutex_destroy(&receiver->offers->lock);
	pr_free(receiver->offers);
	receiver->offers = NULL;
}

static bool is_mechanism(struct pr_str name)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	for (size_t i = 0; i < name.len; i++)
		if (memchr(bytes, name.data[i], sizeof bytes - 1) == NULL)
			return false;
	return name.len > 0 && name.len <= MECHANISM_MAX;
}

static void add(struct pr_text *out, struct pr_str name)
{
	if (is_mechanism(name) && !config_words_have(pr_text_str(out), name) && out->len + name.len + 1 <= OFFER_MAX)
		pr_text_addf(out, "%s%.*s", out->len > 0 ? " " : "", PR_PRINT(name));
}

/* AuthMechanisms says which, and in which order. */
static void restrict_to(struct pr_text *offer, struct pr_str allowed)
{
	struct pr_text left;
	struct pr_str word;

	pr_text_init(&left, OFFER_MAX);
	while (pr_str_word(&allowed, " ,\t", &word))
		if (config_words_have(pr_text_str(offer), word))
			add(&left, word);
	pr_text_clear(offer);
	pr_text_add_str(offer, pr_text_str(&left));
	pr_text_fini(&left);
}

/* False: not all modules could say. */
static bool collect(const struct session *session, struct module_scope *scope, struct pr_text *offer)
{
	const struct receiver *receiver = session->receiver;
	struct module_instance *module;
	bool complete = true;

	for (size_t i = 0; (module = module_at(receiver->modules, PR_KIND_AUTH, i)) != NULL; i++) {
		struct pr_list names = {NULL, 0};
		scope->deadline_ms = session_now_ms() + COLLECT_MS;
		enum pr_status status = auth_mechanisms(scope, module, auth_flags(session), &names);
		for (size_t k = 0; status == PR_OK && k < names.count; k++)
			add(offer, names.items[k]);
		if (status == PR_OK || status == PR_NOTFOUND)
			continue;
		report_no_auth(session, scope->reason);
		complete = false;
	}
	if (receiver->options->auth_mechanisms.len > 0)
		restrict_to(offer, receiver->options->auth_mechanisms);
	return complete;
}

static bool find(struct auth_offers *offers, uint32_t flags, struct pr_text *offer)
{
	int64_t now = session_now();
	bool found = false;

	pthread_mutex_lock(&offers->lock);
	for (size_t i = 0; i < KEPT && !found; i++) {
		found = offers->rows[i].flags == flags && offers->rows[i].until > now;
		if (found)
			pr_text_add_c(offer, offers->rows[i].text);
	}
	pthread_mutex_unlock(&offers->lock);
	return found;
}

static void keep(struct auth_offers *offers, uint32_t flags, const struct pr_text *offer, int64_t seconds)
{
	pthread_mutex_lock(&offers->lock);
	size_t row = offers->next++ % KEPT;
	offers->rows[row].flags = flags;
	offers->rows[row].until = session_now() + seconds;
	pr_print(offers->rows[row].text, sizeof offers->rows[row].text, "%s", offer->data);
	pthread_mutex_unlock(&offers->lock);
}

/* EXTERNAL is for whose certificate was believed. */
static bool is_like_others(const struct session *session)
{
	return session->stream.tls == NULL || strcmp(net_tls_verified(session->stream.tls), "OK") != 0;
}

void auth_offer(struct session *session, struct module_scope *scope)
{
	struct auth_offers *offers = session->receiver->offers;
	struct pr_text offer;

	session->settings.auth_mechanisms = PR_NONE;
	if (offers == NULL || session->user.data != NULL || session->settings.no_auth)
		return;
	pr_text_init(&offer, OFFER_MAX);
	if (!is_like_others(session))
		(void)collect(session, scope, &offer);
	else if (!find(offers, auth_flags(session), &offer))
		keep(offers, auth_flags(session), &offer, collect(session, scope, &offer) ? KEEP_SECONDS : KEEP_PART_SECONDS);
	if (offer.len > 0 && session->auth == NULL)
		session->auth = pr_alloc(sizeof *session->auth);
	if (session->auth != NULL) {
		auth_take(&session->auth->offered, offer.len > 0 ? pr_text_str(&offer) : PR_NONE);
		session->settings.auth_mechanisms = session->auth->offered;
	}
	pr_text_fini(&offer);
}
