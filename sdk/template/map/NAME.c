/*
 * @NAME@: a map that answers every key with a greeting.
 *
 * A map looks a key up and says one of three things: here is the value (PR_OK), it is not there (PR_NOTFOUND), or "I
 * could not look" (PR_TEMPFAIL with a reason: then the mail waits, it never bounces).
 */
#include <postrider/map.h>

/* The instance: one for each time the configuration names this module, zeroed, then filled from the option table. */
struct @NAME@ {
	struct pr_str greeting;
};

static const struct pr_option options[] = {
	PR_OPTION(struct @NAME@, greeting, "greeting", PR_OPTION_STRING, 0, "hello", "the word before the key"),
	PR_OPTION_END
};

/* Runs before open(), also in `postriderctl check` beside a running daemon: look, do not touch. */
static enum pr_status check(struct pr_call *call)
{
	const struct @NAME@ *self = call->instance;

	if (self->greeting.len == 0)
		return pr_fail(call, PR_MISUSE, "greeting is empty");
	return PR_OK;
}

static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	const struct @NAME@ *self = call->instance;

	(void)args;
	if (key.len == 0)
		return PR_NOTFOUND;
	/* results live in the arena of the call; nobody frees them one by one */
	*value_out = pr_arena_printf(call->arena, "%.*s, %.*s", PR_PRINT(self->greeting), PR_PRINT(key));
	if (value_out->data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "the value does not fit into the memory of the call");
	return PR_OK;
}

static const struct pr_map_ops ops = { .size = sizeof ops, .lookup = lookup };

PR_MODULE(@NAME@) = {
	PR_MODULE_HEAD(PR_KIND_MAP),
	.flags = PR_CONCURRENT, /* nothing here changes after open(), so many threads may look at once */
	.instance_size = sizeof(struct @NAME@),
	.name = "@NAME@",
	.version = "0.1",
	.summary = "greets every key",
	.options = options,
	.check = check,
	.ops = &ops,
};
