/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A class whose words are the value of one key of a map: `F{X}key@hash:/etc/mail/table`, `F{X}-o key@ldap:...`, `F{X}@LDAP`.
 * No map is open while the file is read, so the kernel makes one for this question; the members of a sequence are asked in turn.
 */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct source {
	uint16_t number;        /* of the class */
	struct pr_str label;    /* its name, which is that of the map in what is told */
	struct pr_str key, class_name, arguments;
	bool is_optional;
};

/* What `@LDAP` stands for: the schema of sendmail's own documentation. */
#define LDAP_CLASS \
	"-k (&(objectClass=sendmailMTAClass)(sendmailMTAClassName=%.*s)(|(sendmailMTACluster=%.*s)(sendmailMTAHost=%.*s)))" \
	" -v sendmailMTAClassValue,sendmailMTAClassSearch:FILTER:sendmailMTAClass,sendmailMTAClassURL:URL:sendmailMTAClass"

static struct pr_str ldap_arguments(struct cf *cf, struct pr_str label)
{
	struct pr_str cluster = cf_expand_text(cf, PR_STR("${sendmailMTACluster}")), host = cf_expand_text(cf, PR_STR("$j"));

	return pr_arena_printf(&cf->arena, LDAP_CLASS, PR_PRINT(label), PR_PRINT(cluster), PR_PRINT(host));
}

/* Cuts `key@class:arguments`; false: it is something else. */
static bool cut(struct cf *cf, struct pr_str rest, struct source *source)
{
	size_t at = pr_str_find(rest, '@');
	struct pr_str tail = pr_str_slice(rest, at + 1, rest.len);
	size_t colon = pr_str_find(tail, ':');

	if (at >= rest.len || rest.data[0] == '/' || rest.data[0] == '|')
		return false;
	source->key = pr_arena_copy(&cf->arena, pr_str_slice(rest, 0, at));
	if (pr_str_equal(tail, PR_STR("LDAP"))) {
		source->class_name = PR_STR("ldap");
		source->arguments = ldap_arguments(cf, source->label);
		return true;
	}
	if (colon == 0 || colon == tail.len)
		return false;
	source->class_name = pr_arena_lower(&cf->arena, pr_str_slice(tail, 0, colon));
	source->arguments = pr_arena_copy(&cf->arena, pr_str_trim(pr_str_slice(tail, colon + 1, tail.len)));
	return true;
}

/* An error of the system: its exit status is another. */
static void complain_failed(struct cf *cf, const struct source *source, const char *why)
{
	if (!source->is_optional)
		cf_note(cf, "fileclass: F{%.*s}: map open failed%s%s", PR_PRINT(source->label), why[0] != '\0' ? ": " : "", why);
	cf_fail(cf, CF_OSERR);
}

/* How each class tells that its file cannot be opened; others have no words of their own. */
static const struct wording {
	const char *class_name, *suffix, *words;
} wordings[] = {
	{ "btree", ".db", "missing" }, { "dbm", ".db", "missing" }, { "hash", ".db", "missing" }, { "implicit", ".db", NULL },
	{ "stab", "", NULL }, { "text", "", "unsafe" },
};

static const struct wording *find_wording(struct pr_str class_name)
{
	for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++)
		if (pr_str_equal(class_name, pr_str(wordings[i].class_name)))
			return &wordings[i];
	return NULL;
}

/* True: there is a file, or none is wanted.  False: it is not there, and that has been told, unless it need not be. */
static bool is_there(struct cf *cf, const struct source *source, bool *is_optional_out)
{
	const struct wording *wording = find_wording(source->class_name);
	struct pr_str file;
	char path[4096];

	if (!cf_judge_map_file(source->class_name, source->arguments, &file, is_optional_out) || wording == NULL)
		return true;
	bool has_suffix = pr_str_has_suffix_nocase(file, PR_STR(".db"));
	snprintf(path, sizeof path, "%.*s%s", PR_PRINT(file), has_suffix ? "" : wording->suffix);
	if (access(path, F_OK) == 0)
		return true;
	if (pr_str_equal(source->class_name, PR_STR("implicit"))) { /* its text will do as well */
		snprintf(path, sizeof path, "%.*s", PR_PRINT(file));
		if (access(path, F_OK) == 0)
			return true;
	}
	const char *why = strerror(errno);
	if (*is_optional_out)
		return false;
	if (wording->words != NULL)
		cf_note(cf, "%s map \"%.*s\": %s map file %s: %s", wording->class_name, PR_PRINT(source->label), wording->words, path, why);
	complain_failed(cf, source, wording->words != NULL ? "" : why);
	return false;
}

static bool ask(struct cf *cf, struct source *source, struct pr_str *value_out)
{
	bool is_optional = false;

	if (!is_there(cf, source, &is_optional))
		return false;
	struct pr_str reason = PR_NONE, value = PR_NONE;
	enum pr_status status = cf->call == NULL ? PR_MISUSE : pr_map_ask(cf->call, source->class_name, source->label, source->arguments, source->key, &value);
	if (cf->call != NULL) {
		reason = pr_arena_copy(&cf->arena, pr_str_trim(cf->call->reason));
		cf->call->reason = PR_NONE;
	}
	if (status == PR_MISUSE) {
		cf_complain(cf, "fileclass: F{%.*s}: class %.*s not available", PR_PRINT(source->label), PR_PRINT(source->class_name));
	} else if (status != PR_OK && status != PR_NOTFOUND && !is_optional) {
		if (reason.len > 0)
			cf_note(cf, "%.*s", PR_PRINT(reason));
		complain_failed(cf, source, "");
	}
	*value_out = pr_arena_copy(&cf->arena, value);
	return status == PR_OK;
}

/* The first member that knows the key. */
static bool ask_members(struct cf *cf, const struct source *source, struct pr_str *value_out)
{
	struct pr_str members = cf_sequence_members(cf, source->arguments), name;

	while (pr_str_next(&members, ' ', &name)) {
		const struct cf_map *map = cf_map_find(cf, name);
		if (map->kind != CF_MAP_OTHER)
			continue;
		struct source member = { source->number, map->name, source->key, map->class_name, map->arguments, true };
		if (ask(cf, &member, value_out))
			return true;
	}
	return false;
}

bool cf_read_class_map(struct cf *cf, uint16_t number, struct pr_str rest, bool is_optional)
{
	char buffer[2];
	struct source source = { .number = number, .is_optional = is_optional };
	struct pr_str value = PR_NONE;

	source.label = pr_arena_copy(&cf->arena, cf_names_text(&cf->names, number, buffer));
	if (!cut(cf, rest, &source))
		return false;
	if (!cf_judge_has_class(source.class_name)) {
		cf_complain(cf, "fileclass: F{%.*s}: class %.*s not available", PR_PRINT(source.label), PR_PRINT(source.class_name));
		return true;
	}
	if (!cf_judge_map(cf, source.label, source.class_name, source.arguments))
		return true;
	bool is_sequence = pr_str_equal(source.class_name, PR_STR("sequence"));
	if (is_sequence ? ask_members(cf, &source, &value) : ask(cf, &source, &value))
		cf_class_add_words(cf, number, value);
	return true;
}
