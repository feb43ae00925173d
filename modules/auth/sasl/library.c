/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The library has one state for the whole process and reads its configuration once.  Where the mailer of the same process uses its client
 * side, both give it the same kind of mutexes.
 */
#include "sasl.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_ready;
static char application[64]; /* the library keeps the pointer */

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

static int log_nothing(void *context, int level, const char *message)
{
	(void)context;
	(void)level;
	(void)message;
	return SASL_OK;
}

static enum pr_status prepare(struct pr_call *call, const struct sasl_options *options)
{
	static const sasl_callback_t callbacks[] = {{SASL_CB_LOG, (int (*)(void))(void (*)(void))log_nothing, NULL}, {SASL_CB_LIST_END, NULL, NULL}};
	int result = SASL_OK;

	if (options->application.len == 0 || options->application.len >= sizeof application)
		return pr_fail(call, PR_MISUSE, "application: 1 to %zu bytes", sizeof application - 1);
	pr_print(application, sizeof application, "%.*s", PR_PRINT(options->application));
	sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
	if (options->config_path.len > 0)
		result = sasl_set_path(SASL_PATH_TYPE_CONFIG, (char *)(uintptr_t)options->config_path.data);
	if (result == SASL_OK)
		result = sasl_server_init(callbacks, application);
	if (result != SASL_OK)
		return pr_fail(call, PR_MISUSE, "Cyrus SASL cannot be used: %s", sasl_errstring(result, NULL, NULL));
	is_ready = true;
	return PR_OK;
}

enum pr_status sasl_library_open(struct pr_call *call, const struct sasl_options *options)
{
	enum pr_status status = PR_OK;

	pthread_mutex_lock(&lock);
	if (!is_ready)
		status = prepare(call, options);
	else if (!pr_str_equal(options->application, pr_str(application)))
		status = pr_fail(call, PR_MISUSE, "application: the library is one for the whole process, and is %s already", application);
	pthread_mutex_unlock(&lock);
	return status;
}
