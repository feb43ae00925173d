/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identity comes from the kernel of the operating system, never from what the client says; what the client says may
 * only differ visibly (X-Authentication-Warning).
 */
#include "kernel/session/submission.h"

#include "kernel/session/account.h"

#include <pwd.h>
#include <string.h>

#define FIRST_LINE_MAX 32
#define XDROP PR_STR("XDROP ")

enum submission_first submission_first_line(struct session *session, struct pr_str *rest)
{
	uint64_t uid;

	if (session->first_input == 0)
		return SUBMISSION_PASS;
	size_t common = rest->len < XDROP.len ? rest->len : XDROP.len;
	size_t end = pr_str_find(*rest, '\n');
	bool maybe = session->uid == session->receiver->role->master_uid &&
	             pr_str_equal_nocase(pr_str_slice(*rest, 0, common), pr_str_slice(XDROP, 0, common));
	if (maybe && end == rest->len && rest->len < FIRST_LINE_MAX)
		return SUBMISSION_MORE;
	session->first_input = 0;
	if (!maybe || end >= FIRST_LINE_MAX ||
	    !pr_str_number(pr_str_trim(pr_str_slice(*rest, XDROP.len, end)), UINT32_MAX - 1, &uid))
		return SUBMISSION_PASS;
	session->uid = (uint32_t)uid;
	submission_identify(session);
	*rest = pr_str_slice(*rest, end + 1, rest->len);
	pr_text_add_c(smtp_machine_output(session->machine), "250 2.0.0 OK\r\n");
	return SUBMISSION_TAKEN;
}

void submission_identify(struct session *session)
{
	char buffer[8192];
	struct passwd entry;
	struct passwd *found = NULL;
	char number[32];

	pr_free((void *)(uintptr_t)session->user.data);
	if (getpwuid_r((uid_t)session->uid, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
		struct pr_text text;
		pr_text_init(&text, sizeof number - 1);
		pr_text_addf(&text, "uid%u", session->uid);
		session->user = (struct pr_str){pr_copy_str(pr_text_str(&text)), text.len};
		pr_text_fini(&text);
		return;
	}
	session->user = (struct pr_str){pr_copy_c(found->pw_name), strlen(found->pw_name)};
}

struct pr_str submission_full_name(const struct session *session, struct pr_arena *arena)
{
	return session->user.data != NULL ? account_full_name_of(session->uid, arena) : PR_NONE;
}

struct pr_str submission_qualify(const struct session *session, struct pr_str address, struct pr_arena *arena)
{
	struct pr_str inner = pr_address_inner(address);
	struct pr_address parts;

	if (session->user.data == NULL || inner.len == 0)
		return pr_arena_copy(arena, address);
	pr_address_split(inner, &parts);
	if (parts.domain.len > 0)
		return pr_arena_copy(arena, address);
	return pr_arena_printf(arena, "<%.*s@%.*s>", PR_PRINT(inner), PR_PRINT(session->receiver->options->host_name));
}

static bool is_trusted(const struct session *session)
{
	const struct pr_list *trusted = &session->receiver->options->trusted_users;

	if (session->uid == 0)
		return true;
	for (size_t i = 0; i < trusted->count; i++)
		if (pr_str_equal(trusted->items[i], session->user))
			return true;
	return false;
}

static bool wants_warnings(const struct session *session)
{
	const struct pr_list *privacy = &session->receiver->options->privacy;

	for (size_t i = 0; i < privacy->count; i++)
		if (pr_str_equal_nocase(privacy->items[i], PR_STR("authwarnings")) ||
		    pr_str_equal_nocase(privacy->items[i], PR_STR("goaway")))
			return true;
	return false;
}

struct pr_str submission_warning(const struct session *session, struct pr_str sender, struct pr_arena *arena)
{
	struct pr_str host = session->receiver->options->host_name;
	struct pr_str inner = pr_address_inner(sender);
	struct pr_address parts;

	if (session->user.data == NULL || is_trusted(session) || !wants_warnings(session))
		return PR_NONE;
	pr_address_split(inner, &parts);
	if (pr_str_equal(parts.local, session->user) && (parts.domain.len == 0 || pr_str_equal_nocase(parts.domain, host)))
		return PR_NONE;
	return pr_arena_printf(arena, " %.*s: %.*s set sender to %.*s using -f", PR_PRINT(host), PR_PRINT(session->user),
	    PR_PRINT(inner.len > 0 ? inner : PR_STR("<>")));
}
