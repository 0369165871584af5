// SPDX-License-Identifier: GPL-2.0

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

/*
 * A task that sleeps in a patched function as long as it is told to: transitions
 * of the patch do not complete, while grace periods of RCU-tasks do.
 */
static bool hold;
module_param(hold, bool, 0600);
MODULE_PARM_DESC(hold, "stay in the function");

static noinline __noclone void redirect_hold(bool *on)
{
	while (READ_ONCE(*on) && !kthread_should_stop())
		msleep_interruptible(20);
}

static int holder(void *unused)
{
	while (!kthread_should_stop()) {
		redirect_hold(&hold);
		msleep_interruptible(20);
	}
	return 0;
}

static struct task_struct *task;

static int test_klp_redirect_hold_init(void)
{
	task = kthread_run(holder, NULL, "klp-hold");
	return PTR_ERR_OR_ZERO(task);
}

static void test_klp_redirect_hold_exit(void)
{
	kthread_stop(task);
}

module_init(test_klp_redirect_hold_init);
module_exit(test_klp_redirect_hold_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: a task that stays in a patched function");
