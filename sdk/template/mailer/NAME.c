/*
 * @NAME@: a mailer that appends each message to one file.
 *
 * The courier hands over a message and some of its recipients; each gets a result of its own.  "The other side said no" is
 * such a result; returning something else than PR_OK means that the delivery itself could not be tried.
 */
#include <postrider/file.h>
#include <postrider/mailer.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MOST ((size_t)64 << 20)

struct @NAME@ {
	struct pr_str file;
};

static const struct pr_option options[] = {
	PR_OPTION(struct @NAME@, file, "file", PR_OPTION_PATH, PR_OPTION_REQUIRED, NULL, "the file to append to"),
	PR_OPTION_END
};

static enum pr_status add_body(struct pr_call *call, struct pr_body *body, struct pr_text *text)
{
	char buffer[8192];
	size_t got;
	enum pr_status status;

	while ((status = body->read(body, call, buffer, sizeof buffer, &got)) == PR_OK && got > 0)
		if (!pr_text_add(text, buffer, got))
			return pr_fail(call, PR_PERMFAIL, "the message is larger than %zu bytes", MESSAGE_MOST);
	return status;
}

static enum pr_status append(struct pr_call *call, const char *path, struct pr_str text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return pr_fail(call, PR_TEMPFAIL, "%s: %s", path, strerror(errno));
	/* delivered means: it would survive a power cut */
	bool written = pr_write_all(fd, text.data, text.len) && fsync(fd) == 0;
	int error = errno;
	close(fd);
	return written ? PR_OK : pr_fail(call, PR_TEMPFAIL, "%s: %s", path, strerror(error));
}

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination,
                              const struct pr_envelope *envelope, struct pr_body *body,
                              struct pr_delivery *deliveries, size_t count)
{
	const struct @NAME@ *self = call->instance;
	struct pr_text text;

	(void)destination;
	pr_text_init(&text, MESSAGE_MOST);
	/* the kernel prints the header as this mailer is to see it, empty line included */
	enum pr_status status = call->host->header_print(call, envelope, &text);
	if (status == PR_OK)
		status = add_body(call, body, &text);
	if (status == PR_OK)
		status = append(call, self->file.data, pr_text_str(&text));
	pr_text_fini(&text);
	for (size_t i = 0; status == PR_OK && i < count; i++) {
		deliveries[i].status = PR_OK;
		deliveries[i].reply = PR_STR("appended");
	}
	return status;
}

static const struct pr_mailer_ops ops = { .size = sizeof ops, .default_flags = "DFM", .deliver = deliver };

PR_MODULE(@NAME@) = {
	PR_MODULE_HEAD(PR_KIND_MAILER),
	/* not PR_CONCURRENT: the kernel lets one thread in at a time, so messages do not mix in the file */
	.instance_size = sizeof(struct @NAME@),
	.name = "@NAME@",
	.version = "0.1",
	.summary = "appends every message to one file",
	.options = options,
	.ops = &ops,
};
