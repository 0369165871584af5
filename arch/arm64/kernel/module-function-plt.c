// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PLT entry for each patchable function: the slots of modules.
 */

#define pr_fmt(fmt) "Modules: " fmt

#include <linux/elf.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/moduleloader.h>

#include <asm/function-plt.h>
#include <asm/insn.h>

/* What the compiler emits for a function, without the landing pad */
#define ENTRY_NOPS	(PATCHABLE_PREFIX_BYTES / AARCH64_INSN_SIZE + 2)

static bool in_module_text(const struct module *mod, unsigned long addr,
			   unsigned long size)
{
	for_class_mod_mem_type(type, text) {
		if (within_module_mem_type(addr, mod, type) &&
		    within_module_mem_type(addr + size - 1, mod, type))
			return true;
	}

	return false;
}

/*
 * Check one entry, given by its address, and write the instructions of its
 * slot. The text is not executable yet, and the instruction cache is cleaned
 * when all of it is complete.
 *
 * Two entries that overlap are found by this, too: the second one finds the
 * instructions of the first one's slot where it needs NOPs.
 */
static const char *prepare_entry(const struct module *mod, unsigned long addr)
{
	struct function_plt *plt = (struct function_plt *)addr;
	__le32 *insns = (__le32 *)addr;
	unsigned int i;

	if (!in_module_text(mod, addr, (ENTRY_NOPS + 1) * AARCH64_INSN_SIZE))
		return "an entry is outside of the module's text";

	if (!IS_ALIGNED(addr, sizeof(plt->target)))
		return "a slot is misaligned";

	for (i = 0; i < ENTRY_NOPS; i++) {
		/* The landing pad */
		if (IS_ENABLED(CONFIG_ARM64_BTI_KERNEL) &&
		    i == PATCHABLE_PREFIX_BYTES / AARCH64_INSN_SIZE &&
		    aarch64_insn_is_bti(le32_to_cpu(*insns)))
			insns++;

		if (!aarch64_insn_is_nop(le32_to_cpu(*insns++)))
			return "an entry holds unexpected instructions";
	}

	plt->ldr = cpu_to_le32(function_plt_ldr());
	plt->br = cpu_to_le32(function_plt_br());

	return NULL;
}

/* Check one table. Returns what is wrong with it, and at which offset. */
static const char *prepare_table(const struct module *mod, const Elf_Shdr *s,
				 unsigned long *offset)
{
	const unsigned long *entries = (void *)s->sh_addr;
	unsigned long text = 0;
	const char *problem;

	for_class_mod_mem_type(type, text)
		text += mod->mem[type].size;

	*offset = 0;
	if (s->sh_size / sizeof(*entries) >
	    text / (ENTRY_NOPS * AARCH64_INSN_SIZE))
		return "the table has more entries than the text has room for";

	*offset = ALIGN_DOWN(s->sh_size, sizeof(*entries));
	if (*offset != s->sh_size)
		return "the table is truncated";

	for (*offset = 0; *offset < s->sh_size; *offset += sizeof(*entries)) {
		problem = prepare_entry(mod, *entries++);
		if (problem)
			return problem;
	}

	return NULL;
}

/**
 * module_finalize_function_plts() - check and prepare the slots of a module
 * @hdr: ELF header of the module
 * @sechdrs: section headers of the module
 * @mod: the module, relocated, its text still writable
 *
 * ftrace believes what the module's table of patchable functions says, and
 * switches itself off for good when that turns out to be wrong. So be sure
 * before it looks. It takes the first section of that name which is in memory.
 * Do not rely on that: all of them have to be right.
 *
 * Context: module_finalize(), ahead of the module's flush_icache_range().
 * Return: 0, or -ENOEXEC and a message if the module is malformed.
 */
int module_finalize_function_plts(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
				  struct module *mod)
{
	const char *secstrs = (void *)hdr + sechdrs[hdr->e_shstrndx].sh_offset;
	const char *name = FTRACE_CALLSITE_SECTION, *problem;
	const Elf_Shdr *s, *end = sechdrs + hdr->e_shnum;
	unsigned long offset;

	for (s = sechdrs + 1; s < end; s++) {
		if (!(s->sh_flags & SHF_ALLOC) ||
		    strcmp(name, secstrs + s->sh_name))
			continue;

		problem = prepare_table(mod, s, &offset);
		if (problem) {
			pr_err("module %s: section %s, offset 0x%lx: %s\n",
			       mod->name, name, offset, problem);
			return -ENOEXEC;
		}
	}

	return 0;
}

static void forget(const struct module_memory *mem)
{
	unsigned long start = (unsigned long)mem->base;

	function_plt_forget(start, start + mem->size);
}

/*
 * Called when the init text of a live module is freed, and when all of a module
 * is: other text can come to lie there.
 */
void module_arch_freeing_init(struct module *mod)
{
	forget(&mod->mem[MOD_INIT_TEXT]);
	if (mod->state != MODULE_STATE_LIVE)
		forget(&mod->mem[MOD_TEXT]);
}
