/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What test_ftrace_regs_main.c and test_ftrace_regs_asm.S share.
 */
#ifndef TEST_FTRACE_REGS_H
#define TEST_FTRACE_REGS_H

#include <linux/ftrace.h>
#include <linux/printk.h>
#include <linux/types.h>

/* For functions with a variable "bad" */
#define check(cond) ({						\
	bool __ok = (cond);					\
								\
	if (!__ok) {						\
		pr_info("# line %d: %s\n", __LINE__, #cond);	\
		bad = true;					\
	}							\
	__ok;							\
})

void test_regs_report(bool bad, const char *name);
void test_regs_skip(const char *name, const char *why);

int test_regs_trace(struct ftrace_ops *ops, void *func);
void test_regs_untrace(struct ftrace_ops *ops, void *func);
unsigned long test_regs_branch_target(unsigned long site);
unsigned long test_regs_lookup(const char *name);
int test_regs_try_probe(unsigned long addr);
bool test_regs_trace_is_bad(const char *func, const char *caller);

void test_regs_probes(void);
void test_regs_churn(void);

#define NR_GPRS		31
#define NR_STACK_ARGS	4

/* test_ftrace_regs_asm.S knows this layout */
struct test_regs {
	u64 x[NR_GPRS];
	u64 sp;
	u64 nzcv;
	u64 stack[NR_STACK_ARGS];
};

u64 test_regs_call(struct test_regs *in, struct test_regs *out);
u64 test_regs_callee(void);
u64 test_regs_callee2(void);
u64 test_regs_stale(u64 arg, unsigned long tramp, unsigned long site);
void test_regs_direct(void);
void test_regs_direct_orig(void);
void test_regs_return2(void);

u64 test_regs_entry(struct test_regs *regs);
u64 test_regs_entry2(struct test_regs *regs);

extern u64 test_regs_direct_calls;

#endif /* TEST_FTRACE_REGS_H */
