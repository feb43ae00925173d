/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row for each kind of line: its words, how many fields follow, and the function that checks and keeps them.
 * Everything is copied into fields of fixed size, so whatever the child sends, the master's memory stays as it is.
 */
#include "kernel/master/table.h"

#include <arpa/inet.h>
#include <string.h>

#define FIELDS_MAX 32

struct line {
	struct pr_str fields[FIELDS_MAX]; /* without the keyword */
	size_t count;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool table_name_is_valid(struct pr_str name)
{
	if (name.len == 0 || name.len > TABLE_NAME_MAX || name.data[0] == '-' || name.data[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!is_word(name.data[i]))
			return false;
	return true;
}

static bool is_printable(struct pr_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	return true;
}

bool table_path_is_valid(struct pr_str path)
{
	struct pr_str rest = path, piece;

	if (path.len < 2 || path.len >= TABLE_PATH_MAX || path.data[0] != '/' || !is_printable(path))
		return false;
	while (pr_str_next(&rest, '/', &piece))
		if (pr_str_equal(piece, PR_STR("..")) || pr_str_equal(piece, PR_STR(".")))
			return false;
	return true;
}

static bool keep(struct pr_str text, char *room, size_t size)
{
	if (text.len >= size || room[0] != '\0') /* too long, or said twice */
		return false;
	memcpy(room, text.data, text.len);
	room[text.len] = '\0';
	return true;
}

static bool keep_name(struct pr_str name, char *room, size_t size)
{
	return table_name_is_valid(name) && keep(name, room, size);
}

static bool keep_path(struct pr_str path, char *room, size_t size)
{
	return table_path_is_valid(path) && keep(path, room, size);
}

static bool keep_sizes(const struct line *line, size_t first, struct table_listener *listener)
{
	uint64_t number;

	for (size_t i = 0; i < TABLE_SIZES; i++) {
		if (!pr_str_number(line->fields[first + i], 1 << 30, &number))
			return false;
		listener->sizes[i] = (int)number;
	}
	return true;
}

static bool keep_tcp(const struct line *line, struct table_listener *listener)
{
	unsigned char raw[16];
	uint64_t port;

	listener->optional = line->count == 8 && pr_str_equal(line->fields[7], PR_STR("optional"));
	if ((line->count != 7 && !listener->optional) || !keep_sizes(line, 4, listener) || !keep(line->fields[2], listener->address, sizeof listener->address))
		return false;
	if (inet_pton(AF_INET, listener->address, raw) != 1 && inet_pton(AF_INET6, listener->address, raw) != 1)
		return false;
	if (!pr_str_number(line->fields[3], 65535, &port) || port == 0)
		return false;
	listener->port = (uint32_t)port;
	return true;
}

static bool parse_octal(struct pr_str text, uint32_t *number_out)
{
	uint32_t number = 0;

	if (text.len == 0 || text.len > 4)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '7')
			return false;
		number = number * 8 + (uint32_t)(text.data[i] - '0');
	}
	*number_out = number;
	return number <= 0777;
}

static bool keep_unix(const struct line *line, struct table_listener *listener)
{
	if (line->count != 8 || !keep_sizes(line, 5, listener) || !keep_path(line->fields[2], listener->path, sizeof listener->path))
		return false;
	if (!parse_octal(line->fields[3], &listener->mode))
		return false;
	listener->is_unix = true;
	listener->submission = pr_str_equal(line->fields[4], PR_STR("1"));
	return listener->submission || pr_str_equal(line->fields[4], PR_STR("0"));
}

static bool take_listener(const struct line *line, struct table *table)
{
	struct table_listener listener;

	memset(&listener, 0, sizeof listener);
	if (table->listener_count == TABLE_LISTENERS_MAX || line->count < 4)
		return false;
	if (!keep_name(line->fields[0], listener.name, sizeof listener.name))
		return false;
	bool good = pr_str_equal(line->fields[1], PR_STR("tcp"))    ? keep_tcp(line, &listener)
	            : pr_str_equal(line->fields[1], PR_STR("unix")) ? keep_unix(line, &listener)
	                                                            : false;
	for (size_t i = 0; good && i < table->listener_count; i++)
		good = !table_listener_equal(&listener, &table->listeners[i]);
	if (good)
		table->listeners[table->listener_count++] = listener;
	return good;
}

static bool take_user(const struct line *line, struct table *table)
{
	if (line->count != 2)
		return false;
	if (pr_str_equal(line->fields[0], PR_STR("receiver")))
		return keep_name(line->fields[1], table->receiver_user, sizeof table->receiver_user);
	if (pr_str_equal(line->fields[0], PR_STR("courier")))
		return keep_name(line->fields[1], table->courier_user, sizeof table->courier_user);
	return false;
}

static bool take_mailbox(const struct line *line, struct table *table)
{
	if (line->count != 2 || table->mailbox_count == TABLE_MAILBOXES_MAX)
		return false;
	struct table_mailbox *mailbox = &table->mailboxes[table->mailbox_count];
	struct pr_str pattern = line->fields[1];
	bool home = pattern.len > 2 && memcmp(pattern.data, "~/", 2) == 0;
	bool named = memmem(pattern.data, pattern.len, "%u", 2) != NULL;
	struct pr_str path = home ? pr_str_slice(pattern, 1, pattern.len) : pattern;

	mailbox->maildir = pr_str_equal(line->fields[0], PR_STR("maildir"));
	if (!mailbox->maildir && !pr_str_equal(line->fields[0], PR_STR("mbox")))
		return false;
	if ((!home && !named) || !table_path_is_valid(path) ||
	    !keep(pattern, mailbox->pattern, sizeof mailbox->pattern))
		return false;
	table->mailbox_count++;
	return true;
}

static bool take_program(const struct line *line, struct table *table)
{
	if (line->count < 3 || line->count == FIELDS_MAX || !table_path_is_valid(line->fields[0]))
		return false;
	if (!pr_str_equal(line->fields[1], PR_STR("-")) && !table_path_is_valid(line->fields[1]))
		return false;
	for (size_t i = 2; i < line->count; i++)
		if (line->fields[i].len == 0 || !is_printable(line->fields[i]))
			return false;
	const struct pr_str *first = &line->fields[0], *last = &line->fields[line->count - 1];
	struct pr_str text = {first->data, (size_t)(last->data + last->len - first->data)};
	for (size_t i = 0; i < table->program_count; i++) /* mailers may share one */
		if (pr_str_equal(text, pr_str(table->programs[i].text)))
			return true;
	if (table->program_count == TABLE_PROGRAMS_MAX)
		return false;
	struct table_program *program = &table->programs[table->program_count];
	if (!keep(text, program->text, sizeof program->text))
		return false;
	table->program_count++;
	return true;
}

static bool is_account(const struct line *line)
{
	if (line->count != 1)
		return false;
	size_t colon = pr_str_find(line->fields[0], ':');
	struct pr_str user = pr_str_slice(line->fields[0], 0, colon);
	struct pr_str group = pr_str_slice(line->fields[0], colon + 1, line->fields[0].len);

	return table_name_is_valid(user) && (colon == line->fields[0].len || table_name_is_valid(group));
}

static bool take_account(const struct line *line, struct table *table)
{
	if (!is_account(line))
		return false;
	for (size_t i = 0; i < table->account_count; i++) /* likewise */
		if (pr_str_equal(line->fields[0], pr_str(table->accounts[i].spec)))
			return true;
	if (table->account_count == TABLE_ACCOUNTS_MAX)
		return false;
	char *spec = table->accounts[table->account_count].spec;
	table->account_count++;
	return keep(line->fields[0], spec, sizeof table->accounts[0].spec);
}

static bool take_file(const struct line *line, struct table *table)
{
	if (line->count != 1)
		return false;
	for (size_t i = 0; i < table->file_count; i++) /* likewise */
		if (pr_str_equal(line->fields[0], pr_str(table->files[i])))
			return true;
	return table->file_count < TABLE_FILES_MAX && keep_path(line->fields[0], table->files[table->file_count++], TABLE_PATH_MAX);
}

static bool take_default_user(const struct line *line, struct table *table)
{
	return is_account(line) && keep(line->fields[0], table->default_user, sizeof table->default_user);
}

static bool take_run(const struct line *line, struct table *table)
{
	return line->count == 1 && keep_path(line->fields[0], table->run, sizeof table->run);
}

static bool take_drop(const struct line *line, struct table *table)
{
	return line->count == 1 && keep_path(line->fields[0], table->drop, sizeof table->drop);
}

static bool take_queue(const struct line *line, struct table *table)
{
	return line->count == 1 && keep_path(line->fields[0], table->queue, sizeof table->queue);
}

static bool take_pid_file(const struct line *line, struct table *table)
{
	return line->count == 1 && keep_path(line->fields[0], table->pid_file, sizeof table->pid_file);
}

static bool take_statistics(const struct line *line, struct table *table)
{
	return line->count == 1 && keep_path(line->fields[0], table->statistics, sizeof table->statistics);
}

static bool take_log(const struct line *line, struct table *table)
{
	if (line->count != 1)
		return false;
	struct pr_str target = line->fields[0];
	if (pr_str_equal(target, PR_STR("syslog")) || pr_str_equal(target, PR_STR("stderr")))
		return keep(target, table->log, sizeof table->log);
	return keep_path(target, table->log, sizeof table->log);
}

static bool take_max_message(const struct line *line, struct table *table)
{
	return line->count == 1 && table->max_message == 0 &&
	       pr_str_number(line->fields[0], INT64_MAX, &table->max_message);
}

static bool take_seconds(const struct line *line, uint64_t *seconds)
{
	return line->count == 1 && *seconds == 0 && pr_str_number(line->fields[0], 86400, seconds);
}

static bool take_ready(const struct line *line, struct table *table)
{
	return take_seconds(line, &table->ready_seconds);
}

static bool take_stop(const struct line *line, struct table *table)
{
	return take_seconds(line, &table->stop_seconds);
}

static const struct {
	struct pr_str word;
	bool (*take)(const struct line *line, struct table *table);
} rows[] = {
    {{"listener", 8}, take_listener}, {{"user", 4}, take_user},          {{"run", 3}, take_run},
    {{"drop", 4}, take_drop},         {{"queue", 5}, take_queue},        {{"pidfile", 7}, take_pid_file},
    {{"log", 3}, take_log},           {{"mailbox", 7}, take_mailbox},    {{"defaultuser", 11}, take_default_user},
    {{"maxmessage", 10}, take_max_message}, {{"ready", 5}, take_ready}, {{"stop", 4}, take_stop},
    {{"statistics", 10}, take_statistics}, {{"program", 7}, take_program},  {{"account", 7}, take_account}, {{"file", 4}, take_file},
};

static bool take_line(struct pr_str text, struct table *table)
{
	struct line line = {.count = 0};
	struct pr_str word, field, rest = text;

	if (!pr_str_next(&rest, ' ', &word))
		return false;
	while (line.count < FIELDS_MAX && pr_str_next(&rest, ' ', &field))
		line.fields[line.count++] = field;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pr_str_equal(word, rows[i].word))
			return rows[i].take(&line, table);
	return false;
}

static bool is_complete(const struct table *table, struct pr_text *why)
{
	const struct {
		const char *what;
		const char *value;
	} needed[] = {{"run", table->run},           {"drop", table->drop}, {"queue", table->queue},
	              {"pidfile", table->pid_file},  {"log", table->log},   {"user receiver", table->receiver_user},
	              {"user courier", table->courier_user}};

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if (needed[i].value[0] == '\0') {
			pr_text_addf(why, "the plan names no '%s'", needed[i].what);
			return false;
		}
	}
	return true;
}

bool table_parse(struct pr_str bytes, struct table *table, struct pr_text *why)
{
	struct pr_str rest = bytes, line;

	memset(table, 0, sizeof *table);
	if (bytes.len > TABLE_BYTES_MAX) {
		pr_text_addf(why, "the plan is longer than %d bytes", TABLE_BYTES_MAX);
		return false;
	}
	while (pr_str_next(&rest, '\n', &line)) {
		if (line.len == 0 || (memchr(line.data, '\0', line.len) == NULL && take_line(line, table)))
			continue;
		pr_text_add_c(why, "the plan holds a bad line: ");
		pr_text_add_escaped(why, line, 200);
		return false;
	}
	return is_complete(table, why);
}

bool table_listener_equal(const struct table_listener *a, const struct table_listener *b)
{
	if (a->is_unix != b->is_unix)
		return false;
	if (a->is_unix)
		return strcmp(a->path, b->path) == 0;
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}
