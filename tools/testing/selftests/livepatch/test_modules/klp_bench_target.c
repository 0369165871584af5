// SPDX-License-Identifier: GPL-2.0
/*
 * KLP_BENCH_COUNT functions to patch. The Makefile makes files that include this
 * one and define that, and KLP_BENCH_ALL: F(number) for each of them.
 */

#include <linux/module.h>

#define F(n)								\
	static noinline int klp_bench_##n(int x)			\
	{								\
		return x + (n);						\
	}
KLP_BENCH_ALL
#undef F

/* Nobody calls them, but they must not be dropped */
#define F(n)	klp_bench_##n,
static int (*functions[])(int) __used = { KLP_BENCH_ALL };
#undef F

static int klp_bench_target_init(void)
{
	return 0;
}

static void klp_bench_target_exit(void)
{
}

module_init(klp_bench_target_init);
module_exit(klp_bench_target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch benchmark: functions to patch");
