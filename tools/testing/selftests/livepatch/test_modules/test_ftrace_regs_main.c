// SPDX-License-Identifier: GPL-2.0
/*
 * Every register at a patch site: what a tracer sees and what it can change,
 * and kprobes that are made of that.
 *
 * Loading the module runs the tests. It fails with -EINVAL if one of them does;
 * the kernel log has the results as KTAP lines.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <asm/function-plt.h>
#include <asm/insn.h>
#include <asm/patchable-entry.h>
#include <asm/ptrace.h>
#include <asm/virt.h>

#include "test_ftrace_regs.h"

#define ALT_STACK_SIZE	SZ_16K
#define NZCV_MASK	(PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT)
#define RESULT		0x0123456789abcdefUL
#define SITE_OFFSET	((IS_ENABLED(CONFIG_ARM64_BTI_KERNEL) ? 2 : 1) * \
			 AARCH64_INSN_SIZE)

/* From kallsyms: pairs of a start and an end, and a function further on */
static unsigned long refused[64];
static unsigned int nr_refused;
module_param_array(refused, ulong, &nr_refused, 0);
static unsigned long kernel_func;
module_param(kernel_func, ulong, 0);

u64 test_regs_direct_calls;

static struct test_regs in, out, entry;
static int entered;
static void *alt_stack;

static struct {
	int calls;
	int null;
	unsigned long ip;
	struct pt_regs regs;
	u64 stack[NR_STACK_ARGS];
	bool accessors;
	bool irqs_disabled;
} seen;

static char site_name[KSYM_NAME_LEN], caller_name[KSYM_NAME_LEN];
static bool want_trace, trace_bad;

/* What the tracer does with the registers */
static bool change_gprs, change_pc, change_sp;

static unsigned int nr, failed;

void test_regs_report(bool bad, const char *name)
{
	nr++;
	if (bad)
		failed++;
	pr_info("%sok %u %s\n", bad ? "not " : "", nr, name);
}

void test_regs_skip(const char *name, const char *why)
{
	nr++;
	pr_info("ok %u %s # SKIP %s\n", nr, name, why);
}

static bool is_far(unsigned long addr)
{
	return abs((long)addr - (long)&_printk) >= SZ_128M;
}

static u64 pattern(unsigned int i, u64 seed)
{
	return (i + 1) * 0x0101010101010101UL ^ seed;
}

/* x16 is lost where a PLT entry leads to the tracer, and on the way back */
static bool is_free(unsigned int i)
{
	return i == 16 || (IS_ENABLED(CONFIG_SHADOW_CALL_STACK) && i == 18);
}

static u64 record_entry(struct test_regs *regs, int which)
{
	memcpy(&entry, regs, offsetof(struct test_regs, nzcv));
	memcpy(entry.stack, (void *)regs->sp, sizeof(entry.stack));
	entered = which;

	return RESULT;
}

u64 test_regs_entry(struct test_regs *regs)
{
	return record_entry(regs, 1);
}

u64 test_regs_entry2(struct test_regs *regs)
{
	return record_entry(regs, 2);
}

static bool accessors_agree(struct ftrace_regs *fregs, struct pt_regs *regs)
{
	struct pt_regs partial;
	bool ok = true;

	for (int i = 0; i < 8; i++)
		ok &= ftrace_regs_get_argument(fregs, i) == regs->regs[i];

	ok &= ftrace_regs_get_instruction_pointer(fregs) == regs->pc;
	ok &= ftrace_regs_get_stack_pointer(fregs) == regs->sp;
	ok &= ftrace_regs_get_frame_pointer(fregs) == regs->regs[29];
	ok &= ftrace_regs_get_return_address(fregs) == regs->regs[30];
	ok &= ftrace_regs_get_return_value(fregs) == regs->regs[0];

	ftrace_partial_regs(fregs, &partial);
	ok &= partial.regs[8] == regs->regs[8] && partial.pc == regs->pc;

	return ok;
}

static void notrace tracer(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);

	seen.calls++;
	seen.ip = ip;
	if (!regs) {
		seen.null++;
		return;
	}

	if (want_trace)
		trace_bad |= test_regs_trace_is_bad(site_name, caller_name);

	seen.regs = *regs;
	seen.accessors = accessors_agree(fregs, regs);
	seen.irqs_disabled = irqs_disabled();
	memcpy(seen.stack, (void *)regs->sp, sizeof(seen.stack));

	if (change_gprs) {
		for (int i = 0; i < NR_GPRS - 1; i++) {
			if (!is_free(i))
				regs->regs[i] = pattern(i, ~0UL);
		}
		regs->regs[30] = (u64)test_regs_return2;
	}

	if (change_sp) {
		regs->sp = (u64)alt_stack + ALT_STACK_SIZE / 2;
		for (int i = 0; i < NR_STACK_ARGS; i++)
			((u64 *)regs->sp)[i] = pattern(i, 0x5a5a5a5a5a5a5a5aUL);
	}

	if (change_pc)
		regs->pc = (u64)test_regs_callee2;
}

static struct ftrace_ops regs_ops = {
	.func = tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
};

static struct ftrace_ops maybe_ops = {
	.func = tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS_IF_SUPPORTED,
};

static struct ftrace_ops args_ops = {
	.func = tracer,
};

static struct ftrace_ops direct_ops;

/* The address of a global function, 0 if there is none */
unsigned long test_regs_lookup(const char *name)
{
	struct kprobe kp = { .symbol_name = name };
	bool registered = !register_kprobe(&kp);
	unsigned long addr = (unsigned long)kp.addr;

	/* Both are known even if it may not be probed */
	if (addr && kprobe_ftrace(&kp))
		addr -= SITE_OFFSET;
	if (registered)
		unregister_kprobe(&kp);

	return addr;
}

int test_regs_trace(struct ftrace_ops *ops, void *func)
{
	int ret;

	ret = ftrace_set_filter_ip(ops, (unsigned long)func, 0, 0);
	if (ret)
		return ret;

	ret = register_ftrace_function(ops);
	if (ret)
		ftrace_set_filter_ip(ops, (unsigned long)func, 1, 0);

	return ret;
}

void test_regs_untrace(struct ftrace_ops *ops, void *func)
{
	unregister_ftrace_function(ops);
	ftrace_set_filter_ip(ops, (unsigned long)func, 1, 0);
}

static u64 call(void)
{
	unsigned long flags;
	u64 ret;

	for (int i = 0; i < NR_GPRS; i++)
		in.x[i] = pattern(i, 0);
	for (int i = 0; i < NR_STACK_ARGS; i++)
		in.stack[i] = pattern(i, 0x1234567800000000UL);
	in.nzcv = PSR_Z_BIT | PSR_V_BIT;

	memset(&seen, 0, sizeof(seen));
	memset(&entry, 0, sizeof(entry));
	entered = 0;

	/* Nobody should look at this stack while x29 holds a pattern */
	local_irq_save(flags);
	ret = test_regs_call(&in, &out);
	local_irq_restore(flags);

	return ret;
}

/* What the tracer has seen is what the caller has put there */
static bool seen_is_bad(void)
{
	bool far = is_far((unsigned long)test_regs_callee);
	unsigned long mode, masks;
	bool bad = false;

	for (int i = 0; i < 29; i++) {
		u64 want = in.x[i];

		if (i == 9)			/* MOV X9, LR */
			want = out.x[30];
		else if (i == 16 && far)	/* the module's PLT entry */
			continue;
		else if (i == 18 && IS_ENABLED(CONFIG_SHADOW_CALL_STACK))
			want = out.x[18];

		if (!check(seen.regs.regs[i] == want))
			pr_info("# x%d is %llx\n", i, seen.regs.regs[i]);
	}

	check(seen.regs.regs[29] == in.x[29]);
	check(seen.regs.regs[30] == out.x[30]);
	check(seen.regs.sp == out.sp);
	check(seen.ip == (unsigned long)test_regs_callee + SITE_OFFSET);
	check(seen.regs.pc == seen.ip + AARCH64_INSN_SIZE);
	check(!memcmp(seen.stack, in.stack, sizeof(seen.stack)));
	check(seen.accessors);

	mode = is_kernel_in_hyp_mode() ? PSR_MODE_EL2h : PSR_MODE_EL1h;
	masks = PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
	check((seen.regs.pstate & PSR_MODE_MASK) == mode);
	check((seen.regs.pstate & NZCV_MASK) == in.nzcv);
	check((seen.regs.pstate & ~(PSR_MODE_MASK | NZCV_MASK | masks)) == 0);
	check(seen.irqs_disabled && !interrupts_enabled(&seen.regs));
	check(!user_mode(&seen.regs));
	check(!in_syscall(&seen.regs));
	check(seen.regs.stackframe.record.fp == 0);
	check(seen.regs.stackframe.record.lr == 0);
	check(seen.regs.stackframe.type == 0);

	return bad;
}

/* What the function has got is what the tracer has left */
static bool entry_is_bad(bool direct)
{
	bool bad = false;

	for (int i = 0; i < NR_GPRS; i++) {
		u64 want = seen.regs.regs[i];

		if (change_gprs && !is_free(i))
			want = i == 30 ? (u64)test_regs_return2 : pattern(i, ~0UL);

		if (i == 16)
			continue;
		/* With a new SP, or by the conventions of direct calls */
		if (i == 17 && (change_sp || direct))
			continue;
		if (direct && i >= 9 && i <= 11)
			continue;
		/* A redirected call runs the new function's own MOV X9, LR */
		if (change_pc && i == 9)
			want = change_gprs ? (u64)test_regs_return2 : out.x[30];

		if (!check(entry.x[i] == want))
			pr_info("# x%d is %llx\n", i, entry.x[i]);
	}

	check(entry.sp == (change_sp ? (u64)alt_stack + ALT_STACK_SIZE / 2 : out.sp));
	for (int i = 0; i < NR_STACK_ARGS; i++)
		check(entry.stack[i] == (change_sp ?
					 pattern(i, 0x5a5a5a5a5a5a5a5aUL) :
					 in.stack[i]));

	return bad;
}

static void test_regs(bool gprs, bool pc, bool sp, const char *name)
{
	bool bad = false;
	u64 ret;

	change_gprs = gprs;
	change_pc = pc;
	change_sp = sp;

	if (!check(test_regs_trace(&regs_ops, test_regs_callee) == 0))
		goto out;
	ret = call();
	test_regs_untrace(&regs_ops, test_regs_callee);

	check(seen.calls == 1);
	check(seen.null == 0);
	bad |= seen_is_bad();
	bad |= entry_is_bad(false);
	check(entered == (pc ? 2 : 1));
	check(ret == (gprs ? ~RESULT : RESULT));
out:
	change_gprs = false;
	change_pc = false;
	change_sp = false;
	test_regs_report(bad, name);
}

static void test_args(void)
{
	bool bad = false;

	if (check(test_regs_trace(&args_ops, test_regs_callee) == 0)) {
		check(call() == RESULT);
		test_regs_untrace(&args_ops, test_regs_callee);
		check(seen.calls == 1 && seen.null == 1);
		check(entered == 1);
	}
	test_regs_report(bad, "no registers for a tracer that does not ask");

	bad = false;
	if (check(test_regs_trace(&maybe_ops, test_regs_callee) == 0)) {
		check(call() == RESULT);
		test_regs_untrace(&maybe_ops, test_regs_callee);
		check(seen.calls == 1 && seen.null == 0);
		bad |= seen_is_bad();
	}
	test_regs_report(bad, "registers if supported");

	/* The entry with registers serves both */
	bad = false;
	if (check(test_regs_trace(&args_ops, test_regs_callee) == 0)) {
		if (check(test_regs_trace(&regs_ops, test_regs_callee) == 0)) {
			change_gprs = true;
			check(call() == ~RESULT);
			test_regs_untrace(&regs_ops, test_regs_callee);
			check(seen.calls == 2 && seen.null == 0);
			bad |= entry_is_bad(false);
			change_gprs = false;
		}
		check(call() == RESULT);
		test_regs_untrace(&args_ops, test_regs_callee);
		check(seen.calls == 1 && seen.null == 1);
	}
	test_regs_report(bad, "two tracers, one of them with registers");
}

static void test_direct(bool gprs, bool pc, bool sp, const char *name)
{
	bool bad = false;
	u64 ret;

	if (!check(ftrace_set_filter_ip(&direct_ops, (unsigned long)test_regs_callee,
					0, 0) == 0) ||
	    !check(register_ftrace_direct(&direct_ops,
					  (unsigned long)test_regs_direct) == 0))
		goto out;

	/* Alone, it needs no registers */
	test_regs_direct_calls = 0;
	check(call() == RESULT);
	check(test_regs_direct_calls == 1);

	if (check(test_regs_trace(&regs_ops, test_regs_callee) == 0)) {
		change_gprs = gprs;
		change_pc = pc;
		change_sp = sp;
		ret = call();
		test_regs_untrace(&regs_ops, test_regs_callee);
		check(seen.calls == 1 && seen.null == 0);
		check(test_regs_direct_calls == 2);
		check(entered == (pc ? 2 : 1));
		bad |= seen_is_bad();
		bad |= entry_is_bad(true);
		check(ret == (gprs ? ~RESULT : RESULT));
		change_gprs = false;
		change_pc = false;
		change_sp = false;
	}

	check(call() == RESULT);
	check(test_regs_direct_calls == 3);
	unregister_ftrace_direct(&direct_ops, (unsigned long)test_regs_direct, true);
	check(call() == RESULT);
	check(test_regs_direct_calls == 3);
out:
	test_regs_report(bad, name);
}

static noinline u64 traced(u64 a)
{
	barrier();
	return a + 1;
}

static noinline u64 traced2(u64 a)
{
	barrier();
	return a + 1000;
}

static noinline u64 call_traced(u64 a)
{
	u64 ret = traced(a);

	/* Not a tail call */
	barrier();
	return ret;
}

static void notrace pc_tracer(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	seen.calls++;
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)traced2);
}

static struct ftrace_ops pc_ops = {
	.func = pc_tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
};

/* The trampoline calls the function, or whatever PC says is in its place */
static void test_direct_orig(void)
{
	unsigned long tramp = (unsigned long)test_regs_direct_orig;
	bool bad = false;

	if (!check(ftrace_set_filter_ip(&direct_ops, (unsigned long)traced,
					0, 0) == 0) ||
	    !check(register_ftrace_direct(&direct_ops, tramp) == 0))
		goto out;

	/* It adds 0x10000 to what the function returns */
	check(call_traced(1) == 0x10002);
	if (check(test_regs_trace(&regs_ops, traced) == 0)) {
		check(call_traced(2) == 0x10003);
		test_regs_untrace(&regs_ops, traced);
	}
	memset(&seen, 0, sizeof(seen));
	if (check(test_regs_trace(&pc_ops, traced) == 0)) {
		check(call_traced(3) == 0x10000 + 1003);
		check(seen.calls == 1);
		test_regs_untrace(&pc_ops, traced);
	}
	check(call_traced(4) == 0x10005);
	unregister_ftrace_direct(&direct_ops, tramp, true);
	check(call_traced(5) == 6);
out:
	test_regs_report(bad, "direct call that calls the function, and a new PC");
}

static void test_trace(void)
{
	bool bad = false;

	sprint_symbol_no_offset(site_name, (unsigned long)traced);
	sprint_symbol_no_offset(caller_name, (unsigned long)call_traced);
	memset(&seen, 0, sizeof(seen));
	if (check(test_regs_trace(&regs_ops, traced) == 0)) {
		want_trace = true;
		check(call_traced(1) == 2);
		want_trace = false;
		check(seen.calls == 1 && seen.null == 0);
		test_regs_untrace(&regs_ops, traced);
	}
	bad |= trace_bad;
	test_regs_report(bad, "stack trace in a tracer with registers");
}

static noinline u64 sum12(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h,
			  u64 i, u64 j, u64 k, u64 l)
{
	barrier();
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h +
	       9 * i + 10 * j + 11 * k + 12 * l;
}

static void test_sum(void)
{
	bool bad = false;

	if (check(test_regs_trace(&regs_ops, sum12) == 0)) {
		memset(&seen, 0, sizeof(seen));
		check(sum12(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) == 650);
		check(seen.calls == 1 && seen.null == 0);
		check(seen.regs.regs[7] == 8 && seen.stack[3] == 12);
		check(interrupts_enabled(&seen.regs));
		test_regs_untrace(&regs_ops, sum12);
	}
	test_regs_report(bad, "a C function of 12 arguments");
}

static noinline u64 __init in_init_text(u64 a)
{
	barrier();
	return a + 3;
}

/* Init text has PLT entries of its own */
static void __init test_init_text(void)
{
	bool bad = false;

	memset(&seen, 0, sizeof(seen));
	if (check(test_regs_trace(&regs_ops, in_init_text) == 0)) {
		check(in_init_text(4) == 7);
		check(seen.calls == 1 && seen.null == 0 && seen.regs.regs[0] == 4);
		if (check(test_regs_trace(&args_ops, in_init_text) == 0)) {
			check(in_init_text(5) == 8);
			check(seen.calls == 3 && seen.null == 0);
			test_regs_untrace(&regs_ops, in_init_text);
			check(in_init_text(6) == 9);
			check(seen.calls == 4 && seen.null == 1);
			test_regs_untrace(&args_ops, in_init_text);
		}
		check(in_init_text(7) == 10 && seen.calls == 4);
	}
	test_regs_report(bad, "a function in the module's init text");
}

/* Kprobes */

static struct {
	int pre, post;
	unsigned long pre_pc, post_pc;
	bool preemptible;
} hits;

static u64 redirect_to;

static int __kprobes pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	hits.pre++;
	hits.pre_pc = regs->pc;
	hits.preemptible = preemptible();

	if (redirect_to) {
		regs->pc = redirect_to;
		return 1;
	}

	return 0;
}

static void __kprobes post_handler(struct kprobe *p, struct pt_regs *regs,
				   unsigned long flags)
{
	hits.post++;
	hits.post_pc = regs->pc;
}

static noinline u64 probed(u64 a)
{
	barrier();
	return a + 1;
}

static noinline u64 replacement(u64 a)
{
	barrier();
	return a + 1000;
}

static void test_kprobe(void)
{
	struct kprobe kp = {
		.addr = (kprobe_opcode_t *)probed,
		.pre_handler = pre_handler,
	};
	bool bad = false;
	unsigned long site;

	memset(&hits, 0, sizeof(hits));
	if (check(register_kprobe(&kp) == 0)) {
		site = (unsigned long)kp.addr;
		check(site == (unsigned long)probed + 4 ||
		      site == (unsigned long)probed + 8);
		check(kprobe_ftrace(&kp));
		check(probed(1) == 2);
		check(hits.pre == 1 && hits.pre_pc == site);
		check(!hits.preemptible);

		check(disable_kprobe(&kp) == 0);
		check(probed(2) == 3 && hits.pre == 1);
		check(enable_kprobe(&kp) == 0);
		check(probed(3) == 4 && hits.pre == 2);
		check(kp.nmissed == 0);
		unregister_kprobe(&kp);
		check(probed(4) == 5 && hits.pre == 2);

		/* By the address that was reported */
		kp.flags = 0;
		check(register_kprobe(&kp) == 0);
		check((unsigned long)kp.addr == site && kprobe_ftrace(&kp));
		unregister_kprobe(&kp);

		/* By a name, and an offset that is the patch site's, or is not */
		for (int i = 0; i <= SITE_OFFSET + 4; i += 4) {
			int want = i && i < SITE_OFFSET ? -EINVAL : 0;

			kp = (struct kprobe) {
				.symbol_name = "test_regs_callee2",
				.offset = i,
			};
			if (!check(register_kprobe(&kp) == want))
				pr_info("# at +%d\n", i);
			if (want)
				continue;
			check((unsigned long)kp.addr ==
			      (unsigned long)test_regs_callee2 + (i ?: SITE_OFFSET));
			check(kprobe_ftrace(&kp) == (i <= SITE_OFFSET));
			unregister_kprobe(&kp);
		}
	}
	test_regs_report(bad, "kprobe at the entry");

	bad = false;
	kp = (struct kprobe) {
		.addr = (kprobe_opcode_t *)probed,
		.pre_handler = pre_handler,
		.post_handler = post_handler,
	};
	memset(&hits, 0, sizeof(hits));
	if (check(register_kprobe(&kp) == 0)) {
		site = (unsigned long)kp.addr;
		check(probed(1) == 2);
		check(hits.pre == 1 && hits.pre_pc == site);
		check(hits.post == 1 && hits.post_pc == site + 4);

		redirect_to = (u64)replacement;
		check(probed(1) == 1001);
		check(hits.pre == 2 && hits.post == 1);
		redirect_to = 0;
		check(probed(1) == 2 && hits.pre == 3 && hits.post == 2);
		unregister_kprobe(&kp);
	}
	test_regs_report(bad, "kprobe with a post handler and with a new PC");
}

static int ret_hits;
static unsigned long ret_value;
static u64 ret_arg;

static int ret_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ret_arg = regs->regs[0];
	regs->regs[0] = 41;
	return 0;
}

static int ret_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ret_hits++;
	ret_value = regs_return_value(regs);
	return 0;
}

static void test_kretprobe(void)
{
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)probed,
		.entry_handler = ret_entry,
		.handler = ret_handler,
		.maxactive = 4,
	};
	bool bad = false;

	if (check(register_kretprobe(&rp) == 0)) {
		check(kprobe_ftrace(&rp.kp));
		check(probed(7) == 42);
		check(ret_hits == 1 && ret_arg == 7 && ret_value == 42);
		check(rp.nmissed == 0);
		unregister_kretprobe(&rp);
		check(probed(7) == 8);
	}
	test_regs_report(bad, "kretprobe that changes an argument");
}

/* Where does the branch at the site lead? */
unsigned long test_regs_branch_target(unsigned long site)
{
	u32 insn = le32_to_cpup((__le32 *)site);

	if ((insn & 0xfc000000) != 0x94000000)
		return 0;

	return site + (sign_extend64(insn & 0x03ffffff, 25) << 2);
}

/*
 * A task that stands at the first instruction of ftrace_caller while the ops
 * of the site are replaced by others, which want all registers.
 */
static void test_stale(void)
{
	struct kprobe kp = {
		.addr = (kprobe_opcode_t *)probed,
		.pre_handler = pre_handler,
	};
	unsigned long tramp, site;
	bool bad = false;

	memset(&seen, 0, sizeof(seen));
	if (!check(test_regs_trace(&args_ops, probed) == 0))
		goto out;
	probed(0);
	site = seen.ip;
	tramp = test_regs_branch_target(site);
	test_regs_untrace(&args_ops, probed);
	if (!check(tramp != 0))
		goto out;

	memset(&hits, 0, sizeof(hits));
	if (check(register_kprobe(&kp) == 0)) {
		check((unsigned long)kp.addr == site);
		check(test_regs_branch_target(site) != tramp);
		check(test_regs_stale(5, tramp, site) == 6);
		if (IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS))
			check(hits.pre == 0 && kp.nmissed == 1);
		check(probed(6) == 7 && hits.pre == 1);

		/*
		 * The same with more than one tracer, so by way of the list.
		 * That leaves out those who want registers, or with call ops
		 * leaves it to them.
		 */
		check(test_regs_trace(&regs_ops, probed) == 0);
		memset(&seen, 0, sizeof(seen));
		check(test_regs_stale(5, tramp, site) == 6);
		check(hits.pre == 1 && seen.calls == seen.null);
		if (IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS))
			check(seen.null == 1 && kp.nmissed == 2);
		test_regs_untrace(&regs_ops, probed);
		unregister_kprobe(&kp);
	}

	/* Nothing is there any more */
	check(test_regs_stale(8, tramp, site) == 9);
out:
	test_regs_report(bad, "tracers that miss their registers");
}

/*
 * The same at the first instruction of ftrace_regs_caller: by the time it gets
 * to its ops, nobody is at the site, or somebody who needs no registers, or a
 * direct call alone. That is made then, and once.
 */
static void test_stale_regs(void)
{
	unsigned long tramp, args_tramp, site;
	bool bad = false;

	memset(&seen, 0, sizeof(seen));
	if (!check(test_regs_trace(&args_ops, probed) == 0))
		goto out;
	probed(0);
	site = seen.ip;
	args_tramp = test_regs_branch_target(site);
	test_regs_untrace(&args_ops, probed);
	if (!check(test_regs_trace(&regs_ops, probed) == 0))
		goto out;
	tramp = test_regs_branch_target(site);
	test_regs_untrace(&regs_ops, probed);
	if (!check(tramp && args_tramp && tramp != args_tramp))
		goto out;

	memset(&seen, 0, sizeof(seen));
	check(test_regs_stale(8, tramp, site) == 9);
	check(seen.calls == 0);

	if (check(test_regs_trace(&args_ops, probed) == 0)) {
		check(test_regs_stale(9, tramp, site) == 10);
		check(seen.calls == 1);
		test_regs_untrace(&args_ops, probed);
	}

	if (check(ftrace_set_filter_ip(&direct_ops, (unsigned long)probed, 0, 0) == 0) &&
	    check(register_ftrace_direct(&direct_ops,
					 (unsigned long)test_regs_direct) == 0)) {
		test_regs_direct_calls = 0;
		check(test_regs_stale(10, tramp, site) == 11);
		check(test_regs_direct_calls == 1);
		check(test_regs_stale(11, args_tramp, site) == 12);
		check(test_regs_direct_calls == 2);
		unregister_ftrace_direct(&direct_ops,
					 (unsigned long)test_regs_direct, true);
	}
	check(test_regs_stale(12, tramp, site) == 13);
	check(test_regs_direct_calls == 2);
out:
	test_regs_report(bad, "registers that nobody wants any more");
}

/* What becomes of a kprobe there? */
int test_regs_try_probe(unsigned long addr)
{
	struct kprobe kp = { .addr = (kprobe_opcode_t *)addr };
	int ret = register_kprobe(&kp);

	if (!ret)
		unregister_kprobe(&kp);

	return ret;
}

static void test_refused(void)
{
	unsigned long func = (unsigned long)test_regs_callee2;
	unsigned long plt = (unsigned long)THIS_MODULE->arch.ftrace_trampolines;
	int words = 0;
	bool bad = false;
	int ret;

	for (int i = PATCHABLE_PREFIX_BYTES; i > 0; i -= 4) {
		ret = test_regs_try_probe(func - i);
		if (!check(ret == -EINVAL))
			pr_info("# %d at -%d\n", ret, i);
		/* The same in the kernel's own text */
		ret = test_regs_try_probe(kernel_func - i);
		if (!check(ret == -EINVAL))
			pr_info("# %d at %pS\n", ret, (void *)(kernel_func - i));
	}
	check(kernel_func && test_regs_try_probe(kernel_func) == 0);
	if (PATCHABLE_PREFIX_BYTES || bad)
		test_regs_report(bad, "no kprobe on a slot or a literal");
	else
		test_regs_skip("no kprobe on a slot or a literal",
			       "nothing is reserved ahead of functions");

	bad = false;
	check(test_regs_try_probe(func) == 0);
	for (int i = 4; i < SITE_OFFSET; i += 4)
		check(test_regs_try_probe(func + i) == -EINVAL);
	for (int i = 1; i < 4; i++)
		check(test_regs_try_probe(func + SITE_OFFSET + i) == -EINVAL);
	check(test_regs_try_probe(func + SITE_OFFSET) == 0);
	check(test_regs_try_probe(func + SITE_OFFSET + 4) == 0);
	test_regs_report(bad, "kprobes in the entry sequence");

	bad = false;
	for (int i = 0; i < NR_FTRACE_PLTS * sizeof(struct ftrace_plt); i += 4) {
		ret = test_regs_try_probe(plt + i);
		if (!check(ret == -EINVAL || ret == -ENOENT))
			pr_info("# %d at PLT+%d\n", ret, i);
	}
	test_regs_report(bad, "no kprobe on the module's PLT entries of ftrace");

	bad = false;
	check(nr_refused >= 2 && !(nr_refused % 2));
	for (int i = 0; i + 1 < nr_refused; i += 2) {
		for (unsigned long addr = refused[i]; addr < refused[i + 1]; addr += 4) {
			ret = test_regs_try_probe(addr);
			words++;
			if (!check(ret == -EINVAL))
				pr_info("# %d at %pS\n", ret, (void *)addr);
		}
	}
	/* Not that they would be refused for another reason */
	check(test_regs_try_probe(kernel_func + 16) == 0);
	pr_info("# %d words tried\n", words);
	test_regs_report(bad, "no kprobe on what leads to the tracers");
}

static int __init test_ftrace_regs_init(void)
{
	const char *where = is_far((unsigned long)test_regs_callee) ? "far" : "near";

	alt_stack = kzalloc(ALT_STACK_SIZE, GFP_KERNEL);
	if (!alt_stack)
		return -ENOMEM;

	pr_info("KTAP version 1\n");
	pr_info("# the tracers are %s\n", where);

	test_regs(false, false, false, "every register is seen");
	test_regs(true, false, false, "every register can be changed");
	test_regs(false, true, false, "PC can be changed");
	test_regs(false, false, true, "SP can be changed");
	test_regs(true, true, true, "all of them can be changed");
	test_args();
	test_direct(false, false, false, "direct call and registers");
	test_direct(true, false, false, "direct call and registers that change");
	test_direct(false, true, false, "direct call and a new PC");
	test_direct(true, false, true, "direct call and a new SP");
	test_direct(true, true, true, "direct call and everything new");
	test_direct_orig();
	test_trace();
	test_sum();
	test_init_text();
	test_kprobe();
	test_kretprobe();
	test_stale();
	test_stale_regs();
	test_refused();
	test_regs_probes();
	test_regs_churn();

	pr_info("1..%u\n", nr);
	pr_info("# %s: pass:%u fail:%u\n", where, nr - failed, failed);

	ftrace_free_filter(&regs_ops);
	ftrace_free_filter(&maybe_ops);
	ftrace_free_filter(&args_ops);
	ftrace_free_filter(&direct_ops);
	ftrace_free_filter(&pc_ops);
	kfree(alt_stack);

	return failed ? -EINVAL : 0;
}

static void __exit test_ftrace_regs_exit(void)
{
}

module_init(test_ftrace_regs_init);
module_exit(test_ftrace_regs_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of the registers that function tracers and kprobes get");
