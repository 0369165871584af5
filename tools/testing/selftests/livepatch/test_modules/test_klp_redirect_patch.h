/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A live patch with VERSION of all functions of test_klp_redirect_mod, of one of
 * test_klp_redirect_hold, and of one of the kernel. REPLACE makes it replace all
 * others.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/stdarg.h>

#include "test_klp_redirect.h"

/*
 * Global, because compilers leave landing pads out of static functions that
 * they think are called directly only. A far branch needs one.
 */
#define FN(name)	patched_##name
#define LINKAGE
#include "test_klp_redirect_protos.h"
#include "test_klp_redirect_funcs.h"

/* The levels below are those of the module: through its patch site again */
static int (*recursive)(int depth);

noinline __noclone int patched_recursive(int depth)
{
	int ret;

	if (!depth)
		return VERSION;
	if (!recursive)
		return -1;
	ret = recursive(depth - 1);
	barrier();
	return ret == VERSION ? VERSION : -1;
}

noinline __noclone int patched_exported(long a, long b)
{
	return KLP_REDIRECT_OK(VERSION, a == 1 && b == 2);
}

static unsigned int version = VERSION;

noinline __noclone int patched_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s: version %u\n", THIS_MODULE->name, version);
	return 0;
}

noinline __noclone void patched_hold(bool *on)
{
	while (READ_ONCE(*on) && !kthread_should_stop())
		msleep_interruptible(20);
}

#define FUNC(name)	{ .old_name = "redirect_" #name, .new_func = patched_##name }

static struct klp_func mod_funcs[] = {
	FUNC(none),
	FUNC(eight),
	FUNC(nine),
	FUNC(twelve),
	FUNC(big),
	FUNC(variadic),
	FUNC(recursive),
	FUNC(exported),
	FUNC(irq),
	FUNC(idle),
	FUNC(leaf),
	FUNC(mid),
	FUNC(first),
	{ }
};

static struct klp_func hold_funcs[] = {
	FUNC(hold),
	{ }
};

static struct klp_func vmlinux_funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = patched_cmdline_proc_show,
	}, { }
};

/* The address of a function that the patch is not linked to */
static int pre_patch(struct klp_object *obj)
{
	recursive = mod_funcs[6].old_func;
	return 0;
}

static struct klp_object objs[] = {
	{
		.name = "test_klp_redirect_mod",
		.funcs = mod_funcs,
		.callbacks.pre_patch = pre_patch,
	}, {
		.name = "test_klp_redirect_hold",
		.funcs = hold_funcs,
	}, {
		/* name being NULL means vmlinux */
		.funcs = vmlinux_funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = REPLACE,
};

static int patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: replacements that are branched to");
