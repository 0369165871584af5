// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt whatever runs, and compare its reliable stack trace with the shadow
 * call stack, where every function that saves its return address has put it
 * once more. That is another truth, from other instructions and other memory.
 *
 * A return address that is in LR only is not there. At each exception the saved
 * registers tell whether that is so: LR holds the return address of another
 * function than the interrupted one, and not the newest of the shadow call stack.
 *
 * Write a number of samples to the parameter "run" while there is some load.
 */
#define pr_fmt(fmt) "test_unwind_sample: " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/scs.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/insn.h>
#include <asm/irq_regs.h>
#include <asm/pointer_auth.h>
#include <asm/stacktrace/frame.h>

#define MAX_ENTRIES	128
#define MAX_BOUNDARIES	8
#define MAX_REPORTS	10

/* Not exported, and a test alone is no reason to do so */
static int (*save_reliable)(struct task_struct *task, unsigned long *store,
			    unsigned int size);
static unsigned long entry_text, entry_text_end, call_on_irq_stack_addr;

static unsigned int period = 50000;
module_param(period, uint, 0600);
MODULE_PARM_DESC(period, "nanoseconds between two samples on a CPU, at least");

/* An exception, newest first */
struct boundary {
	unsigned long	pc;
	unsigned long	lr;
};

struct sample {
	unsigned long	trace[MAX_ENTRIES];
	unsigned long	shadow[MAX_ENTRIES];
	struct boundary	boundary[MAX_BOUNDARIES];
	int		nr_trace;
	int		nr_shadow;
	int		nr_boundaries;
	/* What was met on the way */
	int		in_lr;
	int		replaced;
};

static DEFINE_PER_CPU(struct hrtimer, timer);
static DEFINE_PER_CPU(struct sample, samples);
static atomic_t left, nr_reliable, nr_unreliable, nr_wrong, nr_skipped, nr_idle;
static atomic_t nr_in_lr, nr_replaced, nr_nested;

/* Newest first. Of the IRQ stack's shadow only the address is known. */
static noinline int shadow_save(unsigned long *store, int size)
{
	unsigned long *sp, *base;
	int nr = 0;

	asm volatile("mov %0, x18" : "=r" (sp));
	base = (unsigned long *)((unsigned long)sp & ~(SCS_SIZE - 1));
	if (base != task_scs(current)) {
		while (sp > base && nr < size)
			store[nr++] = *--sp;
		/* call_on_irq_stack() has saved the other one */
		sp = task_scs_sp(current);
		base = task_scs(current);
	}
	while (sp > base && nr < size)
		store[nr++] = *--sp;
	return nr;
}

/*
 * The exceptions on the stack, by frame records. These are enough to find all of
 * them: X29 points to one at any time, though perhaps to the caller's.
 */
static noinline int find_boundaries(struct boundary *boundary)
{
	const struct frame_record *record = __builtin_frame_address(0);
	int nr = 0, i;

	for (i = 0; i < MAX_ENTRIES; i++) {
		const struct frame_record_meta *meta = (const void *)record;
		const struct pt_regs *regs;

		if (!record)
			return -EINVAL;
		if (record->fp || record->lr) {
			record = (const void *)record->fp;
			continue;
		}
		if (meta->type == FRAME_META_TYPE_FINAL)
			return nr;
		if (meta->type != FRAME_META_TYPE_PT_REGS || nr == MAX_BOUNDARIES)
			return -EINVAL;
		regs = container_of(meta, struct pt_regs, stackframe);
		boundary[nr].pc = regs->pc;
		boundary[nr++].lr = ptrauth_strip_kernel_insn_pac(regs->regs[30]);
		record = (const void *)regs->regs[29];
	}
	return -EINVAL;
}

static bool is_entry_text(unsigned long addr)
{
	return addr >= entry_text && addr < entry_text_end;
}

/* A tracer has put its own return address there */
static bool is_replaced(unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, addr);
	return !strncmp(name, "return_to_handler+", 18) ||
	       !strncmp(name, "return_to_handler_called+", 25) ||
	       !strncmp(name, "arch_rethook_trampoline+", 24) ||
	       !strncmp(name, "__kretprobe_trampoline+", 23);
}

/* The instruction ahead of a return address, if that is a call; 0 if not */
static u32 call_ahead_of(unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN];
	__le32 insn;

	if (addr % 4)
		return 0;
	sprint_symbol(name, addr - 4);
	if (!strchr(name, '+') ||
	    copy_from_kernel_nofault(&insn, (void *)(addr - 4), sizeof(insn)))
		return 0;
	if (aarch64_insn_is_bl(le32_to_cpu(insn)) ||
	    aarch64_insn_is_blr(le32_to_cpu(insn)) ||
	    (le32_to_cpu(insn) & 0xfefff800) == 0xd63f0800)
		return le32_to_cpu(insn);
	return 0;
}

/*
 * Is a return address in LR that is not on the shadow call stack, whose newest
 * entry is @top? 1 if so, 0 if not, -1 where that cannot be told.
 */
static int is_in_lr(const struct boundary *b, unsigned long top)
{
	char pc_name[KSYM_SYMBOL_LEN], lr_name[KSYM_SYMBOL_LEN];
	u32 call;

	if (is_replaced(b->lr)) {
		/* Two functions in a row can have the same tracer's */
		call = call_ahead_of(top);
		if (b->lr == top || !aarch64_insn_is_bl(call))
			return -1;
		/*
		 * The trampoline of kretprobes leaves itself in LR. If the newest
		 * entry is the call of this function, that is what it has left.
		 */
		sprint_symbol(pc_name, b->pc);
		sprint_symbol(lr_name, top - 4 +
			      sign_extend32(call & 0x3ffffff, 25) * 4);
		*strchrnul(pc_name, '+') = '\0';
		*strchrnul(lr_name, '+') = '\0';
		return strcmp(pc_name, lr_name) ? 1 : 0;
	}

	/* LR can hold anything once it was saved */
	call = call_ahead_of(b->lr);
	if (!call)
		return 0;

	sprint_symbol(pc_name, b->pc);
	sprint_symbol(lr_name, b->lr - 4);
	*strchrnul(pc_name, '+') = '\0';
	*strchrnul(lr_name, '+') = '\0';
	if (!strcmp(pc_name, lr_name)) {
		/* A call that is over, unless it was of the function itself */
		if (!aarch64_insn_is_bl(call))
			return -1;
		sprint_symbol(lr_name, b->lr - 4 +
			      sign_extend32(call & 0x3ffffff, 25) * 4);
		*strchrnul(lr_name, '+') = '\0';
		return strcmp(pc_name, lr_name) ? 0 : -1;
	}
	/* Saved, and not overwritten yet */
	if (b->lr == top)
		return 0;
	/* Parts of one function, such as its cold one */
	*strchrnul(pc_name, '.') = '\0';
	*strchrnul(lr_name, '.') = '\0';
	return strcmp(pc_name, lr_name) ? 1 : -1;
}

/*
 * call_on_irq_stack() is assembly and saves its return address in a frame record
 * only: its caller is not on the shadow call stack, but ends with a BL to it.
 */
static bool is_caller_of_irq_stack(unsigned long callee, unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN];
	u32 call = call_ahead_of(addr);

	sprint_symbol(name, callee - 4);
	return !strncmp(name, "call_on_irq_stack+", 18) &&
	       aarch64_insn_is_bl(call) &&
	       addr - 4 + sign_extend64(call & 0x3ffffff, 25) * 4 ==
	       call_on_irq_stack_addr;
}

static const char *compare(struct sample *sample, int t, int s, int b);

/* From the first entry behind an exception on; @in_lr of them are not shadowed */
static const char *compare_behind(struct sample *sample, int t, int s, int b,
				  int in_lr)
{
	const unsigned long *trace = sample->trace, *shadow = sample->shadow;

	if (in_lr) {
		unsigned long lr = sample->boundary[b].lr;

		if (t == sample->nr_trace)
			return "the return address in LR is missing";
		if (is_replaced(lr)) {
			if (!call_ahead_of(trace[t]))
				return "an entry that nobody has returned to";
		} else if (trace[t] != lr) {
			return "the return address in LR is missing";
		}
		sample->in_lr++;
		t++;
	}
	for (; t < sample->nr_trace; t++, s++) {
		if (is_caller_of_irq_stack(trace[t - 1], trace[t]))
			t++;
		if (t == sample->nr_trace || s == sample->nr_shadow)
			return "an entry that is not on the shadow call stack";
		if (trace[t] != shadow[s]) {
			if (!is_replaced(shadow[s]) || !call_ahead_of(trace[t]))
				return "an entry that is not on the shadow call stack";
			sample->replaced++;
		}
		/* An older exception, or where the kernel was entered */
		if (is_entry_text(trace[t]) && t + 1 < sample->nr_trace)
			return compare(sample, t + 1, s + 1, b + 1);
	}
	if (s < sample->nr_shadow)
		return "an entry of the shadow call stack is missing";
	if (b + 1 < sample->nr_boundaries)
		return "an exception is missing";
	return NULL;
}

/* From an exception on */
static const char *compare(struct sample *sample, int t, int s, int b)
{
	unsigned long top = s < sample->nr_shadow ? sample->shadow[s] : 0;
	int in_lr;

	if (b == sample->nr_boundaries || sample->trace[t] != sample->boundary[b].pc)
		return "the interrupted function is missing";
	in_lr = is_in_lr(&sample->boundary[b], top);
	if (in_lr < 0) {
		if (!compare_behind(sample, t + 1, s, b, 0))
			return NULL;
		in_lr = 1;
	}
	return compare_behind(sample, t + 1, s, b, in_lr);
}

static const char *judge(struct sample *sample)
{
	int t = 0, s = 0;

	/* What this interrupt has called is not of interest */
	while (t < sample->nr_trace && !is_entry_text(sample->trace[t]))
		t++;
	while (s < sample->nr_shadow && !is_entry_text(sample->shadow[s]))
		s++;
	if (t + 1 >= sample->nr_trace)
		return "no interrupt in the trace";
	if (s >= sample->nr_shadow)
		return "no interrupt on the shadow call stack";
	if (sample->nr_boundaries < 0)
		return "frame records that lead nowhere";
	return compare(sample, t + 1, s + 1, 0);
}

static void report(const char *what, const struct sample *sample)
{
	int i;

	pr_err("WRONG: %s\n", what);
	for (i = 0; i < sample->nr_boundaries; i++)
		pr_err("  exception at %pS, LR %pS\n", (void *)sample->boundary[i].pc,
		       (void *)sample->boundary[i].lr);
	for (i = 0; i < sample->nr_trace; i++)
		pr_err("  trace  %pB\n", (void *)sample->trace[i]);
	for (i = 0; i < sample->nr_shadow; i++)
		pr_err("  shadow %pB\n", (void *)sample->shadow[i]);
}

static void take_sample(void)
{
	struct sample *sample = this_cpu_ptr(&samples);
	struct pt_regs *regs = get_irq_regs();
	const char *what;

	if (!regs || user_mode(regs))
		return;
	if (is_idle_task(current)) {
		atomic_inc(&nr_idle);
		return;
	}
	if (atomic_dec_return(&left) < 0)
		return;

	sample->nr_trace = save_reliable(current, sample->trace, MAX_ENTRIES);
	if (sample->nr_trace < 0) {
		atomic_inc(&nr_unreliable);
		return;
	}
	sample->nr_shadow = shadow_save(sample->shadow, MAX_ENTRIES);
	if (sample->nr_trace == MAX_ENTRIES || sample->nr_shadow == MAX_ENTRIES) {
		atomic_inc(&nr_skipped);
		return;
	}
	sample->nr_boundaries = find_boundaries(sample->boundary);
	sample->in_lr = 0;
	sample->replaced = 0;
	what = judge(sample);
	if (!what) {
		atomic_inc(&nr_reliable);
		atomic_add(!!sample->in_lr, &nr_in_lr);
		atomic_add(!!sample->replaced, &nr_replaced);
		atomic_add(sample->nr_boundaries > 1, &nr_nested);
		return;
	}
	if (atomic_inc_return(&nr_wrong) <= MAX_REPORTS)
		report(what, sample);
}

static enum hrtimer_restart timer_handler(struct hrtimer *t)
{
	take_sample();
	/* From the end on, or slow machines would be busy with nothing else */
	hrtimer_forward_now(t, ns_to_ktime(period + get_random_u32_below(period)));
	return HRTIMER_RESTART;
}

static int start_timer(void *unused)
{
	hrtimer_start(this_cpu_ptr(&timer), ns_to_ktime(period),
		      HRTIMER_MODE_REL_PINNED_HARD);
	return 0;
}

static int set_run(const char *val, const struct kernel_param *kp)
{
	unsigned int nr, cpu;
	int ret = kstrtouint(val, 0, &nr);

	if (ret)
		return ret;
	atomic_set(&nr_reliable, 0);
	atomic_set(&nr_unreliable, 0);
	atomic_set(&nr_wrong, 0);
	atomic_set(&nr_skipped, 0);
	atomic_set(&nr_idle, 0);
	atomic_set(&nr_in_lr, 0);
	atomic_set(&nr_replaced, 0);
	atomic_set(&nr_nested, 0);
	atomic_set(&left, nr);

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		hrtimer_setup(per_cpu_ptr(&timer, cpu), timer_handler,
			      CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		smp_call_on_cpu(cpu, start_timer, NULL, false);
	}
	while (atomic_read(&left) > 0 && !signal_pending(current))
		msleep(50);
	for_each_online_cpu(cpu)
		hrtimer_cancel(per_cpu_ptr(&timer, cpu));
	cpus_read_unlock();

	pr_info("%d reliable, %d unreliable, %d wrong, %d too deep, %d idle\n",
		atomic_read(&nr_reliable), atomic_read(&nr_unreliable),
		atomic_read(&nr_wrong), atomic_read(&nr_skipped),
		atomic_read(&nr_idle));
	pr_info("of the reliable ones %d had a return address in LR, %d one of a tracer, %d another exception\n",
		atomic_read(&nr_in_lr), atomic_read(&nr_replaced),
		atomic_read(&nr_nested));
	return signal_pending(current) ? -EINTR : 0;
}

static const struct kernel_param_ops run_ops = { .set = set_run };
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "how many samples to take");

static int __init test_unwind_sample_init(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long (*lookup)(const char *name);
	char name[KSYM_SYMBOL_LEN], *p;
	unsigned long off;

	if (register_kprobe(&kp) < 0)
		return -ENOENT;
	unregister_kprobe(&kp);
	/* A probe can be moved to the patch site */
	sprint_symbol(name, (unsigned long)kp.addr);
	p = strrchr(name, '+');
	if (!p || sscanf(p, "+%lx", &off) != 1)
		return -ENOENT;
	lookup = (void *)kp.addr - off;

	save_reliable = (void *)lookup("stack_trace_save_tsk_reliable");
	entry_text = lookup("__entry_text_start");
	entry_text_end = lookup("__entry_text_end");
	call_on_irq_stack_addr = lookup("call_on_irq_stack");
	return save_reliable && entry_text && entry_text_end &&
	       call_on_irq_stack_addr ? 0 : -ENOENT;
}

static void __exit test_unwind_sample_exit(void)
{
}

module_init(test_unwind_sample_init);
module_exit(test_unwind_sample_exit);
MODULE_DESCRIPTION("Compare reliable stack traces with the shadow call stack");
MODULE_LICENSE("GPL");
