/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TEST_FUNCTION_PLT_H
#define _TEST_FUNCTION_PLT_H

#include <linux/atomic.h>

/* Trampolines of direct calls in test_function_plt.c, and how often they ran */
void test_tramp1(void);
void test_tramp2(void);
extern atomic64_t test_count1, test_count2;

#endif
