// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that kprobes must leave alone because ftrace patches it or runs in it.
 */

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include <asm/function-plt.h>
#include <asm/patchable-entry.h>
#include <asm/sections.h>

/*
 * The words ahead of a patchable function are literals, or code that branches
 * only reach while the function is patched. kallsyms takes them for a part of
 * the function in front.
 */
static bool in_patchable_prefix(unsigned long addr)
{
	unsigned long ip, func;

	if (!PATCHABLE_PREFIX_BYTES)
		return false;

	/* From the entry, the patch site is 4 bytes away, or 8 behind a BTI */
	ip = ftrace_location_range(addr + 2 * AARCH64_INSN_SIZE,
				   addr + PATCHABLE_PREFIX_BYTES +
				   2 * AARCH64_INSN_SIZE);
	if (!ip)
		return false;

	func = arch_ftrace_get_symaddr(ip);

	return addr >= func - PATCHABLE_PREFIX_BYTES && addr < func;
}

/* The PLT entries through which the functions of a module reach ftrace */
static bool in_module_ftrace_plt(unsigned long addr)
{
#ifdef CONFIG_MODULES
	const size_t size = NR_FTRACE_PLTS * sizeof(struct ftrace_plt);
	struct module *mod;

	guard(rcu)();
	mod = __module_text_address(addr);
	if (!mod)
		return false;

	if (within_module_mem_type(addr, mod, MOD_INIT_TEXT))
		return addr - (unsigned long)mod->arch.init_ftrace_trampolines < size;

	return addr - (unsigned long)mod->arch.ftrace_trampolines < size;
#else
	return false;
#endif
}

bool arch_within_kprobe_blacklist(unsigned long addr)
{
	/* The same as without an architecture's own function */
	if (addr >= (unsigned long)__kprobes_text_start &&
	    addr < (unsigned long)__kprobes_text_end)
		return true;

	return in_patchable_prefix(addr) || in_module_ftrace_plt(addr) ||
	       function_plt_pool_contains(addr);
}
