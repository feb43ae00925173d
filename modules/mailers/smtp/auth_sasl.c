/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cyrus SASL's client.  It is asked for no security layer: encryption is TLS's business, and the stream stays as it is.
 * The library is made ready once in a process; what it keeps then belongs to the process until its end.
 */
#include "auth.h"

#include <pthread.h>
#include <sasl/sasl.h>
#include <string.h>

struct auth_dialogue {
	sasl_conn_t *connection;
	sasl_callback_t callbacks[6];
	const struct auth_identity *identity;
	sasl_secret_t *secret;
};

static void *mutex_new(void)
{
	pthread_mutex_t *mutex = pr_alloc(sizeof *mutex);

	pthread_mutex_init(mutex, NULL);
	return mutex;
}

static int mutex_lock(void *mutex)
{
	return pthread_mutex_lock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static int mutex_unlock(void *mutex)
{
	return pthread_mutex_unlock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static void mutex_free(void *mutex)
{
	pthread_mutex_destroy(mutex);
	pr_free(mutex);
}

/* Its own words go nowhere: what failed is told by the dialogue, and they may hold what nobody shall read. */
static int log_nothing(void *context, int level, const char *message)
{
	(void)context;
	(void)level;
	(void)message;
	return SASL_OK;
}

static int prepared;

static void prepare(void)
{
	static const sasl_callback_t callbacks[] = {{SASL_CB_LOG, (int (*)(void))(void (*)(void))log_nothing, NULL}, {SASL_CB_LIST_END, NULL, NULL}};

	sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
	prepared = sasl_client_init(callbacks);
}

bool auth_open(struct pr_call *call)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, prepare);
	if (prepared == SASL_OK)
		return true;
	pr_fail(call, PR_MISUSE, "Cyrus SASL: %s", sasl_errstring(prepared, NULL, NULL));
	return false;
}

static int get_name(void *context, int id, const char **result, unsigned int *length)
{
	const struct auth_identity *identity = context;
	struct pr_str name = id == SASL_CB_AUTHNAME ? identity->name : identity->user;

	*result = name.data;
	if (length != NULL)
		*length = (unsigned int)name.len;
	return SASL_OK;
}

static int get_password(sasl_conn_t *connection, void *context, int id, sasl_secret_t **secret_out)
{
	struct auth_dialogue *dialogue = context;

	(void)connection;
	(void)id;
	*secret_out = dialogue->secret;
	return SASL_OK;
}

/* The realm of the entry, else the first that is offered. */
static int get_realm(void *context, int id, const char **available, const char **result)
{
	const struct auth_identity *identity = context;

	(void)id;
	if (identity->realm.len > 0)
		*result = identity->realm.data;
	else
		*result = available != NULL && available[0] != NULL ? available[0] : "";
	return SASL_OK;
}

#define CALLBACK(function) ((int (*)(void))(void (*)(void))(function))

struct auth_dialogue *auth_dialogue_new(struct pr_call *call, const struct smtp_session *session, const struct auth_identity *identity, uint32_t bits)
{
	sasl_security_properties_t wanted = {.security_flags = SASL_SEC_NOANONYMOUS};
	struct auth_dialogue *dialogue = pr_alloc(sizeof *dialogue);
	sasl_ssf_t outer = bits;
	void *who = (void *)(uintptr_t)identity; /* only read */

	if (!auth_open(call)) {
		pr_free(dialogue);
		return NULL;
	}
	dialogue->identity = identity;
	dialogue->secret = pr_alloc(sizeof *dialogue->secret + identity->password.len + 1);
	dialogue->secret->len = identity->password.len;
	if (identity->password.len > 0)
		memcpy(dialogue->secret->data, identity->password.data, identity->password.len);
	const sasl_callback_t callbacks[] = {{SASL_CB_USER, CALLBACK(get_name), who}, {SASL_CB_AUTHNAME, CALLBACK(get_name), who},
	    {SASL_CB_PASS, CALLBACK(get_password), dialogue}, {SASL_CB_GETREALM, CALLBACK(get_realm), who}, {SASL_CB_LOG, CALLBACK(log_nothing), NULL},
	    {SASL_CB_LIST_END, NULL, NULL}};
	memcpy(dialogue->callbacks, callbacks, sizeof callbacks);
	int result = sasl_client_new("smtp", session->server, NULL, NULL, dialogue->callbacks, 0, &dialogue->connection);
	if (result == SASL_OK)
		result = sasl_setprop(dialogue->connection, SASL_SEC_PROPS, &wanted);
	if (result == SASL_OK)
		result = sasl_setprop(dialogue->connection, SASL_SSF_EXTERNAL, &outer);
	if (result == SASL_OK)
		return dialogue;
	auth_dialogue_free(dialogue);
	return NULL;
}

void auth_dialogue_free(struct auth_dialogue *dialogue)
{
	if (dialogue == NULL)
		return;
	if (dialogue->connection != NULL)
		sasl_dispose(&dialogue->connection);
	explicit_bzero(dialogue->secret->data, dialogue->secret->len);
	pr_free(dialogue->secret);
	pr_free(dialogue);
}

static struct pr_str keep(struct pr_call *call, const char *bytes, unsigned int length)
{
	return bytes != NULL ? pr_arena_copy(call->arena, (struct pr_str){bytes, length}) : PR_NONE;
}

bool auth_dialogue_start(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str mechanisms, struct pr_str *mechanism_out, struct pr_str *bytes_out)
{
	const char *bytes = NULL, *mechanism = NULL;
	unsigned int length = 0;
	int result = sasl_client_start(dialogue->connection, mechanisms.data, NULL, &bytes, &length, &mechanism);

	if ((result != SASL_OK && result != SASL_CONTINUE) || mechanism == NULL)
		return false;
	*mechanism_out = pr_arena_copy(call->arena, pr_str(mechanism));
	*bytes_out = keep(call, bytes, length);
	return mechanism_out->data != NULL;
}

bool auth_dialogue_step(struct auth_dialogue *dialogue, struct pr_call *call, struct pr_str challenge, struct pr_str *bytes_out)
{
	const char *bytes = NULL;
	unsigned int length = 0;
	int result = sasl_client_step(dialogue->connection, challenge.data, (unsigned int)challenge.len, NULL, &bytes, &length);

	if (result != SASL_OK && result != SASL_CONTINUE)
		return false;
	*bytes_out = bytes != NULL ? keep(call, bytes, length) : PR_STR("");
	return bytes_out->data != NULL;
}
