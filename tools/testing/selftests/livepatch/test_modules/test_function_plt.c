// SPDX-License-Identifier: GPL-2.0
/*
 * Direct calls of ftrace on arm64, and what they leave in the code.
 *
 * Load it, and read the results from the log, in KTAP.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/gcd.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/lcm.h>
#include <linux/math.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "test_function_plt.h"

#define INSN_NOP	0xd503201f
#define INSN_BTI_C	0xd503245f
#define INSN_BL		0x94000000
#define INSN_BL_MASK	0xfc000000
#define INSN_LDR_X16_M8	0x58ffffd0	/* ldr	x16, .-8 */
#define INSN_BR_X16	0xd61f0200	/* br	x16 */

static unsigned long tramp;
module_param(tramp, ulong, 0444);
MODULE_PARM_DESC(tramp, "address of ftrace_stub_direct_tramp in the kernel");

static unsigned int rounds = 100;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often to attach and detach under load");

static bool hotplug;
module_param(hotplug, bool, 0444);
MODULE_PARM_DESC(hotplug, "CPUs come and go: only do the test under load, where either way is right");

/* Trampolines that count how often they are called, in X10 to X12 only */
#define TRAMPOLINE(n)							\
asm("	.pushsection	.bss, \"aw\", @nobits\n"			\
"	.globl		test_count" #n "\n"				\
"	.balign		8\n"						\
"test_count" #n ":	.skip	8\n"					\
"	.popsection\n"							\
"	.pushsection	.text, \"ax\", @progbits\n"			\
"	.type		test_tramp" #n ", @function\n"			\
"	.globl		test_tramp" #n "\n"				\
"	.balign		4\n"						\
"test_tramp" #n ":\n"							\
"	hint		34\n"						\
"	adrp		x10, test_count" #n "\n"			\
"	add		x10, x10, :lo12:test_count" #n "\n"		\
"1:	ldxr		x11, [x10]\n"					\
"	add		x11, x11, #1\n"					\
"	stxr		w12, x11, [x10]\n"				\
"	cbnz		w12, 1b\n"					\
"	mov		x10, x30\n"					\
"	mov		x30, x9\n"					\
"	ret		x10\n"						\
"	.size		test_tramp" #n ", .-test_tramp" #n "\n"		\
"	.popsection\n")

TRAMPOLINE(1);
TRAMPOLINE(2);

#define TRAMP1	((unsigned long)test_tramp1)
#define TRAMP2	((unsigned long)test_tramp2)

#define VICTIM	((unsigned long)int_sqrt)

/* Call a function of the kernel in a way that the compiler cannot omit. */
static notrace unsigned long victim(unsigned long x)
{
	unsigned long (*func)(unsigned long) = int_sqrt;

	OPTIMIZER_HIDE_VAR(func);
	return func(x);
}

static noinline unsigned long victim_here(unsigned long x)
{
	barrier();
	return x + 1;
}

static atomic64_t traced;

static notrace void tracer(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	atomic64_inc(&traced);
}

static bool reachable(unsigned long pc, unsigned long addr)
{
	long distance = (long)(addr - pc);

	return distance >= -(long)SZ_128M && distance < SZ_128M;
}

static u32 insn_at(unsigned long addr)
{
	return le32_to_cpu(READ_ONCE(*(__le32 *)addr));
}

/* Behind the landing pad, if there is one, and the MOV X9, LR */
static unsigned long patch_site(unsigned long func)
{
	return func + (insn_at(func) == INSN_BTI_C ? 8 : 4);
}

/* Where a BL leads to, or 0 if there is none */
static unsigned long bl_target(unsigned long pc)
{
	u32 insn = insn_at(pc);

	if ((insn & INSN_BL_MASK) != INSN_BL)
		return 0;

	return pc + ((long)((u64)insn << 38) >> 36);
}

/* The slot, as seen from a function with or without a landing pad */
static unsigned long slot_entry(unsigned long ip)
{
	return ALIGN_DOWN(ip - 4, 8) - 16;
}

/* Slots from a pool can be anywhere in reach. */
static bool is_slot(unsigned long ip, unsigned long entry)
{
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS))
		return entry == slot_entry(ip);

	return entry && insn_at(entry) == INSN_LDR_X16_M8;
}

/* Does the patch site lead to the trampoline without anything in between? */
static bool leads_straight(unsigned long ip, unsigned long to)
{
	unsigned long entry = bl_target(ip);

	if (reachable(ip, to))
		return entry == to;

	return is_slot(ip, entry) && insn_at(entry) == INSN_LDR_X16_M8 &&
	       insn_at(entry + 4) == INSN_BR_X16 &&
	       READ_ONCE(*(u64 *)(entry - 8)) == to;
}

/* Does it call ftrace_caller, which finds the trampoline in the ops? */
static bool takes_detour(unsigned long ip, unsigned long to)
{
	unsigned long entry = bl_target(ip);

	return entry && !is_slot(ip, entry) && entry != to;
}

static unsigned int test_nr;
static bool failed;

static void result(bool ok, const char *name)
{
	pr_info("%sok %u %s\n", ok ? "" : "not ", ++test_nr, name);
	failed |= !ok;
}

#define expect(cond)							\
({									\
	bool __ok = (cond);						\
	if (!__ok)							\
		pr_info("# line %d: %s\n", __LINE__, #cond);		\
	__ok;								\
})

/* Call the victim and tell by how much the counters grew. */
static bool called(unsigned int by1, unsigned int by2, unsigned int by_tracer)
{
	s64 c1 = atomic64_read(&test_count1), c2 = atomic64_read(&test_count2);
	s64 t = atomic64_read(&traced);
	bool ok = victim(144) == 12;

	c1 = atomic64_read(&test_count1) - c1;
	c2 = atomic64_read(&test_count2) - c2;
	t = atomic64_read(&traced) - t;
	if (ok && c1 == by1 && c2 == by2 && t == by_tracer)
		return true;

	pr_info("# trampolines %lld and %lld, tracer %lld times, result %s\n",
		c1, c2, t, ok ? "right" : "wrong");
	return false;
}

static struct ftrace_ops direct, function = { .func = tracer };

static int attach(void)
{
	return ftrace_set_filter_ip(&direct, VICTIM, 0, 0) ?:
	       register_ftrace_direct(&direct, TRAMP1);
}

static int detach(unsigned long addr)
{
	return unregister_ftrace_direct(&direct, addr, true);
}

/* A test that fails leaves its ops behind: nothing may still be using them. */
static void release(struct ftrace_ops *ops)
{
	if (ops->flags & FTRACE_OPS_FL_ENABLED) {
		if (ops->flags & FTRACE_OPS_FL_DIRECT)
			unregister_ftrace_direct(ops, ops->direct_call, true);
		else
			unregister_ftrace_function(ops);
	}
	ftrace_free_filter(ops);
}

static void test_one(unsigned long ip)
{
	bool ok;

	ok = expect(!attach()) && expect(called(1, 0, 0)) &&
	     expect(leads_straight(ip, TRAMP1));
	result(ok, "attach");

	ok = expect(!ftrace_set_filter_ip(&function, VICTIM, 0, 0)) &&
	     expect(!register_ftrace_function(&function)) &&
	     expect(called(1, 0, 1)) && expect(bl_target(ip));
	result(ok, "a tracer joins");

	ok = expect(!unregister_ftrace_function(&function)) &&
	     expect(called(1, 0, 0)) && expect(leads_straight(ip, TRAMP1));
	release(&function);
	result(ok, "the tracer leaves");

	ok = expect(!modify_ftrace_direct(&direct, TRAMP2)) &&
	     expect(called(0, 1, 0)) && expect(leads_straight(ip, TRAMP2));
	result(ok, "modify");

	ok = expect(!detach(TRAMP2)) && expect(called(0, 0, 0)) &&
	     expect(insn_at(ip) == INSN_NOP);
	result(ok, "detach");

	ok = expect(!attach()) && expect(called(1, 0, 0)) &&
	     expect(leads_straight(ip, TRAMP1)) && expect(!detach(TRAMP1)) &&
	     expect(called(0, 0, 0));
	release(&direct);
	result(ok, "attach again at once");
}

static struct ftrace_ops elsewhere = {
	.func = tracer,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int answer, asked;
static bool called_early;

/* There are two tracers: each call goes through the list of all ops. */
static int ask(struct ftrace_ops *ops, unsigned long ip, enum ftrace_ops_cmd cmd)
{
	asked++;
	called_early |= !expect(called(0, 0, 2));
	return answer;
}

/*
 * Whoever has a direct call of a function that another ops may send elsewhere is
 * asked, and can refuse. Until then, nobody may call it.
 */
static void test_refused(void)
{
	bool ok;

	direct.ops_func = ask;
	ok = expect(!ftrace_set_filter_ip(&elsewhere, VICTIM, 0, 0)) &&
	     expect(!register_ftrace_function(&elsewhere)) &&
	     expect(!ftrace_set_filter_ip(&function, VICTIM, 0, 0)) &&
	     expect(!register_ftrace_function(&function)) &&
	     expect(called(0, 0, 2));

	answer = -EAGAIN;
	ok = ok && expect(attach() == -EAGAIN) && expect(asked == 1) &&
	     expect(called(0, 0, 2));
	answer = 0;
	ok = ok && expect(!attach()) && expect(asked == 2) &&
	     expect(called(1, 0, 2)) && expect(!detach(TRAMP1)) &&
	     expect(called(0, 0, 2));
	release(&direct);
	release(&function);
	release(&elsewhere);
	direct.ops_func = NULL;
	result(ok && expect(called(0, 0, 0)), "refuse");
	result(asked && !called_early, "nobody calls what is not registered yet");
}

/* What can be called is called, whichever way there is. */
static void test_way(const char *name,
		     bool (*way)(unsigned long ip, unsigned long to))
{
	unsigned long ip = patch_site(VICTIM);
	bool ok;

	ok = expect(!attach()) && expect(called(1, 0, 0)) &&
	     expect(way(ip, TRAMP1)) &&
	     expect(!modify_ftrace_direct(&direct, TRAMP2)) &&
	     expect(called(0, 1, 0)) && expect(way(ip, TRAMP2)) &&
	     expect(!ftrace_set_filter_ip(&function, VICTIM, 0, 0)) &&
	     expect(!register_ftrace_function(&function)) &&
	     expect(called(0, 1, 1)) &&
	     expect(!unregister_ftrace_function(&function)) &&
	     expect(called(0, 1, 0)) && expect(way(ip, TRAMP2)) &&
	     expect(!detach(TRAMP2)) && expect(called(0, 0, 0)) &&
	     expect(insn_at(ip) == INSN_NOP);
	release(&function);
	release(&direct);
	result(ok, name);
}

/* Have a function of the kernel fail instead of doing anything. */
static int injected, injections;

/* Not to LR itself: others may trace the return of the function. */
asmlinkage void test_function_plt_return(void);
asm("	.pushsection	.text, \"ax\", @progbits\n"
"	.type		test_function_plt_return, %function\n"
"test_function_plt_return:\n"
"	hint		#34\n"		/* BTI C */
"	ret\n"
"	.size		test_function_plt_return, .-test_function_plt_return\n"
"	.popsection\n");

static notrace int inject(struct kprobe *kp, struct pt_regs *regs)
{
	injections++;
	regs_set_return_value(regs, injected);
	instruction_pointer_set(regs, (unsigned long)test_function_plt_return);
	return 1;
}

static const struct {
	const char *func;
	int error;
	const char *name;
} failures[] = {
	{ "function_plt_prepare", -ENOMEM, "no memory for the slot" },
	{ "function_plt_prepare", -EBUSY,  "the slot is busy" },
	{ "function_plt_prepare", -ENOSPC, "there is no slot left" },
	{ "function_plt_prepare", -EINVAL, "the trampoline has no landing pad" },
	{ "function_plt_sync",	  -EBUSY,  "the slot is not synchronised" },
};

/* Where the slot cannot be used there is another way, until it can be. */
static void test_failures(void)
{
	const char *skip = NULL;
	char name[80];

	if (!IS_ENABLED(CONFIG_KPROBES))
		skip = "no kprobes";
	else if (reachable(VICTIM, TRAMP1) && reachable(VICTIM, TRAMP2))
		skip = "near: nothing needs a slot";

	for (unsigned int i = 0; i < ARRAY_SIZE(failures); i++) {
		struct kprobe kp = {
			.symbol_name = failures[i].func,
			.pre_handler = inject,
		};

		if (skip) {
			pr_info("ok %u %s # SKIP %s\n", ++test_nr,
				failures[i].name, skip);
			continue;
		}
		injected = failures[i].error;
		injections = 0;
		if (!expect(!register_kprobe(&kp))) {
			result(false, failures[i].name);
			continue;
		}
		test_way(failures[i].name, takes_detour);
		unregister_kprobe(&kp);
		snprintf(name, sizeof(name), "seen: %s", failures[i].name);
		result(expect(injections), name);

		snprintf(name, sizeof(name), "not any more: %s", failures[i].name);
		test_way(name, leads_straight);
	}
}

/*
 * gcd() is __attribute_const__: calls with the same arguments can be one call.
 * lcm() calls it, too.
 */
static notrace bool call_all(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return victim(x * x) == x && gcd(2 * x, 3 * x) == x && lcm(x, 2 * x) == 2 * x;
}

/* One ops, one trampoline, several functions */
static void test_multi(void)
{
	unsigned long funcs[] = {
		(unsigned long)int_sqrt, (unsigned long)gcd, (unsigned long)lcm,
	};
	s64 c1 = atomic64_read(&test_count1), c2 = atomic64_read(&test_count2);
	unsigned int n = ARRAY_SIZE(funcs);
	bool ok;

	ok = expect(!ftrace_set_filter_ips(&direct, funcs, n, 0, 0)) &&
	     expect(!register_ftrace_direct(&direct, TRAMP1));
	for (unsigned int i = 0; ok && i < n; i++)
		ok = expect(leads_straight(patch_site(funcs[i]), TRAMP1));

	ok = ok && expect(call_all(12)) &&
	     expect(atomic64_read(&test_count1) - c1 >= 3);

	ok = ok && expect(!modify_ftrace_direct(&direct, TRAMP2));
	for (unsigned int i = 0; ok && i < n; i++)
		ok = expect(leads_straight(patch_site(funcs[i]), TRAMP2));

	ok = ok && expect(call_all(13)) &&
	     expect(atomic64_read(&test_count2) - c2 >= 3) &&
	     expect(!detach(TRAMP2));
	for (unsigned int i = 0; ok && i < n; i++)
		ok = expect(insn_at(patch_site(funcs[i])) == INSN_NOP);

	release(&direct);
	result(ok, "several functions");
}

/* A function of this module and a trampoline of the kernel */
static void test_module(void)
{
	unsigned long func = (unsigned long)victim_here;
	unsigned long ip = patch_site(func);
	struct ftrace_ops *ops;
	bool ok;

	if (!tramp) {
		pr_info("ok %u function of a module # SKIP no parameter tramp\n",
			++test_nr);
		return;
	}

	ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	if (!expect(ops)) {
		result(false, "function of a module");
		return;
	}

	ok = expect(!ftrace_set_filter_ip(ops, func, 0, 0)) &&
	     expect(!register_ftrace_direct(ops, tramp)) &&
	     expect(victim_here(1) == 2) && expect(leads_straight(ip, tramp)) &&
	     expect(!unregister_ftrace_direct(ops, tramp, true)) &&
	     expect(insn_at(ip) == INSN_NOP);
	release(ops);
	/* A thread in ftrace_caller can still look at it. */
	synchronize_rcu_tasks();
	kfree(ops);
	result(ok, "function of a module");
}

/* Symbols of what is ahead of the function: its own name or that in front */
static void test_symbols(void)
{
	char want[KSYM_SYMBOL_LEN], got[KSYM_SYMBOL_LEN];
	bool ok = true;

	if (!IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS)) {
		pr_info("ok %u symbols # SKIP slots are not ahead of functions\n",
			++test_nr);
		return;
	}

	if (insn_at(VICTIM - 16) != INSN_LDR_X16_M8) {
		pr_info("ok %u symbols # SKIP near: the slot was not used\n",
			++test_nr);
		return;
	}

	for (unsigned long pc = VICTIM - 24; pc < VICTIM; pc += 4) {
		bool slot = pc == VICTIM - 16 || pc == VICTIM - 12;

		sprint_symbol(got, pc);
		snprintf(want, sizeof(want), "int_sqrt-%#lx/", VICTIM - pc);
		if (expect(!strncmp(got, want, strlen(want)) == slot) &&
		    expect(slot || strncmp(got, "int_sqrt", 8)))
			continue;
		pr_info("# int_sqrt-%lu is %s\n", VICTIM - pc, got);
		ok = false;
	}
	result(ok, "symbols");
}

/* The blacklist begins and ends with the function: one at the start of a section */
static noinline __kprobes void blacklisted(void)
{
	barrier();
}

/* and one between others */
static noinline unsigned long neighbour1(unsigned long x)
{
	barrier();
	return x + 2;
}

static noinline unsigned long between(unsigned long x)
{
	barrier();
	return x + 3;
}

static noinline unsigned long neighbour2(unsigned long x)
{
	barrier();
	return x + 4;
}

/* Compilers emit functions in the order in which something refers to them. */
static unsigned long (*const row[])(unsigned long) __used = {
	neighbour1, between, neighbour2,
};

NOKPROBE_SYMBOL(between);

static int probe(unsigned long addr)
{
	struct kprobe kp = { .addr = (kprobe_opcode_t *)addr };
	int ret = register_kprobe(&kp);

	if (!ret)
		unregister_kprobe(&kp);

	return ret;
}

static void test_kprobes(void)
{
	unsigned long before = (unsigned long)neighbour1;
	unsigned long inside = (unsigned long)between;
	unsigned long behind = (unsigned long)neighbour2;
	bool ok;

	if (!IS_ENABLED(CONFIG_KPROBES)) {
		pr_info("ok %u kprobes # SKIP no kprobes\n", ++test_nr);
		return;
	}

	blacklisted();
	ok = expect(probe((unsigned long)blacklisted) == -EINVAL);

	ok &= expect(neighbour1(between(neighbour2(0))) == 9) &&
	      expect(before < inside && inside < behind) &&
	      expect(probe(patch_site(inside) + 4) == -EINVAL) &&
	      expect(!probe(patch_site(before) + 4)) &&
	      expect(!probe(patch_site(behind) + 4));

	for (unsigned long pc = VICTIM - 24;
	     IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS) && pc < VICTIM; pc += 4) {
		int ret = probe(pc);

		if (ret == -EINVAL)
			continue;
		pr_info("# kprobe at int_sqrt-%lu: %d\n", VICTIM - pc, ret);
		ok = false;
	}
	result(ok, "kprobes are refused");
}

#ifdef CONFIG_ARM64_FUNCTION_PLT_POOL
/* A slot of a pool has a symbol of its own, and is not to be probed. */
static bool is_pool(unsigned long ip)
{
	unsigned long slot = bl_target(ip) - 8;
	char symbol[KSYM_SYMBOL_LEN];
	bool ok;

	if (!expect(is_slot(ip, slot + 8)))
		return false;

	sprint_symbol(symbol, slot + 8);
	ok = expect(!strncmp(symbol, "function_plt_entries+0x", 23));
	if (!ok)
		pr_info("# the slot is %s\n", symbol);

	for (unsigned long pc = slot; pc < slot + 16; pc += 4)
		ok &= expect(!IS_ENABLED(CONFIG_KPROBES) || probe(pc) == -EINVAL);

	return ok;
}

static void test_pools(void)
{
	struct ftrace_ops *ops;
	bool ok;

	if (reachable(VICTIM, TRAMP1)) {
		pr_info("ok %u symbols and kprobes in pools # SKIP near: no slot is used\n",
			++test_nr);
		return;
	}

	ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	ok = expect(ops && tramp) && expect(!attach()) &&
	     expect(is_pool(patch_site(VICTIM)));
	release(&direct);

	ok = ok && expect(!ftrace_set_filter_ip(ops, (unsigned long)victim_here, 0, 0)) &&
	     expect(!register_ftrace_direct(ops, tramp)) &&
	     expect(is_pool(patch_site((unsigned long)victim_here)));
	if (ops)
		release(ops);
	synchronize_rcu_tasks();
	kfree(ops);
	result(ok, "symbols and kprobes in pools");
}

/* Others may go through the second trampoline meanwhile. */
static bool called_first(void)
{
	s64 c1 = atomic64_read(&test_count1);

	return victim(144) == 12 && atomic64_read(&test_count1) - c1 == 1;
}

/* More functions than slots: those that find none take the other way. */
static void test_exhausted(void)
{
	const char *name = "a pool with no slot left";
	unsigned long ip = patch_site(VICTIM);
	char filter[] = "tcp_*";
	struct ftrace_ops *ops;
	bool ok, full = false;
	unsigned int i;

	if (reachable(VICTIM, TRAMP1)) {
		pr_info("ok %u %s # SKIP near: no slot is used\n", ++test_nr, name);
		return;
	}

	ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	ok = expect(ops) &&
	     expect(!ftrace_set_filter(ops, filter, strlen(filter), 1)) &&
	     expect(!register_ftrace_direct(ops, TRAMP2)) &&
	     expect(!attach()) && expect(called_first());
	if (ok) {
		full = takes_detour(ip, TRAMP1);
		ok = expect(full || leads_straight(ip, TRAMP1));
	}
	release(&direct);
	if (ops)
		release(ops);

	/* The slots come back, and can be had at once by those who had them. */
	for (i = 0; ok && i < 100; i++) {
		bool straight;

		synchronize_rcu_tasks();
		ok = expect(!attach()) && expect(called_first());
		straight = leads_straight(ip, TRAMP1);
		release(&direct);
		if (straight)
			break;
		msleep(20);
	}
	ok = ok && expect(i < 100);

	synchronize_rcu_tasks();
	kfree(ops);

	if (ok && !full)
		pr_info("ok %u %s # SKIP %u slots are enough for functions tcp_*\n",
			++test_nr, name, CONFIG_ARM64_FUNCTION_PLT_POOL_ENTRIES);
	else
		result(ok, name);
}
#else
static void test_pools(void) { }
static void test_exhausted(void) { }
#endif

static atomic_t wrong;
static atomic64_t calls;

/* While CPUs come and go there is not always a moment to prepare the slot. */
static bool attached(unsigned long ip, unsigned long to, unsigned int *detours)
{
	if (leads_straight(ip, to))
		return true;
	if (!hotplug || !takes_detour(ip, to))
		return false;
	++*detours;
	return true;
}

static int caller(void *unused)
{
	unsigned long i = 0;

	while (!kthread_should_stop()) {
		i++;
		if (victim(i * i) != i)
			atomic_inc(&wrong);
		if (!(i & 0xff)) {
			i = 0;
			atomic64_add(256, &calls);
			cond_resched_tasks_rcu_qs();
		}
	}

	return 0;
}

/* Attach, modify, trace and detach while all CPUs call the function. */
static void test_load(unsigned long ip)
{
	unsigned int i, detours = 0, threads = 2 * num_online_cpus();
	s64 c1 = atomic64_read(&test_count1), c2 = atomic64_read(&test_count2);
	struct task_struct **tasks;
	bool ok;

	tasks = kcalloc(threads, sizeof(*tasks), GFP_KERNEL);
	ok = expect(tasks);
	for (i = 0; ok && i < threads; i++) {
		tasks[i] = kthread_run(caller, NULL, "function_plt/%u", i);
		ok = expect(!IS_ERR(tasks[i]));
	}
	if (!ok)
		threads = i ? i - 1 : 0;

	for (i = 0; ok && i < rounds; i++) {
		ok = expect(!attach()) && expect(attached(ip, TRAMP1, &detours));
		if (ok && i % 3 == 1)
			ok = expect(!modify_ftrace_direct(&direct, TRAMP2)) &&
			     expect(attached(ip, TRAMP2, &detours));
		if (ok && i % 4 == 1)
			ok = expect(!ftrace_set_filter_ip(&function, VICTIM, 0, 0)) &&
			     expect(!register_ftrace_function(&function)) &&
			     expect(!unregister_ftrace_function(&function));
		if (ok && i % 5 == 1)
			fsleep(1000);
		ok = ok && expect(!detach(i % 3 == 1 ? TRAMP2 : TRAMP1)) &&
		     expect(insn_at(ip) == INSN_NOP);
	}
	release(&function);
	release(&direct);

	for (i = 0; i < threads; i++)
		kthread_stop(tasks[i]);
	kfree(tasks);

	c1 = atomic64_read(&test_count1) - c1;
	c2 = atomic64_read(&test_count2) - c2;
	ok &= expect(!atomic_read(&wrong)) && expect(atomic64_read(&calls)) &&
	      expect(rounds < 20 || (c1 && c2));
	pr_info("# %u rounds, %u detours, %lld calls, %lld of them went through the trampolines\n",
		rounds, detours, atomic64_read(&calls), c1 + c2);
	result(ok, "attach and detach under load");
}

static int __init test_function_plt_init(void)
{
	unsigned long ip = patch_site(VICTIM);

	pr_info("KTAP version 1\n");
	pr_info("# this module is %s\n",
		reachable(VICTIM, TRAMP1) ? "near" : "far");

	if (!hotplug) {
		test_one(ip);
		test_refused();
		test_multi();
		test_failures();
		test_module();
		test_symbols();
		test_kprobes();
		test_pools();
		test_exhausted();
	}
	test_load(ip);
	pr_info("1..%u\n", test_nr);

	/* Tasks may still be in a trampoline. */
	synchronize_rcu_tasks();

	return failed ? -EIO : 0;
}

static void __exit test_function_plt_exit(void)
{
}

module_init(test_function_plt_init);
module_exit(test_function_plt_exit);
MODULE_DESCRIPTION("Livepatch test: direct calls through per-function PLTs");
MODULE_LICENSE("GPL");
