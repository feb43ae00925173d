/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What no store may take: a line end inside an address would become a line of its own in every store that writes lines, and
 * in every reply.
 */
#include "memory.h"

bool memory_is_one_line(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n' || text.data[i] == '\r' || text.data[i] == '\0')
			return false;
	return true;
}

/* Inner line ends of a field are followed by white space, or they begin another field. */
static bool is_folded(struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '\n' && (i + 1 == value.len || (value.data[i + 1] != ' ' && value.data[i + 1] != '\t')))
			return false;
	return true;
}

static bool is_sane_recipient(const struct pr_recipient *recipient)
{
	const struct pr_str texts[] = { recipient->address, recipient->original, recipient->final,    recipient->owner,
		                            recipient->alias,   recipient->status,   recipient->enhanced, recipient->remote };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!memory_is_one_line(texts[i]))
			return false;
	return recipient->address.len > 0;
}

bool memory_is_sane(const struct pr_envelope *envelope)
{
	const struct pr_str texts[] = { envelope->sender,  envelope->body_type, envelope->envelope_id, envelope->auth,
		                            envelope->message, envelope->quarantine };
	bool sane = envelope->recipient_count > 0;

	for (size_t i = 0; sane && i < sizeof texts / sizeof texts[0]; i++)
		sane = memory_is_one_line(texts[i]);
	for (size_t i = 0; sane && i < envelope->recipient_count; i++)
		sane = is_sane_recipient(&envelope->recipients[i]);
	for (size_t i = 0; sane && i < envelope->header_count; i++)
		sane = memory_is_one_line(envelope->headers[i].name) && is_folded(envelope->headers[i].value);
	for (size_t i = 0; sane && i < envelope->macro_count; i++)
		sane = memory_is_one_line(envelope->macros[i].name) && memory_is_one_line(envelope->macros[i].value);
	return sane;
}
