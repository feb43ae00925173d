/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A shared object without a descriptor.
 */
extern int bad_symbol_is_no_module;

int bad_symbol_is_no_module = 1;
