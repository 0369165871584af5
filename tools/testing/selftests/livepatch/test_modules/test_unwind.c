// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt functions at every instruction, and compare what a reliable stack
 * trace says with what is true.
 *
 * The truth does not come from the stack: for each function here there is one
 * function that calls it, and a table says which. The walker may always say
 * "unreliable", that is counted; a trace that is called reliable has to have
 * exactly the functions of the table, in their order.
 *
 * Write to the parameter "run":
 *
 * step    A kprobe at every instruction of each function below: a BRK exception,
 *         or at the entry a call, where the kernel has kprobes on ftrace.
 * irq N   Timer interrupts on the CPU that runs them, N milliseconds long. They
 *         reach what cannot be probed, too: the patchable entry, what an entry
 *         leads to while it is patched, and the probes' own code.
 */
#define pr_fmt(fmt) "test_unwind: " fmt

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include <asm/irq_regs.h>

/* Not in kernels to compare with */
#ifdef CONFIG_ARM64_PATCHABLE_PREFIX_BYTES
#define PREFIX_BYTES	CONFIG_ARM64_PATCHABLE_PREFIX_BYTES
#else
#define PREFIX_BYTES	8
#endif

#define NOP		0xd503201f

#define MAX_ENTRIES	64
#define NAME_LEN	96
#define MAX_INSNS	4096
#define MAX_REPORTS	5
/* Of the function that calls itself */
#define MAX_DEPTH	4

/* Not exported, and a test alone is no reason to do so */
static int (*save_reliable)(struct task_struct *task, unsigned long *store,
			    unsigned int size);

/*
 * Functions with every shape of frame. noinline keeps one truth, and volatile
 * keeps the compiler from seeing through them.
 */
static volatile int sink;
static volatile int one = 1;

static noinline __noclone int unwind_leaf(int a)
{
	return a * 3 + sink;
}

static noinline __noclone int unwind_leaf_with_locals(int a)
{
	volatile int local[20];
	int i;

	for (i = 0; i < 20; i++)
		local[i] = a + i;
	return local[a & 15];
}

static noinline __noclone int unwind_callee(int a)
{
	return a + one;
}

static noinline __noclone int unwind_nonleaf(int a)
{
	int b = unwind_callee(a);

	return b + unwind_callee(b) + sink;
}

static noinline __noclone int unwind_in_large(volatile char *p)
{
	return p[one];
}

static noinline __noclone int unwind_large_frame(int a)
{
	volatile char local[5000];

	local[one] = a;
	local[4999] = a;
	return unwind_in_large(local) + local[4999];
}

static noinline __noclone int unwind_in_dynamic(volatile char *p)
{
	return p[0];
}

static noinline __noclone int unwind_dynamic_stack(int a)
{
	volatile char *p = __builtin_alloca(a * 16 + 32);
	int b;

	p[0] = a;
	b = unwind_in_dynamic(p);
	return b + p[0];
}

static noinline __noclone int unwind_in_wrapped(int a)
{
	return a + sink;
}

/* A way without a frame, and one with callee-saved registers */
static noinline __noclone int unwind_shrink_wrapped(int a, int b, int c, int d)
{
	int i, e = 0;

	if (likely(a & 1))
		return b;
	for (i = 0; i < 2; i++)
		e += unwind_in_wrapped(a + b + c + d + i + e);
	return e + a + b + c + d;
}

static noinline __noclone int unwind_in_epilogues(int a)
{
	return a ^ sink;
}

static noinline __noclone int unwind_many_epilogues(int a)
{
	int b = unwind_in_epilogues(a);

	if (b == 1)
		return unwind_in_epilogues(b + 4) + 1;
	if (b == 2) {
		sink = b;
		return b + unwind_in_epilogues(5) * 2;
	}
	if (b > 100)
		return -1;
	sink = 0;
	return b;
}

static noinline __noclone int unwind_tail_callee(int a)
{
	return a + 7 + sink;
}

static noinline __noclone int unwind_in_tail(int a)
{
	return a + sink;
}

/* After its epilogue it is gone, and its callee was called by its caller */
static noinline __noclone int unwind_tail_caller(int a)
{
	a += unwind_in_tail(a) + unwind_in_tail(a + 1);
	return unwind_tail_callee(a);
}

static noinline __noclone int unwind_in_args(int a, int b, int c, int d, int e,
					     int f, int g, int h, int i, int j)
{
	return a + b + c + d + e + f + g + h + i * j + sink;
}

static noinline __noclone int unwind_stack_args(int a)
{
	return unwind_in_args(a, 1, 2, 3, 4, 5, 6, 7, a, 9) + 1;
}

static noinline __noclone int unwind_in_switch(int a)
{
	return a - sink;
}

static noinline __noclone int unwind_switch(int a)
{
	int b = unwind_in_switch(a);

	switch (b) {
	case 0:
		sink = 3;
		return unwind_in_switch(3);
	case 1:
		sink++;
		break;
	case 2:
		sink = unwind_in_switch(9) + 4;
		break;
	case 3:
		sink = b * 77;
		break;
	case 4:
		return unwind_in_switch(12) * 5;
	case 5:
		sink ^= 6;
		break;
	case 6:
		sink -= 6;
		fallthrough;
	case 7:
		sink += unwind_in_switch(1);
		break;
	}
	return b + sink;
}

/* Not to be made a loop of, as it could be if it added something */
static noinline __noclone int unwind_recursive(int a)
{
	int b;

	if (a <= 0)
		return sink;
	b = unwind_recursive(a - 1);
	return b ^ one;
}

/* LR is somewhere else for a while, and nothing describes where */
static noinline __noclone int unwind_asm_moves_lr(int a)
{
	asm volatile("\n"
	"	mov	x9, x30\n"
	"	bl	1f\n"
	"1:	add	%w0, %w0, #1\n"
	"	mov	x30, x9\n"
	: "+r" (a) : : "x9");
	return a;
}

/* The call is the last instruction: it returns to the next function */
static noinline __noclone void __noreturn unwind_gone(struct completion *done)
{
	sink++;
	kthread_complete_and_exit(done, 0);
}

static noinline __noclone void __noreturn unwind_ends_with_call(struct completion *done)
{
	sink = 2;
	unwind_gone(done);
}

static int unwind_last_thread(void *data)
{
	unwind_ends_with_call(data);
}

/* How many rounds have one of these threads: sleeping takes most of the time */
static unsigned int thread_rounds = 1;

static noinline __noclone void unwind_drive(unsigned int round)
{
	struct completion done;
	int i;

	unwind_leaf(one);
	unwind_leaf_with_locals(one);
	unwind_nonleaf(one);
	unwind_large_frame(one);
	unwind_dynamic_stack(one);
	unwind_shrink_wrapped(one, 1, 2, 3);
	unwind_shrink_wrapped(one + 1, 1, 2, 3);
	for (i = 0; i < 4; i++)
		unwind_many_epilogues(i);
	unwind_many_epilogues(200);
	unwind_tail_caller(one);
	unwind_stack_args(one);
	for (i = 0; i < 9; i++) {
		unwind_switch(i);
		sink = 0;
	}
	unwind_recursive(MAX_DEPTH - 1);
	unwind_asm_moves_lr(one);

	if (round % thread_rounds)
		return;
	init_completion(&done);
	if (!IS_ERR(kthread_run(unwind_last_thread, &done, "test_unwind_last")))
		wait_for_completion(&done);
}

/* Who calls whom. Nobody calls the last one. */
static const struct {
	const char *func;
	const char *caller;
	void *addr;
} truth[] = {
	{ "unwind_leaf", "unwind_drive", unwind_leaf },
	{ "unwind_leaf_with_locals", "unwind_drive", unwind_leaf_with_locals },
	{ "unwind_callee", "unwind_nonleaf", unwind_callee },
	{ "unwind_nonleaf", "unwind_drive", unwind_nonleaf },
	{ "unwind_in_large", "unwind_large_frame", unwind_in_large },
	{ "unwind_large_frame", "unwind_drive", unwind_large_frame },
	{ "unwind_in_dynamic", "unwind_dynamic_stack", unwind_in_dynamic },
	{ "unwind_dynamic_stack", "unwind_drive", unwind_dynamic_stack },
	{ "unwind_in_wrapped", "unwind_shrink_wrapped", unwind_in_wrapped },
	{ "unwind_shrink_wrapped", "unwind_drive", unwind_shrink_wrapped },
	{ "unwind_in_epilogues", "unwind_many_epilogues", unwind_in_epilogues },
	{ "unwind_many_epilogues", "unwind_drive", unwind_many_epilogues },
	{ "unwind_tail_callee", "unwind_drive", unwind_tail_callee },
	{ "unwind_in_tail", "unwind_tail_caller", unwind_in_tail },
	{ "unwind_tail_caller", "unwind_drive", unwind_tail_caller },
	{ "unwind_in_args", "unwind_stack_args", unwind_in_args },
	{ "unwind_stack_args", "unwind_drive", unwind_stack_args },
	{ "unwind_in_switch", "unwind_switch", unwind_in_switch },
	{ "unwind_switch", "unwind_drive", unwind_switch },
	{ "unwind_recursive", "unwind_drive", unwind_recursive },
	{ "unwind_asm_moves_lr", "unwind_drive", unwind_asm_moves_lr },
	{ "unwind_gone", "unwind_ends_with_call", unwind_gone },
	{ "unwind_ends_with_call", "unwind_last_thread", unwind_ends_with_call },
	{ "unwind_last_thread", "kthread" },
	{ "unwind_drive", "unwind_thread" },
	{ "unwind_thread", "kthread" },
	{ "kthread", "ret_from_fork" },
	{ "ret_from_fork", "" },
};

/* The functions that are stepped through: all of them but the last five */
#define NR_STEPPED	(ARRAY_SIZE(truth) - 5)

enum verdict { NOT_SEEN, UNRELIABLE, RELIABLE, WRONG };

struct result {
	unsigned long	addr;
	unsigned long	size;
	u8		seen[MAX_INSNS];
};

/* What tracers put between a function and its caller, and more is there to see */
static struct entry_code {
	const char	*name;
	unsigned long	size;
	u8		seen[256];
	unsigned int	verdicts[4];
} entry_codes[] = {
	{ "ftrace_caller" },
	{ "ftrace_regs_caller" },
	{ "return_to_handler" },
	{ "return_to_handler_called" },
	{ "__kretprobe_trampoline" },
	{ "arch_rethook_trampoline" },
};

/* Only to tell what traces cost */
static unsigned long nr_traces, nr_trace_entries;
static u64 trace_nsecs;

static struct result *results;
/* Where the kprobe at the entry of unwind_recursive() is, and how deep it is */
static struct kprobe *recursive_entry;
static struct result *recursive;
static int depth;
static struct task_struct *runner;
static atomic_t nr_wrong, nr_reliable, nr_unreliable;
static atomic_t nr_elsewhere_wrong, nr_elsewhere_reliable, nr_elsewhere_unreliable;
static atomic_t nr_reports;

/* A replacement is called what it replaces, with a prefix */
static const char *true_name(char *name)
{
	char *p = strpbrk(name, "+. ");

	if (p)
		*p = '\0';
	return strncmp(name, "livepatch_", 10) ? name : name + 10;
}

static const char *caller_of(const char *func)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(truth); i++) {
		if (!strcmp(truth[i].func, func))
			return truth[i].caller;
	}
	return NULL;
}

static void report(const char *what, unsigned long pc, unsigned long *entries,
		   int nr)
{
	int i;

	if (atomic_inc_return(&nr_reports) > MAX_REPORTS)
		return;
	pr_err("%s at %pS:\n", what, (void *)pc);
	for (i = 0; i < nr; i++)
		pr_err("  %pB\n", (void *)entries[i]);
}

/* Entries of the trace from the interrupted function on, against the truth */
static bool trace_is_true(unsigned long *entries, int nr, bool is_return_address)
{
	const char *func, *expect = NULL;
	char name[NAME_LEN];
	int i, times = 0;

	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), i || is_return_address ? "%pB" : "%ps",
			 (void *)entries[i]);
		func = true_name(name);
		if (!strcmp(func, "unwind_recursive") && times++)
			continue;
		if (i && (!expect || strcmp(func, expect)))
			return false;
		expect = caller_of(func);
	}
	/* How often it is there is known where each of its calls was seen */
	if (times && depth && times != depth)
		return false;
	return expect && !*expect && times <= MAX_DEPTH;
}

static int save(unsigned long *entries)
{
	u64 start = ktime_get_ns();
	int nr = save_reliable(current, entries, MAX_ENTRIES);

	if (nr > 0) {
		trace_nsecs += ktime_get_ns() - start;
		nr_trace_entries += nr;
		nr_traces++;
	}
	return nr;
}

static enum verdict check(unsigned long pc, bool is_return_address)
{
	unsigned long entries[MAX_ENTRIES];
	int nr = save(entries), i;

	if (nr < 0)
		return UNRELIABLE;
	for (i = 0; i < nr && entries[i] != pc; i++)
		;
	if (i == nr || !trace_is_true(entries + i, nr - i, is_return_address)) {
		report("WRONG", pc, entries, nr);
		return WRONG;
	}
	return RELIABLE;
}

static void note(unsigned long pc, enum verdict verdict)
{
	int i;

	switch (verdict) {
	case WRONG:
		atomic_inc(&nr_wrong);
		break;
	case RELIABLE:
		atomic_inc(&nr_reliable);
		break;
	default:
		atomic_inc(&nr_unreliable);
		break;
	}
	for (i = 0; i < NR_STEPPED; i++) {
		struct result *r = &results[i];
		unsigned long n = (pc - r->addr) / 4;

		if (pc < r->addr || pc - r->addr >= r->size)
			continue;
		/* The worst that was seen; but reliable once is coverage */
		if (r->seen[n] < verdict)
			r->seen[n] = verdict;
	}
}

/* RET, RETAA, RETAB */
static bool is_return(u32 insn)
{
	return insn == 0xd65f03c0 || (insn & 0xfffffbff) == 0xd65f0bff;
}

static int step_handler(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long pc = instruction_pointer(regs);
	bool in_recursive = pc >= recursive->addr &&
			    pc - recursive->addr < recursive->size;

	if (in_recursive && p == recursive_entry)
		depth++;
	/*
	 * On ftrace this is no exception. The patch site has called a tracer and
	 * gets back to what comes next.
	 */
	if (kprobe_ftrace(p))
		note(pc, check(pc + 4, true));
	else
		note(pc, check(pc, false));
	if (in_recursive && is_return(le32_to_cpu(p->opcode)))
		depth--;
	return 0;
}

static struct completion started;

static noinline int unwind_thread(void *data)
{
	unsigned long until = jiffies + msecs_to_jiffies(*(unsigned int *)data);
	unsigned int round = 0;

	/* Who is told to stop before that does not even start */
	complete(&started);
	do {
		unwind_drive(round++);
		cond_resched();
	} while (time_before(jiffies, until));
	/* Not a tail call: the truth knows this function */
	barrier();
	sink = 0;
	return 0;
}

/* From "name+0xoffset/0xsize": only sprint_symbol() is exported */
static bool find_bounds(unsigned long addr, unsigned long *start,
			unsigned long *size)
{
	char name[KSYM_SYMBOL_LEN], *p;
	unsigned long off;

	sprint_symbol(name, addr);
	p = strrchr(name, '+');
	if (!p || sscanf(p, "+%lx/%lx", &off, size) != 2)
		return false;
	*start = addr - off;
	return true;
}

static int find_functions(void)
{
	int i;

	for (i = 0; i < NR_STEPPED; i++) {
		struct result *r = &results[i];

		if (!find_bounds((unsigned long)truth[i].addr, &r->addr, &r->size) ||
		    r->size > MAX_INSNS * 4) {
			pr_err("where is %s?\n", truth[i].func);
			return -ENOENT;
		}
		/*
		 * What lies ahead of the next function is not this one's, and
		 * neither is what aligns it.
		 */
		if (r->size > PREFIX_BYTES)
			r->size -= PREFIX_BYTES;
		while (r->size > 4 && *(u32 *)(r->addr + r->size - 4) == NOP)
			r->size -= 4;
		memset(r->seen, 0, sizeof(r->seen));
		if (truth[i].addr == unwind_recursive)
			recursive = r;
	}
	return 0;
}

static void forget(void)
{
	int i;

	atomic_set(&nr_wrong, 0);
	atomic_set(&nr_reliable, 0);
	atomic_set(&nr_unreliable, 0);
	atomic_set(&nr_elsewhere_wrong, 0);
	atomic_set(&nr_elsewhere_reliable, 0);
	atomic_set(&nr_elsewhere_unreliable, 0);
	atomic_set(&nr_reports, 0);
	depth = 0;
	nr_traces = 0;
	nr_trace_entries = 0;
	trace_nsecs = 0;
	for (i = 0; i < ARRAY_SIZE(entry_codes); i++) {
		entry_codes[i].size = 0;
		memset(entry_codes[i].seen, 0, sizeof(entry_codes[i].seen));
		memset(entry_codes[i].verdicts, 0, sizeof(entry_codes[i].verdicts));
	}
}

/* Whoever can be interrupted there can be asked for a trace */
static void print_entry_codes(void)
{
	unsigned int i, j, nr;

	for (i = 0; i < ARRAY_SIZE(entry_codes); i++) {
		struct entry_code *code = &entry_codes[i];

		for (j = 0, nr = 0; j < ARRAY_SIZE(code->seen); j++)
			nr += code->seen[j];
		if (nr)
			pr_info("irq: %s: stopped at %u of %lu instructions; %u reliable, %u unreliable, %u wrong\n",
				code->name, nr, code->size / 4,
				code->verdicts[RELIABLE],
				code->verdicts[UNRELIABLE],
				code->verdicts[WRONG]);
	}
}

/* What is patched at an entry cannot be probed, only its last instruction */
static unsigned int entry_insns(const struct result *r)
{
	u32 insn = le32_to_cpup((const __le32 *)r->addr);

	/* BTI C, MOV X9, LR and the patch site */
	return (insn & 0xffffff3f) == 0xd503241f ? 3 : 2;
}

static void print_results(const char *mode)
{
	unsigned int all = 0, seen = 0, reliable = 0, i, j;

	for (i = 0; i < NR_STEPPED; i++) {
		struct result *r = &results[i];
		unsigned int n[4] = { };

		for (j = 0; j < r->size / 4; j++)
			n[r->seen[j]]++;
		pr_info("%s: %-24s %3lu insns: %u reliable, %u unreliable, %u wrong, %u not seen\n",
			mode, truth[i].func, r->size / 4, n[RELIABLE],
			n[UNRELIABLE], n[WRONG], n[NOT_SEEN]);
		/* This one is not the compiler's, and nothing may believe it */
		if (truth[i].addr == unwind_asm_moves_lr)
			continue;
		all += r->size / 4;
		seen += r->size / 4 - n[NOT_SEEN];
		reliable += n[RELIABLE];
		for (j = 0; j < entry_insns(r) && !strcmp(mode, "step"); j++)
			all -= r->seen[j] == NOT_SEEN;
	}
	pr_info("%s: %u of %u instructions reliable, %u seen; stops: %d reliable, %d unreliable, %d wrong\n",
		mode, reliable, all, seen, atomic_read(&nr_reliable),
		atomic_read(&nr_unreliable), atomic_read(&nr_wrong));
	if (nr_traces)
		pr_info("%s: %lu reliable traces of %lu entries in %llu ns, on average\n",
			mode, nr_traces, nr_trace_entries / nr_traces,
			trace_nsecs / nr_traces);
}

static int run_thread(unsigned int msecs)
{
	struct task_struct *task;

	task = kthread_create(unwind_thread, &msecs, "test_unwind");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, 0);
	get_task_struct(task);
	runner = task;
	init_completion(&started);
	wake_up_process(task);
	wait_for_completion(&started);
	/* Waits until it has returned */
	kthread_stop(task);
	runner = NULL;
	put_task_struct(task);
	return 0;
}

static int run_step(void)
{
	unsigned int i, j, nr, refused = 0;
	struct kprobe *kps, **list;
	int ret = find_functions();

	if (ret)
		return ret;
	forget();
	thread_rounds = 1;
	kps = kvcalloc(MAX_INSNS, sizeof(*kps), GFP_KERNEL);
	list = kvcalloc(MAX_INSNS, sizeof(*list), GFP_KERNEL);
	for (i = 0; kps && list && i < NR_STEPPED && !ret; i++) {
		struct result *r = &results[i];

		memset(kps, 0, MAX_INSNS * sizeof(*kps));
		recursive_entry = r == recursive ? kps : NULL;
		for (j = 0, nr = 0; j < r->size / 4; j++) {
			kps[nr].addr = (void *)(r->addr + j * 4);
			kps[nr].pre_handler = step_handler;
			if (register_kprobe(&kps[nr])) {
				refused++;
				memset(&kps[nr], 0, sizeof(*kps));
				continue;
			}
			/* All probes of an entry are one: keep the first */
			if (nr && kps[nr].addr == kps[nr - 1].addr) {
				unregister_kprobe(&kps[nr]);
				memset(&kps[nr], 0, sizeof(*kps));
				continue;
			}
			list[nr] = &kps[nr];
			nr++;
		}
		ret = run_thread(0);
		unregister_kprobes(list, nr);
	}
	kvfree(kps);
	kvfree(list);
	print_results("step");
	pr_info("step: %u places cannot be probed\n", refused);
	return ret;
}

static struct hrtimer irq_timer;
static unsigned int irq_period = 20000;

/*
 * Not in step with what it interrupts, and from the end of a handler on: or slow
 * machines would be busy with nothing else.
 */
static enum hrtimer_restart irq_rearm(struct hrtimer *t)
{
	hrtimer_forward_now(t, ns_to_ktime(irq_period +
					   get_random_u32_below(irq_period)));
	return HRTIMER_RESTART;
}

/*
 * In functions that the table does not have: the first one that it has must be
 * there, and everything behind that.
 */
static bool trace_ends_true(unsigned long pc, unsigned long *entries, int nr)
{
	bool is_return_address = true;
	char name[NAME_LEN];
	int i = 0;

	while (i < nr && entries[i] != pc)
		i++;
	for (; i < nr; i++) {
		snprintf(name, sizeof(name), is_return_address ? "%pB" : "%ps",
			 (void *)entries[i]);
		/* What an older exception has interrupted comes next */
		if (!strncmp(name, "el1h_64_", 8) && !strstr(name, "_handler")) {
			is_return_address = false;
			continue;
		}
		if (entries[i] != pc && caller_of(true_name(name)))
			return trace_is_true(entries + i, nr - i,
					     is_return_address);
		is_return_address = true;
	}
	return false;
}

/* In code that is known by its name only: "name+0xoffset/0xsize" */
static void note_entry_code(unsigned long pc, enum verdict verdict)
{
	char name[KSYM_SYMBOL_LEN], *p;
	unsigned long off, size;
	int i;

	sprint_symbol(name, pc);
	p = strchr(name, '+');
	if (!p || sscanf(p, "+%lx/%lx", &off, &size) != 2)
		return;
	*p = '\0';
	for (i = 0; i < ARRAY_SIZE(entry_codes); i++) {
		struct entry_code *code = &entry_codes[i];

		if (strcmp(code->name, name) || off / 4 >= ARRAY_SIZE(code->seen))
			continue;
		code->size = size;
		code->seen[off / 4] = 1;
		code->verdicts[verdict]++;
	}
}

static enum hrtimer_restart irq_handler(struct hrtimer *t)
{
	struct pt_regs *regs = get_irq_regs();
	unsigned long entries[MAX_ENTRIES], pc;
	enum verdict verdict;
	char name[NAME_LEN];
	int nr;

	if (current != runner || !regs || user_mode(regs))
		return irq_rearm(t);
	pc = instruction_pointer(regs);
	snprintf(name, sizeof(name), "%ps", (void *)pc);
	if (caller_of(true_name(name))) {
		note(pc, check(pc, false));
		return irq_rearm(t);
	}
	nr = save(entries);
	if (nr < 0) {
		verdict = UNRELIABLE;
		atomic_inc(&nr_elsewhere_unreliable);
	} else if (trace_ends_true(pc, entries, nr)) {
		verdict = RELIABLE;
		atomic_inc(&nr_elsewhere_reliable);
	} else {
		report("WRONG", pc, entries, nr);
		verdict = WRONG;
		atomic_inc(&nr_elsewhere_wrong);
	}
	note_entry_code(pc, verdict);
	return irq_rearm(t);
}

static int start_timer(void *unused)
{
	hrtimer_start(&irq_timer, ns_to_ktime(irq_period), HRTIMER_MODE_REL_PINNED_HARD);
	return 0;
}

static int run_irq(unsigned int msecs)
{
	int ret = find_functions();

	if (ret)
		return ret;
	forget();
	thread_rounds = 1000;
	hrtimer_setup(&irq_timer, irq_handler, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	smp_call_on_cpu(0, start_timer, NULL, false);
	ret = run_thread(msecs);
	hrtimer_cancel(&irq_timer);
	print_results("irq");
	pr_info("irq: elsewhere: %d reliable, %d unreliable, %d wrong\n",
		atomic_read(&nr_elsewhere_reliable),
		atomic_read(&nr_elsewhere_unreliable),
		atomic_read(&nr_elsewhere_wrong));
	print_entry_codes();
	return ret;
}

static int set_run(const char *val, const struct kernel_param *kp)
{
	unsigned int n = 1000;
	char what[16];

	if (sscanf(val, "%15s %u", what, &n) < 1)
		return -EINVAL;
	if (!strcmp(what, "step"))
		return run_step();
	if (!strcmp(what, "irq"))
		return run_irq(n);
	return -EINVAL;
}

static const struct kernel_param_ops run_ops = { .set = set_run };
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "step, or irq and milliseconds");
module_param_named(period, irq_period, uint, 0600);
MODULE_PARM_DESC(period, "nanoseconds between interrupts, at least");

static void *find_symbol(const char *name)
{
	struct kprobe kp = { .symbol_name = name };
	unsigned long start, size;

	if (register_kprobe(&kp) < 0)
		return NULL;
	unregister_kprobe(&kp);
	/* A probe can be moved to the patch site */
	if (!find_bounds((unsigned long)kp.addr, &start, &size))
		return NULL;
	return (void *)start;
}

static int __init test_unwind_init(void)
{
	save_reliable = find_symbol("stack_trace_save_tsk_reliable");
	if (!save_reliable)
		return -ENOENT;
	results = kvcalloc(NR_STEPPED, sizeof(*results), GFP_KERNEL);
	return results ? 0 : -ENOMEM;
}

static void __exit test_unwind_exit(void)
{
	kvfree(results);
}

module_init(test_unwind_init);
module_exit(test_unwind_exit);
MODULE_DESCRIPTION("Compare reliable stack traces with the truth at every instruction");
MODULE_LICENSE("GPL");
