/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every relocation type that arm64 modules know, as live-patch relocations for
 * the module KLP_TARGET. Types that reach far refer to symbols of that module.
 * The others refer to symbols of the patch itself, KLP_PATCH, so that they can
 * be applied wherever the target is: a live-patch symbol may be in any module.
 *
 * "objtool klp post-link" makes .klp.rela sections from what is collected here
 * in __klp_relocs sections, see struct klp_reloc there.
 */
#include <linux/linkage.h>
#include <linux/stringify.h>
#include <asm/alternative.h>
#include <asm/assembler.h>
#include <asm/cpucaps.h>
#include <asm/elf.h>

#include "reloc.h"

#define KLP_SYM(obj, name, pos)	__stringify(.klp.sym.obj.name,pos)
#define KLP_RELOCS		__stringify(__klp_relocs.KLP_TARGET)

/* modpost wants all symbols defined, unless they are weak. */
#define IMPORT(alias, obj, name, pos)		\
	.weak	KLP_SYM(obj, name, pos);	\
	.set	alias, KLP_SYM(obj, name, pos)

	IMPORT(T_VAR, KLP_TARGET, test_klp_reloc_var, 0)
	IMPORT(T_EXPORTED, KLP_TARGET, KLP_RELOC_EXPORTED, 0)
	IMPORT(T_STATIC, KLP_TARGET, test_klp_reloc_static, 0)
	IMPORT(T_TWIN1, KLP_TARGET, test_klp_reloc_twin, 1)
	IMPORT(T_TWIN2, KLP_TARGET, test_klp_reloc_twin, 2)

	IMPORT(P_BEFORE, KLP_PATCH, klp_local_before, 0)
	IMPORT(P_AFTER, KLP_PATCH, klp_local_after, 0)
	IMPORT(P_WORD, KLP_PATCH, klp_local_word, 0)
	IMPORT(P_DATA, KLP_PATCH, klp_local_data, 0)
	IMPORT(P_ABS16, KLP_PATCH, klp_local_abs16, 0)
	IMPORT(P_ABS32, KLP_PATCH, klp_local_abs32, 0)
	IMPORT(P_ABS48, KLP_PATCH, klp_local_abs48, 0)
	IMPORT(P_NEG16, KLP_PATCH, klp_local_neg16, 0)
	IMPORT(P_NEG32, KLP_PATCH, klp_local_neg32, 0)
	IMPORT(P_NEG48, KLP_PATCH, klp_local_neg48, 0)

	.set	klp_local_abs16, TEST_KLP_RELOC_ABS16
	.set	klp_local_abs32, TEST_KLP_RELOC_ABS32
	.set	klp_local_abs48, TEST_KLP_RELOC_ABS48
	.set	klp_local_neg16, TEST_KLP_RELOC_NEG16
	.set	klp_local_neg32, TEST_KLP_RELOC_NEG32
	.set	klp_local_neg48, TEST_KLP_RELOC_NEG48

/* asm/elf.h has macros of the preprocessor, the one below needs symbols. */
#define TYPE(name)	.set KLP_TYPE_##name, R_AARCH64_##name
	TYPE(CALL26)
	TYPE(JUMP26)
	TYPE(CONDBR19)
	TYPE(TSTBR14)
	TYPE(ADR_PREL_PG_HI21)
	TYPE(ADD_ABS_LO12_NC)
	TYPE(ADR_PREL_PG_HI21_NC)
	TYPE(LDST8_ABS_LO12_NC)
	TYPE(LDST16_ABS_LO12_NC)
	TYPE(LDST32_ABS_LO12_NC)
	TYPE(LDST64_ABS_LO12_NC)
	TYPE(LDST128_ABS_LO12_NC)
	TYPE(ADR_PREL_LO21)
	TYPE(LD_PREL_LO19)
	TYPE(MOVW_UABS_G3)
	TYPE(MOVW_UABS_G2_NC)
	TYPE(MOVW_UABS_G1_NC)
	TYPE(MOVW_UABS_G0_NC)
	TYPE(MOVW_UABS_G0)
	TYPE(MOVW_UABS_G1)
	TYPE(MOVW_UABS_G2)
	TYPE(MOVW_SABS_G0)
	TYPE(MOVW_SABS_G1)
	TYPE(MOVW_SABS_G2)
	TYPE(MOVW_PREL_G3)
	TYPE(MOVW_PREL_G2_NC)
	TYPE(MOVW_PREL_G1_NC)
	TYPE(MOVW_PREL_G0_NC)
	TYPE(MOVW_PREL_G2)
	TYPE(MOVW_PREL_G1)
	TYPE(MOVW_PREL_G0)
	TYPE(ABS64)
	TYPE(PREL64)
	TYPE(PREL32)
	TYPE(ABS32)
	TYPE(ABS16)
	TYPE(PREL16)

/* klp TYPE, SYMBOL, what to assemble: leaves label 9 at the place */
.macro	klp type:req, sym:req, what:vararg
9:	\what
	.pushsection KLP_RELOCS, "a"
	.balign	8
	.quad	9b, \sym
	.long	KLP_TYPE_\type, 0
	.popsection
.endm

	.text

SYM_FUNC_START(klp_local_before)
	mov	x0, #TEST_KLP_RELOC_BEFORE
	ret
SYM_FUNC_END(klp_local_before)

/* Branches */

SYM_FUNC_START(klp_t_call26)
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	klp	CALL26, T_EXPORTED, bl T_EXPORTED
	ldp	x29, x30, [sp], #16
	ret
SYM_FUNC_END(klp_t_call26)

/* Shares a PLT entry with the one above. */
SYM_FUNC_START(klp_t_call26_again)
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	klp	CALL26, T_EXPORTED, bl T_EXPORTED
	ldp	x29, x30, [sp], #16
	ret
SYM_FUNC_END(klp_t_call26_again)

SYM_FUNC_START(klp_t_jump26)
SYM_INNER_LABEL(klp_p_jump26, SYM_L_GLOBAL)
	klp	JUMP26, T_STATIC, b T_STATIC
SYM_FUNC_END(klp_t_jump26)

SYM_FUNC_START(klp_t_twin1)
	klp	JUMP26, T_TWIN1, b T_TWIN1
SYM_FUNC_END(klp_t_twin1)

SYM_FUNC_START(klp_t_twin2)
	klp	JUMP26, T_TWIN2, b T_TWIN2
SYM_FUNC_END(klp_t_twin2)

SYM_FUNC_START(klp_t_condbr19)
	cmp	xzr, xzr
	klp	CONDBR19, P_BEFORE, b.eq P_BEFORE
	mov	x0, #0
	ret
SYM_FUNC_END(klp_t_condbr19)

SYM_FUNC_START(klp_t_cbz)
	klp	CONDBR19, P_AFTER, cbz xzr, P_AFTER
	mov	x0, #0
	ret
SYM_FUNC_END(klp_t_cbz)

SYM_FUNC_START(klp_t_tstbr14)
	klp	TSTBR14, P_AFTER, tbz xzr, #0, P_AFTER
	mov	x0, #0
	ret
SYM_FUNC_END(klp_t_tstbr14)

/* Addresses and loads */

SYM_FUNC_START(klp_t_adrp_add)
	klp	ADR_PREL_PG_HI21, T_VAR, adrp x0, T_VAR
	klp	ADD_ABS_LO12_NC, T_VAR, add x0, x0, :lo12:T_VAR
	ret
SYM_FUNC_END(klp_t_adrp_add)

SYM_FUNC_START(klp_t_ldst8)
	klp	ADR_PREL_PG_HI21_NC, T_VAR, adrp x1, :pg_hi21_nc:T_VAR
	klp	LDST8_ABS_LO12_NC, T_VAR, ldrb w0, [x1, :lo12:T_VAR]
	ret
SYM_FUNC_END(klp_t_ldst8)

SYM_FUNC_START(klp_t_ldst16)
	klp	ADR_PREL_PG_HI21, T_VAR, adrp x1, T_VAR
	klp	LDST16_ABS_LO12_NC, T_VAR, ldrh w0, [x1, :lo12:T_VAR]
	ret
SYM_FUNC_END(klp_t_ldst16)

SYM_FUNC_START(klp_t_ldst32)
	klp	ADR_PREL_PG_HI21, T_VAR, adrp x1, T_VAR
	klp	LDST32_ABS_LO12_NC, T_VAR, ldr w0, [x1, :lo12:T_VAR]
	ret
SYM_FUNC_END(klp_t_ldst32)

SYM_FUNC_START(klp_t_ldst64)
	klp	ADR_PREL_PG_HI21, T_VAR, adrp x1, T_VAR
	klp	LDST64_ABS_LO12_NC, T_VAR, ldr x0, [x1, :lo12:T_VAR]
	ret
SYM_FUNC_END(klp_t_ldst64)

/* Takes a SIMD register: looked at, and never run */
SYM_DATA_START(klp_p_ldst128)
	klp	LDST128_ABS_LO12_NC, T_VAR, ldr q0, [x1, :lo12:T_VAR]
SYM_DATA_END(klp_p_ldst128)

SYM_FUNC_START(klp_t_adr)
	klp	ADR_PREL_LO21, P_WORD, adr x0, P_WORD
	ret
SYM_FUNC_END(klp_t_adr)

SYM_FUNC_START(klp_t_ld_lo19)
	klp	LD_PREL_LO19, P_WORD, ldr x0, P_WORD
	ret
SYM_FUNC_END(klp_t_ld_lo19)

/*
 * ADRP at the last two words of a page, where Cortex-A53 with erratum 843419 may
 * compute a wrong address: the kernel makes them an ADR, or a branch to a veneer
 * if that does not reach.
 */
	.balign	4096
	.fill	0xff0 / 4, 4, 0xd503201f
SYM_FUNC_START_NOALIGN(klp_t_erratum)
	b	1f
	.balign	8
SYM_INNER_LABEL(klp_p_erratum, SYM_L_GLOBAL)
1:	klp	ADR_PREL_PG_HI21, T_VAR, adrp x0, T_VAR
	klp	ADR_PREL_PG_HI21, T_VAR, adrp x1, T_VAR
	klp	ADD_ABS_LO12_NC, T_VAR, add x0, x0, :lo12:T_VAR
	klp	ADD_ABS_LO12_NC, T_VAR, add x1, x1, :lo12:T_VAR
	cmp	x0, x1
	csel	x0, x0, xzr, eq
	ret
SYM_FUNC_END(klp_t_erratum)

/* MOVW, absolute */

SYM_FUNC_START(klp_t_uabs_g3)
	klp	MOVW_UABS_G3, T_VAR, movz x0, #:abs_g3:T_VAR
	klp	MOVW_UABS_G2_NC, T_VAR, movk x0, #:abs_g2_nc:T_VAR
	klp	MOVW_UABS_G1_NC, T_VAR, movk x0, #:abs_g1_nc:T_VAR
	klp	MOVW_UABS_G0_NC, T_VAR, movk x0, #:abs_g0_nc:T_VAR
	ret
SYM_FUNC_END(klp_t_uabs_g3)

SYM_FUNC_START(klp_t_uabs_g0)
	klp	MOVW_UABS_G0, P_ABS16, movz x0, #:abs_g0:P_ABS16
	ret
SYM_FUNC_END(klp_t_uabs_g0)

SYM_FUNC_START(klp_t_uabs_g1)
	klp	MOVW_UABS_G1, P_ABS32, movz x0, #:abs_g1:P_ABS32
	ret
SYM_FUNC_END(klp_t_uabs_g1)

SYM_FUNC_START(klp_t_uabs_g2)
	klp	MOVW_UABS_G2, P_ABS48, movz x0, #:abs_g2:P_ABS48
	ret
SYM_FUNC_END(klp_t_uabs_g2)

SYM_FUNC_START(klp_t_sabs_g0)
	klp	MOVW_SABS_G0, P_ABS16, movz x0, #:abs_g0_s:P_ABS16
	ret
SYM_FUNC_END(klp_t_sabs_g0)

/* MOVZ becomes MOVN in these. */
SYM_FUNC_START(klp_t_sabs_g0_neg)
	klp	MOVW_SABS_G0, P_NEG16, movz x0, #:abs_g0_s:P_NEG16
	ret
SYM_FUNC_END(klp_t_sabs_g0_neg)

SYM_FUNC_START(klp_t_sabs_g1_neg)
	klp	MOVW_SABS_G1, P_NEG32, movz x0, #:abs_g1_s:P_NEG32
	ret
SYM_FUNC_END(klp_t_sabs_g1_neg)

SYM_FUNC_START(klp_t_sabs_g2_neg)
	klp	MOVW_SABS_G2, P_NEG48, movz x0, #:abs_g2_s:P_NEG48
	ret
SYM_FUNC_END(klp_t_sabs_g2_neg)

/* MOVW, relative: addends make up for the distance to the first place. */

SYM_FUNC_START(klp_t_prel_g3)
	klp	MOVW_PREL_G3, T_VAR, movz x0, #:prel_g3:T_VAR
	klp	MOVW_PREL_G2_NC, T_VAR + 4, movk x0, #:prel_g2_nc:T_VAR + 4
	klp	MOVW_PREL_G1_NC, T_VAR + 8, movk x0, #:prel_g1_nc:T_VAR + 8
	klp	MOVW_PREL_G0_NC, T_VAR + 12, movk x0, #:prel_g0_nc:T_VAR + 12
	adr	x1, 9b - 12
	add	x0, x0, x1
	ret
SYM_FUNC_END(klp_t_prel_g3)

SYM_FUNC_START(klp_t_prel_g2)
	klp	MOVW_PREL_G2, P_BEFORE, movz x0, #:prel_g2:P_BEFORE
	klp	MOVW_PREL_G1_NC, P_BEFORE + 4, movk x0, #:prel_g1_nc:P_BEFORE + 4
	klp	MOVW_PREL_G0_NC, P_BEFORE + 8, movk x0, #:prel_g0_nc:P_BEFORE + 8
	adr	x1, 9b - 8
	add	x0, x0, x1
	ret
SYM_FUNC_END(klp_t_prel_g2)

SYM_FUNC_START(klp_t_prel_g1)
	klp	MOVW_PREL_G1, P_AFTER, movz x0, #:prel_g1:P_AFTER
	klp	MOVW_PREL_G0_NC, P_AFTER + 4, movk x0, #:prel_g0_nc:P_AFTER + 4
	adr	x1, 9b - 4
	add	x0, x0, x1
	ret
SYM_FUNC_END(klp_t_prel_g1)

SYM_FUNC_START(klp_t_prel_g0)
	klp	MOVW_PREL_G0, P_BEFORE, movz x0, #:prel_g0:P_BEFORE
	adr	x1, 9b
	add	x0, x0, x1
	ret
SYM_FUNC_END(klp_t_prel_g0)

/* No places as they are, but tests make places of them */
SYM_FUNC_START(klp_t_alternative)
	alternative_if_not ARM64_ALWAYS_SYSTEM
SYM_INNER_LABEL(klp_p_alternative, SYM_L_GLOBAL)
	b	.
	alternative_else
SYM_INNER_LABEL(klp_p_replacement, SYM_L_GLOBAL)
	bl	.
	alternative_endif
	ret
SYM_FUNC_END(klp_t_alternative)

SYM_FUNC_START(klp_local_after)
	mov	x0, #TEST_KLP_RELOC_AFTER
	ret
SYM_FUNC_END(klp_local_after)

	.balign	8
SYM_DATA_START(klp_local_word)
	.quad	TEST_KLP_RELOC_WORD
SYM_DATA_END(klp_local_word)

/* Data, at odd addresses too, in every kind of section that is kept */

.macro	klp_data prefix:req
	.balign	8
SYM_DATA_START(\prefix\()_abs64)
	klp	ABS64, T_VAR, .quad T_VAR
SYM_DATA_END(\prefix\()_abs64)
SYM_DATA_START(\prefix\()_prel64)
	klp	PREL64, T_VAR, .quad T_VAR - .
SYM_DATA_END(\prefix\()_prel64)
SYM_DATA_START(\prefix\()_prel32)
	klp	PREL32, T_VAR, .word T_VAR - .
SYM_DATA_END(\prefix\()_prel32)
SYM_DATA_START(\prefix\()_abs32)
	klp	ABS32, P_ABS32, .word P_ABS32
SYM_DATA_END(\prefix\()_abs32)
SYM_DATA_START(\prefix\()_abs16)
	klp	ABS16, P_ABS16, .hword P_ABS16
SYM_DATA_END(\prefix\()_abs16)
	.byte	0x5a
SYM_DATA_START(\prefix\()_odd_abs64)
	klp	ABS64, T_EXPORTED, .quad T_EXPORTED
SYM_DATA_END(\prefix\()_odd_abs64)
SYM_DATA_START(\prefix\()_odd_prel32)
	klp	PREL32, T_VAR, .word T_VAR - .
SYM_DATA_END(\prefix\()_odd_prel32)
SYM_DATA_START(\prefix\()_odd_abs16)
	klp	ABS16, P_ABS16, .hword P_ABS16
SYM_DATA_END(\prefix\()_odd_abs16)
	.byte	0x5a
.endm

	.section .data, "aw"
	klp_data klp_data
SYM_DATA_START(klp_data_prel16)
	klp	PREL16, P_DATA, .hword P_DATA - .
SYM_DATA_END(klp_data_prel16)
	.balign	8
SYM_DATA_START(klp_local_data)
	.quad	0
SYM_DATA_END(klp_local_data)

	.section .rodata, "a"
	klp_data klp_rodata

	.section .data..ro_after_init, "aw"
	klp_data klp_roai

	.section .text.pad, "ax"

/*
 * Never run: so many calls that must be counted for the PLT that its reference
 * counts take up more than 2 KiB, which would be seen to leak.
 */
SYM_FUNC_START(klp_t_many_calls)
	.set	n, 0
	.rept	600
	bl	_printk + n
	.set	n, n + 4
	.endr
	ret
SYM_FUNC_END(klp_t_many_calls)

/* Like the target: do not fit into a gap near it. */
	.fill	327680, 4, 0xd503201f
