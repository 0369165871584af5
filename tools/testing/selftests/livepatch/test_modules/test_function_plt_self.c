// SPDX-License-Identifier: GPL-2.0
/*
 * A module that has a direct call of a function of its own while it is loaded.
 *
 * test_function_plt_self2 is the same with another layout: loaded one after the
 * other they lie at the same address, where each has to find slots that know
 * nothing of the other, at other offsets.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/sizes.h>

#define INSN_BTI_C	0xd503245f
#define INSN_LDR_X16_M8	0x58ffffd0	/* ldr	x16, .-8 */

static unsigned long tramp;
module_param(tramp, ulong, 0444);
MODULE_PARM_DESC(tramp, "address of ftrace_stub_direct_tramp in the kernel");

#ifdef SECOND
/* Compilers emit this ahead of all functions. */
asm("	.pushsection	.text, \"ax\", @progbits\n"
"	.rept		10\n"
"	nop\n"
"	.endr\n"
"	.popsection\n");
#endif

static noinline int victim(int x)
{
	barrier();
	return x + 1;
}

static struct ftrace_ops direct;

static bool leads_straight(void)
{
	unsigned long func = (unsigned long)victim;
	__le32 *ip = (__le32 *)func + 1, *slot;
	long distance, offset;

	if (le32_to_cpu(*(__le32 *)func) == INSN_BTI_C)
		ip++;
	distance = tramp - (unsigned long)ip;
	offset = (long)((u64)le32_to_cpu(READ_ONCE(*ip)) << 38) >> 36;

	/* In range there is no need for a slot. */
	if (distance >= -(long)SZ_128M && distance < (long)SZ_128M)
		return (unsigned long)ip + offset == tramp;

	slot = (void *)ip + offset;
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS) &&
	    slot != (__le32 *)(func - 16))
		return false;

	return le32_to_cpu(slot[0]) == INSN_LDR_X16_M8 &&
	       *(u64 *)(slot - 2) == tramp;
}

static int __init test_function_plt_self_init(void)
{
	int ret;

	ret = ftrace_set_filter_ip(&direct, (unsigned long)victim, 0, 0);
	if (ret)
		return ret;

	ret = register_ftrace_direct(&direct, tramp);
	if (ret)
		return ret;

	if (leads_straight() && victim(1) == 2)
		return 0;

	pr_err("%ps does not lead to its trampoline\n", victim);
	unregister_ftrace_direct(&direct, tramp, true);
	return -EIO;
}

static void __exit test_function_plt_self_exit(void)
{
	unregister_ftrace_direct(&direct, tramp, true);
}

module_init(test_function_plt_self_init);
module_exit(test_function_plt_self_exit);
MODULE_DESCRIPTION("Livepatch test: a module with a direct call");
MODULE_LICENSE("GPL");
