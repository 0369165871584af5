// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read a linked vmlinux or a relocatable object.
 *
 * The sections of a relocatable object get addresses, and what the later steps
 * look at is relocated to them, so that they need not know the difference.
 * Nothing that is read from the file is trusted.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tools/le_byteshift.h>

#include "unwind-table.h"

#ifndef EM_AARCH64
#define EM_AARCH64			183
#endif
#ifndef R_AARCH64_ABS64
#define R_AARCH64_ABS64			257
#define R_AARCH64_PREL64		260
#define R_AARCH64_PREL32		261
#define R_AARCH64_TSTBR14		279
#define R_AARCH64_CONDBR19		280
#define R_AARCH64_JUMP26		282
#define R_AARCH64_CALL26		283
#endif

/* Sections of a relocatable object are laid out from here on */
#define BASE_ADDRESS			0x100000000ULL

static void *at(struct object *obj, u64 off, u64 size)
{
	if (off > obj->file_size || size > obj->file_size - off)
		die("%s: truncated", obj->path);
	return obj->file + off;
}

static void read_file(struct object *obj, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;

	obj->path = path;
	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size < 0 || fseek(f, 0, SEEK_SET))
		die("%s: cannot be read", path);
	obj->file_size = size;
	/* A terminator for names at the very end */
	obj->file = xcalloc(size + 1, 1);
	if (fread(obj->file, 1, size, f) != (size_t)size)
		die("%s: cannot be read", path);
	fclose(f);
}

static const Elf64_Shdr *shdr(struct object *obj, unsigned int i)
{
	const Elf64_Ehdr *ehdr = at(obj, 0, sizeof(*ehdr));

	return at(obj, get_unaligned_le64(&ehdr->e_shoff) +
		  (u64)i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static const char *string(struct object *obj, unsigned int strtab, u32 off)
{
	const Elf64_Shdr *sh;
	u64 size;

	if (strtab >= obj->nr_sections)
		die("%s: the table of its names is missing", obj->path);
	sh = shdr(obj, strtab);
	size = get_unaligned_le64(&sh->sh_size);
	if (off >= size)
		die("%s: a name outside of the table of names", obj->path);
	at(obj, get_unaligned_le64(&sh->sh_offset), size);
	return (char *)obj->file + get_unaligned_le64(&sh->sh_offset) + off;
}

static void read_sections(struct object *obj)
{
	const Elf64_Ehdr *ehdr = at(obj, 0, sizeof(*ehdr));
	u64 addr = BASE_ADDRESS;
	unsigned int i, shstrndx;
	u16 type;

	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB ||
	    get_unaligned_le16(&ehdr->e_machine) != EM_AARCH64 ||
	    get_unaligned_le16(&ehdr->e_shentsize) != sizeof(Elf64_Shdr))
		die("%s: not a little-endian arm64 object", obj->path);

	type = get_unaligned_le16(&ehdr->e_type);
	obj->relocatable = type == ET_REL;
	if (type != ET_REL && type != ET_EXEC && type != ET_DYN)
		die("%s: neither linked nor relocatable", obj->path);

	/* More than 65,279 sections are counted in the first of them */
	obj->nr_sections = get_unaligned_le16(&ehdr->e_shnum);
	shstrndx = get_unaligned_le16(&ehdr->e_shstrndx);
	if (!obj->nr_sections)
		obj->nr_sections = get_unaligned_le64(&shdr(obj, 0)->sh_size);
	if (shstrndx == SHN_XINDEX)
		shstrndx = get_unaligned_le32(&shdr(obj, 0)->sh_link);

	at(obj, get_unaligned_le64(&ehdr->e_shoff),
	   (u64)obj->nr_sections * sizeof(Elf64_Shdr));
	obj->sections = xcalloc(obj->nr_sections, sizeof(*obj->sections));

	for (i = 0; i < obj->nr_sections; i++) {
		const Elf64_Shdr *sh = shdr(obj, i);
		struct section *sec = &obj->sections[i];
		u64 align = get_unaligned_le64(&sh->sh_addralign);

		sec->name = string(obj, shstrndx,
				   get_unaligned_le32(&sh->sh_name));
		sec->type = get_unaligned_le32(&sh->sh_type);
		sec->flags = get_unaligned_le64(&sh->sh_flags);
		sec->size = get_unaligned_le64(&sh->sh_size);
		sec->addr = get_unaligned_le64(&sh->sh_addr);
		if (sec->type != SHT_NOBITS && sec->type != SHT_NULL)
			sec->data = at(obj, get_unaligned_le64(&sh->sh_offset),
				       sec->size);
		if (obj->relocatable) {
			if (sec->size > UINT32_MAX || align > UINT32_MAX)
				die("%s: %s is too big", obj->path, sec->name);
			if (align > 1)
				addr = (addr + align - 1) / align * align;
			sec->addr = addr;
			addr += sec->size;
		}
	}
}

static int by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static const struct section *find_type(struct object *obj, u32 type,
				       unsigned int *index)
{
	unsigned int i;

	for (i = 0; i < obj->nr_sections; i++) {
		if (obj->sections[i].type == type) {
			*index = i;
			return &obj->sections[i];
		}
	}
	return NULL;
}

/* Sections above SHN_LORESERVE have their index elsewhere: not needed here */
static bool symbol_addr(struct object *obj, const Elf64_Sym *sym, u64 *addr)
{
	unsigned int shndx = get_unaligned_le16(&sym->st_shndx);

	*addr = get_unaligned_le64(&sym->st_value);
	if (shndx == SHN_UNDEF || shndx >= SHN_LORESERVE ||
	    shndx >= obj->nr_sections)
		return false;
	if (obj->relocatable)
		*addr += obj->sections[shndx].addr;
	return true;
}

static void read_symbols(struct object *obj)
{
	unsigned int index = 0, strtab;
	const struct section *symtab = find_type(obj, SHT_SYMTAB, &index);
	size_t i, nr;

	if (!symtab)
		die("%s: no symbol table", obj->path);
	strtab = get_unaligned_le32(&shdr(obj, index)->sh_link);
	nr = symtab->size / sizeof(Elf64_Sym);
	obj->symbols = xcalloc(nr, sizeof(*obj->symbols));

	for (i = 0; i < nr; i++) {
		const Elf64_Sym *sym = (void *)(symtab->data + i * sizeof(*sym));
		struct symbol *s = &obj->symbols[obj->nr_symbols];
		unsigned int type = ELF64_ST_TYPE(sym->st_info);

		if (!symbol_addr(obj, sym, &s->addr))
			continue;
		if (type != STT_FUNC && type != STT_NOTYPE)
			continue;
		s->name = string(obj, strtab, get_unaligned_le32(&sym->st_name));
		/* Mapping symbols: AAELF64 */
		if (s->name[0] == '$')
			continue;
		s->is_func = type == STT_FUNC;
		obj->nr_symbols++;
	}
	qsort(obj->symbols, obj->nr_symbols, sizeof(*obj->symbols), by_addr);
}

static void fill_branch(u8 *place, s64 value, unsigned int lsb,
			unsigned int bits)
{
	u32 mask = (1u << bits) - 1;
	u32 insn = get_unaligned_le32(place);

	insn &= ~(mask << lsb);
	insn |= ((u32)(value >> 2) & mask) << lsb;
	put_unaligned_le32(insn, place);
}

static void relocate_one(struct object *obj, struct section *sec,
			 const Elf64_Rela *rela, const struct section *symtab,
			 bool late)
{
	u64 off = get_unaligned_le64(&rela->r_offset);
	u64 info = get_unaligned_le64(&rela->r_info);
	u64 index = ELF64_R_SYM(info), value, addr = sec->addr + off;
	unsigned int size;
	const Elf64_Sym *sym;
	bool defined;

	switch (ELF64_R_TYPE(info)) {
	case R_AARCH64_ABS64:
	case R_AARCH64_PREL64:
		size = 8;
		break;
	case R_AARCH64_PREL32:
	case R_AARCH64_JUMP26:
	case R_AARCH64_CALL26:
	case R_AARCH64_CONDBR19:
	case R_AARCH64_TSTBR14:
		size = 4;
		break;
	default:
		/* Addresses of data do not matter here, and may be of any size */
		return;
	}
	if (off > sec->size || sec->size - off < size)
		die("%s: a relocation outside of %s", obj->path, sec->name);
	if (index >= symtab->size / sizeof(*sym))
		die("%s: a relocation without symbol in %s", obj->path,
		    sec->name);

	sym = (void *)(symtab->data + index * sizeof(*sym));
	defined = symbol_addr(obj, sym, &value) && !late;
	value += get_unaligned_le64(&rela->r_addend);
	if (defined)
		memset(sec->relocated + off, 1, size);

	switch (ELF64_R_TYPE(info)) {
	case R_AARCH64_ABS64:
		put_unaligned_le64(defined ? value : OUTSIDE, sec->data + off);
		break;
	case R_AARCH64_PREL64:
		put_unaligned_le64(defined ? value - addr : 0, sec->data + off);
		break;
	case R_AARCH64_PREL32:
		put_unaligned_le32(defined ? value - addr : 0, sec->data + off);
		break;
	case R_AARCH64_JUMP26:
	case R_AARCH64_CALL26:
		/* Too far to be encoded: 128 MiB are outside of any module */
		fill_branch(sec->data + off, defined ? value - addr : 1u << 27,
			    0, 26);
		break;
	case R_AARCH64_CONDBR19:
		fill_branch(sec->data + off, defined ? value - addr : 1u << 20,
			    5, 19);
		break;
	case R_AARCH64_TSTBR14:
		fill_branch(sec->data + off, defined ? value - addr : 1u << 15,
			    5, 14);
		break;
	}
}

static void relocate(struct object *obj)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < obj->nr_sections; i++) {
		const struct section *rel = &obj->sections[i];
		unsigned int target, symtab;
		struct section *sec;
		bool late;

		if (rel->type != SHT_RELA)
			continue;
		target = get_unaligned_le32(&shdr(obj, i)->sh_info);
		symtab = get_unaligned_le32(&shdr(obj, i)->sh_link);
		if (target >= obj->nr_sections || symtab >= obj->nr_sections)
			die("%s: %s belongs to no section", obj->path, rel->name);
		/* Those of a live patch lead to other objects, once it is enabled */
		late = !strncmp(rel->name, ".klp.rela.", 10);
		if (!late && strncmp(rel->name, ".rela", 5))
			continue;
		sec = &obj->sections[target];
		if (!sec->data || obj->sections[symtab].type != SHT_SYMTAB)
			continue;
		if (!sec->relocated) {
			u8 *copy = xcalloc(sec->size, 1);

			/* The file stays as it is, it may be written again */
			memcpy(copy, sec->data, sec->size);
			sec->data = copy;
			sec->relocated = xcalloc(sec->size, 1);
		}
		for (j = 0; j < rel->size / sizeof(Elf64_Rela); j++)
			relocate_one(obj, sec,
				     (void *)(rel->data + j * sizeof(Elf64_Rela)),
				     &obj->sections[symtab], late);
	}
}

void object_open(struct object *obj, const char *path)
{
	memset(obj, 0, sizeof(*obj));
	read_file(obj, path);
	read_sections(obj);
	read_symbols(obj);
	if (obj->relocatable)
		relocate(obj);
}

void object_close(struct object *obj)
{
	unsigned int i;

	for (i = 0; i < obj->nr_sections; i++) {
		if (obj->sections[i].relocated) {
			free(obj->sections[i].data);
			free(obj->sections[i].relocated);
		}
	}
	free(obj->sections);
	free(obj->symbols);
	free(obj->file);
}

const struct section *object_section(const struct object *obj, const char *name)
{
	unsigned int i;

	for (i = 0; i < obj->nr_sections; i++) {
		if (!strcmp(obj->sections[i].name, name))
			return &obj->sections[i];
	}
	return NULL;
}

const struct section *object_section_at(const struct object *obj, u64 addr,
					u64 size)
{
	unsigned int i;

	for (i = 0; i < obj->nr_sections; i++) {
		const struct section *sec = &obj->sections[i];

		if ((sec->flags & SHF_ALLOC) && sec->data &&
		    addr >= sec->addr && addr - sec->addr <= sec->size &&
		    size <= sec->size - (addr - sec->addr))
			return sec;
	}
	return NULL;
}

/* The last function symbol at or ahead of @addr */
const struct symbol *object_symbol_before(const struct object *obj, u64 addr)
{
	size_t low = 0, high = obj->nr_symbols;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (obj->symbols[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	while (low && !obj->symbols[low - 1].is_func)
		low--;
	return low ? &obj->symbols[low - 1] : NULL;
}

/* 0 where there is no such symbol */
u64 object_symbol_addr(const struct object *obj, const char *name)
{
	size_t i;

	for (i = 0; i < obj->nr_symbols; i++) {
		if (!strcmp(obj->symbols[i].name, name))
			return obj->symbols[i].addr;
	}
	return 0;
}

bool object_insn(const struct object *obj, u64 addr, u32 *insn)
{
	static const struct section *last;
	static const struct object *last_obj;

	/* Almost always the same section as the last time */
	if (last_obj != obj || addr < last->addr ||
	    addr - last->addr >= last->size) {
		last = object_section_at(obj, addr, 4);
		last_obj = last ? obj : NULL;
		if (!last)
			return false;
	}
	if (!(last->flags & SHF_EXECINSTR) || (addr & 3) ||
	    last->size - (addr - last->addr) < 4)
		return false;
	*insn = get_unaligned_le32(last->data + (addr - last->addr));
	return true;
}

bool object_relocated(const struct section *sec, u64 off)
{
	return sec->relocated && off < sec->size && sec->relocated[off];
}

/* Write the file again with more sections: new data and headers go to its end */
void object_add_sections(struct object *obj, const struct section *add,
			 unsigned int nr)
{
	Elf64_Ehdr *ehdr = at(obj, 0, sizeof(*ehdr));
	unsigned int shstrndx = get_unaligned_le16(&ehdr->e_shstrndx), i;
	u64 off, names_off, names_size, old_names_size;
	const Elf64_Shdr *old = shdr(obj, 0);
	Elf64_Shdr *sh;
	u8 *out;
	FILE *f;

	if (shstrndx == SHN_XINDEX || obj->nr_sections + nr >= SHN_LORESERVE)
		die("%s: too many sections", obj->path);

	old_names_size = obj->sections[shstrndx].size;
	names_size = old_names_size;
	for (i = 0; i < nr; i++)
		names_size += strlen(add[i].name) + 1;

	off = (obj->file_size + 7) & ~7ULL;
	for (i = 0; i < nr; i++)
		off += (add[i].size + 7) & ~7ULL;
	names_off = off;
	off = (off + names_size + 7) & ~7ULL;
	out = xcalloc(off + (obj->nr_sections + nr) * sizeof(*sh), 1);
	memcpy(out, obj->file, obj->file_size);
	memcpy(out + names_off,
	       obj->file + get_unaligned_le64(&old[shstrndx].sh_offset),
	       old_names_size);

	ehdr = (void *)out;
	put_unaligned_le64(off, &ehdr->e_shoff);
	put_unaligned_le16(obj->nr_sections + nr, &ehdr->e_shnum);

	sh = (void *)(out + off);
	memcpy(sh, old, obj->nr_sections * sizeof(*sh));
	put_unaligned_le64(names_off, &sh[shstrndx].sh_offset);
	put_unaligned_le64(names_size, &sh[shstrndx].sh_size);

	sh += obj->nr_sections;
	names_size = old_names_size;
	off = (obj->file_size + 7) & ~7ULL;
	for (i = 0; i < nr; i++, sh++) {
		memcpy(out + off, add[i].data, add[i].size);
		memcpy(out + names_off + names_size, add[i].name,
		       strlen(add[i].name));
		put_unaligned_le32(names_size, &sh->sh_name);
		put_unaligned_le32(SHT_PROGBITS, &sh->sh_type);
		put_unaligned_le64(SHF_ALLOC, &sh->sh_flags);
		put_unaligned_le64(off, &sh->sh_offset);
		put_unaligned_le64(add[i].size, &sh->sh_size);
		put_unaligned_le64(8, &sh->sh_addralign);
		names_size += strlen(add[i].name) + 1;
		off += (add[i].size + 7) & ~7ULL;
	}

	f = fopen(obj->path, "wb");
	if (!f || fwrite(out, 1, (u8 *)sh - out, f) !=
		  (size_t)((u8 *)sh - out) || fclose(f))
		die("%s: cannot be written", obj->path);
	free(out);
}
