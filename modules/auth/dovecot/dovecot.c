/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the service can do is asked once a minute and kept, so that a greeting costs no connection, and a service that is being restarted
 * takes nothing off the offer; AUTH then says that it cannot check now.
 */
#include "dovecot.h"

#include <postrider/base64.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MECHANISMS_MAX 32
#define KEEP_SECONDS 60

struct mechanism {
	char name[24];
	uint32_t properties;
};

struct dovecot {
	struct pr_str socket, service;
	int64_t timeout;
	pthread_mutex_t lock; /* of all below */
	int64_t asked;        /* second of the monotonic clock; 0: never */
	size_t count;
	struct mechanism mechanisms[MECHANISMS_MAX];
};

static const struct pr_option options[] = {
    PR_OPTION(struct dovecot, socket, "socket", PR_OPTION_PATH, 0, "/run/dovecot/auth-client", "of Dovecot's service auth, open to the receiver's user"),
    PR_OPTION(struct dovecot, service, "service", PR_OPTION_STRING, 0, "smtp", "what Dovecot is told the client wants; PAM looks for a file of that name"),
    PR_OPTION(struct dovecot, timeout, "timeout", PR_OPTION_TIME, 0, "30s", "for each answer of Dovecot"),
    PR_OPTION_END,
};

static const struct {
	const char *word;
	uint32_t property;
} words[] = {{"plaintext", PR_AUTH_IS_PLAINTEXT}, {"active", PR_AUTH_IS_ACTIVE}, {"dictionary", PR_AUTH_IS_DICTIONARY},
             {"forward-secrecy", PR_AUTH_HAS_FORWARD_SECRECY}, {"mutual-auth", PR_AUTH_IS_MUTUAL}, {"anonymous", PR_AUTH_IS_ANONYMOUS}};

static bool is_clean(struct pr_str word)
{
	return pr_str_find(word, '\t') == word.len && pr_str_find(word, '\n') == word.len;
}

static enum pr_status check(struct pr_call *call)
{
	const struct dovecot *dovecot = call->instance;

	if (dovecot->service.len == 0 || !is_clean(dovecot->service))
		return pr_fail(call, PR_MISUSE, "service: a word, as \"smtp\"");
	return dovecot->timeout > 0 ? PR_OK : pr_fail(call, PR_MISUSE, "timeout: at least one second");
}

static enum pr_status open_module(struct pr_call *call)
{
	struct dovecot *dovecot = call->instance;

	pthread_mutex_init(&dovecot->lock, NULL);
	return PR_OK;
}

static enum pr_status broken(struct pr_call *call, const char *what)
{
	const struct dovecot *dovecot = call->instance;

	return pr_fail(call, PR_TEMPFAIL, "Dovecot at %.*s: %s: %s", PR_PRINT(dovecot->socket), what,
	    errno == EAGAIN ? "no answer in time" : strerror(errno));
}

static bool next_word(struct pr_str *rest, struct pr_str *word_out)
{
	return pr_str_next(rest, '\t', word_out);
}

/* "MECH <name> <property> ..." */
static void take_mechanism(struct mechanism *mechanisms, size_t *count, struct pr_str rest)
{
	struct pr_str word;

	if (*count == MECHANISMS_MAX || !next_word(&rest, &word) || word.len == 0 || word.len >= sizeof mechanisms->name)
		return;
	struct mechanism *mechanism = &mechanisms[(*count)++];
	*mechanism = (struct mechanism){.properties = 0};
	memcpy(mechanism->name, word.data, word.len);
	while (next_word(&rest, &word))
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
			if (pr_str_equal(word, pr_str(words[i].word)))
				mechanism->properties |= words[i].property;
}

/* Connects and hears what there is, to the line DONE. */
static enum pr_status greet(struct pr_call *call, struct link *link, struct mechanism *mechanisms, size_t *count)
{
	const struct dovecot *dovecot = call->instance;
	struct pr_str line, word;

	*count = 0;
	if (!link_open(link, dovecot->socket, pr_call_remaining(call, dovecot->timeout * 1000)))
		return broken(call, "connect");
	struct pr_str hello = pr_arena_printf(call->arena, "VERSION\t1\t2\nCPID\t%ld\n", (long)getpid());
	if (!link_send(link, hello))
		return broken(call, "greeting");
	while (link_read(link, &line)) {
		struct pr_str rest = line;
		if (!next_word(&rest, &word))
			continue;
		if (pr_str_equal(word, PR_STR("DONE")))
			return PR_OK;
		if (pr_str_equal(word, PR_STR("MECH")))
			take_mechanism(mechanisms, count, rest);
		if (pr_str_equal(word, PR_STR("VERSION")) && !pr_str_has_prefix_nocase(rest, PR_STR("1\t")))
			return pr_fail(call, PR_TEMPFAIL, "Dovecot at %.*s speaks another version: %.*s", PR_PRINT(dovecot->socket), PR_PRINT(rest));
	}
	return broken(call, "greeting");
}

static int64_t second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec + 1;
}

/* Asks again what there is; what was known stays when nobody answers. */
static enum pr_status refresh(struct pr_call *call)
{
	struct dovecot *dovecot = call->instance;
	struct mechanism mechanisms[MECHANISMS_MAX];
	struct link link = {.is_open = 0};
	size_t count = 0;
	enum pr_status status = greet(call, &link, mechanisms, &count);

	link_close(&link);
	pthread_mutex_lock(&dovecot->lock);
	if (status == PR_OK) {
		memcpy(dovecot->mechanisms, mechanisms, count * sizeof mechanisms[0]);
		dovecot->count = count;
	}
	if (status == PR_OK || dovecot->count > 0)
		dovecot->asked = second();
	status = dovecot->count > 0 ? PR_OK : status;
	pthread_mutex_unlock(&dovecot->lock);
	return status;
}

static enum pr_status mechanisms(struct pr_call *call, uint32_t flags, struct pr_list *names_out)
{
	struct dovecot *dovecot = call->instance;
	struct pr_str *names = pr_arena_alloc(call->arena, MECHANISMS_MAX * sizeof *names);
	enum pr_status status = PR_OK;
	size_t count = 0;

	pthread_mutex_lock(&dovecot->lock);
	bool is_old = dovecot->asked == 0 || second() - dovecot->asked > KEEP_SECONDS;
	if (is_old && dovecot->count > 0)
		dovecot->asked = second(); /* one asks, the others take what is known */
	pthread_mutex_unlock(&dovecot->lock);
	if (is_old)
		status = refresh(call);
	if (status != PR_OK || names == NULL)
		return status != PR_OK ? status : pr_fail(call, PR_TEMPFAIL, "too much memory");
	pthread_mutex_lock(&dovecot->lock);
	for (size_t i = 0; i < dovecot->count; i++)
		if (pr_auth_is_wanted(flags, dovecot->mechanisms[i].properties))
			names[count++] = pr_arena_copy(call->arena, pr_str(dovecot->mechanisms[i].name));
	pthread_mutex_unlock(&dovecot->lock);
	*names_out = (struct pr_list){names, count};
	return PR_OK;
}

static void add_address(struct pr_call *call, struct pr_text *request, const char *key, const char *macro)
{
	struct pr_str value = call->host->macro(call, pr_str(macro));

	if (pr_str_has_prefix_nocase(value, PR_STR("IPv6:")))
		value = pr_str_slice(value, 5, value.len);
	if (value.len > 0 && is_clean(value))
		pr_text_addf(request, "\t%s=%.*s", key, PR_PRINT(value));
}

static bool send_first(struct pr_call *call, struct link *link, const struct pr_auth_step *step)
{
	const struct dovecot *dovecot = call->instance;
	struct pr_text request;

	pr_text_init(&request, LINK_LINE_MAX);
	pr_text_addf(&request, "AUTH\t1\t%.*s\tservice=%.*s\tnologin", PR_PRINT(step->mechanism), PR_PRINT(dovecot->service));
	add_address(call, &request, "lip", "if_addr");
	add_address(call, &request, "rip", "client_addr");
	add_address(call, &request, "rport", "client_port");
	if ((step->flags & PR_AUTH_TLS) != 0)
		pr_text_add_c(&request, "\tsecured");
	if (step->input.data != NULL)
		pr_text_addf(&request, "\tresp=%.*s", PR_PRINT(pr_base64_encode(call->arena, step->input)));
	pr_text_add_c(&request, "\n");
	errno = EMSGSIZE;
	bool is_sent = request.overflow == 0 && link_send(link, pr_text_str(&request));
	explicit_bzero(request.data, request.len);
	pr_text_fini(&request);
	return is_sent;
}

static bool send_next(struct pr_call *call, struct link *link, const struct pr_auth_step *step)
{
	struct pr_str encoded = pr_base64_encode(call->arena, step->input);

	return link_send(link, pr_arena_printf(call->arena, "CONT\t1\t%.*s\n", PR_PRINT(encoded)));
}

/* What a tab-separated answer says of one key; absent: nothing. */
static struct pr_str value_of(struct pr_str answer, const char *key)
{
	struct pr_str word, wanted = pr_str(key);

	while (next_word(&answer, &word))
		if (word.len >= wanted.len && memcmp(word.data, wanted.data, wanted.len) == 0)
			return pr_str_slice(word, wanted.len, word.len);
	return PR_NONE;
}

static enum pr_status failed(struct pr_call *call, struct pr_str rest, struct pr_auth_step *step)
{
	struct pr_str code = value_of(rest, "code="), reason = value_of(rest, "reason=");
	struct pr_str why = reason.data != NULL ? reason : code.data != NULL ? code : PR_STR("authentication failure");
	bool is_trouble = value_of(rest, "temp").data != NULL || pr_str_equal(code, PR_STR("temp_fail"));

	step->name = pr_arena_copy(call->arena, value_of(rest, "user="));
	return pr_fail(call, is_trouble ? PR_TEMPFAIL : PR_NOTFOUND, "Dovecot: %s%.*s", is_trouble ? "temporary: " : "", PR_PRINT(why));
}

static enum pr_status succeeded(struct pr_call *call, struct pr_str rest, struct pr_auth_step *step)
{
	step->done = 1;
	step->name = pr_arena_copy(call->arena, value_of(rest, "user="));
	return step->name.len > 0 ? PR_OK : pr_fail(call, PR_TEMPFAIL, "Dovecot says yes and does not say to whom");
}

static enum pr_status go_on(struct pr_call *call, struct pr_str rest, struct pr_auth_step *step)
{
	return pr_base64_decode(call->arena, rest, &step->output) ? PR_OK : pr_fail(call, PR_TEMPFAIL, "Dovecot's challenge is no base64");
}

static const struct {
	const char *word;
	enum pr_status (*take)(struct pr_call *call, struct pr_str rest, struct pr_auth_step *step);
} answers[] = {{"OK", succeeded}, {"FAIL", failed}, {"CONT", go_on}};

static enum pr_status read_answer(struct pr_call *call, struct link *link, struct pr_auth_step *step)
{
	struct pr_str line, word, id;

	while (link_read(link, &line)) {
		struct pr_str rest = line;
		if (!next_word(&rest, &word) || !next_word(&rest, &id) || !pr_str_equal(id, PR_STR("1")))
			continue; /* news for all clients */
		for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
			if (pr_str_equal(word, pr_str(answers[i].word)))
				return answers[i].take(call, rest, step);
	}
	return broken(call, "answer");
}

static enum pr_status server_step(struct pr_call *call, struct pr_auth_step *step)
{
	struct link *link = call->session;
	struct mechanism ignored[MECHANISMS_MAX];
	size_t count;

	if (link->is_open != 0)
		return send_next(call, link, step) ? read_answer(call, link, step) : broken(call, "step");
	enum pr_status status = greet(call, link, ignored, &count);
	if (status == PR_OK)
		status = send_first(call, link, step) ? read_answer(call, link, step) : broken(call, "request");
	return status;
}

static void server_end(struct pr_call *call)
{
	link_close(call->session);
}

static const struct pr_auth_ops ops = {
    .size = sizeof ops,
    .mechanisms = mechanisms,
    .server_step = server_step,
    .server_end = server_end,
};

PR_MODULE(dovecot) = {
    PR_MODULE_HEAD(PR_KIND_AUTH),
    .flags = PR_CONCURRENT,
    .instance_size = sizeof(struct dovecot),
    .session_size = sizeof(struct link),
    .name = "dovecot",
    .version = "1.0",
    .summary = "asks Dovecot's authentication service",
    .options = options,
    .check = check,
    .open = open_module,
    .ops = &ops,
};
