/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The courier as a whole: real store, real rules, real SMTP mailer, and a next hop that takes, refuses or postpones by
 * the recipient's name.  The courier runs in a thread as it does with --single; this program plays master and receiver.
 */
#include "kernel/courier/courier.h"
#include "kernel/module/module.h"
#include "kernel/net/channel.h"
#include "kernel/queue/queue.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* the next hop --------------------------------------------------------------- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int taken, from_null, connections;
static bool later_is_over;
static char last_message[65536], last_sender[512], last_recipient[512];
static int listener;
static unsigned int port;

struct peer {
	FILE *in, *out;
	char sender[512], recipient[512];
};

static bool answer(struct peer *peer, const char *line)
{
	if (strncmp(line, "EHLO", 4) == 0) {
		fputs("250-hop.example\r\n250 PIPELINING\r\n", peer->out);
	} else if (strncmp(line, "MAIL", 4) == 0) {
		snprintf(peer->sender, sizeof peer->sender, "%.500s", line);
		fputs("250 ok\r\n", peer->out);
	} else if (strncmp(line, "RCPT", 4) == 0) {
		pthread_mutex_lock(&lock);
		bool over = later_is_over;
		pthread_mutex_unlock(&lock);
		if (strstr(line, "refuse") != NULL) {
			fputs("550 5.1.1 no such mailbox\r\n", peer->out);
		} else if (strstr(line, "later") != NULL && !over) {
			fputs("450 4.2.1 mailbox busy\r\n", peer->out);
		} else {
			snprintf(peer->recipient, sizeof peer->recipient, "%.500s", line);
			fputs("250 ok\r\n", peer->out);
		}
	} else if (strncmp(line, "QUIT", 4) == 0) {
		fputs("221 bye\r\n", peer->out);
		return false;
	} else {
		fputs("250 ok\r\n", peer->out);
	}
	return true;
}

static void take_message(struct peer *peer)
{
	char line[8192], message[65536];
	size_t used = 0;

	fputs("354 go\r\n", peer->out);
	fflush(peer->out);
	while (fgets(line, sizeof line, peer->in) != NULL && strcmp(line, ".\r\n") != 0)
		if (used + strlen(line) < sizeof message)
			used += (size_t)snprintf(message + used, sizeof message - used, "%s", line);
	message[used] = '\0';
	if (peer->recipient[0] == '\0') {
		fputs("554 no recipients\r\n", peer->out);
		return;
	}
	pthread_mutex_lock(&lock);
	taken++;
	from_null += strstr(peer->sender, "<>") != NULL;
	memcpy(last_message, message, used + 1);
	snprintf(last_sender, sizeof last_sender, "%s", peer->sender);
	snprintf(last_recipient, sizeof last_recipient, "%s", peer->recipient);
	pthread_mutex_unlock(&lock);
	peer->recipient[0] = '\0';
	fputs("250 2.0.0 taken\r\n", peer->out);
}

static void *serve_peer(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct peer peer = {.in = fdopen(fd, "r"), .out = fdopen(dup(fd), "w")};
	char line[8192];
	bool more = true;

	fputs("220 hop.example\r\n", peer.out);
	fflush(peer.out);
	while (more && fgets(line, sizeof line, peer.in) != NULL) {
		if (strncmp(line, "DATA", 4) == 0)
			take_message(&peer);
		else
			more = answer(&peer, line);
		fflush(peer.out);
	}
	fclose(peer.in);
	fclose(peer.out);
	return NULL;
}

static void *serve(void *argument)
{
	pthread_t thread;
	int fd;

	(void)argument;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&lock);
		connections++;
		pthread_mutex_unlock(&lock);
		if (pthread_create(&thread, NULL, serve_peer, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

static void start_hop(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	pthread_t thread;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 128) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
		abort();
	pthread_detach(thread);
	port = ntohs(address.sin_port);
}

/* the courier ----------------------------------------------------------------- */
static char directory[] = "/tmp/postrider-test-courier-XXXXXX";
static char config_path[200], queue_path[200];
static int channel[2], wake[2];
static struct role role;
static pthread_t courier_thread;
static struct module_set *set;
static struct module_thread *thread;
static struct config *config;
static struct pr_arena arena;
static struct module_scope scope;

static void write_config(void)
{
	snprintf(config_path, sizeof config_path, "%s/postrider.conf", directory);
	snprintf(queue_path, sizeof queue_path, "%s/mqueue", directory);
	FILE *file = fopen(config_path, "w");
	if (file == NULL || mkdir(queue_path, 0700) != 0)
		abort();
	fprintf(file, "module_directory = \"%s\";\nrun_directory = \"%s/run\";\ndrop_directory = \"%s/drop\";\nlog = \"stderr\";\n", BUILD_DIR, directory, directory);
	fprintf(file, "options = { QueueDirectory = \"%s\"; HostName = \"me.example\"; QueueInterval = \"1s\"; MinQueueAge = 0; "
	        "DoubleBounceAddress = \"double-refuse@x.example\"; CourierThreads = 8; };\n", queue_path);
	fprintf(file, "rules = { module = \"routes\"; smart_host = \"relay:[127.0.0.1]:%u\"; };\n", port);
	fprintf(file, "mailers = { relay = { module = \"smtp\"; }; };\nlisteners = ();\n");
	fclose(file);
}

static void *run_courier(void *argument)
{
	return (void *)(intptr_t)courier_main(argument);
}

static void start_courier(void)
{
	struct pr_text errors;

	pr_text_init(&errors, 8000);
	config = config_load(config_path, NULL, &errors);
	set = config != NULL ? module_set_open(config, MODULE_ROLE_RECEIVER, &errors) : NULL;
	if (set == NULL) {
		fprintf(stderr, "%s\n", errors.data);
		exit(EXIT_FAILURE);
	}
	pr_text_fini(&errors);
	thread = module_thread_new(set);
	pr_arena_init(&arena, 64u << 20);
	module_scope_init(&scope, thread, &arena);
	if (!store_role(&scope, PR_STORE_INTAKE) || !channel_pair(channel) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wake) != 0)
		abort();
	role = (struct role){.name = "courier", .config_path = config_path, .single = 1, .channel = channel[1], .wake = wake[1]};
	if (pthread_create(&courier_thread, NULL, run_courier, &role) != 0)
		abort();
}

static bool expect_ready(void)
{
	struct channel_message message;
	int fd = -1;

	return channel_receive(channel[0], &message, &fd, 10000) == 1 && message.kind == CHANNEL_READY;
}

/* helpers ----------------------------------------------------------------------- */
static enum pr_status give_body(void *context, void *buffer, size_t room, size_t *length_out)
{
	bool *given = context;

	*length_out = *given ? 0 : (size_t)snprintf(buffer, room, "hello\n.dot\n");
	*given = true;
	return PR_OK;
}

static void submit(const char *sender, const char *const *recipients, size_t count, bool tell)
{
	struct pr_header fields[] = {{PR_STR("From"), PR_STR(" <a@x.example>"), PR_STR("")}, {PR_STR("Subject"), PR_STR(" test"), PR_STR("")}};
	struct pr_recipient list[4] = {{.flags = 0}};
	struct pr_envelope envelope = {.size = sizeof envelope, .sender = pr_str(sender), .created = time(NULL), .headers = fields,
	                               .header_count = 2, .recipients = list, .recipient_count = count};
	struct pr_str id;
	bool given = false;

	for (size_t i = 0; i < count; i++)
		list[i] = (struct pr_recipient){.address = pr_str(recipients[i]), .flags = PR_RECIPIENT_PRIMARY};
	pr_arena_reset(&arena);
	CU_ASSERT_EQUAL_FATAL(queue_submit(&scope, &envelope, give_body, &given, &id), PR_OK);
	if (tell)
		queue_wake(wake[0], id);
}

static unsigned int get(const unsigned int *counter)
{
	pthread_mutex_lock(&lock);
	unsigned int value = *counter;
	pthread_mutex_unlock(&lock);
	return value;
}

static bool wait_for(const unsigned int *counter, unsigned int value)
{
	for (int i = 0; i < 1500 && get(counter) < value; i++)
		usleep(10000);
	return get(counter) == value;
}

static unsigned int queued(void)
{
	unsigned int count = 0;
	DIR *queue = opendir(queue_path);
	struct dirent *entry;

	while (queue != NULL && (entry = readdir(queue)) != NULL)
		count += strncmp(entry->d_name, "qf", 2) == 0;
	if (queue != NULL)
		closedir(queue);
	return count;
}

static bool wait_queued(unsigned int value)
{
	for (int i = 0; i < 1500 && queued() != value; i++)
		usleep(10000);
	return queued() == value;
}

/* cases --------------------------------------------------------------------------- */
static void test_many(void)
{
	const char *const one[] = {"<joe@y.example>"};
	unsigned int before = get(&taken);

	for (unsigned int i = 0; i < 300; i++)
		submit("<a@x.example>", one, 1, i % 50 != 49); /* some wake-ups are lost */
	CU_ASSERT_TRUE(wait_for(&taken, before + 300));
	CU_ASSERT_TRUE(wait_queued(0));
	CU_ASSERT_TRUE(get(&connections) <= 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(last_message, "Subject: test\r\n\r\nhello\r\n..dot\r\n"));
}

static void test_three_results(void)
{
	const char *const three[] = {"<joe@y.example>", "<refuse@y.example>", "<later@y.example>"};
	unsigned int before = get(&taken);

	submit("<a@x.example>", three, 3, true);
	CU_ASSERT_TRUE(wait_for(&taken, before + 2)); /* the message for joe, and one bounce */
	CU_ASSERT_EQUAL(get(&from_null), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(last_recipient, "<a@x.example>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(last_message, "refuse@y.example"));
	CU_ASSERT_PTR_NOT_NULL(strstr(last_message, "550 5.1.1 no such mailbox"));
	CU_ASSERT_PTR_NULL(strstr(last_message, "joe@y.example>"));
	CU_ASSERT_TRUE(wait_queued(1));
	pthread_mutex_lock(&lock);
	later_is_over = true;
	pthread_mutex_unlock(&lock);
	CU_ASSERT_TRUE(wait_for(&taken, before + 3));
	CU_ASSERT_TRUE(wait_queued(0));
	CU_ASSERT_EQUAL(get(&from_null), 1);
}

/* A bounce that is refused goes to DoubleBounceAddress; that is refused as well, and then there is silence. */
static void test_double_bounce(void)
{
	const char *const one[] = {"<refuse@y.example>"};
	unsigned int before = get(&taken);

	submit("<sender-refuse@x.example>", one, 1, true);
	CU_ASSERT_TRUE(wait_queued(0));
	usleep(300000);
	CU_ASSERT_TRUE(wait_queued(0));
	CU_ASSERT_EQUAL(get(&taken), before);
}

static void test_state(void)
{
	struct channel_message message = {.kind = 0};
	int fd = -1;

	CU_ASSERT_TRUE(channel_send(channel[0], CHANNEL_STATUS, 7, 0, PR_NONE, -1));
	CU_ASSERT_EQUAL(channel_receive(channel[0], &message, &fd, 5000), 1);
	CU_ASSERT_EQUAL(message.kind, CHANNEL_STATE);
	CU_ASSERT_EQUAL(message.serial, 7);
	fprintf(stderr, "%.*s\n", (int)message.length, message.text);
}

static void test_drain(void)
{
	const char *const one[] = {"<after@y.example>"};
	void *status = NULL;
	unsigned int before = get(&taken);

	CU_ASSERT_TRUE(channel_send(channel[0], CHANNEL_DRAIN, 0, 0, PR_NONE, -1));
	CU_ASSERT_EQUAL(pthread_join(courier_thread, &status), 0);
	CU_ASSERT_EQUAL((int)(intptr_t)status, EX_OK);
	submit("<a@x.example>", one, 1, true);
	usleep(200000);
	CU_ASSERT_EQUAL(get(&taken), before);
	/* one run, as sendmail -q without a daemon */
	role.queue_now = 1;
	CU_ASSERT_EQUAL(courier_main(&role), EX_OK);
	CU_ASSERT_EQUAL(get(&taken), before + 1);
	CU_ASSERT_EQUAL(queued(), 0);
}

static const struct unit_case cases[] = {
	{"many messages, some without a wake-up", test_many},
	{"three recipients, three results, one bounce", test_three_results},
	{"double bounces end", test_double_bounce},
	{"status", test_state},
	{"drain, and a single run", test_drain},
	{NULL, NULL},
};

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *where)
{
	(void)file;
	(void)kind;
	(void)where;
	return remove(path);
}

int main(void)
{
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	start_hop();
	write_config();
	start_courier();
	if (!expect_ready())
		return EXIT_FAILURE;
	int status = unit_run("courier", cases);
	module_thread_free(thread);
	module_set_close(set);
	config_free(config);
	pr_arena_fini(&arena);
	if (nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		status = EXIT_FAILURE;
	return status;
}
