// SPDX-License-Identifier: GPL-2.0
/*
 * Kprobes on ftrace beside others at the same patch site, and beside each other.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/irq_work.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#include "test_ftrace_regs.h"

#define NR_ENTRIES	64
#define OVERRIDDEN	99

static int (*save_reliable)(struct task_struct *tsk, unsigned long *store,
			    unsigned int size);
static void (*override)(struct pt_regs *regs);

static bool trace_wanted, trace_bad;
static char victim_name[KSYM_NAME_LEN], outer_name[KSYM_NAME_LEN];

static bool entries_are_bad(const unsigned long *entries, int nr,
			    const char *func, const char *caller)
{
	int funcs = 0, callers = 0, others = 0;
	char name[KSYM_NAME_LEN];
	bool bad = false;

	for (int i = 0; i < nr; i++) {
		sprint_symbol_no_offset(name, entries[i]);
		funcs += !strcmp(name, func);
		callers += !strcmp(name, caller);
		others += !strcmp(name, "return_to_handler") ||
			  !strcmp(name, "__kretprobe_trampoline");
	}

	check(funcs == 1);
	check(callers == 1);
	check(others == 0);
	if (bad) {
		for (int i = 0; i < nr; i++)
			pr_info("# %pS\n", (void *)entries[i]);
	}

	return bad;
}

/* A stack trace of now has @func and @caller, once each, and it is reliable */
bool test_regs_trace_is_bad(const char *func, const char *caller)
{
	unsigned long entries[NR_ENTRIES];
	bool bad = false;
	int nr;

	nr = stack_trace_save(entries, NR_ENTRIES, 0);
	bad |= entries_are_bad(entries, nr, func, caller);

	if (save_reliable) {
		nr = save_reliable(current, entries, NR_ENTRIES);
		if (check(nr > 0))
			bad |= entries_are_bad(entries, nr, func, caller);
		else
			pr_info("# a reliable trace: %d\n", nr);
	}

	return bad;
}

/* The functions with the probes */

static noinline u64 victim(u64 a)
{
	if (trace_wanted)
		trace_bad |= test_regs_trace_is_bad(victim_name, outer_name);

	/* Not a tail call */
	barrier();
	return a + 1;
}

static noinline u64 outer(u64 a)
{
	u64 ret = victim(a);

	barrier();
	return ret + 1000;
}

static noinline u64 nested(u64 a)
{
	barrier();
	return a + 1;
}

static noinline u64 irq_victim(u64 a)
{
	barrier();
	return a + 1;
}

static unsigned long victim_site;

static int seq, seq_probe, seq_fgraph;

/* A probe that counts, and can do one thing more */

struct probe {
	struct kprobe kp;
	int pre, post;
	unsigned long go_to;
	bool override, trace, nest, irq;
};

static struct irq_work irq_work;
static int irq_works;

static void irq_work_func(struct irq_work *work)
{
	irq_victim(1);
	WRITE_ONCE(irq_works, irq_works + 1);
}

static int __kprobes pre_handler(struct kprobe *kp, struct pt_regs *regs)
{
	struct probe *p = container_of(kp, struct probe, kp);

	p->pre++;
	seq_probe = ++seq;

	if (p->trace)
		trace_bad |= test_regs_trace_is_bad(victim_name, outer_name);
	if (p->nest)
		nested(1);
	if (p->irq) {
		int works = irq_works;

		irq_work_queue(&irq_work);
		for (int i = 0; i < 100000000 && READ_ONCE(irq_works) == works; i++)
			cpu_relax();
	}
	if (p->override) {
		regs_set_return_value(regs, OVERRIDDEN);
		override(regs);
		return 1;
	}

	return 0;
}

static void __kprobes post_handler(struct kprobe *kp, struct pt_regs *regs,
				   unsigned long flags)
{
	struct probe *p = container_of(kp, struct probe, kp);

	p->post++;
	if (p->go_to)
		instruction_pointer_set(regs, p->go_to);
}

static struct probe *probe_init(struct probe *p, void *func, bool post)
{
	*p = (struct probe) {
		.kp.addr = func,
		.kp.pre_handler = pre_handler,
		.kp.post_handler = post ? post_handler : NULL,
	};

	return p;
}

static struct probe first, second, third;

#ifdef CONFIG_FPROBE
static int fp_exits, fp_outer_exits;
static u64 fp_victim_ret;

static int fp_entry(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		    struct ftrace_regs *fregs, void *data)
{
	seq_fgraph = ++seq;
	return 0;
}

static void fp_exit(struct fprobe *fp, unsigned long entry_ip, unsigned long ret_ip,
		    struct ftrace_regs *fregs, void *data)
{
	u64 ret = ftrace_regs_get_return_value(fregs);

	if (ret >= 1000) {
		fp_outer_exits++;
		return;
	}

	fp_exits++;
	fp_victim_ret = ret;
}

static struct fprobe fprobe = {
	.entry_handler = fp_entry,
	.exit_handler = fp_exit,
};

static int fprobe_on(void)
{
	unsigned long addrs[] = { (unsigned long)victim, (unsigned long)outer };

	fp_exits = 0;
	fp_outer_exits = 0;

	return register_fprobe_ips(&fprobe, addrs, ARRAY_SIZE(addrs));
}

/* Those that were registered last come first at the patch site */
static void test_override_fgraph(bool fgraph_first, const char *name)
{
	bool bad = false;

	if (!override) {
		test_regs_skip(name, "needs CONFIG_FUNCTION_ERROR_INJECTION");
		return;
	}

	probe_init(&first, victim, true)->override = true;
	if (!fgraph_first && !check(fprobe_on() == 0))
		goto out;
	if (!check(register_kprobe(&first.kp) == 0))
		goto out_fprobe;
	if (fgraph_first && !check(fprobe_on() == 0))
		goto out_kprobe;

	/* An entry that is left behind breaks the return of the outer function */
	for (int i = 1; i <= 3; i++) {
		check(outer(1) == OVERRIDDEN + 1000);
		check(first.pre == i && first.post == 0);
		check(fp_exits == i && fp_victim_ret == OVERRIDDEN);
		check(fp_outer_exits == i);
		check((seq_fgraph < seq_probe) == fgraph_first);
	}

	first.override = false;
	check(outer(1) == 1002);
	check(first.pre == 4 && first.post == 1);
	check(fp_exits == 4 && fp_victim_ret == 2 && fp_outer_exits == 4);

	if (fgraph_first)
		unregister_fprobe(&fprobe);
out_kprobe:
	unregister_kprobe(&first.kp);
out_fprobe:
	if (!fgraph_first)
		unregister_fprobe(&fprobe);
	check(outer(2) == 1003);
out:
	test_regs_report(bad, name);
}

static int ret_hits;
static u64 ret_value;

static int ret_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	seq_probe = ++seq;
	return 0;
}

static int ret_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ret_hits++;
	ret_value = regs_return_value(regs);
	return 0;
}

static void test_kretprobe_fgraph(bool fgraph_first, const char *name)
{
	struct kretprobe rp = {
		.kp.addr = (kprobe_opcode_t *)victim,
		.entry_handler = ret_entry,
		.handler = ret_handler,
		.maxactive = 4,
	};
	bool bad = false;

	ret_hits = 0;
	if (!fgraph_first && !check(fprobe_on() == 0))
		goto out;
	if (!check(register_kretprobe(&rp) == 0))
		goto out_fprobe;
	if (fgraph_first && !check(fprobe_on() == 0))
		goto out_kprobe;
	check(kprobe_ftrace(&rp.kp));

	trace_wanted = true;
	trace_bad = false;
	check(outer(1) == 1002);
	trace_wanted = false;
	bad |= trace_bad;
	check(ret_hits == 1 && ret_value == 2);
	check(fp_exits == 1 && fp_outer_exits == 1 && fp_victim_ret == 2);
	check((seq_fgraph < seq_probe) == fgraph_first);

	if (fgraph_first)
		unregister_fprobe(&fprobe);
out_kprobe:
	unregister_kretprobe(&rp);
out_fprobe:
	if (!fgraph_first)
		unregister_fprobe(&fprobe);
	check(outer(2) == 1003);
out:
	test_regs_report(bad, name);
}

static void test_fgraph(void)
{
	/* What comes first is what is registered last */
	test_override_fgraph(false, "override ahead of function graph");
	test_override_fgraph(true, "override behind function graph");
	test_kretprobe_fgraph(false, "kretprobe ahead of function graph");
	test_kretprobe_fgraph(true, "kretprobe behind function graph");
}
#else
static void test_fgraph(void)
{
	test_regs_skip("function graph", "needs CONFIG_FPROBE");
}
#endif

static struct ftrace_ops direct_ops;

static void test_override(void)
{
	unsigned long tramp = (unsigned long)test_regs_direct_orig;
	const char *name = "override";
	bool bad = false;

	if (!override) {
		test_regs_skip(name, "needs CONFIG_FUNCTION_ERROR_INJECTION");
		return;
	}

	/* Without a post handler, which is not allowed beside a direct call */
	probe_init(&first, victim, false)->override = true;
	if (!check(register_kprobe(&first.kp) == 0))
		goto out;
	check(outer(1) == OVERRIDDEN + 1000);
	check(first.pre == 1);

	/*
	 * The trampoline calls the function and adds 0x10000 to what it returns.
	 * It is not called if the function is not.
	 */
	if (check(ftrace_set_filter_ip(&direct_ops, (unsigned long)victim, 0, 0) == 0) &&
	    check(register_ftrace_direct(&direct_ops, tramp) == 0)) {
		check(outer(1) == OVERRIDDEN + 1000);
		check(first.pre == 2);
		first.override = false;
		check(outer(1) == 2 + 0x10000 + 1000);
		check(first.pre == 3);
		unregister_ftrace_direct(&direct_ops, tramp, true);
	}
	unregister_kprobe(&first.kp);
out:
	ftrace_free_filter(&direct_ops);
	test_regs_report(bad, name);
}

static noinline u64 replacement(u64 a)
{
	barrier();
	return a + 30000;
}

/* As live patches do it */
static void notrace replace(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)replacement);
}

static struct ftrace_ops replace_ops = {
	.func = replace,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

/*
 * An override without a post handler, as BPF has it, can meet a live patch. The
 * handler that runs last is the one that was registered first.
 */
static void test_override_replaced(bool override_last, const char *name)
{
	bool bad = false;

	if (!override) {
		test_regs_skip(name, "needs CONFIG_FUNCTION_ERROR_INJECTION");
		return;
	}

	probe_init(&first, victim, false)->override = true;
	if (override_last && !check(register_kprobe(&first.kp) == 0))
		goto out;
	if (!check(test_regs_trace(&replace_ops, victim) == 0))
		goto out_kprobe;
	if (!override_last && !check(register_kprobe(&first.kp) == 0))
		goto out_replace;

	/* The replacement must not take the override's value for its argument. */
	check(outer(1) == (override_last ? OVERRIDDEN : 1 + 30000) + 1000);
	check(first.pre == 1);
	first.override = false;
	check(outer(1) == 1 + 30000 + 1000);
	check(first.pre == 2);

	if (!override_last)
		unregister_kprobe(&first.kp);
out_replace:
	test_regs_untrace(&replace_ops, victim);
out_kprobe:
	if (override_last)
		unregister_kprobe(&first.kp);
	check(outer(1) == 1002);
out:
	test_regs_report(bad, name);
}

static void test_post_handler_pc(void)
{
	bool bad = false;

	probe_init(&first, victim, true)->go_to = (unsigned long)replacement;
	if (check(register_kprobe(&first.kp) == 0)) {
		check(outer(1) == 1 + 30000 + 1000);
		first.go_to = 0;
		check(outer(1) == 1002);
		check(first.pre == 2 && first.post == 2);
		unregister_kprobe(&first.kp);
	}
	test_regs_report(bad, "post handler that sets PC");
}

static void test_kprobe_trace(void)
{
	bool bad = false;

	probe_init(&first, victim, false)->trace = true;
	if (check(register_kprobe(&first.kp) == 0)) {
		trace_bad = false;
		check(outer(1) == 1002);
		bad |= trace_bad;
		check(first.pre == 1);
		unregister_kprobe(&first.kp);
	}
	test_regs_report(bad, "stack trace in a kprobe");
}

/* Somebody who may change PC, like a live patch */

static void notrace nop_tracer(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ipmodify_ops = {
	.func = nop_tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static struct ftrace_ops nop_ops = {
	.func = nop_tracer,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
};

static void test_aggregate(void)
{
	bool bad = false;

	/* Two without a post handler, one that joins with one */
	probe_init(&first, victim, false);
	probe_init(&second, victim, true);
	probe_init(&third, victim, false);
	if (!check(register_kprobe(&first.kp) == 0))
		goto out;
	victim_site = (unsigned long)first.kp.addr;
	check(register_kprobe(&third.kp) == 0);
	check(outer(1) == 1002 && first.pre == 1 && third.pre == 1);

	check(register_kprobe(&second.kp) == 0);
	check(outer(1) == 1002);
	check(first.pre == 2 && second.pre == 1 && second.post == 1 && third.pre == 2);
	check(test_regs_trace(&ipmodify_ops, victim) == -EBUSY);
	unregister_kprobe(&second.kp);
	check(outer(1) == 1002 && first.pre == 3 && second.pre == 1);
	unregister_kprobe(&first.kp);
	check(outer(1) == 1002 && first.pre == 3 && third.pre == 4);
	unregister_kprobe(&third.kp);
	check(outer(1) == 1002 && third.pre == 4);
	check(test_regs_branch_target(victim_site) == 0);
out:
	test_regs_report(bad, "kprobe with a post handler that joins others");

	/* ... which it may not, as somebody else is there by then */
	bad = false;
	probe_init(&first, victim, false);
	if (!check(register_kprobe(&first.kp) == 0))
		goto out2;
	if (check(test_regs_trace(&ipmodify_ops, victim) == 0)) {
		probe_init(&second, victim, true);
		check(register_kprobe(&second.kp) == -EBUSY);
		check(outer(1) == 1002);
		check(first.pre == 1 && second.pre == 0 && second.post == 0);
		test_regs_untrace(&ipmodify_ops, victim);
	}
	probe_init(&second, victim, true);
	check(register_kprobe(&second.kp) == 0);
	check(outer(1) == 1002);
	check(first.pre == 2 && second.pre == 1 && second.post == 1);
	unregister_kprobe(&first.kp);
	check(outer(1) == 1002 && second.pre == 2 && second.post == 2);
	unregister_kprobe(&second.kp);
	check(test_regs_branch_target(victim_site) == 0);
out2:
	test_regs_report(bad, "kprobe with a post handler that may not join others");

	/* The same while none of them is armed */
	bad = false;
	probe_init(&first, victim, false);
	first.kp.flags = KPROBE_FLAG_DISABLED;
	if (!check(register_kprobe(&first.kp) == 0))
		goto out3;
	if (check(test_regs_trace(&ipmodify_ops, victim) == 0)) {
		probe_init(&second, victim, true);
		check(register_kprobe(&second.kp) == -EBUSY);
		check(enable_kprobe(&first.kp) == 0);
		check(outer(1) == 1002 && first.pre == 1 && second.pre == 0);
		test_regs_untrace(&ipmodify_ops, victim);
	}
	probe_init(&second, victim, true);
	second.kp.flags = KPROBE_FLAG_DISABLED;
	check(register_kprobe(&second.kp) == 0);
	check(outer(1) == 1002 && first.pre == 2 && second.pre == 0);
	check(enable_kprobe(&second.kp) == 0);
	check(outer(1) == 1002 && first.pre == 3 && second.post == 1);
	unregister_kprobe(&second.kp);
	unregister_kprobe(&first.kp);
	check(outer(1) == 1002 && first.pre == 3);
	check(test_regs_branch_target(victim_site) == 0);
	/* No count of users is wrong */
	check(test_regs_trace(&ipmodify_ops, victim) == 0);
	test_regs_untrace(&ipmodify_ops, victim);
out3:
	test_regs_report(bad, "disabled kprobes with and without a post handler");
}

/*
 * A kprobe that is hit while the handler of another one runs is missed, on
 * ftrace or not, in the same context or in an interrupt.
 */
static void test_missed(void)
{
	bool bad = false;

	probe_init(&first, victim, false);
	probe_init(&second, nested, false);
	probe_init(&third, nested, false);
	if (!check(register_kprobe(&first.kp) == 0))
		goto out;
	if (!check(register_kprobe(&second.kp) == 0))
		goto out_first;
	/* Behind the patch site */
	third.kp.addr = second.kp.addr + 1;
	if (!check(register_kprobe(&third.kp) == 0))
		goto out_second;
	check(!kprobe_ftrace(&third.kp));

	check(nested(1) == 2);
	check(second.pre == 1 && third.pre == 1);
	check(outer(1) == 1002 && first.pre == 1);
	check(second.kp.nmissed == 0 && third.kp.nmissed == 0);

	first.nest = true;
	check(outer(1) == 1002 && first.pre == 2);
	check(second.pre == 1 && second.kp.nmissed == 1);
	check(third.pre == 1 && third.kp.nmissed == 1);
	first.nest = false;
	check(outer(1) == 1002 && first.pre == 3 && first.kp.nmissed == 0);
	check(nested(1) == 2 && second.pre == 2 && third.pre == 2);

	unregister_kprobe(&third.kp);
out_second:
	unregister_kprobe(&second.kp);
out_first:
	unregister_kprobe(&first.kp);
out:
	test_regs_report(bad, "kprobes that the handler of a kprobe hits");
}

static void test_irq(void)
{
	bool bad = false;
	int works;

	irq_work = IRQ_WORK_INIT_HARD(irq_work_func);
	probe_init(&first, victim, false);
	probe_init(&second, irq_victim, false);
	probe_init(&third, irq_victim, false);
	if (!check(register_kprobe(&first.kp) == 0))
		goto out;
	if (!check(register_kprobe(&second.kp) == 0))
		goto out_first;
	third.kp.addr = second.kp.addr + 1;
	if (!check(register_kprobe(&third.kp) == 0))
		goto out_second;

	works = irq_works;
	irq_work_queue(&irq_work);
	irq_work_sync(&irq_work);
	check(irq_works == works + 1);
	check(second.pre == 1 && third.pre == 1);

	/* Interrupts are on in handlers */
	first.irq = true;
	check(outer(1) == 1002 && first.pre == 1);
	check(irq_works == works + 2);
	check(second.pre == 1 && second.kp.nmissed == 1);
	check(third.pre == 1 && third.kp.nmissed == 1);
	first.irq = false;
	check(outer(1) == 1002 && first.pre == 2);

	unregister_kprobe(&third.kp);
out_second:
	unregister_kprobe(&second.kp);
out_first:
	unregister_kprobe(&first.kp);
out:
	test_regs_report(bad, "kprobes in an interrupt, and in one of a handler");
}

static DEFINE_STATIC_KEY_FALSE(key);

static noinline u64 keyed(u64 a)
{
	barrier();
	if (static_branch_unlikely(&key))
		return a + 100;

	return a + 1;
}

/* A jump label is patched as well: no probe on it, and a probe beside it */
static void test_jump_label(void)
{
	const char *name = "kprobes beside a jump label";
#ifdef CONFIG_JUMP_LABEL
	unsigned long label = 0;
	bool bad = false;

	for (unsigned int i = 0; i < THIS_MODULE->num_jump_entries; i++) {
		const struct jump_entry *entry = &THIS_MODULE->jump_entries[i];

		if (jump_entry_key(entry) == &key.key)
			label = jump_entry_code(entry);
	}
	if (!check(label != 0))
		goto out;
	check(test_regs_try_probe(label) == -EINVAL);

	probe_init(&first, keyed, true);
	if (!check(register_kprobe(&first.kp) == 0))
		goto out;
	check(kprobe_ftrace(&first.kp));
	check(keyed(1) == 2 && first.pre == 1 && first.post == 1);
	static_branch_enable(&key);
	check(keyed(1) == 101 && first.pre == 2 && first.post == 2);
	check(test_regs_try_probe(label) == -EINVAL);
	unregister_kprobe(&first.kp);
	check(keyed(1) == 101 && first.pre == 2);
	static_branch_disable(&key);
	check(keyed(1) == 2);
out:
	test_regs_report(bad, name);
#else
	test_regs_skip(name, "needs CONFIG_JUMP_LABEL");
#endif
}

static noinline u64 blacklisted(u64 a)
{
	barrier();
	return a + 1;
}
NOKPROBE_SYMBOL(blacklisted);

/* The blacklist counts for patch sites, too, which tracers are still free to use */
static void test_blacklist(void)
{
	bool bad = false;

	for (int i = 0; i < 16; i += 4) {
		if (!check(test_regs_try_probe((unsigned long)blacklisted + i) == -EINVAL))
			pr_info("# at +%d\n", i);
	}
	check(test_regs_trace(&nop_ops, blacklisted) == 0);
	check(blacklisted(1) == 2);
	test_regs_untrace(&nop_ops, blacklisted);
	test_regs_report(bad, "no kprobe on a function on the blacklist");
}

void test_regs_probes(void)
{
	sprint_symbol_no_offset(victim_name, (unsigned long)victim);
	sprint_symbol_no_offset(outer_name, (unsigned long)outer);
	save_reliable = (void *)test_regs_lookup("stack_trace_save_tsk_reliable");
	override = (void *)test_regs_lookup("override_function_with_return");

	test_kprobe_trace();
	test_override();
	test_override_replaced(false, "override ahead of a live patch");
	test_override_replaced(true, "override behind a live patch");
	test_post_handler_pc();
	test_fgraph();
	test_aggregate();
	test_missed();
	test_irq();
	test_jump_label();
	test_blacklist();

	ftrace_free_filter(&ipmodify_ops);
	ftrace_free_filter(&nop_ops);
}
