/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A new file under a dot-name, written, synced, then renamed: the daemon sees whole dialogues only.
 * The drop directory may be writable without being readable (mode 1733), then the directory entry is made durable by
 * syncfs(2) on the file itself.
 */
#include "kernel/command/sendmail/dialogue.h"

#include <errno.h>
#include <fcntl.h>
#include <postrider/file.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES 20

static bool new_name(struct pr_text *name)
{
	struct timespec now;
	uint32_t dice = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) != (ssize_t)sizeof dice)
		dice = (uint32_t)now.tv_nsec;
	pr_text_clear(name);
	return pr_text_addf(name, "%010lld.%ld.%08x", (long long)now.tv_sec, (long)getpid(), (unsigned int)dice);
}

/* The directory is opened by path only: without the right to read it, this is all one may have. */
static int open_directory(const char *path, struct pr_text *error)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		pr_text_addf(error, "%s: %s", path, strerror(errno));
	return fd;
}

static int create(int directory, struct pr_text *hidden, struct pr_text *name)
{
	for (int i = 0; i < TRIES; i++) {
		pr_text_clear(hidden);
		if (!new_name(name) || !pr_text_addf(hidden, ".%s", name->data))
			return -1;
		int fd = openat(directory, hidden->data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static bool write_dialogue(const struct submission *submission, int fd)
{
	struct outlet out;
	struct pr_text line;

	outlet_init(&out, fd);
	pr_text_init(&line, 2048);
	/* whoever would wait for the delivery has gone by then */
	dialogue_mail_line(submission, strchr("iv", submission->delivery_mode) == NULL ? submission->delivery_mode : 0, &line);
	outlet_line(&out, pr_text_str(&line));
	bool overflow = line.overflow;
	for (size_t i = 0; i < submission->recipients->count; i++) {
		if (submission->recipients->items[i].fate != RECIPIENT_WAITING)
			continue;
		pr_text_clear(&line);
		dialogue_rcpt_line(submission, submission->recipients->items[i].address, &line);
		outlet_line(&out, pr_text_str(&line));
		overflow = overflow || line.overflow;
	}
	outlet_line(&out, PR_STR("DATA"));
	outlet_message(&out, submission->message);
	outlet_line(&out, PR_STR("."));
	pr_text_fini(&line);
	return outlet_fini(&out) && !overflow;
}

static bool sync_directory(int directory, const char *path, int file)
{
	int readable = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)directory;
	if (readable < 0)
		return syncfs(file) == 0;
	bool good = fsync(readable) == 0;
	close(readable);
	return good;
}

bool drop_write(const struct submission *submission, const char *directory, struct pr_text *error)
{
	struct pr_text hidden, name;
	bool good = false;
	int file = -1, place = open_directory(directory, error);

	pr_text_init(&hidden, 200);
	pr_text_init(&name, 200);
	if (place < 0)
		goto out;
	file = create(place, &hidden, &name);
	good = file >= 0 && write_dialogue(submission, file) && fsync(file) == 0 &&
	       renameat(place, hidden.data, place, name.data) == 0;
	if (!good) {
		pr_text_addf(error, "%s: %s", directory, strerror(errno));
		if (file >= 0)
			(void)unlinkat(place, hidden.data, 0);
		goto out;
	}
	if (!sync_directory(place, directory, file)) {
		pr_text_addf(error, "%s: cannot sync: %s", directory, strerror(errno));
		good = unlinkat(place, name.data, 0) != 0; /* the daemon may have it already: then it is not lost */
	}
out:
	if (file >= 0)
		close(file);
	if (place >= 0)
		close(place);
	pr_text_fini(&hidden);
	pr_text_fini(&name);
	return good;
}

static void separator(struct outlet *out, struct pr_str sender)
{
	char date[64] = "";
	struct tm parts;
	time_t now = time(NULL);
	struct pr_text line;

	if (localtime_r(&now, &parts) != NULL)
		strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &parts);
	pr_text_init(&line, 1024);
	pr_text_addf(&line, "From %.*s %s\n", PR_PRINT(sender.len > 0 ? sender : PR_STR("MAILER-DAEMON")), date);
	pr_text_add_str(&out->buffer, pr_text_str(&line));
	pr_text_fini(&line);
}

bool dead_letter_write(const struct submission *submission, const char *home, struct pr_text *error)
{
	struct outlet out;
	struct pr_text path;
	struct stat info;
	bool good = false;

	pr_text_init(&path, 4096);
	pr_text_addf(&path, "%s/dead.letter", home);
	int fd = open(path.data, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1)) {
		close(fd);
		fd = -1;
		errno = EPERM;
	}
	if (fd >= 0) {
		outlet_init(&out, fd);
		separator(&out, submission->sender);
		out.plain = true;
		outlet_message(&out, submission->message);
		pr_text_add_byte(&out.buffer, '\n');
		good = outlet_fini(&out) && fsync(fd) == 0;
		close(fd);
	}
	pr_text_addf(error, good ? "Saved message in %s" : "Cannot save message in %s", path.data);
	if (!good)
		pr_text_addf(error, ": %s", strerror(errno));
	pr_text_fini(&path);
	return good;
}
