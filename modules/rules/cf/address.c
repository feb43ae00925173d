/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order of the sets: 3 and 0 for a recipient, then 2, the mailer's own set and 4 for what is said to the other side; 3, 1 or 2, the
 * mailer's set, 4 for all other forms.
 */
#include "address.h"
#include "crack.h"

#include <string.h>

#define NAME_MAX_LENGTH 256u
#define ADDRESS_SHOWN_MAX 254u /* of a rewritten address, and with its frame: beyond that sendmail cuts, and so do we */
#define FRAMED_SHOWN_MAX 256u

/* Cuts an address; complaints name it.  False: it cannot be cut. */
static bool cut(struct cf_run *run, struct pr_str text, struct cf_tokens *out)
{
	struct cf_scan scan = { .alphabet = &run->cf->alphabet, .arena = run->call->arena, .text = text, .flags = CF_SCAN_COMMENTS };
	out->count = 0;
	bool good = cf_scan_shown(run, &scan, out);

	for (uint32_t i = 0; i < scan.problem_count; i++)
		cf_run_complain(run, true, "%s", scan.problems[i]);
	return good && out->count > 0;
}

/* The mailer's set; 0: none. */
static void rewrite_own(struct cf_run *run, uint16_t set, struct cf_tokens *tokens)
{
	if (set > 1) /* set 0 as S= or R= means none */
		cf_rewrite(run, (uint16_t)(set - 1), tokens);
}

static struct pr_str joined(struct cf_run *run, const struct cf_token *tokens, uint32_t count)
{
	return cf_join_arena(&run->cf->alphabet, tokens, count, '\0', run->call->arena);
}

/* Position of $: from `from` on, or the end. */
static uint32_t find_user(const struct cf_tokens *tokens, uint32_t from)
{
	while (from < tokens->count && tokens->at[from].kind != CF_USER)
		from++;
	return from;
}

static void bad(struct cf_run *run, struct cf_address *out, const char *why)
{
	cf_run_complain(run, false, "554 5.3.5 %s", why);
	out->is_error = true;
	out->mailer = NULL;
	out->host = PR_NONE;
	out->user = PR_STR("");
	out->text = pr_arena_printf(run->call->arena, "554 5.3.5 %s", why);
}

/* Is the address said in front?  Some codes are about it, and a text without a code is. */
static bool names_address(struct pr_str text)
{
	static const char *const codes[] = { "450 ", "550 ", "553 " };
	uint64_t number;

	if (text.len < 4 || text.data[3] != ' ' || !pr_str_number(pr_str_slice(text, 0, 3), 599, &number) || number < 200)
		return true;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (pr_str_has_prefix_nocase(text, pr_str(codes[i])))
			return true;
	return false;
}

#define ERROR_TEXT_MAX 255u /* bytes of what a rule says, codes and quotes among them: where sendmail cuts it */

static void build_error(struct cf_run *run, const struct cf_tokens *tokens, struct cf_address *out)
{
	uint32_t at = 2, user;

	if (tokens->count < 3) {
		bad(run, out, "buildaddr: no user");
		return;
	}
	out->is_error = true;
	if (at < tokens->count && tokens->at[at].kind == CF_HOST) {
		user = find_user(tokens, at + 1);
		out->host = joined(run, tokens->at + at + 1, user - at - 1);
		out->code = out->host;
		at = user;
	}
	at = find_user(tokens, at);
	struct pr_str text = at < tokens->count ? cf_join_arena(&run->cf->alphabet, tokens->at + at + 1, tokens->count - at - 1, ' ', run->call->arena)
	                                        : PR_STR("");
	out->user = text;
	out->text = cf_unquoted(run->call->arena, pr_str_slice(text, 0, ERROR_TEXT_MAX));
	cf_run_fail(run, cf_error_status(out->code));
	cf_run_say(run, names_address(out->text), out->text);
}

/* `|program`, `/file` and `@user` for mailers that look for them; the text may be in quotes. */
static const struct cf_mailer *special_mailer(struct cf_run *run, const struct cf_mailer *mailer, const struct cf_token *user)
{
	bool is_quoted = user->length > 1 && user->text[0] == '"';
	char first = user->length > 0 ? user->text[is_quoted] : '\0';

	if (first == '|' && cf_mailer_has(mailer, '|'))
		return cf_mailer_find(run->cf, PR_STR("prog"));
	if (first == '/' && cf_mailer_has(mailer, '/'))
		return cf_mailer_find(run->cf, PR_STR("*file*"));
	return mailer;
}

static bool is_text(const struct cf_token *token, const char *text)
{
	return cf_is_plain(token) && pr_str_equal_nocase((struct pr_str){ token->text, token->length }, pr_str(text));
}

/* `:include:/path` is no address that could be rewritten. */
static bool build_include(struct cf_run *run, const struct cf_token *user, uint32_t count, struct cf_address *out)
{
	if (!cf_mailer_has(out->mailer, ':') || count == 0)
		return false;
	struct pr_str text = cf_unquoted(run->call->arena, joined(run, user, count)), prefix = PR_STR(":include:");
	if (!pr_str_has_prefix_nocase(text, prefix))
		return false;
	out->mailer = cf_mailer_find(run->cf, PR_STR("*include*"));
	out->user = pr_str_slice(text, prefix.len, text.len);
	return true;
}

/* The user part: through 2, the mailer's recipient set, and 4. */
static void finish_user(struct cf_run *run, struct cf_address *out, const struct cf_token *tokens, uint32_t count)
{
	struct cf_tokens *user = &run->thread->user;

	user->count = 0;
	for (uint32_t i = 0; i < count; i++)
		cf_tokens_add(user, tokens[i]);
	if (out->host.data == NULL)
		cf_overlay_unset(run->overlay, 'h');
	else
		cf_overlay_set(run->overlay, 'h', out->host);
	cf_rewrite(run, 2, user);
	rewrite_own(run, out->mailer->recipient_envelope, user);
	cf_rewrite(run, 4, user);
	out->user = cf_join_arena(&run->cf->alphabet, user->at, user->count, '\0', run->call->arena);
	if (out->host.data != NULL && !cf_mailer_has(out->mailer, 'h'))
		out->host = pr_arena_lower(run->call->arena, out->host);
	if (!cf_mailer_has(out->mailer, 'u'))
		out->user = pr_arena_lower(run->call->arena, out->user);
}

static void build_mailer(struct cf_run *run, const struct cf_tokens *tokens, struct cf_address *out)
{
	uint32_t at = 2, user = find_user(tokens, at);
	struct pr_str name = { tokens->at[1].text, tokens->at[1].length };

	if (user >= tokens->count) {
		bad(run, out, "buildaddr: no user");
		return;
	}
	out->mailer = cf_mailer_find(run->cf, name);
	if (out->mailer == NULL) {
		bad(run, out, pr_arena_printf(run->call->arena, "buildaddr: unknown mailer %.*s", PR_PRINT(name)).data);
		return;
	}
	if (at < tokens->count && tokens->at[at].kind == CF_HOST)
		out->host = joined(run, tokens->at + at + 1, user - at - 1);
	else if (!cf_mailer_has(out->mailer, 'l')) {
		bad(run, out, "buildaddr: no host");
		return;
	}
	user++;
	if (build_include(run, tokens->at + user, tokens->count - user, out))
		return;
	out->skips_set5 = user < tokens->count && is_text(&tokens->at[user], "@") && cf_mailer_has(out->mailer, '@');
	user += out->skips_set5;
	if (user < tokens->count)
		out->mailer = special_mailer(run, out->mailer, &tokens->at[user]);
	finish_user(run, out, tokens->at + user, tokens->count - user);
}

void cf_build(struct cf_run *run, const struct cf_tokens *tokens, struct cf_address *out)
{
	*out = (struct cf_address){ .mailer = NULL, .user = PR_STR("") };
	if (tokens->count == 0 || tokens->at[0].kind != CF_MAILER)
		bad(run, out, "buildaddr: no mailer in parsed address");
	else if (tokens->count < 2 || !cf_is_plain(&tokens->at[1]))
		bad(run, out, "buildaddr: no mailer name");
	else if (pr_str_equal_nocase((struct pr_str){ tokens->at[1].text, tokens->at[1].length }, PR_STR("error")))
		build_error(run, tokens, out);
	else
		build_mailer(run, tokens, out);
}

/* The text with a question mark for each byte that `is_bad` names.  Absent: there is none. */
static struct pr_str with_marks(struct cf_run *run, struct pr_str text, bool (*is_bad)(unsigned char c))
{
	size_t first = 0;

	while (first < text.len && !is_bad((unsigned char)text.data[first]))
		first++;
	char *shown = first < text.len ? pr_arena_alloc(run->call->arena, text.len + 1) : NULL;
	for (size_t i = 0; shown != NULL && i < text.len; i++)
		shown[i] = is_bad((unsigned char)text.data[i]) ? '?' : text.data[i];
	return shown == NULL ? PR_NONE : (struct pr_str){ shown, text.len };
}

static bool is_high_control(unsigned char c)
{
	return c >= 0x80 && c < 0xa0;
}

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

static struct pr_str in_seven_bits(struct cf_run *run, struct pr_str text)
{
	char *shown = pr_arena_alloc(run->call->arena, text.len + 1);

	for (size_t i = 0; shown != NULL && i < text.len; i++)
		shown[i] = (char)(text.data[i] & 0x7f);
	return shown == NULL ? text : (struct pr_str){ shown, text.len };
}

bool cf_address_is_valid(struct cf_run *run, struct pr_str text, bool is_recipient)
{
	if (text.len > NAME_MAX_LENGTH - 1) {
		run->about = pr_str_slice(run->about, 0, NAME_MAX_LENGTH - 1);
		cf_run_complain(run, true, "553 5.1.0 Address \"%.*s\" too long (%u bytes max)", (int)NAME_MAX_LENGTH - 1, text.data,
		                NAME_MAX_LENGTH - 1);
		return false;
	}
	struct pr_str shown = with_marks(run, text, is_high_control);
	if (shown.data == NULL)
		return true;
	cf_run_complain(run, false, "501 5.1.%d 8-bit character in mailbox address \"%.*s\"", is_recipient ? 3 : 7,
	                PR_PRINT(in_seven_bits(run, shown)));
	return false;
}

/* Other control bytes are found in what the rules made of the address. */
static void refuse_controls(struct cf_run *run, bool is_recipient, struct cf_address *out)
{
	struct pr_str shown = with_marks(run, out->user, is_control);

	if (shown.data == NULL || out->mailer == NULL)
		return;
	cf_run_complain(run, false, "501 5.1.%d Syntax error in mailbox address \"%.*s\" (non-printable character)", is_recipient ? 3 : 7,
	                PR_PRINT(in_seven_bits(run, shown)));
	out->user = shown;
	out->is_refused = true;
}

bool cf_address_is_temporary(const struct cf_address *address)
{
	struct pr_str text = address->text;
	uint64_t number = 0;

	return address->mailer == NULL && text.len >= 4 && text.data[0] == '4' && text.data[3] == ' ' &&
	       pr_str_number(pr_str_slice(text, 0, 3), 499, &number);
}

bool cf_parse(struct cf_run *run, struct pr_str text, bool is_recipient, struct cf_address *out)
{
	struct cf_tokens *tokens = &run->thread->address;
	bool good = false;

	run->about = text;
	cf_run_type(run, is_recipient ? "e r" : "e s");
	if (cut(run, text, tokens) && cf_address_is_valid(run, text, is_recipient)) {
		int canonified = cf_rewrite(run, 3, tokens), parsed = cf_rewrite(run, 0, tokens);
		struct pr_str fault = run->complaint;
		cf_build(run, tokens, out);
		refuse_controls(run, is_recipient, out);
		/* a "no" holds, whatever else could not be known */
		out->is_deferred = (canonified == CF_TEMPFAIL || parsed == CF_TEMPFAIL) && !out->is_refused && (out->mailer != NULL || cf_address_is_temporary(out));
		out->is_broken = canonified == CF_CONFIG || parsed == CF_CONFIG;
		if (out->is_broken)
			run->complaint = fault;
		good = true;
	}
	cf_run_type(run, NULL);
	return good;
}

/* other forms ----------------------------------------------------------- */

static uint16_t set_for(const struct cf_mailer *mailer, uint32_t which)
{
	switch (which) {
	case PR_REWRITE_ENVELOPE_SENDER: return mailer->sender_envelope;
	case PR_REWRITE_HEADER_SENDER: return mailer->sender_header;
	case PR_REWRITE_ENVELOPE_RECIPIENT: return mailer->recipient_envelope;
	default: return mailer->recipient_header;
	}
}

static const char *type_of(uint32_t which)
{
	switch (which) {
	case PR_REWRITE_ENVELOPE_SENDER: return "e s";
	case PR_REWRITE_HEADER_SENDER: return "h s";
	case PR_REWRITE_ENVELOPE_RECIPIENT: return "e r";
	default: return "h r";
	}
}

int cf_remote(struct cf_run *run, struct pr_str text, const struct cf_mailer *mailer, uint32_t which, bool is_canonical, struct pr_str *out)
{
	bool is_sender = which == PR_REWRITE_ENVELOPE_SENDER || which == PR_REWRITE_HEADER_SENDER;
	struct cf_tokens *tokens = &run->thread->address;
	struct pr_text *frame = &run->thread->frame, *result = &run->thread->framed;
	int status = CF_OK;

	*out = text;
	run->about = text;
	cf_run_type(run, type_of(which));
	pr_text_clear(frame);
	pr_text_clear(result);
	if (is_canonical || cf_mailer_has(mailer, 'c'))
		pr_text_add_c(frame, CF_FRAME_MARK);
	else
		cf_crack(text, !run->cf->colon_ok, run->cf->must_quote, frame);
	if (cut(run, text, tokens)) {
		status = cf_rewrite(run, 3, tokens) == CF_TEMPFAIL ? CF_TEMPFAIL : CF_OK;
		if (run->domain.len > 0)
			cf_lend_domain(run, tokens);
		cf_rewrite(run, is_sender ? 1 : 2, tokens);
		rewrite_own(run, set_for(mailer, which), tokens);
		cf_rewrite(run, 4, tokens);
		struct pr_str address = cf_join_arena(&run->cf->alphabet, tokens->at, tokens->count, '\0', run->call->arena);
		cf_frame_print(pr_text_str(frame), pr_str_slice(address, 0, ADDRESS_SHOWN_MAX), result);
		if (result->len > FRAMED_SHOWN_MAX)
			pr_text_cut(result, FRAMED_SHOWN_MAX);
		*out = pr_arena_copy(run->call->arena, pr_text_str(result));
	} else if (pr_str_equal(run->complaint, PR_STR(CF_ADDRESS_TOO_LONG))) {
		*out = pr_str_slice(text, 0, FRAMED_SHOWN_MAX);
	}
	cf_run_type(run, NULL);
	return status;
}
