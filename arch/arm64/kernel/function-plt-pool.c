// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PLT entry for each patchable function: slots from a pool.
 *
 * kCFI wants the words ahead of a function for itself, and GCC is not known to
 * align functions with -Os: nothing can be reserved there. What a slot consists
 * of does not depend on its place though, only a branch has to reach it. So there
 * are pools of slots, and a function gets one of them while it needs one:
 *
 *   - The kernel's pool lies in its text, of which it reaches all, and has
 *     CONFIG_ARM64_FUNCTION_PLT_POOL_ENTRIES slots.
 *
 *   - A module has one slot for each of its patchable functions in its own text,
 *     provided that modules are placed out of branch range of the kernel. Others
 *     pay nothing, and share the kernel's pool.
 *
 * A function that finds no slot goes on calling ftrace_caller, which knows how to
 * go everywhere. That is slower, never wrong.
 *
 * The instructions of all slots are there before anything can branch to them, so
 * that literals are all that ever changes. Which function has which slot, from
 * when on, and when another one can have it, is up to function-plt.c.
 */

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/stringify.h>

#include <asm/function-plt.h>
#include <asm/sections.h>

#define KERNEL_ENTRIES	CONFIG_ARM64_FUNCTION_PLT_POOL_ENTRIES

/* struct function_plt, as often as wanted. Nothing branches to address 0. */
asm("	.pushsection	.text, \"ax\", %progbits\n"
"	.balign		16\n"
"	.globl		function_plt_entries\n"
"	.type		function_plt_entries, %function\n"
"function_plt_entries:\n"
"	.rept		" __stringify(KERNEL_ENTRIES) "\n"
"	.quad		0\n"
"	ldr		x16, . - 8\n"
"	br		x16\n"
"	.endr\n"
"	.size		function_plt_entries, . - function_plt_entries\n"
"	.popsection\n");

static DECLARE_BITMAP(kernel_used, KERNEL_ENTRIES);

static struct function_plt_pool kernel_pool = {
	.plts = function_plt_entries,
	.nr = KERNEL_ENTRIES,
	.used = kernel_used,
};

/**
 * function_plt_pool_size() - how much memory a module's pool takes
 * @table: size of its table of patchable functions in bytes
 * @text: size of its text in bytes
 *
 * The table decides how much is allocated, so do not believe it more than its
 * text allows, which is at least the patched instructions of each function.
 *
 * Return: the size in bytes, or -ENOEXEC if the table is too large.
 */
long function_plt_pool_size(u64 table, u64 text)
{
	u64 nr = table / sizeof(u64);

	/* No memory for modules is larger than that. */
	text = min(text, SZ_2G);
	if (nr > text / (PATCHABLE_PREFIX_BYTES + 2 * AARCH64_INSN_SIZE))
		return -ENOEXEC;

	return nr * sizeof(struct function_plt);
}

/**
 * function_plt_pool_reaches() - can a function have any slot of a pool?
 * @pool: the pool
 * @ip: patch site of the function
 *
 * Return: true if a branch from @ip reaches each slot of @pool.
 */
bool function_plt_pool_reaches(const struct function_plt_pool *pool,
			       unsigned long ip)
{
	return pool->nr &&
	       reachable_by_bl((unsigned long)&pool->plts[0].ldr, ip) &&
	       reachable_by_bl((unsigned long)&pool->plts[pool->nr - 1].ldr, ip);
}

/**
 * function_plt_pool_take() - take a slot out of a pool
 * @pool: the pool
 * @ip: patch site of the function that needs it
 *
 * Context: Under ftrace_lock, so there is only one at a time. Slots can be given
 *	    back meanwhile.
 * Return: the slot, or NULL if there is none left or none in reach.
 */
struct function_plt *function_plt_pool_take(struct function_plt_pool *pool,
					    unsigned long ip)
{
	unsigned int i;

	if (!function_plt_pool_reaches(pool, ip))
		return NULL;

	i = find_first_zero_bit(pool->used, pool->nr);
	if (i >= pool->nr)
		return NULL;

	set_bit(i, pool->used);
	return &pool->plts[i];
}

/**
 * function_plt_pool_give() - put a slot back into its pool
 * @pool: any pool
 * @plt: the slot. Nothing can execute it any more.
 *
 * Context: Any.
 * Return: false if the slot belongs to another pool.
 */
bool function_plt_pool_give(struct function_plt_pool *pool,
			    struct function_plt *plt)
{
	if (plt < pool->plts || plt >= pool->plts + pool->nr)
		return false;

	WARN_ON_ONCE(!test_and_clear_bit(plt - pool->plts, pool->used));
	return true;
}

/* The pool of the module that an address belongs to. Under RCU. */
static struct function_plt_pool *module_pool(unsigned long addr)
{
#ifdef CONFIG_MODULES
	struct module *mod = __module_text_address(addr);

	return mod ? &mod->arch.function_plts : NULL;
#else
	return NULL;
#endif
}

static bool is_init_text(unsigned long addr)
{
#ifdef CONFIG_MODULES
	struct module *mod = __module_text_address(addr);

	if (mod)
		return within_module_init(addr, mod);
#endif
	return is_kernel_inittext(addr);
}

/**
 * function_plt_take() - find a slot for a function
 * @ip: patch site of the function
 *
 * Init text does without. It is gone too soon to be worth the trouble, and that
 * of a module is no neighbour of the rest.
 *
 * Context: Under ftrace_lock.
 * Return: the slot, or NULL if there is none left in reach.
 */
struct function_plt *function_plt_take(unsigned long ip)
{
	struct function_plt_pool *pool;
	struct function_plt *plt = NULL;

	guard(rcu)();
	if (is_init_text(ip))
		return NULL;

	pool = module_pool(ip);
	if (pool)
		plt = function_plt_pool_take(pool, ip);

	return plt ?: function_plt_pool_take(&kernel_pool, ip);
}

/**
 * function_plt_give() - let another function have a slot
 * @plt: the slot. Nothing can execute it any more.
 *
 * Context: Any. The pool can be that of a module that is just going, but is not
 *	    freed yet, see function_plt_forget().
 */
void function_plt_give(struct function_plt *plt)
{
	struct function_plt_pool *pool;

	if (function_plt_pool_give(&kernel_pool, plt))
		return;

	guard(rcu)();
	pool = module_pool((unsigned long)plt);
	if (pool)
		function_plt_pool_give(pool, plt);
}

/**
 * function_plt_pool_contains() - is this a part of a pool?
 * @addr: any address
 *
 * Context: Any.
 * Return: true if there is a slot at @addr, in use or not, be it a literal or an
 *	   instruction.
 */
bool function_plt_pool_contains(unsigned long addr)
{
	struct function_plt_pool *pool = &kernel_pool;

	guard(rcu)();
	if (addr - (unsigned long)pool->plts < pool->nr * sizeof(*pool->plts))
		return true;

	pool = module_pool(addr);

	return pool &&
	       addr - (unsigned long)pool->plts < pool->nr * sizeof(*pool->plts);
}
