/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text files as maps: text (columns), stab (the form of aliases), and the text behind an implicit alias file.
 *
 * The file is read whole into memory, and again when stat(2) shows another one.
 */
#ifndef MODULES_MAPS_TEXT_TEXT_H
#define MODULES_MAPS_TEXT_TEXT_H

#include <postrider/mapflags.h>

#include <pthread.h>
#include <sys/stat.h>

struct entry {
	struct pr_str key, value;
	uint64_t hash;
};

/* One reading of the file; replaced as a whole under the write lock. */
struct table {
	struct pr_arena arena; /* keys and values */
	struct entry *entries;
	size_t *slots;         /* index + 1 into entries, 0 free */
	size_t count, room, slot_count;
	struct stat status;
	uint32_t loaded;
	uint32_t reserved;
};

struct text_map {
	struct pr_map_flags flags;
	struct pr_str file, delimiter, format;
	struct pr_str key_letter, value_letter; /* -k and -v */
	int64_t key_column, value_column;
	uint32_t unsafe, is_alias;
	uint32_t safe, reserved; /* PR_SAFE_...: what DontBlameSendmail allows */
	char *path;
	pthread_rwlock_t lock;
	struct table table;
};

extern const struct pr_map_ops text_ops;
extern const struct pr_option text_options[];
enum pr_status text_check(struct pr_call *call);
enum pr_status text_open(struct pr_call *call);
void text_close(struct pr_call *call);

#endif
