/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host table: what a module may ask of the kernel.  Each function finds the scope of the running call and works
 * within it, so results land in the same arena and reasons travel on.
 */
#include "kernel/log/log.h"
#include "kernel/module/internal.h"
#include "kernel/module/print.h"
#include "kernel/net/dns.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_MAX 1000 /* bytes of a command that are kept */

static void host_log(struct pr_call *call, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void host_log(struct pr_call *call, uint32_t level, const char *format, ...)
{
	const struct module_frame *frame = call->kernel;
	struct pr_text text;
	va_list args;

	pr_text_init(&text, 2000);
	va_start(args, format);
	pr_text_addv(&text, format, args);
	va_end(args);
	log_line((enum log_priority)(level <= PR_LOG_DEBUG ? level : PR_LOG_INFO), NULL, "%s: %s", frame->instance->label, text.data);
	pr_text_fini(&text);
}

/* A kernel function was called inside a module's call: its reason becomes the call's. */
static enum pr_status pass_on(struct pr_call *call, enum pr_status status)
{
	call->reason = module_call_scope(call)->reason;
	return status;
}

static enum pr_status host_map_lookup(struct pr_call *call, struct pr_str map, struct pr_str key, const struct pr_list *args,
    struct pr_str *value_out)
{
	return pass_on(call, map_lookup(module_call_scope(call), map, key, args, value_out));
}

static struct module_set *call_set(const struct pr_call *call)
{
	return ((const struct module_frame *)call->kernel)->instance->set;
}

static bool host_map_exists(struct pr_call *call, struct pr_str map)
{
	return map_exists(call_set(call), map);
}

/* No option of the file, but the registry of queue groups as a store wants it: "name=path,name=path". */
static void print_groups(const struct config *config, struct pr_text *out)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i].path.len > 0)
			pr_text_addf(out, "%s%.*s=%.*s", out->len > 0 ? "," : "", PR_PRINT(config->groups[i].name), PR_PRINT(config->groups[i].path));
}

/* Nor is this one: which mailers there are, "local,prog,esmtp", for who checks a name before mail depends on it. */
static void print_mailers(const struct config *config, struct pr_text *out)
{
	for (size_t i = 0; i < config->instance_count; i++)
		if (config->instances[i].kind == PR_KIND_MAILER)
			pr_text_addf(out, "%s%.*s", out->len > 0 ? "," : "", PR_PRINT(config->instances[i].name));
}

static const struct {
	struct pr_str name;
	void (*print)(const struct config *config, struct pr_text *out);
} registries[] = {{{"QueueGroups", 11}, print_groups}, {{"Mailers", 7}, print_mailers}};

static struct pr_str print_registry(struct pr_call *call, struct pr_str name, struct pr_text *text)
{
	for (size_t i = 0; i < sizeof registries / sizeof registries[0]; i++)
		if (pr_str_equal(name, registries[i].name)) {
			registries[i].print(call_set(call)->config, text);
			return pr_arena_copy(call->arena, pr_text_str(text));
		}
	return PR_NONE;
}

/* What the kernel has no use for, as it was written. */
static struct pr_str other_option(const struct config *config, struct pr_str name)
{
	for (size_t i = 0; i < config->other_count; i++)
		if (pr_str_equal_nocase(config->others[i].name, name))
			return config->others[i].text;
	return PR_NONE;
}

static struct pr_str host_option(struct pr_call *call, struct pr_str name)
{
	const struct pr_option *option = pr_option_find(options_table, name);
	struct pr_text text;
	struct pr_str value = PR_NONE;

	pr_text_init(&text, 65536);
	if (option == NULL) {
		value = print_registry(call, name, &text);
		value = value.data == NULL ? other_option(call_set(call)->config, name) : value;
	} else if (pr_option_print(option, &call_set(call)->config->options, &text))
		value = pr_arena_copy(call->arena, pr_text_str(&text));
	pr_text_fini(&text);
	return value;
}

static struct pr_str host_macro(struct pr_call *call, struct pr_str name)
{
	const struct module_scope *scope = module_call_scope(call);
	struct pr_str value = PR_NONE;
	struct pr_str host = call_set(call)->config->options.host_name;

	if (scope->peer != NULL && module_peer_macro(scope->peer, name, &value))
		return value;
	value = scope->macro != NULL ? scope->macro(scope->macro_context, name) : PR_NONE;
	if (value.data == NULL && pr_str_equal(name, PR_STR("j")))
		value = host;
	else if (value.data == NULL && pr_str_equal(name, PR_STR("m")) && pr_str_find(host, '.') < host.len)
		value = pr_str_slice(host, pr_str_find(host, '.') + 1, host.len);
	return value;
}

static enum pr_status host_user_find(struct pr_call *call, struct pr_str name, uint32_t *uid_out, struct pr_str *home_out)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char *buffer = pr_arena_alloc(call->arena, 16384);
	struct pr_str user = pr_arena_copy(call->arena, name);

	if (buffer == NULL || user.data == NULL)
		return pr_fail(call, PR_TEMPFAIL, "no memory left to look up an account");
	if (user.len == 0 || memchr(user.data, '\0', user.len) != NULL)
		return PR_NOTFOUND;
	int error = getpwnam_r(user.data, &entry, buffer, 16384, &found);
	if (found == NULL && error != 0 && error != ENOENT && error != ESRCH)
		return pr_fail(call, PR_TEMPFAIL, "cannot look up account %s: %s", user.data, strerror(error));
	if (found == NULL)
		return PR_NOTFOUND;
	*uid_out = (uint32_t)found->pw_uid;
	if (home_out != NULL)
		*home_out = pr_str(found->pw_dir);
	return PR_OK;
}

static enum pr_status host_local_deliver(struct pr_call *call, struct pr_local_delivery *delivery)
{
	const struct module_services *services = &call_set(call)->services;

	if (services->local_deliver == NULL)
		return pr_fail(call, PR_TEMPFAIL, "this process does not deliver locally");
	return services->local_deliver(services->context, call, delivery);
}

static enum pr_status host_header_print(struct pr_call *call, const struct pr_envelope *envelope, struct pr_text *out)
{
	struct module_scope *scope = module_call_scope(call);

	return pass_on(call, print_header(scope, scope->mailer, envelope, out));
}

static void host_progress(struct pr_call *call, uint32_t what, struct pr_str text)
{
	const struct module_set *set = call_set(call);

	set->watch(set->watch_context, what, text);
}

static bool host_is_dead(struct pr_call *call, struct pr_str host, struct pr_str *reason_out)
{
	const struct module_services *services = &call_set(call)->services;

	const struct module_instance *mailer = ((const struct module_frame *)call->kernel)->instance;

	if (mailer->config->kind == PR_KIND_MAILER && module_mailer_has_flag(mailer, 'W')) /* it does not ask */
		return false;
	return services->host_is_dead(services->context, module_call_scope(call)->macro_context, host, reason_out);
}

static void host_failed(struct pr_call *call, struct pr_str host, struct pr_str reason)
{
	const struct module_services *services = &call_set(call)->services;

	services->host_failed(services->context, module_call_scope(call)->macro_context, host, reason);
}

static void host_tls_result(struct pr_call *call, const struct pr_tls_result *result)
{
	const struct module_services *services = &call_set(call)->services;

	services->tls_result(services->context, result);
}

void host_refresh(struct module_set *set)
{
	set->host.progress = set->watch != NULL ? host_progress : NULL;
	set->host.host_is_dead = set->services.host_is_dead != NULL ? host_is_dead : NULL;
	set->host.tls_result = set->services.tls_result != NULL ? host_tls_result : NULL;
	set->host.host_failed = set->services.host_failed != NULL ? host_failed : NULL;
}

static void host_answered(struct pr_call *call, const struct pr_delivery *delivery, struct pr_str command)
{
	struct module_scope *scope = module_call_scope(call);

	size_t index = ((uintptr_t)delivery - (uintptr_t)scope->deliveries) / sizeof *delivery;

	/* a pointer from a module: only one of those it was given */
	if (scope->deliveries == NULL || scope->commands == NULL || index >= scope->delivery_count || &scope->deliveries[index] != delivery)
		return;
	scope->commands[index] = command.data == NULL ? PR_NONE : pr_arena_copy(scope->arena, pr_str_slice(command, 0, COMMAND_MAX));
}

static struct pr_str host_own_name(struct pr_call *call)
{
	return ((const struct module_frame *)call->kernel)->instance->config->name;
}

/* Macros of sessions are computed, not stored: the one who keeps a table of them is a rule engine, in its own process memory. */
static bool host_macro_set(struct pr_call *call, struct pr_str name, struct pr_str value)
{
	(void)call;
	(void)name;
	(void)value;
	return false;
}

static enum pr_status host_content_fit(struct pr_call *call, uint32_t offers, uint32_t *form_out)
{
	struct module_content *content = module_call_scope(call)->content;

	return content != NULL ? content->fit(content, call, offers, form_out) : pr_fail(call, PR_MISUSE, "no message is being delivered");
}

static enum pr_status host_rules_check(struct pr_call *call, uint32_t check, const struct pr_list *arguments, struct pr_verdict *verdict)
{
	struct pr_check_context context = {.size = sizeof context};

	return pass_on(call, rules_check(module_call_scope(call), (enum pr_check)check, &context, arguments, verdict));
}

static enum pr_status host_rules_feature(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out)
{
	return pass_on(call, rules_feature(module_call_scope(call), name, arguments, value_out));
}

void host_init(struct pr_host *host)
{
	*host = (struct pr_host){
	    .size = sizeof *host,
	    .abi_major = PR_ABI_MAJOR,
	    .abi_minor = PR_ABI_MINOR,
	    .log = host_log,
	    .map_lookup = host_map_lookup,
	    .map_exists = host_map_exists,
	    .option = host_option,
	    .macro = host_macro,
	    .dns_mx = dns_mx,
	    .dns_addresses = dns_addresses,
	    .dns_name = dns_name,
	    .user_find = host_user_find,
	    .local_deliver = host_local_deliver,
	    .header_print = host_header_print,
	    .answered = host_answered,
	    .own_name = host_own_name,
	    .dns_records = dns_records,
	    .macro_set = host_macro_set,
	    .map_ask = module_map_ask,
	    .tls_start = host_tls_start,
	    .tls_read = host_tls_read,
	    .tls_write = host_tls_write,
	    .tls_end = host_tls_end,
	    .talks_to = host_talks_to,
	    .rules_check = host_rules_check,
	    .rules_feature = host_rules_feature,
	    .dane_find = host_dane_find,
	    .tls_start_with = host_tls_start_with,
	    .content_fit = host_content_fit,
	};
}
