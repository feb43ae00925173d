/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options, flags and the envelope, put into the words of kernel/mail/mime.h.
 */
#include "kernel/courier/content.h"

#include <postrider/address.h>

static const struct options *options_of(const struct module_instance *mailer)
{
	return module_mailer_options(mailer);
}

/* C= of the mailer that mail for the sender goes to: what he writes in.  It is asked for only when it will be said. */
static struct pr_str charset_of(struct module_scope *scope, const struct pr_envelope *envelope, struct pr_str usual)
{
	struct pr_str sender = pr_address_inner(envelope->sender);
	struct pr_route route = {.size = sizeof route};

	if (sender.len == 0 || (envelope->flags & PR_ENVELOPE_EIGHT_BIT) == 0 || pr_envelope_header(envelope, PR_STR("Content-Type")) != NULL ||
	    rules_resolve(scope, sender, PR_STR(""), &route) != PR_OK)
		return usual;
	struct module_instance *mailer = module_find(module_thread_set(scope->thread), PR_KIND_MAILER, route.mailer);
	struct pr_str charset = mailer != NULL ? module_config(mailer)->charset : PR_NONE;
	return charset.len > 0 ? charset : usual;
}

void content_settings(struct module_scope *scope, const struct module_instance *mailer, const struct pr_envelope *envelope,
    struct mime_settings *settings_out)
{
	const struct options *options = options_of(mailer);

	*settings_out = (struct mime_settings){.host_name = options->host_name, .id = envelope->id, .charset = charset_of(scope, envelope, options->default_charset),
	    .never = options->mime_never, .quoted = options->mime_quoted, .encodable = options->mime_encodable, .messages = options->mime_messages,
	    .quote_from = module_mailer_has_flag(mailer, 'E'), .ebcdic = module_mailer_has_flag(mailer, '3')};
	options_mime_limits(options, &settings_out->header_max, &settings_out->field_max);
}

enum mime_form content_form(const struct module_instance *mailer, const struct pr_envelope *envelope, uint32_t offers, bool *strip_out)
{
	const struct options *options = options_of(mailer);
	bool offers_eight = offers != CONTENT_HOST_UNKNOWN && (offers & PR_OFFERS_EIGHT_BIT) != 0;
	struct mime_question question = {.fields = envelope->headers, .count = envelope->header_count, .mode = options->eight_bit_mode.data[0],
	    .has_eight_bits = (envelope->flags & PR_ENVELOPE_EIGHT_BIT) != 0, .said_mime = pr_str_equal_nocase(envelope->body_type, PR_STR("8BITMIME")), .seven = module_mailer_has_flag(mailer, '7'),
	    .eight = module_mailer_has_flag(mailer, '8'), .nine = module_mailer_has_flag(mailer, '9'),
	    .lacks_8bitmime = offers != CONTENT_HOST_UNKNOWN && !offers_eight};
	int64_t header_max, field_max;

	options_mime_limits(options, &header_max, &field_max);
	question.has_limits = header_max > 0 || field_max > 0;
	*strip_out = question.seven && question.has_eight_bits && !offers_eight;
	return mime_choose(&question);
}

uint32_t content_holds(const struct pr_envelope *envelope, enum mime_form form)
{
	bool high = form != MIME_TO_SEVEN && (form == MIME_TO_EIGHT || (envelope->flags & PR_ENVELOPE_EIGHT_BIT) != 0);

	return high ? PR_CONTENT_EIGHT_BIT : 0;
}
