// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which code can a reliable stack trace go through, once it was interrupted?
 */
#define pr_fmt(fmt) "unwind: " fmt

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/printk.h>

#include <asm/insn.h>
#include <asm/sections.h>
#include <asm/unwind-table.h>

/* Nothing is believed until the table was checked */
static struct unwind_table kernel_table __ro_after_init;

static int __init unwind_init(void)
{
	struct unwind_table table = {
		.data		= __unwind_table_start,
		.size		= __unwind_table_end - __unwind_table_start,
		.text		= (unsigned long)_stext,
		.text_size	= _etext - _stext,
	};
	const struct unwind_table_header *hdr = table.data;

	if (unwind_table_check(&table)) {
		pr_err("The kernel's table is damaged, stack traces through exceptions stay unreliable\n");
		return 0;
	}
	kernel_table = table;
	pr_info("%zu bytes for %u functions in %u KiB of text\n", table.size,
		hdr->nr_funcs, hdr->text_size / 1024);
	return 0;
}
early_initcall(unwind_init);

/**
 * unwind_find_rule() - Find the rule for one instruction.
 * @pc:   its address.
 * @rule: where the rule goes.
 *
 * Return: whether there is one. If not, nothing is known about the caller.
 */
bool unwind_find_rule(unsigned long pc, struct unwind_rule *rule)
{
	if (pc >= kernel_table.text &&
	    pc - kernel_table.text < kernel_table.text_size)
		return unwind_table_find(&kernel_table, pc, rule);
	return module_unwind_find_rule(pc, rule);
}

/**
 * unwind_is_return_address() - Can a stack trace be believed at a return address?
 * @pc: the return address.
 *
 * That it is one is for the walker to know. What is asked here is whether the
 * frame record that comes next leads to the caller of the function at @pc.
 *
 * It does not where assembly calls C code without a frame of its own. Direct
 * call trampolines do so, and return_to_handler. Their callers are missing from
 * the chain of frame records, hence an address has to be in
 *
 * - a function with a table, behind a call that has a frame record;
 * - .entry.text, where the next record is the one in struct pt_regs;
 * - ret_from_fork, where it is the last one.
 *
 * Return: whether it is one of these.
 */
bool unwind_is_return_address(unsigned long pc)
{
	struct unwind_rule rule;

	if (pc >= (unsigned long)__entry_text_start &&
	    pc < (unsigned long)__entry_text_end)
		return true;
	if (pc >= (unsigned long)ret_from_fork &&
	    pc <= (unsigned long)ret_from_fork_last)
		return true;
	/* A function can end with a call: its rule is the last one there is */
	return unwind_find_rule(pc - AARCH64_INSN_SIZE, &rule) &&
	       unwind_rule_has_frame_record(&rule);
}
