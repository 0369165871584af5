// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replace functions of test_unwind. Their names tell it what they replace.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static volatile int one = 1;

static noinline __noclone int livepatch_unwind_callee(int a)
{
	return a - one;
}

static noinline __noclone int livepatch_unwind_nonleaf(int a)
{
	return livepatch_unwind_callee(a) + livepatch_unwind_callee(one) * 2;
}

static int livepatch_unwind_leaf(int a)
{
	return a * 5 + one;
}

static struct klp_func funcs[] = {
	{ .old_name = "unwind_leaf", .new_func = livepatch_unwind_leaf },
	{ .old_name = "unwind_nonleaf", .new_func = livepatch_unwind_nonleaf },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "test_unwind", .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init test_unwind_patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit test_unwind_patch_exit(void)
{
}

module_init(test_unwind_patch_init);
module_exit(test_unwind_patch_exit);
MODULE_DESCRIPTION("Replace functions of test_unwind");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
