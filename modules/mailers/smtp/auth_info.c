/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who we are for a host: what the rules answer to authinfo, else the file DefaultAuthInfo, and which mechanisms that leaves.
 * A word is a letter, a colon or - for base64 - an equals sign, and the value: "U:user" "I:name" "P=cGFzc3dvcmQ=" "R:realm" "M:PLAIN CRAM-MD5".
 * "T:/etc/mail/token" or "T:account|/usr/bin/token args" says where a token comes from (auth_token.c); sendmail knows no such word.
 */
#include "auth.h"

#include <postrider/file.h>

#include <string.h>

#define FILE_MOST 4096
/* As in sendmail, those that send a password as it is have to be named. */
#define USUAL "EXTERNAL SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5"

static struct pr_str *field(struct auth_identity *identity, char letter)
{
	struct {
		char letter;
		struct pr_str *place;
	} fields[] = {{'U', &identity->user}, {'I', &identity->name}, {'P', &identity->password}, {'R', &identity->realm}, {'M', &identity->mechanisms},
	            {'T', &identity->token}};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].letter == letter)
			return fields[i].place;
	return NULL;
}

static bool take_word(struct pr_str *rest, struct pr_str *word_out)
{
	*rest = pr_str_trim(*rest);
	if (rest->len == 0)
		return false;
	bool quoted = rest->data[0] == '"';
	struct pr_str from = pr_str_slice(*rest, quoted, rest->len);
	size_t end = pr_str_find(from, quoted ? '"' : ' ');
	*word_out = pr_str_slice(from, 0, end);
	*rest = pr_str_slice(from, end + quoted, from.len);
	return true;
}

/* Line ends and NUL would be somebody else's commands, or an end. */
static bool is_clean(struct pr_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
			return false;
	return true;
}

static bool has_word(struct pr_str words, struct pr_str wanted)
{
	struct pr_str word;

	while (pr_str_next(&words, ' ', &word))
		if (pr_str_equal_nocase(word, wanted))
			return true;
	return false;
}

/* A certificate says by itself who we are. */
static bool complete(struct auth_identity *identity)
{
	identity->is_named = identity->user.len > 0;
	if (identity->name.len == 0)
		identity->name = identity->user;
	if (identity->user.len == 0)
		identity->user = identity->name;
	return identity->name.len > 0 || has_word(identity->mechanisms, PR_STR("EXTERNAL"));
}

bool auth_info_parse(struct pr_call *call, struct pr_str text, struct auth_identity *identity_out)
{
	struct pr_str rest = text, word, value;

	*identity_out = (struct auth_identity){.user = PR_STR("")};
	while (take_word(&rest, &word)) {
		struct pr_str *place = word.len > 1 ? field(identity_out, word.data[0]) : NULL;
		if (place == NULL || (word.data[1] != ':' && word.data[1] != '='))
			return false;
		value = pr_str_slice(word, 2, word.len);
		if (word.data[1] == '=' && !pr_base64_decode(call->arena, value, &value))
			return false;
		if (!is_clean(value))
			return false;
		*place = pr_arena_copy(call->arena, value);
	}
	return complete(identity_out) && (identity_out->token.len == 0 || auth_token_is_source(identity_out->token));
}

/* DefaultAuthInfo: user, name, password, realm, mechanisms, a line each. */
static enum pr_status read_default(struct smtp_run *run, struct auth_identity *identity_out)
{
	struct pr_str path = run->call->host->option(run->call, PR_STR("DefaultAuthInfo"));
	struct pr_str *places[] = {&identity_out->user, &identity_out->name, &identity_out->password, &identity_out->realm, &identity_out->mechanisms};
	struct pr_text text, why;
	struct pr_str rest, line;

	if (path.len == 0)
		return PR_NOTFOUND;
	pr_text_init(&text, FILE_MOST);
	pr_text_init(&why, 1000);
	enum pr_status status = pr_file_read(path.data, FILE_MOST, &text, &why);
	if (status != PR_OK)
		status = pr_fail(run->call, PR_TEMPFAIL, "DefaultAuthInfo: %s", why.len > 0 ? why.data : "cannot be read");
	rest = pr_text_str(&text);
	*identity_out = (struct auth_identity){.user = PR_STR("")};
	for (size_t i = 0; status == PR_OK && i < sizeof places / sizeof places[0] && pr_str_next(&rest, '\n', &line); i++)
		*places[i] = pr_arena_copy(run->call->arena, pr_str_trim(line));
	if (status == PR_OK && !complete(identity_out))
		status = pr_fail(run->call, PR_TEMPFAIL, "DefaultAuthInfo: %.*s names nobody", PR_PRINT(path));
	pr_text_fini(&text);
	pr_text_fini(&why);
	return status;
}

enum pr_status auth_info_find(struct smtp_run *run, struct auth_identity *identity_out)
{
	struct pr_call *call = run->call;
	struct pr_str items[] = {pr_str(run->session->server), pr_str(run->session->address)};
	struct pr_list arguments = {items, 2};
	struct pr_str value = PR_NONE;
	enum pr_status status = pr_rules_feature(call, PR_STR("authinfo"), &arguments, &value);

	if (status == PR_NOTFOUND)
		return read_default(run, identity_out);
	if (status == PR_OK && !auth_info_parse(call, value, identity_out)) /* its words are nobody's business but ours */
		return pr_fail(call, PR_TEMPFAIL, "authinfo of %s: not words like \"U:user\" \"P:password\"", run->session->server);
	return status;
}

/* May the password itself go out here? */
static bool may_be_plain(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism)
{
	struct pr_str options = run->call->host->option(run->call, PR_STR("AuthOptions"));
	bool forbidden = options.len > 0 && memchr(options.data, 'p', options.len) != NULL;

	return run->session->tls != NULL || (!forbidden && has_word(identity->mechanisms, mechanism));
}

static bool has_certificate(struct smtp_run *run)
{
	return run->session->tls != NULL && run->call->host->option(run->call, PR_STR("ClientCertFile")).len > 0;
}

/* Is there what it is done with, and may that be sent here? */
static bool is_possible(struct smtp_run *run, const struct auth_identity *identity, struct pr_str mechanism)
{
	static const char *const of_passwords[] = {"CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"};

	if (auth_needs_token(mechanism)) /* RFC 7628 section 4: TLS, always */
		return identity->token.len > 0 && run->session->tls != NULL;
	if (pr_str_equal_nocase(mechanism, PR_STR("EXTERNAL")))
		return has_certificate(run);
	if (pr_str_equal_nocase(mechanism, PR_STR("PLAIN")) || pr_str_equal_nocase(mechanism, PR_STR("LOGIN")))
		return identity->password.len > 0 && may_be_plain(run, identity, mechanism);
	for (size_t i = 0; i < sizeof of_passwords / sizeof of_passwords[0]; i++)
		if (pr_str_equal_nocase(mechanism, pr_str(of_passwords[i])))
			return identity->password.len > 0;
	return mechanism.len > 0;
}

struct pr_str auth_mechanisms(struct smtp_run *run, const struct auth_identity *identity)
{
	struct pr_str allowed = identity->mechanisms, offered = pr_str(run->session->mechanisms), word;
	struct pr_text text;

	if (allowed.len == 0)
		allowed = run->call->host->option(run->call, PR_STR("AuthMechanisms"));
	if (allowed.len == 0)
		allowed = PR_STR(USUAL);
	pr_text_init(&text, sizeof run->session->mechanisms + 1);
	while (pr_str_next(&offered, ' ', &word)) {
		/* who names a token wants it used */
		bool wanted = has_word(allowed, word) || (identity->mechanisms.len == 0 && auth_needs_token(word));
		if (!wanted || !is_possible(run, identity, word))
			continue;
		pr_text_add_c(&text, text.len > 0 ? " " : "");
		pr_text_add_str(&text, word);
	}
	struct pr_str result = pr_arena_copy(run->call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return result;
}
