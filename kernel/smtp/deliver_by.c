/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BY= of MAIL (RFC 2852): by when a message must be delivered, and what happens if it is not.
 * "120;R" gives it back after two minutes, "120;N" only tells, a T behind either asks every host on the way to report.  A time that is
 * over already is good with N only.
 */
#include "kernel/smtp/internal.h"

#define SECONDS_MAX 999999999 /* nine digits, RFC 2852 section 4 */

/* "-10" as sendmail reads it: nothing at all is 0.  False: what stands there is no number. */
static bool take_seconds(struct pr_str text, int64_t *seconds_out)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	size_t sign = text.len > 0 && (negative || text.data[0] == '+') ? 1 : 0;
	uint64_t number = 0;

	text = pr_str_slice(text, sign, text.len);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (number <= SECONDS_MAX) /* beyond that it is too much, however much it is */
			number = 10 * number + (uint64_t)(text.data[i] - '0');
	}
	*seconds_out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static char capital(char letter)
{
	return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static bool take_letters(struct smtp_machine *machine, struct pr_str letters)
{
	char first = letters.len > 0 ? letters.data[0] : '?', second = letters.len > 1 ? letters.data[1] : '?', mode = capital(first);

	if (mode != 'R' && mode != 'N') {
		smtp_reply(machine, 501, "5.5.2", "illegal by-mode '%c'", first);
		return false;
	}
	if (letters.len > 1 && capital(second) != 'T') {
		smtp_reply(machine, 501, "5.5.2", "illegal by-trace '%c'", second);
		return false;
	}
	machine->question.by_mode = mode;
	machine->question.by_trace = letters.len > 1;
	return true;
}

bool smtp_take_by(struct smtp_machine *machine, struct pr_str value)
{
	int64_t seconds = 0, least = machine->settings->deliver_by_min;

	if (value.data == NULL) {
		smtp_reply(machine, 501, "5.5.2", "BY= requires a value");
		return false;
	}
	size_t semicolon = pr_str_find(value, ';');
	if (semicolon == value.len || !take_seconds(pr_str_slice(value, 0, semicolon), &seconds)) {
		smtp_reply(machine, 501, "5.5.2", "BY= missing ';'");
		return false;
	}
	if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX) {
		smtp_reply(machine, 501, "5.5.2", "BY=%s out of range", smtp_shorten(value).text);
		return false;
	}
	if (!take_letters(machine, pr_str_slice(value, semicolon + 1, value.len)))
		return false;
	if (machine->question.by_mode == 'R' && seconds <= 0) {
		smtp_reply(machine, 501, "5.5.4", "mode R requires BY time > 0");
		return false;
	}
	if (machine->question.by_mode == 'R' && least > 0 && seconds < least) {
		smtp_reply(machine, 555, "5.5.2", "time %lld less than %lld", (long long)seconds, (long long)least);
		return false;
	}
	machine->question.by_seconds = seconds;
	return true;
}
