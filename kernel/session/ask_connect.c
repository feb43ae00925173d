/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is the client, and may it talk at all?  A name counts only when it leads back to the address; without DNS the
 * address in brackets is the name, as sendmail has it.
 */
#include "kernel/session/ask.h"

#include "config.h"
#include "kernel/config/words.h"
#include "kernel/log/log.h"
#include "kernel/mail/header.h"
#include "kernel/net/dns.h"
#include "kernel/net/peer.h"
#include "kernel/session/admit.h"
#include "kernel/session/auth.h"
#include "kernel/session/features.h"
#include "kernel/session/filters.h"
#include "kernel/session/introduce.h"
#include "kernel/session/macros.h"
#include "kernel/session/pause.h"
#include "kernel/session/policy.h"
#include "kernel/session/report.h"
#include "kernel/session/statistics.h"
#include "kernel/session/submission.h"

#include <stdio.h>
#include <string.h>

#define RESOLVE_MS 20000
#define BAD_COMMANDS_MAX 25

static struct pr_str own(struct pr_str str)
{
	return str.data == NULL ? PR_NONE : (struct pr_str){pr_copy_str(str), str.len};
}

static bool leads_back(struct pr_call *call, struct pr_str name, struct pr_str address, bool *unsure)
{
	struct pr_list found = {NULL, 0};
	enum pr_status status = dns_addresses(call, name, &found);

	*unsure = status == PR_TEMPFAIL;
	for (size_t i = 0; status == PR_OK && i < found.count; i++)
		if (pr_str_equal_nocase(found.items[i], address))
			return true;
	return false;
}

/* Looks the name up, and the name's addresses: anybody can call himself anything in his own reverse zone. */
static void resolve_name(struct session *session, struct bench *bench)
{
	struct pr_call call = {.size = sizeof call, .arena = &bench->arena, .deadline_ms = session_now_ms() + RESOLVE_MS};
	struct pr_str address = net_address_plain(session->address);
	struct pr_str name = PR_NONE;
	bool unsure = false;
	loop_hand_over(session->receiver->loop);
	enum pr_status status = dns_name(&call, address, &name);

	if (status != PR_OK || !pr_domain_is_valid(name) || name.data[0] == '[') {
		session->resolve = status == PR_TEMPFAIL ? CLIENT_TEMP : CLIENT_FAIL;
		return;
	}
	if (leads_back(&call, name, address, &unsure)) {
		session->resolve = CLIENT_OK;
		session->name = own(name);
		return;
	}
	session->resolve = unsure ? CLIENT_TEMP : CLIENT_FORGED;
	session->ptr = own(name);
}

static void identify(struct session *session, struct bench *bench)
{
	session->resolve = CLIENT_FAIL;
	if (session->listener->submission != 0 && session->uid != UINT32_MAX) {
		session->resolve = CLIENT_OK;
		session->first_input = 1;
		session->name = own(PR_STR("localhost"));
		submission_identify(session);
	} else if (session->uid == UINT32_MAX && session->receiver->options->resolve_clients != 0) {
		resolve_name(session, bench);
	}
	if (session->name.data == NULL)
		session->name = own(pr_arena_printf(&bench->arena, "[%.*s]", PR_PRINT(session->address)));
}

struct pr_str session_client(const struct session *session, struct pr_arena *arena)
{
	if (session->user.data != NULL)
		return pr_arena_printf(arena, "%.*s@localhost", PR_PRINT(session->user));
	if (session->resolve == CLIENT_FORGED && session->ptr.data != NULL)
		return pr_arena_printf(arena, "%.*s [%.*s] (may be forged)", PR_PRINT(session->ptr), PR_PRINT(session->address));
	if (session->name.len > 0 && session->name.data[0] == '[')
		return session->name;
	return pr_arena_printf(arena, "%.*s [%.*s]", PR_PRINT(session->name), PR_PRINT(session->address));
}

void session_describe(const struct session *session, struct pr_client *client_out)
{
	*client_out = (struct pr_client){
	    .size = sizeof *client_out,
	    .name = session->name,
	    .address = session->address,
	    .helo = session->machine != NULL ? smtp_machine_helo(session->machine) : PR_NONE,
	    .daemon = session->listener->name,
	    .port = session->port,
	    .resolve = session->resolve,
	    .uid = session->uid,
	};
}

static void add_macro(struct pr_text *text, const struct options *options, char letter, struct pr_arena *arena)
{
	time_t now = time(NULL);
	struct tm local = {0};

	switch (letter) {
	case 'j':
		pr_text_add_str(text, options->host_name);
		break;
	case 'v':
		pr_text_add_c(text, PACKAGE_VERSION);
		break;
	case 'b':
		localtime_r(&now, &local);
		pr_text_add_str(text, mail_date(arena, (int64_t)now, (int32_t)local.tm_gmtoff));
		break;
	case '$':
		pr_text_add_byte(text, '$');
		break;
	default: /* an unset macro is empty */
		break;
	}
}

/* $j, $v and $b, where no rule engine knows more. */
static struct pr_str expand_few(const struct options *options, struct pr_arena *arena)
{
	struct pr_str from = options->greeting;
	struct pr_text text;

	pr_text_init(&text, 1000);
	for (size_t i = 0; i < from.len; i++) {
		if (from.data[i] == '$' && i + 1 < from.len)
			add_macro(&text, options, from.data[++i], arena);
		else
			pr_text_add_byte(&text, from.data[i]);
	}
	struct pr_str result = pr_arena_copy(arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}

/* What came from elsewhere ($s, a name in DNS) must not make lines. */
static struct pr_str one_line(struct pr_arena *arena, struct pr_str text)
{
	char *copy = pr_arena_alloc(arena, text.len + 1);

	for (size_t i = 0; copy != NULL && i < text.len; i++)
		copy[i] = (unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f ? text.data[i] : ' ';
	return copy == NULL ? PR_STR("") : (struct pr_str){copy, text.len};
}

/* SmtpGreetingMessage with its macros, and ESMTP or LMTP behind its first word. */
static struct pr_str greeting(struct session *session, struct bench *bench)
{
	const struct options *options = session->receiver->options;
	struct pr_str whole = PR_NONE;
	struct module_scope scope;

	session_scope(session, bench, &scope);
	if (rules_expand(&scope, options->greeting, &whole) != PR_OK)
		whole = expand_few(options, &bench->arena);
	whole = one_line(&bench->arena, whole);
	size_t blank = pr_str_find(whole, ' ');
	return pr_arena_printf(&bench->arena, "%.*s %s%.*s", (int)blank, whole.data, session->settings.lmtp ? "LMTP" : "ESMTP", (int)(whole.len - blank), whole.data + blank);
}

static void set_limits(const struct options *options, struct smtp_settings *settings)
{
	const struct pr_list *privacy = &options->privacy;
	bool goaway = config_list_has(privacy, PR_STR("goaway"));

	settings->max_message_size = (uint64_t)options->max_message_size;
	settings->max_recipients = (uint64_t)options->max_recipients;
	settings->max_messages = (uint64_t)options->max_messages;
	settings->max_headers_length = (uint64_t)options->max_headers_length;
	settings->need_helo = goaway || config_list_has(privacy, PR_STR("needmailhelo"));
	settings->no_vrfy = goaway || config_list_has(privacy, PR_STR("novrfy"));
	settings->no_expn = goaway || config_list_has(privacy, PR_STR("noexpn"));
	settings->need_vrfy_helo = goaway || config_list_has(privacy, PR_STR("needvrfyhelo"));
	settings->need_expn_helo = goaway || config_list_has(privacy, PR_STR("needexpnhelo"));
	settings->no_etrn = config_list_has(privacy, PR_STR("noetrn"));
	settings->deliver_by_min = options->deliver_by_min;
	settings->no_chunking = !options->chunking;
	settings->no_requiretls = !options->require_tls;
	settings->no_verb = goaway || config_list_has(privacy, PR_STR("noverb")) || settings->no_expn != 0;
	settings->no_dsn = !options->send_mime_errors || config_list_has(privacy, PR_STR("noreceipts"));
	settings->utf8 = options->smtp_utf8;
	settings->allow_bogus_helo = options->allow_bogus_helo;
	settings->reject_nul = options->reject_nul;
	settings->bad_commands_max = BAD_COMMANDS_MAX;
	settings->noop_max = (uint32_t)options->max_noop_commands;
	settings->auth_failures_max = (uint32_t)options->max_auth_failures;
	settings->bad_rcpt_throttle = (uint32_t)options->bad_rcpt_throttle;
	settings->bad_rcpt_delay = (uint32_t)options->bad_rcpt_throttle_delay;
	settings->bad_rcpt_shutdown = (uint32_t)options->bad_rcpt_shutdown;
	settings->bad_rcpt_shutdown_good = (uint32_t)options->bad_rcpt_shutdown_good;
}

/* DaemonPortOptions M=: what one listener does not offer. */
static void set_modifiers(struct session *session)
{
	session->settings.need_auth = session_has_modifier(session, 'a');
	session->settings.no_auth = session_has_modifier(session, 'A');
	if (session_has_modifier(session, 'E'))
		session->settings.no_etrn = 1;
	if (session_has_modifier(session, 'S'))
		session->settings.starttls = 0, session->settings.starttls_refused = 1;
}

static void set_timeouts(const struct options *options, struct smtp_settings *settings)
{
	settings->timeout_initial = (uint32_t)options->timeout_initial;
	settings->timeout_helo = (uint32_t)options->timeout_helo;
	settings->timeout_mail = (uint32_t)options->timeout_mail;
	settings->timeout_rcpt = (uint32_t)options->timeout_rcpt;
	settings->timeout_datainit = (uint32_t)options->timeout_datainit;
	settings->timeout_datablock = (uint32_t)options->timeout_datablock;
	settings->timeout_datafinal = (uint32_t)options->timeout_datafinal;
	settings->timeout_command = (uint32_t)options->timeout_command;
	settings->timeout_quit = (uint32_t)options->timeout_quit;
	settings->timeout_misc = (uint32_t)options->timeout_misc;
	settings->timeout_rset = (uint32_t)options->timeout_rset;
}

static void name_client(struct session *session)
{
	bool forged = session->resolve == CLIENT_FORGED;

	session->settings.client_name = forged && session->ptr.data != NULL ? session->ptr : session->name;
	session->settings.client_address = session->address;
	session->settings.forged = forged;
}

void session_offer(struct session *session)
{
	const struct receiver *receiver = session->receiver;

	session->settings = (struct smtp_settings){
	    .host_name = receiver->options->host_name,
	    .any_address = rules_take_any_address(receiver->modules),
	    .submission = session->user.data != NULL,
	    .starttls = receiver->tls != NULL && session->user.data == NULL,
	};
	session->settings.lmtp = session->listener->declared != NULL && session->listener->declared->lmtp;
	session->settings.secured = session->user.data == NULL && receiver->tls != NULL && session_has_modifier(session, 's');
	set_limits(receiver->options, &session->settings);
	set_timeouts(receiver->options, &session->settings);
	set_modifiers(session);
	session->settings.help_file = session->receiver->has_help;
	name_client(session);
}

void session_greet(struct session *session, struct bench *bench)
{
	identify(session, bench);
	session_offer(session);
	introduce_settings(session);
	session->machine = smtp_machine_new(&session->settings);
	log_at(13, LOGP_INFO, "NOQUEUE", "connect from %.*s", PR_PRINT(session_client(session, &bench->arena)));
}

void ask_connect(struct ask *ask)
{
	struct session *session = ask->session;
	struct receiver *receiver = session->receiver;
	struct pr_client client;

	session_describe(session, &client);
	session->settings.greeting = greeting(session, ask->bench); /* said at once */
	if (!admit_client(session)) {
		atomic_fetch_add(&receiver->counts.refused, 1);
		ask_refuse(ask, PR_DEFER, 421, "4.3.2", "Too many open connections.");
		session_count_verdict(session, ask->scope, &ask->answer->verdict);
		report_rejected(session, ask->bench, "check_relay", session->name, &ask->answer->verdict);
		return;
	}
	if (session->user.data == NULL) {
		struct pr_str items[2] = {session->name, session->address};
		struct pr_list arguments = {items, 2};
		if (!policy_check(session, ask->bench, ask->scope, PR_CHECK_RELAY, &arguments, &ask->answer->verdict))
			return;
		if (!features_ask(session, ask->bench, ask->scope)) {
			ask_refuse(ask, PR_DEFER, 450, "4.3.0", "Please try again later.");
			return;
		}
		auth_offer(session, ask->scope);
		pause_ask(session, ask->scope);
	}
	struct filter_subject subject = {.hook = FILTER_CONNECT, .client = &client};
	if (!filters_ask(session, ask->bench, ask->scope, &subject, &ask->answer->verdict))
		ask->answer->as_it_is = true;
}

void ask_helo(struct ask *ask)
{
	struct session *session = ask->session;
	struct pr_list arguments = {&ask->question->argument, 1};
	struct filter_subject subject = {.hook = FILTER_HELO, .text = ask->question->argument};

	if (session->user.data == NULL &&
	    !policy_check(session, ask->bench, ask->scope, PR_CHECK_HELO, &arguments, &ask->answer->verdict))
		return;
	filters_ask(session, ask->bench, ask->scope, &subject, &ask->answer->verdict);
}
