// SPDX-License-Identifier: GPL-2.0-only
/*
 * Feed stacks to the code that walks them in the kernel, arch/arm64/kernel/
 * stacktrace.c, which is compiled here as it is.
 *
 * The stacks are made from a table, top down: tasks that have called one function
 * after the other, were interrupted in some of them, and sleep. So it is known
 * what is on them. A trace that is called reliable has to be that, and nothing
 * else. Then the same stacks are damaged: what comes out is not judged, but the
 * walk has to end, and must not leave the stack, which the sanitizers see.
 *
 * Usage: fuzz-walk TABLE [ROUNDS [SEED]]
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/types.h>

/*
 * What stacktrace.c includes and a build machine does not have. The definitions
 * below take its place.
 */
#define _LINUX_EFI_H
#define _LINUX_EXPORT_H
#define __LINUX_FILTER_H__
#define _LINUX_FTRACE_H
#define _LINUX_KPROBES_H
#define _LINUX_SCHED_H
#define _LINUX_SCHED_DEBUG_H
#define _LINUX_SCHED_TASK_STACK_H
#define __LINUX_STACKTRACE_H
#define _ASM_EFI_H
#define __ASM_IRQ_H
#define __ASM_STACK_POINTER_H
#define __ASM_STACKTRACE_H

#define CONFIG_KRETPROBES		1
#define CONFIG_FUNCTION_GRAPH_TRACER	1

#define __user
#define noinstr
#define WARN_ON_ONCE(condition)		({ bool __c = !!(condition); __c; })
#define pr_debug			no_printk
#define in_nmi()			false
#define preemptible()			true

/* Backtraces and user space are of no interest, but have to compile */
static inline void no_printk(const char *fmt, ...)
{
}

#define printk	no_printk

struct pt_regs;
struct task_struct;

static inline bool user_mode(const struct pt_regs *regs)
{
	return false;
}

static inline bool compat_user_mode(const struct pt_regs *regs)
{
	return false;
}

static inline bool try_get_task_stack(struct task_struct *task)
{
	return true;
}

static inline void put_task_stack(struct task_struct *task)
{
}

static inline bool access_ok(const void *p, size_t size)
{
	return false;
}

static inline void pagefault_disable(void)
{
}

static inline void pagefault_enable(void)
{
}

static inline unsigned long __copy_from_user_inatomic(void *to, const void *from,
						      unsigned long size)
{
	return size;
}

#define ptrauth_strip_user_insn_pac(pc)	(pc)

#include <asm/stacktrace/frame.h>
#include <asm/stacktrace/common.h>
#include <asm/unwind-table.h>

/* The parts that matter here, where they are in the kernel */
struct pt_regs {
	u64				regs[31];
	u64				sp;
	u64				pc;
	u64				pstate;
	u64				orig_x0;
	u64				syscallno_and_pmr;
	u64				sdei_ttbr1;
	struct frame_record_meta	stackframe;
};

#define MAX_FRAMES	64
#define THREAD_SIZE	16384

/* Return addresses that tracers have replaced, oldest first */
struct replaced {
	unsigned long	fp;
	unsigned long	pc;
	unsigned long	by;
};

struct llist_node;
struct perf_callchain_entry_ctx;

struct task_struct {
	unsigned char	*stack;
	unsigned long	saved_fp;
	unsigned long	saved_pc;
	/* In the kernel these are two lists */
	struct replaced	*ret_stack;
	int		nr_replaced;
};

static struct task_struct *current;

typedef bool (*stack_trace_consume_fn)(void *cookie, unsigned long addr);

#define thread_saved_fp(task)	((task)->saved_fp)
#define thread_saved_pc(task)	((task)->saved_pc)
#define task_pt_regs(task) \
	((struct pt_regs *)((task)->stack + THREAD_SIZE) - 1)

static inline struct stack_info stackinfo_get_task(const struct task_struct *task)
{
	return (struct stack_info) {
		.low = (unsigned long)task->stack,
		.high = (unsigned long)task->stack + THREAD_SIZE,
	};
}

#define stackinfo_get_irq()		stackinfo_get_unknown()
#define stackinfo_get_overflow()	stackinfo_get_unknown()

/* Where nothing of the table is */
#define TEXT		0xffff800080010000UL
#define ENTRY_TEXT	0xffff800070000000UL
#define RET_FROM_FORK	0xffff800070010000UL
#define TRAMPOLINE	0xffff800070020000UL
#define RETHOOK		0xffff800070030000UL
#define ASSEMBLY	0xffff800070040000UL

#define SIGNATURE	0x007f000000000000UL

#define return_to_handler	((void *)TRAMPOLINE)
#define return_to_handler_called	((void *)(TRAMPOLINE + 8))
#define is_kretprobe_trampoline(pc)	((pc) == RETHOOK)

static unsigned long ptrauth_strip_kernel_insn_pac(unsigned long pc)
{
	return pc | SIGNATURE;
}

static unsigned long find_replaced(struct task_struct *task, unsigned long by,
				   void *fp)
{
	const struct replaced *r = task->ret_stack + task->nr_replaced;

	while (r > task->ret_stack) {
		r--;
		if (r->by == by && r->fp == (unsigned long)fp)
			return r->pc;
	}
	return 0;
}

static unsigned long ftrace_graph_ret_addr(struct task_struct *task, int *index,
					   unsigned long ret, void *fp)
{
	return find_replaced(task, TRAMPOLINE, fp) ?: ret;
}

static unsigned long kretprobe_find_ret_addr(struct task_struct *task, void *fp,
					     struct llist_node **cur)
{
	return find_replaced(task, RETHOOK, fp);
}

static struct unwind_table table;

static bool unwind_find_rule(unsigned long pc, struct unwind_rule *rule)
{
	return unwind_table_find(&table, pc, rule);
}

static bool unwind_is_return_address(unsigned long pc)
{
	struct unwind_rule rule;

	if (pc >= ENTRY_TEXT && pc < ENTRY_TEXT + 4096)
		return true;
	if (pc >= RET_FROM_FORK && pc < RET_FROM_FORK + 64)
		return true;
	return unwind_find_rule(pc - 4, &rule) &&
	       unwind_rule_has_frame_record(&rule);
}

#include "../../../arch/arm64/kernel/stacktrace.c"

static u64 state;

static u64 rnd(void)
{
	/* xorshift64*: the same on every machine */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

/* A stack that grows, and what is on it, oldest first */
struct maker {
	struct task_struct	task;
	struct replaced		replaced[2 * MAX_FRAMES];
	unsigned long		truth[4 * MAX_FRAMES];
	int			nr;
	bool			exception;
	bool			hidden;		/* nothing tells what was replaced */
	bool			frameless;	/* a caller is not in the chain */
	unsigned long		sp;
	unsigned long		fp;
	/* The return address of the next function */
	unsigned long		ra;
};

static void put(unsigned long addr, unsigned long value)
{
	memcpy((void *)addr, &value, sizeof(value));
}

static unsigned long maybe_signed(unsigned long pc)
{
	return rnd() % 2 ? pc : pc ^ (rnd() & SIGNATURE);
}

static unsigned long some_pc(struct unwind_rule *rule, bool call)
{
	unsigned long pc;

	do {
		pc = TEXT + (rnd() % table.text_size & ~3UL);
	} while (!unwind_find_rule(pc, rule) ||
		 (call && !unwind_rule_has_frame_record(rule)));
	return pc;
}

/*
 * Take the space of a frame; what is in it is garbage. Returns whether there was
 * enough of it.
 */
static bool take_frame(struct maker *m, const struct unwind_rule *rule)
{
	unsigned long low = (unsigned long)m->task.stack, size = rule->cfa_off, i;

	/* Nothing tells how much lies below what X29 points to */
	if (rule->cfa_base == UNWIND_CFA_FP)
		size = (size + rnd() % 128 + 15) & ~15UL;
	if (m->sp - low < size + 2 * sizeof(struct pt_regs))
		return false;
	for (i = 8; i <= size; i += 8)
		put(m->sp - i, rnd() % 2 ? low + rnd() % THREAD_SIZE : rnd());
	m->sp -= size;
	return true;
}

/*
 * Tracers replace the return address on entry, and keep it by its FP. Two of
 * them can do so for the same function, in any order.
 */
static unsigned long maybe_replaced(struct maker *m)
{
	unsigned long by = rnd() % 2 ? RETHOOK : TRAMPOLINE, ra = m->ra;
	struct replaced *r = &m->replaced[m->task.nr_replaced];
	int i, nr = 1 + rnd() % 2;

	if (rnd() % 8 || m->task.nr_replaced + nr > 2 * MAX_FRAMES)
		return m->ra;
	if (rnd() % 16 == 0) {
		/* No list has it, or there is no list */
		m->hidden = true;
		return by;
	}
	/* One of the same FP would be found first */
	if (m->task.nr_replaced && r[-1].fp == m->fp)
		return m->ra;
	for (i = 0; i < nr; i++, r++) {
		r->fp = m->fp;
		r->pc = ra;
		r->by = by;
		ra = by;
		by = by == RETHOOK ? TRAMPOLINE : RETHOOK;
	}
	m->task.nr_replaced += nr;
	return ra;
}

/*
 * Assembly that calls without a frame of its own, as trampolines of direct calls
 * do: its caller is in no record. No task sleeps there.
 */
static void call_frameless(struct maker *m)
{
	m->truth[m->nr++] = m->ra;
	m->ra = ASSEMBLY + (rnd() % 4096 & ~3UL);
	m->frameless = true;
}

/* A function that has called the next one */
static bool call(struct maker *m)
{
	unsigned long cfa = m->sp, ra;
	struct unwind_rule rule;
	unsigned long pc = some_pc(&rule, true);

	if (rule.cfa_base == UNWIND_CFA_FP && rule.cfa_off != rule.fp_off)
		return true;
	if (!take_frame(m, &rule))
		return false;
	ra = maybe_replaced(m);
	put(cfa - rule.ra_off, maybe_signed(ra));
	put(cfa - rule.fp_off, m->fp);
	m->truth[m->nr++] = m->ra;
	m->fp = cfa - rule.fp_off;
	m->ra = pc + 4;
	return true;
}

/* A function that is interrupted, and the frame of the exception's handler */
static bool interrupt(struct maker *m)
{
	unsigned long cfa = m->sp, ra;
	struct unwind_rule rule;
	struct pt_regs *regs;
	unsigned long pc = some_pc(&rule, false);
	int i;

	if (!take_frame(m, &rule))
		return false;
	ra = maybe_replaced(m);
	regs = (struct pt_regs *)m->sp - 1;
	for (i = 0; i < 31; i++)
		regs->regs[i] = rnd();
	if (rule.ra_off)
		put(cfa - rule.ra_off, maybe_signed(ra));
	else
		regs->regs[30] = maybe_signed(ra);
	if (rule.fp_off)
		put(cfa - rule.fp_off, m->fp);
	else
		regs->regs[29] = m->fp;
	if (rule.cfa_base == UNWIND_CFA_FP)
		regs->regs[29] = cfa - rule.cfa_off;
	regs->sp = m->sp;
	regs->pc = pc;
	regs->stackframe.record.fp = 0;
	regs->stackframe.record.lr = 0;
	regs->stackframe.type = FRAME_META_TYPE_PT_REGS;
	m->truth[m->nr++] = m->ra;
	m->truth[m->nr++] = pc;
	m->exception = true;
	m->sp = (unsigned long)regs;
	m->fp = (unsigned long)&regs->stackframe;
	m->ra = ENTRY_TEXT + (rnd() % 4096 & ~3UL);
	/* The handler has a frame, or there would be no way to its pt_regs */
	return call(m);
}

static void make(struct maker *m)
{
	struct pt_regs *regs = task_pt_regs(&m->task);
	int i, nr = 1 + rnd() % 24;

	m->task.nr_replaced = 0;
	m->task.ret_stack = m->replaced;
	m->nr = 0;
	m->exception = false;
	m->hidden = false;
	m->frameless = false;
	memset(regs, 0, sizeof(*regs));
	regs->stackframe.type = FRAME_META_TYPE_FINAL;
	m->sp = (unsigned long)regs;
	m->fp = (unsigned long)&regs->stackframe;
	m->ra = RET_FROM_FORK + 4;
	for (i = 0; i < nr; i++) {
		if (rnd() % 256 == 0)
			call_frameless(m);
		if (!(rnd() % 6 ? call(m) : interrupt(m)))
			break;
	}
	if (!m->task.nr_replaced && rnd() % 2)
		m->task.ret_stack = NULL;
	m->truth[m->nr++] = m->ra;
	m->task.saved_fp = m->fp;
	m->task.saved_pc = m->ra;
}

struct trace {
	unsigned long	pc[THREAD_SIZE / 8];
	int		nr;
};

static bool note(void *cookie, unsigned long pc)
{
	struct trace *trace = cookie;

	/* Every step takes a part of the stack */
	assert(trace->nr < THREAD_SIZE / 8);
	trace->pc[trace->nr++] = pc;
	return true;
}

static void die(const struct maker *m, const struct trace *trace, unsigned long round)
{
	int i;

	fprintf(stderr, "round %lu: a trace that is not true is called reliable\n", round);
	for (i = 0; i < m->nr || i < trace->nr; i++)
		fprintf(stderr, "  %lx %lx\n", i < m->nr ? m->truth[m->nr - 1 - i] : 0,
			i < trace->nr ? trace->pc[i] : 0);
	exit(1);
}

static bool is_true(const struct maker *m, const struct trace *trace)
{
	int i;

	for (i = 0; i < m->nr; i++) {
		if (trace->nr != m->nr || trace->pc[i] != m->truth[m->nr - 1 - i])
			return false;
	}
	return true;
}

static void damage(struct maker *m)
{
	unsigned long low = (unsigned long)m->task.stack;
	unsigned int i, nr = 1 + rnd() % 8;

	for (i = 0; i < nr; i++) {
		unsigned long at = m->sp + rnd() % (low + THREAD_SIZE - m->sp), old;

		at &= rnd() % 8 ? ~7UL : ~0UL;
		if (at > low + THREAD_SIZE - 8)
			continue;
		memcpy(&old, (void *)at, 8);
		switch (rnd() % 6) {
		case 0:
			old = 0;
			break;
		case 1:
			old = rnd() % 3;
			break;
		case 2:
			old += 8 * (rnd() % 64) - 256;
			break;
		case 3:
			old ^= 1UL << rnd() % 64;
			break;
		case 4:
			old = low + rnd() % THREAD_SIZE;
			break;
		default:
			old = rnd();
			break;
		}
		put(at, old);
	}
	if (rnd() % 8 == 0)
		m->task.saved_fp = low + rnd() % (THREAD_SIZE + 64) - 32;
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data;

	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(2);
	}
	*size = ftell(f);
	rewind(f);
	data = malloc(*size);
	if (!data || fread(data, 1, *size, f) != *size) {
		perror(path);
		exit(2);
	}
	fclose(f);
	return data;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000, i;
	unsigned long with = 0, without = 0, refused = 0, accepted = 0, stopped = 0;
	unsigned long entries = 0;
	static struct trace trace;
	struct task_struct other = { 0 };
	struct maker *m = calloc(1, sizeof(*m));
	size_t size;

	if (argc < 2) {
		fprintf(stderr, "Usage: %s TABLE [ROUNDS [SEED]]\n", argv[0]);
		return 2;
	}
	state = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	state = state * 2 + 1;
	table.data = read_file(argv[1], &size);
	table.size = size;
	table.text = TEXT;
	table.text_size = ((struct unwind_table_header *)table.data)->text_size;
	assert(!unwind_table_check(&table));
	current = &other;

	for (i = 0; i < rounds; i++) {
		int ret;

		/* Of exactly its size */
		m->task.stack = aligned_alloc(16, THREAD_SIZE);
		make(m);
		trace.nr = 0;
		ret = arch_stack_walk_reliable(note, &trace, &m->task);
		/* Without an exception nobody looks for frames that are missing */
		if (!ret && !is_true(m, &trace) && (m->exception || !m->frameless))
			die(m, &trace, i);
		/* All of it is in the table, so there is no excuse either */
		if (ret && !m->hidden && !m->frameless) {
			fprintf(stderr, "round %lu: error %d\n", i, ret);
			die(m, &trace, i);
		}
		entries += ret ? 0 : trace.nr;
		if (ret)
			refused++;
		else if (m->exception)
			with++;
		else
			without++;

		damage(m);
		trace.nr = 0;
		if (arch_stack_walk_reliable(note, &trace, &m->task))
			stopped++;
		else
			accepted++;
		/* Everybody else's walk has to bear it as well */
		trace.nr = 0;
		arch_stack_walk(note, &trace, &m->task, NULL);
		free(m->task.stack);
	}
	free((void *)table.data);
	free(m);
	printf("%lu true traces with an exception, %lu without, %lu entries\n", with,
	       without, entries);
	printf("%lu traces with something that is not known were refused\n", refused);
	printf("%lu damaged stacks: %lu refused, %lu walked to their end\n", rounds,
	       stopped, accepted);
	return !with || !without || !refused || !stopped;
}
