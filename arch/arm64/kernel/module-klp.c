// SPDX-License-Identifier: GPL-2.0-only
/*
 * Relocations of a live patch against the modules that it patches.
 *
 * These are applied when the target module is there, which is after the patch
 * itself was loaded, and again each time the target is loaded anew. All but
 * the first time the place holds the result of the time before, from which
 * the original instruction cannot be told: MOVZ may have become MOVN, ADRP may
 * have become ADR or a branch to a veneer. So the bytes of the module file are
 * saved when the patch is loaded, and every relocation starts from these. When
 * the target goes, the place gets them back, if livepatch still knows the patch:
 * one that was disabled or replaced keeps what it has, as nothing of it is run
 * any more, unless that was forced.
 *
 * PLT entries and veneers are found by the branch in the place: the one that
 * @cur holds is referenced once for it. An entry is free for the next user as
 * soon as no branch to it is left. A task that was preempted in an entry is no
 * concern: it is on its way to the target module or, in a veneer, it runs a
 * function that refers to it. The target is unloaded (or fails to load) when
 * nobody runs its functions or their replacements, or else that task would also
 * run freed text.
 */

#define pr_fmt(fmt) "Modules: " fmt

#include <linux/cacheflush.h>
#include <linux/cpu.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/memory.h>
#include <linux/moduleloader.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/text-patching.h>

#include <asm/alternative.h>
#include <asm/insn.h>

#include "module-reloc.h"

/**
 * struct klp_place - what one relocation makes of its place
 * @file:	contents in the module file
 * @cur:	what we last stored there; @file at first
 * @new:	computed, to be stored next
 */
struct klp_place {
	union reloc_bits file;
	union reloc_bits cur;
	union reloc_bits new;
};

/**
 * struct module_klp_relocs - the places of one .klp.rela.<module> section
 * @next:	of the same patch
 * @relsec:	index of the relocation section
 * @num:	number of its relocations
 * @place:	one for each, in the same order
 *
 * Built while the patch is loaded. After that, @cur and @new change under
 * text_mutex.
 */
struct module_klp_relocs {
	struct module_klp_relocs *next;
	unsigned int relsec;
	unsigned int num;
	struct klp_place place[] __counted_by(num);
};

static void klp_reloc_err(struct module *me, const char *secname,
			  const Elf_Rela *rel, const char *what)
{
	pr_err("%s: %s: offset %#llx, type %llu: %s\n", me->name, secname,
	       rel->r_offset, ELF64_R_TYPE(rel->r_info), what);
}

static void *klp_reloc_place(const Elf_Shdr *sechdrs, unsigned int relsec,
			     const Elf_Rela *rel)
{
	unsigned int infosec = sechdrs[relsec].sh_info;

	return (void *)sechdrs[infosec].sh_addr + rel->r_offset;
}

/*
 * Is @insn one that a relocation of this @type is for? PLT entries and veneers
 * are found by the branch in the place, so there must be no other way than
 * through one of these for a place to become a branch.
 */
static bool klp_check_insn(unsigned int type, u32 insn)
{
	switch (type) {
	case R_AARCH64_JUMP26:
	case R_AARCH64_CALL26:
		return aarch64_insn_is_b(insn) || aarch64_insn_is_bl(insn);
	case R_AARCH64_ADR_PREL_PG_HI21_NC:
	case R_AARCH64_ADR_PREL_PG_HI21:
		return aarch64_insn_is_adrp(insn);
	case R_AARCH64_MOVW_UABS_G0 ... R_AARCH64_MOVW_SABS_G2:
	case R_AARCH64_MOVW_PREL_G0 ... R_AARCH64_MOVW_PREL_G3:
		return aarch64_insn_is_movz(insn) || aarch64_insn_is_movn(insn) ||
		       aarch64_insn_is_movk(insn);
	default:
		return !aarch64_insn_is_b(insn) && !aarch64_insn_is_bl(insn);
	}
}

/*
 * The tools leave zeroes where a relocation will put its value. Anything else
 * is no place to relocate.
 *
 * Return: NULL, or what is wrong with @bits.
 */
static const char *klp_check_bits(unsigned int type, const union reloc_bits *bits)
{
	enum aarch64_insn_imm_type imm;

	switch (type) {
	case R_ARM_NONE:
	case R_AARCH64_NONE:
		return NULL;
	case R_AARCH64_ABS64:
	case R_AARCH64_ABS32:
	case R_AARCH64_ABS16:
	case R_AARCH64_PREL64:
	case R_AARCH64_PREL32:
	case R_AARCH64_PREL16:
		if (memchr_inv(bits, 0, module_reloc_size(type)))
			return "data is not zero";
		return NULL;
	case R_AARCH64_MOVW_UABS_G0 ... R_AARCH64_MOVW_SABS_G2:
	case R_AARCH64_MOVW_PREL_G0 ... R_AARCH64_MOVW_PREL_G3:
		imm = AARCH64_INSN_IMM_16;
		break;
	case R_AARCH64_LD_PREL_LO19:
	case R_AARCH64_CONDBR19:
		imm = AARCH64_INSN_IMM_19;
		break;
	case R_AARCH64_ADR_PREL_LO21:
	case R_AARCH64_ADR_PREL_PG_HI21_NC:
	case R_AARCH64_ADR_PREL_PG_HI21:
		imm = AARCH64_INSN_IMM_ADR;
		break;
	case R_AARCH64_ADD_ABS_LO12_NC:
	case R_AARCH64_LDST8_ABS_LO12_NC:
	case R_AARCH64_LDST16_ABS_LO12_NC:
	case R_AARCH64_LDST32_ABS_LO12_NC:
	case R_AARCH64_LDST64_ABS_LO12_NC:
	case R_AARCH64_LDST128_ABS_LO12_NC:
		imm = AARCH64_INSN_IMM_12;
		break;
	case R_AARCH64_TSTBR14:
		imm = AARCH64_INSN_IMM_14;
		break;
	case R_AARCH64_JUMP26:
	case R_AARCH64_CALL26:
		imm = AARCH64_INSN_IMM_26;
		break;
	default:
		return "unsupported relocation type";
	}

	if (!klp_check_insn(type, le32_to_cpu(bits->insn)))
		return "wrong instruction for this type";
	if (aarch64_insn_decode_immediate(imm, le32_to_cpu(bits->insn)))
		return "immediate is not zero";
	return NULL;
}

/* Save one place, if it is one. Return: NULL, or what is wrong with it. */
static const char *klp_save_place(const Elf_Shdr *sechdrs, unsigned int relsec,
				  const Elf_Rela *rel, struct klp_place *p)
{
	const Elf_Shdr *sec = &sechdrs[sechdrs[relsec].sh_info];
	unsigned int type = ELF64_R_TYPE(rel->r_info);
	size_t size = module_reloc_size(type);
	void *loc;

	if (size > sec->sh_size || rel->r_offset > sec->sh_size - size)
		return "offset is outside of the section";

	loc = klp_reloc_place(sechdrs, relsec, rel);
	if (module_reloc_is_insn(type)) {
		if (!(sec->sh_flags & SHF_EXECINSTR))
			return "instruction outside of an executable section";
		if (!IS_ALIGNED((unsigned long)loc, AARCH64_INSN_SIZE))
			return "unaligned instruction";
	}

	memcpy(&p->file, loc, size);
	p->cur = p->file;

	return klp_check_bits(type, &p->file);
}

static int klp_save_section(const Elf_Shdr *sechdrs, unsigned int relsec,
			    const char *secname, struct module *me)
{
	const Elf_Rela *rel = (void *)sechdrs[relsec].sh_addr;
	size_t num = sechdrs[relsec].sh_size / sizeof(*rel);
	struct module_klp_relocs *relocs;
	const char *err;
	size_t i;

	/*
	 * This goes for .plt and the ftrace trampolines, too, which are ours:
	 * module_frob_arch_sections() has given them their type and size.
	 */
	if (sechdrs[sechdrs[relsec].sh_info].sh_type == SHT_NOBITS) {
		pr_err("%s: %s: relocates a section without contents\n",
		       me->name, secname);
		return -ENOEXEC;
	}

	relocs = kvzalloc(struct_size(relocs, place, num), GFP_KERNEL);
	if (!relocs)
		return -ENOMEM;

	relocs->num = num;
	relocs->relsec = relsec;
	relocs->next = me->arch.klp_relocs;
	me->arch.klp_relocs = relocs;

	for (i = 0; i < num; i++) {
		err = klp_save_place(sechdrs, relsec, &rel[i],
				     &relocs->place[i]);
		if (err) {
			klp_reloc_err(me, secname, &rel[i], err);
			return -ENOEXEC;
		}
	}

	return 0;
}

/* Entries that were taken while the module was loaded are there to stay. */
static int klp_init_plt_refs(struct module *me)
{
	struct mod_plt_sec *pltsec = &me->arch.core;
	unsigned int *refs;
	int i;

	refs = kvcalloc(pltsec->plt_max_entries, sizeof(*refs), GFP_KERNEL);
	if (!refs)
		return -ENOMEM;

	for (i = 0; i < pltsec->plt_num_entries; i++)
		refs[i] = 1;

	me->arch.plt_refs = refs;
	return 0;
}

/**
 * struct klp_span - the bytes that one relocation writes
 * @start:	address of the first
 * @end:	address behind the last
 * @rel:	the relocation
 * @relsec:	index of its section
 */
struct klp_span {
	unsigned long start;
	unsigned long end;
	const Elf_Rela *rel;
	unsigned int relsec;
};

static int klp_cmp_spans(const void *a, const void *b)
{
	const struct klp_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/*
 * Two relocations of one place would each find that the other has changed it,
 * and the bytes of the module file would come back only by chance.
 */
static int klp_check_overlaps(const Elf_Shdr *sechdrs, const char *secstrings,
			      struct module *me)
{
	struct module_klp_relocs *relocs;
	struct klp_span *spans, *span;
	size_t i, size, num = 0;
	const Elf_Rela *rel;
	int ret = 0;

	for (relocs = me->arch.klp_relocs; relocs; relocs = relocs->next)
		num += relocs->num;

	spans = kvmalloc_array(num, sizeof(*spans), GFP_KERNEL);
	if (!spans)
		return -ENOMEM;

	span = spans;
	for (relocs = me->arch.klp_relocs; relocs; relocs = relocs->next) {
		rel = (void *)sechdrs[relocs->relsec].sh_addr;

		for (i = 0; i < relocs->num; i++) {
			size = module_reloc_size(ELF64_R_TYPE(rel[i].r_info));
			if (!size)
				continue;

			span->start = (unsigned long)
				klp_reloc_place(sechdrs, relocs->relsec, &rel[i]);
			span->end = span->start + size;
			span->rel = &rel[i];
			span->relsec = relocs->relsec;
			span++;
		}
	}

	num = span - spans;
	sort(spans, num, sizeof(*spans), klp_cmp_spans, NULL);

	for (i = 1; i < num; i++) {
		if (spans[i].start >= spans[i - 1].end)
			continue;

		klp_reloc_err(me, secstrings + sechdrs[spans[i].relsec].sh_name,
			      spans[i].rel, "overlaps another relocation");
		ret = -ENOEXEC;
		break;
	}

	kvfree(spans);
	return ret;
}

/* Are any of these bytes part of an alternative, original or replacement? */
static bool klp_in_alternative(const Elf_Shdr *alts, unsigned long start,
			       unsigned long end)
{
	const struct alt_instr *alt = (void *)alts->sh_addr;
	const struct alt_instr *last = alt + alts->sh_size / sizeof(*alt);
	unsigned long orig, repl;

	for (; alt < last; alt++) {
		orig = (unsigned long)&alt->orig_offset + alt->orig_offset;
		if (start < orig + alt->orig_len && end > orig)
			return true;
		repl = (unsigned long)&alt->alt_offset + alt->alt_offset;
		if (start < repl + alt->alt_len && end > repl)
			return true;
	}

	return false;
}

/*
 * Alternatives are chosen while the patch is loaded. Relocating a replacement
 * later would be of no use, as it is a copy that runs, and relocating what was
 * replaced would undo that. Whether this CPU has a use for a replacement does not
 * matter, so that a patch which is good here is good elsewhere.
 */
static int klp_check_alternatives(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
				  const char *secstrings, struct module *me)
{
	const Elf_Shdr *alts = find_section(hdr, sechdrs, ".altinstructions");
	const struct module_klp_relocs *relocs;
	const Elf_Rela *rel;
	unsigned long start;
	unsigned int i;
	size_t size;

	if (!alts)
		return 0;

	for (relocs = me->arch.klp_relocs; relocs; relocs = relocs->next) {
		rel = (void *)sechdrs[relocs->relsec].sh_addr;

		for (i = 0; i < relocs->num; i++) {
			size = module_reloc_size(ELF64_R_TYPE(rel[i].r_info));
			start = (unsigned long)
				klp_reloc_place(sechdrs, relocs->relsec, &rel[i]);
			if (!size || !klp_in_alternative(alts, start, start + size))
				continue;

			klp_reloc_err(me, secstrings +
				      sechdrs[relocs->relsec].sh_name, &rel[i],
				      "in an alternative");
			return -ENOEXEC;
		}
	}

	return 0;
}

/**
 * module_klp_init() - save what late relocations of a live patch will replace
 * @hdr:	ELF header of the patch
 * @sechdrs:	its section headers, with final addresses
 * @me:		the patch, still MODULE_STATE_UNFORMED
 *
 * Runs before anything but the module's own relocations has changed the text.
 *
 * Return: 0, -ENOMEM, or -ENOEXEC if a relocation can never be applied.
 */
int module_klp_init(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
		    struct module *me)
{
	const char *secstrings = (void *)hdr + sechdrs[hdr->e_shstrndx].sh_offset;
	char objname[MODULE_NAME_LEN];
	const char *name;
	unsigned int i;
	int ret;

	for (i = 1; i < hdr->e_shnum; i++) {
		if (!(sechdrs[i].sh_flags & SHF_RELA_LIVEPATCH))
			continue;

		name = secstrings + sechdrs[i].sh_name;
		ret = klp_parse_reloc_section(name, objname);
		if (ret)
			goto err;

		/* Those were applied for good by now. */
		if (!strcmp(objname, "vmlinux"))
			continue;

		ret = klp_save_section(sechdrs, i, name, me);
		if (ret)
			goto err;
	}

	if (!me->arch.klp_relocs)
		return 0;

	ret = klp_check_overlaps(sechdrs, secstrings, me);
	if (ret)
		goto err;

	ret = klp_check_alternatives(hdr, sechdrs, secstrings, me);
	if (ret)
		goto err;

	ret = klp_init_plt_refs(me);
	if (ret)
		goto err;

	return 0;

err:
	module_klp_cleanup(me);
	return ret;
}

/* For a module that goes, or that failed to come */
void module_klp_cleanup(struct module *me)
{
	struct module_klp_relocs *relocs, *next;

	for (relocs = me->arch.klp_relocs; relocs; relocs = next) {
		next = relocs->next;
		kvfree(relocs);
	}
	me->arch.klp_relocs = NULL;

	kvfree(me->arch.plt_refs);
	me->arch.plt_refs = NULL;
}

static struct module_klp_relocs *klp_find_relocs(struct module *me,
						 unsigned int relsec)
{
	struct module_klp_relocs *relocs;

	for (relocs = me->arch.klp_relocs; relocs; relocs = relocs->next) {
		if (relocs->relsec == relsec)
			return relocs;
	}

	return NULL;
}

/*
 * Is the instruction another one than we left? Data do not count: they belong
 * to the patch, which may well have changed them. Relocating gives them their
 * initial value for the target that is coming.
 */
static bool klp_insn_changed(unsigned int type, const void *loc,
			     const struct klp_place *p)
{
	return module_reloc_is_insn(type) &&
	       memcmp(loc, &p->cur, AARCH64_INSN_SIZE);
}

/*
 * Is the place as we left it? Instructions may meanwhile have become a kprobe,
 * or a static key. A kprobe matters even if it is not armed: it keeps a copy of
 * the instruction, which it will run, and store when it is disarmed. One that
 * is gone does neither: it was put into a module that had this address before.
 *
 * A kprobe that is just being registered goes unnoticed between the copy, which
 * __register_kprobe() makes under text_mutex, and the entry into the table,
 * which it makes thereafter under kprobe_mutex alone.
 *
 * Context: text_mutex.
 * Return: NULL, or what has happened to the place.
 */
static const char *klp_place_changed(unsigned int type, void *loc,
				     const struct klp_place *p)
{
	struct kprobe *probe;

	if (!module_reloc_is_insn(type))
		return NULL;

	scoped_guard(preempt) {
		probe = get_kprobe(loc);
		if (probe && !kprobe_gone(probe))
			return "instruction has a kprobe";
	}

	if (klp_insn_changed(type, loc, p))
		return "instruction was changed by others";

	return NULL;
}

/* Are all places as we left them? If not, say which one is not. */
static bool klp_places_intact(const Elf_Shdr *sechdrs, const char *secname,
			      const struct module_klp_relocs *relocs,
			      struct module *me)
{
	const Elf_Rela *rel = (void *)sechdrs[relocs->relsec].sh_addr;
	const char *err;
	unsigned int i;

	for (i = 0; i < relocs->num; i++) {
		err = klp_place_changed(ELF64_R_TYPE(rel[i].r_info),
					klp_reloc_place(sechdrs, relocs->relsec,
							&rel[i]),
					&relocs->place[i]);
		if (err) {
			klp_reloc_err(me, secname, &rel[i], err);
			return false;
		}
	}

	return true;
}

/**
 * module_klp_check_text() - see that nothing else wants the places of a patch
 * @hdr:	ELF header of the patch
 * @sechdrs:	its section headers, with final addresses
 * @me:		the patch, still MODULE_STATE_UNFORMED
 *
 * Runs after all that module_finalize() does to the text. What was changed there
 * would be undone by the relocation, so the relocation would be refused whenever
 * its target comes. Better refuse the patch. Nobody can have a kprobe
 * in a module that is not known yet.
 *
 * Return: 0, or -ENOEXEC after a message.
 */
int module_klp_check_text(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
			  struct module *me)
{
	const char *secstrings = (void *)hdr + sechdrs[hdr->e_shstrndx].sh_offset;
	const struct module_klp_relocs *relocs;
	const Elf_Rela *rel;
	unsigned int i;

	for (relocs = me->arch.klp_relocs; relocs; relocs = relocs->next) {
		rel = (void *)sechdrs[relocs->relsec].sh_addr;

		for (i = 0; i < relocs->num; i++) {
			if (!klp_insn_changed(ELF64_R_TYPE(rel[i].r_info),
					      klp_reloc_place(sechdrs,
							      relocs->relsec,
							      &rel[i]),
					      &relocs->place[i]))
				continue;

			klp_reloc_err(me, secstrings +
				      sechdrs[relocs->relsec].sh_name, &rel[i],
				      "changed while loading");
			return -ENOEXEC;
		}
	}

	return 0;
}

/* Needs a context synchronization event on all CPUs if it is an instruction. */
static void klp_store(unsigned int type, void *loc, union reloc_bits *bits)
{
	unsigned long addr = (unsigned long)loc;

	aarch64_poke_nosync(loc, bits, module_reloc_size(type));
	if (module_reloc_is_insn(type))
		caches_clean_inval_pou(addr, addr + AARCH64_INSN_SIZE);
}

/* Drop the reference that @bits, if a branch, has or had to a PLT entry. */
static void klp_put_plt(struct module *me, Elf_Shdr *sechdrs, unsigned int type,
			void *loc, const union reloc_bits *bits)
{
	u32 insn = le32_to_cpu(bits->insn);

	if (module_reloc_is_insn(type) &&
	    (aarch64_insn_is_b(insn) || aarch64_insn_is_bl(insn)))
		module_put_plt_entry(me, sechdrs,
				     (u64)loc + aarch64_get_branch_offset(insn));
}

/* Drop what the first @num relocations have computed, or had, in @new. */
static void klp_put_new(struct module *me, Elf_Shdr *sechdrs,
			struct module_klp_relocs *relocs, unsigned int num)
{
	const Elf_Rela *rel = (void *)sechdrs[relocs->relsec].sh_addr;
	unsigned int i;
	void *loc;

	for (i = 0; i < num; i++) {
		loc = klp_reloc_place(sechdrs, relocs->relsec, &rel[i]);
		klp_put_plt(me, sechdrs, ELF64_R_TYPE(rel[i].r_info), loc,
			    &relocs->place[i].new);
	}
}

/* Has every instruction the bytes of the module file? */
static bool klp_is_cleared(const Elf_Shdr *sechdrs,
			   const struct module_klp_relocs *relocs)
{
	const Elf_Rela *rel = (void *)sechdrs[relocs->relsec].sh_addr;
	unsigned int i;

	for (i = 0; i < relocs->num; i++) {
		if (module_reloc_is_insn(ELF64_R_TYPE(rel[i].r_info)) &&
		    relocs->place[i].cur.insn != relocs->place[i].file.insn)
			return false;
	}

	return true;
}

/*
 * Give the places the bytes of the module file. Instructions that have them by
 * what we know were not relocated, and what became of them is no concern here.
 *
 * Context: text_mutex.
 */
static void klp_clear(Elf_Shdr *sechdrs, const char *secname,
		      struct module_klp_relocs *relocs, struct module *me)
{
	const Elf_Rela *rel = (void *)sechdrs[relocs->relsec].sh_addr;
	unsigned int i, type, left = 0;
	struct klp_place *p;
	const char *err;
	void *loc;

	for (i = 0; i < relocs->num; i++) {
		p = &relocs->place[i];
		type = ELF64_R_TYPE(rel[i].r_info);
		loc = klp_reloc_place(sechdrs, relocs->relsec, &rel[i]);

		p->new = p->file;
		if (module_reloc_is_insn(type) && p->cur.insn == p->file.insn)
			continue;

		err = klp_place_changed(type, loc, p);
		if (err) {
			klp_reloc_err(me, secname, &rel[i], err);
			left++;
			continue;
		}

		klp_store(type, loc, &p->new);
		swap(p->cur, p->new);
	}

	if (left)
		pr_err("%s: %s: %u relocations were not cleared\n",
		       me->name, secname, left);

	/* No CPU fetches the branches any more when their entries go. */
	kick_all_cpus_sync();
	klp_put_new(me, sechdrs, relocs, relocs->num);
}

/**
 * module_klp_apply() - relocate a live patch for a module that it patches
 * @sechdrs:	section headers of the patch
 * @symindex:	index of its symbol table, in which the symbols are resolved
 * @relsec:	index of a .klp.rela.<module> section
 * @me:		the patch; MODULE_STATE_COMING or MODULE_STATE_LIVE
 *
 * Nothing is stored before all relocations are known to be good. None of the
 * places is executed meanwhile: functions that refer to the target run only
 * once the target is patched. The stores can still be seen by instruction
 * fetch, hence the order: PLT entries first, then a context synchronization
 * event on each CPU, then the branches to them, and one more such event before
 * anyone can be sent to this text.
 *
 * Context: process context, may sleep; klp_mutex.
 * Return: 0, or -ENOEXEC after a message.
 */
int module_klp_apply(Elf_Shdr *sechdrs, unsigned int symindex,
		     unsigned int relsec, struct module *me)
{
	struct module_klp_relocs *relocs = klp_find_relocs(me, relsec);
	const char *name = me->klp_info->secstrings + sechdrs[relsec].sh_name;
	const Elf_Rela *rel = (void *)sechdrs[relsec].sh_addr;
	struct klp_place *p;
	unsigned int i;
	Elf_Sym *sym;
	void *loc;
	int ret;

	if (WARN_ON_ONCE(!relocs))
		return -ENOEXEC;

	/* A CPU that comes online in between would miss the first event. */
	guard(cpus_read_lock)();
	guard(mutex)(&text_mutex);

	if (!klp_places_intact(sechdrs, name, relocs, me))
		return -ENOEXEC;

	/*
	 * What a kprobe has kept from being cleared holds a PLT entry, and the
	 * pool has none to spare.
	 */
	if (!klp_is_cleared(sechdrs, relocs))
		klp_clear(sechdrs, name, relocs, me);

	for (i = 0; i < relocs->num; i++) {
		p = &relocs->place[i];
		loc = klp_reloc_place(sechdrs, relsec, &rel[i]);
		sym = (Elf_Sym *)sechdrs[symindex].sh_addr +
			ELF64_R_SYM(rel[i].r_info);

		p->new = p->file;
		ret = module_compute_reloc(me, sechdrs, &rel[i], sym, loc,
					   &p->new);
		if (ret) {
			klp_reloc_err(me, name, &rel[i], "cannot be applied");
			klp_put_new(me, sechdrs, relocs, i);
			return ret;
		}
	}

	kick_all_cpus_sync();

	for (i = 0; i < relocs->num; i++) {
		p = &relocs->place[i];
		loc = klp_reloc_place(sechdrs, relsec, &rel[i]);

		klp_store(ELF64_R_TYPE(rel[i].r_info), loc, &p->new);
		p->cur = p->new;
	}

	kick_all_cpus_sync();

	return 0;
}

/**
 * clear_relocate_add() - undo the relocations of a live patch for one module
 * @sechdrs:	section headers of the patch
 * @strtab:	not used
 * @symindex:	not used
 * @relsec:	index of a .klp.rela.<module> section, applied or not
 * @me:		the patch
 *
 * Each place has the bytes of the module file again, and PLT entries without
 * another user go back to the pool. Data get these bytes whatever the patch has
 * made of them. A place with a kprobe is left alone: what is underneath the
 * probe stays relocated, and keeps its PLT entry, until module_klp_apply()
 * finds it without.
 *
 * Context: process context, may sleep; klp_mutex. The target is not patched.
 */
void clear_relocate_add(Elf_Shdr *sechdrs, const char *strtab,
			unsigned int symindex, unsigned int relsec,
			struct module *me)
{
	struct module_klp_relocs *relocs = klp_find_relocs(me, relsec);

	if (!relocs)
		return;

	guard(cpus_read_lock)();
	guard(mutex)(&text_mutex);

	klp_clear(sechdrs, me->klp_info->secstrings + sechdrs[relsec].sh_name,
		  relocs, me);
}
