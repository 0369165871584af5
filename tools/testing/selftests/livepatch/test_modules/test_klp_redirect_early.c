// SPDX-License-Identifier: GPL-2.0

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

/* Patches a function of the target that is freed when the target has started. */

int patched_early(void);
noinline int patched_early(void)
{
	return 2;
}

static struct klp_func funcs[] = {
	{
		.old_name = "redirect_early",
		.new_func = patched_early,
	}, { }
};

static struct klp_object objs[] = {
	{
		.name = "test_klp_redirect_mod",
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int test_klp_redirect_early_init(void)
{
	return klp_enable_patch(&patch);
}

static void test_klp_redirect_early_exit(void)
{
}

module_init(test_klp_redirect_early_init);
module_exit(test_klp_redirect_early_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: replacement of an __init function");
