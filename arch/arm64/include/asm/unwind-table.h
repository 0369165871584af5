/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where is the caller of an interrupted function?
 *
 * scripts/unwind-table makes the tables, see <asm/unwind-table-format.h>.
 */
#ifndef __ASM_UNWIND_TABLE_H
#define __ASM_UNWIND_TABLE_H

#include <asm/unwind-table-format.h>

/**
 * struct unwind_table - a table in memory
 * @data:	Its first byte.
 * @size:	Size of the table in bytes.
 * @text:	Address of the text section that it is about.
 * @text_size:	Size of that in bytes.
 */
struct unwind_table {
	const void		*data;
	size_t			size;
	unsigned long		text;
	unsigned long		text_size;
};

/**
 * struct unwind_frame - registers that lead from a function to its caller
 * @pc:		The interrupted instruction, or the return address.
 * @sp:		SP there; of a caller: its SP at the call, which is the CFA.
 * @fp:		X29 there.
 * @lr:		X30 there, not used for a caller.
 */
struct unwind_frame {
	unsigned long		pc;
	unsigned long		sp;
	unsigned long		fp;
	unsigned long		lr;
};

int unwind_table_check(const struct unwind_table *table);
bool unwind_table_find(const struct unwind_table *table, unsigned long pc,
		       struct unwind_rule *rule);
bool unwind_rule_has_frame_record(const struct unwind_rule *rule);
bool unwind_rule_apply(const struct unwind_rule *rule,
		       struct unwind_frame *frame, unsigned long stack_end);

#ifdef __KERNEL__
#include <linux/elf.h>

struct module;

#ifdef CONFIG_ARM64_UNWIND_TABLE
/* Empty in the link that the table is made from, see link-vmlinux.sh */
extern const char __unwind_table_start[], __unwind_table_end[];
/* The function, and the last return address in it */
extern const char ret_from_fork[], ret_from_fork_last[];

bool unwind_find_rule(unsigned long pc, struct unwind_rule *rule);
bool unwind_is_return_address(unsigned long pc);
#else
static inline bool unwind_find_rule(unsigned long pc, struct unwind_rule *rule)
{
	return false;
}

static inline bool unwind_is_return_address(unsigned long pc)
{
	return false;
}
#endif /* CONFIG_ARM64_UNWIND_TABLE */

#if defined(CONFIG_ARM64_UNWIND_TABLE) && defined(CONFIG_MODULES)
bool module_unwind_find_rule(unsigned long pc, struct unwind_rule *rule);
int module_unwind_init(const Elf64_Ehdr *hdr, const Elf64_Shdr *sechdrs,
		       struct module *mod);
void module_unwind_forget_init(struct module *mod);
void module_unwind_forget(struct module *mod);
#else
static inline bool module_unwind_find_rule(unsigned long pc,
					   struct unwind_rule *rule)
{
	return false;
}

static inline int module_unwind_init(const Elf64_Ehdr *hdr,
				     const Elf64_Shdr *sechdrs,
				     struct module *mod)
{
	return 0;
}

static inline void module_unwind_forget_init(struct module *mod) { }
static inline void module_unwind_forget(struct module *mod) { }
#endif
#endif /* __KERNEL__ */

#endif /* __ASM_UNWIND_TABLE_H */
