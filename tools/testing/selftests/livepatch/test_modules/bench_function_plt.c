// SPDX-License-Identifier: GPL-2.0
/*
 * What a call costs, counted in instructions.
 *
 * Under "qemu -icount shift=0 -smp 1" each instruction takes 1 ns of the
 * guest's time, so the time per call is the number of instructions per call.
 * One line per result:
 *
 *   BENCH <what> <near|far> <instructions per call>
 */

#define pr_fmt(fmt) fmt

#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>

#define CALLS	100000

static unsigned long tramp;
module_param(tramp, ulong, 0444);
MODULE_PARM_DESC(tramp, "address of ftrace_stub_direct_tramp in the kernel");

static noinline void callee(void)
{
	asm volatile("");
}

static noinline notrace void callee_notrace(void)
{
	asm volatile("");
}

static notrace void tracer(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static const char *where(unsigned long a, unsigned long b)
{
	long d = a - b;

	return d >= -(long)SZ_128M && d < SZ_128M ? "near" : "far";
}

/* Inline, so that each func is called by a BL of its own */
static __always_inline void bench(const char *what, const char *place,
				  void (*func)(void))
{
	unsigned long flags, i;
	u64 start, ns;

	local_irq_save(flags);
	func();
	start = ktime_get_mono_fast_ns();
	for (i = 0; i < CALLS; i++)
		func();
	ns = ktime_get_mono_fast_ns() - start;
	local_irq_restore(flags);
	pr_info("BENCH %s %s %llu\n", what, place,
		div_u64(ns + CALLS / 2, CALLS));
}

static int bench_direct(const char *place)
{
	static struct ftrace_ops ops;
	int ret;

	ret = ftrace_set_filter_ip(&ops, (unsigned long)callee, 0, 0);
	if (ret)
		return ret;
	ret = register_ftrace_direct(&ops, tramp);
	if (ret)
		return ret;
	bench("callee_direct", place, callee);
	return unregister_ftrace_direct(&ops, tramp, true);
}

static int bench_traced(const char *place)
{
	static struct ftrace_ops ops = { .func = tracer };
	int ret;

	ret = ftrace_set_filter_ip(&ops, (unsigned long)callee, 0, 0);
	if (ret)
		return ret;
	ret = register_ftrace_function(&ops);
	if (ret)
		return ret;
	bench("callee_traced", place, callee);
	ret = unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
	return ret;
}

static int __init bench_init(void)
{
	const char *place = where((unsigned long)callee, tramp);
	int ret;

	bench("callee_notrace", place, callee_notrace);
	bench("callee_untraced", place, callee);
	ret = bench_traced(place);
	if (!ret)
		ret = bench_direct(place);
	bench("callee_untraced_again", place, callee);
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmark of calls to patched functions");
MODULE_LICENSE("GPL");
