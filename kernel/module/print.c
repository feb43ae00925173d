/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prints field by field, asking the rules once for each different address: answers are remembered for the length of
 * one header, since From, Sender and Reply-To mostly name the same person.
 * The conditions and the Return-Path are decided here because only the kernel knows a mailer's flags.
 */
#include "kernel/module/print.h"

#include "kernel/mail/header.h"
#include "kernel/mail/mime_limit.h"
#include <postrider/address.h>
#include <string.h>

#define REMEMBERED 8

struct answer {
	enum pr_rewrite which;
	struct pr_str address;
	struct pr_str rewritten;
};

struct printer {
	struct module_scope *scope;
	struct pr_str mailer;
	const struct module_instance *instance;
	enum pr_rewrite which;
	enum pr_status failed;
	size_t count;
	struct answer answers[REMEMBERED];
};

static struct pr_str rewrite(void *context, struct pr_str address)
{
	struct printer *printer = context;
	struct pr_str rewritten = address;

	for (size_t i = 0; i < printer->count && i < REMEMBERED; i++)
		if (printer->answers[i].which == printer->which && pr_str_equal(printer->answers[i].address, address))
			return printer->answers[i].rewritten;
	enum pr_status status = rules_rewrite(printer->scope, printer->which, printer->mailer, address, &rewritten);
	if (status == PR_TEMPFAIL)
		printer->failed = PR_TEMPFAIL; /* a wrong address in a header cannot be taken back: wait */
	if (status != PR_OK || rewritten.data == NULL)
		return address;
	/* what the rules return goes into a header: never a line end */
	if (memchr(rewritten.data, '\n', rewritten.len) != NULL || memchr(rewritten.data, '\r', rewritten.len) != NULL)
		return address;
	printer->answers[printer->count++ % REMEMBERED] = (struct answer){printer->which, address, rewritten};
	return rewritten;
}

static bool condition_holds(const struct printer *printer, struct pr_str condition)
{
	if (condition.len == 0)
		return true;
	for (size_t i = 0; i < condition.len; i++)
		if (printer->instance != NULL && module_mailer_has_flag(printer->instance, condition.data[i]))
			return true;
	return false;
}

/* Blind copies of mail that only passes through are its author's business; sendmail -t has taken its own away. */
static bool is_left_out(const struct printer *printer, const struct pr_envelope *envelope, const struct pr_header *field)
{
	if (pr_str_equal_nocase(field->name, PR_STR("Return-Path"))) /* only we know what it was */
		return true;
	bool blind = pr_str_equal_nocase(field->name, PR_STR("Bcc")) || pr_str_equal_nocase(field->name, PR_STR("Resent-Bcc"));
	if (blind && (envelope->flags & PR_ENVELOPE_DELETE_BCC) != 0)
		return true;
	const struct module_content *content = printer->scope->content;
	if (content != NULL && content->mime != NULL && mime_omits(content->mime, field->name)) /* it is told anew behind all others */
		return true;
	return !condition_holds(printer, field->condition);
}

/* A field of MIME that is longer than MaxMimeHeaderLength lets it be. */
static struct pr_str shortened(const struct printer *printer, const struct pr_header *field)
{
	const struct module_content *content = printer->scope->content;
	struct pr_text text;

	if (content == NULL || !mime_limit_is_passed(content->settings.header_max, content->settings.field_max, field->name, field->value))
		return field->value;
	pr_text_init(&text, field->value.len + 2);
	mime_limit_print(content->settings.header_max, content->settings.field_max, field->name, field->value, &text);
	struct pr_str copy = pr_arena_copy(printer->scope->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return copy.data != NULL ? copy : field->value;
}

static void print_field(struct printer *printer, const struct pr_header *field, struct pr_text *out)
{
	struct pr_str value = shortened(printer, field);
	bool sender = header_is_sender(field->name);

	if (sender || header_is_recipient(field->name)) {
		printer->which = sender ? PR_REWRITE_HEADER_SENDER : PR_REWRITE_HEADER_RECIPIENT;
		struct pr_str rewritten;
		/* a value that is no address list stays as it is */
		bool bare = printer->instance != NULL && module_mailer_has_flag(printer->instance, 'c');
		if ((bare ? header_bare_addresses : header_rewrite_addresses)(field->name, value, rewrite, printer, printer->scope->arena, &rewritten) == PR_OK && rewritten.data != NULL)
			value = rewritten;
	}
	pr_text_add_str(out, field->name);
	pr_text_add_byte(out, ':');
	if (value.len > 0 && value.data[0] != ' ' && value.data[0] != '\t' && value.data[0] != '\n')
		pr_text_add_byte(out, ' ');
	pr_text_add_str(out, value);
	pr_text_add_byte(out, '\n');
}

/* Where the Return-Path stands when it is not the first field. */
static bool is_place(const struct pr_header *field)
{
	return pr_str_equal_nocase(field->name, PR_STR("Return-Path")) && pr_str_equal(field->value, PR_STR(MAIL_RETURN_PATH));
}

static bool has_place(const struct pr_envelope *envelope)
{
	for (size_t i = 0; i < envelope->header_count; i++)
		if (is_place(&envelope->headers[i]))
			return true;
	return false;
}

static void print_return_path(struct printer *printer, const struct pr_envelope *envelope, struct pr_text *out)
{
	struct pr_str sender = pr_address_inner(envelope->sender);

	if (printer->instance == NULL || !module_mailer_has_flag(printer->instance, 'P'))
		return;
	/* the null sender is shown by name in mailboxes; rules that read addresses themselves have made a name of it where one is wanted */
	if (sender.len == 0 && !rules_take_any_address(module_thread_set(printer->scope->thread)))
		sender = PR_STR("MAILER-DAEMON");
	pr_text_add_c(out, "Return-Path: <");
	pr_text_add_str(out, sender);
	pr_text_add_c(out, ">\n");
}

/* All that is there, a From line that the mailer put before it too. */
static void give_shape(const struct module_instance *mailer, bool strip_high, struct pr_text *out)
{
	struct shape shape = module_mailer_shape(mailer);
	struct shaper shaper;
	struct pr_text shaped;

	shape.quote_from = shape.blank_end = false; /* of bodies */
	if (strip_high || module_mailer_has_flag(mailer, '6'))
		for (size_t i = 0; i < out->len; i++)
			out->data[i] &= 0x7f;
	shaper_init(&shaper, &shape);
	if (shape_is_plain(&shape) || shaper_passes(&shaper, pr_text_str(out)))
		return;
	pr_text_init(&shaped, out->max);
	shaper_feed(&shaper, pr_text_str(out), &shaped);
	shaper_finish(&shaper, &shaped);
	pr_text_clear(out);
	pr_text_add_str(out, pr_text_str(&shaped));
	out->overflow = out->overflow || shaped.overflow;
	pr_text_fini(&shaped);
}

static enum pr_status print_all(struct module_scope *scope, struct pr_str mailer, const struct pr_envelope *envelope, struct pr_text *out)
{
	struct printer printer = {.scope = scope, .mailer = mailer};

	printer.instance = module_find(module_thread_set(scope->thread), PR_KIND_MAILER, mailer);
	if (!has_place(envelope))
		print_return_path(&printer, envelope, out);
	for (size_t i = 0; i < envelope->header_count && printer.failed == PR_OK; i++)
		if (is_place(&envelope->headers[i]))
			print_return_path(&printer, envelope, out);
		else if (!is_left_out(&printer, envelope, &envelope->headers[i]))
			print_field(&printer, &envelope->headers[i], out);
	if (scope->content != NULL && scope->content->mime != NULL)
		pr_text_add_str(out, mime_head(scope->content->mime));
	pr_text_add_byte(out, '\n');
	if (printer.failed != PR_OK)
		return printer.failed;
	if (printer.instance != NULL)
		give_shape(printer.instance, scope->content != NULL && scope->content->strip_high, out);
	if (out->overflow) {
		scope->reason = PR_STR("header too large");
		return PR_PERMFAIL;
	}
	return PR_OK;
}

/* A message to many recipients is printed for each batch of them: what that takes must not add up in the message's own arena. */
enum pr_status print_header(struct module_scope *scope, struct pr_str mailer, const struct pr_envelope *envelope,
                            struct pr_text *out)
{
	struct pr_arena *outer = scope->arena, scratch;
	struct pr_str before = scope->reason;

	pr_arena_init(&scratch, outer->max);
	scope->arena = &scratch;
	enum pr_status status = print_all(scope, mailer, envelope, out);
	scope->arena = outer;
	scope->reason = status == PR_OK ? before : pr_arena_copy(outer, scope->reason);
	pr_arena_fini(&scratch);
	return status;
}
