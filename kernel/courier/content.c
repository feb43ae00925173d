/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options, flags and the envelope, put into the words of kernel/mail/mime.h.
 */
#include "kernel/courier/content.h"

static const struct options *options_of(const struct module_instance *mailer)
{
	return module_mailer_options(mailer);
}

void content_settings(const struct module_instance *mailer, const struct pr_envelope *envelope, struct mime_settings *settings_out)
{
	const struct options *options = options_of(mailer);

	*settings_out = (struct mime_settings){.host_name = options->host_name, .id = envelope->id, .charset = options->default_charset,
	    .never = options->mime_never, .quoted = options->mime_quoted, .encodable = options->mime_encodable, .messages = options->mime_messages,
	    .quote_from = module_mailer_has_flag(mailer, 'E'), .ebcdic = module_mailer_has_flag(mailer, '3')};
	options_mime_limits(options, &settings_out->header_max, &settings_out->field_max);
}

enum mime_form content_form(const struct module_instance *mailer, const struct pr_envelope *envelope, uint32_t offers, bool *strip_out)
{
	const struct options *options = options_of(mailer);
	bool offers_eight = offers != CONTENT_HOST_UNKNOWN && (offers & PR_OFFERS_EIGHT_BIT) != 0;
	struct mime_question question = {.fields = envelope->headers, .count = envelope->header_count, .mode = options->eight_bit_mode.data[0],
	    .has_eight_bits = (envelope->flags & PR_ENVELOPE_EIGHT_BIT) != 0, .seven = module_mailer_has_flag(mailer, '7'),
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
