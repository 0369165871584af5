// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unwind tables of modules.
 */
#define pr_fmt(fmt) "unwind: " fmt

#include <linux/cleanup.h>
#include <linux/elf.h>
#include <linux/maple_tree.h>
#include <linux/module.h>
#include <linux/moduleloader.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/unwind-table.h>

/* From the text of modules to its tables. Walkers read it under RCU only. */
static struct maple_tree module_tables =
	MTREE_INIT(module_tables, MT_FLAGS_USE_RCU);

struct module_table {
	struct rcu_head		rcu;
	struct unwind_table	table;
};

/**
 * module_unwind_find_rule() - Find the rule for one instruction of a module.
 * @pc:   its address.
 * @rule: where the rule goes.
 *
 * Return: whether there is one.
 */
bool module_unwind_find_rule(unsigned long pc, struct unwind_rule *rule)
{
	const struct module_table *mt;

	/* Keeps the table: see forget_tables() */
	guard(rcu)();
	mt = mtree_load(&module_tables, pc);
	return mt && unwind_table_find(&mt->table, pc, rule);
}

/* The loader frees the text and its tables an RCU grace period later */
static void forget_tables(const struct module_memory *mem)
{
	unsigned long start = (unsigned long)mem->base, at = start;
	struct module_table *mt;

	/* Nothing was allocated, or it was forgotten already */
	if (!mem->size)
		return;
	mt_for_each(&module_tables, mt, at, start + mem->size - 1) {
		mtree_erase(&module_tables, mt->table.text);
		kfree_rcu(mt, rcu);
	}
}

static const char *section_name(const Elf64_Ehdr *hdr, const Elf64_Shdr *sechdrs,
				const Elf64_Shdr *s)
{
	return (const char *)hdr + sechdrs[hdr->e_shstrndx].sh_offset + s->sh_name;
}

/*
 * The text section that a section is the table of, if it is one. Sections that
 * are not loaded have no address to look up.
 */
static const Elf64_Shdr *table_text(const Elf64_Ehdr *hdr,
				    const Elf64_Shdr *sechdrs,
				    const Elf64_Shdr *table)
{
	const char *name = section_name(hdr, sechdrs, table);
	const Elf64_Shdr *s;
	size_t len;

	if (!(table->sh_flags & SHF_ALLOC) ||
	    strlen(name) <= strlen(UNWIND_TABLE_SUFFIX))
		return NULL;
	len = strlen(name) - strlen(UNWIND_TABLE_SUFFIX);
	if (strcmp(name + len, UNWIND_TABLE_SUFFIX))
		return NULL;
	for (s = sechdrs; s < sechdrs + hdr->e_shnum; s++) {
		const char *text = section_name(hdr, sechdrs, s);

		if ((s->sh_flags & SHF_EXECINSTR) && (s->sh_flags & SHF_ALLOC) &&
		    strlen(text) == len && !strncmp(text, name, len))
			return s;
	}
	return NULL;
}

static int module_add_table(const Elf64_Shdr *section, const Elf64_Shdr *text)
{
	struct module_table *mt = kzalloc(sizeof(*mt), GFP_KERNEL);
	int ret;

	if (!mt)
		return -ENOMEM;

	mt->table.data = (const void *)section->sh_addr;
	mt->table.size = section->sh_size;
	mt->table.text = text->sh_addr;
	mt->table.text_size = text->sh_size;
	ret = unwind_table_check(&mt->table);
	if (!ret)
		ret = mtree_insert_range(&module_tables, text->sh_addr,
					 text->sh_addr + text->sh_size - 1, mt,
					 GFP_KERNEL);
	if (ret)
		kfree(mt);
	return ret;
}

/**
 * module_unwind_init() - Register the tables of a module.
 * @hdr:     the module's ELF header.
 * @sechdrs: its section headers, with final addresses.
 * @mod:     the module.
 *
 * A module without tables is fine: stack traces are unreliable where it is
 * interrupted.
 *
 * After a failure the caller has to forget what was registered.
 *
 * Return: 0 on success, -ENOEXEC for a damaged table, -ENOMEM.
 */
int module_unwind_init(const Elf64_Ehdr *hdr, const Elf64_Shdr *sechdrs,
		       struct module *mod)
{
	const Elf64_Shdr *s, *text;
	int ret;

	for (s = sechdrs; s < sechdrs + hdr->e_shnum; s++) {
		text = table_text(hdr, sechdrs, s);
		if (!text)
			continue;
		ret = module_add_table(s, text);
		if (!ret)
			continue;
		if (ret == -ENOMEM)
			return ret;
		pr_err("module %s: damaged table in section %s\n", mod->name,
		       section_name(hdr, sechdrs, s));
		return -ENOEXEC;
	}
	return 0;
}

/**
 * module_unwind_forget_init() - Forget the tables of a module's init text.
 * @mod: the module.
 */
void module_unwind_forget_init(struct module *mod)
{
	forget_tables(&mod->mem[MOD_INIT_TEXT]);
}

/**
 * module_unwind_forget() - Forget all tables of a module.
 * @mod: the module, which goes or failed to come.
 *
 * Those of the init text are among them where its init function failed.
 */
void module_unwind_forget(struct module *mod)
{
	forget_tables(&mod->mem[MOD_TEXT]);
	module_unwind_forget_init(mod);
}
