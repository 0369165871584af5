// SPDX-License-Identifier: GPL-2.0

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

/*
 * A task that never sleeps: no transition completes, for its stack cannot be
 * looked at, and a grace period of RCU-tasks has to wait for it.
 */
static struct task_struct *spinner;

static int spin(void *unused)
{
	while (!kthread_should_stop())
		cpu_relax();
	return 0;
}

static int test_klp_redirect_spin_init(void)
{
	spinner = kthread_run(spin, NULL, "klp-spin");
	return PTR_ERR_OR_ZERO(spinner);
}

static void test_klp_redirect_spin_exit(void)
{
	kthread_stop(spinner);
}

module_init(test_klp_redirect_spin_init);
module_exit(test_klp_redirect_spin_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: a task that never sleeps");
