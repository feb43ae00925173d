/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When a message is returned and when its sender is warned: Timeout.queuereturn and .queuewarn, by class.
 * The class is what the author asked for in Priority:, as in sendmail; a notice of our own that carries none has a class to itself.
 */
#include "kernel/courier/internal.h"

static enum timeout_class class_of(const struct pr_envelope *envelope)
{
	static const struct {
		struct pr_str word;
		enum timeout_class class;
	} words[] = {{{"urgent", 6}, TIMEOUT_URGENT}, {{"normal", 6}, TIMEOUT_NORMAL}, {{"non-urgent", 10}, TIMEOUT_NON_URGENT}};
	const struct pr_header *field = pr_envelope_header(envelope, PR_STR("Priority"));

	for (size_t i = 0; field != NULL && i < sizeof words / sizeof words[0]; i++)
		if (pr_str_equal_nocase(pr_str_trim(field->value), words[i].word))
			return words[i].class;
	return (envelope->flags & PR_ENVELOPE_RESPONSE) != 0 ? TIMEOUT_DSN : TIMEOUT_NORMAL;
}

int64_t job_return_after(const struct job *job)
{
	const struct options *options = job->courier->options;
	int64_t own = options->timeout_return_of[class_of(job->envelope)];

	return own >= 0 ? own : options->timeout_queuereturn;
}

int64_t job_warn_after(const struct job *job)
{
	const struct options *options = job->courier->options;
	int64_t own = options->timeout_warn_of[class_of(job->envelope)];

	return own >= 0 ? own : options->timeout_queuewarn;
}
