/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libunbound at work: its own thread asks, remembers and proves, one of ours hands what it found to those who wait for it.
 *
 *   a thread that asks --dns_ask()--> libunbound's thread --> the name servers
 *        ^ waits, until its deadline        |
 *        '-------- answered() <-- read_answers(), our thread
 *
 * Who gives up leaves his question behind: it is answered one day, the answer is in the cache then, and only then does it stop to count among the
 * open ones.  So there is a bound on questions whatever the name servers do, and no answer finds a place that is gone.
 */
#include "kernel/net/dns_ask.h"

#include "kernel/net/unbound_library.h"
#include <postrider/file.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ANCHORS_MAX (1u << 20) /* bytes of TrustAnchorFile */
#define QUESTIONS_MAX 512
#define READER_STACK (256 * 1024)
#define RESOLV_CONF "/etc/resolv.conf"

struct question {
	struct question *next, **link; /* among the open ones */
	pthread_cond_t answered;
	struct ub_result *result;
	int error;
	bool is_answered;
	unsigned int owners; /* who waits, and the library until it has answered */
};

static struct {
	pthread_mutex_t mutex;
	struct dns_settings settings;
	const struct unbound_library *library;
	struct ub_ctx *context;
	pthread_t reader;
	int stop; /* an eventfd: the reader is to end */
	struct question *questions; /* those the library has not answered */
	size_t open;
	pid_t process; /* whose threads these are: a child that was forked has none of them */
	bool is_over;
} resolver = {.mutex = PTHREAD_MUTEX_INITIALIZER, .stop = -1};

/* questions ------------------------------------------------------------- */

static struct question *question_new(void)
{
	struct question *question = pr_alloc(sizeof *question);
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&question->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	question->owners = 2;
	return question;
}

static void question_drop(struct question *question)
{
	if (--question->owners > 0)
		return;
	if (question->result != NULL)
		resolver.library->free_result(question->result);
	pthread_cond_destroy(&question->answered);
	pr_free(question);
}

static void question_open(struct question *question)
{
	question->next = resolver.questions;
	question->link = &resolver.questions;
	if (question->next != NULL)
		question->next->link = &question->next;
	resolver.questions = question;
	resolver.open++;
}

static void question_close(struct question *question)
{
	*question->link = question->next;
	if (question->next != NULL)
		question->next->link = question->link;
	resolver.open--;
}

static void answered(void *context, int error, struct ub_result *result)
{
	struct question *question = context;

	pthread_mutex_lock(&resolver.mutex);
	question->error = error;
	question->result = result;
	question->is_answered = true;
	question_close(question);
	pthread_cond_signal(&question->answered);
	question_drop(question);
	pthread_mutex_unlock(&resolver.mutex);
}

static void *read_answers(void *context)
{
	struct pollfd wait[2] = {{.fd = resolver.library->descriptor(context), .events = POLLIN}, {.fd = resolver.stop, .events = POLLIN}};

	while (wait[1].revents == 0)
		if (poll(wait, 2, -1) > 0 && wait[0].revents != 0 && resolver.library->process(context) != 0)
			break; /* its thread is gone; those who wait have deadlines */
	return NULL;
}

/* the context ------------------------------------------------------------ */

/* By its own thread the library would go on while the process is taken down around it. */
static void stop_at_exit(void)
{
	uint64_t one = 1;

	if (resolver.process != getpid())
		return;
	pthread_mutex_lock(&resolver.mutex);
	struct ub_ctx *context = resolver.context;
	resolver.context = NULL;
	resolver.is_over = true;
	pthread_mutex_unlock(&resolver.mutex);
	if (context == NULL || write(resolver.stop, &one, sizeof one) != (ssize_t)sizeof one)
		return;
	pthread_join(resolver.reader, NULL);
	resolver.library->delete(context);
	pthread_mutex_lock(&resolver.mutex);
	while (resolver.questions != NULL) { /* it will not answer any more */
		struct question *question = resolver.questions;
		question_close(question);
		question_drop(question);
	}
	pthread_mutex_unlock(&resolver.mutex);
}

static const struct {
	const char *name, *value;
} options[] = {
    {"outgoing-range:", "128"},      {"outgoing-num-tcp:", "16"},    {"msg-cache-size:", "4m"},      {"rrset-cache-size:", "8m"},
    {"unblock-lan-zones:", "yes"},   {"insecure-lan-zones:", "yes"}, {"do-not-query-localhost:", "no"},
    {"rrset-roundrobin:", "no"},
    /* the servers are few and serve all names: that one name was not answered in time must not keep others from being asked. */
    {"infra-host-ttl:", "1"},
};

static int set_options(struct ub_ctx *context)
{
	const struct unbound_library *library = resolver.library;
	int error = library->debug_to(context, NULL); /* it would write to standard error */

	for (size_t i = 0; error == 0 && i < sizeof options / sizeof options[0]; i++)
		error = library->set_option(context, options[i].name, options[i].value);
	if (error == 0) /* without an anchor there is nothing to prove */
		error = resolver.settings.anchors.len > 0 ? library->add_anchors(context, resolver.settings.anchors.data)
		                                          : library->set_option(context, "module-config:", "iterator");
	return error;
}

static int set_servers(struct ub_ctx *context)
{
	const struct unbound_library *library = resolver.library;
	int error = 0;

	for (size_t i = 0; error == 0 && i < resolver.settings.server_count; i++)
		error = library->set_forwarder(context, resolver.settings.servers[i]);
	if (resolver.settings.server_count == 0 && library->read_resolv_conf(context, RESOLV_CONF) != 0)
		error = library->set_forwarder(context, "127.0.0.1"); /* as resolv.conf(5) has it */
	return error;
}

/* Of names below these the library would say by itself that there are none (RFC 6761, 6303); that is for the name servers to say.
 * A zone that is only made transparent keeps the name it has for 127.0.0.1. */
static int pass_names(struct ub_ctx *context)
{
	static const char *const zones[] = {"test.", "invalid.", "home.arpa.", "127.in-addr.arpa.",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."};
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof zones / sizeof zones[0]; i++)
		error = resolver.library->remove_zone(context, zones[i]);
	return error;
}

static bool start_reader(struct ub_ctx *context)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	resolver.stop = eventfd(0, EFD_CLOEXEC);
	if (resolver.stop < 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for threads that know what to do with them */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, READER_STACK);
	int error = pthread_create(&resolver.reader, &attributes, read_answers, context);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		close(resolver.stop);
		resolver.stop = -1;
		errno = error;
	}
	return error == 0;
}

/* With the mutex.  False: there is none, and why. */
static bool context_open(struct pr_text *why)
{
	if (resolver.context != NULL)
		return true;
	if (resolver.is_over || (resolver.library == NULL && (resolver.library = unbound_library_get(why)) == NULL))
		return false;
	struct ub_ctx *context = resolver.library->create();
	if (context == NULL) {
		pr_text_add_c(why, "the resolver cannot be made");
		return false;
	}
	int error = set_options(context);
	error = error == 0 ? set_servers(context) : error;
	error = error == 0 ? resolver.library->use_thread(context, 1) : error;
	error = error == 0 ? pass_names(context) : error; /* it is ready with this, or never */
	if (error != 0 || !start_reader(context)) {
		pr_text_addf(why, "the resolver cannot be started: %s", error != 0 ? resolver.library->explain(error) : strerror(errno));
		resolver.library->delete(context);
		return false;
	}
	resolver.context = context;
	resolver.process = getpid();
	atexit(stop_at_exit);
	return true;
}

/* The library looks into the file when it is first asked, and then can only say that nothing is proven. */
static bool has_anchor(const char *path, struct pr_text *why)
{
	struct pr_text text, reason;
	struct pr_str rest, line, word;
	bool found = false;

	pr_text_init(&text, ANCHORS_MAX);
	pr_text_init(&reason, 500);
	if (pr_file_read(path, ANCHORS_MAX, &text, &reason) != PR_OK) {
		pr_text_addf(why, "option TrustAnchorFile: %s", reason.data);
	} else {
		rest = pr_text_str(&text);
		while (!found && pr_str_next(&rest, '\n', &line)) {
			line = pr_str_slice(line, 0, pr_str_find(line, ';'));
			while (!found && pr_str_word(&line, " \t\r", &word))
				found = pr_str_equal(word, PR_STR("DS")) || pr_str_equal(word, PR_STR("DNSKEY"));
		}
		if (!found)
			pr_text_addf(why, "option TrustAnchorFile: %s holds no DS or DNSKEY record, as \". IN DS 20326 8 2 ...\"", path);
	}
	pr_text_fini(&reason);
	pr_text_fini(&text);
	return found;
}

bool dns_ask_init(const struct dns_settings *settings, struct pr_text *why)
{
	pthread_mutex_lock(&resolver.mutex);
	/* in one process all roles come here with the same, and the first is at work already */
	if (resolver.context == NULL)
		resolver.settings = *settings;
	pthread_mutex_unlock(&resolver.mutex);
	return settings->anchors.len == 0 || has_anchor(settings->anchors.data, why);
}

/* asking ------------------------------------------------------------------ */

static struct timespec end_of(const struct pr_call *call)
{
	int64_t left = pr_call_remaining(call, DNS_PATIENCE_MS);
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)(left / 1000);
	end.tv_nsec += (long)(left % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

/* With the mutex.  NULL, and the reason in the call. */
static struct question *put(struct pr_call *call, const char *name, int type)
{
	char lower[NS_MAXDNAME];
	struct pr_text why;

	/* names in the answer are written as ends of this one, and would get its capitals */
	for (size_t i = 0; i <= strlen(name) && i < sizeof lower; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 'a' - 'A') : name[i];
	pr_text_init(&why, 400);
	if (!context_open(&why)) {
		pr_fail(call, PR_TEMPFAIL, "%s: %s", name, resolver.is_over ? "this process ends" : why.data);
		pr_text_fini(&why);
		return NULL;
	}
	pr_text_fini(&why);
	if (resolver.open >= QUESTIONS_MAX) {
		pr_fail(call, PR_TEMPFAIL, "%s: %d questions to the name servers are open already", name, QUESTIONS_MAX);
		return NULL;
	}
	struct question *question = question_new();
	int error = resolver.library->resolve(resolver.context, lower, type, ns_c_in, question, answered, NULL);
	if (error != 0) {
		pr_fail(call, PR_TEMPFAIL, "%s: the resolver: %s", name, resolver.library->explain(error));
		question->owners = 1;
		question_drop(question);
		return NULL;
	}
	question_open(question);
	return question;
}

static enum pr_status take(struct pr_call *call, const char *name, const struct question *question, struct dns_packet *packet)
{
	const struct ub_result *result = question->result;

	if (!question->is_answered)
		return pr_fail(call, PR_TEMPFAIL, "%s: name server timeout", name);
	if (question->error != 0 || result == NULL)
		return pr_fail(call, PR_TEMPFAIL, "%s: the resolver: %s", name, resolver.library->explain(question->error));
	packet->rcode = (uint32_t)result->rcode;
	if (result->bogus != 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: DNSSEC proves the answer false: %s", name, result->why_bogus != NULL ? result->why_bogus : "no reason");
	if (result->rcode == ns_r_nxdomain)
		return pr_fail(call, PR_NOTFOUND, "%s: no such name", name);
	if (result->rcode != ns_r_noerror)
		return pr_fail(call, PR_TEMPFAIL, "%s: name server failure", name);
	if (result->answer_packet == NULL || result->answer_len <= 0 || result->answer_len > DNS_PACKET_MAX)
		return pr_fail(call, PR_TEMPFAIL, "%s: answer too long", name);
	memcpy(packet->bytes, result->answer_packet, (size_t)result->answer_len);
	packet->len = (size_t)result->answer_len;
	packet->secure = result->secure != 0;
	return PR_OK;
}

enum pr_status dns_ask(struct pr_call *call, const char *name, int type, struct dns_packet *packet)
{
	struct timespec end = end_of(call);
	enum pr_status status = PR_TEMPFAIL;

	packet->len = 0;
	packet->rcode = 0;
	packet->secure = false;
	pthread_mutex_lock(&resolver.mutex);
	struct question *question = put(call, name, type);
	if (question != NULL) {
		while (!question->is_answered && pthread_cond_timedwait(&question->answered, &resolver.mutex, &end) == 0)
			;
		status = take(call, name, question, packet);
		question_drop(question);
	}
	pthread_mutex_unlock(&resolver.mutex);
	return status;
}
