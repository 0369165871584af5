// SPDX-License-Identifier: GPL-2.0

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

/* See test_klp_bench.c. Global, so that compilers emit landing pads. */
u64 patched_jiffies64_to_nsecs(u64 j);
noinline u64 patched_jiffies64_to_nsecs(u64 j)
{
	return (NSEC_PER_SEC / HZ) * j;
}

static void patched_bench_stall(void)
{
}

static struct klp_func vmlinux_funcs[] = {
	{
		.old_name = "jiffies64_to_nsecs",
		.new_func = patched_jiffies64_to_nsecs,
	}, { }
};

static struct klp_func mod_funcs[] = {
	{
		.old_name = "bench_stall",
		.new_func = patched_bench_stall,
	}, { }
};

static struct klp_object objs[] = {
	{
		.funcs = vmlinux_funcs,
	}, {
		.name = "test_klp_bench",
		.funcs = mod_funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int test_klp_bench_patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void test_klp_bench_patch_exit(void)
{
}

module_init(test_klp_bench_patch_init);
module_exit(test_klp_bench_patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: a function to measure the cost of");
