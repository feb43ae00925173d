/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tools that do not compile here.  The build puts this file in front of every source file (-include).
 * Use pr_text_*, snprintf, strtok_r-free parsing with pr_str_next, the _r forms of the time functions.
 */
#ifndef SDK_LIB_BANNED_H
#define SDK_LIB_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat strncat sprintf vsprintf gets strtok gmtime localtime ctime asctime tmpnam mktemp popen atoi atol

#endif
