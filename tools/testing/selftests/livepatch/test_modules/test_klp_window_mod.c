// SPDX-License-Identifier: GPL-2.0
/*
 * A task that is preempted on its way to a replacement function.
 *
 * Write to the parameter "go", and a thread calls test_klp_window_func(), which
 * calls itself once. A tracer of that function sees the first call, and wakes a
 * thread of a higher priority on the same CPU. That one gets the CPU when the
 * tracers enable preemption again: livepatch has chosen a version by then, and the
 * function has not been entered. It keeps the CPU until told to "release" it, or for
 * three seconds. Then "result" is the version that both calls have met, or -1 if
 * they were different.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "test_klp_window.h"

static DECLARE_WAIT_QUEUE_HEAD(wait);
static struct task_struct *caller, *hog;
static bool armed, woken;

static bool release;
module_param(release, bool, 0600);
MODULE_PARM_DESC(release, "let the caller go on");

static bool preempted;
module_param(preempted, bool, 0400);
MODULE_PARM_DESC(preempted, "the caller has lost its CPU");

static int result;
module_param(result, int, 0400);
MODULE_PARM_DESC(result, "version that both calls have met, 0: none yet, -1: not the same");

static int pid;
module_param(pid, int, 0400);
MODULE_PARM_DESC(pid, "the caller");

static int (*next)(int depth) = test_klp_window_func;

noinline __noclone int test_klp_window_func(int depth)
{
	if (!depth)
		return 1;
	return READ_ONCE(next)(depth - 1) == 1 ? 1 : -1;
}
EXPORT_SYMBOL_GPL(test_klp_window_func);

static void notrace tracer(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (current != caller || !armed)
		return;

	armed = false;
	woken = true;
	wake_up_process(hog);
}

static struct ftrace_ops ops = {
	.func = tracer,
};

static int hog_fn(void *unused)
{
	while (!kthread_should_stop()) {
		unsigned long end = jiffies + 3 * HZ;

		set_current_state(TASK_INTERRUPTIBLE);
		if (!woken) {
			if (!kthread_should_stop())
				schedule();
			__set_current_state(TASK_RUNNING);
			continue;
		}
		__set_current_state(TASK_RUNNING);

		woken = false;
		WRITE_ONCE(preempted, true);
		while (!READ_ONCE(release) && time_before(jiffies, end))
			cpu_relax();
		WRITE_ONCE(preempted, false);
	}
	return 0;
}

static int caller_fn(void *unused)
{
	int (*fn)(int depth) = READ_ONCE(next);

	for (;;) {
		wait_event_interruptible(wait, armed || kthread_should_stop());
		if (kthread_should_stop())
			return 0;
		WRITE_ONCE(result, fn(1));
	}
}

static int go_set(const char *val, const struct kernel_param *kp)
{
	release = false;
	result = 0;
	armed = true;
	wake_up(&wait);
	return 0;
}

static const struct kernel_param_ops go_ops = {
	.set = go_set,
};
module_param_cb(go, &go_ops, NULL, 0200);
MODULE_PARM_DESC(go, "let the caller call");

static int test_klp_window_init(void)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);
	int ret;

	hog = kthread_create_on_cpu(hog_fn, NULL, cpu, "klp-hog/%u");
	if (IS_ERR(hog))
		return PTR_ERR(hog);
	caller = kthread_create_on_cpu(caller_fn, NULL, cpu, "klp-caller/%u");
	if (IS_ERR(caller)) {
		ret = PTR_ERR(caller);
		goto stop_hog;
	}
	pid = caller->pid;

	ret = ftrace_set_filter_ip(&ops, (unsigned long)test_klp_window_func, 0, 0);
	if (!ret)
		ret = register_ftrace_function(&ops);
	if (ret)
		goto stop_caller;

	sched_set_fifo(hog);
	wake_up_process(hog);
	wake_up_process(caller);
	return 0;

stop_caller:
	ftrace_free_filter(&ops);
	kthread_stop(caller);
stop_hog:
	kthread_stop(hog);
	return ret;
}

static void test_klp_window_exit(void)
{
	release = true;
	kthread_stop(caller);
	kthread_stop(hog);
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(test_klp_window_init);
module_exit(test_klp_window_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: a task preempted on its way to a replacement");
