/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A unit test program in one table:
 *
 *   static void test_empty(void) { CU_ASSERT_EQUAL(1, 1); }
 *   static const struct unit_case cases[] = { { "empty input", test_empty }, { NULL, NULL } };
 *   UNIT_MAIN("text", cases)
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

__attribute__((unused)) static int unit_run(const char *suite_name, const struct unit_case *cases)
{
	unsigned int failed = 0;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
	for (; suite != NULL && cases->name != NULL; cases++)
		if (CU_add_test(suite, cases->name, cases->run) == NULL)
			failed++;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed += CU_get_number_of_failures();
	if (CU_get_number_of_tests_run() == 0)
		failed++;
	CU_cleanup_registry();
	return suite != NULL && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define UNIT_MAIN(suite_name, cases) \
	int main(void) \
	{ \
		return unit_run((suite_name), (cases)); \
	}

#endif
