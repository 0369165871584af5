// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kprobes at the entry of a function, without a breakpoint.
 *
 * The function's patch site branches to ftrace_regs_caller, and that calls
 * kprobe_ftrace_handler(). To the handlers of the probe it looks as if a BRK
 * had been hit at the patch site, except that interrupts are as they were and
 * only preemption is disabled.
 */

#include <linux/error-injection.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>

/**
 * kprobe_ftrace_handler() - run the handlers of a kprobe at a patch site
 * @ip: the patch site
 * @parent_ip: the return address of the function
 * @ops: the ftrace_ops that all such kprobes share
 * @fregs: the registers at the patch site
 *
 * With call ops, ftrace_modify_call() writes the ops of a site ahead of its
 * branch. Until the branch follows, everyone who calls a function that had a
 * tracer without FTRACE_OPS_FL_SAVE_REGS comes here by ftrace_caller, and so
 * does, at any later time, a task that was preempted in there before it read
 * the ops. There are no registers to give to the handlers of the kprobe then,
 * and it counts as missed.
 */
void __kprobes kprobe_ftrace_handler(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	unsigned long orig_pc, orig_x0;
	struct kprobe_ctlblk *kcb;
	struct kprobe *p;
	int bit;

	if (unlikely(kprobe_ftrace_disabled))
		return;

	bit = ftrace_test_recursion_trylock(ip, parent_ip);
	if (bit < 0)
		return;

	p = get_kprobe((kprobe_opcode_t *)ip);
	if (unlikely(!p) || kprobe_disabled(p))
		goto unlock;

	if (unlikely(!regs) || kprobe_running()) {
		kprobes_inc_nmissed_count(p);
		goto unlock;
	}

	/*
	 * Interrupts are not masked here as they are in a BRK's handler, and
	 * one may hit a BRK: as soon as that sees a kprobe running, it goes by
	 * the status, which must not be the one that the last kprobe has left.
	 */
	kcb = get_kprobe_ctlblk();
	kcb->kprobe_status = KPROBE_HIT_ACTIVE;
	barrier();
	__this_cpu_write(current_kprobe, p);

	/* Another ops of this function, such as a live patch, may have set PC */
	orig_pc = instruction_pointer(regs);
	orig_x0 = regs->regs[0];

	/*
	 * Where a handler sets PC, that takes effect by a plain branch. There
	 * is no exception return, hence no PSTATE.SS to go with the new PC.
	 */
	instruction_pointer_set(regs, ip);
	if (p->pre_handler && p->pre_handler(p, regs)) {
		/* X0 is still an argument, unless the function is not called */
		if (IS_ENABLED(CONFIG_FUNCTION_ERROR_INJECTION) &&
		    instruction_pointer(regs) == (unsigned long)just_return_func) {
			regs->regs[9] = regs->regs[0];
			regs->regs[0] = orig_x0;
			instruction_pointer_set(regs, (unsigned long)ftrace_overridden);
		}
	} else if (unlikely(p->post_handler)) {
		/* As if the NOP at the patch site had been stepped */
		instruction_pointer_set(regs, ip + MCOUNT_INSN_SIZE);
		kcb->kprobe_status = KPROBE_HIT_SSDONE;
		p->post_handler(p, regs, 0);
		if (instruction_pointer(regs) == ip + MCOUNT_INSN_SIZE)
			instruction_pointer_set(regs, orig_pc);
	} else {
		instruction_pointer_set(regs, orig_pc);
	}

	__this_cpu_write(current_kprobe, NULL);
unlock:
	ftrace_test_recursion_unlock(bit);
}

/**
 * arch_prepare_kprobe_ftrace() - prepare a kprobe at a patch site
 * @p: the kprobe
 *
 * No instruction is stepped or simulated.
 *
 * Return: 0.
 */
int arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	p->ainsn.api.handler = NULL;
	p->ainsn.xol_insn = NULL;
	p->ainsn.xol_restore = 0;

	return 0;
}

/**
 * arch_adjust_kprobe_addr() - find the place for a kprobe
 * @addr: the function's address
 * @offset: the offset into the function that was asked for
 * @on_func_entry: where to store whether that is the function's entry
 *
 * The entry of a patchable function is
 *
 *	func:	[BTI	C]
 *		MOV	X9, LR
 *		NOP			// the patch site
 *
 * A kprobe at the entry goes to the patch site. A breakpoint on one of the
 * instructions ahead of it would work, but it would be a second kind of entry
 * probe, with other costs and seen by ftrace's users in another order.
 *
 * Return: the address to probe, NULL if no probe can be there.
 */
kprobe_opcode_t *arch_adjust_kprobe_addr(unsigned long addr,
					 unsigned long offset,
					 bool *on_func_entry)
{
	unsigned long ip;

	/* There is one instruction ahead of the patch site, or two with BTI */
	ip = ftrace_location_range(addr + AARCH64_INSN_SIZE,
				   addr + 2 * AARCH64_INSN_SIZE);

	if (!ip || arch_ftrace_get_symaddr(ip) != addr) {
		*on_func_entry = !offset;
		return (kprobe_opcode_t *)(addr + offset);
	}

	if (!offset)
		offset = ip - addr;

	*on_func_entry = addr + offset == ip;
	if (addr + offset < ip)
		return NULL;

	return (kprobe_opcode_t *)(addr + offset);
}
