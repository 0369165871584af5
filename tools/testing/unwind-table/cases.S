/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions whose call frame information is right (good_*), wrong (bad_*), or
 * right but not enough at some instructions (part_<number of those>_*).
 */
	.arch_extension	pauth
	.arch_extension	lse

	.macro	begin name
	.globl	\name
	.type	\name, %function
	.balign	8
\name:
	.cfi_startproc
	.endm

	.macro	end name
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.macro	push
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	.endm

	.macro	pop
	ldp	x29, x30, [sp], #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	.endm

	.text

begin good_leaf
	add	x0, x0, #1
	ret
end good_leaf

begin good_frame
	push
	mov	x29, sp
	bl	good_leaf
	pop
	ret
end good_frame

/* The kernel takes no table with such a rule in it */
begin part_1_misaligned
	sub	sp, sp, #8
	.cfi_def_cfa_offset 8
	add	sp, sp, #8
	.cfi_def_cfa_offset 0
	ret
end part_1_misaligned

begin good_signed
	paciasp
	.cfi_negate_ra_state
	push
	mov	x29, sp
	bl	good_leaf
	pop
	autiasp
	.cfi_negate_ra_state
	ret
end good_signed

begin good_shadow_call_stack
	str	x30, [x18], #8
	push
	mov	x29, sp
	bl	good_leaf
	ldr	x30, [x18, #-8]!
	.cfi_restore 30
	ldr	x29, [sp], #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	ret
end good_shadow_call_stack

begin good_large
	mov	x16, #0x1230
	sub	sp, sp, x16
	.cfi_def_cfa_offset 0x1230
	stp	x29, x30, [sp]
	.cfi_offset 29, -0x1230
	.cfi_offset 30, -0x1228
	mov	x29, sp
	bl	good_leaf
	ldp	x29, x30, [sp]
	.cfi_restore 29
	.cfi_restore 30
	mov	x16, #0x1230
	add	sp, sp, x16
	.cfi_def_cfa_offset 0
	ret
end good_large

begin good_dynamic
	push
	mov	x29, sp
	.cfi_def_cfa_register 29
	sub	sp, sp, x0
	mov	x0, sp
	bl	good_leaf
	mov	sp, x29
	.cfi_def_cfa_register 31
	pop
	ret
end good_dynamic

begin good_shrink_wrapped
	cbz	x0, 1f
	push
	mov	x29, sp
	bl	good_leaf
	pop
1:	ret
end good_shrink_wrapped

begin good_two_epilogues
	push
	mov	x29, sp
	bl	good_leaf
	cbz	x0, 1f
	.cfi_remember_state
	pop
	ret
1:	.cfi_restore_state
	bl	good_leaf
	pop
	b	good_leaf
end good_two_epilogues

begin good_never_returns
	push
	mov	x29, sp
	cbz	x0, 1f
	.cfi_remember_state
	bl	abort
1:	.cfi_restore_state
	bl	abort
end good_never_returns

begin good_jump_table
	push
	mov	x29, sp
	adr	x1, 1f
	add	x1, x1, x0
	br	x1
1:	bl	good_leaf
	pop
	ret
end good_jump_table

/* What the branch knows of X29 is not true in the middle of the epilogue */
begin good_jump_table_and_late_description
	push
	mov	x29, sp
	bl	good_leaf
	cbz	x0, 3f
	adr	x1, 1f
	add	x1, x1, x0
	br	x1
1:	bl	good_leaf
3:	ldr	x29, [sp]
	mov	x0, #0
	ldr	x30, [sp, #8]
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	ret
end good_jump_table_and_late_description

begin good_indirect_tail_call
	push
	mov	x29, sp
	bl	good_leaf
	mov	x16, x0
	pop
	br	x16
end good_indirect_tail_call

/* What the compiler keeps for an atomic variable is not a save slot */
begin good_atomic_variables
	sub	sp, sp, #32
	.cfi_def_cfa_offset 32
	stp	x29, x30, [sp, #16]
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	add	x29, sp, #16
	stlr	x0, [sp]
	swpal	x0, x1, [sp]
	ldaxr	x1, [sp]
	stlxr	w2, x1, [sp]
	cas	x0, x1, [sp]
	st1	{v0.16b}, [sp]
	bl	good_leaf
	ldp	x29, x30, [sp, #16]
	.cfi_restore 29
	.cfi_restore 30
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end good_atomic_variables

begin good_copy_of_lr
	push
	mov	x29, sp
	str	x30, [sp, #16]
	bl	good_leaf
	ldr	x30, [sp, #16]
	mov	x0, x30
	pop
	ret
end good_copy_of_lr

/* Without a frame record it must not be taken for one that has it */
begin part_1_calls_without_record
	str	x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset 30, -16
	bl	good_leaf
	ldr	x30, [sp], #16
	.cfi_def_cfa_offset 0
	.cfi_restore 30
	ret
end part_1_calls_without_record

begin part_1_calls_before_fp_is_set
	push
	bl	good_leaf
	pop
	ret
end part_1_calls_before_fp_is_set

/* For one instruction it is on the shadow call stack only */
begin part_1_pops_shadow_call_stack_last
	str	x30, [x18], #8
	push
	mov	x29, sp
	bl	good_leaf
	ldr	x29, [sp], #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	ldr	x30, [x18, #-8]!
	.cfi_restore 30
	ret
end part_1_pops_shadow_call_stack_last

/* Clang describes LR behind AUTIASP, when SP has gone up already */
begin part_1_authenticates_behind_sp
	paciasp
	.cfi_negate_ra_state
	push
	mov	x29, sp
	bl	good_leaf
	ldp	x29, x30, [sp], #32
	.cfi_def_cfa_offset 0
	autiasp
	.cfi_negate_ra_state
	.cfi_restore 29
	.cfi_restore 30
	ret
end part_1_authenticates_behind_sp

begin part_1_dead_code
	ret
	nop
end part_1_dead_code

begin bad_nothing_said
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	bl	good_leaf
	ldp	x29, x30, [sp], #32
	ret
end bad_nothing_said

begin bad_cfa_offset
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 48
	.cfi_offset 29, -48
	.cfi_offset 30, -40
	mov	x29, sp
	bl	good_leaf
	pop
	ret
end bad_cfa_offset

begin bad_ra_offset
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -16
	mov	x29, sp
	bl	good_leaf
	pop
	ret
end bad_ra_offset

/* Not what is true at an entry: taken for a part that nothing leads to */
begin part_5_too_early
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	bl	good_leaf
	pop
	ret
end part_5_too_early

begin bad_too_late
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	bl	good_leaf
	pop
	ret
end bad_too_late

begin bad_epilogue_not_described
	push
	mov	x29, sp
	bl	good_leaf
	ldp	x29, x30, [sp], #32
	ret
end bad_epilogue_not_described

begin bad_moves_lr
	mov	x9, x30
	bl	1f
1:	mov	x30, x9
	ret
end bad_moves_lr

begin bad_moves_sp
	mov	x9, sp
	mov	sp, x0
	str	x1, [sp]
	mov	sp, x9
	ret
end bad_moves_sp

begin bad_clobbers_fp
	push
	mov	x29, sp
	.cfi_def_cfa_register 29
	mov	x29, x0
	mov	x29, sp
	.cfi_def_cfa_register 31
	pop
	ret
end bad_clobbers_fp

begin bad_overwrites_slot
	push
	mov	x29, sp
	str	x0, [sp, #8]
	bl	good_leaf
	pop
	ret
end bad_overwrites_slot

begin bad_overwrites_slot_with_vector
	.arch_extension	fp
	push
	mov	x29, sp
	str	q0, [x29]
	bl	good_leaf
	pop
	ret
end bad_overwrites_slot_with_vector

	.macro	bad_atomic name, insn:vararg
begin bad_overwrites_slot_\name
	push
	mov	x29, sp
	\insn
	bl	good_leaf
	pop
	ret
end bad_overwrites_slot_\name
	.endm

	bad_atomic with_stlr, stlr x0, [sp]
	bad_atomic with_swp, swp x0, x1, [x29]
	bad_atomic with_ldadd, ldadd x0, x1, [sp]
	bad_atomic with_stxr, stxr w1, x0, [sp]
	bad_atomic with_cas, cas x0, x1, [sp]
	bad_atomic with_casp, casp x0, x1, x2, x3, [sp]
	bad_atomic with_st1, st1 {v0.16b}, [x29]

begin bad_returns_with_frame
	push
	mov	x29, sp
	ret
end bad_returns_with_frame

begin bad_tail_call_with_frame
	push
	mov	x29, sp
	b	abort
end bad_tail_call_with_frame

begin bad_indirect_tail_call_with_frame
	push
	mov	x29, sp
	br	x0
end bad_indirect_tail_call_with_frame

/* A label that something was added to, but on one way only */
begin bad_indirect_branch_on_two_ways
	push
	mov	x29, sp
	mov	x1, x2
	cbz	x0, 2f
	adr	x1, 1f
	add	x1, x1, x0
2:	br	x1
1:	bl	good_leaf
	pop
	ret
end bad_indirect_branch_on_two_ways

/* From the second branch LR is not what the return needs */
begin bad_second_jump_table
	push
	cbz	x0, 2f
	adr	x1, 1f
	add	x1, x1, x0
	br	x1
2:	bl	good_leaf
	adr	x1, 1f
	add	x1, x1, x0
	br	x1
1:	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	ret
end bad_second_jump_table

/* The same where something else leads to the end, too */
begin bad_jump_table_to_known_place
	push
	cbz	x0, 1f
	bl	good_leaf
	adr	x1, 1f
	add	x1, x1, x0
	br	x1
1:	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	ret
end bad_jump_table_to_known_place

/* ... and where the code ahead of it runs into it */
begin bad_jump_table_into_running_code
	push
	cbz	x0, 1f
	cbz	x2, 2f
	nop
1:	add	sp, sp, #32
	.cfi_remember_state
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	ret
2:	.cfi_restore_state
	bl	good_leaf
	adr	x1, 1b
	add	x1, x1, x0
	br	x1
end bad_jump_table_into_running_code

begin bad_constant_of_one_way
	cbz	x0, 1f
	mov	x16, #32
1:	sub	sp, sp, x16
	.cfi_def_cfa_offset 32
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end bad_constant_of_one_way

begin bad_constants_of_two_ways
	mov	x16, #32
	cbz	x0, 1f
	mov	x16, #64
1:	sub	sp, sp, x16
	.cfi_def_cfa_offset 32
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end bad_constants_of_two_ways

begin bad_constant_overwritten
	mov	x16, #32
	ldp	x15, x16, [x0]
	sub	sp, sp, x16
	.cfi_def_cfa_offset 32
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end bad_constant_overwritten

begin bad_constant_of_other_register
	mov	x16, #32
	movk	x17, #0, lsl #16
	mov	x17, #16
	sub	sp, sp, x17
	.cfi_def_cfa_offset 32
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end bad_constant_of_other_register

begin bad_restores_other
	push
	mov	x29, sp
	bl	good_leaf
	ldr	x29, [sp]
	.cfi_restore 29
	ldr	x30, [sp, #16]
	.cfi_restore 30
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ret
end bad_restores_other

begin bad_below_sp
	push
	mov	x29, sp
	bl	good_leaf
	add	sp, sp, #32
	.cfi_def_cfa_offset 0
	ldp	x29, x30, [sp, #-32]
	.cfi_restore 29
	.cfi_restore 30
	ret
end bad_below_sp

begin bad_one_way_only
	cbz	x0, 1f
	push
1:	nop
	pop
	ret
end bad_one_way_only

/* What is behind the call or the trap is true for those who came one way. */
	.macro	two_ways branch, insn:vararg
	push
	mov	x29, sp
	\branch	x0, 1f
	b	2f
1:	add	x29, x29, #16
2:	\insn
	.cfi_def_cfa 29, 32
	nop
	mov	x29, sp
	.cfi_def_cfa 31, 32
	pop
	ret
	.endm

begin bad_call_on_two_ways
	two_ways cbz, bl good_leaf
end bad_call_on_two_ways

begin bad_call_on_two_other_ways
	two_ways cbnz, bl good_leaf
end bad_call_on_two_other_ways

begin bad_trap_on_two_ways
	two_ways cbz, brk #0x800
end bad_trap_on_two_ways

begin bad_unknown_branch
	.inst	0x74c01020		/* CB<cc>, FEAT_CMPBR */
	ret
end bad_unknown_branch

begin bad_expression
	.cfi_escape 0x0f, 0x02, 0x8f, 0x00	/* DW_CFA_def_cfa_expression */
	ret
end bad_expression

/* DW_CFA_offset_extended of LR by 2^63 - 1 units */
begin bad_offset_overflows
	.cfi_escape 0x05, 0x1e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
	ret
end bad_offset_overflows

begin bad_ra_in_register
	.cfi_register 30, 9
	mov	x9, x30
	ret
end bad_ra_in_register

/* What a jump label, a fixup and an alternative lead to counts */
begin bad_jump_label
	push
	mov	x29, sp
10:	nop
	bl	good_leaf
	pop
11:	ret
end bad_jump_label

begin bad_fixup
	push
	mov	x29, sp
20:	ldr	x0, [x0]
	bl	good_leaf
	pop
21:	ret
end bad_fixup

begin bad_alternative
30:	nop
	ret
end bad_alternative

begin good_alternative
40:	b	2f
1:	add	x0, x0, #1
2:	ret
end good_alternative

	.pushsection __jump_table, "aw"
	.balign	8
	.long	10b - ., 11b - .
	.quad	0
	.popsection

	.pushsection __ex_table, "a"
	.balign	4
	.long	20b - ., 21b - .
	.short	0, 0
	.popsection

	.pushsection .altinstr_replacement, "ax"
31:	mov	x30, x0
41:	nop
	.popsection

	.pushsection .altinstructions, "a"
	.long	30b - ., 31b - .
	.short	1
	.byte	4, 4
	.long	40b - ., 41b - .
	.short	1
	.byte	4, 4
	.popsection

/* NOPs ahead of the description, as -fpatchable-function-entry makes them */
	.globl	good_entry
	.type	good_entry, %function
	.balign	8
	.rept	6
	nop
	.endr
good_entry:
	nop
	nop
	.cfi_startproc
	push
	mov	x29, sp
	bl	good_leaf
	pop
	ret
	.cfi_endproc
	.size	good_entry, . - good_entry

/*
 * Calls to other modules from a live patch. check.sh turns their relocations into
 * those of a live patch, which leave zeros in the instructions.
 */
	.section .text.klp, "ax", %progbits

begin good_klp_call
	push
	mov	x29, sp
	bl	klp_target
	pop
	b	klp_target
end good_klp_call

begin bad_klp_tail_call_with_frame
	push
	mov	x29, sp
	b	klp_target
end bad_klp_tail_call_with_frame

/* A relocation at the very end of its section, smaller than an instruction */
	.section .data.small, "aw", %progbits
	.hword	klp_target - .
