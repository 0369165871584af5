// SPDX-License-Identifier: GPL-2.0
/*
 * A live patch for the KLP_BENCH_COUNT functions of the module of that name, see
 * the Makefile. Tells when it was enabled.
 */

#include <linux/ktime.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/stringify.h>

static unsigned long start, end;
module_param(start, ulong, 0400);
MODULE_PARM_DESC(start, "when klp_enable_patch() was called, in ns");
module_param(end, ulong, 0400);
MODULE_PARM_DESC(end, "when it returned");

#define F(n)								\
	static noinline int patched_##n(int x)				\
	{								\
		return x - (n);						\
	}
KLP_BENCH_ALL
#undef F

#define F(n)	{ .old_name = "klp_bench_" #n, .new_func = patched_##n },
static struct klp_func funcs[] = {
	KLP_BENCH_ALL
	{ }
};

#undef F

static struct klp_object objs[] = {
	{
		.name = "klp_bench_target" __stringify(KLP_BENCH_COUNT),
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int klp_bench_patch_init(void)
{
	int ret;

	start = ktime_get_ns();
	ret = klp_enable_patch(&patch);
	end = ktime_get_ns();

	return ret;
}

static void klp_bench_patch_exit(void)
{
}

module_init(klp_bench_patch_init);
module_exit(klp_bench_patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch benchmark: a patch of many functions");
