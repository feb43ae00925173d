/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The committed table against what the compiler says today: a module built last year must find everything where it was.
 * A struct that grew at its end is a new minor number, anything else that moved is a new major one.
 */
#include <postrider/auth.h>
#include <postrider/file.h>
#include <postrider/filter.h>
#include <postrider/mailer.h>
#include <postrider/map.h>
#include <postrider/mapflags.h>
#include <postrider/rules.h>
#include <postrider/store.h>
#include <postrider/table.h>

#include <postrider/address.h>
#include <stddef.h>
#include <stdio.h>

#define SKIP 77

struct row {
	const char *name;
	size_t offset, size;         /* in the table */
	size_t offset_now, size_now; /* according to the compiler */
};

#define ABI_SIZE(type, size) {"struct " #type, 0, size, 0, sizeof(struct type)},
#define ABI_FIELD(type, field, offset, size) \
	{#type "." #field, offset, size, offsetof(struct type, field), sizeof((struct type *)0)->field},

static const struct row rows[] = {
#include "tests/abi/table.h"
};

int main(void)
{
	size_t moved = 0, count = sizeof rows / sizeof rows[0];

	if (sizeof(void *) != 8) {
		printf("the table is for 64-bit pointers\n");
		return SKIP;
	}
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		if (row->offset == row->offset_now && row->size == row->size_now)
			continue;
		printf("%s: was at %zu with %zu bytes, is at %zu with %zu\n", row->name, row->offset, row->size, row->offset_now, row->size_now);
		moved++;
	}
	printf("abi: %zu rows, %zu moved\n", count, moved);
	if (moved > 0)
		printf("additions at the end of a struct: next PR_ABI_MINOR; anything else: next PR_ABI_MAJOR; then generate.py update\n");
	return moved > 0 || count < 290;
}
