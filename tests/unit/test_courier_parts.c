/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of the courier that a running daemon shows only on bad days: jumps of the clock, timeouts by class, verdicts on hosts, leases,
 * a store that tells what is ready, the handing over, and scans.  The store is played by this program.
 */
#include "kernel/courier/internal.h"
#include "kernel/module/internal.h"
#include "kernel/queue/queue.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* the store ---------------------------------------------------------------------- */
static atomic_int renewals, releases, handovers, waits, renewing;
static atomic_int renew_answer, renew_takes_ms;
static atomic_bool ended_while_renewing;
static atomic_int listing; /* how many entries there are */

static enum pr_status renew(struct pr_call *call, struct pr_claim *claim)
{
	(void)call;
	(void)claim;
	renewing++;
	usleep((unsigned int)renew_takes_ms * 1000);
	renewing--;
	renewals++;
	return (enum pr_status)renew_answer;
}

static void release(struct pr_call *call, struct pr_claim *claim)
{
	(void)call;
	(void)claim;
	releases++;
	if (renewing > 0)
		ended_while_renewing = true;
}

static enum pr_status handover(struct pr_call *call)
{
	(void)call;
	handovers++;
	return PR_OK;
}

static enum pr_status wait_ready(struct pr_call *call, struct pr_list *ids_out)
{
	static struct pr_str ids[] = {PR_STR_INIT("READY1"), PR_STR_INIT("READY2")};

	if (waits++ == 0) {
		*ids_out = (struct pr_list){ids, 2};
		return PR_OK;
	}
	usleep((unsigned int)pr_call_remaining(call, 50) * 1000);
	return pr_fail(call, PR_NOTFOUND, "nothing");
}

static enum pr_status next(struct pr_call *call, void **cursor, struct pr_entry *entry_out)
{
	uintptr_t at = (uintptr_t)*cursor;

	if ((int)at >= listing)
		return PR_NOTFOUND;
	*cursor = (void *)(at + 1);
	entry_out->id = pr_arena_printf(call->arena, "SCAN%05lu", (unsigned long)at);
	entry_out->queue = at % 2 == 0 ? PR_STR("mqueue") : PR_STR("slow");
	entry_out->tries = at % 3 == 0 ? 0 : 1;
	entry_out->last_try = courier_wall();
	entry_out->priority = (int64_t)at;
	entry_out->state = at == 7 ? PR_ENTRY_HELD : PR_ENTRY_READY;
	return PR_OK;
}

static void next_end(struct pr_call *call, void **cursor)
{
	(void)call;
	*cursor = NULL;
}

static const struct pr_store_ops ops = {.size = sizeof ops, .renew = renew, .release = release, .handover = handover,
                                        .wait_ready = wait_ready, .next = next, .next_end = next_end};
static const struct pr_module module = {.size = sizeof module, .kind = PR_KIND_STORE, .flags = PR_CONCURRENT, .name = "played", .ops = &ops};
static struct config_instance instance_config;
static struct module_instance instance = {.module = &module, .config = &instance_config, .is_open = true, .label = "played"};
static struct module_set set = {.instances = &instance, .count = 1, .store = &instance};

/* the courier ---------------------------------------------------------------------- */
static struct options options;
static struct role role = {.name = "courier", .channel = -1, .wake = -1};

static struct courier *stage(void)
{
	static const struct plan_limits limits = {.entries = 100000, .destinations = 100, .per_destination = 2, .parked = 10, .host_status = 10};
	struct courier *courier = pr_alloc(sizeof *courier);

	instance.set = &set;
	renew_answer = PR_OK;
	renew_takes_ms = 0;
	renewals = releases = handovers = waits = listing = 0;
	options = (struct options){.delivery_mode = PR_STR("background"), .timeout_queuereturn = 500, .timeout_queuewarn = 50};
	options_prepare(&options);
	*courier = (struct courier){.role = &role, .options = &options, .set = &set, .plan = plan_new(&limits),
	                            .retry = {.min_age = 300, .longest = 14400, .interval = 60}};
	pthread_mutex_init(&courier->lock, NULL);
	pthread_mutex_init(&courier->waking, NULL);
	CU_ASSERT_TRUE_FATAL(naps_open(courier));
	pthread_cond_init(&courier->quiet, NULL);
	pthread_cond_init(&courier->scan, NULL);
	leases_open(courier);
	groups_open(courier);
	return courier;
}

static void strike(struct courier *courier)
{
	leases_close(courier);
	naps_close(courier);
	plan_free(courier->plan);
	pr_free(courier);
}

static struct module_thread *adopt(struct job *job, struct courier *courier, const char *id, int64_t lease_ms)
{
	struct module_thread *thread = module_thread_new(&set);

	job->courier = courier;
	job->claim = (struct pr_claim){.size = sizeof job->claim, .id = pr_str(id), .lease_ms = lease_ms};
	module_scope_init(&job->scope, thread, &job->arena);
	return thread;
}

/* cases ------------------------------------------------------------------------------ */
static void test_clock(void)
{
	struct courier_clock clock = {.known = false};
	int64_t day = 86400, year = 365 * day;

	clock_note(&clock, 1000000, 50);
	CU_ASSERT_EQUAL(clock_age(&clock, 999900, 1000000), 100);
	clock_note(&clock, 1000010 + 3, 60); /* drifts a little: believed */
	CU_ASSERT_EQUAL(clock_age(&clock, 999900, 1000013), 113);
	/* a year ahead in one second: who was there has aged by a second, who came since by the calendar */
	clock_note(&clock, 1000014 + year, 61);
	CU_ASSERT_EQUAL(clock_age(&clock, 999900, 1000014 + year), 114);
	clock_note(&clock, 1000014 + year + day, 61 + day);
	CU_ASSERT_EQUAL(clock_age(&clock, 1000014 + year, 1000014 + year + day), day);
	/* and back again: nothing has a negative age, nothing remains taken off */
	clock_note(&clock, 1000014 + day + 10, 61 + day + 10);
	CU_ASSERT_EQUAL(clock_age(&clock, 1000014 + year, 1000024 + day), 0);
	CU_ASSERT_EQUAL(clock_age(&clock, 1000014, 1000024 + day), day + 10);
	/* a day back only */
	clock_note(&clock, 1000025, 61 + day + 11);
	CU_ASSERT_EQUAL(clock_age(&clock, 1000014 + day, 1000025), 0);
	CU_ASSERT_EQUAL(clock_age(&clock, 999000, 1000025), 1025);
}

static void test_wakes(void)
{
	struct pr_recipient recipient = {.address = PR_STR("<joe@host.example>")};
	struct pr_envelope envelope = {.size = sizeof envelope, .id = PR_STR("6AKCWE2x026116"), .sender = PR_STR("<a@example.net>"),
	                               .priority = -149948, .created = 77, .recipients = &recipient, .recipient_count = 1};
	struct plan_item item = {.due = 1};
	char bytes[QUEUE_WAKE_MAX], mode = 'x';
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	CU_ASSERT_TRUE(queue_wake_for(ends[0], &envelope, PR_STR("priority"), 0, -1));
	ssize_t len = recv(ends[1], bytes, sizeof bytes, 0);
	queue_wake_read(bytes, (size_t)len, &item, &mode);
	CU_ASSERT_TRUE(pr_str_equal(item.id, envelope.id));
	CU_ASSERT_EQUAL(item.order, -149948);
	CU_ASSERT_EQUAL(item.source, plan_source(envelope.sender));
	CU_ASSERT_EQUAL(mode, 0);
	CU_ASSERT_TRUE(queue_wake_for(ends[0], &envelope, PR_STR("time"), 'q', -1));
	len = recv(ends[1], bytes, sizeof bytes, 0);
	queue_wake_read(bytes, (size_t)len, &item, &mode);
	CU_ASSERT_EQUAL(item.order, 77);
	CU_ASSERT_EQUAL(mode, 'q');
	/* only the id, and rubbish */
	queue_wake(ends[0], envelope.id);
	len = recv(ends[1], bytes, sizeof bytes, 0);
	queue_wake_read(bytes, (size_t)len, &item, &mode);
	CU_ASSERT_TRUE(pr_str_equal(item.id, envelope.id));
	CU_ASSERT_TRUE(item.order == 0 && item.source == 0);
	struct pr_str run = PR_NONE;
	CU_ASSERT_FALSE(queue_wake_is_run(bytes, (size_t)len, &run));
	CU_ASSERT_FALSE(queue_wake_is_run("", 0, &run));
	CU_ASSERT_TRUE(queue_wake_run(ends[0], PR_STR("R=@away.example")));
	len = recv(ends[1], bytes, sizeof bytes, 0);
	CU_ASSERT_TRUE(queue_wake_is_run(bytes, (size_t)len, &run));
	CU_ASSERT_TRUE(pr_str_equal(run, PR_STR("R=@away.example")));
	static const char endless[2 * QUEUE_WAKE_MAX];
	CU_ASSERT_FALSE(queue_wake_run(ends[0], (struct pr_str){endless, sizeof endless}));
	CU_ASSERT_FALSE(queue_wake_run(-1, PR_STR("R=x")));
	queue_wake_read("", 0, &item, &mode);
	CU_ASSERT_EQUAL(item.id.len, 0);
	queue_wake_read("ab\0cd", 5, &item, &mode);
	CU_ASSERT_TRUE(item.id.len == 2 && item.source == 0);
	close(ends[0]);
	close(ends[1]);
}

/* Who waits hears once, the others nothing; whoever comes after the end hears at once. */
static void test_words(void)
{
	struct courier *courier = pr_alloc(sizeof *courier);
	char said[8];
	int one[2], two[2], three[2];

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, one) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, two) == 0 &&
	                socketpair(AF_UNIX, SOCK_STREAM, 0, three) == 0);
	words_open(courier);
	words_say(courier, PR_STR("6AKCWE2x026116"), QUEUE_WORD_DELIVERED); /* nobody waits */
	words_note(courier, PR_STR("6AKCWE2x026116"), one[0]);
	words_note(courier, PR_STR("6AKCWE2X026116"), two[0]); /* ids differ in case only */
	words_say(courier, PR_STR("6AKCWE2x026116"), QUEUE_WORD_DELIVERED);
	CU_ASSERT_EQUAL(recv(one[1], said, sizeof said, MSG_WAITALL), 1); /* and the end */
	CU_ASSERT_EQUAL(said[0], QUEUE_WORD_DELIVERED);
	CU_ASSERT_EQUAL(recv(two[1], said, sizeof said, MSG_DONTWAIT), -1);
	words_close(courier);
	CU_ASSERT_EQUAL(recv(two[1], said, sizeof said, MSG_WAITALL), 1);
	CU_ASSERT_EQUAL(said[0], QUEUE_WORD_QUEUED);
	words_note(courier, PR_STR("6AKCWE2x026116"), three[0]);
	CU_ASSERT_EQUAL(recv(three[1], said, sizeof said, MSG_WAITALL), 1);
	CU_ASSERT_EQUAL(said[0], QUEUE_WORD_QUEUED);
	close(one[1]);
	close(two[1]);
	close(three[1]);
	pthread_mutex_destroy(&courier->words.lock);
	pr_free(courier);
}

/* A descriptor comes along, and only with the wake-up it was given to. */
static size_t entries_of(struct courier *courier)
{
	struct plan_counts counts;

	plan_count(courier->plan, courier_now(), &counts);
	return counts.entries;
}

static enum nap nap_once(struct courier *courier, int seconds)
{
	pthread_mutex_lock(&courier->lock);
	enum nap end = nap_take(courier, seconds);
	pthread_mutex_unlock(&courier->lock);
	return end;
}

static struct courier *stage_with_wakes(int *ends)
{
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	role.wake = ends[1];
	return stage();
}

static void strike_with_wakes(struct courier *courier, const int *ends)
{
	strike(courier);
	close(ends[1]);
	role.wake = -1;
}

/* One who sleeps is woken by mail, by a call, or by nothing. */
static void test_naps(void)
{
	int ends[2];
	struct courier *courier = stage_with_wakes(ends);
	uint64_t told;

	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER);
	nap_call(courier);
	nap_call(courier);
	CU_ASSERT_EQUAL(nap_once(courier, 60), NAP_CALLED);
	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER); /* nobody has read it, and it is over all the same */
	queue_wake(ends[0], PR_STR("6AKCWE2x026116"));
	queue_wake(ends[0], PR_STR("6AKCWE2x026117"));
	CU_ASSERT_EQUAL(nap_once(courier, 60), NAP_MAIL);
	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER);
	wakes_read(courier);
	CU_ASSERT_EQUAL(entries_of(courier), 2);
	/* many behind one edge: each one who reads some has another one woken for the rest */
	for (int i = 0; i < 50; i++) {
		char id[32];

		snprintf(id, sizeof id, "6AKCWE2x03%04d", i);
		queue_wake(ends[0], pr_str(id));
	}
	for (int turn = 0; turn < 50 && nap_once(courier, 0) == NAP_MAIL; turn++)
		wakes_read(courier);
	CU_ASSERT_EQUAL(entries_of(courier), 52);
	/* something is due before the first thread would look: it is told */
	plan_add(courier->plan, PR_STR("6AKCWE2x040000"), courier_now() + 3);
	while (plan_take(courier->plan, courier_now()) != NULL)
		continue;
	courier->sleeps_until = courier_now() + 3;
	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER);
	CU_ASSERT(read(courier->needed, &told, sizeof told) < 0);
	courier->sleeps_until += 2;
	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER);
	CU_ASSERT(read(courier->needed, &told, sizeof told) == sizeof told);
	close(ends[0]);
	strike_with_wakes(courier, ends);
}

/* When nobody sleeps and nobody may be started, the first thread listens, until somebody sleeps again. */
static void test_first_thread_listens(void)
{
	int ends[2];
	struct courier *courier = stage_with_wakes(ends);

	CU_ASSERT_FALSE(nap_main_listens(courier));
	nap_need_one(courier);
	CU_ASSERT_TRUE(nap_main_listens(courier));
	queue_wake(ends[0], PR_STR("6AKCWE2x026118"));
	CU_ASSERT_TRUE(wakes_read_all(courier));
	CU_ASSERT_EQUAL(entries_of(courier), 1);
	courier->idle = 1;
	CU_ASSERT_FALSE(nap_main_listens(courier));
	nap_need_one(courier);
	CU_ASSERT_FALSE(nap_main_listens(courier));
	courier->idle = 0;
	/* who leaves reads nothing */
	courier->draining = true;
	queue_wake(ends[0], PR_STR("6AKCWE2x026119"));
	CU_ASSERT_TRUE(wakes_read_all(courier));
	CU_ASSERT_EQUAL(entries_of(courier), 1);
	nap_need_one(courier);
	CU_ASSERT_FALSE(nap_main_listens(courier));
	courier->draining = false;
	/* nobody at the other end, behind what was sent before */
	close(ends[0]);
	CU_ASSERT_FALSE(wakes_read_all(courier));
	CU_ASSERT_EQUAL(entries_of(courier), 2);
	wakes_read(courier);
	CU_ASSERT_EQUAL(nap_once(courier, 0), NAP_OVER);
	strike_with_wakes(courier, ends);
}

static void test_wake_descriptor(void)
{
	struct pr_envelope envelope = {.size = sizeof envelope, .id = PR_STR("6AKCWE2x026116"), .sender = PR_STR("<a@example.net>")};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char bytes[QUEUE_WAKE_MAX], mode;
	struct plan_item item = {.due = 1};
	int ends[2], words[2];

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, words) == 0);
	CU_ASSERT_TRUE(queue_wake_for(ends[0], &envelope, PR_STR("priority"), 'i', words[0]));
	CU_ASSERT_TRUE(queue_wake_for(ends[0], &envelope, PR_STR("priority"), 'b', -1));
	CU_ASSERT_FALSE(queue_wake_for(-1, &envelope, PR_STR("priority"), 'i', words[0]));
	close(words[0]);
	for (int i = 0; i < 2; i++) {
		struct iovec piece = {bytes, sizeof bytes};
		struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
		ssize_t len = recvmsg(ends[1], &message, MSG_DONTWAIT);
		CU_ASSERT_FATAL(len > 0);
		queue_wake_read(bytes, (size_t)len, &item, &mode);
		CU_ASSERT_EQUAL(mode, i == 0 ? 'i' : 'b');
		int fd = queue_wake_descriptor(&message);
		CU_ASSERT_EQUAL(fd >= 0, i == 0);
		if (fd >= 0) {
			CU_ASSERT_EQUAL(write(fd, "D", 1), 1);
			close(fd);
		}
	}
	CU_ASSERT_EQUAL(read(words[1], bytes, sizeof bytes), 1);
	CU_ASSERT_EQUAL(read(words[1], bytes, sizeof bytes), 0);
	close(words[1]);
	close(ends[0]);
	close(ends[1]);
}

static int64_t after(struct courier *courier, const char *priority, uint32_t flags, bool warn)
{
	struct pr_header field = {.name = PR_STR("priority"), .value = pr_str(priority)};
	struct pr_envelope envelope = {.size = sizeof envelope, .flags = flags, .headers = &field, .header_count = priority[0] != '\0'};
	struct job job = {.courier = courier, .envelope = &envelope};

	return warn ? job_warn_after(&job) : job_return_after(&job);
}

static void test_timeouts(void)
{
	struct courier *courier = stage();

	CU_ASSERT_EQUAL(after(courier, " urgent", 0, false), 500);
	CU_ASSERT_EQUAL(after(courier, "", 0, true), 50);
	options.timeout_return_of[TIMEOUT_URGENT] = 0; /* now */
	options.timeout_return_of[TIMEOUT_NON_URGENT] = 900;
	options.timeout_return_of[TIMEOUT_DSN] = 100;
	options.timeout_warn_of[TIMEOUT_NORMAL] = 0; /* never */
	CU_ASSERT_EQUAL(after(courier, " Urgent ", 0, false), 0);
	CU_ASSERT_EQUAL(after(courier, " non-urgent", 0, false), 900);
	CU_ASSERT_EQUAL(after(courier, " normal", 0, false), 500);
	CU_ASSERT_EQUAL(after(courier, " whatever", 0, false), 500);
	CU_ASSERT_EQUAL(after(courier, "", PR_ENVELOPE_RESPONSE, false), 100);
	CU_ASSERT_EQUAL(after(courier, " non-urgent", PR_ENVELOPE_RESPONSE, false), 900);
	CU_ASSERT_EQUAL(after(courier, "", 0, true), 0);
	CU_ASSERT_EQUAL(after(courier, " urgent", 0, true), 50);
	strike(courier);
}

static void test_judgement(void)
{
	static const struct {
		enum pr_status status;
		uint32_t code;
		const char *enhanced;
		enum plan_outcome outcome;
	} cases[] = {
		{PR_OK, 250, "2.0.0", PLAN_SERVED},           {PR_PERMFAIL, 550, "5.1.1", PLAN_SERVED},
		{PR_TEMPFAIL, 450, "4.2.1", PLAN_SERVED},     {PR_TEMPFAIL, 421, "4.3.2", PLAN_PUSHED_BACK},
		{PR_TEMPFAIL, 0, "4.4.1", PLAN_UNREACHABLE},  {PR_TEMPFAIL, 0, "4.4.3", PLAN_UNREACHABLE},
		{PR_TEMPFAIL, 0, "4.4.2", PLAN_PUSHED_BACK},  {PR_TEMPFAIL, 0, "4.3.0", PLAN_NEUTRAL},
		{PR_PERMFAIL, 0, "5.1.2", PLAN_NEUTRAL},
	};
	struct pr_str reply = PR_NONE;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parcel parcel = {.group = 1, .status = cases[i].status, .code = cases[i].code, .enhanced = pr_str(cases[i].enhanced),
		                        .reply = PR_STR("what it said")};
		struct group group = {.host = PR_STR("a.example")};
		struct job job = {.parcels = &parcel, .parcel_count = 1, .groups = &group, .group_count = 1};
		CU_ASSERT_EQUAL(courier_judge(&job, &group, &reply), cases[i].outcome);
		CU_ASSERT_TRUE(pr_str_equal(reply, PR_STR("what it said")));
		group.host = PR_STR("");
		CU_ASSERT_EQUAL(courier_judge(&job, &group, &reply), PLAN_SERVED);
	}
	struct parcel silent = {.group = 1, .status = PR_TEMPFAIL, .enhanced = PR_STR("4.4.2"),
	                        .reply = PR_STR("Deferred: Connection timed out with a.example.")};
	struct group group = {.host = PR_STR("a.example")};
	struct job job = {.parcels = &silent, .parcel_count = 1, .groups = &group, .group_count = 1};
	CU_ASSERT_EQUAL(courier_judge(&job, &group, &reply), PLAN_UNREACHABLE);
}

static void test_groups(void)
{
	struct courier *courier = stage();

	CU_ASSERT_TRUE(groups_add(courier, PR_STR("slow"), 3600, 1));
	CU_ASSERT_EQUAL(groups_find(courier, PR_STR("slow")), 1);
	CU_ASSERT_EQUAL(groups_find(courier, PR_STR("q.17")), 0);
	CU_ASSERT_EQUAL(groups_retry(courier, 1)->interval, 3600);
	CU_ASSERT_TRUE(groups_retry(courier, 1)->runs && !groups_retry(courier, 0)->runs);
	CU_ASSERT_EQUAL(groups_retry(courier, 0)->interval, 60);
	CU_ASSERT_EQUAL(groups_retry(courier, PLAN_GROUP_UNKNOWN)->interval, 60);
	for (int i = 2; i < PLAN_GROUPS_MAX; i++)
		CU_ASSERT_TRUE(groups_add(courier, PR_STR("more"), 0, 0));
	CU_ASSERT_FALSE(groups_add(courier, PR_STR("too many"), 0, 0));
	strike(courier);
}

static bool wait_for(const atomic_int *counter, int value)
{
	for (int i = 0; i < 500 && *counter < value; i++)
		usleep(10000);
	return *counter >= value;
}

static void test_leases(void)
{
	struct courier *courier = stage();
	struct job job = {.entry = NULL}, other = {.entry = NULL};

	pr_arena_init(&job.arena, 1u << 20);
	pr_arena_init(&other.arena, 1u << 20);
	struct module_thread *thread = adopt(&job, courier, "LEASED", 100), *second = adopt(&other, courier, "FOREVER", 0);
	lease_begin(&other); /* lasts as long as the process: nothing to do */
	CU_ASSERT_FALSE(courier->leases.running);
	lease_begin(&job);
	CU_ASSERT_TRUE(wait_for(&renewals, 3));
	/* a claim is not ended while its renewal is on the way */
	renew_takes_ms = 100;
	for (int i = 0; i < 500 && renewing == 0; i++)
		usleep(1000);
	job_release(&job);
	CU_ASSERT_FALSE(ended_while_renewing);
	int at_end = renewals;
	usleep(200000);
	CU_ASSERT_EQUAL(renewals, at_end);
	/* refused: somebody else has it, so it is not asked for again */
	renew_takes_ms = 0;
	renew_answer = PR_PERMFAIL;
	lease_begin(&job);
	CU_ASSERT_TRUE(wait_for(&renewals, at_end + 1));
	usleep(200000);
	CU_ASSERT_EQUAL(renewals, at_end + 1);
	job_release(&job);
	/* not now: asked again before the time is over, and not for ever after it */
	renew_answer = PR_TEMPFAIL;
	at_end = renewals;
	lease_begin(&job);
	usleep(300000);
	int tried = renewals - at_end;
	CU_ASSERT_TRUE(tried >= 2);
	usleep(100000);
	CU_ASSERT_EQUAL(renewals - at_end, tried);
	job_release(&job);
	job_release(&other);
	module_thread_free(thread);
	module_thread_free(second);
	pr_arena_fini(&job.arena);
	pr_arena_fini(&other.arena);
	strike(courier);
}

static void test_ready(void)
{
	struct courier *courier = stage();

	courier->draining = false;
	courier_service_starts(courier, ready_main);
	CU_ASSERT_TRUE(wait_for(&waits, 2));
	pthread_mutex_lock(&courier->lock);
	CU_ASSERT_TRUE(plan_knows(courier->plan, PR_STR("READY1")));
	CU_ASSERT_TRUE(plan_knows(courier->plan, PR_STR("READY2")));
	CU_ASSERT_EQUAL(courier->services, 1);
	pthread_mutex_unlock(&courier->lock);
	CU_ASSERT_TRUE(courier_drain(courier, 10));
	CU_ASSERT_EQUAL(courier->services, 0);
	strike(courier);
}

static atomic_bool seen_in_time;

/* A delivery that lasts until the next courier could have begun. */
static void *last_delivery(void *argument)
{
	for (int i = 0; i < 500 && (handovers < 1 || releases < 1); i++)
		usleep(10000);
	seen_in_time = handovers == 1 && releases == 1;
	courier_service_ends(argument);
	return NULL;
}

/* What stands in line with a claim is free, and the store handed over, before anybody is waited for. */
static void test_handover(void)
{
	struct courier *courier = stage();
	struct job *job = job_new(courier);
	struct module_thread *thread = adopt(job, courier, "PARKED", 0);

	plan_add(courier->plan, PR_STR("PARKED"), 0);
	job->entry = plan_take(courier->plan, 1);
	plan_wait(courier->plan, job->entry, plan_destination(courier->plan, PR_STR("esmtp"), PR_STR("a.example"), 1), job);
	courier_service_starts(courier, last_delivery);
	CU_ASSERT_TRUE(courier_drain(courier, -1));
	CU_ASSERT_TRUE(seen_in_time);
	CU_ASSERT_EQUAL(handovers, 1);
	CU_ASSERT_EQUAL(courier->services, 0);
	module_thread_free(thread);
	strike(courier);
}

static void test_scan(void)
{
	struct courier *courier = stage();
	struct module_thread *thread = module_thread_new(&set);
	struct plan_counts counts;
	struct plan_entry *entry;
	unsigned int fresh = 0, run = 0;

	groups_add(courier, PR_STR("slow"), 3600, 0);
	courier->draining = false;
	listing = 1000; /* several batches and a rest */
	scan_once(courier, thread, false);
	plan_count(courier->plan, courier_now(), &counts);
	CU_ASSERT_EQUAL(counts.entries, 999); /* one is held */
	CU_ASSERT_EQUAL(counts.fresh, 334);   /* never tried: at once */
	CU_ASSERT_EQUAL(counts.waiting, 665);
	/* the default group has MinQueueAge as its wait, the other one its interval */
	CU_ASSERT_TRUE(plan_next_due(courier->plan) == 0);
	while ((entry = plan_take(courier->plan, courier_now() + 301)) != NULL) {
		CU_ASSERT_TRUE(!entry->runner || entry->group == 0);
		fresh += !entry->runner;
		run += entry->runner;
		plan_retry(courier->plan, entry, PLAN_NEVER);
	}
	CU_ASSERT_EQUAL(fresh, 334);
	CU_ASSERT_TRUE(run > 320 && run < 340);
	/* a scan changes nothing about what is known, a run takes each once */
	scan_once(courier, thread, false);
	CU_ASSERT_PTR_NULL(plan_take(courier->plan, courier_now() + 301));
	plan_run_all(courier->plan, courier_now());
	run = 0;
	while ((entry = plan_take(courier->plan, courier_now())) != NULL) {
		plan_retry(courier->plan, entry, PLAN_NEVER);
		if (++run % 100 == 0)
			scan_once(courier, thread, true);
	}
	CU_ASSERT_EQUAL(run, 999);
	module_thread_free(thread);
	strike(courier);
}

/* Known until their time is over, by any spelling; no more than there is room for. */
static void test_dead_hosts(void)
{
	static struct courier_dead_hosts hosts;
	struct pr_arena arena;
	struct pr_str reason = PR_NONE;
	char name[32];

	pr_arena_init(&arena, 1u << 16);
	dead_hosts_init(&hosts);
	dead_hosts_note(&hosts, PR_STR("mx1.example."), PR_STR("Deferred: Connection refused by mx1.example."), 100);
	dead_hosts_note(&hosts, PR_STR("mx2.example."), PR_NONE, 200);
	CU_ASSERT_TRUE(dead_hosts_find(&hosts, PR_STR("MX1.Example."), 99, &arena, &reason));
	CU_ASSERT_TRUE(pr_str_equal(reason, PR_STR("Deferred: Connection refused by mx1.example.")));
	CU_ASSERT_FALSE(dead_hosts_find(&hosts, PR_STR("mx1.example."), 100, &arena, &reason));
	CU_ASSERT_EQUAL(hosts.count, 1);
	CU_ASSERT_TRUE(dead_hosts_find(&hosts, PR_STR("mx2.example."), 100, &arena, &reason) && pr_str_equal(reason, PR_STR("Deferred")));
	dead_hosts_forget(&hosts, PR_STR("MX2.example."));
	CU_ASSERT_FALSE(dead_hosts_find(&hosts, PR_STR("mx2.example."), 100, &arena, &reason));
	for (int i = 0; i < 2 * COURIER_DEAD_HOSTS; i++) {
		snprintf(name, sizeof name, "host%d", i);
		dead_hosts_note(&hosts, pr_str(name), PR_STR("x"), 1000 + i);
		dead_hosts_note(&hosts, pr_str(name), PR_STR("y"), 1000 + i);
	}
	CU_ASSERT_EQUAL(hosts.count, COURIER_DEAD_HOSTS);
	CU_ASSERT_FALSE(dead_hosts_find(&hosts, PR_STR("host0"), 0, &arena, &reason));
	CU_ASSERT_TRUE(dead_hosts_find(&hosts, pr_str(name), 0, &arena, &reason) && pr_str_equal(reason, PR_STR("y")));
	dead_hosts_clear(&hosts);
	CU_ASSERT_FALSE(dead_hosts_find(&hosts, pr_str(name), 0, &arena, &reason));
	dead_hosts_fini(&hosts);
	pr_arena_fini(&arena);
}

static const struct unit_case cases[] = {
	{"the clock jumps", test_clock},
	{"wake-ups", test_wakes},
	{"a wake-up brings a descriptor", test_wake_descriptor},
	{"who has nothing to do sleeps", test_naps},
	{"the first thread listens", test_first_thread_listens},
	{"word of a first attempt", test_words},
	{"timeouts by class", test_timeouts},
	{"verdicts on hosts", test_judgement},
	{"hosts that are down", test_dead_hosts},
	{"queue groups", test_groups},
	{"leases are renewed", test_leases},
	{"a store tells what is ready", test_ready},
	{"the handing over", test_handover},
	{"scans", test_scan},
	{NULL, NULL},
};

UNIT_MAIN("courier_parts", cases)
