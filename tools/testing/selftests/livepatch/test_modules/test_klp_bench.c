// SPDX-License-Identifier: GPL-2.0

#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>

/*
 * What a call of jiffies64_to_nsecs() costs: a small function of the kernel that
 * test_klp_bench_patch replaces by the same function. Meant for an emulator
 * that lets the clock advance by 1 ns with each instruction.
 *
 * Write to the parameter "call" to measure, to "tracer" to attach or detach an
 * ops that does nothing, to "stall" to keep transitions from completing.
 */

#define CALLS	1000

static u64 (*target)(u64 j) = jiffies64_to_nsecs;
static char result[32];

static unsigned long measure(void)
{
	u64 (*fn)(u64 j) = READ_ONCE(target);
	unsigned long flags, i;
	u64 start, end;

	local_irq_save(flags);
	start = ktime_get_ns();
	for (i = 0; i < CALLS; i++) {
		fn(i);
		/* One loop, not unrolled */
		asm volatile("" ::: "memory");
	}
	end = ktime_get_ns();
	local_irq_restore(flags);

	return end - start;
}

static int call_get(char *buf, const struct kernel_param *kp)
{
	unsigned long best = ULONG_MAX;
	int i;

	/* The first round finds the caches cold, if there are any */
	for (i = 0; i < 5; i++)
		best = min(best, measure());

	snprintf(result, sizeof(result), "%lu.%03lu", best / CALLS, best % CALLS);
	return sysfs_emit(buf, "%s\n", result);
}

static const struct kernel_param_ops call_ops = {
	.get = call_get,
};
module_param_cb(call, &call_ops, NULL, 0400);
MODULE_PARM_DESC(call, "nanoseconds per call, the loop included");

static int now_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", ktime_get_ns());
}

static const struct kernel_param_ops now_ops = {
	.get = now_get,
};
module_param_cb(now, &now_ops, NULL, 0400);
MODULE_PARM_DESC(now, "the time in nanoseconds");

static void notrace nothing(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func = nothing,
};

static bool traced;

static int tracer_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret || on == traced)
		return ret;

	if (on) {
		ret = ftrace_set_filter_ip(&ops, (unsigned long)jiffies64_to_nsecs, 0, 1);
		if (!ret)
			ret = register_ftrace_function(&ops);
	} else {
		ret = unregister_ftrace_function(&ops);
	}
	if (!ret)
		traced = on;

	return ret;
}

static const struct kernel_param_ops tracer_ops = {
	.set = tracer_set,
	.get = param_get_bool,
};
module_param_cb(tracer, &tracer_ops, &traced, 0600);
MODULE_PARM_DESC(tracer, "trace the function");

static bool stall;
module_param(stall, bool, 0600);
MODULE_PARM_DESC(stall, "stay in a function that the patch replaces");

static noinline void bench_stall(void)
{
	while (READ_ONCE(stall) && !kthread_should_stop())
		msleep_interruptible(20);
}

static int bench_thread(void *unused)
{
	while (!kthread_should_stop()) {
		bench_stall();
		msleep_interruptible(20);
	}
	return 0;
}

static struct task_struct *task;

static int test_klp_bench_init(void)
{
	task = kthread_run(bench_thread, NULL, "klp-bench");
	return PTR_ERR_OR_ZERO(task);
}

static void test_klp_bench_exit(void)
{
	if (traced)
		unregister_ftrace_function(&ops);
	kthread_stop(task);
}

module_init(test_klp_bench_init);
module_exit(test_klp_bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: what a call costs");
