/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KERNEL_MODULE_RELOC_H
#define __ARM64_KERNEL_MODULE_RELOC_H

#include <linux/elf.h>
#include <linux/module.h>

/* The bytes at a place: an instruction, or 16, 32 or 64 bits of data. */
union reloc_bits {
	__le32	insn;
	u16	data16;
	u32	data32;
	u64	data64;
};

size_t module_reloc_size(unsigned int type);
bool module_reloc_is_insn(unsigned int type);
int module_compute_reloc(struct module *me, Elf_Shdr *sechdrs,
			 const Elf_Rela *rel, Elf_Sym *sym, void *loc,
			 union reloc_bits *bits);

/* Relocations of a live patch against its target modules: module-klp.c */
int module_klp_init(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
		    struct module *me);
int module_klp_check_text(const Elf_Ehdr *hdr, const Elf_Shdr *sechdrs,
			  struct module *me);
int module_klp_apply(Elf_Shdr *sechdrs, unsigned int symindex,
		     unsigned int relsec, struct module *me);
void module_klp_cleanup(struct module *me);

#endif /* __ARM64_KERNEL_MODULE_RELOC_H */
