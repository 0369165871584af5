// SPDX-License-Identifier: GPL-2.0
/*
 * What a call costs with a tracer on the function.
 *
 * Loading the module prints one line for each kind of tracer:
 *
 *	BENCH <name> near|far <value>
 *
 * The value is the time of a call in nanoseconds, less that of a call without
 * a tracer, except for "call" itself, which is the latter. It is "n/a" if the
 * kernel has no such tracer. With qemu-system-aarch64 -icount shift=0 -smp 1
 * a nanosecond is an instruction, and the values are exact.
 *
 * "near" means that the module is within reach of a branch from the kernel,
 * "far" that it is not.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sizes.h>

#define CALLS	8192
#define ROUNDS	5

static s64 base_ns;
static const char *where;

static noinline void tracee(void)
{
	barrier();
}

/* The shortest of some rounds, in thousandths of a nanosecond per call */
static s64 measure(void)
{
	s64 best = S64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		unsigned long flags;
		u64 start, end;

		local_irq_save(flags);
		start = ktime_get_mono_fast_ns();
		for (int i = 0; i < CALLS; i++)
			tracee();
		end = ktime_get_mono_fast_ns();
		local_irq_restore(flags);

		best = min_t(s64, best, end - start);
	}

	return div_s64(best * 1000, CALLS);
}

static void bench(const char *name, int err)
{
	if (err)
		pr_info("BENCH %s %s n/a\n", name, where);
	else
		pr_info("BENCH %s %s %lld\n", name, where,
			div_s64(measure() - base_ns + 500, 1000));
}

static void notrace nop_tracer(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *op, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops args_ops = { .func = nop_tracer };
static struct ftrace_ops args_ops2 = { .func = nop_tracer };
static struct ftrace_ops regs_ops = {
	.func = nop_tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
};

static int trace(struct ftrace_ops *ops)
{
	int ret;

	ret = ftrace_set_filter_ip(ops, (unsigned long)tracee, 0, 0);

	return ret ?: register_ftrace_function(ops);
}

static void untrace(struct ftrace_ops *ops)
{
	if (ops->flags & FTRACE_OPS_FL_ENABLED)
		unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

static void bench_ops(void)
{
	int ret;

	bench("args_tracer", trace(&args_ops));
	bench("two_args_tracers", trace(&args_ops2));
	untrace(&args_ops2);
	ret = trace(&regs_ops);
	bench("args_and_regs_tracer", ret);
	untrace(&args_ops);
	bench("regs_tracer", ret);
	untrace(&regs_ops);
}

static int __kprobes nop_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static void __kprobes nop_post_handler(struct kprobe *p, struct pt_regs *regs,
				       unsigned long flags)
{
}

static int __kprobes nop_ret_handler(struct kretprobe_instance *ri,
				     struct pt_regs *regs)
{
	return 0;
}

static struct kprobe kp = {
	.addr = (kprobe_opcode_t *)tracee,
	.pre_handler = nop_pre_handler,
};

static struct kprobe kp_post = {
	.addr = (kprobe_opcode_t *)tracee,
	.pre_handler = nop_pre_handler,
	.post_handler = nop_post_handler,
};

static struct kretprobe rp = {
	.kp.addr = (kprobe_opcode_t *)tracee,
	.handler = nop_ret_handler,
	.maxactive = 4,
};

static void bench_kprobes(void)
{
	int ret;

	ret = register_kprobe(&kp);
	bench("kprobe", ret);
	if (!ret) {
		ret = trace(&args_ops);
		bench("kprobe_and_args_tracer", ret);
		untrace(&args_ops);
		unregister_kprobe(&kp);
	}

	ret = register_kprobe(&kp_post);
	bench("kprobe_post", ret);
	if (!ret)
		unregister_kprobe(&kp_post);

	ret = register_kretprobe(&rp);
	bench("kretprobe", ret);
	if (!ret)
		unregister_kretprobe(&rp);
}

#ifdef CONFIG_FPROBE
static int nop_fprobe_entry(struct fprobe *fp, unsigned long entry_ip,
			    unsigned long ret_ip, struct ftrace_regs *regs,
			    void *entry_data)
{
	return 0;
}

static void nop_fprobe_exit(struct fprobe *fp, unsigned long entry_ip,
			    unsigned long ret_ip, struct ftrace_regs *regs,
			    void *entry_data)
{
}

static struct fprobe fp_entry = { .entry_handler = nop_fprobe_entry };
static struct fprobe fp_exit = { .exit_handler = nop_fprobe_exit };

static void bench_fprobe(struct fprobe *fp, const char *name)
{
	unsigned long addr = (unsigned long)tracee;
	int ret = register_fprobe_ips(fp, &addr, 1);

	bench(name, ret);
	if (!ret)
		unregister_fprobe(fp);
}

static void bench_fprobes(void)
{
	bench_fprobe(&fp_entry, "fprobe_entry");
	bench_fprobe(&fp_exit, "fprobe_exit");
}
#else
static void bench_fprobes(void) { }
#endif

#if defined(CONFIG_ARM64) && defined(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)
void test_ftrace_bench_direct(void);

asm("	.pushsection	.text, \"ax\", @progbits\n"
"	.type		test_ftrace_bench_direct, @function\n"
"test_ftrace_bench_direct:\n"
"	hint	34\n"			/* BTI C */
"	mov	x10, x30\n"
"	mov	x30, x9\n"
"	ret	x10\n"
"	.size		test_ftrace_bench_direct, .-test_ftrace_bench_direct\n"
"	.popsection\n");

static struct ftrace_ops direct_ops;

static void bench_direct(void)
{
	unsigned long tramp = (unsigned long)test_ftrace_bench_direct;
	int ret;

	ftrace_set_filter_ip(&direct_ops, (unsigned long)tracee, 0, 0);
	ret = register_ftrace_direct(&direct_ops, tramp);
	bench("direct", ret);
	if (!ret) {
		ret = trace(&args_ops);
		bench("direct_and_args_tracer", ret);
		untrace(&args_ops);
		unregister_ftrace_direct(&direct_ops, tramp, true);
	}
}
#else
static void bench_direct(void) { }
#endif

static int __init test_ftrace_bench_init(void)
{
	long distance = (long)tracee - (long)&_printk;

	where = distance >= SZ_128M || distance < -SZ_128M ? "far" : "near";

	bench("call", 0);
	base_ns = measure();
	bench_ops();
	bench_kprobes();
	bench_fprobes();
	bench_direct();

	return 0;
}

static void __exit test_ftrace_bench_exit(void)
{
}

module_init(test_ftrace_bench_init);
module_exit(test_ftrace_bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What a call costs with a tracer on the function");
