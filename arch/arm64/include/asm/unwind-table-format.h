/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How scripts/unwind-table writes down where the caller of an interrupted
 * function is, and how the kernel reads it. Both include this file.
 *
 * A table covers one text section. All numbers are little endian. The header
 * is followed by the rules, the functions and the rows, without gaps:
 *
 *   rules[nr_rules]	the different answers, the first of them is "not known"
 *   funcs[nr_funcs]	sorted by address
 *   rows[nr_rows]	for each function: from which instruction on which rule
 *			holds, up to a row with UNWIND_ROW_END. Functions of
 *			the same shape share their rows.
 *
 * What is in no function has no rule: slots, PLTs, trampolines and assembly.
 */
#ifndef __ASM_UNWIND_TABLE_FORMAT_H
#define __ASM_UNWIND_TABLE_FORMAT_H

#include <linux/types.h>

#define UNWIND_TABLE_MAGIC	0x31574e55	/* "UNW1" */

/* The name of a module's table is that of its text section and this */
#define UNWIND_TABLE_SUFFIX	".unwind"

/* The Canonical Frame Address is the SP of the caller at the call */
#define UNWIND_CFA_NONE		0
#define UNWIND_CFA_SP		1
#define UNWIND_CFA_FP		2

#define UNWIND_ROW_END		0xffff

/* Rows count instructions in 16 bits: what is longer takes several functions */
#define UNWIND_FUNC_INSNS	0xffff

/**
 * struct unwind_table_header - first bytes of a table
 * @magic:	UNWIND_TABLE_MAGIC
 * @text_size:	Size of the text section in bytes.
 * @nr_rules:	Number of &struct unwind_rule.
 * @nr_funcs:	Number of &struct unwind_func.
 * @nr_rows:	Number of &struct unwind_row.
 * @sum:	unwind_table_sum() of all 32-bit words of the table from
 *		UNWIND_TABLE_SUM on, this one taken for 0. A table that differs
 *		in one word has another.
 */
struct unwind_table_header {
	__u32	magic;
	__u32	text_size;
	__u32	nr_rules;
	__u32	nr_funcs;
	__u32	nr_rows;
	__u32	sum;
};

#define UNWIND_TABLE_SUM	2166136261u

/* FNV-1a, of words: each step can be undone, so none hides a difference */
static inline __u32 unwind_table_sum(__u32 sum, __u32 word)
{
	return (sum ^ word) * 16777619u;
}

/**
 * struct unwind_rule - where a function's caller is
 * @cfa_off:	Distance from the base up to the CFA.
 * @ra_off:	Distance from the CFA down to the return address, 0 while that
 *		is in LR.
 * @fp_off:	Distance from the CFA down to the caller's FP, 0 while that is
 *		in X29.
 * @cfa_base:	UNWIND_CFA_SP, UNWIND_CFA_FP, or UNWIND_CFA_NONE where nothing
 *		is known.
 * @reserved:	0
 */
struct unwind_rule {
	__u16	cfa_off;
	__u16	ra_off;
	__u16	fp_off;
	__u8	cfa_base;
	__u8	reserved;
};

/**
 * struct unwind_func - a piece of text
 * @start:	Distance in bytes from the start of the text section.
 * @row:	Index of its first row.
 */
struct unwind_func {
	__u32	start;
	__u32	row;
};

/**
 * struct unwind_row - from here on
 * @insn:	Distance from the start of the function in instructions.
 * @rule:	Index of the rule, or UNWIND_ROW_END behind the last one.
 */
struct unwind_row {
	__u16	insn;
	__u16	rule;
};

#endif /* __ASM_UNWIND_TABLE_FORMAT_H */
