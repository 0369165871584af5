// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read the tables that scripts/unwind-table made.
 *
 * Nothing here depends on the state of the kernel: the same code runs on a
 * build machine, where it is fed damaged tables and damaged stacks. A table is
 * checked as a whole once, and each look-up is bounds-checked besides.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>

#include <asm/unwind-table.h>

#define INSN_SIZE	4

/* The parts of a table, all of them inside of its memory */
struct layout {
	const struct unwind_rule	*rules;
	const struct unwind_func	*funcs;
	const struct unwind_row		*rows;
	u32				nr_rules;
	u32				nr_funcs;
	u32				nr_rows;
};

static bool unwind_table_layout(const struct unwind_table *table,
				struct layout *l)
{
	const struct unwind_table_header *hdr = table->data;
	u64 size = sizeof(*hdr);

	if (!hdr || table->size < size || hdr->magic != UNWIND_TABLE_MAGIC ||
	    hdr->text_size > table->text_size)
		return false;

	l->nr_rules = hdr->nr_rules;
	l->nr_funcs = hdr->nr_funcs;
	l->nr_rows = hdr->nr_rows;

	l->rules = table->data + size;
	size += (u64)l->nr_rules * sizeof(*l->rules);
	if (size > table->size)
		return false;
	l->funcs = table->data + size;
	size += (u64)l->nr_funcs * sizeof(*l->funcs);
	if (size > table->size)
		return false;
	l->rows = table->data + size;
	size += (u64)l->nr_rows * sizeof(*l->rows);
	return size <= table->size;
}

/* Saved values are 8 bytes each, below the CFA and at or above SP */
static bool unwind_slot_ok(const struct unwind_rule *rule, u16 off)
{
	if (!off)
		return true;
	if (off % 8)
		return false;
	return rule->cfa_base != UNWIND_CFA_SP || off <= rule->cfa_off;
}

static bool unwind_rule_ok(const struct unwind_rule *rule)
{
	switch (rule->cfa_base) {
	case UNWIND_CFA_SP:
		/* Both are aligned: AAPCS64, 6.4.5.1 */
		if (rule->cfa_off % 16)
			return false;
		break;
	case UNWIND_CFA_FP:
		break;
	default:
		return false;
	}
	/* Two values in one place cannot be */
	if (rule->ra_off && rule->ra_off == rule->fp_off)
		return false;
	return unwind_slot_ok(rule, rule->ra_off) &&
	       unwind_slot_ok(rule, rule->fp_off);
}

/* Of what the header says that there is: a linker may have added to it */
static bool unwind_table_sum_ok(const struct unwind_table *table,
				const struct layout *l)
{
	const struct unwind_table_header *hdr = table->data;
	const u32 *word = table->data, *end = (const u32 *)(l->rows + l->nr_rows);
	u32 sum = UNWIND_TABLE_SUM;

	for (; word < end; word++)
		sum = unwind_table_sum(sum, word == &hdr->sum ? 0 : *word);
	return sum == hdr->sum;
}

/**
 * unwind_table_check() - Check all of a table.
 * @table: the table.
 *
 * The sum tells that it is what was made when the kernel or the module was
 * built. Whatever was made, look-ups stay inside of it.
 *
 * Return: 0, or -EINVAL for a table that is not to be used.
 */
int unwind_table_check(const struct unwind_table *table)
{
	const struct unwind_table_header *hdr = table->data;
	struct layout l;
	u64 end = 0;
	u32 i, r;

	if (!unwind_table_layout(table, &l) || !unwind_table_sum_ok(table, &l))
		return -EINVAL;
	if (!l.nr_rules || l.rules[0].cfa_base != UNWIND_CFA_NONE)
		return -EINVAL;
	for (i = 1; i < l.nr_rules; i++) {
		if (!unwind_rule_ok(&l.rules[i]))
			return -EINVAL;
	}
	for (i = 0; i < l.nr_rows; i++) {
		if (l.rows[i].rule >= l.nr_rules &&
		    l.rows[i].rule != UNWIND_ROW_END)
			return -EINVAL;
	}
	for (i = 0; i < l.nr_funcs; i++) {
		const struct unwind_func *func = &l.funcs[i];

		/* Sorted, and none reaches into the next */
		if (func->start % INSN_SIZE || func->start < end)
			return -EINVAL;
		r = func->row;
		if (r >= l.nr_rows || l.rows[r].insn ||
		    l.rows[r].rule == UNWIND_ROW_END)
			return -EINVAL;
		do {
			r++;
			if (r >= l.nr_rows ||
			    l.rows[r].insn <= l.rows[r - 1].insn)
				return -EINVAL;
		} while (l.rows[r].rule != UNWIND_ROW_END);
		end = (u64)func->start + l.rows[r].insn * INSN_SIZE;
		if (end > hdr->text_size)
			return -EINVAL;
	}
	return 0;
}

/**
 * unwind_table_find() - Find the rule for one instruction.
 * @table: a table.
 * @pc:    the address of the instruction.
 * @rule:  where the rule goes.
 *
 * There is none for what is in no function, for what could not be verified when
 * the table was made, and for anything that is odd about the table.
 *
 * Return: whether there is one.
 */
bool unwind_table_find(const struct unwind_table *table, unsigned long pc,
		       struct unwind_rule *rule)
{
	const struct unwind_func *func;
	u32 low = 0, high, r, index = 0;
	struct layout l;
	unsigned long off;

	if (pc < table->text || pc - table->text >= table->text_size ||
	    pc % INSN_SIZE)
		return false;
	if (!unwind_table_layout(table, &l))
		return false;

	off = pc - table->text;
	high = l.nr_funcs;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (l.funcs[mid].start <= off)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;

	func = &l.funcs[low - 1];
	off = (off - func->start) / INSN_SIZE;

	/* Their instructions go up: the loop ends even where no row says so */
	for (r = func->row; r < l.nr_rows; r++) {
		const struct unwind_row *row = &l.rows[r];

		if (r != func->row && row->insn <= row[-1].insn)
			return false;
		if (row->insn > off)
			break;
		if (row->rule == UNWIND_ROW_END)
			return false;
		index = row->rule;
	}
	/* A row beyond it shows that the instruction is in the function */
	if (r == l.nr_rows || r == func->row || !index || index >= l.nr_rules)
		return false;

	*rule = l.rules[index];
	return unwind_rule_ok(rule);
}

/**
 * unwind_rule_has_frame_record() - Is this the rule of a call?
 * @rule: the rule of a BL or BLR.
 *
 * scripts/unwind-table lets a call have a rule only where X29 points to a frame
 * record. Elsewhere the record is recognised by its two halves.
 *
 * Return: whether there is a frame record that leads to the caller.
 */
bool unwind_rule_has_frame_record(const struct unwind_rule *rule)
{
	return rule->fp_off > 8 && rule->ra_off == rule->fp_off - 8;
}

static bool unwind_load(unsigned long *value, unsigned long cfa, u16 off,
			unsigned long sp)
{
	unsigned long addr = cfa - off;

	/* Nothing lasts below SP */
	if (off > cfa || addr < sp || addr % sizeof(*value))
		return false;
	*value = READ_ONCE(*(const unsigned long *)addr);
	return true;
}

/**
 * unwind_rule_apply() - Go from a function to its caller.
 * @rule:      the rule for the instruction at @frame->pc.
 * @frame:     the function's registers, replaced by those of its caller.
 * @stack_end: where the stack ends that @frame->sp is on. Everything from there
 *             down to @frame->sp can be read.
 *
 * Nothing outside of this part of the stack is read, and the caller's SP is
 * never below that of the function.
 *
 * Return: whether the caller was found. @frame is undefined otherwise.
 */
bool unwind_rule_apply(const struct unwind_rule *rule,
		       struct unwind_frame *frame, unsigned long stack_end)
{
	unsigned long sp = frame->sp, cfa, base, ra = frame->lr, fp = frame->fp;

	switch (rule->cfa_base) {
	case UNWIND_CFA_SP:
		base = sp;
		break;
	case UNWIND_CFA_FP:
		base = fp;
		break;
	default:
		return false;
	}
	if (sp % 16 || sp > stack_end || base < sp || base > stack_end ||
	    rule->cfa_off > stack_end - base)
		return false;
	cfa = base + rule->cfa_off;
	if (cfa % 16)
		return false;

	if (rule->ra_off && !unwind_load(&ra, cfa, rule->ra_off, sp))
		return false;
	if (rule->fp_off && !unwind_load(&fp, cfa, rule->fp_off, sp))
		return false;

	frame->pc = ra;
	frame->sp = cfa;
	frame->fp = fp;
	return true;
}
