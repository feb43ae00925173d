/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A drop file against a receiver that says what each case wants: what is queued, what waits, what is refused - and that a
 * batch never follows a link, opens a FIFO or sends half a file.
 */
#include "kernel/master/feeder.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <postrider/file.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TWO_RCPT "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nRCPT TO:<e@f>\nDATA\nSubject: x\n\n..dot\nbody\n.\n"

/* Answers each line with the next of `replies`; after a 354 it reads to the dot.  All it heard goes to `heard`. */
static void receiver(int fd, const char *const *replies, int heard)
{
	FILE *in = fdopen(dup(fd), "r");
	char line[1000];
	bool data = false;

	(void)pr_write_all(fd, "220-hello\r\n220 ready\r\n", 22);
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		(void)pr_write_all(heard, line, strlen(line));
		if (data && strcmp(line, ".\r\n") != 0)
			continue;
		if (strncmp(line, "QUIT", 4) == 0 || *replies == NULL)
			break;
		data = strncmp(*replies, "354", 3) == 0;
		(void)pr_write_all(fd, *replies, strlen(*replies));
		(void)pr_write_all(fd, "\r\n", 2);
		replies++;
	}
	_exit(0);
}

static enum feeder_result talk(const char *file, const char *const *replies, char *heard, size_t size, const char *reason)
{
	int pair[2], ears[2];
	struct pr_text why;
	size_t len = 0;

	CU_ASSERT_TRUE_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(ears) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		receiver(pair[1], replies, ears[1]);
	}
	close(pair[1]);
	close(ears[1]);
	pr_text_init(&why, 4000);
	enum feeder_result result = feeder_talk(pair[0], pr_str(file), 1234, &why);
	close(pair[0]);
	for (ssize_t got; len + 1 < size && (got = read(ears[0], heard + len, size - 1 - len)) > 0;)
		len += (size_t)got;
	heard[len] = '\0';
	close(ears[0]);
	(void)waitpid(pid, NULL, 0);
	if (reason != NULL && strstr(why.data, reason) == NULL)
		(void)printf("\n  said: %s\n", why.data);
	CU_ASSERT_TRUE(reason == NULL ? why.len == 0 : strstr(why.data, reason) != NULL);
	pr_text_fini(&why);
	return result;
}

static char heard[4096];

static void test_queued(void)
{
	static const char *const replies[] = {"250 ok", "250 ok", "250 ok", "250-more\r\n250 ok", "354 go", "250 queued", NULL};

	CU_ASSERT_EQUAL(talk(TWO_RCPT, replies, heard, sizeof heard, NULL), FEEDER_DONE);
	CU_ASSERT_STRING_EQUAL(heard, "XDROP 1234\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\nSubject: x\r\n\r\n"
	                              "..dot\r\nbody\r\n.\r\nQUIT\r\n");
}

static void test_waits(void)
{
	static const char *const no_drop[] = {"500 what", NULL};
	static const char *const later[] = {"250 ok", "250 ok", "250 ok", "451 later", NULL};
	static const char *const dot[] = {"250 ok", "250 ok", "250 ok", "250 ok", "354 go", "452 full", NULL};
	static const char *const cut[] = {"250 ok", "250 ok", NULL};

	CU_ASSERT_EQUAL(talk(TWO_RCPT, no_drop, heard, sizeof heard, "500 what"), FEEDER_LATER);
	CU_ASSERT_EQUAL(talk(TWO_RCPT, later, heard, sizeof heard, "451 later"), FEEDER_LATER);
	CU_ASSERT_PTR_NULL(strstr(heard, "DATA")); /* one waits: all wait */
	CU_ASSERT_EQUAL(talk(TWO_RCPT, dot, heard, sizeof heard, "452 full"), FEEDER_LATER);
	CU_ASSERT_EQUAL(talk(TWO_RCPT, cut, heard, sizeof heard, "lost"), FEEDER_LATER);
}

static void test_refused(void)
{
	static const char *const sender[] = {"250 ok", "553 no", NULL};
	static const char *const both[] = {"250 ok", "250 ok", "550 no c", "550 no e", NULL};
	static const char *const one[] = {"250 ok", "250 ok", "550 no c", "250 ok", "354 go", "250 queued", NULL};
	static const char *const dot[] = {"250 ok", "250 ok", "250 ok", "250 ok", "354 go", "554 spam", NULL};
	static const char *const any[] = {"250 ok", "250 ok", "250 ok", "250 ok", NULL};

	CU_ASSERT_EQUAL(talk(TWO_RCPT, sender, heard, sizeof heard, "553 no"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk(TWO_RCPT, both, heard, sizeof heard, "550 no e"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk(TWO_RCPT, one, heard, sizeof heard, "550 no c"), FEEDER_PARTLY);
	CU_ASSERT_EQUAL(talk(TWO_RCPT, dot, heard, sizeof heard, "554 spam"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("XDROP 0\nMAIL FROM:<>\n.\n", any, heard, sizeof heard, "no drop file may"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("BDAT 1000\n.\n", any, heard, sizeof heard, "no drop file may"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("MAIL FROM:<>\nSTARTTLS\n.\n", any, heard, sizeof heard, "no drop file may"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("DATA x\n.\n", any, heard, sizeof heard, "no drop file may"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("MAIL FROM:<>\nRCPT TO:<a@b>\nDATA\nhalf", any, heard, sizeof heard, "dot"), FEEDER_REFUSED);
	CU_ASSERT_EQUAL(talk("", any, heard, sizeof heard, "dot"), FEEDER_REFUSED);
}

/* A listening receiver that takes everything, in a process of its own. */
static pid_t start_receiver(const char *path)
{
	static const char *const replies[] = {"250 ok", "250 ok", "250 ok", "250 ok", "354 go", "250 queued", NULL};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path));
	CU_ASSERT_TRUE_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 5) == 0);
	pid_t pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (fork() == 0)
			receiver(client, replies, STDIN_FILENO);
		close(client);
		(void)waitpid(-1, NULL, WNOHANG);
	}
}

static char scratch[128];

static void put(const char *name, const char *text)
{
	char path[400];

	(void)snprintf(path, sizeof path, "%s/drop/%s", scratch, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CU_ASSERT_TRUE_FATAL(fd >= 0 && pr_write_all(fd, text, strlen(text)));
	close(fd);
}

static bool there(const char *name)
{
	struct stat info;
	char path[400];

	(void)snprintf(path, sizeof path, "%s/drop/%s", scratch, name);
	return lstat(path, &info) == 0;
}

static off_t size_of(const char *name)
{
	struct stat info;
	char path[400];

	(void)snprintf(path, sizeof path, "%s/drop/%s", scratch, name);
	return lstat(path, &info) == 0 ? info.st_size : -1;
}

static char long_name[255];

static void test_batch(void)
{
	static struct identity self;
	char drop[200], path[200], other[200], said[8192] = "";
	struct feeder feeder = {.directory = drop, .socket_path = path, .talker = &self, .max_message = 1000};
	int report[2];

	(void)snprintf(drop, sizeof drop, "%s/drop", scratch);
	memset(long_name, 'n', sizeof long_name - 1);
	(void)snprintf(path, sizeof path, "%s/submit.sock", scratch);
	CU_ASSERT_TRUE_FATAL(mkdir(drop, 0700) == 0 && pipe(report) == 0);
	self.uid = geteuid() == 0 ? 1 : geteuid();
	self.gid = geteuid() == 0 ? 1 : getegid();
	feeder.report = report[1];
	put("good", TWO_RCPT);
	put("again", "");
	put(".bad-again", "another's");
	put(long_name, "MAIL FROM:<>\n");
	put("half", "MAIL FROM:<>\n");
	put(".writing", "MAIL");
	put("two", TWO_RCPT);
	(void)snprintf(path, sizeof path, "%s/drop/two", scratch);
	(void)snprintf(other, sizeof other, "%s/elsewhere", scratch);
	CU_ASSERT_EQUAL_FATAL(link(path, other), 0);
	(void)snprintf(path, sizeof path, "%s/drop/soft", scratch);
	CU_ASSERT_EQUAL_FATAL(symlink(other, path), 0);
	(void)snprintf(path, sizeof path, "%s/drop/pipe", scratch);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof path, "%s/submit.sock", scratch);

	CU_ASSERT_EQUAL(feeder_run(&feeder), 0); /* nobody listens: nothing is lost */
	CU_ASSERT_TRUE(there("good"));
	pid_t pid = start_receiver(path);
	CU_ASSERT_EQUAL(feeder_run(&feeder), 0);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)alarm(0);
	close(report[1]);
	CU_ASSERT_TRUE(read(report[0], said, sizeof said - 1) > 0);
	close(report[0]);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "drop file good"));
	CU_ASSERT_FALSE(there("good") || there(".bad-good"));
	CU_ASSERT_TRUE(there(".bad-half") && there(".bad-two") && there(".bad-soft") && there(".bad-pipe"));
	CU_ASSERT_TRUE(there(".writing"));
	/* an empty file holds nobody up, what was set aside before is not replaced, and no name is too long to be set aside */
	CU_ASSERT_FALSE(there("again") || there(long_name));
	CU_ASSERT_EQUAL(size_of(".bad-again"), 9);
}

static const struct unit_case cases[] = {{"queued", test_queued},
                                         {"waits", test_waits},
                                         {"refused", test_refused},
                                         {"a batch from a hostile directory", test_batch},
                                         {NULL, NULL}};

static void remove_all(void)
{
	if (scratch_remove(scratch) != 0)
		(void)fprintf(stderr, "%s stays\n", scratch);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(scratch, sizeof scratch, "/tmp/postrider-feeder-XXXXXX");
	if (mkdtemp(scratch) == NULL || chmod(scratch, 0755) != 0)
		return EXIT_FAILURE;
	int status = unit_run("feeder", cases);
	remove_all();
	return status;
}
