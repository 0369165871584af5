/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PLT entry for each patchable function.
 *
 * The patch site of a function is one B or BL, which reaches 128 MiB. The slot
 * that the compiler reserves ahead of the function (<asm/patchable-entry.h>)
 * carries that branch on to one target anywhere:
 *
 *   func-24   slot:   .quad target
 *   func-16   entry:  LDR   X16, slot
 *   func-12           BR    X16
 *             ...
 *                     BL    entry          the patch site, a direct call
 *                     B     entry          the patch site, a redirect
 *
 * X16 is free at a function's entry (AAPCS64, 6.1.1), and BR X16 may land on
 * everything that a BLR may land on (see function_plt_is_landing_pad()).
 *
 * Where nothing can be reserved ahead of functions, a function that needs a slot
 * gets one of a pool, for as long as it does (function-plt-pool.c).
 */
#ifndef __ASM_FUNCTION_PLT_H
#define __ASM_FUNCTION_PLT_H

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/insn.h>
#include <asm/patchable-entry.h>

/**
 * enum function_plt_kind - how control arrives in a slot
 * @FUNCTION_PLT_CALL: by BL. X9 holds the return address of the function's
 *		       caller, LR that of the BL: the target is a trampoline of
 *		       a direct call.
 * @FUNCTION_PLT_JUMP: by B. All registers are as at the function's entry
 *		       except X9, X16: the target is a function of the same type.
 *
 * A target that is right for one of them is wrong for the other, so a slot
 * serves one kind at a time. See function_plt_prepare().
 */
enum function_plt_kind {
	FUNCTION_PLT_CALL,
	FUNCTION_PLT_JUMP,
};

/**
 * struct function_plt - one slot
 * @target: the literal, 8-byte aligned
 * @ldr: LDR X16, target. This is what a patch site branches to.
 * @br: BR X16
 *
 * All are NOPs at first. @ldr and @br are written once and stay: in a module when
 * it is loaded, in the kernel when the slot is first used. Those of the kernel's
 * pool are what the assembler made. @target is meaningless until the slot is
 * used, and can change then.
 */
struct function_plt {
	u64	target;
	__le32	ldr;
	__le32	br;
};

/**
 * function_plt_ldr() - encode the first instruction of a slot
 *
 * Return: LDR X16, .-8. It does not depend on where the slot is.
 */
static inline u32 function_plt_ldr(void)
{
	return aarch64_insn_gen_load_literal(offsetof(struct function_plt, ldr),
					     offsetof(struct function_plt, target),
					     AARCH64_INSN_REG_16, true);
}

/**
 * function_plt_br() - encode the second instruction of a slot
 *
 * Return: BR X16.
 */
static inline u32 function_plt_br(void)
{
	return aarch64_insn_gen_branch_reg(AARCH64_INSN_REG_16,
					   AARCH64_INSN_BRANCH_NOLINK);
}

/**
 * ftrace_plt_ldr() - encode the first instruction of a struct ftrace_plt
 *
 * Return: LDR X16, .+8, as the target comes last there.
 */
static inline u32 ftrace_plt_ldr(void)
{
	return aarch64_insn_gen_load_literal(0, 2 * AARCH64_INSN_SIZE,
					     AARCH64_INSN_REG_16, true);
}

/**
 * function_plt_is_landing_pad() - may BR X16 land on this instruction?
 * @insn: an instruction in a guarded page
 *
 * BR X16 sets PSTATE.BTYPE to 0b01 whether it is in a guarded page (as X16 and
 * X17 are special) or not. PACIASP and PACIBSP are implicit landing pads, and
 * SCTLR_EL1.BT1 takes only BTYPE 0b11 away from them (Arm ARM, D8.4.5).
 *
 * Return: true if the instruction does not raise a Branch Target exception.
 */
static inline bool function_plt_is_landing_pad(u32 insn)
{
	return insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_BTIC) ||
	       insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_BTIJ) ||
	       insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_BTIJC) ||
	       insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIASP) ||
	       insn == aarch64_insn_gen_hint(AARCH64_INSN_HINT_PACIBSP);
}

#ifdef CONFIG_ARM64_FUNCTION_PLT_POOL
struct function_plt *function_plt_slot(unsigned long ip);
#else
/**
 * function_plt_slot() - find the slot of a function
 * @ip: patch site of the function, which is rec->ip of its struct dyn_ftrace
 *
 * The patch site is at func+4, or at func+8 behind a landing pad. Functions are
 * 8-byte aligned, so both lead to the same slot.
 *
 * Return: the slot. It exists only if CONFIG_ARM64_FUNCTION_PLT is set.
 */
static inline struct function_plt *function_plt_slot(unsigned long ip)
{
	unsigned long func = ALIGN_DOWN(ip - AARCH64_INSN_SIZE, sizeof(u64));

	return (struct function_plt *)(func - PATCHABLE_PREFIX_BYTES);
}
#endif

/**
 * function_plt_entry() - find what a patch site branches to
 * @ip: patch site of the function
 *
 * Return: the address of the slot's first instruction, always in branch range,
 *	   or 0 if the function has none. That happens with pools only.
 */
static inline unsigned long function_plt_entry(unsigned long ip)
{
	struct function_plt *plt = function_plt_slot(ip);

	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL) && !plt)
		return 0;

	return (unsigned long)&plt->ldr;
}

/**
 * function_plt_branch() - encode the branch from a patch site to its slot
 * @ip: patch site of the function
 * @kind: %FUNCTION_PLT_CALL for BL, %FUNCTION_PLT_JUMP for B
 *
 * Return: the instruction, or a BRK that no patch site holds if the function has
 *	   no slot.
 */
static inline u32 function_plt_branch(unsigned long ip,
				      enum function_plt_kind kind)
{
	unsigned long entry = function_plt_entry(ip);

	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL) && !entry)
		return AARCH64_BREAK_FAULT;

	return aarch64_insn_gen_branch_imm(ip, entry,
					   kind == FUNCTION_PLT_CALL ?
					   AARCH64_INSN_BRANCH_LINK :
					   AARCH64_INSN_BRANCH_NOLINK);
}

/**
 * struct function_plt_pool - slots that functions nearby can be given
 * @plts: the slots
 * @nr: how many there are
 * @used: one bit for each that a function has
 */
struct function_plt_pool {
	struct function_plt	*plts;
	unsigned int		nr;
	unsigned long		*used;
};

struct elf64_hdr;
struct elf64_shdr;
struct module;

#ifdef CONFIG_ARM64_FUNCTION_PLT_POOL
extern struct function_plt function_plt_entries[];

int module_reserve_function_plts(const struct elf64_hdr *hdr,
				 struct elf64_shdr *sechdrs,
				 const char *secstrings, struct module *mod);
long function_plt_pool_size(u64 table, u64 text);
bool function_plt_pool_reaches(const struct function_plt_pool *pool,
			       unsigned long ip);
struct function_plt *function_plt_pool_take(struct function_plt_pool *pool,
					    unsigned long ip);
bool function_plt_pool_give(struct function_plt_pool *pool,
			    struct function_plt *plt);
struct function_plt *function_plt_take(unsigned long ip);
void function_plt_give(struct function_plt *plt);
bool function_plt_pool_contains(unsigned long addr);
#else
static inline int module_reserve_function_plts(const struct elf64_hdr *hdr,
					       struct elf64_shdr *sechdrs,
					       const char *secstrings,
					       struct module *mod)
{
	return 0;
}

static inline struct function_plt *function_plt_take(unsigned long ip)
{
	return function_plt_slot(ip);
}

static inline void function_plt_give(struct function_plt *plt) { }

static inline bool function_plt_pool_contains(unsigned long addr)
{
	return false;
}
#endif

#ifdef CONFIG_ARM64_FUNCTION_PLT
int module_finalize_function_plts(const struct elf64_hdr *hdr,
				  const struct elf64_shdr *sechdrs,
				  struct module *mod);
void module_forget_function_plts(struct module *mod);
bool function_plt_may_land(unsigned long target);
bool function_plt_is_busy(unsigned long ip, enum function_plt_kind kind);
int function_plt_prepare(unsigned long ip, unsigned long target,
			 enum function_plt_kind kind);
int function_plt_sync(void);
unsigned long function_plt_find(unsigned long ip, unsigned long target,
				enum function_plt_kind kind);
bool function_plt_leads(unsigned long ip, enum function_plt_kind kind);
void function_plt_retire(unsigned long ip);
void function_plt_forget(unsigned long start, unsigned long end);
bool function_plt_contains(unsigned long pc);
#else
static inline int module_finalize_function_plts(const struct elf64_hdr *hdr,
						const struct elf64_shdr *sechdrs,
						struct module *mod)
{
	return 0;
}

static inline void module_forget_function_plts(struct module *mod) { }

static inline bool function_plt_may_land(unsigned long target)
{
	return false;
}

static inline bool function_plt_is_busy(unsigned long ip,
					enum function_plt_kind kind)
{
	return false;
}

static inline int function_plt_prepare(unsigned long ip, unsigned long target,
				       enum function_plt_kind kind)
{
	return -EOPNOTSUPP;
}

static inline int function_plt_sync(void)
{
	return 0;
}

static inline unsigned long function_plt_find(unsigned long ip,
					      unsigned long target,
					      enum function_plt_kind kind)
{
	return 0;
}

static inline bool function_plt_leads(unsigned long ip,
				      enum function_plt_kind kind)
{
	return false;
}

static inline void function_plt_retire(unsigned long ip) { }
static inline void function_plt_forget(unsigned long start, unsigned long end) { }

static inline bool function_plt_contains(unsigned long pc)
{
	return false;
}
#endif

#endif /* __ASM_FUNCTION_PLT_H */
