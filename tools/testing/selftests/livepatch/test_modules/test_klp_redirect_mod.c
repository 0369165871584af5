// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/stdarg.h>
#include <trace/events/power.h>

#include "test_klp_redirect.h"

/*
 * The functions that the redirect tests patch, version 1.
 *
 * Write a number to the parameter "expect": all of them are called and have to
 * be of that version, or the write fails. Each write to
 * /proc/test_klp_redirect runs one chain of calls; one that mixes versions
 * fails with EUCLEAN. The length of the write tells how: more than one byte to
 * sleep now and then, more than 1000 to stay in there while the parameter
 * "stall" is set.
 */

#define VERSION		1
#define FN(name)	redirect_##name
#define LINKAGE		static
#include "test_klp_redirect_funcs.h"

/* What is called in one way only must not be changed to fit that. */
static const void * const called_by_others[] __used = {
	redirect_none, redirect_eight, redirect_nine, redirect_twelve,
	redirect_big, redirect_variadic,
};

/* Calls itself by its symbol, so that a live patch is met at each level */
noinline __noclone int redirect_recursive(int depth)
{
	int ret;

	if (!depth)
		return KLP_REDIRECT_OK(VERSION, true);
	ret = redirect_recursive(depth - 1);
	return KLP_REDIRECT_OK(VERSION, ret == VERSION);
}
EXPORT_SYMBOL_GPL(redirect_recursive);

noinline __noclone int redirect_exported(long a, long b)
{
	return KLP_REDIRECT_OK(VERSION, a == 1 && b == 2);
}
EXPORT_SYMBOL_GPL(redirect_exported);

/*
 * Text and data are allocated one by one, so it takes text that is larger than
 * any gap that fillers of down to 1 MiB leave, see make_far().
 */
asm(".pushsection .text.padding, \"ax\"; .space 3 << 20; .popsection");

/* Freed once this module is initialized */
static noinline __used __init int redirect_early(void)
{
	return KLP_REDIRECT_OK(VERSION, true);
}

static int early;
module_param(early, int, 0400);
MODULE_PARM_DESC(early, "version of the function that was called at the start");

static int irq_version;

static void call_irq(void *data)
{
	irq_version = redirect_irq(data);
}

static int check(const char *name, int version, int expect)
{
	if (version == expect)
		return 0;
	pr_err("%s() is version %d, not %d\n", name, version, expect);
	return -EINVAL;
}

static int expect_set(const char *val, const struct kernel_param *kp)
{
	struct klp_redirect_chain chain = {
		.mid = redirect_mid,
		.leaf = redirect_leaf,
	};
	struct klp_redirect_big big = { .word = { 1, 2, 3, 4, 5, 6, 7, 8 } };
	struct klp_redirect_pair pair = { 7, 70 };
	int ret, cpu, expect;

	ret = kstrtoint(val, 0, &expect);
	if (ret)
		return ret;

	ret |= check("none", redirect_none(), expect);
	ret |= check("eight", redirect_eight(1, 2, 3, 4, 5, 6, 7, 8), expect);
	ret |= check("nine", redirect_nine(1, 2, 3, 4, 5, 6, 7, 8, 9), expect);
	ret |= check("twelve", redirect_twelve(1, 2, 3, 4, 5, 6, pair, 8, 9, 10,
					       11, 12), expect);
	ret |= check("big", redirect_big(big, 99).word[8], expect);
	ret |= check("variadic", redirect_variadic(12, 1L, 2L, 3L, 4L, 5L, 6L, 7L,
						   8L, 9L, 10L, 11L, 12L), expect);
	ret |= check("recursive", redirect_recursive(10), expect);
	ret |= check("exported", redirect_exported(1, 2), expect);
	ret |= check("leaf", redirect_leaf(&chain), expect);
	ret |= check("mid", redirect_mid(&chain), expect);
	ret |= check("first", redirect_first(&chain), expect);
	if (chain.mixed) {
		pr_err("%lu calls of another version\n", chain.mixed);
		ret = -EUCLEAN;
	}

	/* On the other CPUs the interrupt finds the idle task or a user task */
	for_each_online_cpu(cpu) {
		irq_version = 0;
		smp_call_function_single(cpu, call_irq, &chain, true);
		ret |= check("irq", irq_version, expect);
	}

	return ret ? -EINVAL : 0;
}

static const struct kernel_param_ops expect_ops = {
	.set = expect_set,
};
module_param_cb(expect, &expect_ops, NULL, 0200);
MODULE_PARM_DESC(expect, "Call all functions and check their version");

/* What the idle tasks have found since they were asked */
static int idle_version;

static void call_idle(void *data, unsigned int state, unsigned int cpu)
{
	int version;

	/* On the way out of idle, with interrupts that may come */
	if (state == PWR_EVENT_EXIT)
		return;

	version = redirect_idle(state, cpu);
	if (READ_ONCE(idle_version) != -1)
		WRITE_ONCE(idle_version, version);
}

static int expect_idle_set(const char *val, const struct kernel_param *kp)
{
	int ret, expect, i;

	ret = kstrtoint(val, 0, &expect);
	if (ret)
		return ret;

	WRITE_ONCE(idle_version, 0);
	for (i = 0; i < 100 && !READ_ONCE(idle_version); i++)
		msleep(50);

	return check("idle", READ_ONCE(idle_version), expect);
}

static const struct kernel_param_ops expect_idle_ops = {
	.set = expect_idle_set,
};
module_param_cb(expect_idle, &expect_idle_ops, NULL, 0200);
MODULE_PARM_DESC(expect_idle, "Wait until a CPU is idle and check the version there");

static bool stall;
module_param(stall, bool, 0600);
MODULE_PARM_DESC(stall, "let long writes stay in the first function");

static ssize_t chain_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	struct klp_redirect_chain chain = {
		.mid = redirect_mid,
		.leaf = redirect_leaf,
		.nap = len > 1,
		.stall = len > 1000 ? &stall : NULL,
	};

	redirect_first(&chain);
	return chain.mixed ? -EUCLEAN : len;
}

static const struct proc_ops chain_proc_ops = {
	.proc_write = chain_write,
};

static int __init test_klp_redirect_mod_init(void)
{
	int ret;

	early = redirect_early();

	ret = register_trace_cpu_idle(call_idle, NULL);
	if (ret)
		return ret;

	if (!proc_create("test_klp_redirect", 0200, NULL, &chain_proc_ops)) {
		unregister_trace_cpu_idle(call_idle, NULL);
		tracepoint_synchronize_unregister();
		return -ENOMEM;
	}
	return 0;
}

static void test_klp_redirect_mod_exit(void)
{
	remove_proc_entry("test_klp_redirect", NULL);
	unregister_trace_cpu_idle(call_idle, NULL);
	tracepoint_synchronize_unregister();
}

module_init(test_klp_redirect_mod_init);
module_exit(test_klp_redirect_mod_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: functions to be redirected");
