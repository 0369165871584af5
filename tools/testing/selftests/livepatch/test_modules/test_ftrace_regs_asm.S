/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A caller that fills x0-x30 and a callee that stores them, for
 * test_ftrace_regs_main.c. Offsets are those of struct test_regs there.
 */

#include <linux/linkage.h>
#include <asm/assembler.h>
#include <asm/insn.h>
#include <asm/patchable-entry.h>

#define IN_SP		(31 * 8)
#define IN_NZCV		(32 * 8)
#define IN_STACK	(33 * 8)

/* A patchable function's entry, as the compiler would emit it */
	.macro	patchable_func name
	.balign	8
#if PATCHABLE_PREFIX_BYTES
	.Lpfe_\name\():
	.rept	PATCHABLE_PREFIX_BYTES / AARCH64_INSN_SIZE
	nop
	.endr
#endif
SYM_START(\name, SYM_L_GLOBAL, SYM_A_NONE)
#ifdef CONFIG_ARM64_BTI_KERNEL
	bti	c
#endif
#if !PATCHABLE_PREFIX_BYTES
	.Lpfe_\name\():
#endif
	nop
	nop
	.pushsection __patchable_function_entries, "awo", %progbits, .text
	.balign	8
	.quad	.Lpfe_\name
	.popsection
	.endm

	.macro	load_regs_from base
	/* All but \base, which is x30, and x18 where that is the SCS pointer */
	ldr	x9, [\base, #IN_NZCV]
	msr	nzcv, x9
	ldp	x0, x1, [\base, #0 * 8]
	ldp	x2, x3, [\base, #2 * 8]
	ldp	x4, x5, [\base, #4 * 8]
	ldp	x6, x7, [\base, #6 * 8]
	ldp	x8, x9, [\base, #8 * 8]
	ldp	x10, x11, [\base, #10 * 8]
	ldp	x12, x13, [\base, #12 * 8]
	ldp	x14, x15, [\base, #14 * 8]
	ldp	x16, x17, [\base, #16 * 8]
#ifndef CONFIG_SHADOW_CALL_STACK
	ldr	x18, [\base, #18 * 8]
#endif
	ldp	x19, x20, [\base, #19 * 8]
	ldp	x21, x22, [\base, #21 * 8]
	ldp	x23, x24, [\base, #23 * 8]
	ldp	x25, x26, [\base, #25 * 8]
	ldp	x27, x28, [\base, #27 * 8]
	ldr	x29, [\base, #29 * 8]
	.endm

	.text

/*
 * u64 test_regs_call(struct test_regs *in, struct test_regs *out)
 *
 * Call test_regs_callee() with the registers of in, and with the first four
 * words of its stack as arguments nine to twelve. To out go the address that
 * LR had in the callee, SP, and x18 if it is a shadow call stack pointer.
 *
 * Return what the callee returns, or its complement where it has returned to
 * test_regs_return2.
 */
SYM_FUNC_START(test_regs_call)
	sub	sp, sp, #(12 * 8 + 32)
	stp	x29, x30, [sp, #32]
	stp	x19, x20, [sp, #48]
	stp	x21, x22, [sp, #64]
	stp	x23, x24, [sp, #80]
	stp	x25, x26, [sp, #96]
	stp	x27, x28, [sp, #112]

	/* Where to come back to, whatever SP may be by then */
	mov	x9, sp
	adr_l	x10, test_regs_saved_sp
	str	x9, [x10]
	adr_l	x10, test_regs_saved_x18
	str	x18, [x10]

	/* Stack arguments */
	ldp	x10, x11, [x0, #IN_STACK]
	ldp	x12, x13, [x0, #IN_STACK + 16]
	stp	x10, x11, [sp]
	stp	x12, x13, [sp, #16]

	str	x9, [x1, #IN_SP]
	adr	x10, .Lreturn
	str	x10, [x1, #30 * 8]
#ifdef CONFIG_SHADOW_CALL_STACK
	str	x18, [x1, #18 * 8]
#endif

	mov	x30, x0
	load_regs_from x30
	bl	test_regs_callee
.Lreturn:
	b	.Lrestore

SYM_INNER_LABEL(test_regs_return2, SYM_L_GLOBAL)
	mvn	x0, x0

.Lrestore:
	adr_l	x9, test_regs_saved_sp
	ldr	x9, [x9]
	mov	sp, x9
#ifndef CONFIG_SHADOW_CALL_STACK
	adr_l	x9, test_regs_saved_x18
	ldr	x18, [x9]
#endif
	ldp	x29, x30, [sp, #32]
	ldp	x19, x20, [sp, #48]
	ldp	x21, x22, [sp, #64]
	ldp	x23, x24, [sp, #80]
	ldp	x25, x26, [sp, #96]
	ldp	x27, x28, [sp, #112]
	add	sp, sp, #(12 * 8 + 32)
	ret
SYM_FUNC_END(test_regs_call)

	.macro	store_regs_and_call func
	/* struct test_regs, without what only the caller needs */
	sub	sp, sp, #(34 * 8)
	stp	x0, x1, [sp, #0 * 8]
	stp	x2, x3, [sp, #2 * 8]
	stp	x4, x5, [sp, #4 * 8]
	stp	x6, x7, [sp, #6 * 8]
	stp	x8, x9, [sp, #8 * 8]
	stp	x10, x11, [sp, #10 * 8]
	stp	x12, x13, [sp, #12 * 8]
	stp	x14, x15, [sp, #14 * 8]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #18 * 8]
	stp	x20, x21, [sp, #20 * 8]
	stp	x22, x23, [sp, #22 * 8]
	stp	x24, x25, [sp, #24 * 8]
	stp	x26, x27, [sp, #26 * 8]
	stp	x28, x29, [sp, #28 * 8]
	add	x9, sp, #(34 * 8)
	stp	x30, x9, [sp, #30 * 8]
	mov	x0, sp
#ifndef CONFIG_SHADOW_CALL_STACK
	/* Not one of the caller's values, in case somebody does care */
	adr_l	x9, test_regs_saved_x18
	ldr	x18, [x9]
#endif
	bl	\func
	ldr	x30, [sp, #30 * 8]
	add	sp, sp, #(34 * 8)
	ret
	.endm

/* Pass the registers of the entry to test_regs_entry(), return what it does */
	patchable_func test_regs_callee
	store_regs_and_call test_regs_entry
SYM_FUNC_END(test_regs_callee)

/* The same, for a tracer to redirect to */
	patchable_func test_regs_callee2
	store_regs_and_call test_regs_entry2
SYM_FUNC_END(test_regs_callee2)

/*
 * u64 test_regs_stale(u64 arg, unsigned long tramp, unsigned long site)
 *
 * Do as a task does that was preempted behind the BL at site, at the first
 * instruction of the trampoline, and runs on after the site has been changed.
 * The function at site sees arg and returns to the caller.
 */
SYM_FUNC_START(test_regs_stale)
	mov	x9, x30
	add	x30, x2, #AARCH64_INSN_SIZE
	ret	x1			// may not be a landing pad
SYM_FUNC_END(test_regs_stale)

/* A direct call: count, and go on to the function */
SYM_FUNC_START(test_regs_direct)
	adr_l	x10, test_regs_direct_calls
	ldr	x11, [x10]
	add	x11, x11, #1
	str	x11, [x10]
	mov	x10, x30
	mov	x30, x9
	ret	x10
SYM_FUNC_END(test_regs_direct)

/*
 * A direct call that calls the function and adds 0x10000 to its result, as the
 * trampolines of BPF do with fexit programs
 */
SYM_FUNC_START(test_regs_direct_orig)
	stp	x29, x9, [sp, #-32]!	// as if in the caller of the function
	mov	x29, sp
	stp	x29, x30, [sp, #16]	// as if in the function
	add	x29, sp, #16
	mov	x10, x30
	adr	x30, 0f
	ret	x10			// may not be a landing pad
0:	add	x0, x0, #0x10, lsl #12
	ldp	x29, x30, [sp], #32
	ret
SYM_FUNC_END(test_regs_direct_orig)

	.pushsection .bss, "aw", %nobits
	.balign	8
SYM_DATA_LOCAL(test_regs_saved_sp, .quad 0)
SYM_DATA_LOCAL(test_regs_saved_x18, .quad 0)
	.popsection
