/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postriderctl check: files and directories that are named and are not there.
 * A daemon would start without most of them, and mail would wait or go out otherwise than was meant; so they are warnings, and errors where
 * it would not start.
 */
#include "kernel/command/modes.h"

#include "kernel/config/readable.h"
#include "kernel/module/module.h"
#include "kernel/net/tls/server.h"

#include <postrider/file.h>
#include <postrider/option.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define PATH_ROOM 4096

/* False with errno. */
static bool exists(struct pr_str path, const char *suffix, bool directory)
{
	char name[PATH_ROOM];
	struct stat info;

	if (snprintf(name, sizeof name, "%.*s%s", PR_PRINT(path), suffix) >= (int)sizeof name) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (stat(name, &info) != 0)
		return false;
	errno = ENOTDIR;
	return !directory || S_ISDIR(info.st_mode);
}

static void print_place(const char *file, uint32_t line)
{
	fprintf(stderr, line > 0 ? "%s:%u: " : "%s: ", file, line);
}

static const struct named_file {
	const char *name;
	bool directory, fatal;
	const char *hint;
} named_files[] = {
    {"CACertFile", false, true, "the daemon does not start; name the file with the certificates of authorities, in PEM form"},
    {"CACertPath", true, true, "the daemon does not start; make the directory or take the option away"},
    {"ClientCertFile", false, true, "the courier does not start; name the file with certificate and chain, in PEM form"},
    {"ClientKeyFile", false, true, "the courier does not start; name the file with the key, in PEM form"},
    {"CRLFile", false, true, "the courier does not start; name the file with the lists, in PEM form"},
    {"CRLPath", true, false, "nothing is known as revoked by it; make the directory or take the option away"},
    {"DefaultAuthInfo", false, false, "mail for hosts that offer AUTH waits; write the file or take the option away"},
    {"ErrorHeader", false, false, "notices go out without it; make the file or take the option away"},
    {"HelpFile", false, false, "HELP has a text of its own without it; make the file or take the option away"},
    {"LoadAverageFile", false, false, "no load is seen without it; take the option away"},
    {"SafeFileEnvironment", true, false, "no file of an alias can be written; make the directory"},
    {"ServerCertFile", false, true, "the receiver does not start; name the file with certificate and chain, in PEM form"},
    {"ServerKeyFile", false, true, "the receiver does not start; name the file with the key, in PEM form"},
};

/* A path, or several with commas; *missing_out is one that is not there. */
static bool are_there(struct pr_str paths, bool directory, struct pr_str *missing_out)
{
	*missing_out = paths;
	if (exists(paths, "", directory))
		return true;
	while (paths.len > 0 && pr_str_next(&paths, ',', missing_out)) {
		*missing_out = pr_str_trim(*missing_out);
		if (!exists(*missing_out, "", directory))
			return false;
	}
	return true;
}

static int check_named(const struct config *config, const struct named_file *file)
{
	const struct config_place *place = config_option_place(config, file->name);
	const struct pr_option *option = pr_option_find(options_table, pr_str(file->name));
	struct pr_str path = *(const struct pr_str *)(const void *)((const char *)&config->options + option->offset), missing;

	if (place->file == NULL || path.len == 0 || path.data[0] != '/' || are_there(path, file->directory, &missing))
		return EX_OK;
	print_place(place->file, place->line);
	fprintf(stderr, "%soption %s: %.*s: %s; %s\n", file->fatal ? "" : "warning: ", file->name, PR_PRINT(missing), strerror(errno), file->hint);
	return file->fatal ? EX_CONFIG : EX_OK;
}

/* A table that is not built yet; its name may stand without what its maker adds. */
static void check_table(const struct config_instance *map, const struct config_setting *setting)
{
	if (exists(setting->text, "", false) || exists(setting->text, ".db", false))
		return;
	print_place(setting->file, setting->line);
	fprintf(stderr, "warning: map %.*s: %.*s: %s; mail that needs it waits: write the file%s\n", PR_PRINT(map->name), PR_PRINT(setting->text),
	        strerror(errno), pr_str_equal(map->module, PR_STR("hash")) ? " and build the table with newaliases or makemap" : "");
}

static void check_tables(const struct config *config)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *map = &config->instances[i];
		const struct config_setting *file = map->kind == PR_KIND_MAP ? config_setting_find(map, "file") : NULL;
		if (file != NULL && !config_setting_is_true(map, "optional"))
			check_table(map, file);
	}
}

/* Refused when somebody else could have written it; what is not there was told already. */
static void check_writers(const struct config *config, const struct config_instance *map, const struct config_setting *setting, const char *suffix,
                          struct pr_str file, enum pr_safe_kind kind)
{
	char name[PATH_ROOM];
	struct pr_text why;
	struct stat info;

	if (snprintf(name, sizeof name, "%.*s%s", PR_PRINT(file), suffix) >= (int)sizeof name || stat(name, &info) != 0)
		return;
	pr_text_init(&why, 1000);
	if (!pr_file_is_safe(name, (uint32_t)info.st_uid, pr_safe_flags(kind, config->options.dont_blame), &why)) {
		print_place(setting->file, setting->line);
		fprintf(stderr, "warning: map %.*s: %s: %s; it is not believed, and %s: chmod go-w, or see DontBlameSendmail\n", PR_PRINT(map->name), name,
		        why.data, kind == PR_SAFE_ALIAS ? "newaliases makes no table of it" : "mail that needs it waits");
	}
	pr_text_fini(&why);
}

static bool is_alias_map(const struct config *config, struct pr_str name)
{
	for (size_t i = 0; i < config->options.alias_files.count; i++)
		if (pr_str_equal(config->options.alias_files.items[i], name))
			return true;
	return false;
}

static void check_rights(const struct config *config)
{
	const char *suffix;

	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *map = &config->instances[i];
		bool is_unsafe = config_setting_is_true(map, "unsafe");
		for (size_t j = 0; !is_unsafe && j < map->setting_count; j++) {
			struct pr_str file = config_map_file(map, &map->settings[j], &suffix);
			if (file.len > 0)
				check_writers(config, map, &map->settings[j], suffix, file, PR_SAFE_MAP);
			if (file.len > 0 && suffix[0] != '\0' && is_alias_map(config, map->name)) /* the text beside its table */
				check_writers(config, map, &map->settings[j], "", file, PR_SAFE_ALIAS);
		}
	}
}

static void check_program(const struct config_instance *mailer, const struct config_setting *path)
{
	char name[PATH_ROOM];
	struct stat info;
	const char *why = NULL;

	if (path->text.len == 0 || path->text.data[0] != '/' || snprintf(name, sizeof name, "%.*s", PR_PRINT(path->text)) >= (int)sizeof name)
		return;
	if (stat(name, &info) != 0)
		why = strerror(errno);
	else if (!S_ISREG(info.st_mode) || (info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		why = "it is no program that can be executed";
	if (why == NULL)
		return;
	print_place(path->file, path->line);
	fprintf(stderr, "warning: mailer %.*s: %s: %s; its mail cannot be delivered\n", PR_PRINT(mailer->name), name, why);
}

/* What "prog" runs and "smtp" speaks with; the path of "local" is a mailbox. */
static void check_programs(const struct config *config)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *mailer = &config->instances[i];
		bool runs = pr_str_equal(mailer->module, PR_STR("prog")) || pr_str_equal(mailer->module, PR_STR("smtp"));
		const struct config_setting *path = mailer->kind == PR_KIND_MAILER && runs ? config_setting_find(mailer, "path") : NULL;
		if (path != NULL)
			check_program(mailer, path);
	}
}

/* Two lists of routes that are read when it opens. */
static int check_lists(const struct config *config)
{
	static const char *const names[] = {"local_host_names", "relay_domains_file"};
	int status = EX_OK;

	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *rules = &config->instances[i];
		for (size_t j = 0; rules->kind == PR_KIND_RULES && j < sizeof names / sizeof names[0]; j++) {
			const struct config_setting *setting = config_setting_find(rules, names[j]);
			if (setting == NULL || exists(setting->text, "", false))
				continue;
			print_place(setting->file, setting->line);
			fprintf(stderr, "%s: %.*s: %s; make the file or take the line away\n", names[j], PR_PRINT(setting->text), strerror(errno));
			status = EX_CONFIG;
		}
	}
	return status;
}

/* The courier makes the directory itself, but not those above it.  0, or an errno. */
static int judge_place(const struct config *config, const char *path)
{
	const char *user = config->courier_user.data;
	struct stat info;

	if (stat(path, &info) != 0)
		return errno;
	if (!S_ISDIR(info.st_mode))
		return ENOTDIR;
	if (geteuid() != 0)
		return access(path, W_OK | X_OK) == 0 ? 0 : errno;
	const struct passwd *account = user != NULL ? getpwnam(user) : NULL;
	if (account == NULL || account->pw_uid == info.st_uid)
		return account == NULL || (info.st_mode & 0300) == 0300 ? 0 : EACCES;
	account = config->receiver_user.data != NULL ? getpwnam(config->receiver_user.data) : NULL; /* whose group is the courier's */
	unsigned int bits = account != NULL && account->pw_gid == info.st_gid ? info.st_mode >> 3 : info.st_mode;
	return (bits & 3) == 3 ? 0 : EACCES;
}

/* Directories that the courier makes by itself when it first has something to keep. */
static const struct kept {
	const char *option;
	void (*print)(const struct options *options, struct pr_text *out);
	const char *otherwise;
} kept[] = {
    {"HostStatusDirectory", options_host_status_path, "nothing is kept of hosts"},
    {"TLSPolicyDirectory", options_tls_policy_path, "policies are forgotten with each restart"},
    {"TLSReportDirectory", options_tls_report_path, "no results are kept"},
};

static void check_kept(const struct config *config, const struct kept *row)
{
	const struct config_place *place = config_option_place(config, row->option);
	struct pr_text path;

	pr_text_init(&path, PATH_ROOM);
	row->print(&config->options, &path);
	int error = path.len > 0 ? judge_place(config, path.data) : 0;
	if (error == ENOENT) { /* the queue directory is made before it */
		struct pr_str whole = pr_str_slice(pr_text_str(&path), 0, pr_str_find_last(pr_text_str(&path), '/'));
		struct pr_text above;
		pr_text_init(&above, PATH_ROOM);
		pr_text_add_str(&above, whole.len > 0 ? whole : PR_STR("/"));
		error = pr_str_equal(whole, config->options.queue_directory) ? 0 : judge_place(config, above.data);
		pr_text_fini(&above);
	}
	if (error != 0) {
		if (place->file != NULL)
			print_place(place->file, place->line);
		fprintf(stderr, "warning: option %s: %s: %s; %s: make it, writable for the user of the courier\n", row->option, path.data, strerror(error),
		        row->otherwise);
	}
	pr_text_fini(&path);
}

static bool is_readable(const struct config *config)
{
	struct pr_text why;

	pr_text_init(&why, 65536);
	bool good = config_is_readable(config, geteuid() == 0, &why);
	fprintf(stderr, "%s", why.data != NULL ? why.data : "");
	pr_text_fini(&why);
	return good;
}

/* The options of which such a sentence speaks, first to last. */
static void print_place_of(const struct config *config, struct pr_str sentence)
{
	static const char *const names[] = {"ClientCertFile", "CACertFile", "CACertPath", "CRLFile", "CRLPath", "CipherList", "CipherSuites", "ClientSSLOptions",
	                                    "CertFingerprintAlgorithm", "ServerCertFile", "ServerSSLOptions", "DHParameters"};
	const struct config_place *place = NULL;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (place == NULL && pr_str_has_prefix_nocase(sentence, pr_str(names[i])))
			place = config_option_place(config, names[i]);
	if (place != NULL && place->file != NULL)
		print_place(place->file, place->line);
}

/* "certificate of mx.example.org: why" */
static bool print_place_of_certificate(const struct config *config, struct pr_str sentence)
{
	struct pr_str head = PR_STR("certificate of ");

	if (!pr_str_has_prefix_nocase(sentence, head))
		return false;
	for (size_t i = 0; i < config->certificate_count; i++)
		if (pr_str_has_prefix_nocase(pr_str_slice(sentence, head.len, sentence.len), config->certificates[i].names.items[0]))
			print_place(config->certificates[i].file, config->certificates[i].line);
	return true;
}

static bool is_each_readable(struct pr_str list)
{
	struct pr_str file;
	bool good = true;

	while (good && list.len > 0 && pr_str_next(&list, ',', &file)) {
		char *path = pr_copy_str(pr_str_trim(file));
		good = access(path, R_OK) == 0;
		pr_free(path);
	}
	return good;
}

/* A key that only its user can read is left to it. */
static bool are_readable(const struct net_tls_server_settings *settings)
{
	bool good = is_each_readable(settings->cert_file) && is_each_readable(settings->key_file);

	for (size_t i = 0; good && i < settings->identity_count; i++)
		good = is_each_readable(settings->identities[i].cert) && is_each_readable(settings->identities[i].key);
	return good;
}

/* What the receiver would say when it starts. */
static int check_server_tls(const struct config *config)
{
	struct net_tls_server_settings settings;
	struct pr_text why;
	int status = EX_OK;

	pr_text_init(&why, 4096);
	if (net_tls_server_lacks(config, &why)) {
		fprintf(stderr, "%s\n", why.data);
		status = EX_CONFIG;
	}
	if (!net_tls_server_settings(config, &settings) || !are_readable(&settings)) {
		pr_text_fini(&why);
		return status;
	}
	struct net_tls_server *server = net_tls_server_new(&settings, NULL, &why);
	if (server == NULL) {
		bool of_certificate = print_place_of_certificate(config, pr_text_str(&why));
		if (!of_certificate)
			print_place_of(config, pr_text_str(&why));
		fprintf(stderr, "%s%s\n", of_certificate ? "" : "option ", why.data);
		status = EX_CONFIG;
	}
	net_tls_server_free(server);
	pr_text_fini(&why);
	return status;
}

/* What the courier would say when it starts; a key that only its user can read is left to it. */
static int check_client_tls(const struct config *config)
{
	const struct options *options = &config->options;
	struct pr_text why;
	int status = EX_OK;

	if (options->client_key_file.len > 0 && access(options->client_key_file.data, R_OK) != 0)
		return EX_OK;
	pr_text_init(&why, 4096);
	if (!module_tls_check(options, &why)) {
		print_place_of(config, pr_text_str(&why));
		fprintf(stderr, "option %s\n", why.data);
		status = EX_CONFIG;
	}
	pr_text_fini(&why);
	return status;
}

int check_paths(const struct config *config)
{
	int status = EX_OK;

	for (size_t i = 0; i < sizeof named_files / sizeof named_files[0]; i++)
		if (check_named(config, &named_files[i]) != EX_OK)
			status = EX_CONFIG;
	if (status == EX_OK)
		status = check_server_tls(config);
	if (status == EX_OK)
		status = check_client_tls(config);
	if (check_lists(config) != EX_OK)
		status = EX_CONFIG;
	check_tables(config);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		check_kept(config, &kept[i]);
	check_rights(config);
	check_programs(config);
	if (!is_readable(config))
		status = EX_CONFIG;
	return status;
}
