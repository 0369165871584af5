// SPDX-License-Identifier: GPL-2.0
/*
 * A task that is preempted on its way to a replacement function, or back to one.
 *
 * Write to the parameter "go", and a thread calls test_klp_window_func(), which
 * calls itself once. A tracer of that function sees the first call, and wakes a
 * thread of a higher priority on the same CPU. That one gets the CPU when the
 * tracers enable preemption again: livepatch has chosen a version by then, and the
 * function has not been entered. It keeps the CPU until told to "release" it, or for
 * three seconds. Then "result" is the version that both calls have met, or -1 if
 * they were different.
 *
 * With "at_exit", the tracer sees the second call return instead. The function
 * that it returns to has been entered, and has not been left.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/fprobe.h>
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

static bool at_exit;
module_param(at_exit, bool, 0400);
MODULE_PARM_DESC(at_exit, "the tracer traces returns");

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

static void notrace wake_hog(void)
{
	if (current != caller || !armed)
		return;

	armed = false;
	woken = true;
	wake_up_process(hog);
}

static void notrace tracer(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	wake_hog();
}

static struct ftrace_ops ops = {
	.func = tracer,
};

#ifdef CONFIG_FPROBE
static void notrace exit_tracer(struct fprobe *fp, unsigned long entry_ip,
				unsigned long ret_ip, struct ftrace_regs *fregs,
				void *entry_data)
{
	wake_hog();
}

static struct fprobe exit_probe = {
	.exit_handler = exit_tracer,
};

static int register_exit(void)
{
	return register_fprobe(&exit_probe, "test_klp_window_func", NULL);
}

static void unregister_exit(void)
{
	unregister_fprobe(&exit_probe);
}
#else
static int register_exit(void)
{
	return -EOPNOTSUPP;
}

static void unregister_exit(void)
{
}
#endif

static int register_tracer(void)
{
	int ret;

	if (at_exit)
		return register_exit();

	ret = ftrace_set_filter_ip(&ops, (unsigned long)test_klp_window_func, 0, 0);
	if (!ret)
		ret = register_ftrace_function(&ops);
	if (ret)
		ftrace_free_filter(&ops);
	return ret;
}

static void unregister_tracer(void)
{
	if (at_exit) {
		unregister_exit();
		return;
	}
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

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

	ret = register_tracer();
	if (ret)
		goto stop_caller;

	sched_set_fifo(hog);
	wake_up_process(hog);
	wake_up_process(caller);
	return 0;

stop_caller:
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
	unregister_tracer();
}

module_init(test_klp_window_init);
module_exit(test_klp_window_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: a task preempted on its way to a replacement");
