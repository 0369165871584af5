// SPDX-License-Identifier: GPL-2.0

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

/*
 * A replacement that no function can branch to. Livepatch takes it, for it has
 * a symbol. Nobody must call the function that it replaces.
 *
 * Or a good one, for that one function only: with "replace" all others that
 * were patched get a nop for the time of the transition.
 */

static char how[16] = "data";
module_param_string(how, how, sizeof(how), 0400);
MODULE_PARM_DESC(how, "data, init (text that is freed), misaligned, or good");

static bool replace;
module_param(replace, bool, 0400);
MODULE_PARM_DESC(replace, "replace all other patches");

static int data[4] = { 1, 2, 3, 4 };

static noinline __init int init_text(void)
{
	return data[0];
}

int patched_none(void);
noinline int patched_none(void)
{
	return data[1];
}

static struct klp_func funcs[] = {
	{
		.old_name = "redirect_none",
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

static int __init test_klp_redirect_bad_init(void)
{
	if (!strcmp(how, "data"))
		funcs[0].new_func = data;
	else if (!strcmp(how, "init"))
		funcs[0].new_func = init_text;
	else if (!strcmp(how, "misaligned"))
		funcs[0].new_func = (void *)patched_none + 2;
	else if (!strcmp(how, "good"))
		funcs[0].new_func = patched_none;
	else
		return -EINVAL;

	patch.replace = replace;
	return klp_enable_patch(&patch);
}

static void test_klp_redirect_bad_exit(void)
{
}

module_init(test_klp_redirect_bad_init);
module_exit(test_klp_redirect_bad_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: a replacement of one function, mostly a bad one");
