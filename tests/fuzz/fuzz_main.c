/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a fuzz target without a fuzzer: every file of its corpus folder as it is, then mutations of each from a generator with a fixed
 * seed, so `make check` does the same on every machine.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>

#ifndef MUTATIONS
#define MUTATIONS 1500
#endif
#define INPUT_MAX 65536

static uint8_t *input;
static size_t input_len;
static const char *const words[] = {"\r\n", "\n", "\r", "\r\n.\r\n", "\n.\n", ".", "<", ">", "\"", "(", ")", ":", ",", ";", "@", "\\",
    "MAIL FROM:<a@b>\r\n", "RCPT TO:<c>\r\n", "DATA\r\n", "RSET\r\n", "QUIT\r\n", "EHLO x\r\n", " SIZE=", " ORCPT=rfc822;", "+0D", "\t", " ",
    "{", "}", "=", "[", "]", "#", "include", "From: ", "\xff", "%", "BUG"};

static size_t read_file(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	size_t len = fread(bytes, 1, INPUT_MAX, file);
	fclose(file);
	return len;
}

/* Leaves room of INPUT_MAX: what would not fit is not inserted. */
static void insert(size_t at, const void *bytes, size_t len)
{
	if (input_len + len > INPUT_MAX)
		return;
	memmove(input + at + len, input + at, input_len - at);
	memcpy(input + at, bytes, len);
	input_len += len;
}

static void mutate(uint32_t *seed)
{
	size_t at = input_len > 0 ? fuzz_random(seed) % input_len : 0;
	size_t span = input_len > 0 ? fuzz_random(seed) % (input_len - at + 1) : 0;
	const char *word = words[fuzz_random(seed) % (sizeof words / sizeof words[0])];
	uint8_t copy[512];

	switch (fuzz_random(seed) % 6) {
	case 0:
		if (input_len > 0)
			input[at] = (uint8_t)fuzz_random(seed);
		break;
	case 1:
		if (input_len > 0)
			input[at] ^= (uint8_t)(1u << fuzz_random(seed) % 8);
		break;
	case 2:
		span = span % 16;
		if (span > 0) {
			memmove(input + at, input + at + span, input_len - at - span);
			input_len -= span;
		}
		break;
	case 3:
		span = span < sizeof copy ? span : sizeof copy;
		memcpy(copy, input + at, span);
		insert(at, copy, span);
		break;
	default:
		insert(at, word, strlen(word));
		break;
	}
}

/* The target gets memory of exactly its size, so that a sanitizer sees a read behind the end. */
static void run(void)
{
	uint8_t *copy = malloc(input_len > 0 ? input_len : 1);

	memcpy(copy, input, input_len);
	LLVMFuzzerTestOneInput(copy, input_len);
	free(copy);
}

static void run_mutations(const uint8_t *bytes, size_t len, uint32_t seed)
{
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(input, bytes, len);
		input_len = len;
		for (uint32_t times = 1 + fuzz_random(&seed) % 8; times > 0; times--)
			mutate(&seed);
		run();
	}
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_file(const char *path, uint32_t seed)
{
	static uint8_t bytes[INPUT_MAX];
	size_t len = read_file(path, bytes);

	memcpy(input, bytes, len);
	input_len = len;
	run();
	if (seed > 0)
		run_mutations(bytes, len, seed);
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	char path[4096];

	input = malloc(INPUT_MAX);
	for (int i = 1; i < argc; i++)
		run_file(argv[i], 0);
	int count = argc > 1 ? 0 : scandir(FUZZ_CORPUS, &entries, is_seed, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, entries[i]->d_name);
		run_file(path, (uint32_t)i + 1);
		free(entries[i]);
	}
	free(entries);
	free(input);
	printf("%s: %d seeds, %d mutations of each\n", FUZZ_CORPUS, count, MUTATIONS);
	return argc > 1 || count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
