// SPDX-License-Identifier: GPL-2.0
/*
 * Damage the live-patch relocations of a module:
 *
 *   test_klp-damage KIND GOOD.ko BAD.ko
 */

#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SHF_RELA_LIVEPATCH
#define SHF_RELA_LIVEPATCH	0x00100000
#endif

static unsigned char *file;
static Elf64_Ehdr *ehdr;
static Elf64_Shdr *shdrs;

static void die(const char *what)
{
	fprintf(stderr, "test_klp-damage: %s\n", what);
	exit(1);
}

static char *section_name(Elf64_Shdr *sec)
{
	return (char *)file + shdrs[ehdr->e_shstrndx].sh_offset + sec->sh_name;
}

static Elf64_Shdr *find_section(const char *name)
{
	for (int i = 1; i < ehdr->e_shnum; i++) {
		if (!strcmp(section_name(&shdrs[i]), name))
			return &shdrs[i];
	}

	die("no such section");
	return NULL;
}

/* The relocation section of the patch for section @name */
static Elf64_Shdr *find_klp_rela(const char *name)
{
	for (int i = 1; i < ehdr->e_shnum; i++) {
		if ((shdrs[i].sh_flags & SHF_RELA_LIVEPATCH) &&
		    !strcmp(section_name(&shdrs[shdrs[i].sh_info]), name))
			return &shdrs[i];
	}

	die("no relocations for this section");
	return NULL;
}

static Elf64_Rela *relas(Elf64_Shdr *sec)
{
	return (Elf64_Rela *)(file + sec->sh_offset);
}

static Elf64_Rela *find_rela(Elf64_Shdr *sec, unsigned int type)
{
	for (size_t i = 0; i < sec->sh_size / sizeof(Elf64_Rela); i++) {
		if (ELF64_R_TYPE(relas(sec)[i].r_info) == type)
			return &relas(sec)[i];
	}

	die("no relocation of this type");
	return NULL;
}

static void set_type(Elf64_Rela *rela, unsigned int type)
{
	rela->r_info = ELF64_R_INFO(ELF64_R_SYM(rela->r_info), type);
}

/* The address of a symbol of the module, which is an offset in its section */
static Elf64_Addr find_symbol(const char *name)
{
	Elf64_Shdr *symtab = find_section(".symtab");
	Elf64_Sym *syms = (Elf64_Sym *)(file + symtab->sh_offset);
	char *strings = (char *)file + shdrs[symtab->sh_link].sh_offset;

	for (size_t i = 0; i < symtab->sh_size / sizeof(*syms); i++) {
		if (!strcmp(strings + syms[i].st_name, name))
			return syms[i].st_value;
	}

	die("no such symbol");
	return 0;
}

/* The other relocation of this type, which is not @rela */
static Elf64_Rela *find_other(Elf64_Shdr *sec, Elf64_Rela *rela)
{
	unsigned int type = ELF64_R_TYPE(rela->r_info);

	for (size_t i = 0; i < sec->sh_size / sizeof(Elf64_Rela); i++) {
		if (&relas(sec)[i] != rela &&
		    ELF64_R_TYPE(relas(sec)[i].r_info) == type)
			return &relas(sec)[i];
	}

	die("no other relocation of this type");
	return NULL;
}

/* The other object's relocation section for the same section */
static Elf64_Shdr *find_other_object(Elf64_Shdr *sec)
{
	for (int i = 1; i < ehdr->e_shnum; i++) {
		if ((shdrs[i].sh_flags & SHF_RELA_LIVEPATCH) &&
		    &shdrs[i] != sec && shdrs[i].sh_info == sec->sh_info)
			return &shdrs[i];
	}

	die("no relocations for another object");
	return NULL;
}

/* A section that has done its duty when objtool is done, under another name */
static const char *rename_section(const char *name)
{
	char *old = section_name(find_section("__klp_relocs.test_klp_reloc_target"));

	if (strlen(name) > strlen(old))
		die("section name is too long");
	return strcpy(old, name);
}

/* Relocations in sections of the patch that are not for that */
static void move_section(Elf64_Shdr *rela, const char *name)
{
	rela->sh_info = find_section(name) - shdrs;
	rela->sh_size = sizeof(Elf64_Rela);
	relas(rela)->r_offset = 0;
	set_type(relas(rela), R_AARCH64_ABS16);
}

/* Only one relocation, which reaches beyond the end of its section */
static Elf64_Shdr *to_end(Elf64_Shdr *rela)
{
	*relas(rela) = *find_rela(rela, R_AARCH64_ABS64);
	relas(rela)->r_offset = shdrs[rela->sh_info].sh_size - 1;
	rela->sh_size = sizeof(Elf64_Rela);
	return rela;
}

static void damage(const char *kind)
{
	Elf64_Shdr *text = find_klp_rela(".text");
	Elf64_Shdr *data;
	Elf64_Rela *call;
	Elf64_Sym *sym;
	char *name;

	/* For the patch that has two objects, and nothing else than a jump each */
	if (!strcmp(kind, "duplicate-object")) {
		relas(find_other_object(text))->r_offset = relas(text)->r_offset;
		return;
	}

	data = find_klp_rela(".data");
	call = find_rela(text, R_AARCH64_CALL26);
	sym = (Elf64_Sym *)(file + shdrs[text->sh_link].sh_offset) +
		ELF64_R_SYM(call->r_info);
	name = (char *)file + shdrs[shdrs[text->sh_link].sh_link].sh_offset +
		sym->st_name;

	if (!strcmp(kind, "call-range"))
		call->r_addend = 1LL << 40;
	else if (!strcmp(kind, "adr-range"))
		/* The loader sorts calls ahead of all else: they have their entries. */
		find_rela(text, R_AARCH64_ADR_PREL_LO21)->r_addend = 1LL << 40;
	else if (!strcmp(kind, "data-range"))
		find_rela(data, R_AARCH64_ABS16)->r_addend = 1 << 16;
	else if (!strcmp(kind, "symbol-name"))
		strrchr(name, '.')[1] = 'X';
	else if (!strcmp(kind, "symbol-object"))
		name[strlen(".klp.sym.")] = 'X';
	else if (!strcmp(kind, "symbol-vmlinux"))
		strcpy(name, ".klp.sym.vmlinux._printk,0");
	else if (!strcmp(kind, "symbol-index"))
		call->r_info = ELF64_R_INFO(0xffffff, R_AARCH64_CALL26);
	else if (!strcmp(kind, "symbol-no-klp"))
		call->r_info = ELF64_R_INFO(1, R_AARCH64_CALL26);
	else if (!strcmp(kind, "object"))
		section_name(text)[strlen(".klp.rela.")] = 'X';
	else if (!strcmp(kind, "section-name"))
		section_name(text)[strlen(".klp.")] = 'X';
	else if (!strcmp(kind, "section-vmlinux"))
		strcpy(section_name(text), ".klp.rela.vmlinux");
	else if (!strcmp(kind, "section-index"))
		text->sh_info = 0xfff0;
	else if (!strcmp(kind, "section-not-kept"))
		text->sh_flags &= ~SHF_ALLOC;
	else if (!strcmp(kind, "section-init"))
		text->sh_info = find_section(".init.text") - shdrs;
	else if (!strcmp(kind, "section-bss"))
		move_section(text, ".bss");
	else if (!strcmp(kind, "section-plt"))
		move_section(text, ".plt");
	else if (!strncmp(kind, "used-up-", strlen("used-up-")))
		move_section(text, rename_section(kind + strlen("used-up-")));
	else if (!strcmp(kind, "section-type"))
		text->sh_type = SHT_PROGBITS;
	else if (!strcmp(kind, "truncated"))
		text->sh_size -= 5;
	else if (!strcmp(kind, "type"))
		set_type(call, 9999);
	else if (!strcmp(kind, "offset"))
		call->r_offset = 1LL << 40;
	else if (!strcmp(kind, "offset-end"))
		to_end(data);
	else if (!strcmp(kind, "offset-vmlinux"))
		strcpy(section_name(to_end(data)), ".klp.rela.vmlinux..data");
	else if (!strcmp(kind, "unaligned"))
		call->r_offset += 2;
	else if (!strcmp(kind, "not-zero"))
		file[shdrs[text->sh_info].sh_offset + call->r_offset] ^= 1;
	else if (!strcmp(kind, "not-branch"))
		set_type(find_rela(text, R_AARCH64_ADD_ABS_LO12_NC),
			 R_AARCH64_CALL26);
	else if (!strcmp(kind, "branch"))
		set_type(call, R_AARCH64_CONDBR19);
	else if (!strcmp(kind, "not-adrp"))
		set_type(find_rela(text, R_AARCH64_ADR_PREL_LO21),
			 R_AARCH64_ADR_PREL_PG_HI21);
	else if (!strcmp(kind, "not-movw"))
		set_type(find_rela(text, R_AARCH64_ADR_PREL_LO21),
			 R_AARCH64_MOVW_PREL_G0);
	else if (!strcmp(kind, "duplicate"))
		find_other(text, call)->r_offset = call->r_offset;
	else if (!strcmp(kind, "overlap"))
		find_rela(data, R_AARCH64_ABS32)->r_offset =
			find_rela(data, R_AARCH64_ABS64)->r_offset + 4;
	else if (!strcmp(kind, "alternative"))
		call->r_offset = find_symbol("klp_p_alternative");
	else if (!strcmp(kind, "replacement"))
		call->r_offset = find_symbol("klp_p_replacement");
	else if (!strcmp(kind, "call-in-data"))
		set_type(find_rela(data, R_AARCH64_ABS64), R_AARCH64_CALL26);
	else
		die("no such KIND");
}

int main(int argc, char **argv)
{
	size_t size, max = 64 << 20;
	FILE *f;

	if (argc != 4)
		die("usage: test_klp-damage KIND GOOD.ko BAD.ko");

	file = malloc(max);
	f = fopen(argv[2], "r");
	if (!file || !f)
		die("cannot open the good module");
	size = fread(file, 1, max, f);
	fclose(f);

	ehdr = (Elf64_Ehdr *)file;
	if (size < sizeof(*ehdr) || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_shoff + ehdr->e_shnum * sizeof(*shdrs) > size)
		die("not a module");
	shdrs = (Elf64_Shdr *)(file + ehdr->e_shoff);

	damage(argv[1]);

	f = fopen(argv[3], "w");
	if (!f || fwrite(file, 1, size, f) != size || fclose(f))
		die("cannot write the bad module");

	return 0;
}
