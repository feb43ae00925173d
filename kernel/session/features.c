/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A letter is a row: which setting it is, and that is all.  The settings are the session's own, so that the machine sees the change.
 */
#include "kernel/session/features.h"

#include "kernel/log/log.h"
#include "kernel/session/report.h"

#include <stddef.h>

static const struct letter {
	char small;
	size_t offset; /* of a uint32_t in struct smtp_settings */
	uint32_t off;  /* its value when the thing is not offered */
} letters[] = {
    {'s', offsetof(struct smtp_settings, starttls), 0},
    {'d', offsetof(struct smtp_settings, no_dsn), 1},
    {'x', offsetof(struct smtp_settings, no_expn), 1},
    {'e', offsetof(struct smtp_settings, no_etrn), 1},
    {'p', offsetof(struct smtp_settings, no_pipelining), 1},
    {'b', offsetof(struct smtp_settings, no_verb), 1},
};

/* A small letter finds the thing as it is, on or out of reach; but for h, which is a wish of its own.  V: the client is not asked for a
 * certificate. */
static void take_letter(struct session *session, char letter)
{
	if (letter == 'h')
		session->settings.http_closes = 1;
	if (letter == 'V')
		session->asks_nothing = 1;
	if (letter == 'a' || letter == 'A')
		session->settings.no_auth = letter == 'A';
	if (letter == 'l' || letter == 'L')
		session->settings.need_auth = letter == 'l';
	if (letter == 'c' || letter == 'C')
		session->plaintext = (uint8_t)letter;
	if (letter == 'S')
		session->settings.starttls_refused = 1;
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (letters[i].small - 'a' + 'A' == letter)
			*(uint32_t *)(void *)((char *)&session->settings + letters[i].offset) = letters[i].off;
}

bool features_ask(struct session *session, struct bench *bench, struct module_scope *scope)
{
	struct pr_list arguments = {&session->name, 1};
	struct pr_str value = PR_NONE, word;
	enum pr_status status = rules_feature(scope, PR_STR("srv_features"), &arguments, &value);

	if (status == PR_NOTFOUND)
		return true;
	if (status != PR_OK)
		report_failure(session, "srv_features", scope->reason);
	if (status == PR_TEMPFAIL || (status == PR_OK && pr_str_equal_nocase(value, PR_STR("temp")))) {
		log_line(LOGP_ERR, "NOQUEUE", "ERROR: srv_features=tempfail, relay=%.*s, access temporarily disabled",
		    PR_PRINT(session_client(session, &bench->arena)));
		return false;
	}
	while (status == PR_OK && pr_str_next(&value, ' ', &word))
		if (word.len > 0)
			take_letter(session, word.data[0]);
	session->settings.no_verb |= session->settings.no_expn; /* VERB would show what EXPN must not */
	return true;
}
