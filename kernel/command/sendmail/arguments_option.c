/* SPDX-License-Identifier: BSD-2-Clause
 *
 * -O Name=value and -oXvalue: both end as "Name=value" for the configuration; a few of them the submission must know itself.
 */
#include "kernel/command/sendmail/arguments.h"

#include <string.h>
#include <sysexits.h>

/* sendmail's one-letter options and the names they got in 8.7. */
static const struct short_option {
	char letter;
	const char *name;
} short_options[] = {
    {'7', "SevenBitInput"},
    {'8', "EightBitMode"},
    {'A', "AliasFile"},
    {'B', "BlankSub"},
    {'C', "CheckpointInterval"},
    {'E', "ErrorHeader"},
    {'F', "TempFileMode"},
    {'G', "MatchGECOS"},
    {'H', "HelpFile"},
    {'I', "ResolverOptions"},
    {'J', "ForwardPath"},
    {'K', "ConnectionCacheTimeout"},
    {'L', "LogLevel"},
    {'O', "DaemonPortOptions"},
    {'P', "PostmasterCopy"},
    {'Q', "QueueDirectory"},
    {'S', "StatusFile"},
    {'T', "Timeout.queuereturn"},
    {'U', "UserDatabaseSpec"},
    {'V', "FallbackMXhost"},
    {'X', "RefuseLA"},
    {'Y', "ForkEachJob"},
    {'Z', "RetryFactor"},
    {'b', "MinFreeBlocks"},
    {'c', "HoldExpensive"},
    {'d', "DeliveryMode"},
    {'e', "ErrorMode"},
    {'f', "SaveFromLine"},
    {'g', "DefaultUser"},
    {'h', "MaxHopCount"},
    {'i', "IgnoreDots"},
    {'j', "SendMimeErrors"},
    {'k', "ConnectionCacheSize"},
    {'l', "UseErrorsTo"},
    {'m', "MeToo"},
    {'n', "CheckAliases"},
    {'o', "OldStyleHeaders"},
    {'p', "PrivacyOptions"},
    {'q', "QueueFactor"},
    {'r', "Timeout"},
    {'s', "SuperSafe"},
    {'u', "DefaultUser"},
    {'v', "Verbose"},
    {'w', "TryNullMXList"},
    {'x', "QueueLA"},
    {'y', "RecipientFactor"},
    {'z', "ClassFactor"},
};

static bool is_true(struct pr_str value)
{
	return value.len == 0 || strchr("tTyY1", value.data[0]) != NULL || pr_str_equal_nocase(value, PR_STR("on"));
}

/* What the submission itself must know; everything else is for the configuration. */
static void note_option(struct arguments *arguments, struct pr_str name, struct pr_str value)
{
	if (pr_str_equal_nocase(name, PR_STR("IgnoreDots")))
		arguments->ignore_dots = is_true(value);
	else if (pr_str_equal_nocase(name, PR_STR("ErrorMode")) && value.len > 0)
		arguments->error_mode = value.data[0];
	else if (pr_str_equal_nocase(name, PR_STR("Verbose")))
		arguments->verbose = is_true(value);
}

static int add_override(struct arguments *arguments, struct pr_str text, char *memory, struct pr_text *error)
{
	size_t equals = pr_str_find(text, '=');

	if (arguments->override_count == ARGUMENTS_OVERRIDES) {
		pr_text_addf(error, "Too many options (%d max)", ARGUMENTS_OVERRIDES);
		pr_free(memory);
		return EX_USAGE;
	}
	arguments->override_memory[arguments->override_count] = memory;
	arguments->overrides[arguments->override_count++] = text;
	note_option(arguments, pr_str_trim(pr_str_slice(text, 0, equals)),
	    pr_str_trim(pr_str_slice(text, equals + 1, text.len)));
	return EX_OK;
}

int arguments_long_option(struct arguments *arguments, const char *value, struct pr_text *error)
{
	return add_override(arguments, pr_str(value), NULL, error);
}

int arguments_short_option(struct arguments *arguments, const char *value, struct pr_text *error)
{
	const size_t count = sizeof short_options / sizeof short_options[0];

	for (size_t i = 0; i < count; i++) {
		if (short_options[i].letter != value[0])
			continue;
		struct pr_text text;
		pr_text_init(&text, 4096);
		pr_text_addf(&text, "%s=%s", short_options[i].name, value[1] != '\0' ? value + 1 : value[0] == 'd' ? "" : "true"); /* -od is -odi */
		if (text.overflow) {
			pr_text_fini(&text);
			pr_text_add_c(error, "Option value too long");
			return EX_USAGE;
		}
		char *memory = pr_copy_str(pr_text_str(&text));
		pr_text_fini(&text);
		return add_override(arguments, pr_str(memory), memory, error);
	}
	return EX_OK; /* a letter of long ago */
}

struct pr_str arguments_override(const struct arguments *arguments, struct pr_str name)
{
	for (size_t i = arguments->override_count; i-- > 0;) {
		struct pr_str text = arguments->overrides[i];
		size_t equals = pr_str_find(text, '=');
		if (pr_str_equal_nocase(pr_str_trim(pr_str_slice(text, 0, equals)), name))
			return pr_str_trim(pr_str_slice(text, equals + 1, text.len));
	}
	return PR_NONE;
}

void arguments_fini(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->override_count; i++)
		pr_free(arguments->override_memory[i]);
	arguments->override_count = 0;
}
