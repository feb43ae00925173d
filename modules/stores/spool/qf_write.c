/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An envelope as a V8 control file, in the order sendmail writes it.
 * What sendmail has no line for stands in macro lines, which it reads, understands as macros nobody uses, and forgets:
 *
 *   ${postrider_rcpt}STATE ENHANCED REMOTE    before an R line: what we know beyond M
 *   ${postrider_done}...                      a delivered recipient; must be no R line, or sendmail would deliver again
 *   ${postrider_body}BYTES                    of df, which may be cut short some day
 *   ${postrider_summed}                       a sum must follow, so damage cannot hide it
 *   ${postrider_sum}HEX                       over all S A C Q r R and ${postrider_ lines
 *
 * The sum is there because one flipped bit in an address is another address.  Who edits addresses by
 * hand removes both ${postrider_sum...} lines, and who edits a body the ${postrider_body} line too; all other lines may be edited freely.
 *
 * Nothing that would become a line of its own is written: control bytes in an address or a header name refuse the
 * message; in a status or macro, which are only shown, they become blanks.
 */
#include "spool.h"

#include <postrider/address.h>

#include <inttypes.h>
#include <string.h>

struct writer {
	struct pr_call *call;
	struct pr_text *out;
	uint64_t sum;
	struct pr_str owner, alias; /* of the last C line */
	uint32_t uid, gid;
};

uint64_t qf_sum(uint64_t sum, struct pr_str line)
{
	if (line.len == 0 || (strchr("SACQrR", line.data[0]) == NULL &&
	                      !pr_str_has_prefix_nocase(line, PR_STR("${postrider_"))))
		return sum;
	for (size_t i = 0; i < line.len; i++)
		sum = (sum ^ (unsigned char)line.data[i]) * 0x100000001b3u;
	return (sum ^ '\n') * 0x100000001b3u;
}

static bool has_control(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

/* Ends the line begun at `start` and counts it into the sum. */
static void end_line(struct writer *w, size_t start)
{
	struct pr_str line = pr_str_slice(pr_text_str(w->out), start, w->out->len);

	w->sum = qf_sum(w->sum, line);
	pr_text_add_byte(w->out, '\n');
}

/* A line that names somebody: refused rather than changed. */
static enum pr_status put_exact(struct writer *w, const char *letter, struct pr_str value, const char *what)
{
	size_t start = w->out->len;

	if (has_control(value))
		return pr_fail(w->call, PR_PERMFAIL, "%s holds a control character", what);
	if (value.len > SPOOL_LINE_MAX)
		return pr_fail(w->call, PR_PERMFAIL, "%s is longer than %u bytes", what, SPOOL_LINE_MAX);
	pr_text_add_c(w->out, letter);
	pr_text_add_str(w->out, value);
	end_line(w, start);
	return PR_OK;
}

/* A line for people: control bytes become blanks. */
static void put_shown(struct writer *w, const char *letter, struct pr_str value)
{
	pr_text_add_c(w->out, letter);
	for (size_t i = 0; i < value.len && i < SPOOL_LINE_MAX; i++) {
		unsigned char c = (unsigned char)value.data[i];

		pr_text_add_byte(w->out, (c < ' ' && c != '\t') || c == 0x7f ? ' ' : (char)c);
	}
	pr_text_add_byte(w->out, '\n');
}

static void put_flags(struct writer *w, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		char letter;
	} letters[] = {
		{ PR_ENVELOPE_EIGHT_BIT, '8' }, { PR_ENVELOPE_DELETE_BCC, 'b' }, { PR_ENVELOPE_RET_GIVEN, 'd' }, { PR_ENVELOPE_UTF8, 'e' },
		{ PR_ENVELOPE_RET_HEADERS, 'n' }, { PR_ENVELOPE_RESPONSE, 'r' }, { PR_ENVELOPE_SPLIT, 's' },
		{ PR_ENVELOPE_WARNED, 'w' },
	};
	size_t start = w->out->len;

	pr_text_add_byte(w->out, 'F');
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if ((flags & letters[i].flag) != 0)
			pr_text_add_byte(w->out, letters[i].letter);
	if (w->out->len == start + 1)
		pr_text_cut(w->out, start);
	else
		pr_text_add_byte(w->out, '\n');
}

/* sendmail's deliver-by line, carried along: a byte of flags, which is a control byte, and the seconds. */
static enum pr_status put_deliver_by(struct writer *w, struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (strchr("\r\n", value.data[i]) != NULL) /* and NUL */
			return pr_fail(w->call, PR_PERMFAIL, "the deliver-by line holds a line end");
	pr_text_add_byte(w->out, '!');
	pr_text_add_str(w->out, value);
	pr_text_add_byte(w->out, '\n');
	return PR_OK;
}

static enum pr_status put_macro(struct writer *w, const struct pr_macro *macro)
{
	struct pr_text name;

	if (pr_str_equal(macro->name, PR_STR("!")))
		return put_deliver_by(w, macro->value);
	if (macro->name.len == 0 || macro->name.len > 64 || has_control(macro->name) ||
	    pr_str_find(macro->name, '}') != macro->name.len || pr_str_has_prefix_nocase(macro->name, PR_STR("postrider_")))
		return pr_fail(w->call, PR_PERMFAIL, "a macro has no name that can be stored");
	pr_text_init(&name, 128);
	if (macro->name.len == 1)
		pr_text_addf(&name, "$%c", macro->name.data[0]);
	else
		pr_text_addf(&name, "${%.*s}", PR_PRINT(macro->name));
	put_shown(w, name.data, macro->value);
	pr_text_fini(&name);
	return PR_OK;
}

/* "=xtext" or "-" when absent */
static void put_field(struct writer *w, struct pr_str value)
{
	if (value.data == NULL) {
		pr_text_add_c(w->out, " -");
		return;
	}
	pr_text_add_c(w->out, " =");
	pr_xtext_encode(value, w->out);
}

static void put_recipient_flags(struct writer *w, uint32_t flags)
{
	static const char letters[] = "PNSFDAB"; /* PR_RECIPIENT_... in the order of their bits */

	for (size_t i = 0; letters[i] != '\0'; i++)
		if ((flags & (1u << i)) != 0)
			pr_text_add_byte(w->out, letters[i]);
}

/* The C line stands until the next one. */
static enum pr_status put_owner(struct writer *w, const struct pr_recipient *r)
{
	struct pr_text line;
	enum pr_status status;

	if (pr_str_equal(w->owner, r->owner) && pr_str_equal(w->alias, r->alias) && w->uid == r->owner_uid && w->gid == r->owner_gid)
		return PR_OK;
	if (pr_str_find(r->owner, ':') != r->owner.len)
		return pr_fail(w->call, PR_PERMFAIL, "the owner of a recipient holds a colon");
	pr_text_init(&line, 2 * SPOOL_LINE_MAX);
	if (r->owner.len > 0 || r->owner_uid != 0 || r->owner_gid != 0)
		pr_text_addf(&line, "%.*s:%" PRIu32 ":%" PRIu32 ":", PR_PRINT(r->owner), r->owner_uid, r->owner_gid);
	else if (r->alias.len > 0)
		pr_text_add_byte(&line, ':');
	pr_text_add_str(&line, r->alias);
	status = put_exact(w, "C", pr_text_str(&line), "the owner of a recipient");
	pr_text_fini(&line);
	w->owner = r->owner;
	w->alias = r->alias;
	w->uid = r->owner_uid;
	w->gid = r->owner_gid;
	return status;
}

static enum pr_status put_original(struct writer *w, struct pr_str original)
{
	size_t start = w->out->len;

	if (original.data == NULL)
		return PR_OK;
	if (has_control(original))
		return pr_fail(w->call, PR_PERMFAIL, "an original recipient holds a control character");
	pr_text_add_byte(w->out, 'Q');
	pr_xtext_encode(original, w->out);
	end_line(w, start);
	return PR_OK;
}

static enum pr_status put_done(struct writer *w, const struct pr_recipient *r)
{
	size_t start = w->out->len;

	if (has_control(r->address))
		return pr_fail(w->call, PR_PERMFAIL, "a recipient holds a control character");
	pr_text_add_c(w->out, "${postrider_done}=");
	put_recipient_flags(w, r->flags);
	pr_text_addf(w->out, " %" PRIu32 " %" PRIu32, r->owner_uid, r->owner_gid);
	put_field(w, r->address);
	put_field(w, r->original);
	put_field(w, r->final);
	put_field(w, r->owner);
	put_field(w, r->alias);
	put_field(w, r->status);
	put_field(w, r->enhanced);
	put_field(w, r->remote);
	end_line(w, start);
	return PR_OK;
}

static void put_result(struct writer *w, const struct pr_recipient *r)
{
	size_t start = w->out->len;
	uint32_t state = r->status.data == NULL ? PR_RECIPIENT_WAITING : PR_RECIPIENT_DEFERRED;

	if (r->status.data != NULL)
		put_shown(w, "M", r->status);
	if (r->state == state && r->enhanced.data == NULL && r->remote.data == NULL)
		return;
	start = w->out->len;
	pr_text_addf(w->out, "${postrider_rcpt}%" PRIu32, r->state);
	put_field(w, r->enhanced);
	put_field(w, r->remote);
	end_line(w, start);
}

static enum pr_status put_recipient(struct writer *w, const struct pr_recipient *r)
{
	enum pr_status status;
	struct pr_str final = pr_address_inner(r->final.data == NULL ? r->address : r->final);
	size_t start;

	if (r->address.len == 0)
		return pr_fail(w->call, PR_PERMFAIL, "a recipient is empty");
	if (r->state > PR_RECIPIENT_DEFERRED)
		return pr_fail(w->call, PR_PERMFAIL, "a recipient is in no known state");
	if (r->state == PR_RECIPIENT_DELIVERED)
		return put_done(w, r);
	if ((status = put_owner(w, r)) != PR_OK)
		return status;
	put_result(w, r);
	if ((status = put_original(w, r->original)) != PR_OK)
		return status;
	/* programs and files have no address of their own to report */
	if ((r->final.data != NULL || (r->address.data[0] != '|' && r->address.data[0] != '/')) &&
	    (status = put_exact(w, "rRFC822; ", final, "a final recipient")) != PR_OK)
		return status;
	if (has_control(r->address) || r->address.len > SPOOL_LINE_MAX)
		return pr_fail(w->call, PR_PERMFAIL, "a recipient holds a control character or is too long");
	start = w->out->len;
	pr_text_add_byte(w->out, 'R');
	put_recipient_flags(w, r->flags);
	pr_text_add_byte(w->out, ':');
	pr_text_add_str(w->out, r->address);
	end_line(w, start);
	return PR_OK;
}

/* Every line end inside a value is followed by white space, or the next line would be somebody's choice. */
static bool header_is_safe(const struct pr_header *header)
{
	if (header->name.len == 0 || has_control(header->name) || pr_str_find(header->name, ':') != header->name.len ||
	    has_control(header->condition) || pr_str_find(header->condition, '?') != header->condition.len)
		return false;
	for (size_t i = 0; i < header->value.len; i++)
		if (header->value.data[i] == '\n' &&
		    (i + 1 == header->value.len || (header->value.data[i + 1] != ' ' && header->value.data[i + 1] != '\t')))
			return false;
	return true;
}

static enum pr_status put_headers(struct writer *w, const struct pr_envelope *e)
{
	for (size_t i = 0; i < e->header_count; i++) {
		const struct pr_header *header = &e->headers[i];

		if (!header_is_safe(header))
			return pr_fail(w->call, PR_PERMFAIL, "a header field cannot be stored as one field");
		pr_text_add_c(w->out, "H?");
		pr_text_add_str(w->out, header->condition);
		pr_text_add_byte(w->out, '?');
		pr_text_add_str(w->out, header->name);
		pr_text_add_byte(w->out, ':');
		pr_text_add_str(w->out, header->value);
		pr_text_add_byte(w->out, '\n');
	}
	return PR_OK;
}

static enum pr_status put_counters(struct writer *w, const struct pr_envelope *e)
{
	pr_text_addf(w->out, "V8\nT%" PRId64 "\nK%" PRId64 "\nN%" PRId64 "\nP%" PRId64 "\n", e->created, e->last_try, e->tries, e->priority);
	if (e->body_type.data != NULL)
		put_shown(w, "B", e->body_type);
	if (e->quarantine.data != NULL)
		put_shown(w, "q", e->quarantine);
	if (e->message.data != NULL)
		put_shown(w, "M", e->message);
	put_flags(w, e->flags);
	for (size_t i = 0; i < e->macro_count; i++)
		if (put_macro(w, &e->macros[i]) != PR_OK)
			return PR_PERMFAIL;
	return PR_OK;
}

static void put_own_line(struct writer *w, const char *line)
{
	size_t start = w->out->len;

	pr_text_add_c(w->out, line);
	end_line(w, start);
}

static void put_body_size(struct writer *w, int64_t size)
{
	size_t start = w->out->len;

	pr_text_addf(w->out, "${postrider_body}%" PRId64, size);
	end_line(w, start);
}

bool qf_is_own(const struct pr_envelope *e)
{
	return (e->flags & PR_ENVELOPE_RESPONSE) != 0 && pr_address_inner(e->sender).len == 0;
}

static enum pr_status put_sender(struct writer *w, const struct pr_envelope *e)
{
	enum pr_status status;

	if (e->body_size > 0)
		put_body_size(w, e->body_size);
	put_own_line(w, "${postrider_summed}");
	status = put_exact(w, "S", qf_is_own(e) ? PR_STR(QF_OWN_SENDER) : e->sender, "the sender");

	if (status == PR_OK && e->envelope_id.data != NULL) {
		pr_text_add_byte(w->out, 'Z');
		pr_xtext_encode(e->envelope_id, w->out);
		pr_text_add_byte(w->out, '\n');
	}
	if (status == PR_OK && e->auth.data != NULL)
		status = put_exact(w, "A", e->auth, "the AUTH parameter");
	return status;
}

enum pr_status qf_write(struct pr_call *call, const struct pr_envelope *e, struct pr_text *out)
{
	struct writer w = { .call = call, .out = out, .sum = QF_SUM_START };
	enum pr_status status = put_counters(&w, e);

	if (status == PR_OK)
		status = put_sender(&w, e);
	for (size_t i = 0; i < e->recipient_count && status == PR_OK; i++)
		status = put_recipient(&w, &e->recipients[i]);
	pr_text_addf(out, "${postrider_sum}%016" PRIx64 "\n", w.sum);
	if (status == PR_OK)
		status = put_headers(&w, e);
	pr_text_add_c(out, ".\n");
	if (status == PR_OK && out->overflow != 0)
		return pr_fail(call, PR_PERMFAIL, "the envelope and header are larger than %u bytes", SPOOL_CONTROL_MAX);
	return status;
}
