/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules of the header, in that order: the first that fits decides.
 */
#include "kernel/mail/mime_form.h"

#include "kernel/mail/mime_type.h"

static bool is_mime(const struct mime_question *question)
{
	return mime_field(question->fields, question->count, PR_STR("MIME-Version")) != NULL;
}

static bool must_be_seven(const struct mime_question *question)
{
	if (!question->has_eight_bits)
		return false;
	return question->seven || (question->lacks_8bitmime && !question->eight && (question->mode != 'p' || question->said_mime || is_mime(question)));
}

enum mime_form mime_choose(const struct mime_question *question)
{
	if (must_be_seven(question))
		return MIME_TO_SEVEN;
	if (question->nine && !question->seven && mime_is_encoded_text(question->fields, question->count))
		return MIME_TO_EIGHT;
	if (question->has_eight_bits && question->mode == 'm' && !question->eight && !is_mime(question))
		return MIME_LABELLED;
	return question->has_limits && mime_has_parts(question->fields, question->count) ? MIME_CHECKED : MIME_AS_IT_IS;
}
