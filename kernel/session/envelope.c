/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes header and envelope of each part, as sendmail would have written them into its queue file.  It can be done more
 * than once for one message: for the filters, and again when they have changed something.
 */
#include "kernel/session/envelope.h"

#include "config.h"
#include "kernel/module/templates.h"
#include "kernel/net/tls/certificate.h"
#include "kernel/session/account.h"
#include "kernel/session/auth.h"
#include "kernel/session/macros.h"
#include "kernel/session/submission.h"
#include "kernel/session/no_recipient.h"
#include "kernel/session/transaction.h"

#include <time.h>

/* What P lines of a sendmail.cf declare takes the place of the option. */
static int64_t class_of(const struct config *config, struct pr_str name)
{
	for (size_t i = 0; i < config->precedence_count; i++)
		if (pr_str_equal_nocase(name, config->precedences[i].name))
			return config->precedences[i].value;
	return config->precedence_count > 0 ? 0 : options_class(&config->options, name);
}

int64_t envelope_class(const struct config *config, const struct pr_header *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pr_str_equal_nocase(fields[i].name, PR_STR("Precedence")))
			return class_of(config, pr_str_trim(fields[i].value));
	return 0;
}

/* Who names somebody else as the sender does not lend his own name to him. */
static bool is_own(const struct session *session, struct pr_str sender)
{
	struct pr_address address;

	pr_address_split(sender, &address);
	return pr_str_equal(address.local, session->user);
}

/* $x of mail without From:, which is made of the sender then: the name of an account of ours, whoever brought the mail. */
static struct pr_str full_name(const struct session *session, struct pr_str sender, struct module_scope *scope)
{
	struct pr_route route = {.size = sizeof route};
	struct pr_address parts;

	if (session->user.data != NULL)
		return is_own(session, sender) ? submission_full_name(session, scope->arena) : PR_NONE;
	pr_address_split(sender, &parts);
	if (parts.local.len == 0 || rules_resolve(scope, sender, PR_STR(""), &route) != PR_OK)
		return PR_NONE;
	const struct module_instance *mailer = module_find(session->receiver->modules, PR_KIND_MAILER, route.mailer);
	return mailer != NULL && module_mailer_has_flag(mailer, 'w') ? account_full_name(route.user, scope->arena) : PR_NONE;
}

static bool has_field(const struct transaction *transaction, struct pr_str prefix, size_t len)
{
	for (size_t i = 0; i < transaction->field_count; i++)
		if (pr_str_has_prefix_nocase(transaction->fields[i].name, prefix) &&
		    (len == 0 || (transaction->fields[i].name.len == len && pr_str_trim(transaction->fields[i].value).len > 0)))
			return true;
	return false;
}

/* No From, or no Resent-From beside other Resent- fields, will be added. */
static bool has_from(const struct transaction *transaction)
{
	const struct pr_str from = PR_STR("From"), resent = PR_STR("Resent-"), resent_from = PR_STR("Resent-From");

	return has_field(transaction, from, from.len) &&
	       (!has_field(transaction, resent, 0) || has_field(transaction, resent_from, resent_from.len));
}

static struct pr_str tls_facts(const struct session *session, struct pr_arena *arena)
{
	const struct net_tls *tls = session->stream.tls;
	int bits = 0, of = 0;

	if (tls == NULL)
		return PR_NONE;
	const char *cipher = net_tls_cipher(tls, &bits, &of);
	return pr_arena_printf(arena, "version=%s cipher=%s bits=%d verify=%s", net_tls_version(tls), cipher, bits, net_tls_verified(tls));
}

static void set_facts(struct transaction *transaction, const struct part *part, struct module_scope *scope,
    struct header_facts *facts)
{
	const struct session *session = transaction->session;
	const struct options *options = session->receiver->options;
	bool local = session->user.data != NULL;
	time_t now = time(NULL);
	struct tm here = {0};

	localtime_r(&now, &here);
	struct pr_str sender = pr_address_inner(transaction->sender);
	*facts = (struct header_facts){
	    .id = part->id,
	    .host_name = options->host_name,
	    .helo = local ? PR_NONE : smtp_machine_helo(session->machine),
	    .client = session_client(session, scope->arena),
	    .authenticated = auth_is_known(session) ? pr_arena_printf(scope->arena, "authenticated bits=%u", session->auth->strength) : PR_NONE,
	    .secured = tls_facts(session, scope->arena),
	    .protocol = local ? PR_NONE : pr_str(smtp_machine_protocol(session->machine)),
	    .version = PR_STR(PACKAGE_VERSION),
	    /* UTF-8 in a trace field would keep the message from hosts without SMTPUTF8 that need not know of this address (RFC 6531 section 3.7.3) */
	    .only_recipient = pr_str_is_ascii(transaction->only_recipient) ? transaction->only_recipient : PR_NONE,
	    .sender = sender,
	    .full_name = local || !has_from(transaction) ? full_name(session, sender, scope) : PR_NONE,
	    .now = (int64_t)now,
	    .zone = (int32_t)here.tm_gmtoff,
	    .utf8 = (transaction->flags & PR_ENVELOPE_UTF8) != 0,
	    .add_missing = 1,
	};
}

/* M=b: it goes out from where it came in. */
static size_t set_interface(struct module_scope *scope, struct pr_str flags, struct pr_arena *arena, struct pr_macro *macro)
{
	bool binds = pr_str_find(flags, 'b') < flags.len && scope->macro != NULL;
	struct pr_str address = binds ? scope->macro(scope->macro_context, PR_STR("if_addr")) : PR_NONE;

	*macro = (struct pr_macro){PR_STR("if_addr"), address.len > 0 ? pr_arena_copy(arena, address) : PR_NONE};
	return macro->value.len > 0 ? 1 : 0;
}

static bool set_macros(struct transaction *transaction, struct module_scope *scope, struct pr_envelope *envelope)
{
	const struct session *session = transaction->session;
	struct pr_arena *arena = &transaction->arena;
	bool local = session->user.data != NULL;
	struct pr_macro *macros = pr_arena_alloc(arena, 8 * sizeof *macros);

	if (macros == NULL)
		return false;
	size_t count = 0;
	if (!local) {
		macros[count++] = (struct pr_macro){PR_STR("r"), pr_str(smtp_machine_protocol(session->machine))};
		macros[count++] = (struct pr_macro){PR_STR("s"), pr_arena_copy(arena, smtp_machine_helo(session->machine))};
		if (macros[count - 1].value.data == NULL)
			count--;
	}
	macros[count++] = (struct pr_macro){PR_STR("_"), pr_arena_copy(arena, session_client(session, scope->arena))};
	macros[count++] = (struct pr_macro){PR_STR("daemon_flags"), session_daemon_flags(session, arena)};
	count += set_interface(scope, macros[count - 1].value, arena, &macros[count]);
	if (transaction->deliver_by.len > 0)
		macros[count++] = (struct pr_macro){PR_STR("!"), transaction->deliver_by};
	if (transaction->require_tls)
		macros[count++] = (struct pr_macro){PR_STR(PR_MACRO_REQUIRETLS), PR_STR("1")};
	/* -odq: the courier may hear of it by other ways than our wake-up */
	if (transaction->own_mode == 'q' || transaction->own_mode == 'd')
		macros[count++] = (struct pr_macro){PR_STR("deliveryMode"), {&transaction->own_mode, 1}};
	envelope->macros = macros;
	envelope->macro_count = count;
	return true;
}

static struct pr_str part_sender(struct transaction *transaction, const struct part *part)
{
	if (part->owner.data == NULL || transaction->sender.len <= 2)
		return transaction->sender; /* the null sender stays null: a bounce must not go round */
	struct pr_str owner = pr_arena_printf(&transaction->arena, "<%.*s>", PR_PRINT(part->owner));
	struct pr_address parts;
	pr_address_split(part->owner, &parts);
	/* rules that read addresses themselves know best where somebody without a domain is, and under which name he writes */
	if (parts.domain.len == 0 && !rules_take_any_address(transaction->session->receiver->modules))
		owner = pr_arena_printf(&transaction->arena, "<%.*s@%.*s>", PR_PRINT(part->owner),
		    PR_PRINT(transaction->session->receiver->options->host_name));
	return owner;
}

/* RET is the author's word on his own notices, not on those to the owner of a list. */
static uint32_t part_flags(const struct transaction *transaction, const struct part *part)
{
	uint32_t flags = transaction->flags | (transaction->part_count > 1 ? PR_ENVELOPE_SPLIT : 0);

	return part->owner.data != NULL ? flags & ~(PR_ENVELOPE_RET_GIVEN | PR_ENVELOPE_RET_HEADERS) : flags;
}

/* queueLA= of the listener.  What may be durable only after the first try is tried. */
static void wait_for_run(struct transaction *transaction, int64_t priority)
{
	const struct session *session = transaction->session;
	bool is_late = transaction->mode == 'i' && session_super_safe(session) == 'i';

	if (!transaction->verbose && !is_late && (transaction->mode == 'i' || transaction->mode == 'b') && session_queues(session, priority))
		transaction->mode = transaction->own_mode = 'q';
}

static bool complete_part(struct transaction *transaction, struct part *part, struct module_scope *scope)
{
	const struct options *options = transaction->session->receiver->options;
	struct pr_arena *arena = &transaction->arena;
	struct pr_envelope *envelope = pr_arena_alloc(arena, sizeof *envelope);
	struct header_facts facts;

	if (envelope == NULL)
		return false;
	set_facts(transaction, part, scope, &facts);
	*envelope = (struct pr_envelope){
	    .size = sizeof *envelope,
	    .id = part->id,
	    .sender = part_sender(transaction, part),
	    .body_type = transaction->body_type,
	    .envelope_id = transaction->envelope_id,
	    .auth = transaction->auth,
	    .quarantine = transaction->quarantine,
	    .created = facts.now,
	    .body_size = transaction->body_size,
	    .flags = part_flags(transaction, part),
	    .hops = transaction->hops,
	    .recipients = part->recipients,
	    .recipient_count = part->recipient_count,
	};
	envelope->priority = (int64_t)transaction->size -
	                     envelope_class(transaction->session->receiver->config, transaction->fields, transaction->field_count) * options->class_factor +
	                     (int64_t)part->recipient_count * options->recipient_factor;
	wait_for_run(transaction, envelope->priority);
	if (!set_macros(transaction, scope, envelope) || !templates_fill(scope, arena, &facts) || !no_recipient_fill(transaction, part, &facts) ||
	    header_complete(&facts, transaction->fields, transaction->field_count, arena, &envelope->headers,
	        &envelope->header_count) != PR_OK)
		return false;
	part->envelope = envelope;
	return true;
}

enum pr_status envelope_complete(struct transaction *transaction, struct module_scope *scope)
{
	for (size_t i = 0; i < transaction->part_count; i++) {
		if (!complete_part(transaction, &transaction->parts[i], scope)) {
			scope->reason = PR_STR("too much memory for one message");
			return PR_TEMPFAIL;
		}
	}
	const struct pr_header *id = pr_envelope_header(transaction->parts[0].envelope, PR_STR("Message-Id"));
	if (id != NULL)
		transaction->message_id = pr_str_trim(id->value);
	return PR_OK;
}
