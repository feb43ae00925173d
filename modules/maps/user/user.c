/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Accounts of this machine: the key is a login name, the value a field of its entry.
 * Names of fields are a table; a field that does not exist cannot be looked up, and so nobody is unknown because of it.
 */
#include <postrider/mapflags.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>

struct user_map {
	struct pr_map_flags flags;
	struct pr_str field;
};

static struct pr_str copy(struct pr_call *call, const char *text)
{
	return pr_arena_copy(call->arena, pr_str(text == NULL ? "" : text));
}

static struct pr_str name_of(struct pr_call *call, const struct passwd *entry)
{
	return copy(call, entry->pw_name);
}

static struct pr_str password_of(struct pr_call *call, const struct passwd *entry)
{
	return copy(call, entry->pw_passwd);
}

static struct pr_str uid_of(struct pr_call *call, const struct passwd *entry)
{
	return pr_arena_printf(call->arena, "%lu", (unsigned long)entry->pw_uid);
}

static struct pr_str gid_of(struct pr_call *call, const struct passwd *entry)
{
	return pr_arena_printf(call->arena, "%lu", (unsigned long)entry->pw_gid);
}

static struct pr_str home_of(struct pr_call *call, const struct passwd *entry)
{
	return copy(call, entry->pw_dir);
}

static struct pr_str shell_of(struct pr_call *call, const struct passwd *entry)
{
	return copy(call, entry->pw_shell);
}

/* The full name: up to the first , ; or %, with & for the login name with a capital. */
static struct pr_str full_name_of(struct pr_call *call, const struct passwd *entry)
{
	struct pr_text text;
	const char *gecos = entry->pw_gecos == NULL ? "" : entry->pw_gecos;

	pr_text_init(&text, 4096);
	for (gecos += gecos[0] == '*'; *gecos != '\0' && strchr(",;%", *gecos) == NULL; gecos++) {
		if (*gecos != '&') {
			pr_text_add_byte(&text, *gecos);
			continue;
		}
		char first = entry->pw_name[0];
		pr_text_add_byte(&text, first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first);
		pr_text_add_c(&text, entry->pw_name + (first != '\0'));
	}
	struct pr_str name = pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return name;
}

static const struct field {
	const char *name;
	struct pr_str (*get)(struct pr_call *call, const struct passwd *entry);
} fields[] = {
	{ "name", name_of }, { "passwd", password_of }, { "uid", uid_of }, { "gid", gid_of }, { "gecos", full_name_of }, { "dir", home_of },
	{ "shell", shell_of },
};

static const struct field *find_field(struct pr_str name)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (pr_str_equal_nocase(pr_str(fields[i].name), name))
			return &fields[i];
	return NULL;
}

static enum pr_status look(struct pr_call *call, struct pr_str user, struct pr_str *raw_out)
{
	const struct user_map *map = call->instance;
	const struct field *field = find_field(map->field);
	struct passwd entry, *found = NULL;
	char *buffer = pr_arena_alloc(call->arena, 16384);

	if (pr_map_is_deferred(call, &map->flags) || user.len == 0 || memchr(user.data, '\0', user.len) != NULL)
		return PR_NOTFOUND;
	if (field == NULL)
		return pr_fail(call, PR_TEMPFAIL, "unknown column name %.*s", PR_PRINT(map->field));
	if (buffer == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory left to look up an account");
	int error = getpwnam_r(user.data, &entry, buffer, 16384, &found);
	if (found == NULL && error != 0 && error != ENOENT && error != ESRCH)
		return pr_fail(call, PR_TEMPFAIL, "cannot look up account %s: %s", user.data, strerror(error));
	if (found == NULL)
		return PR_NOTFOUND;
	*raw_out = field->get(call, &entry);
	return raw_out->data != NULL ? PR_OK : pr_fail(call, PR_TEMPFAIL, "no memory for the value");
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct user_map *map = call->instance;
	struct pr_str user = pr_map_fold(call, &map->flags, key), raw = PR_NONE;

	if (user.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory for the key");
	enum pr_status status = look(call, user, &raw);
	return pr_map_answer(call, &map->flags, status, user, args, raw, value_out);
}

static const struct pr_map_flag letters[] = { PR_MAP_FLAG('v', PR_MAP_WORD, struct user_map, field), PR_MAP_FLAG_END };

static enum pr_status check(struct pr_call *call)
{
	struct user_map *map = call->instance;
	enum pr_status status = pr_map_flags_parse(call, letters, map, &map->flags);

	if (status != PR_OK || map->flags.arguments.data != NULL || find_field(map->field) != NULL)
		return status; /* a K line with a wrong field starts, as sendmail does, and defers */
	return pr_fail(call, PR_MISUSE, "field: %.*s is none of name passwd uid gid gecos dir shell", PR_PRINT(map->field));
}

static const struct pr_option options[] = {
	PR_MAP_OPTIONS(struct user_map, flags),
	PR_OPTION(struct user_map, field, "field", PR_OPTION_STRING, 0, "name", "name passwd uid gid gecos dir or shell (-v)"),
	PR_OPTION_END
};
static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(user) = { PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .instance_size = sizeof(struct user_map), .name = "user",
	.version = "1.0", .summary = "accounts of this machine", .options = options, .check = check, .ops = &ops };
