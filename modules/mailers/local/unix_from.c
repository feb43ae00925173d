/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two macros are made here, the sender and the date; the rest is the kernel's.  Whatever they hold, it stays one line.
 */
#include "unix_from.h"

#include <postrider/address.h>
#include <time.h>

static void add_date(struct pr_text *out)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm t;

	(void)localtime_r(&now, &t);
	pr_text_addf(out, "%s %s %2d %02d:%02d:%02d %d", days[t.tm_wday % 7], months[t.tm_mon % 12], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
	             t.tm_year + 1900);
}

static void add_sender(struct pr_text *out, const struct pr_envelope *envelope)
{
	struct pr_str sender = pr_address_inner(envelope->sender);

	if (sender.len == 0)
		sender = PR_STR("MAILER-DAEMON");
	for (size_t i = 0; i < sender.len; i++)
		pr_text_add_byte(out, sender.data[i] <= ' ' && sender.data[i] >= 0 ? '_' : sender.data[i]);
}

static void add_macro(struct pr_call *call, struct pr_text *out, const struct pr_envelope *envelope, struct pr_str name)
{
	if (pr_str_equal(name, PR_STR("g")) || pr_str_equal(name, PR_STR("f"))) {
		add_sender(out, envelope);
	} else if (pr_str_equal(name, PR_STR("d"))) {
		add_date(out);
	} else if (pr_str_equal(name, PR_STR("$"))) {
		pr_text_add_byte(out, '$');
	} else {
		struct pr_str value = call->host->macro != NULL ? call->host->macro(call, name) : PR_NONE;
		for (size_t i = 0; i < value.len; i++)
			pr_text_add_byte(out, value.data[i] < ' ' && value.data[i] >= 0 ? ' ' : value.data[i]);
	}
}

bool unix_from_add(struct pr_call *call, struct pr_text *out, const struct pr_envelope *envelope)
{
	struct pr_str line = call->host->option(call, PR_STR("UnixFromLine"));

	return unix_from_add_as(call, out, envelope, line.len > 0 ? line : PR_STR(UNIX_FROM_USUAL));
}

bool unix_from_add_as(struct pr_call *call, struct pr_text *out, const struct pr_envelope *envelope, struct pr_str line)
{
	while (line.len > 0) {
		size_t dollar = pr_str_find(line, '$'), end = dollar + 2;
		pr_text_add_str(out, pr_str_slice(line, 0, dollar));
		struct pr_str name = pr_str_slice(line, dollar + 1, end);
		if (pr_str_equal(name, PR_STR("{"))) {
			end = dollar + pr_str_find(pr_str_slice(line, dollar, line.len), '}') + 1;
			name = pr_str_slice(line, dollar + 2, end - 1);
		}
		if (dollar < line.len && name.len > 0)
			add_macro(call, out, envelope, name);
		line = pr_str_slice(line, end, line.len);
	}
	return pr_text_add_byte(out, '\n');
}
