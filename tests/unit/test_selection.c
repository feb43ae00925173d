/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which messages -qI and its sisters mean: words of one letter are alternatives, letters must all hold; and the line that carries them.
 */
#include "kernel/queue/selection.h"
#include "tests/unit/unit.h"

static struct pr_recipient recipients[] = {
    {.address = PR_STR_INIT("<ann@far.example>")},
    {.address = PR_STR_INIT("<bob@near.example>")},
    {.address = PR_STR_INIT("<gone@done.example>"), .state = PR_RECIPIENT_DELIVERED},
};
static const struct pr_envelope envelope = {.sender = PR_STR_INIT("<Owner-List@example.net>"), .quarantine = PR_STR_INIT("smells of fish"),
    .recipients = recipients, .recipient_count = 3};
static const struct pr_entry entry = {.size = sizeof entry, .id = PR_STR_INIT("6AKCWE2x026116"), .queue = PR_STR_INIT("mqueue")};

static bool read_words(struct queue_selection *selection, const char *words)
{
	struct pr_str rest = pr_str(words), word;
	struct pr_text why;
	bool good = true;

	*selection = (struct queue_selection){.count = 0};
	pr_text_init(&why, 500);
	while (good && pr_str_next(&rest, ' ', &word))
		good = selection_add(selection, word, &why);
	pr_text_fini(&why);
	return good;
}

static const struct {
	const char *words;
	bool matches;
} cases[] = {
    {"", true},
    {"Icwe2", true},
    {"Inone", false},
    {"!Inone", true},
    {"Inone I6AK", true},
    {"Inone Rfar", false},
    {"I6AK Rfar", true},
    {"RFAR Rnowhere", true},
    {"Rdone", false},
    {"!Rfar", true},
    {"!Rexample", false},
    {"Sowner- !Rnear", true},
    {"!Sowner-", false},
    {"QFISH", true},
    {"Qmeat", false},
    {"!Qmeat Sowner", true},
};

/* Each once as it was said and once as it comes out of the line that a daemon is sent. */
static void test_matches(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct queue_selection selection, again;
		struct pr_arena arena;
		struct pr_text line;
		CU_ASSERT_FATAL(read_words(&selection, cases[i].words));
		pr_arena_init(&arena, 65536);
		pr_text_init(&line, SELECTION_TEXT_MAX);
		CU_ASSERT(selection_print(&selection, &line));
		CU_ASSERT(selection_parse(pr_text_str(&line), &arena, &again));
		if (selection_matches(&selection, &entry, &envelope) != cases[i].matches || selection_matches(&again, &entry, &envelope) != cases[i].matches) {
			printf("-q %s (%s)\n", cases[i].words, line.data);
			CU_FAIL("matches");
		}
		CU_ASSERT_EQUAL(again.kind, selection.kind);
		pr_text_fini(&line);
		pr_arena_fini(&arena);
	}
}

static void test_kind(void)
{
	static const struct {
		const char *words;
		uint32_t state;
		bool meant;
	} kinds[] = {{"", PR_ENTRY_READY, true}, {"", PR_ENTRY_CLAIMED, true}, {"I6", PR_ENTRY_QUARANTINED, false}, {"Q", PR_ENTRY_QUARANTINED, true},
	    {"Qfish", PR_ENTRY_HELD, true}, {"Q", PR_ENTRY_READY, false}, {"L", PR_ENTRY_LOST, true}, {"L", PR_ENTRY_READY, false},
	    {"Gmqueue", PR_ENTRY_READY, true}, {"Gother", PR_ENTRY_READY, false}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct queue_selection selection;
		struct pr_entry one = entry;
		one.state = kinds[i].state;
		CU_ASSERT_FATAL(read_words(&selection, kinds[i].words));
		CU_ASSERT_EQUAL(selection_is_kind(&selection, &one), kinds[i].meant);
	}
}

static void test_unreadable(void)
{
	struct queue_selection selection;

	CU_ASSERT(read_words(&selection, "I6AK"));
	CU_ASSERT(!selection_needs_envelope(&selection));
	CU_ASSERT(selection_matches(&selection, &entry, NULL));
	CU_ASSERT(read_words(&selection, "I6AK !Rfar"));
	CU_ASSERT(selection_needs_envelope(&selection));
	CU_ASSERT(!selection_matches(&selection, &entry, NULL)); /* what cannot be read is not known to be meant */
}

static void test_refused(void)
{
	static const char *const words[] = {"X", "30m", "!Gx", "Ga Gb", "G", "!"};
	static const char *const lines[] = {"I", "I=+0", "Z=x", "I?x", "G=", "H!", "I=a  R=b", "R=b+0A", "L=x"};
	struct queue_selection selection;
	struct pr_arena arena;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		CU_ASSERT(!read_words(&selection, words[i]));
	pr_arena_init(&arena, 65536);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		CU_ASSERT(!selection_parse(pr_str(lines[i]), &arena, &selection));
	pr_arena_fini(&arena);
}

static void test_bounds(void)
{
	struct queue_selection selection = {.count = 0};
	struct pr_text why, line;

	pr_text_init(&why, 500);
	pr_text_init(&line, SELECTION_TEXT_MAX);
	for (size_t i = 0; i < SELECTION_TERMS_MAX; i++)
		CU_ASSERT(selection_add(&selection, PR_STR("Iaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &why));
	CU_ASSERT(!selection_add(&selection, PR_STR("Ib"), &why));
	CU_ASSERT(!selection_print(&selection, &line)); /* told, not cut */
	pr_text_fini(&line);
	pr_text_fini(&why);
}

static const struct unit_case selection_cases[] = {{"what matches", test_matches}, {"which states and groups", test_kind},
    {"an envelope that cannot be read", test_unreadable}, {"words that mean nothing", test_refused}, {"too much", test_bounds}, {NULL, NULL}};
UNIT_MAIN("selection", selection_cases)
