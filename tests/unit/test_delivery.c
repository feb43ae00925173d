/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The helper's deliveries against a hostile directory: links, FIFOs, other owners, a name that changes all the time, a full
 * disk, two writers and a reader with locks.  After every refusal the victim's bytes are compared.
 */
#include "kernel/helper/delivery.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char scratch[256];
static const char header[] = "From a@example.org  Fri Nov 20 12:32:14 2026\nSubject: x\n\n";

static const char *path(const char *name)
{
	static char room[4][512];
	static unsigned int turn;
	char *at = room[turn++ % 4];

	(void)snprintf(at, 512, "%s/%s", scratch, name);
	return at;
}

static struct message make(const char *body)
{
	struct message message;
	int fd = memfd_create("m", MFD_CLOEXEC);

	CU_ASSERT_TRUE_FATAL(pr_write_all(fd, header, sizeof header - 1) && pr_write_all(fd, body, strlen(body)));
	CU_ASSERT_TRUE_FATAL(message_open(fd, sizeof header - 1, 0, &message));
	return message;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(path(name), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static char *contents(const char *name)
{
	struct pr_text text, why;

	pr_text_init(&text, 64 << 20);
	pr_text_init(&why, 1000);
	if (pr_file_read(path(name), 64 << 20, &text, &why) != PR_OK)
		pr_text_add_c(&text, "(no file)");
	pr_text_fini(&why);
	char *copy = pr_copy_str(pr_text_str(&text));
	pr_text_fini(&text);
	return copy;
}

static void expect(const char *name, const char *text)
{
	char *got = contents(name);

	CU_ASSERT_STRING_EQUAL(got, text);
	pr_free(got);
}

static enum pr_status deliver(enum pr_status (*how)(const char *, const struct message *, struct pr_text *), const char *name,
                              const char *body, const char *reason)
{
	struct message message = make(body);
	struct pr_text why;

	pr_text_init(&why, 1000);
	enum pr_status status = how(path(name), &message, &why);
	if (reason != NULL && strstr(why.data, reason) == NULL)
		(void)printf("\n  said: %s\n", why.data);
	CU_ASSERT_TRUE(reason == NULL ? why.len == 0 : strstr(why.data, reason) != NULL);
	pr_text_fini(&why);
	close(message.fd);
	return status;
}

static void test_mbox(void)
{
	struct stat info;
	char text[1000];

	CU_ASSERT_EQUAL(deliver(mbox_deliver, "box", "one\nFrom me\n>From\nlast", NULL), PR_OK);
	(void)snprintf(text, sizeof text, "%sone\n>From me\n>From\nlast\n\n", header);
	expect("box", text);
	CU_ASSERT_TRUE(stat(path("box"), &info) == 0 && (info.st_mode & 07777) == 0600);
	CU_ASSERT_NOT_EQUAL(access(path("box.lock"), F_OK), 0);
	put("box2", "left without an end");
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "box2", "x\n", NULL), PR_OK);
	(void)snprintf(text, sizeof text, "left without an end\n\n%sx\n\n", header);
	expect("box2", text);
}

static void test_links(void)
{
	put("victim", "precious\n");
	CU_ASSERT_EQUAL_FATAL(symlink(path("victim"), path("soft")), 0);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "soft", "x", "symbolic link"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(deliver(file_deliver, "soft", "x", "symbolic link"), PR_PERMFAIL);
	CU_ASSERT_EQUAL_FATAL(link(path("victim"), path("hard")), 0);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "hard", "x", "several links"), PR_PERMFAIL);
	expect("victim", "precious\n");
	CU_ASSERT_EQUAL_FATAL(symlink("nowhere", path("dangling")), 0);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "dangling", "x", "symbolic link"), PR_PERMFAIL);
	expect("nowhere", "(no file)");
}

static void test_no_file(void)
{
	CU_ASSERT_EQUAL_FATAL(mkfifo(path("fifo"), 0600), 0);
	(void)alarm(20); /* a delivery that waits for a reader ends the test */
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "fifo", "x", "not a regular file"), PR_PERMFAIL);
	CU_ASSERT_EQUAL_FATAL(mkdir(path("directory"), 0700), 0);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "directory", "x", "directory"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "missing/box", "x", "No such file"), PR_TEMPFAIL);
	put("script", "#!/bin/sh\n");
	CU_ASSERT_EQUAL_FATAL(chmod(path("script"), 0755), 0);
	CU_ASSERT_EQUAL(deliver(file_deliver, "script", "x", "executable"), PR_PERMFAIL);
	(void)alarm(0);
}

static void test_other_owner(void)
{
	if (geteuid() != 0)
		return; /* only root can make somebody else's file */
	put("theirs", "theirs\n");
	CU_ASSERT_EQUAL_FATAL(chown(path("theirs"), 1, 1), 0);
	CU_ASSERT_EQUAL(deliver(mbox_deliver, "theirs", "x", "another user"), PR_PERMFAIL);
	expect("theirs", "theirs\n");
	CU_ASSERT_EQUAL_FATAL(mkdir(path("theirdir"), 0755), 0);
	CU_ASSERT_EQUAL_FATAL(chown(path("theirdir"), 1, 1), 0);
	CU_ASSERT_EQUAL(deliver(maildir_deliver, "theirdir", "x", "another user"), PR_PERMFAIL);
}

static void test_open_directory(void)
{
	CU_ASSERT_EQUAL_FATAL(mkdir(path("open"), 0777), 0);
	CU_ASSERT_EQUAL_FATAL(chmod(path("open"), 0777), 0);
	CU_ASSERT_NOT_EQUAL(access(path("open/f"), F_OK), 0);
	struct message message = make("x");
	struct pr_text why;
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL(file_deliver(path("open/f"), &message, &why), PR_PERMFAIL);
	CU_ASSERT_TRUE(why.len > 0);
	pr_text_fini(&why);
	close(message.fd);
	expect("open/f", "(no file)");
}

/* A child renames a link to the victim over the mailbox's name as fast as it can. */
static void test_rename_race(void)
{
	struct pr_text why;
	unsigned int done = 0;

	put("prize", "precious\n");
	pr_text_init(&why, 1000);
	pid_t pid = fork();
	if (pid == 0) {
		const char *mine = strdup(path("race")), *bait = strdup(path("race.bait")), *prize = strdup(path("prize"));
		for (;;) {
			(void)!symlink(prize, bait);
			(void)!rename(bait, mine);
			(void)unlink(mine);
			int fd = open(mine, O_CREAT | O_WRONLY, 0600);
			if (fd >= 0)
				close(fd);
		}
	}
	for (int i = 0; i < 300; i++) {
		struct message message = make("x\n");
		pr_text_clear(&why);
		done += mbox_deliver(path("race"), &message, &why) == PR_OK ? 1 : 0;
		close(message.fd);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)printf("(%u of 300 written) ", done);
	expect("prize", "precious\n");
	pr_text_fini(&why);
}

/* The file size limit stands for a full disk: write fails in the middle of the message. */
static void test_no_space(void)
{
	struct rlimit before, small = {.rlim_cur = 3000};
	char *body = pr_alloc(20001);

	put("full", "old mail\n\n");
	memset(body, 'b', 20000);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct message message = make(body);
	struct pr_text why;
	pr_text_init(&why, 1000);
	small.rlim_max = before.rlim_max;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum pr_status mbox = mbox_deliver(path("full"), &message, &why);
	enum pr_status maildir = maildir_deliver(path("fulldir"), &message, &why);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
	CU_ASSERT_EQUAL(mbox, PR_TEMPFAIL);
	CU_ASSERT_EQUAL(maildir, PR_TEMPFAIL);
	expect("full", "old mail\n\n");
	CU_ASSERT_EQUAL(rmdir(path("fulldir/tmp")), 0); /* nothing left behind */
	CU_ASSERT_EQUAL(rmdir(path("fulldir/new")), 0);
	pr_text_fini(&why);
	pr_free(body);
	close(message.fd);
}

static void writer(char letter, int count)
{
	char body[4001];

	memset(body, letter, 4000);
	for (int i = 99; i < 4000; i += 100)
		body[i] = '\n';
	body[4000] = '\0';
	for (int i = 0; i < count; i++) {
		struct message message = make(body);
		struct pr_text why;
		pr_text_init(&why, 1000);
		if (mbox_deliver(path("shared"), &message, &why) != PR_OK)
			_exit(1);
		pr_text_fini(&why);
		close(message.fd);
	}
	_exit(0);
}

/* A reader that takes the fcntl lock must always see whole messages. */
static bool reader_sees_whole(void)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	const size_t one = sizeof header - 1 + 4000 + 1;
	struct stat info;
	bool whole = true;
	int fd = open(path("shared"), O_RDONLY);

	if (fd < 0)
		return true;
	if (fcntl(fd, F_SETLKW, &lock) == 0 && fstat(fd, &info) == 0)
		whole = (size_t)info.st_size % one == 0;
	close(fd);
	return whole;
}

static void test_two_writers(void)
{
	const size_t one = sizeof header - 1 + 4000 + 1;
	bool whole = true;
	pid_t pids[2];
	int status;

	for (int i = 0; i < 2; i++)
		if ((pids[i] = fork()) == 0)
			writer((char)('a' + i), 20);
	for (int i = 0; i < 200; i++) {
		whole = whole && reader_sees_whole();
		(void)usleep(2000);
	}
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
		CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	CU_ASSERT_TRUE(whole);
	char *all = contents("shared");
	CU_ASSERT_EQUAL_FATAL(strlen(all), 40 * one);
	for (int i = 0; i < 40; i++) { /* each message is all of one letter */
		const char *body = all + (size_t)i * one + sizeof header - 1;
		CU_ASSERT_TRUE((strspn(body, "a\n") >= 4000) != (strspn(body, "b\n") >= 4000));
	}
	pr_free(all);
}

static void test_locked(void)
{
	struct append append = {.path = path("lockedbox"), .dot_lock = true, .blank_line = true, .lock_seconds = 1};
	struct message message = make("x\n");
	struct pr_text why;

	pr_text_init(&why, 1000);
	put("lockedbox.lock", "1\n"); /* process 1 lives */
	CU_ASSERT_EQUAL(append_message(&append, &message, &why), PR_TEMPFAIL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why.data, "is locked"));
	expect("lockedbox", "");
	expect("lockedbox.lock", "1\n");
	CU_ASSERT_EQUAL(unlink(path("lockedbox.lock")), 0);
	pr_text_clear(&why);
	CU_ASSERT_EQUAL(append_message(&append, &message, &why), PR_OK);
	pr_text_fini(&why);
	close(message.fd);
}

static void test_maildir(void)
{
	unsigned int files = 0;
	struct dirent *entry;

	CU_ASSERT_EQUAL(deliver(maildir_deliver, "a/b/Maildir", "From here\n", NULL), PR_OK);
	CU_ASSERT_EQUAL(deliver(maildir_deliver, "a/b/Maildir", "two\n", NULL), PR_OK);
	DIR *directory = opendir(path("a/b/Maildir/new"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while ((entry = readdir(directory)) != NULL)
		files += entry->d_name[0] != '.' ? 1 : 0;
	(void)closedir(directory);
	CU_ASSERT_EQUAL(files, 2);
	CU_ASSERT_EQUAL(rmdir(path("a/b/Maildir/tmp")), 0);
	CU_ASSERT_EQUAL_FATAL(mkdir(path("real"), 0700), 0);
	CU_ASSERT_EQUAL_FATAL(symlink(path("real"), path("linkdir")), 0);
	CU_ASSERT_EQUAL(deliver(maildir_deliver, "linkdir", "x", "cannot open"), PR_PERMFAIL);
	CU_ASSERT_EQUAL(rmdir(path("real")), 0);
}

static enum pr_status run(const char *command, uint32_t timeout, const char *variable, struct helper_reply *reply,
                          struct pr_text *output)
{
	const struct helper_rights rights = {.user = "joe", .home = scratch, .shell = "/bin/false", .anything = true};
	const struct pr_str argv[] = {PR_STR("/bin/sh"), PR_STR("-c"), pr_str(command)};
	const struct pr_str variables[] = {pr_str(variable)};
	struct helper_request request = {.kind = PR_LOCAL_PROGRAM, .timeout = timeout, .argv = {argv, 3},
	                                 .environment = {variables, variable == NULL ? 0 : 1}};
	struct message message = make("body\nFrom x\n");
	struct pr_text why;

	pr_text_init(&why, 1000);
	pr_text_clear(output);
	enum pr_status status = program_run(&rights, &request, &message, reply, output, &why);
	CU_ASSERT_EQUAL(status == PR_OK, why.len == 0);
	pr_text_fini(&why);
	close(message.fd);
	return status;
}

static void test_program(void)
{
	struct helper_reply reply;
	struct pr_text output;
	char text[1000];

	pr_text_init(&output, HELPER_OUTPUT_MAX);
	CU_ASSERT_EQUAL(run("cat; echo err >&2; exit 75", 10, NULL, &reply, &output), PR_OK);
	CU_ASSERT_EQUAL(reply.exit_status, 75);
	(void)snprintf(text, sizeof text, "%sbody\nFrom x\nerr\n", header);
	CU_ASSERT_STRING_EQUAL(output.data, text);
	CU_ASSERT_EQUAL(run("env | sort; pwd; ls /proc/self/fd | wc -l", 10, "LD_PRELOAD=/evil.so", &reply, &output), PR_OK);
	CU_ASSERT_PTR_NULL(strstr(output.data, "LD_"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "USER=joe\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output.data, scratch));
	CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "\n4\n")); /* 0, 1, 2 and ls's own */
	CU_ASSERT_EQUAL(run("printf %s \"$SENDER\"", 10, "SENDER=$(touch x);`id`", &reply, &output), PR_OK);
	CU_ASSERT_STRING_EQUAL(output.data, "$(touch x);`id`");
	CU_ASSERT_EQUAL(run("kill -9 $$", 10, NULL, &reply, &output), PR_OK);
	CU_ASSERT_EQUAL(reply.exit_status, -9);
	CU_ASSERT_EQUAL(run("yes | head -c 10000000", 20, NULL, &reply, &output), PR_OK);
	CU_ASSERT_EQUAL(output.len, HELPER_OUTPUT_MAX);
	/* what a program leaves behind may talk on as it likes */
	(void)alarm(8);
	CU_ASSERT_EQUAL(run("timeout 20 yes & exit 3", 15, NULL, &reply, &output), PR_OK);
	CU_ASSERT_EQUAL(reply.exit_status, 3);
	(void)alarm(0);
	pr_text_fini(&output);
}

static enum pr_status run_in(const char *directories, const char *root, int32_t niceness, struct pr_text *output)
{
	const struct helper_rights rights = {.user = "joe", .home = scratch, .shell = "/bin/false", .anything = true};
	const struct pr_str argv[] = {PR_STR("/bin/sh"), PR_STR("-c"), PR_STR("pwd; nice; ls /; id -u")};
	struct helper_request request = {.kind = PR_LOCAL_PROGRAM, .timeout = 10, .argv = {argv, 3}, .directories = pr_str(directories),
	                                 .root = pr_str(root), .niceness = niceness};
	struct message message = make("x\n");
	struct helper_reply reply;
	struct pr_text why;

	pr_text_init(&why, 1000);
	pr_text_clear(output);
	enum pr_status status = program_run(&rights, &request, &message, &reply, output, &why);
	pr_text_fini(&why);
	close(message.fd);
	return status == PR_OK && reply.exit_status == 71 ? PR_TEMPFAIL : status;
}

/* D=, N= and /= of a mailer. */
static void test_surroundings(void)
{
	struct pr_text output;
	char wanted[300];

	pr_text_init(&output, HELPER_OUTPUT_MAX);
	CU_ASSERT_EQUAL(run_in("/nonexistent:/usr/share:/", "", 3, &output), PR_OK);
	int own = getpriority(PRIO_PROCESS, 0);
	(void)snprintf(wanted, sizeof wanted, "/usr/share\n%d\n", own + 3 < 19 ? own + 3 : 19);
	CU_ASSERT_TRUE(strncmp(output.data, wanted, strlen(wanted)) == 0);
	CU_ASSERT_EQUAL(run_in("relative:~/a:/", "", 0, &output), PR_OK);
	(void)snprintf(wanted, sizeof wanted, "%s/a\n%d\n", scratch, own);
	CU_ASSERT_TRUE(strncmp(output.data, wanted, strlen(wanted)) == 0);
	CU_ASSERT_EQUAL(run_in("/nonexistent", "", 0, &output), PR_OK);
	CU_ASSERT_TRUE(strncmp(output.data, "/\n", 2) == 0);
	/* a root that is not there, or that may not be changed on this machine: nothing is run outside it */
	CU_ASSERT_EQUAL(run_in("/", "/nonexistent", 0, &output), PR_TEMPFAIL);
	CU_ASSERT_EQUAL(output.len, 0);
	pr_text_fini(&output);
}

static bool shell(const char *command)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A root of its own: whoever runs this test, it is changed without a right. */
static void test_root(void)
{
	struct pr_text output;
	char command[1000], wanted[40];

	(void)snprintf(command, sizeof command, "mkdir -p %s/jail && cd %s/jail && mkdir -p inside usr/bin usr/lib usr/lib64 && for d in bin lib lib64 usr; do "
	               "test -L /$d && cp -P /$d . ; done; cp /bin/sh /bin/ls /usr/bin/nice /usr/bin/id usr/bin/ && "
	               "for f in $(ldd /bin/sh /bin/ls /usr/bin/nice /usr/bin/id | grep -o '/[^ ]*' | grep -v ':$' | sort -u); do mkdir -p .$(dirname $(readlink -f $f)); "
	               "cp -L $f .$(readlink -f $f); test -e .$f || { mkdir -p .$(dirname $f); cp -L $f .$f; }; done; chmod -R a+rX .", scratch, scratch);
	pr_text_init(&output, HELPER_OUTPUT_MAX);
	if (!shell(command)) { /* a machine whose libraries lie elsewhere */
		pr_text_fini(&output);
		return;
	}
	enum pr_status status = run_in("/inside:/", path("jail"), 0, &output);
	if (status == PR_OK) {
		(void)snprintf(wanted, sizeof wanted, "/inside\n%d\n", getpriority(PRIO_PROCESS, 0));
		if (strncmp(output.data, wanted, strlen(wanted)) != 0)
			printf("\n%s", output.data);
		CU_ASSERT_TRUE(strncmp(output.data, wanted, strlen(wanted)) == 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(output.data, "inside\n"));
		CU_ASSERT_PTR_NULL(strstr(output.data, "proc\n"));
	} else {
		printf("(user namespaces are not to be had here) ");
		CU_ASSERT_EQUAL(output.len, 0);
	}
	pr_text_fini(&output);
}

static struct dialogue *converse(const char *command, uint32_t timeout, int *fd)
{
	static struct helper_rights rights;
	static struct pr_str argv[3];
	static struct helper_request request;
	struct dialogue *dialogue = NULL;
	struct pr_text why;

	rights = (struct helper_rights){.user = "joe", .home = scratch, .shell = "/bin/false", .anything = true};
	argv[0] = PR_STR("/bin/sh");
	argv[1] = PR_STR("-c");
	argv[2] = pr_str(command);
	request = (struct helper_request){.kind = PR_LOCAL_DIALOGUE, .timeout = timeout, .argv = {argv, 3}};
	pr_text_init(&why, 1000);
	CU_ASSERT_EQUAL_FATAL(dialogue_start(&rights, &request, &dialogue, fd, &why), PR_OK);
	pr_text_fini(&why);
	return dialogue;
}

static size_t hear(int fd, char *room, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length + 1 < size && (got = read(fd, room + length, size - 1 - length)) > 0)
		length += (size_t)got;
	room[length] = '\0';
	return length;
}

static void test_dialogue(void)
{
	char text[500];
	int fd = -1;
	struct dialogue *dialogue = converse("read a; echo unheard >&2; echo \"$a to you, $USER\"; read b; echo never", 5, &fd);

	(void)alarm(30);
	CU_ASSERT_EQUAL(write(fd, "good day\n", 9), 9);
	ssize_t got = read(fd, text, sizeof text - 1);
	CU_ASSERT_TRUE_FATAL(got > 0);
	text[got] = '\0';
	CU_ASSERT_TRUE(strncmp(text, "good day to you, joe\n", 21) == 0);
	close(fd);
	dialogue_watch(dialogue);
	/* it does not listen to the end of the conversation: it has a second, then it is told */
	dialogue = converse("trap 'echo told >told; exit 0' TERM; echo up; while :; do sleep 0.1; done", 1, &fd);
	CU_ASSERT_EQUAL(read(fd, text, 3), 3);
	close(fd);
	time_t began = time(NULL);
	dialogue_watch(dialogue);
	CU_ASSERT_TRUE(time(NULL) - began <= 4);
	expect("told", "told\n");
	/* it ends by itself: so does the conversation */
	dialogue = converse("echo bye", 5, &fd);
	dialogue_watch(dialogue);
	CU_ASSERT_EQUAL(hear(fd, text, sizeof text), 4);
	close(fd);
	(void)alarm(0);
}

static void test_program_hangs(void)
{
	struct helper_reply reply;
	struct pr_text output;

	pr_text_init(&output, HELPER_OUTPUT_MAX);
	(void)alarm(30);
	CU_ASSERT_EQUAL(run("sleep 100 & echo $! >child; sleep 100", 1, NULL, &reply, &output), PR_TEMPFAIL);
	char *child = contents("child");
	(void)usleep(100000);
	/* its child was killed with it: gone, or a zombie that init has not yet reaped */
	char stat_path[64];
	(void)snprintf(stat_path, sizeof stat_path, "/proc/%d/cmdline", (int)strtol(child, NULL, 10));
	FILE *file = fopen(stat_path, "r");
	CU_ASSERT_TRUE(file == NULL || fgetc(file) == EOF);
	if (file != NULL)
		(void)fclose(file);
	pr_free(child);
	(void)alarm(0);
	pr_text_fini(&output);
}

static bool may(const struct helper_rights *rights, uint32_t kind, const char *file, const char *program)
{
	const struct pr_str argv[] = {pr_str(program)};
	const struct helper_request request = {.kind = kind, .path = pr_str(file), .argv = {argv, program == NULL ? 0 : 1}};
	struct pr_text full, why;

	pr_text_init(&full, 1000);
	pr_text_init(&why, 1000);
	bool allowed = helper_may(rights, &request, &full, &why);
	CU_ASSERT_EQUAL(allowed, why.len == 0);
	pr_text_fini(&full);
	pr_text_fini(&why);
	return allowed;
}

static void test_rights(void)
{
	const struct helper_rights joe = {.user = "joe", .home = "/home/joe", .mailbox = true, .mailbox_count = 2,
	                                  .mailboxes = {"mbox:/var/mail/joe", "maildir:/home/joe/Maildir"}};
	const struct helper_rights nobody = {.user = "nobody", .home = "/", .anything = true};

	CU_ASSERT_TRUE(may(&joe, PR_LOCAL_MBOX, "/var/mail/joe", NULL));
	CU_ASSERT_TRUE(may(&joe, PR_LOCAL_MAILDIR, "~/Maildir", NULL));
	CU_ASSERT_FALSE(may(&joe, PR_LOCAL_MBOX, "~/.ssh/authorized_keys", NULL));
	CU_ASSERT_FALSE(may(&joe, PR_LOCAL_MBOX, "/home/joe/Maildir", NULL));
	CU_ASSERT_FALSE(may(&joe, PR_LOCAL_MBOX, "/var/mail/../mail/joe", NULL));
	CU_ASSERT_FALSE(may(&joe, PR_LOCAL_PROGRAM, "", "/bin/sh"));
	CU_ASSERT_FALSE(may(&joe, PR_LOCAL_FILE, "/home/joe/x", NULL));
	CU_ASSERT_FALSE(may(&joe, 99, "/home/joe/x", NULL));
	CU_ASSERT_FALSE(may(&nobody, PR_LOCAL_MBOX, "/var/mail/nobody", NULL));
	CU_ASSERT_FALSE(may(&nobody, PR_LOCAL_PROGRAM, "", "sh"));
	CU_ASSERT_FALSE(may(&nobody, PR_LOCAL_FILE, "relative", NULL));
	/* root runs and writes nothing, whatever the command line says */
	CU_ASSERT_EQUAL(may(&nobody, PR_LOCAL_PROGRAM, "", "/bin/sh"), geteuid() != 0);
	CU_ASSERT_EQUAL(may(&nobody, PR_LOCAL_FILE, "/tmp/x", NULL), geteuid() != 0);
}

static const struct unit_case cases[] = {{"mbox: quoting, end, mode", test_mbox},
                                         {"symbolic and hard links", test_links},
                                         {"FIFO, directory, missing, executable", test_no_file},
                                         {"another user's", test_other_owner},
                                         {"a directory open to all", test_open_directory},
                                         {"a link renamed into the way", test_rename_race},
                                         {"no space in the middle", test_no_space},
                                         {"two writers and a reader", test_two_writers},
                                         {"a lock that is held", test_locked},
                                         {"Maildir", test_maildir},
                                         {"program: input, output, surroundings", test_program},
                                         {"program: time limit", test_program_hangs},
                                         {"program: directory, niceness", test_surroundings},
                                         {"program: a root of its own", test_root},
                                         {"a program that is spoken with", test_dialogue},
                                         {"what a helper may do", test_rights},
                                         {NULL, NULL}};

int main(void)
{
	const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";

	(void)snprintf(scratch, sizeof scratch, "%s/postrider-delivery-XXXXXX", base);
	if (mkdtemp(scratch) == NULL)
		return EXIT_FAILURE;
	int status = unit_run("delivery", cases);
	(void)scratch_remove(scratch);
	return status;
}
