// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>

/* Makes a function of the kernel return an error instead of doing anything. */

static char symbol[64] = "ftrace_make_redirect";
module_param_string(symbol, symbol, sizeof(symbol), 0400);
MODULE_PARM_DESC(symbol, "function that is to fail");

static int error = -EPERM;
module_param(error, int, 0600);
MODULE_PARM_DESC(error, "what it returns");

static int skip;
module_param(skip, int, 0600);
MODULE_PARM_DESC(skip, "calls that succeed first");

static int times = -1;
module_param(times, int, 0600);
MODULE_PARM_DESC(times, "how many calls fail then, -1 for all");

static unsigned int hits;
module_param(hits, uint, 0400);
MODULE_PARM_DESC(hits, "how many calls have failed");

static int fault(struct kprobe *kp, struct pt_regs *regs)
{
	if (skip > 0) {
		skip--;
		return 0;
	}
	if (!times)
		return 0;
	if (times > 0)
		times--;
	hits++;

	regs_set_return_value(regs, error);
#ifdef CONFIG_ARM64
	instruction_pointer_set(regs, procedure_link_pointer(regs));
#endif
	return 1;
}

static struct kprobe kp = {
	.symbol_name = symbol,
	.pre_handler = fault,
};

static int test_klp_redirect_fault_init(void)
{
	return register_kprobe(&kp);
}

static void test_klp_redirect_fault_exit(void)
{
	unregister_kprobe(&kp);
}

module_init(test_klp_redirect_fault_init);
module_exit(test_klp_redirect_fault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: let a function fail");
