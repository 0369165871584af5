/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What -fpatchable-function-entry=N,M reserves at the entry of a function.
 *
 * The compiler emits M NOPs ahead of the function and N - M behind its entry,
 * or behind the landing pad where there is one, and records the address of the
 * first of them in __patchable_function_entries. From there:
 *
 *   CONFIG_             FUNCTION_PLT_SLOTS  CALL_OPS  neither
 *   N,M                                8,6       4,2      2,0
 *
 *   slot   func-24   NOP, NOP            x                     64-bit literal
 *          func-16   NOP                 x                     LDR X16, literal
 *          func-12   NOP                 x                     BR  X16
 *   ops    func-8    NOP, NOP            x         x           ftrace_ops pointer
 *   func:  [BTI C]
 *          NOP                           x         x        x  MOV X9, LR
 *          NOP                           x         x        x  the patch site
 *
 * Functions are aligned to 8 bytes where anything is reserved ahead of them,
 * so that both literals are naturally aligned and can be replaced by one
 * single-copy atomic store (Arm ARM, B2.2.1).
 *
 * The slot starts with its literal because the instruction ahead of it can be
 * the BL to a function that does not return. The return address of that BL is
 * func-24. It never is the address of an instruction of the slot, so that a PC
 * of func-16 or func-12 always means the slot.
 */
#ifndef __ASM_PATCHABLE_ENTRY_H
#define __ASM_PATCHABLE_ENTRY_H

/* Distance in bytes from the recorded address to the function's entry */
#define PATCHABLE_PREFIX_BYTES	CONFIG_ARM64_PATCHABLE_PREFIX_BYTES

#endif /* __ASM_PATCHABLE_ENTRY_H */
