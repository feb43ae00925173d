/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Final delivery into a user's own mailbox: this module only composes the message, the helper that is the user writes it.
 * So a mailbox in mbox form, a Maildir and their locks are known in one place, and no mailer ever needs a right.
 */
#include <postrider/host.h>
#include <postrider/mailer.h>

#include "unix_from.h"

#define HEADER_MAX (4u << 20)

struct local {
	struct pr_str format;
	struct pr_str path;
	int64_t timeout;
};

static const struct pr_option options[] = {
    PR_OPTION(struct local, format, "format", PR_OPTION_STRING, 0, "mbox", "mbox or maildir"),
    PR_OPTION(struct local, path, "path", PR_OPTION_STRING, 0, NULL,
              "where the mailbox is: %u is the user, a leading ~/ the home directory (default /var/mail/%u or ~/Maildir)"),
    PR_OPTION(struct local, timeout, "timeout", PR_OPTION_TIME, 0, "10m", "how long a delivery may take"),
    PR_OPTION_END};

static bool is_maildir(const struct local *local)
{
	return pr_str_equal_nocase(local->format, PR_STR("maildir"));
}

static bool names_user(struct pr_str path)
{
	for (size_t i = 0; i + 1 < path.len; i++)
		if (path.data[i] == '%' && path.data[i + 1] == 'u')
			return true;
	return false;
}

static enum pr_status check(struct pr_call *call)
{
	const struct local *local = call->instance;
	bool home = local->path.len > 2 && local->path.data[0] == '~' && local->path.data[1] == '/';

	if (!is_maildir(local) && !pr_str_equal_nocase(local->format, PR_STR("mbox")))
		return pr_fail(call, PR_MISUSE, "format \"%.*s\" is neither mbox nor maildir", PR_PRINT(local->format));
	if (local->path.len > 0 && !home && (local->path.data[0] != '/' || !names_user(local->path)))
		return pr_fail(call, PR_MISUSE, "path \"%.*s\" must begin with ~/ or be absolute and hold %%u",
		               PR_PRINT(local->path));
	return PR_OK;
}

static struct pr_str mailbox_path(struct pr_call *call, const struct local *local, struct pr_str user)
{
	struct pr_str pattern = local->path;
	struct pr_text path;

	if (pattern.len == 0)
		pattern = is_maildir(local) ? PR_STR("~/Maildir") : PR_STR("/var/mail/%u");
	pr_text_init(&path, 4096);
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.data[i] == '%' && i + 1 < pattern.len && pattern.data[i + 1] == 'u') {
			pr_text_add_str(&path, user);
			i++;
		} else {
			pr_text_add_byte(&path, pattern.data[i]);
		}
	}
	struct pr_str copy = pr_arena_copy(call->arena, pr_text_str(&path));
	pr_text_fini(&path);
	return copy;
}

static enum pr_status find_user(struct pr_call *call, struct pr_str *user)
{
	uint32_t uid;
	struct pr_str home = PR_NONE;
	enum pr_status status = call->host->user_find(call, *user, &uid, &home);
	size_t plus = pr_str_find(*user, '+');

	if (status == PR_NOTFOUND && plus > 0 && plus < user->len) { /* joe+detail is joe */
		struct pr_str bare = pr_arena_copy(call->arena, pr_str_slice(*user, 0, plus));
		status = call->host->user_find(call, bare, &uid, &home);
		if (status == PR_OK)
			*user = bare;
	}
	return status;
}

static void set_result(struct pr_call *call, struct pr_delivery *delivery, enum pr_status status)
{
	delivery->status = status;
	if (status == PR_OK) {
		delivery->enhanced = PR_STR("2.0.0");
	} else if (status == PR_NOTFOUND) {
		delivery->status = PR_PERMFAIL;
		delivery->code = 550;
		delivery->enhanced = PR_STR("5.1.1");
		delivery->reply = PR_STR("User unknown");
	} else {
		delivery->code = status == PR_PERMFAIL ? 550 : 450;
		delivery->enhanced = status == PR_PERMFAIL ? PR_STR("5.2.0") : PR_STR("4.2.0");
		delivery->reply = pr_arena_copy(call->arena, call->reason);
	}
}

static enum pr_status deliver_one(struct pr_call *call, const struct pr_envelope *envelope, struct pr_str header,
                                  struct pr_body *body, struct pr_str user)
{
	const struct local *local = call->instance;
	enum pr_status status = find_user(call, &user);

	if (status != PR_OK)
		return status;
	struct pr_local_delivery delivery = {.size = sizeof delivery, .envelope = envelope, .header = header, .body = body,
	                                     .kind = is_maildir(local) ? PR_LOCAL_MAILDIR : PR_LOCAL_MBOX, .user = user,
	                                     .path = mailbox_path(call, local, user),
	                                     .timeout = (uint32_t)local->timeout};
	return call->host->local_deliver(call, &delivery);
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body, struct pr_delivery *deliveries,
                              size_t count)
{
	struct pr_text header;
	enum pr_status status;

	(void)destination;
	pr_text_init(&header, HEADER_MAX);
	if (!is_maildir(call->instance))
		(void)unix_from_add(call, &header, envelope);
	status = call->host->header_print(call, envelope, &header);
	for (size_t i = 0; status == PR_OK && i < count; i++)
		set_result(call, &deliveries[i], deliver_one(call, envelope, pr_text_str(&header), body, deliveries[i].user));
	pr_text_fini(&header);
	return status;
}

static const struct pr_mailer_ops ops = {
    .size = sizeof ops, .default_flags = "lsDFMAw5:/|@qPSE9", .deliver = deliver};

PR_MODULE(local) = {PR_MODULE_HEAD(PR_KIND_MAILER),
                    .flags = PR_CONCURRENT,
                    .instance_size = sizeof(struct local),
                    .name = "local",
                    .version = "1.0",
                    .summary = "delivers into the user's mbox or Maildir",
                    .options = options,
                    .check = check,
                    .ops = &ops};
