// SPDX-License-Identifier: GPL-2.0

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#include "test_klp_window.h"

static int (*next)(int depth) = test_klp_window_func;

/* Version 2, see test_klp_window_mod.c */
static noinline int patched_window_func(int depth)
{
	if (!depth)
		return 2;
	return READ_ONCE(next)(depth - 1) == 2 ? 2 : -1;
}

static struct klp_func funcs[] = {
	{
		.old_name = "test_klp_window_func",
		.new_func = patched_window_func,
	}, { }
};

static struct klp_object objs[] = {
	{
		.name = "test_klp_window_mod",
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int test_klp_window_patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void test_klp_window_patch_exit(void)
{
}

module_init(test_klp_window_patch_init);
module_exit(test_klp_window_patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: version 2 of a function");
