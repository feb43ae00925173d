/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The password comes as it is and is held against the verifier: PLAIN brings name and password in one piece, LOGIN (an old habit that no RFC
 * describes) is asked for both.
 */
#include "map.h"

#include <crypt.h>
#include <string.h>

static bool fits_crypt(struct pr_str crypted, struct pr_str password)
{
	struct crypt_data *data = pr_alloc(sizeof *data);
	char *text = pr_copy_str(password);
	const char *made = crypt_rn(text, crypted.data, data, (int)sizeof *data); /* not crypt_r, which would answer something for a hash it does not know */
	size_t length = made == NULL ? 0 : strlen(made);
	bool fits = length > 0 && length == crypted.len && hash_is_equal((const unsigned char *)made, (const unsigned char *)crypted.data, length);

	explicit_bzero(text, password.len);
	explicit_bzero(data, sizeof *data);
	pr_free(text);
	pr_free(data);
	return fits;
}

static bool fits_scram(const struct verifier *verifier, struct pr_str password)
{
	unsigned char salted[HASH_MAX], stored[HASH_MAX], server[HASH_MAX];
	bool made = hash_password(verifier->hash, password, verifier->salt, verifier->iterations, salted) && hash_keys(verifier->hash, salted, stored, server);

	explicit_bzero(salted, sizeof salted);
	return made && hash_is_equal(stored, verifier->stored, hash_size(verifier->hash));
}

static enum pr_status judge(struct pr_call *call, struct pr_str name, struct pr_str password, struct pr_auth_step *step)
{
	struct verifier verifier;
	char shown[NAME_MAX_BYTES + 1];

	if (!map_is_name(name) || password.len == 0 || memchr(password.data, '\0', password.len) != NULL)
		return map_refuse(call, step, "", "no name, or no password");
	pr_print(shown, sizeof shown, "%.*s", PR_PRINT(name));
	enum pr_status status = verifier_find(call, name, HASH_SHA256, &verifier);
	if (status != PR_OK && status != PR_NOTFOUND)
		return status;
	bool fits = verifier.hash != 0 ? fits_scram(&verifier, password) : fits_crypt(verifier.crypted, password);
	if (!fits || status == PR_NOTFOUND)
		return map_refuse(call, step, shown, status == PR_NOTFOUND ? "unknown name" : "wrong password");
	step->name = pr_arena_copy(call->arena, name);
	step->done = 1;
	return PR_OK;
}

/* "[for whom] NUL name NUL password" */
enum pr_status password_plain(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	struct pr_str rest = step->input, author, name;

	if (exchange->step++ == 0 && step->input.data == NULL) {
		step->output = PR_STR("");
		return PR_OK;
	}
	size_t first = pr_str_find(rest, '\0'), second = first + 1 + pr_str_find(pr_str_slice(rest, first + 1, rest.len), '\0');
	if (second >= rest.len)
		return map_refuse(call, step, "", "the response has not three parts");
	author = pr_str_slice(rest, 0, first);
	name = pr_str_slice(rest, first + 1, second);
	if (author.len > 0 && !pr_str_equal(author, name))
		return map_refuse(call, step, "", "nobody speaks for others here");
	return judge(call, name, pr_str_slice(rest, second + 1, rest.len), step);
}

enum pr_status password_login(struct pr_call *call, struct map_exchange *exchange, struct pr_auth_step *step)
{
	if (exchange->step == 0 && step->input.data == NULL) {
		exchange->step = 1;
		step->output = PR_STR("Username:");
		return PR_OK;
	}
	if (exchange->step < 2) {
		if (!map_is_name(step->input))
			return map_refuse(call, step, "", "no name");
		exchange->step = 2;
		pr_print(exchange->name, sizeof exchange->name, "%.*s", PR_PRINT(step->input));
		step->output = PR_STR("Password:");
		return PR_OK;
	}
	return judge(call, pr_str(exchange->name), step->input, step);
}
