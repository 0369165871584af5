// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "test_klp_redirect.h"

/*
 * A direct call of a live-patched function that shares the function with an ops
 * that modifies the IP as the trampoline of a BPF program does: one trampoline
 * does for a function that nobody else changes. If there is a live patch, or when
 * one comes, another one is needed, which does not know where the function goes
 * on: it calls what LR says. The first registration fails then with -EAGAIN, and
 * is repeated.
 */

#ifdef CONFIG_ARM64
static unsigned long hits, returns;
module_param(hits, ulong, 0400);
MODULE_PARM_DESC(hits, "how often a trampoline was called");
module_param(returns, ulong, 0400);
MODULE_PARM_DESC(returns, "how often the function returned to one");

static bool shared;
module_param(shared, bool, 0400);
MODULE_PARM_DESC(shared, "another ops modifies the IP");

static int again;
module_param(again, int, 0400);
MODULE_PARM_DESC(again, "registrations that had to be repeated");

static char symbol[64] = "redirect_eight";
module_param_string(symbol, symbol, sizeof(symbol), 0400);
MODULE_PARM_DESC(symbol, "function to attach to");

void test_klp_redirect_hit(void)
{
	WRITE_ONCE(hits, hits + 1);
}

void test_klp_redirect_return(void)
{
	WRITE_ONCE(returns, returns + 1);
}

asm("	.pushsection    .text, \"ax\", @progbits\n"
"	.type		test_klp_redirect_tramp, @function\n"
"	.globl		test_klp_redirect_tramp\n"
"	.balign		8\n"
"test_klp_redirect_tramp:\n"
"	hint	34\n" /* BTI C */
"	sub	sp, sp, #96\n"
"	stp	x9, x30, [sp, #80]\n"
"	str	x8, [sp, #64]\n"
"	stp	x0, x1, [sp]\n"
"	stp	x2, x3, [sp, #16]\n"
"	stp	x4, x5, [sp, #32]\n"
"	stp	x6, x7, [sp, #48]\n"
"	bl	test_klp_redirect_hit\n"
"	ldp	x6, x7, [sp, #48]\n"
"	ldp	x4, x5, [sp, #32]\n"
"	ldp	x2, x3, [sp, #16]\n"
"	ldp	x0, x1, [sp]\n"
"	ldr	x8, [sp, #64]\n"
"	ldp	x30, x9, [sp, #80]\n"
"	add	sp, sp, #96\n"
"	ret	x9\n"
"	.size		test_klp_redirect_tramp, .-test_klp_redirect_tramp\n"

/* For functions without arguments on the stack */
"	.type		test_klp_redirect_shared_tramp, @function\n"
"	.globl		test_klp_redirect_shared_tramp\n"
"	.balign		8\n"
"test_klp_redirect_shared_tramp:\n"
"	hint	34\n"
"	sub	sp, sp, #96\n"
"	stp	x9, x30, [sp, #80]\n"
"	str	x8, [sp, #64]\n"
"	stp	x0, x1, [sp]\n"
"	stp	x2, x3, [sp, #16]\n"
"	stp	x4, x5, [sp, #32]\n"
"	stp	x6, x7, [sp, #48]\n"
"	bl	test_klp_redirect_hit\n"
"	ldp	x6, x7, [sp, #48]\n"
"	ldp	x4, x5, [sp, #32]\n"
"	ldp	x2, x3, [sp, #16]\n"
"	ldp	x0, x1, [sp]\n"
"	ldr	x8, [sp, #64]\n"
"	ldr	x10, [sp, #88]\n"
"	adr	x30, 1f\n"
"	ret	x10\n"
"1:	str	x0, [sp]\n"
"	bl	test_klp_redirect_return\n"
"	ldr	x0, [sp]\n"
"	ldr	x30, [sp, #80]\n"
"	add	sp, sp, #96\n"
"	ret\n"
"	.size		test_klp_redirect_shared_tramp, .-test_klp_redirect_shared_tramp\n"
"	.popsection\n"
);

static unsigned long tramp(void)
{
	return (unsigned long)(shared ? test_klp_redirect_shared_tramp :
					test_klp_redirect_tramp);
}

/* What is registered */
static unsigned long current_tramp;

static int share(struct ftrace_ops *ops, unsigned long ip, enum ftrace_ops_cmd cmd)
{
	int ret;

	switch (cmd) {
	case FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_SELF:
		if (shared)
			return 0;
		shared = true;
		again++;
		return -EAGAIN;
	case FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_PEER:
		shared = true;
		if (current_tramp == tramp())
			return 0;
		ret = modify_ftrace_direct_nolock(ops, tramp());
		if (!ret)
			current_tramp = tramp();
		return ret;
	default:
		return 0;
	}
}

static struct ftrace_ops direct = {
	.ops_func = share,
};

/* Another trampoline, while others may be attached, too */
static int modify_set(const char *val, const struct kernel_param *kp)
{
	unsigned long other;
	int ret;

	other = current_tramp == (unsigned long)test_klp_redirect_tramp ?
		(unsigned long)test_klp_redirect_shared_tramp :
		(unsigned long)test_klp_redirect_tramp;
	ret = modify_ftrace_direct(&direct, other);
	if (!ret)
		current_tramp = other;

	return ret;
}

static const struct kernel_param_ops modify_ops = {
	.set = modify_set,
};
module_param_cb(modify, &modify_ops, NULL, 0200);
MODULE_PARM_DESC(modify, "Change over to the other trampoline");

static int test_klp_redirect_direct_init(void)
{
	struct kprobe kp = { .symbol_name = symbol };
	unsigned long addr;
	int ret;

	/* The address of a symbol that is not exported */
	ret = register_kprobe(&kp);
	if (ret)
		return ret;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);

	ret = ftrace_set_filter_ip(&direct, addr, 0, 0);
	if (ret)
		return ret;

	ret = register_ftrace_direct(&direct, tramp());
	if (ret == -EAGAIN)
		ret = register_ftrace_direct(&direct, tramp());
	if (!ret)
		current_tramp = tramp();

	return ret;
}

static void test_klp_redirect_direct_exit(void)
{
	unregister_ftrace_direct(&direct, current_tramp, true);
}
#else
static int test_klp_redirect_direct_init(void)
{
	return -EOPNOTSUPP;
}

static void test_klp_redirect_direct_exit(void)
{
}
#endif

module_init(test_klp_redirect_direct_init);
module_exit(test_klp_redirect_direct_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: direct call of a redirected function");
