/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan child's answer: all that the master ever learns from a configuration.
 *
 * The child has read postrider.conf and loaded modules, so it may be anything by now; the master believes nothing
 * but lines of these forms, each at most once unless marked with *, fields separated by one blank:
 *
 *   listener NAME tcp ADDRESS PORT SIZES [optional] * user receiver NAME      run DIR       pidfile PATH
 *   listener NAME unix PATH MODE SUBMISSION SIZES * user courier NAME       drop DIR      defaultuser NAME[:GROUP]
 *   mailbox mbox|maildir PATTERN            *     maxmessage BYTES        queue DIR     log TARGET
 *   ready SECONDS                                 stop SECONDS            statistics PATH
 *   program PATH ROOT WORD ...              *     account USER:GROUP
 *   file PATH                               *
 *
 * SIZES are three numbers: bytes of the buffers for sending and receiving, connections that may wait; 0: as the system has it.
 * Names are short words of letters, digits, '.', '_', '-'; paths are absolute, printable, without blanks and "..".
 * A mailbox PATTERN holds "%u" (the user) or begins with "~/": helpers write to such files and to no other.
 * A program is what a mailer may run as the user that mail is for, below a ROOT directory or, where that is "-", below none: WORDs (xtext) without '$' stand as they are, the others are put in by the
 * mailer.  Helpers run such command lines and no other; the file must be root's own, or ours when we are not root.
 * A file holds a certificate or a key: a role that may not read it is lent it (files.c), and no other.
 * An account is one with another group than its own, or one without a name, that such a program has.
 */
#ifndef KERNEL_MASTER_TABLE_H
#define KERNEL_MASTER_TABLE_H

#include <postrider/text.h>

#define TABLE_BYTES_MAX 65536
#define TABLE_LISTENERS_MAX 64
#define TABLE_MAILBOXES_MAX 8
#define TABLE_ACCOUNTS_MAX 24
#define TABLE_PROGRAMS_MAX 24
#define TABLE_PROGRAM_MAX 1024
#define TABLE_FILES_MAX 128
#define TABLE_NAME_MAX 32
#define TABLE_PATH_MAX 512

enum table_size { TABLE_SEND_BUFFER, TABLE_RECEIVE_BUFFER, TABLE_BACKLOG, TABLE_SIZES };

struct table_listener {
	char name[TABLE_NAME_MAX + 1];
	bool is_unix;
	bool submission;
	int sizes[TABLE_SIZES]; /* 0: as the system has it */
	bool optional; /* an address that this host does not have is no reason to stay away */
	char address[64];
	uint32_t port;
	uint32_t mode;
	char path[108]; /* sun_path */
};

struct table_mailbox {
	bool maildir;
	char pattern[TABLE_PATH_MAX];
};

struct table_program {
	char text[TABLE_PROGRAM_MAX]; /* "PATH ROOT WORD WORD" */
};

struct table_account {
	char spec[2 * TABLE_NAME_MAX + 2]; /* as mailers name it: "cyrus:mail", "12" */
};

struct table {
	struct table_listener listeners[TABLE_LISTENERS_MAX];
	size_t listener_count;
	struct table_mailbox mailboxes[TABLE_MAILBOXES_MAX];
	size_t mailbox_count;
	struct table_program programs[TABLE_PROGRAMS_MAX];
	size_t program_count;
	struct table_account accounts[TABLE_ACCOUNTS_MAX];
	size_t account_count;
	char files[TABLE_FILES_MAX][TABLE_PATH_MAX];
	size_t file_count;
	char receiver_user[TABLE_NAME_MAX + 1];
	char courier_user[TABLE_NAME_MAX + 1];
	char default_user[2 * TABLE_NAME_MAX + 2];
	char run[TABLE_PATH_MAX];
	char drop[TABLE_PATH_MAX];
	char queue[TABLE_PATH_MAX]; /* may end in "name*": several directories */
	char pid_file[TABLE_PATH_MAX];
	char log[TABLE_PATH_MAX];
	char statistics[TABLE_PATH_MAX]; /* StatusFile; empty: none */
	uint64_t max_message;       /* 0: none */
	uint64_t ready_seconds;     /* 0: not said */
	uint64_t stop_seconds;
};

/* Checks everything; false and one sentence in `why`. */
bool table_parse(struct pr_str bytes, struct table *table, struct pr_text *why);
/* Same place to listen on? */
bool table_listener_equal(const struct table_listener *a, const struct table_listener *b);
bool table_name_is_valid(struct pr_str name);
bool table_path_is_valid(struct pr_str path);

#endif
