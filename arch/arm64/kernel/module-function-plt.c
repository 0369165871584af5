// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PLT entry for each patchable function: the slots of modules.
 */

#define pr_fmt(fmt) "Modules: " fmt

#include <linux/bitmap.h>
#include <linux/elf.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/moduleloader.h>

#include <asm/function-plt.h>
#include <asm/insn.h>

/* What the compiler emits for a function, without the landing pad */
#define ENTRY_NOPS	(PATCHABLE_PREFIX_BYTES / AARCH64_INSN_SIZE + 2)

static const char name_of_table[] = FTRACE_CALLSITE_SECTION;

static int refuse(const struct module *mod, unsigned long offset,
		  const char *problem)
{
	pr_err("module %s: section %s, offset 0x%lx: %s\n",
	       mod->name, name_of_table, offset, problem);
	return -ENOEXEC;
}

static const char too_many[] =
	"the table has more entries than the text has room for";

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
 * One of the NOPs of an entry. A landing pad can be ahead of the last two, or,
 * without a slot, ahead of the entry.
 */
static __le32 *entry_nop(unsigned long addr, unsigned int i)
{
	const unsigned int prefix = PATCHABLE_PREFIX_BYTES / AARCH64_INSN_SIZE;
	__le32 *insns = (__le32 *)addr;

	if (IS_ENABLED(CONFIG_ARM64_BTI_KERNEL) && prefix && i >= prefix &&
	    aarch64_insn_is_bti(le32_to_cpu(insns[prefix])))
		insns++;

	return insns + i;
}

/*
 * Check one entry, given by its address, and make BRKs of its NOPs: of two
 * entries that overlap, the second one finds some of them. They stay until all
 * tables are checked. The text is not executable yet.
 */
static const char *check_entry(const struct module *mod, unsigned long addr)
{
	const bool slots = IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS);
	unsigned int i;

	if (!in_module_text(mod, addr, (ENTRY_NOPS + 1) * AARCH64_INSN_SIZE))
		return "an entry is outside of the module's text";

	if (slots && !IS_ALIGNED(addr, sizeof_field(struct function_plt, target)))
		return "a slot is misaligned";
	if (!slots && !IS_ALIGNED(addr, AARCH64_INSN_SIZE))
		return "an entry is misaligned";

	for (i = 0; i < ENTRY_NOPS; i++) {
		if (!aarch64_insn_is_nop(le32_to_cpu(*entry_nop(addr, i))))
			return "an entry holds unexpected instructions";
	}

	for (i = 0; i < ENTRY_NOPS; i++)
		*entry_nop(addr, i) = cpu_to_le32(AARCH64_BREAK_FAULT);

	return NULL;
}

/* Give an entry its NOPs back, and the instructions of its slot, if any. */
static void prepare_entry(unsigned long addr)
{
	struct function_plt *plt = (struct function_plt *)addr;
	unsigned int i;

	for (i = 0; i < ENTRY_NOPS; i++)
		*entry_nop(addr, i) = cpu_to_le32(aarch64_insn_gen_nop());

	if (!IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS))
		return;

	plt->ldr = cpu_to_le32(function_plt_ldr());
	plt->br = cpu_to_le32(function_plt_br());
}

/* Check one table. Returns what is wrong with it, and at which offset. */
static const char *check_table(const struct module *mod, const Elf_Shdr *s,
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
		return too_many;

	*offset = ALIGN_DOWN(s->sh_size, sizeof(*entries));
	if (*offset != s->sh_size)
		return "the table is truncated";

	for (*offset = 0; *offset < s->sh_size; *offset += sizeof(*entries)) {
		problem = check_entry(mod, *entries++);
		if (problem)
			return problem;
	}

	return NULL;
}

static void prepare_table(const Elf_Shdr *s)
{
	const unsigned long *entry = (void *)s->sh_addr;
	const unsigned long *end = (void *)s->sh_addr + s->sh_size;

	while (entry < end)
		prepare_entry(*entry++);
}

static bool is_table(const Elf_Shdr *s, const char *secstrs)
{
	return s->sh_flags & SHF_ALLOC &&
	       !strcmp(name_of_table, secstrs + s->sh_name);
}

#ifdef CONFIG_ARM64_FUNCTION_PLT_POOL
/**
 * module_reserve_function_plts() - make room for the slots of a module
 * @hdr: ELF header of the module
 * @sechdrs: section headers of the module
 * @secstrings: section names
 * @mod: the module, its sections not laid out yet
 *
 * Where the module will lie is not known here, only where modules are tried to
 * be placed first. One that is near pays nothing. If that region is used up, its
 * functions do without slots.
 *
 * Context: module_frob_arch_sections().
 * Return: 0, or -ENOEXEC and a message if the table of patchable functions is
 *	   larger than the module's text allows.
 */
int module_reserve_function_plts(const Elf_Ehdr *hdr, Elf_Shdr *sechdrs,
				 const char *secstrings, struct module *mod)
{
	const unsigned long text_flags = SHF_ALLOC | SHF_EXECINSTR;
	Elf_Shdr *s, *end = sechdrs + hdr->e_shnum, *plts = NULL;
	u64 table = 0, text = 0;
	long size = 0;

	mod->arch.function_plts = (struct function_plt_pool){};
	mod->arch.function_plts_shndx = 0;

	for (s = sechdrs + 1; s < end; s++) {
		const char *name = secstrings + s->sh_name;

		if (!strcmp(name, ".text.function_plt_entries"))
			plts = s;
		else if ((s->sh_flags & text_flags) == text_flags)
			text += s->sh_size;
		else if (s->sh_flags & SHF_ALLOC && !strcmp(name, name_of_table))
			table += s->sh_size;
	}

	/* It came without the linker script for modules. */
	if (!plts)
		return 0;

	if (!module_region_is_near()) {
		size = function_plt_pool_size(table, text);
		if (size < 0)
			return refuse(mod, 0, too_many);
	}

	plts->sh_type = SHT_NOBITS;
	plts->sh_flags = size ? text_flags : 0;
	plts->sh_addralign = sizeof(struct function_plt);
	plts->sh_size = size;

	mod->arch.function_plts_shndx = plts - sechdrs;
	mod->arch.function_plts.nr = size / sizeof(struct function_plt);

	return 0;
}

/*
 * Write the slots. As nothing branches to them before function_plt_prepare() has
 * seen to it that all CPUs see its literal, these can be plain stores.
 */
static int fill_pool(const Elf_Shdr *sechdrs, struct module *mod)
{
	struct function_plt_pool *pool = &mod->arch.function_plts;
	const struct function_plt plt = {
		.ldr = cpu_to_le32(function_plt_ldr()),
		.br = cpu_to_le32(function_plt_br()),
	};
	unsigned int i;

	if (!pool->nr)
		return 0;

	pool->used = bitmap_zalloc(pool->nr, GFP_KERNEL);
	if (!pool->used)
		return -ENOMEM;

	pool->plts = (void *)sechdrs[mod->arch.function_plts_shndx].sh_addr;
	for (i = 0; i < pool->nr; i++)
		pool->plts[i] = plt;

	return 0;
}

static void free_pool(struct module *mod)
{
	bitmap_free(mod->arch.function_plts.used);
	mod->arch.function_plts = (struct function_plt_pool){};
}
#else
static int fill_pool(const Elf_Shdr *sechdrs, struct module *mod)
{
	return 0;
}

static void free_pool(struct module *mod) { }
#endif /* CONFIG_ARM64_FUNCTION_PLT_POOL */

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
 * Return: 0, or -ENOEXEC and a message if the module is malformed, or -ENOMEM.
 */
int module_finalize_function_plts(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
				  struct module *mod)
{
	const char *secstrs = (void *)hdr + sechdrs[hdr->e_shstrndx].sh_offset;
	const Elf_Shdr *s, *end = sechdrs + hdr->e_shnum;
	unsigned long offset;
	const char *problem;

	for (s = sechdrs + 1; s < end; s++) {
		if (!is_table(s, secstrs))
			continue;

		problem = check_table(mod, s, &offset);
		if (problem)
			return refuse(mod, offset, problem);
	}

	for (s = sechdrs + 1; s < end; s++) {
		if (is_table(s, secstrs))
			prepare_table(s);
	}

	return fill_pool(sechdrs, mod);
}

static void forget(const struct module_memory *mem)
{
	unsigned long start = (unsigned long)mem->base;

	function_plt_forget(start, start + mem->size);
}

/**
 * module_forget_function_plts() - drop what is known about the slots of a module
 * @mod: live when only its init text is freed, else all of it is
 *
 * Other text can come to lie there.
 */
void module_forget_function_plts(struct module *mod)
{
	forget(&mod->mem[MOD_INIT_TEXT]);
	if (mod->state != MODULE_STATE_LIVE) {
		forget(&mod->mem[MOD_TEXT]);
		free_pool(mod);
	}
}
