/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail for "/path/of/a/file" of an alias: appended in mbox form by a helper that is DefaultUser.  The helper refuses links,
 * FIFOs and other users' files; this module only composes what is to be written.
 */
#include <postrider/host.h>
#include <postrider/mailer.h>

#include "../local/unix_from.h"

#include <string.h>

#define HEADER_MAX (4u << 20)

/* Below SafeFileEnvironment, when there is one, and never by way of "..". */
static bool is_allowed(struct pr_call *call, struct pr_str path)
{
	struct pr_str safe = call->host->option(call, PR_STR("SafeFileEnvironment"));
	struct pr_str rest = path, piece;

	while (pr_str_next(&rest, '/', &piece))
		if (pr_str_equal(piece, PR_STR("..")))
			return false;
	while (safe.len > 1 && safe.data[safe.len - 1] == '/')
		safe.len--;
	return safe.len <= 1 || (path.len > safe.len && memcmp(path.data, safe.data, safe.len) == 0 && path.data[safe.len] == '/');
}

static void deliver_one(struct pr_call *call, const struct pr_envelope *envelope, struct pr_str header,
                        struct pr_body *body, struct pr_delivery *result)
{
	struct pr_local_delivery delivery = {.size = sizeof delivery, .kind = PR_LOCAL_FILE, .envelope = envelope,
	                                     .header = header, .body = body, .path = result->user};
	enum pr_status status = !is_allowed(call, result->user)
	    ? pr_fail(call, PR_PERMFAIL, "%.*s does not lie below SafeFileEnvironment", PR_PRINT(result->user))
	    : call->host->local_deliver(call, &delivery);
	bool forever = status == PR_PERMFAIL || status == PR_NOTFOUND;

	if (status == PR_OK) {
		result->status = PR_OK;
		result->enhanced = PR_STR("2.0.0");
		return;
	}
	result->status = forever ? PR_PERMFAIL : PR_TEMPFAIL;
	result->code = forever ? 550 : 450;
	result->enhanced = forever ? PR_STR("5.2.0") : PR_STR("4.2.0");
	result->reply = pr_arena_copy(call->arena, call->reason);
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries,
                              size_t count)
{
	struct pr_text header;
	enum pr_status status;

	(void)destination;
	pr_text_init(&header, HEADER_MAX);
	(void)unix_from_add(call, &header, envelope);
	status = call->host->header_print(call, envelope, &header);
	for (size_t i = 0; status == PR_OK && i < count; i++)
		deliver_one(call, envelope, pr_text_str(&header), body, &deliveries[i]);
	pr_text_fini(&header);
	return status;
}

static const struct pr_mailer_ops ops = {.size = sizeof ops, .default_flags = "lsDFMPEouq9", .deliver = deliver};

PR_MODULE(file) = {PR_MODULE_HEAD(PR_KIND_MAILER),
                   .flags = PR_CONCURRENT,
                   .name = "file",
                   .version = "1.0",
                   .summary = "appends to a file named by an alias",
                   .ops = &ops};
