/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptor of the SMTP mailer, its options, and the loop over candidates for one delivery.
 * The loop is here and not in the courier because only the mailer knows which host of several it is talking to.
 */
#include "auth.h"

#include "../../maps/sequence/services.h"
#include "../prog/prog.h"

#include <postrider/address.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static const struct pr_option options[] = {
	PR_OPTION(struct smtp, port, "port", PR_OPTION_INT, 0, "25", "TCP port of the next hop"),
	PR_OPTION(struct smtp, lmtp, "lmtp", PR_OPTION_BOOL, 0, "false", "speak LMTP: one final reply per recipient"),
	PR_OPTION(struct smtp, helo, "helo", PR_OPTION_STRING, 0, NULL, "name to say in EHLO; default: HostName"),
	PR_OPTION(struct smtp, host, "host", PR_OPTION_STRING, 0, NULL, "where everything goes, whatever the route says; /PATH is a Unix socket"),
	PR_OPTION(struct smtp, path, "path", PR_OPTION_PATH, 0, NULL, "a program in the place of a host: it speaks over its standard input and output"),
	PR_OPTION(struct smtp, argv, "argv", PR_OPTION_STRING, 0, NULL, "its name and arguments, with $h, $g and other macros"),
	PR_OPTION(struct smtp, owner, "owner", PR_OPTION_BOOL, 0, "false", "it runs as the account that the recipient names, for one recipient each time"),
	PR_OPTION(struct smtp, user, "user", PR_OPTION_STRING, 0, NULL, "it runs as this account, or USER:GROUP; default: DefaultUser"),
	PR_OPTION(struct smtp, directory, "directory", PR_OPTION_STRING, 0, NULL, "it runs in the first of \"~:/srv:/\" that can be entered; default: the home directory"),
	PR_OPTION(struct smtp, root, "root", PR_OPTION_PATH, 0, NULL, "it sees nothing above this directory (chroot)"),
	PR_OPTION(struct smtp, niceness, "niceness", PR_OPTION_INT, 0, "0", "added to that of the daemon; it can only wait longer, not less"),
	PR_OPTION(struct smtp, timeout, "timeout", PR_OPTION_TIME, 0, "10s", "how long it may stay when the conversation is over"),
	PR_OPTION(struct smtp, mx, "mx", PR_OPTION_BOOL, 0, "true", "look up MX records"),
	PR_OPTION(struct smtp, esmtp, "esmtp", PR_OPTION_BOOL, 0, "true", "say EHLO first"),
	PR_OPTION(struct smtp, announced, "announced", PR_OPTION_BOOL, 0, "false", "say EHLO only when the greeting speaks of ESMTP"),
	PR_OPTION(struct smtp, chunking, "chunking", PR_OPTION_BOOL, 0, "false", "send messages by BDAT to hosts that offer CHUNKING"),
	PR_OPTION(struct smtp, loop_check, "loop_check", PR_OPTION_BOOL, 0, "true", "refuse to talk to ourselves when MX records lead here"),
	PR_OPTION(struct smtp, tls, "tls", PR_OPTION_STRING, 0, "may", "STARTTLS: may (when offered), never, must (else mail waits)"),
	PR_OPTION(struct smtp, dane, "dane", PR_OPTION_STRING, 0, NULL, "yes or no: what TLSA records say of a host binds (RFC 7672); default: DANE"),
	PR_OPTION(struct smtp, sts, "sts", PR_OPTION_STRING, 0, NULL, "yes or no: the policy of a domain's MTA-STS binds (RFC 8461); default: StrictTransportSecurity"),
	PR_OPTION(struct smtp, sts_port, "sts_port", PR_OPTION_INT, 0, "443", "TCP port of the hosts that have the policies"),
	PR_OPTION(struct smtp, from, "from", PR_OPTION_LIST, 0, NULL, "addresses that connections go out from, one of each family; default: ClientPortOptions"),
	PR_OPTION(struct smtp, token_program, "token_program", PR_OPTION_STRING, 0, NULL, "account|/path words: a program that entries of authinfo may have make tokens as that account"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_STARTTLS], "timeout_starttls", PR_OPTION_TIME, 0, NULL, "for the reply to STARTTLS and for the handshake"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_AUTH], "timeout_auth", PR_OPTION_TIME, 0, NULL, "for each reply in AUTH"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_CONNECT], "timeout_connect", PR_OPTION_TIME, 0, NULL, "for the connection; default: Timeout.connect"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_ICONNECT], "timeout_iconnect", PR_OPTION_TIME, 0, NULL, "the same at the first attempt of a message"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_ACONNECT], "timeout_aconnect", PR_OPTION_TIME, 0, NULL, "for all connections of one attempt together"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_LHLO], "timeout_lhlo", PR_OPTION_TIME, 0, NULL, "for the reply to LHLO"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_INITIAL], "timeout_initial", PR_OPTION_TIME, 0, NULL, "for the greeting"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_HELO], "timeout_helo", PR_OPTION_TIME, 0, NULL, "for the reply to EHLO"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_MAIL], "timeout_mail", PR_OPTION_TIME, 0, NULL, "for the reply to MAIL"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_RCPT], "timeout_rcpt", PR_OPTION_TIME, 0, NULL, "for the reply to RCPT"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_DATAINIT], "timeout_datainit", PR_OPTION_TIME, 0, NULL, "for the reply to DATA"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_DATABLOCK], "timeout_datablock", PR_OPTION_TIME, 0, NULL, "for a piece of the message to be taken"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_DATAFINAL], "timeout_datafinal", PR_OPTION_TIME, 0, NULL, "for the reply to the final dot"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_RSET], "timeout_rset", PR_OPTION_TIME, 0, NULL, "for the reply to RSET"),
	PR_OPTION(struct smtp, wait[SMTP_WAIT_QUIT], "timeout_quit", PR_OPTION_TIME, 0, NULL, "for the reply to QUIT"),
	PR_OPTION_END
};

/* What the configuration of the mailer leaves open comes from the Timeout.* options, then from RFC 5321 4.5.3.2. */
static const struct {
	const char *name;
	int64_t seconds;
} waits[SMTP_WAITS] = {
	[SMTP_WAIT_CONNECT] = {"Timeout.connect", 60},      [SMTP_WAIT_INITIAL] = {"Timeout.initial", 300},
	[SMTP_WAIT_HELO] = {"Timeout.helo", 300},           [SMTP_WAIT_MAIL] = {"Timeout.mail", 600},
	[SMTP_WAIT_RCPT] = {"Timeout.rcpt", 3600},          [SMTP_WAIT_DATAINIT] = {"Timeout.datainit", 300},
	[SMTP_WAIT_DATABLOCK] = {"Timeout.datablock", 3600}, [SMTP_WAIT_DATAFINAL] = {"Timeout.datafinal", 3600},
	[SMTP_WAIT_RSET] = {"Timeout.rset", 300},           [SMTP_WAIT_QUIT] = {"Timeout.quit", 120},
	[SMTP_WAIT_STARTTLS] = {"Timeout.starttls", 3600},  [SMTP_WAIT_AUTH] = {"Timeout.auth", 600},
	[SMTP_WAIT_LHLO] = {"Timeout.lhlo", 120},           [SMTP_WAIT_ICONNECT] = {"Timeout.iconnect", 0},
	[SMTP_WAIT_ACONNECT] = {"Timeout.aconnect", 0},
};

static bool find_tls_use(struct pr_str word, uint32_t *use_out)
{
	static const char *const words[] = {[SMTP_TLS_MAY] = "may", [SMTP_TLS_NEVER] = "never", [SMTP_TLS_MUST] = "must"};

	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(word, pr_str(words[i]))) {
			*use_out = i;
			return true;
		}
	return false;
}

static bool is_yes_or_no(struct pr_str word)
{
	return word.len == 0 || pr_str_equal_nocase(word, PR_STR("yes")) || pr_str_equal_nocase(word, PR_STR("no"));
}

/* An option of the mailer, and the kernel's where it is silent. */
static bool is_wanted(struct pr_call *call, struct pr_str word, struct pr_str option)
{
	struct pr_str value = word.len > 0 ? word : call->host->option(call, option);

	return pr_str_equal_nocase(value, PR_STR("yes")) || pr_str_equal_nocase(value, PR_STR("true"));
}

static bool wants_sts(struct pr_call *call)
{
	const struct smtp *smtp = call->instance;

	return smtp->tls_use != SMTP_TLS_NEVER && is_wanted(call, smtp->sts, PR_STR("StrictTransportSecurity"));
}

static enum pr_status check(struct pr_call *call)
{
	struct smtp *smtp = call->instance;

	if (!find_tls_use(smtp->tls, &smtp->tls_use))
		return pr_fail(call, PR_MISUSE, "tls: %.*s is not one of may, never, must", PR_PRINT(smtp->tls));
	if (!is_yes_or_no(smtp->dane))
		return pr_fail(call, PR_MISUSE, "dane: %.*s is neither yes nor no", PR_PRINT(smtp->dane));
	if (!is_yes_or_no(smtp->sts))
		return pr_fail(call, PR_MISUSE, "sts: %.*s is neither yes nor no", PR_PRINT(smtp->sts));
	if (smtp->token_program.len > 0 && (smtp->token_program.data[0] == '/' || smtp->token_program.data[0] == '|' || !auth_token_is_source(smtp->token_program)))
		return pr_fail(call, PR_MISUSE, "token_program: \"%.*s\" is not like \"account|/path\"", PR_PRINT(smtp->token_program));
	if (smtp->port < 1 || smtp->port > 65535)
		return pr_fail(call, PR_MISUSE, "port: %lld is not between 1 and 65535", (long long)smtp->port);
	if (smtp->sts_port < 1 || smtp->sts_port > 65535)
		return pr_fail(call, PR_MISUSE, "sts_port: %lld is not between 1 and 65535", (long long)smtp->sts_port);
	if (wants_sts(call) && !smtp_sts_is_possible(call))
		return PR_MISUSE;
	if ((smtp->path.len > 0) != (smtp->argv.len > 0))
		return pr_fail(call, PR_MISUSE, "path and argv belong together");
	if (smtp->path.len > 0 && prog_has_user(smtp->argv))
		return pr_fail(call, PR_MISUSE, "argv \"%.*s\" holds $u: a program that gets recipients as arguments is the business of mailer prog",
		               PR_PRINT(smtp->argv));
	for (int i = 0; i < SMTP_WAITS; i++)
		if (smtp->wait[i] < 0)
			return pr_fail(call, PR_MISUSE, "a timeout cannot be negative");
	return smtp_source_read(call, smtp);
}

/* As sendmail does it: where the service switch file names no dns for hosts, there are no MX records either. */
static bool asks_dns(struct pr_call *call)
{
	struct pr_str services = PR_NONE, word;

	if (services_find(call, PR_NONE, PR_STR("hosts"), &services) != PR_OK)
		return true;
	while (pr_str_word(&services, " \t", &word))
		if (pr_str_equal_nocase(word, PR_STR("dns")))
			return true;
	return false;
}

static enum pr_status open_instance(struct pr_call *call)
{
	struct smtp *smtp = call->instance;

	for (int i = 0; i < SMTP_WAITS; i++) {
		int64_t seconds = 0;
		if (smtp->wait[i] == 0 && pr_parse_time(call->host->option(call, pr_str(waits[i].name)), 's', &seconds))
			smtp->wait[i] = seconds;
		if (smtp->wait[i] == 0)
			smtp->wait[i] = waits[i].seconds;
	}
	if (smtp->mx && !asks_dns(call))
		smtp->mx = 0;
	smtp->dane_use = smtp->tls_use != SMTP_TLS_NEVER && is_wanted(call, smtp->dane, PR_STR("DANE"));
	smtp->tls_fallback = pr_str_equal_nocase(call->host->option(call, PR_STR("TLSFallbacktoClear")), PR_STR("true"));
	return wants_sts(call) ? smtp_sts_open(call) : PR_OK;
}

static void close_instance(struct pr_call *call)
{
	smtp_sts_close(call->instance);
}

static size_t count_open(const struct smtp_run *run)
{
	size_t open = 0;

	for (size_t i = 0; i < run->count; i++)
		open += run->deliveries[i].status == PR_MISUSE;
	return open;
}

static bool has_retry(const struct smtp_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->retry[i])
			return true;
	return false;
}

/* Line ends and NUL would be commands of somebody else's making. */
static bool is_sendable(struct pr_str address)
{
	for (size_t i = 0; i < address.len; i++)
		if ((unsigned char)address.data[i] < 0x20 || address.data[i] == 0x7f || address.data[i] == '<' || address.data[i] == '>')
			return false;
	return address.len <= 1000;
}

static void refuse_unsendable(struct smtp_run *run)
{
	bool sender_bad = !is_sendable(pr_address_inner(run->envelope->sender));
	struct smtp_outcome bad = {PR_PERMFAIL, 553, PR_STR("5.1.3"), PR_STR("553 5.1.3 Address cannot be sent by SMTP"), PR_NONE};

	for (size_t i = 0; i < run->count; i++)
		if (sender_bad || run->deliveries[i].user.len == 0 || !is_sendable(pr_address_inner(run->deliveries[i].user)))
			smtp_settle(run, i, &bad, false);
}

/* The recipients that got 4xx are put back for the next candidate, keeping what they were told. */
static void reopen(struct smtp_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->retry[i])
			run->deliveries[i].status = PR_MISUSE;
}

static void close_failed(struct smtp_run *run, const struct smtp_outcome *outcome)
{
	for (size_t i = 0; i < run->count; i++) {
		struct pr_delivery *delivery = &run->deliveries[i];
		if (delivery->status != PR_MISUSE)
			continue;
		if (run->retry[i]) /* an earlier candidate's answer says more than "no other one could be reached" */
			delivery->status = PR_TEMPFAIL;
		else
			smtp_settle(run, i, outcome, false);
	}
}

static void tell_cached(struct smtp_run *run)
{
	const struct smtp_session *session = run->session;
	const char *protocol = run->smtp->lmtp ? "LMTP" : (session->extensions & SMTP_ESMTP) != 0 ? "ESMTP" : "SMTP";

	if (pr_is_watched(run->call))
		pr_progress(run->call, PR_PROGRESS_CACHED, pr_arena_printf(run->call->arena, "%s connection to %s", protocol, session->name));
}

/* An open connection that the rules do not want any more - for the TLS that it has or has not - is none to send mail by: another one may be better. */
static void take_up(struct smtp_run *run)
{
	struct smtp_outcome ignored;

	smtp_tell_peer(run);
	/* a policy that came later counts for a host that is always busy, too */
	bool is_old = run->smtp->sts_use && smtp_now_ms() - run->session->opened > SMTP_POLICY_MS;
	if (!is_old && smtp_source_fits(run) && smtp_is_good_enough(run, &ignored) && smtp_ask_server(run, &ignored)) {
		tell_cached(run);
		return;
	}
	smtp_quit(run->call, run->smtp, run->session);
	run->session->name[0] = '\0'; /* the route begins at its front */
}

/* Header and body as this host can take them. */
static bool fit_content(struct smtp_run *run, struct smtp_outcome *outcome)
{
	uint32_t offers = (run->session->extensions & SMTP_8BITMIME) != 0 ? PR_OFFERS_EIGHT_BIT : 0;

	if (offers == run->offered)
		return true;
	run->content = (run->envelope->flags & PR_ENVELOPE_EIGHT_BIT) != 0 ? PR_CONTENT_EIGHT_BIT : 0; /* with a kernel that does not know */
	enum pr_status status = pr_content_fit(run->call, offers, &run->content);
	pr_text_clear(&run->header);
	if (status == PR_OK || status == PR_MISUSE)
		status = run->call->host->header_print(run->call, run->envelope, &run->header);
	if (status == PR_OK) {
		run->offered = offers;
		return true;
	}
	*outcome = (struct smtp_outcome){status, 0, status == PR_TEMPFAIL ? PR_STR("4.3.0") : PR_STR("5.6.0"), run->call->reason, PR_NONE};
	return false;
}

/* RFC 6531 section 3.2: what needs UTF-8 is sent to a host that knows it, and returned else; what only might have needed it is sent as anything. */
static void refuse_utf8(struct smtp_run *run)
{
	bool offered = (run->session->extensions & SMTP_UTF8) != 0, is_open = false;
	bool all = !pr_str_is_ascii(run->envelope->sender) ||
	           ((run->envelope->flags & PR_ENVELOPE_UTF8) != 0 && !pr_str_is_ascii(pr_text_str(&run->header)));
	struct smtp_outcome no = {PR_PERMFAIL, 553, PR_STR("5.6.7"), PR_NONE, PR_NONE};

	run->utf8 = false;
	for (size_t i = 0; i < run->count; i++) {
		bool needs = run->deliveries[i].status == PR_MISUSE && (all || !pr_str_is_ascii(run->deliveries[i].user));
		is_open = is_open || needs;
		if (!needs || offered)
			continue;
		no.text = pr_arena_printf(run->call->arena, "553 5.6.7 %s does not support SMTPUTF8", run->session->name);
		smtp_settle(run, i, &no, false);
	}
	run->utf8 = offered && is_open;
}

static void run_candidates(struct smtp_run *run)
{
	struct smtp_outcome outcome = {PR_TEMPFAIL, 0, PR_STR("4.4.1"), PR_STR("no host to try"), PR_NONE};

	if (run->session->open)
		take_up(run);
	for (;;) {
		if (!run->session->open && smtp_connect_next(run, &outcome) != PR_OK)
			break;
		bool was_used = run->session->served > 0;
		if (!fit_content(run, &outcome))
			break;
		refuse_utf8(run);
		smtp_transaction(run);
		if (!has_retry(run))
			break;
		/* an idle connection that had died says nothing about the host: begin the route at its front */
		if (was_used && !run->session->open)
			run->session->name[0] = '\0';
		else if (!smtp_has_next(run))
			break;
		smtp_quit(run->call, run->smtp, run->session);
		reopen(run);
	}
	smtp_give_up(run);
	close_failed(run, &outcome);
	if ((run->in_clear || run->smtp->dane_use || run->smtp->sts_use) && smtp_prefers_delivery(run)) /* which is one message's wish */
		smtp_quit(run->call, run->smtp, run->session);
}

/* A program that is the recipient's: one each, and none is kept for another. */
static void run_owners(const struct smtp_run *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct smtp_run run = *all;
		run.deliveries += i;
		run.retry += i;
		run.count = 1;
		if (run.deliveries[0].status == PR_MISUSE)
			run_candidates(&run);
		smtp_quit(run.call, run.smtp, run.session);
		run.session->name[0] = '\0'; /* the next is another's, and not tried yet */
	}
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination, const struct pr_envelope *envelope,
                              struct pr_body *body, struct pr_delivery *deliveries, size_t count)
{
	struct smtp_run run = {.call = call, .smtp = call->instance, .session = call->session, .destination = destination,
	                       .envelope = envelope, .body = body, .deliveries = deliveries, .count = count, .offered = SMTP_NOT_PRINTED};

	pr_text_init(&run.header, 16u << 20);
	run.retry = pr_alloc(count + 1);
	refuse_unsendable(&run);
	if (count_open(&run) == 0)
		goto out;
	if (run.smtp->path.len > 0 && run.smtp->owner)
		run_owners(&run);
	else
		run_candidates(&run);
out:
	pr_text_fini(&run.header);
	pr_free(run.retry);
	return PR_OK;
}

/* With TLS there may be something that is none of SMTP's business: a ticket for the next time. */
static bool is_quiet(struct smtp_session *session)
{
	int flags = fcntl(session->fd, F_GETFL);
	char byte;

	if (flags < 0 || fcntl(session->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	bool quiet = session->host->tls_read(session->tls, &byte, 1) < 0 && errno == EAGAIN;
	return fcntl(session->fd, F_SETFL, flags) == 0 && quiet;
}

/* Anything to read on an idle connection is its end, or a 421 that announces it. */
static bool alive(struct pr_call *call)
{
	struct smtp_session *session = call->session;
	char byte;

	if (!session->open || session->begin != session->end)
		return false;
	if (smtp_now_ms() - session->heard < SMTP_JUST_HEARD_MS)
		return true;
	if (session->tls != NULL)
		return is_quiet(session);
	ssize_t got = recv(session->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static void session_close(struct pr_call *call)
{
	smtp_quit(call, call->instance, call->session);
}

static const struct pr_mailer_ops ops = {
	.size = sizeof ops,
	.default_flags = "DFMXmu",
	.deliver = deliver,
	.alive = alive,
	.session_close = session_close,
};

PR_MODULE(smtp) = {
	PR_MODULE_HEAD(PR_KIND_MAILER),
	.flags = PR_CONCURRENT,
	.instance_size = sizeof(struct smtp),
	.session_size = sizeof(struct smtp_session),
	.name = "smtp",
	.version = "1.0",
	.summary = "to the next host by SMTP or LMTP",
	.options = options,
	.check = check,
	.open = open_instance,
	.close = close_instance,
	.ops = &ops,
};
