/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call frame information for assembly.
 *
 * scripts/unwind-table checks it against the instructions like that of the
 * compiler. Without it, or where it is wrong, a stack trace through a function
 * that was interrupted is unreliable, and nothing else happens.
 */
#ifndef __ASM_DWARF_CFI_H
#define __ASM_DWARF_CFI_H

#ifdef __ASSEMBLER__

#if defined(CONFIG_ARM64_UNWIND_TABLE) && !defined(__KVM_NVHE_HYPERVISOR__)
	.macro	CFI_STARTPROC
	.cfi_startproc
	.endm
	.macro	CFI_ENDPROC
	.cfi_endproc
	.endm
	.macro	CFI_DEF_CFA_OFFSET off
	.cfi_def_cfa_offset \off
	.endm
	.macro	CFI_DEF_CFA_REGISTER reg
	.cfi_def_cfa_register \reg
	.endm
	.macro	CFI_OFFSET reg, off
	.cfi_offset \reg, \off
	.endm
	.macro	CFI_RESTORE reg
	.cfi_restore \reg
	.endm
#else
	.macro	CFI_STARTPROC
	.endm
	.macro	CFI_ENDPROC
	.endm
	.macro	CFI_DEF_CFA_OFFSET off
	.endm
	.macro	CFI_DEF_CFA_REGISTER reg
	.endm
	.macro	CFI_OFFSET reg, off
	.endm
	.macro	CFI_RESTORE reg
	.endm
#endif

#endif /* __ASSEMBLER__ */

#endif /* __ASM_DWARF_CFI_H */
