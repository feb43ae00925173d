/* SPDX-License-Identifier: BSD-2-Clause
 *
 * certificates = ( { names = ( "mx.example.org", "*.example.net" ); cert = "/etc/ssl/a.pem"; key = "/etc/ssl/private/a.key"; } );
 * Which certificate is shown to clients that name a host in their handshake (SNI); all others are shown ServerCertFile.
 */
#include "kernel/config/build.h"

#include <string.h>

static const char *const keys[] = {"names", "cert", "key", NULL};

#define NAME_MOST 253

static bool is_host_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
}

/* A host, or "*." and a domain: what is in certificates.  Other alphabets are written as DNS has them, xn--. */
static bool is_name(struct pr_str name)
{
	struct pr_str rest = pr_str_has_prefix_nocase(name, PR_STR("*.")) ? pr_str_slice(name, 2, name.len) : name;

	if (rest.len == 0 || name.len > NAME_MOST || rest.data[0] == '.' || rest.data[rest.len - 1] == '.')
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if (!is_host_byte(rest.data[i]) || (rest.data[i] == '.' && rest.data[i + 1] == '.'))
			return false;
	return true;
}

static void add_name(struct config_builder *builder, const struct config_node *node, struct pr_str *names, size_t *count)
{
	struct pr_str name = PR_NONE;

	if (!config_want_text(builder, node, &name))
		return;
	if (!is_name(name))
		config_complain(builder, node, "names: \"%.*s\" is no name of a host such as mx.example.org or *.example.org", PR_PRINT(name));
	names[(*count)++] = name;
}

static void set_names(struct config_builder *builder, struct config_certificate *certificate, const struct config_node *node)
{
	size_t count = 0;
	struct pr_str *names = pr_arena_alloc(&builder->config->arena, (node->child_count + 1) * sizeof *names);

	if (names == NULL)
		return;
	if (node->kind == CONFIG_SCALAR)
		add_name(builder, node, names, &count);
	for (size_t i = 0; node->kind == CONFIG_LIST && i < node->child_count; i++)
		add_name(builder, &node->children[i], names, &count);
	if (node->kind == CONFIG_GROUP)
		config_complain(builder, node, "names takes a name or a list of names");
	certificate->names = (struct pr_list){names, count};
}

static void set_path(struct config_builder *builder, const struct config_node *node, struct pr_str *path_out)
{
	if (config_want_text(builder, node, path_out) && (path_out->len == 0 || path_out->data[0] != '/'))
		config_complain(builder, node, "%.*s takes an absolute path", PR_PRINT(node->name));
}

static void set_key(struct config_builder *builder, struct config_certificate *certificate, const struct config_node *node)
{
	if (pr_str_equal(node->name, PR_STR("names"))) {
		set_names(builder, certificate, node);
	} else if (pr_str_equal(node->name, PR_STR("cert"))) {
		set_path(builder, node, &certificate->cert);
	} else if (pr_str_equal(node->name, PR_STR("key"))) {
		set_path(builder, node, &certificate->key);
	} else {
		const char *nearest = config_nearest(keys, node->name);
		config_complain(builder, node, "unknown key %.*s in a certificate%s%s%s", PR_PRINT(node->name), nearest ? "; did you mean " : "",
		    nearest ? nearest : "", nearest ? "?" : "");
	}
}

/* Before name `at` of certificate `index`. */
static bool is_declared_before(const struct config *config, size_t index, size_t at, struct pr_str name)
{
	for (size_t i = 0; i <= index; i++)
		for (size_t j = 0; j < (i < index ? config->certificates[i].names.count : at); j++)
			if (pr_str_equal_nocase(config->certificates[i].names.items[j], name))
				return true;
	return false;
}

static void check_one(struct config_builder *builder, const struct config_node *group, size_t index)
{
	const struct config *config = builder->config;
	const struct config_certificate *certificate = &config->certificates[index];

	if (certificate->names.count == 0 || certificate->cert.len == 0 || certificate->key.len == 0)
		config_complain(builder, group, "a certificate needs names, cert and key");
	for (size_t i = 0; i < certificate->names.count; i++)
		if (is_declared_before(config, index, i, certificate->names.items[i]))
			config_complain(builder, group, "there is a certificate for %.*s before it", PR_PRINT(certificate->names.items[i]));
}

void config_build_certificates(struct config_builder *builder, const struct config_node *list)
{
	struct config *config = builder->config;

	if (list->kind != CONFIG_LIST) {
		config_complain(builder, list, "certificates takes a list of groups: certificates = ( { names = ( \"mx.example.org\" ); cert = \"...\"; key = \"...\"; } );");
		return;
	}
	struct config_certificate *certificates = pr_arena_alloc(&config->arena, (list->child_count + 1) * sizeof *certificates);
	if (certificates == NULL)
		return;
	memset(certificates, 0, (list->child_count + 1) * sizeof *certificates);
	config->certificates = certificates;
	for (size_t i = 0; i < list->child_count; i++) {
		const struct config_node *group = &list->children[i];
		if (group->kind != CONFIG_GROUP) {
			config_complain(builder, group, "each certificate is a group: { names = ( \"mx.example.org\" ); cert = \"...\"; key = \"...\"; }");
			continue;
		}
		struct config_certificate *certificate = &certificates[config->certificate_count];
		certificate->file = group->file;
		certificate->line = group->line;
		for (size_t j = 0; j < group->child_count; j++)
			set_key(builder, certificate, &group->children[j]);
		check_one(builder, group, config->certificate_count);
		config->certificate_count++;
	}
}
