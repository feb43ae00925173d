/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program of many names: argv[0] or --role decides which main runs.
 */
int main(void)
{
	return 0;
}
