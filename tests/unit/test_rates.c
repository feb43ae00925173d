/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections of a client within the window: counted, forgotten in time, never more memory than promised.
 */
#include "kernel/session/rates.h"
#include "tests/unit/unit.h"

static uint32_t enter(struct rates *rates, const char *address, int64_t now, uint32_t *all)
{
	uint32_t own = 0, sum = 0;

	rates_enter(rates, pr_str(address), now, &own, &sum);
	if (all != NULL)
		*all = sum;
	return own;
}

static void test_counts(void)
{
	struct rates rates;
	uint32_t all = 0;

	rates_init(&rates, 60);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 1000, &all), 1);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 1000, &all), 2);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.2", 1010, &all), 1);
	CU_ASSERT_EQUAL(all, 3);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 1030, &all), 3);
	CU_ASSERT_EQUAL(all, 4);
	rates_fini(&rates);
}

static void test_window(void)
{
	struct rates rates;
	uint32_t all = 0;

	rates_init(&rates, 60);
	for (int i = 0; i < 5; i++)
		(void)enter(&rates, "192.0.2.1", 1000, NULL);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 1040, &all), 6);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 1062, &all), 2); /* the five are gone */
	CU_ASSERT_EQUAL(all, 2);
	CU_ASSERT_EQUAL(enter(&rates, "192.0.2.1", 5000, &all), 1);
	CU_ASSERT_EQUAL(all, 1);
	rates_fini(&rates);
}

static void test_bounded(void)
{
	struct rates rates;
	char address[32];

	rates_init(&rates, 60);
	for (unsigned int i = 0; i < RATES_MOST + 1000; i++) {
		pr_print(address, sizeof address, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		CU_ASSERT_EQUAL_FATAL(enter(&rates, address, 1000, NULL), 1);
	}
	CU_ASSERT_EQUAL(rates.entries, RATES_MOST);
	CU_ASSERT_EQUAL(enter(&rates, "10.1.2.3", 1000, NULL), 1); /* no room: as new each time */
	CU_ASSERT_EQUAL(enter(&rates, "10.0.0.1", 1000, NULL), 2);
	for (unsigned int i = 0; i < RATES_MOST; i++) {
		pr_print(address, sizeof address, "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		(void)enter(&rates, address, 2000, NULL);
	}
	CU_ASSERT_EQUAL(rates.entries, RATES_MOST); /* the old ones made room */
	CU_ASSERT_EQUAL(enter(&rates, "11.0.0.1", 2000, NULL), 2);
	rates_fini(&rates);
}

static const struct unit_case cases[] = {
    {"counted", test_counts},
    {"only within the window", test_window},
    {"bounded", test_bounded},
    {NULL, NULL},
};

UNIT_MAIN("connection rates", cases)
