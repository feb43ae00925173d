/*
 * @NAME@: a filter that refuses messages with a forbidden word in their subject.
 *
 * A filter has a hook for each step of an SMTP session and needs to define only those it cares about.  A verdict starts
 * as "continue"; a status other than PR_OK means the filter itself failed.
 */
#include <postrider/filter.h>

#include <string.h>

struct @NAME@ {
	struct pr_str word;
};

/* call->session: memory for one SMTP connection, zeroed. */
struct session {
	uint32_t found;
};

static const struct pr_option options[] = {
	PR_OPTION(struct @NAME@, word, "word", PR_OPTION_STRING, PR_OPTION_REQUIRED, NULL, "the word that is not wanted"),
	PR_OPTION_END
};

static enum pr_status check(struct pr_call *call)
{
	const struct @NAME@ *self = call->instance;

	return self->word.len > 0 ? PR_OK : pr_fail(call, PR_MISUSE, "word is empty");
}

static bool has_word(struct pr_str text, struct pr_str word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (pr_str_equal_nocase(pr_str_slice(text, i, i + word.len), word))
			return true;
	return false;
}

/* A connection may carry many messages: each starts clean. */
static enum pr_status mail(struct pr_call *call, struct pr_str sender, const struct pr_list *parameters,
                           struct pr_verdict *verdict)
{
	struct session *session = call->session;

	(void)sender;
	(void)parameters;
	(void)verdict;
	session->found = 0;
	return PR_OK;
}

static enum pr_status header(struct pr_call *call, const struct pr_header *field, struct pr_verdict *verdict)
{
	const struct @NAME@ *self = call->instance;
	struct session *session = call->session;

	(void)verdict;
	if (pr_str_equal_nocase(field->name, PR_STR("Subject")) && has_word(field->value, self->word))
		session->found = 1;
	return PR_OK;
}

static enum pr_status eoh(struct pr_call *call, struct pr_verdict *verdict)
{
	const struct session *session = call->session;

	if (session->found)
		*verdict = (struct pr_verdict){ PR_REJECT, 550, PR_STR("5.7.1"), PR_STR("That word is not wanted here") };
	return PR_OK;
}

/* Editing is possible in this hook only. */
static enum pr_status message(struct pr_call *call, const struct pr_envelope *envelope,
                              const struct pr_filter_edit *edit, struct pr_verdict *verdict)
{
	(void)envelope;
	(void)verdict;
	return edit->header_add(call, PR_STR("X-@NAME@"), PR_STR(" passed"));
}

static const struct pr_filter_ops ops = {
	.size = sizeof ops,
	.mail = mail,
	.header = header,
	.eoh = eoh,
	.message = message,
};

PR_MODULE(@NAME@) = {
	PR_MODULE_HEAD(PR_KIND_FILTER),
	.flags = PR_CONCURRENT, /* the instance is never written after its options were filled */
	.instance_size = sizeof(struct @NAME@),
	.session_size = sizeof(struct session),
	.name = "@NAME@",
	.version = "0.1",
	.summary = "refuses subjects with a forbidden word",
	.options = options,
	.check = check,
	.ops = &ops,
};
