/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Short-lived and without rights: whatever a module's check() does to this process, the master only sees lines of text, a
 * sentence, or a wait status.
 */
#include "kernel/role/plan_role.h"

#include "kernel/config/readable.h"
#include "kernel/module/module.h"
#include "kernel/net/channel.h"

#include <postrider/address.h>

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TABLE_MAX 65536
#define PIECE 4000

static void print_listener(const struct config_listener *listener, struct pr_text *out)
{
	if (listener->path.data != NULL)
		pr_text_addf(out, "listener %.*s unix %.*s %04o %u", PR_PRINT(listener->name), PR_PRINT(listener->path),
		             listener->mode, listener->submission ? 1u : 0u);
	else
		pr_text_addf(out, "listener %.*s tcp %.*s %u", PR_PRINT(listener->name), PR_PRINT(listener->address), listener->port);
	pr_text_addf(out, " %lld %lld %lld%s\n", (long long)listener->send_buffer, (long long)listener->receive_buffer, (long long)listener->backlog,
	             listener->path.data == NULL && pr_str_find(listener->modifiers, 'O') < listener->modifiers.len ? " optional" : "");
}

/* Where instances of the module `local` put mail: the only files that a named user's helper will touch.  The defaults are the
 * module's own (modules/mailers/local). */
static void print_mailbox(const struct config_instance *instance, struct pr_text *out)
{
	struct pr_str format = config_setting_text(instance, "format");
	struct pr_str path = config_setting_text(instance, "path");
	bool maildir = pr_str_equal_nocase(format, PR_STR("maildir"));

	if (instance->kind != PR_KIND_MAILER || !pr_str_equal(instance->module, PR_STR("local")))
		return;
	if (path.len == 0)
		path = maildir ? PR_STR("~/Maildir") : PR_STR("/var/mail/%u");
	pr_text_addf(out, "mailbox %s %.*s\n", maildir ? "maildir" : "mbox", PR_PRINT(path));
}

/* The command line of a program that runs as who mail is for: nothing else does, and only so. */
static void print_program(const struct config_instance *instance, struct pr_text *out)
{
	struct pr_str path = config_setting_text(instance, "path"), rest = config_setting_text(instance, "argv");
	struct pr_str flag = config_setting_text(instance, "sender_flag"), root = config_setting_text(instance, "root"), word;
	bool owner = config_setting_is_true(instance, "owner") || config_setting_text(instance, "user").len > 0;
	bool first = true;

	bool runs = pr_str_equal(instance->module, PR_STR("prog")) || pr_str_equal(instance->module, PR_STR("smtp"));

	if (instance->kind != PR_KIND_MAILER || !runs || !owner || path.len == 0)
		return;
	pr_text_addf(out, "program %.*s %.*s", PR_PRINT(path), PR_PRINT(root.len > 0 ? root : PR_STR("-")));
	while (pr_str_word(&rest, " \t\n", &word)) { /* as modules/mailers/prog cuts them */
		pr_text_add_byte(out, ' ');
		pr_xtext_encode(word, out);
		if (first && flag.len > 0)
			pr_text_addf(out, " %.*s $g", PR_PRINT(flag));
		first = false;
	}
	pr_text_add_byte(out, '\n');
}

/* The command line behind "account|", in which module smtp names the program that may make tokens for it. */
static void print_token_program(const struct config_instance *instance, struct pr_text *out)
{
	struct pr_str text = config_setting_text(instance, "token_program"), word;
	size_t bar = pr_str_find(text, '|');
	struct pr_str rest = pr_str_slice(text, bar + 1, text.len);

	if (instance->kind != PR_KIND_MAILER || !pr_str_equal(instance->module, PR_STR("smtp")) || bar == 0 || !pr_str_word(&rest, " \t", &word))
		return;
	pr_text_addf(out, "program %.*s - ", PR_PRINT(word));
	pr_xtext_encode(word, out);
	while (pr_str_word(&rest, " \t", &word)) {
		pr_text_add_byte(out, ' ');
		pr_xtext_encode(word, out);
	}
	pr_text_add_byte(out, '\n');
}

/* An account with another group than its own, or without a name: the courier may ask for no other such pair. */
static void print_account(const struct config_instance *instance, struct pr_text *out)
{
	struct pr_str user = config_setting_text(instance, "user");
	uint64_t number;
	bool is_special = pr_str_find(user, ':') < user.len || pr_str_number(user, UINT32_MAX, &number);

	if (instance->kind == PR_KIND_MAILER && config_setting_text(instance, "path").len > 0 && is_special)
		pr_text_addf(out, "account %.*s\n", PR_PRINT(user));
}

/* Paths with commas between them.  Our user's own rights are the receiver's; what the courier reads is listed in any case. */
static void print_files(struct pr_str paths, bool always, struct pr_text *out)
{
	struct pr_str path;

	while (paths.len > 0 && pr_str_next(&paths, ',', &path)) {
		path = pr_str_trim(path);
		char *copy = pr_copy_str(path);
		if (path.len > 0 && path.data[0] == '/' && strpbrk(copy, " \t\n") == NULL && (always || access(copy, R_OK) != 0))
			pr_text_addf(out, "file %s\n", copy);
		pr_free(copy);
	}
}

static void print_all_files(const struct config *config, struct pr_text *out)
{
	const struct options *options = &config->options;

	print_files(options->client_cert_file, true, out);
	print_files(options->client_key_file, true, out);
	print_files(options->cert_file, false, out);
	print_files(options->key_file, false, out);
	print_files(options->dh_parameters, false, out);
	for (size_t i = 0; i < config->certificate_count; i++) {
		print_files(config->certificates[i].cert, false, out);
		print_files(config->certificates[i].key, false, out);
	}
}

bool plan_print(const struct config *config, struct pr_text *out)
{
	const struct options *options = &config->options;

	for (size_t i = 0; i < config->listener_count; i++)
		print_listener(&config->listeners[i], out);
	pr_text_addf(out, "user receiver %.*s\nuser courier %.*s\n", PR_PRINT(config->receiver_user),
	             PR_PRINT(config->courier_user));
	pr_text_addf(out, "run %.*s\ndrop %.*s\nqueue %.*s\n", PR_PRINT(config->run_directory),
	             PR_PRINT(config->drop_directory), PR_PRINT(options->queue_directory));
	if (options->pid_file.len > 0)
		pr_text_addf(out, "pidfile %.*s\n", PR_PRINT(options->pid_file));
	else
		pr_text_addf(out, "pidfile %.*s/postrider.pid\n", PR_PRINT(config->run_directory));
	if (options->default_user.len > 0)
		pr_text_addf(out, "defaultuser %.*s\n", PR_PRINT(options->default_user));
	pr_text_addf(out, "log %.*s\n", PR_PRINT(config->log));
	if (options->max_message_size > 0)
		pr_text_addf(out, "maxmessage %lld\n", (long long)options->max_message_size);
	if (options->status_file.len > 0)
		pr_text_addf(out, "statistics %.*s\n", PR_PRINT(options->status_file));
	pr_text_addf(out, "ready %lld\nstop %lld\n", (long long)options->timeout_ready, (long long)options->timeout_stop);
	for (size_t i = 0; i < config->instance_count; i++)
		print_mailbox(&config->instances[i], out);
	for (size_t i = 0; i < config->instance_count; i++)
		print_program(&config->instances[i], out);
	for (size_t i = 0; i < config->instance_count; i++)
		print_token_program(&config->instances[i], out);
	for (size_t i = 0; i < config->instance_count; i++)
		print_account(&config->instances[i], out);
	print_all_files(config, out);
	return !out->overflow;
}

static bool send_table(int channel, struct pr_str table)
{
	for (size_t at = 0; at < table.len; at += PIECE)
		if (!channel_send(channel, CHANNEL_PLAN, 0, 0, pr_str_slice(table, at, at + PIECE), -1))
			return false;
	return channel_send(channel, CHANNEL_END, 0, 0, PR_STR(""), -1);
}

static int fail(int channel, const struct config *config, struct pr_text *errors)
{
	uint32_t status = config != NULL && config->exit_status != 0 ? config->exit_status : EX_CONFIG;


	if (errors->len == 0)
		pr_text_add_c(errors, "the configuration cannot be used");
	(void)channel_send(channel, CHANNEL_FAILED, 0, status, pr_str_slice(pr_text_str(errors), 0, CHANNEL_TEXT_MAX - 1), -1);
	return (int)status;
}

int plan_main(const struct role *role)
{
	struct pr_text errors, table;
	struct module_set *set = NULL;
	int status = EX_OK;

	pr_text_init(&errors, CHANNEL_TEXT_MAX);
	pr_text_init(&table, TABLE_MAX);
	struct config *config = config_load_routed(role->config_path, role->routing_path, &role->overrides, &errors);
	if (config != NULL)
		set = module_set_open(config, MODULE_ROLE_CHECK, &errors);
	if (set == NULL || !config_is_readable(config, role->master_uid == 0 && role->single == 0, &errors) || !plan_print(config, &table))
		status = fail(role->channel, config, &errors);
	else if (!send_table(role->channel, pr_text_str(&table)))
		status = EX_OSERR;
	module_set_close(set);
	config_free(config);
	pr_text_fini(&table);
	pr_text_fini(&errors);
	return status;
}
