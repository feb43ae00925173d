/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line before a message in an mbox, a file or a program's input: "From joe@example.org  Fri Nov 20 12:32:14 2026".
 */
#ifndef MAILERS_LOCAL_UNIX_FROM_H
#define MAILERS_LOCAL_UNIX_FROM_H

#include <postrider/address.h>
#include <postrider/envelope.h>
#include <time.h>

/* The sender's bytes that could end the line or the word are replaced; the null sender is MAILER-DAEMON. */
static inline bool unix_from_add(struct pr_text *out, const struct pr_envelope *envelope)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct pr_str sender = pr_address_inner(envelope->sender);
	time_t now = time(NULL);
	struct tm t;

	if (sender.len == 0)
		sender = PR_STR("MAILER-DAEMON");
	(void)localtime_r(&now, &t);
	(void)pr_text_add_c(out, "From ");
	for (size_t i = 0; i < sender.len; i++)
		(void)pr_text_add_byte(out, sender.data[i] <= ' ' && sender.data[i] >= 0 ? '_' : sender.data[i]);
	return pr_text_addf(out, "  %s %s %2d %02d:%02d:%02d %d\n", days[t.tm_wday % 7], months[t.tm_mon % 12], t.tm_mday,
	                    t.tm_hour, t.tm_min, t.tm_sec, t.tm_year + 1900);
}

#endif
