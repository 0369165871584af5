// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PLT entry for each patchable function: state of the slots in use.
 *
 * Which words change while they may execute
 *
 *   The patch site, between NOP, B and BL. The architecture lets these be
 *   replaced by one another while other PEs execute them (Arm ARM, B2.2.5);
 *   each PE sees the old or the new instruction.
 *
 *   No instruction of a slot does. NOP to LDR is not on that list, so the two
 *   are written while nothing branches to the slot, and they stay. Nothing
 *   ever runs into it either: control does not leave the function in front at
 *   its end.
 *
 *   The literal does. It is data, naturally aligned and replaced by a single
 *   store, so a load returns the old or the new target.
 *
 * Why no CPU sees a new branch with an old slot
 *
 *   An instruction fetch does not order a later load, and the fetch of a branch
 *   does not order the fetch of its target: a CPU can execute the new branch
 *   and then NOPs, or load the target from before. Therefore all slots of a
 *   batch are written first (function_plt_prepare()), then every CPU takes an
 *   interrupt (function_plt_sync()), and only then do patch sites change. The
 *   interrupt is a context synchronisation event, which discards instructions
 *   that were fetched before it, and the handler's load of the IPI's data
 *   orders what the CPU loads afterwards behind what was stored before.
 *
 *   As long as that could not be done for all that was written
 *   (function_plt_unsynced), no patch site is changed to lead to any slot.
 *
 * What becomes of a thread that was preempted on the way
 *
 *   - At the patch site: it executes whatever is there when it continues.
 *   - In a slot, ahead of the LDR: it goes to whatever the literal holds by
 *     then. It arrived by a BL or by a B, and has to find a target for the
 *     same. So a slot changes its kind only after a grace period of RCU-tasks
 *     that began after the last branch to the slot was removed. The thread
 *     cannot sleep in between, and the grace period waits for it.
 *   - In a slot, behind the LDR, or at the start of the target: the target is
 *     freed no earlier than such a grace period after it was detached, which
 *     is what users of direct calls did before there were slots.
 *   - At the start of ftrace_caller, while its function changes over to the
 *     slot: ftrace_caller still finds ops->direct_call, or without call ops the
 *     handler that asks for the same trampoline, and goes there.
 *
 *   A slot of a pool can be given to another function after the same grace
 *   period, and no earlier: until then it is the first one's, for either use.
 *
 * Why this needs no stop_machine()
 *
 *   The patch site is one instruction. All that comes before and after is out
 *   of sight or valid for both states.
 */

#include <linux/code_ahead.h>
#include <linux/cpu.h>
#include <linux/cpufeature.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/text-patching.h>
#include <linux/xarray.h>

#include <asm/barrier.h>
#include <asm/function-plt.h>
#include <asm/sections.h>

#include "../../../kernel/trace/ftrace_internal.h"

/*
 * The kind of each slot that a patch site leads to, or that a thread might
 * still be in, and with pools the slot, too. Slots that are in nobody's way have
 * no entry.
 *
 * The lock is taken in a callback of RCU, which can be a softirq.
 */
static DEFINE_XARRAY_FLAGS(function_plts, XA_FLAGS_LOCK_BH);

/*
 * A slot that no patch site leads to any more carries one of two marks:
 * @waiting while a grace period is on its way that began after the slot was
 * left, and @left until such a grace period can begin. All under the lock.
 */
static xa_mark_t left = XA_MARK_0, waiting = XA_MARK_1;
static bool expiring;
static struct rcu_head expire_rcu;

/*
 * Was any slot written since the last function_plt_sync() that succeeded? Set
 * and looked at under ftrace_lock.
 */
static bool function_plt_unsynced;

/*
 * Modules lie within 2 GiB of the kernel, so offsets from it are small, and so is
 * the tree. They fit into an entry of it, too.
 */
static unsigned long function_plt_offset(unsigned long addr)
{
	return addr - (unsigned long)_text + SZ_2G;
}

/* No two slots, and no two patch sites, are nearer than that. */
static unsigned long function_plt_index(unsigned long addr)
{
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL))
		return function_plt_offset(addr) / (2 * AARCH64_INSN_SIZE);

	return function_plt_offset(addr) / sizeof(struct function_plt);
}

/* A slot of a pool is found by the patch site, any other one by its place. */
static unsigned long function_plt_index_of(unsigned long ip)
{
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL))
		return function_plt_index(ip);

	return function_plt_index((unsigned long)function_plt_slot(ip));
}

/* Slots of pools are 8-byte aligned, which leaves room for the kind. */
static void *function_plt_state(struct function_plt *plt,
				enum function_plt_kind kind)
{
	unsigned long state = kind;

	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL))
		state |= function_plt_offset((unsigned long)plt);

	return xa_mk_value(state);
}

static enum function_plt_kind state_kind(const void *state)
{
	return xa_to_value(state) & 1;
}

static struct function_plt *state_plt(const void *state)
{
	return (void *)(xa_to_value(state) & ~1UL) - function_plt_offset(0);
}

#ifdef CONFIG_ARM64_FUNCTION_PLT_POOL
/**
 * function_plt_slot() - find the slot that a function was given
 * @ip: patch site of the function, which is rec->ip of its struct dyn_ftrace
 *
 * Context: Any. A function can be given a slot under ftrace_lock only. It can
 *	    lose it at any time unless its patch site leads there.
 * Return: the slot, or NULL if it has none.
 */
struct function_plt *function_plt_slot(unsigned long ip)
{
	void *state = xa_load(&function_plts, function_plt_index_of(ip));

	return state ? state_plt(state) : NULL;
}
#endif

static void function_plt_expire(struct rcu_head *rcu)
{
	unsigned long index;
	void *state;
	bool again;

	xa_lock_bh(&function_plts);
	xa_for_each_marked(&function_plts, index, state, waiting) {
		__xa_erase(&function_plts, index);
		function_plt_give(state_plt(state));
	}

	swap(left, waiting);
	again = xa_marked(&function_plts, waiting);
	expiring = again;
	xa_unlock_bh(&function_plts);

	if (again)
		call_rcu_tasks(rcu, function_plt_expire);
}

/*
 * Under the lock. Returns true if the caller has to call call_rcu_tasks() when
 * it has released that.
 */
static bool function_plt_leave(unsigned long index)
{
	/* A grace period that began earlier is not good enough. */
	__xa_clear_mark(&function_plts, index, waiting);
	__xa_set_mark(&function_plts, index, left);
	if (expiring)
		return false;

	swap(left, waiting);
	expiring = true;

	return true;
}

/**
 * function_plt_retire() - note that a patch site no longer leads to its slot
 * @ip: patch site of the function
 *
 * To be called after another instruction was stored to the patch site. The slot
 * stays as it is. It can be used again at once for the same kind of arrival,
 * and after a grace period of RCU-tasks for the other one.
 *
 * Context: Any context that can take a BH-safe spinlock. Does not wait.
 */
void function_plt_retire(unsigned long ip)
{
	unsigned long index = function_plt_index_of(ip);
	bool start = false;

	xa_lock_bh(&function_plts);
	if (xa_load(&function_plts, index))
		start = function_plt_leave(index);
	xa_unlock_bh(&function_plts);

	if (start)
		call_rcu_tasks(&expire_rcu, function_plt_expire);
}

/**
 * function_plt_forget() - drop what is known about the slots of freed text
 * @start: first address
 * @end: first address behind
 *
 * A slot of another text, that is of the kernel's pool, goes back there after a
 * grace period. When this returns, nobody gives one back to a pool in this text.
 *
 * Context: Process context. Nothing can execute the text any more.
 */
void function_plt_forget(unsigned long start, unsigned long end)
{
	unsigned long first = function_plt_index(start);
	unsigned long index;
	bool grace = false;
	void *state;

	if (start >= end)
		return;

	xa_lock_bh(&function_plts);
	xa_for_each_range(&function_plts, index, state, first,
			  function_plt_index(end - 1)) {
		unsigned long plt = (unsigned long)state_plt(state);

		if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL) &&
		    (plt < start || plt >= end))
			grace |= function_plt_leave(index);
		else
			__xa_erase(&function_plts, index);
	}
	xa_unlock_bh(&function_plts);

	if (grace)
		call_rcu_tasks(&expire_rcu, function_plt_expire);
}

/**
 * function_plt_may_land() - may a slot branch to this address?
 * @target: address of the first instruction
 *
 * With BTI, BR X16 needs a landing pad in guarded pages, which is all kernel
 * text. Compilers leave it out of functions whose address is not taken, so what
 * is there is read, not assumed.
 *
 * Return: true if the branch does not fault.
 */
bool function_plt_may_land(unsigned long target)
{
	u32 insn;

	if (!system_supports_bti_kernel())
		return true;

	return !aarch64_insn_read((void *)target, &insn) &&
	       function_plt_is_landing_pad(insn);
}

/**
 * function_plt_leads() - does a patch site lead to its slot?
 * @ip: patch site of the function
 * @kind: by which instruction
 *
 * Context: Under ftrace_lock, or the answer can be outdated.
 * Return: true if the patch site holds the branch of @kind to the slot.
 */
bool function_plt_leads(unsigned long ip, enum function_plt_kind kind)
{
	u32 insn;

	return !aarch64_insn_read((void *)ip, &insn) &&
	       insn == function_plt_branch(ip, kind);
}

/**
 * function_plt_is_busy() - does a slot serve the other kind of arrivals?
 * @ip: patch site of the function
 * @kind: how a patch site would arrive
 *
 * Context: Any. Without ftrace_lock the answer can be outdated.
 * Return: true if function_plt_prepare() has to fail with -EBUSY.
 */
bool function_plt_is_busy(unsigned long ip, enum function_plt_kind kind)
{
	void *state = xa_load(&function_plts, function_plt_index_of(ip));

	return state && state_kind(state) != kind;
}

/* Returns 0 if the instruction is there, whether or not it was before. */
static int function_plt_write_insn(__le32 *place, u32 insn)
{
	u32 old;

	if (aarch64_insn_read(place, &old))
		return -EFAULT;
	if (old == insn)
		return 0;
	if (!aarch64_insn_is_nop(old))
		return -EINVAL;

	/* Even a store that fails may be seen by some CPU. */
	function_plt_unsynced = true;
	return aarch64_insn_patch_text_nosync(place, insn);
}

/* Returns 0 if the slot is complete, whether or not anything was written. */
static int function_plt_write(struct function_plt *plt, unsigned long target)
{
	int ret;

	ret = function_plt_write_insn(&plt->ldr, function_plt_ldr());
	if (ret)
		return ret;

	ret = function_plt_write_insn(&plt->br, function_plt_br());
	if (ret)
		return ret;

	if (READ_ONCE(plt->target) == target)
		return 0;

	function_plt_unsynced = true;
	return aarch64_insn_write_literal_u64(&plt->target, target);
}

/**
 * function_plt_prepare() - make a slot lead to a target
 * @ip: patch site of the function
 * @target: where to, anywhere in kernel text. Arrivals of @kind that are still
 *	    on their way to an earlier target can end up here from now on.
 * @kind: how the patch site is going to branch to the slot
 *
 * After all slots of a batch are prepared, and if this returned 1 for any, call
 * function_plt_sync(), then change the patch sites for which function_plt_find()
 * agrees to function_plt_branch(). A slot that was prepared and then not used
 * does no harm.
 *
 * Every failure is harmless too: the patch site has to take another way, which
 * for a direct call is ftrace_caller.
 *
 * Context: Under ftrace_lock, may sleep.
 * Return: 1 if the slot is complete but not every CPU may see it, be it this
 *	   call or an earlier one that wrote it; 0 if it can be used at once; or
 *	   -EBUSY  if the slot serves the other kind, or did so until less than
 *		   a grace period ago, or if there is no slot left in the pools
 *		   in reach, and slots are on their way back to pools,
 *	   -ENOSPC if there is no slot left, and none on its way back,
 *	   -EINVAL if the target has no landing pad, or the slot does not hold
 *		   the expected instructions,
 *	   -ENOMEM, -EFAULT or -EPERM.
 */
int function_plt_prepare(unsigned long ip, unsigned long target,
			 enum function_plt_kind kind)
{
	unsigned long index = function_plt_index_of(ip);
	struct function_plt *plt;
	void *old;
	int ret;

	lockdep_assert_held(&ftrace_lock);

	if (!function_plt_may_land(target))
		return -EINVAL;

	if (function_plt_is_busy(ip, kind)) {
		old = xa_load(&function_plts, index);
		/* Was it prepared for something that then did not happen? */
		if (old && !function_plt_leads(ip, state_kind(old)) &&
		    !xa_get_mark(&function_plts, index, XA_MARK_0) &&
		    !xa_get_mark(&function_plts, index, XA_MARK_1))
			function_plt_retire(ip);
		return -EBUSY;
	}

	/* From here on function_plt_expire() leaves the entry alone. */
	xa_lock_bh(&function_plts);
	old = xa_load(&function_plts, index);
	__xa_clear_mark(&function_plts, index, left);
	__xa_clear_mark(&function_plts, index, waiting);
	xa_unlock_bh(&function_plts);

	if (old) {
		plt = function_plt_slot(ip);
	} else {
		plt = function_plt_take(ip);
		if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL) && !plt)
			return xa_marked(&function_plts, XA_MARK_0) ||
			       xa_marked(&function_plts, XA_MARK_1) ?
			       -EBUSY : -ENOSPC;

		old = xa_store_bh(&function_plts, index,
				  function_plt_state(plt, kind), GFP_KERNEL);
		if (xa_is_err(old)) {
			function_plt_give(plt);
			return xa_err(old);
		}
	}

	ret = function_plt_write(plt, target);

	return ret ?: function_plt_unsynced;
}

static void function_plt_sync_cpu(void *unused)
{
	isb();
}

/**
 * function_plt_sync() - let every CPU see the slots as they are now
 *
 * Afterwards no CPU executes instructions of a slot that it fetched, or has a
 * literal that it loaded, before this was called, so that patch sites can be
 * changed to lead there. No CPU is interrupted if none was written since.
 *
 * A CPU that comes online later has seen nothing yet, but one that is just
 * coming online gets no IPI, so CPU hotplug has to be kept out. Do not wait for
 * it: the one who plugs may wait for a mutex that is held by somebody who waits
 * for ftrace_lock, such as the mutex of a perf context whose function event gets
 * a filter. So this fails while a CPU comes or goes, and nothing that was
 * written since the last success may be relied on: function_plt_find() returns
 * 0 for all slots until a later call succeeds.
 *
 * Context: Process context, under ftrace_lock.
 * Return: 0, or -EBUSY while a CPU comes or goes.
 */
int function_plt_sync(void)
{
	lockdep_assert_held(&ftrace_lock);

	if (!function_plt_unsynced)
		return 0;

	if (!cpus_read_trylock())
		return -EBUSY;

	/*
	 * Order the stores to the slots before the IPI. Pairs with the load of
	 * the call's data on each CPU, ahead of function_plt_sync_cpu(). Cache
	 * maintenance was done by function_plt_write_insn() and has finished.
	 */
	smp_mb();

	on_each_cpu(function_plt_sync_cpu, NULL, 1);
	cpus_read_unlock();

	function_plt_unsynced = false;
	return 0;
}

/*
 * The state of a slot, or NULL if it has none or is left: then it can expire at
 * any time, but not between these looks at it.
 */
static void *function_plt_in_use(unsigned long index)
{
	void *state;

	xa_lock_bh(&function_plts);
	state = xa_load(&function_plts, index);
	if (xa_get_mark(&function_plts, index, XA_MARK_0) ||
	    xa_get_mark(&function_plts, index, XA_MARK_1))
		state = NULL;
	xa_unlock_bh(&function_plts);

	return state;
}

/**
 * function_plt_find() - may a patch site branch to its slot?
 * @ip: patch site of the function
 * @target: where the slot has to lead to
 * @kind: how the patch site wants to branch to it
 *
 * Context: Under ftrace_lock, after function_plt_prepare() and
 *	    function_plt_sync() of the same update.
 * Return: function_plt_entry(), or 0 if the slot is not prepared for this, or
 *	   not every CPU may see it.
 */
unsigned long function_plt_find(unsigned long ip, unsigned long target,
				enum function_plt_kind kind)
{
	unsigned long index = function_plt_index_of(ip);
	void *state = function_plt_in_use(index);
	struct function_plt *plt;

	if (function_plt_unsynced)
		return 0;

	if (!state || state_kind(state) != kind)
		return 0;

	plt = function_plt_slot(ip);
	if (le32_to_cpu(READ_ONCE(plt->ldr)) != function_plt_ldr() ||
	    le32_to_cpu(READ_ONCE(plt->br)) != function_plt_br() ||
	    READ_ONCE(plt->target) != target)
		return 0;

	return function_plt_entry(ip);
}

/**
 * function_plt_contains() - is this an instruction of a slot?
 * @pc: program counter, taken from an exception or anything else
 *
 * The slots of modules count from the time they are loaded, those of the kernel
 * once they were used: until then they hold NOPs that nothing can execute. Those
 * of pools always count. The literal does not count: its address is never that of
 * an instruction being executed, but can be a return address of the function in
 * front.
 *
 * Context: Any. Reads kernel text only: what else @pc may be is not looked at,
 *	    as it can be a device.
 * Return: true if a thread at @pc is between a patch site and its target.
 */
bool function_plt_contains(unsigned long pc)
{
	unsigned long entry = ALIGN_DOWN(pc, sizeof(u64));
	u32 ldr, br;

	if (!IS_ALIGNED(pc, AARCH64_INSN_SIZE))
		return false;

	if (!core_kernel_text(pc) && !is_module_text_address(pc))
		return false;

	/* No compiler emits this pair. */
	return !aarch64_insn_read((void *)entry, &ldr) &&
	       ldr == function_plt_ldr() &&
	       !aarch64_insn_read((void *)entry + AARCH64_INSN_SIZE, &br) &&
	       br == function_plt_br();
}

#ifdef CONFIG_ARM64_FUNCTION_PLT_SLOTS
/**
 * arch_code_ahead_of_function() - find the function that a slot belongs to
 * @pc: any address
 *
 * For symbol look-ups, which otherwise take the slot for the end of the
 * function in front.
 *
 * Context: Any.
 * Return: the distance from @pc to the function's entry in bytes if there is an
 *	   instruction of its slot at @pc, else 0.
 */
unsigned long arch_code_ahead_of_function(unsigned long pc)
{
	if (!function_plt_contains(pc))
		return 0;

	return ALIGN_DOWN(pc, sizeof(u64)) - offsetof(struct function_plt, ldr) +
	       PATCHABLE_PREFIX_BYTES - pc;
}
#endif /* CONFIG_ARM64_FUNCTION_PLT_SLOTS */
