// SPDX-License-Identifier: GPL-2.0-only
/*
 * check-patch-sites: verify the patchable function entries of arm64 objects
 *
 * The kernel writes code and data to what the compiler reserves at function
 * entries. This program looks at a linked vmlinux, a module or any other
 * relocatable object and checks that each element of its table of patchable
 * entries describes such a place:
 *
 *	func - PREFIX	NOP ...		aligned to 8 bytes
 *	func		[BTI C]		only with --bti
 *			NOP
 *			NOP		the patch site
 *
 * and that no function that looks like this is missing from the table.
 *
 * Nothing that is read from a file is trusted: a damaged file gives a message.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf-parse.h"

#ifndef EM_AARCH64
#define EM_AARCH64		183
#endif

#ifndef R_AARCH64_ABS64
#define R_AARCH64_ABS64		257
#endif

#ifndef R_AARCH64_RELATIVE
#define R_AARCH64_RELATIVE	1027
#endif

typedef unsigned long long u64;
typedef unsigned int u32;

#define INSN_SIZE		4
#define INSN_NOP		0xd503201f
#define INSN_BTI_C		0xd503245f

#define ENTRY_SIZE		8
#define ENTRY_ALIGN		8

#define TABLE_SECTION		"__patchable_function_entries"
#define TABLE_START		"__start_mcount_loc"
#define TABLE_STOP		"__stop_mcount_loc"

#define MAX_PREFIX		256
#define MAX_REPORTS		10

#define NOWHERE			UINT_MAX

enum exit_status {
	EXIT_OK,
	EXIT_FINDINGS,
	EXIT_UNUSABLE,
};

/* What is wrong with an entry decides on the advice at the end */
enum advice {
	ADVICE_FLAGS,
	ADVICE_ALIGN,
	ADVICE_TABLE,
	ADVICE_BTI,
	ADVICE_OVERWRITTEN,
	NR_ADVICE,
};

static const char * const advice_text[NR_ADVICE] = {
	[ADVICE_FLAGS] =
		"was the object built with the kernel's CC_FLAGS_FTRACE? Rebuild it (make clean), without its own -fpatchable-function-entry or patchable_function_entry attribute",
	[ADVICE_ALIGN] =
		"the compiler ignored the function alignment; look for -Os, functions marked cold, or an own -falign-functions",
	[ADVICE_TABLE] =
		"a tool that runs after the compiler (linker script, objcopy, sorttable, kpatch) damaged the table of patchable entries",
	[ADVICE_BTI] =
		"objects with and without branch protection are mixed; rebuild them with the kernel's CONFIG_ARM64_BTI_KERNEL",
	[ADVICE_OVERWRITTEN] =
		"something lies where the compiler reserved NOPs: inline assembly in front of the function, or a tool that rewrote the text",
};

struct options {
	u64 prefix;
	u64 align;
	bool bti;
	bool quiet;
	bool verbose;
};

static struct options opt = {
	.prefix	= 24,
	.align	= ENTRY_ALIGN,
};

struct section {
	const char	*name;
	u64	addr;
	u64	offset;
	u64	size;
	u64	flags;
	u64	align;
	u32	name_offset;
	u32	type;
	u32	link;
	u32	info;
	unsigned char	*data;		/* read when first needed */
};

/* A place is an offset into a section, also in linked files */
struct place {
	u32	section;
	u64	offset;
};

struct function {
	struct place	start;
	u64	end;
	const char	*name;
	bool		label;		/* of assembly code, without a type */
	size_t		reach;		/* who ends last, of all up to here */
};

struct entry {
	struct place	place;
	u64	value;		/* as it stands in the section */
	u64	slot;		/* offset in its table */
	bool		relocated;
	bool		bad;
};

struct symbol {
	const char	*name;
	u64	value;
	u64	size;
	u32	section;
	unsigned char	type;
};

struct file {
	const char	*name;
	int		fd;
	u64	size;
	bool		big_endian;
	bool		linked;
	bool		broken;

	struct section	*sections;
	u32	nr_sections;
	u32	shstrndx;

	struct section	*symtab;
	const Elf_Sym	*symbols;
	size_t		nr_symbols;
	const char	*strings;
	u64	strings_size;
	const u32	*symbol_shndx;
	size_t		nr_symbol_shndx;

	struct function	*functions;
	size_t		nr_functions;

	struct entry	*entries;
	size_t		nr_entries;
	size_t		nr_zeroed;
	size_t		nr_left_over;
	size_t		nr_bti;

	unsigned int	nr_findings;
	bool		advice[NR_ADVICE];
};

/* ------------------------------------------------------------------------- */
/* Messages and memory */

static bool begin_broken(struct file *file)
{
	if (file->broken)
		return false;

	file->broken = true;
	fprintf(stderr, "%s: ", file->name);
	return true;
}

static bool begin_finding(struct file *file, enum advice advice)
{
	file->advice[advice] = true;
	if (file->nr_findings++ >= MAX_REPORTS || opt.quiet)
		return false;

	fprintf(stderr, "%s: ", file->name);
	return true;
}

/* Macros, so that the compiler checks the format and only what is printed is computed */
#define print_line(...)							\
do {									\
	fprintf(stderr, __VA_ARGS__);					\
	fputc('\n', stderr);						\
} while (0)

/* The file cannot be checked */
#define broken(file, ...)						\
do {									\
	if (begin_broken(file))						\
		print_line(__VA_ARGS__);				\
} while (0)

/* The file was checked and is bad */
#define finding(file, advice, ...)					\
do {									\
	if (begin_finding(file, advice))				\
		print_line(__VA_ARGS__);				\
} while (0)

static void *xcalloc(size_t nr, size_t size)
{
	void *mem = calloc(nr ? nr : 1, size);

	if (!mem) {
		fprintf(stderr, "check-patch-sites: out of memory\n");
		exit(EXIT_UNUSABLE);
	}
	return mem;
}

/* ------------------------------------------------------------------------- */
/* Reading ELF */

static u64 get_bytes(const unsigned char *p, size_t size, bool big_endian)
{
	u64 value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[big_endian ? i : size - 1 - i];
	return value;
}

static u64 get(const struct file *file, const void *p, size_t size)
{
	return get_bytes(p, size, file->big_endian);
}

#define GET(file, field)	get(file, &(field), sizeof(field))

static bool in_range(u64 offset, u64 size, u64 limit)
{
	return offset <= limit && size <= limit - offset;
}

/* A copy of part of the file, with a NUL behind it so that it ends strings */
static void *read_at(struct file *file, u64 offset, u64 size, const char *what)
{
	unsigned char *data;
	u64 done = 0;

	if (!in_range(offset, size, file->size)) {
		broken(file,
		       "%s lies outside of the file (0x%llx bytes at 0x%llx of 0x%llx): truncated?",
		       what, size, offset, file->size);
		return NULL;
	}

	data = xcalloc(size + 1, 1);
	while (done < size) {
		ssize_t len = pread(file->fd, data + done, size - done, offset + done);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) {
			broken(file, "cannot read %s: %s", what,
			       len ? strerror(errno) : "the file became shorter");
			free(data);
			return NULL;
		}
		done += len;
	}
	return data;
}

static const void *section_data(struct file *file, struct section *sec)
{
	if (sec->type == SHT_NOBITS) {
		broken(file, "section %s has no contents", sec->name);
		return NULL;
	}
	if (!sec->data)
		sec->data = read_at(file, sec->offset, sec->size, sec->name);
	return sec->data;
}

static bool is_code(const struct section *sec)
{
	return sec->type == SHT_PROGBITS &&
	       (sec->flags & (SHF_ALLOC | SHF_EXECINSTR)) == (SHF_ALLOC | SHF_EXECINSTR);
}

static void parse_section(const struct file *file, const Elf_Shdr *shdr,
			  struct section *sec)
{
	sec->name	 = "";
	sec->name_offset = GET(file, shdr->e64.sh_name);
	sec->type	 = GET(file, shdr->e64.sh_type);
	sec->flags	 = GET(file, shdr->e64.sh_flags);
	sec->addr	 = GET(file, shdr->e64.sh_addr);
	sec->offset	 = GET(file, shdr->e64.sh_offset);
	sec->size	 = GET(file, shdr->e64.sh_size);
	sec->link	 = GET(file, shdr->e64.sh_link);
	sec->info	 = GET(file, shdr->e64.sh_info);
	sec->align	 = GET(file, shdr->e64.sh_addralign);
}

static bool read_header(struct file *file, u64 *shoff, u64 *shnum)
{
	Elf_Ehdr *ehdr = read_at(file, 0, sizeof(*ehdr), "ELF header");
	const unsigned char *ident;
	u64 type;

	if (!ehdr)
		return false;

	ident = ehdr->e64.e_ident;
	file->big_endian = ident[EI_DATA] == ELFDATA2MSB;
	type = GET(file, ehdr->e64.e_type);
	file->linked = type != ET_REL;

	if (memcmp(ident, ELFMAG, SELFMAG))
		broken(file, "not an ELF file");
	else if (ident[EI_CLASS] != ELFCLASS64 ||
		 (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB) ||
		 GET(file, ehdr->e64.e_machine) != EM_AARCH64)
		broken(file, "not an ELF file for arm64");
	else if (type != ET_REL && type != ET_EXEC && type != ET_DYN)
		broken(file, "ELF type %llu is neither vmlinux nor an object file", type);
	else if (GET(file, ehdr->e64.e_shentsize) != sizeof(Elf_Shdr))
		broken(file, "ELF section headers have an unknown size");

	*shoff = GET(file, ehdr->e64.e_shoff);
	*shnum = GET(file, ehdr->e64.e_shnum);
	file->shstrndx = GET(file, ehdr->e64.e_shstrndx);
	free(ehdr);
	return !file->broken;
}

/* With very many sections, the first one has their number */
static bool read_extended_numbers(struct file *file, u64 shoff, u64 *shnum)
{
	struct section first;
	Elf_Shdr *shdr;

	if (*shnum && file->shstrndx != SHN_XINDEX)
		return true;

	shdr = read_at(file, shoff, sizeof(*shdr), "first section header");
	if (!shdr)
		return false;

	parse_section(file, shdr, &first);
	free(shdr);
	if (!*shnum)
		*shnum = first.size;
	if (file->shstrndx == SHN_XINDEX)
		file->shstrndx = first.link;
	return true;
}

static bool check_section_bounds(struct file *file)
{
	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];

		if (sec->type == SHT_NULL || sec->type == SHT_NOBITS)
			continue;
		if (!in_range(sec->offset, sec->size, file->size)) {
			broken(file, "section %u lies outside of the file: truncated?", i);
			return false;
		}
	}
	return true;
}

static bool name_sections(struct file *file)
{
	struct section *strtab;
	const char *names;

	if (file->shstrndx >= file->nr_sections ||
	    file->sections[file->shstrndx].type != SHT_STRTAB) {
		broken(file, "no section names");
		return false;
	}

	strtab = &file->sections[file->shstrndx];
	names = section_data(file, strtab);
	if (!names)
		return false;

	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];

		if (sec->name_offset < strtab->size)
			sec->name = names + sec->name_offset;
	}
	return true;
}

static bool read_sections(struct file *file)
{
	u64 shoff, shnum;
	Elf_Shdr *shdrs;

	if (!read_header(file, &shoff, &shnum) ||
	    !read_extended_numbers(file, shoff, &shnum))
		return false;

	if (!shoff || !shnum || shnum > file->size / sizeof(Elf_Shdr)) {
		broken(file, "no usable section headers: truncated?");
		return false;
	}

	shdrs = read_at(file, shoff, shnum * sizeof(Elf_Shdr), "section header table");
	if (!shdrs)
		return false;

	file->nr_sections = shnum;
	file->sections = xcalloc(shnum, sizeof(*file->sections));
	for (u32 i = 0; i < shnum; i++)
		parse_section(file, &shdrs[i], &file->sections[i]);
	free(shdrs);

	return check_section_bounds(file) && name_sections(file);
}

static struct section *find_symtab(struct file *file)
{
	for (u32 i = 0; i < file->nr_sections; i++) {
		if (file->sections[i].type == SHT_SYMTAB)
			return &file->sections[i];
	}
	broken(file, "no symbol table: stripped?");
	return NULL;
}

static bool read_symbol_shndx(struct file *file)
{
	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];

		if (sec->type != SHT_SYMTAB_SHNDX ||
		    sec->link != file->symtab - file->sections)
			continue;
		file->symbol_shndx = section_data(file, sec);
		file->nr_symbol_shndx = sec->size / sizeof(*file->symbol_shndx);
		return file->symbol_shndx;
	}
	return true;
}

static bool read_symbols(struct file *file)
{
	struct section *strtab;

	file->symtab = find_symtab(file);
	if (!file->symtab)
		return false;

	if (file->symtab->link >= file->nr_sections ||
	    file->sections[file->symtab->link].type != SHT_STRTAB) {
		broken(file, "no symbol names");
		return false;
	}

	strtab = &file->sections[file->symtab->link];
	file->strings = section_data(file, strtab);
	file->strings_size = strtab->size;
	file->symbols = section_data(file, file->symtab);
	file->nr_symbols = file->symtab->size / sizeof(Elf_Sym);

	return file->strings && file->symbols && read_symbol_shndx(file);
}

static u32 symbol_section(const struct file *file, size_t index, u32 shndx)
{
	if (shndx == SHN_XINDEX) {
		if (index >= file->nr_symbol_shndx)
			return NOWHERE;
		shndx = GET(file, file->symbol_shndx[index]);
	} else if (shndx >= SHN_LORESERVE) {
		return NOWHERE;
	}

	return shndx && shndx < file->nr_sections ? shndx : NOWHERE;
}

static struct symbol get_symbol(const struct file *file, size_t index)
{
	const Elf_Sym *sym = &file->symbols[index];
	u64 name = GET(file, sym->e64.st_name);

	return (struct symbol) {
		.name	 = name < file->strings_size ? file->strings + name : "",
		.value	 = GET(file, sym->e64.st_value),
		.size	 = GET(file, sym->e64.st_size),
		.section = symbol_section(file, index, GET(file, sym->e64.st_shndx)),
		.type	 = ELF64_ST_TYPE(GET(file, sym->e64.st_info)),
	};
}

/* ------------------------------------------------------------------------- */
/* Places, and the functions there */

static int compare_places(const struct place *a, const struct place *b)
{
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return 0;
}

static u64 place_address(const struct file *file, const struct place *place)
{
	return file->sections[place->section].addr + place->offset;
}

/* The file's own view of a place: an address when linked, else an offset */
static struct place find_address(const struct file *file, u64 addr)
{
	static u32 last;	/* entries have neighbours */

	for (u32 i = 0; i < file->nr_sections; i++) {
		u32 nr = (last + i) % file->nr_sections;
		const struct section *sec = &file->sections[nr];

		if (!is_code(sec) || addr < sec->addr || addr - sec->addr >= sec->size)
			continue;
		last = nr;
		return (struct place) { nr, addr - sec->addr };
	}
	return (struct place) { NOWHERE, addr };
}

static u32 get_insn(struct file *file, const struct place *place)
{
	struct section *sec = &file->sections[place->section];
	const unsigned char *data = section_data(file, sec);

	if (!data || !in_range(place->offset, INSN_SIZE, sec->size))
		return 0;

	/* A64 instructions are little-endian, whatever the data is */
	return get_bytes(data + place->offset, INSN_SIZE, false);
}

static u32 get_insn_at(struct file *file, struct place place, int delta)
{
	place.offset += delta;
	return get_insn(file, &place);
}

static int compare_functions(const void *a, const void *b)
{
	const struct function *fa = a, *fb = b;
	int ret = compare_places(&fa->start, &fb->start);

	if (ret)
		return ret;
	if (fa->label != fb->label)
		return fa->label ? 1 : -1;
	return strcmp(fa->name, fb->name);
}

static bool make_function(const struct file *file, const struct symbol *sym,
			  struct function *func)
{
	const struct section *sec;
	u64 offset;

	if (sym->section == NOWHERE)
		return false;
	if (sym->type != STT_FUNC && sym->type != STT_NOTYPE)
		return false;
	/* Mapping symbols say what follows, they begin nothing */
	if (!sym->name[0] || sym->name[0] == '$')
		return false;

	sec = &file->sections[sym->section];
	offset = sym->value - (file->linked ? sec->addr : 0);
	if (!is_code(sec) || offset >= sec->size)
		return false;

	func->start.section = sym->section;
	func->start.offset = offset;
	func->end = in_range(offset, sym->size, sec->size) ? offset + sym->size : sec->size;
	func->name = sym->name;
	func->label = sym->type == STT_NOTYPE;
	return true;
}

/* Find overlaps without a search: remember which function ends last so far */
static void find_reaches(struct file *file)
{
	for (size_t i = 0; i < file->nr_functions; i++) {
		struct function *func = &file->functions[i];
		const struct function *reach;

		func->reach = i;
		if (!i || func[-1].start.section != func->start.section)
			continue;
		reach = &file->functions[func[-1].reach];
		if (func->label || (!reach->label && reach->end > func->end))
			func->reach = func[-1].reach;
	}
}

static void collect_functions(struct file *file)
{
	file->functions = xcalloc(file->nr_symbols, sizeof(*file->functions));

	for (size_t i = 1; i < file->nr_symbols; i++) {
		struct symbol sym = get_symbol(file, i);

		if (make_function(file, &sym, &file->functions[file->nr_functions]))
			file->nr_functions++;
	}

	qsort(file->functions, file->nr_functions, sizeof(*file->functions),
	      compare_functions);
	find_reaches(file);
}

/* The number of functions that start before a place */
static size_t functions_before(const struct file *file, const struct place *place)
{
	size_t low = 0, high = file->nr_functions;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_places(&file->functions[mid].start, place) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The function whose body a place is in, not at its start */
static const struct function *function_around(const struct file *file,
					      const struct place *place)
{
	size_t index = functions_before(file, place);
	const struct function *func;

	if (!index)
		return NULL;

	func = &file->functions[file->functions[index - 1].reach];
	if (func->label || func->start.section != place->section || func->end <= place->offset)
		return NULL;
	return func;
}

static const struct function *function_at(const struct file *file,
					  const struct place *place)
{
	size_t index = functions_before(file, place);
	const struct function *func = &file->functions[index];

	if (index == file->nr_functions || compare_places(&func->start, place))
		return NULL;
	/* A label inside of a function does not start one */
	if (func->label && function_around(file, place))
		return NULL;
	return func;
}

/* For messages: "section+0xoffset (function+0xdelta)" */
static const char *describe(const struct file *file, const struct place *place)
{
	static char text[512];
	const struct section *sec = &file->sections[place->section];
	struct place behind = { place->section, place->offset + 1 };
	const struct function *func = NULL;
	size_t index;
	int len;

	if (file->linked)
		len = snprintf(text, sizeof(text), "0x%llx", sec->addr + place->offset);
	else
		len = snprintf(text, sizeof(text), "%.100s+0x%llx", sec->name, place->offset);

	index = functions_before(file, &behind);
	if (index)
		func = &file->functions[index - 1];
	if (func && func->start.section == place->section)
		snprintf(text + len, sizeof(text) - len, " (%.200s+0x%llx)", func->name,
			 place->offset - func->start.offset);
	return text;
}

/* ------------------------------------------------------------------------- */
/* Finding the entries */

static struct entry *add_entries(struct file *file, const unsigned char *table, u64 size)
{
	size_t nr = size / ENTRY_SIZE;
	struct entry *entries;

	entries = xcalloc(file->nr_entries + nr, sizeof(*entries));
	memcpy(entries, file->entries, file->nr_entries * sizeof(*entries));
	free(file->entries);
	file->entries = entries;

	entries += file->nr_entries;
	for (size_t i = 0; i < nr; i++) {
		entries[i].slot = i * ENTRY_SIZE;
		entries[i].value = get(file, table + i * ENTRY_SIZE, ENTRY_SIZE);
		entries[i].place.section = NOWHERE;
	}
	file->nr_entries += nr;
	return entries;
}

static struct place relocation_target(const struct file *file, const struct symbol *sym,
				      u64 addend)
{
	return (struct place) { sym->section, sym->value + addend };
}

static bool check_relocation(struct file *file, const struct section *table,
			     u64 offset, u64 type, u64 expected)
{
	if (type == expected && offset % ENTRY_SIZE == 0 &&
	    in_range(offset, ENTRY_SIZE, table->size - table->size % ENTRY_SIZE))
		return true;

	finding(file, ADVICE_TABLE,
		"%s+0x%llx: expected relocations of type %llu at multiples of %d within 0x%llx bytes, found type %llu",
		table->name, offset, expected, ENTRY_SIZE, table->size, type);
	return false;
}

static void relocate_entry(struct file *file, const struct section *table,
			   struct entry *entries, const Elf_Rela *rela)
{
	u64 offset = GET(file, rela->e64.r_offset);
	u64 info = GET(file, rela->e64.r_info);
	size_t index = ELF64_R_SYM(info);
	struct symbol sym;
	struct entry *entry;

	if (!check_relocation(file, table, offset, ELF64_R_TYPE(info), R_AARCH64_ABS64))
		return;

	entry = &entries[offset / ENTRY_SIZE];
	if (entry->relocated) {
		finding(file, ADVICE_TABLE, "%s+0x%llx: expected one relocation, found two",
			table->name, offset);
		return;
	}
	entry->relocated = true;

	if (!index || index >= file->nr_symbols)
		return;
	sym = get_symbol(file, index);
	entry->place = relocation_target(file, &sym, GET(file, rela->e64.r_addend));
}

static void relocate_table(struct file *file, u32 nr, struct entry *entries)
{
	const struct section *table = &file->sections[nr];

	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];
		const Elf_Rela *rela;

		if (sec->type != SHT_RELA || sec->info != nr)
			continue;
		rela = section_data(file, sec);
		if (!rela)
			return;
		if (sec->size % sizeof(Elf_Rela))
			finding(file, ADVICE_TABLE,
				"%s: expected a multiple of %zu bytes, found 0x%llx",
				sec->name, sizeof(Elf_Rela), sec->size);
		for (size_t j = 0; j < sec->size / sizeof(Elf_Rela); j++)
			relocate_entry(file, table, entries, &rela[j]);
	}
}

static void report_unrelocated(struct file *file, const char *table,
			       struct entry *entries, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (entries[i].relocated)
			continue;
		entries[i].bad = true;
		finding(file, ADVICE_TABLE,
			"%s+0x%llx: expected a relocation for entry %llu, found none",
			table, entries[i].slot, entries[i].slot / ENTRY_SIZE);
	}
}

static void check_table_size(struct file *file, const char *table, u64 size)
{
	if (size % ENTRY_SIZE)
		finding(file, ADVICE_TABLE,
			"%s: expected a multiple of %d bytes, found 0x%llx: truncated?",
			table, ENTRY_SIZE, size);
}

static void collect_object_entries(struct file *file)
{
	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];
		const unsigned char *data;
		struct entry *entries;

		if (strcmp(sec->name, TABLE_SECTION))
			continue;
		data = section_data(file, sec);
		if (!data)
			return;
		check_table_size(file, sec->name, sec->size);
		entries = add_entries(file, data, sec->size);
		relocate_table(file, i, entries);
		report_unrelocated(file, sec->name, entries, sec->size / ENTRY_SIZE);
	}
}

struct table {
	u64	start;
	u64	stop;
	struct section	*section;
};

static bool find_table(struct file *file, struct table *table)
{
	bool start = false, stop = false;

	for (size_t i = 1; i < file->nr_symbols; i++) {
		struct symbol sym = get_symbol(file, i);

		if (!strcmp(sym.name, TABLE_START)) {
			start = true;
			table->start = sym.value;
			if (sym.section != NOWHERE)
				table->section = &file->sections[sym.section];
		} else if (!strcmp(sym.name, TABLE_STOP)) {
			stop = true;
			table->stop = sym.value;
		}
	}
	return start && stop && table->section;
}

static void relocate_linked_entry(struct file *file, const struct table *table,
				  struct entry *entries, const Elf_Rela *rela)
{
	u64 offset = GET(file, rela->e64.r_offset) - table->start;
	u64 type = ELF64_R_TYPE(GET(file, rela->e64.r_info));
	const struct section bounds = {
		.name = TABLE_START,
		.size = table->stop - table->start,
	};

	if (offset >= bounds.size ||
	    !check_relocation(file, &bounds, offset, type, R_AARCH64_RELATIVE))
		return;

	entries[offset / ENTRY_SIZE].relocated = true;
	entries[offset / ENTRY_SIZE].value = GET(file, rela->e64.r_addend);
}

/*
 * GNU ld leaves the entries of a relocatable kernel to .rela.dyn; LLD and
 * RELR have them in place. It is the same for all of a table.
 */
static void relocate_linked_table(struct file *file, const struct table *table,
				  struct entry *entries)
{
	for (u32 i = 0; i < file->nr_sections; i++) {
		struct section *sec = &file->sections[i];
		const Elf_Rela *rela;

		if (sec->type != SHT_RELA || !(sec->flags & SHF_ALLOC))
			continue;
		rela = section_data(file, sec);
		if (!rela)
			return;
		for (size_t j = 0; j < sec->size / sizeof(*rela); j++)
			relocate_linked_entry(file, table, entries, &rela[j]);
	}
}

static void place_linked_entries(struct file *file)
{
	size_t nr_relocated = 0;

	for (size_t i = 0; i < file->nr_entries; i++)
		nr_relocated += file->entries[i].relocated;
	if (nr_relocated)
		report_unrelocated(file, TABLE_START, file->entries, file->nr_entries);

	/* sorttable zeroes the entries of weak functions that were replaced */
	for (size_t i = 0; i < file->nr_entries; i++) {
		struct entry *entry = &file->entries[i];

		if (entry->bad)
			continue;
		if (!entry->value)
			file->nr_zeroed++;
		else
			entry->place = find_address(file, entry->value);
	}
}

static void collect_linked_entries(struct file *file)
{
	struct table table = {};
	const unsigned char *data;
	struct entry *entries;
	u64 offset, size;

	if (!find_table(file, &table)) {
		broken(file, "no symbols " TABLE_START " and " TABLE_STOP
		       ": not a vmlinux with dynamic ftrace?");
		return;
	}

	offset = table.start - table.section->addr;
	size = table.stop - table.start;
	if (!in_range(offset, size, table.section->size)) {
		broken(file, TABLE_START " to " TABLE_STOP " is not within section %s",
		       table.section->name);
		return;
	}

	data = section_data(file, table.section);
	if (!data)
		return;
	check_table_size(file, TABLE_START, size);
	entries = add_entries(file, data + offset, size);
	relocate_linked_table(file, &table, entries);
	place_linked_entries(file);

	if (file->nr_zeroed == file->nr_entries)
		finding(file, ADVICE_TABLE,
			TABLE_START ": expected patchable entries, found %zu, all of them zero",
			file->nr_entries);
}

/* ------------------------------------------------------------------------- */
/* Checking the entries */

static bool check_section(struct file *file, const struct entry *entry)
{
	const struct place *place = &entry->place;
	const struct section *sec;

	if (place->section == NOWHERE) {
		finding(file, ADVICE_TABLE,
			"entry %llu: expected an address in the file's text, found 0x%llx",
			entry->slot / ENTRY_SIZE, file->linked ? entry->value : place->offset);
		return false;
	}

	sec = &file->sections[place->section];
	if (!is_code(sec)) {
		finding(file, ADVICE_TABLE,
			"%s: expected an entry in a text section, found one that is not",
			describe(file, place));
		return false;
	}

	if (!in_range(place->offset, INSN_SIZE, sec->size)) {
		finding(file, ADVICE_TABLE,
			"%s: expected an entry within section %s, found one outside of its 0x%llx bytes",
			describe(file, place), sec->name, sec->size);
		return false;
	}
	return true;
}

/*
 * The entry of a function without a prefix is the first NOP; BTI C, if it is
 * there, stands in front of that.
 */
static const struct function *find_function(struct file *file, const struct place *entry,
					    struct place *start)
{
	const struct function *func;

	*start = *entry;
	start->offset += opt.prefix;
	func = function_at(file, start);
	if (func || opt.prefix || !opt.bti || start->offset < INSN_SIZE ||
	    get_insn_at(file, *start, -INSN_SIZE) != INSN_BTI_C)
		return func;

	start->offset -= INSN_SIZE;
	return function_at(file, start);
}

/* The next function, if there is one near */
static const struct function *function_behind(const struct file *file, const struct place *place)
{
	for (size_t i = functions_before(file, place); i < file->nr_functions; i++) {
		const struct function *func = &file->functions[i];

		if (func->start.section != place->section ||
		    func->start.offset - place->offset > MAX_PREFIX)
			break;
		if (!func->label)
			return func;
	}
	return NULL;
}

/* No function starts where one should: tell wrong flags from a wrong entry */
static void report_no_function(struct file *file, const struct place *entry)
{
	const struct function *around = function_around(file, entry);
	const struct function *behind = function_behind(file, entry);

	if (!around && behind) {
		finding(file, ADVICE_FLAGS,
			"%s: expected a prefix of %llu bytes, found one of %llu bytes in front of %s",
			describe(file, entry), opt.prefix,
			behind->start.offset - entry->offset, behind->name);
		return;
	}

	finding(file, ADVICE_TABLE,
		"%s: expected a function %llu bytes behind the entry, found none; the entry is %s%s",
		describe(file, entry), opt.prefix,
		around ? "in the middle of " : "in no function", around ? around->name : "");
}

static bool check_alignment(struct file *file, const struct place *entry,
			    const struct function *func)
{
	u64 align = opt.prefix ? ENTRY_ALIGN : INSN_SIZE;
	const struct section *sec = &file->sections[entry->section];

	if (place_address(file, entry) % align) {
		finding(file, ADVICE_ALIGN,
			"%s: expected an entry of %s on a boundary of %llu bytes, found it misaligned",
			describe(file, entry), func->name, align);
		return false;
	}
	if (!file->linked && sec->align < align) {
		finding(file, ADVICE_ALIGN,
			"%s: expected section %s to be aligned to %llu bytes for the entry of %s, found %llu",
			describe(file, entry), sec->name, align, func->name, sec->align);
		return false;
	}
	return true;
}

static bool check_prefix(struct file *file, const struct place *entry,
			 const struct function *func)
{
	for (u64 i = 0; i < opt.prefix; i += INSN_SIZE) {
		u32 insn = get_insn_at(file, *entry, i);

		if (insn == INSN_NOP)
			continue;
		finding(file, ADVICE_OVERWRITTEN,
			"%s: expected NOP at %s-0x%llx, in its prefix of %llu bytes, found 0x%08x",
			describe(file, entry), func->name, opt.prefix - i, opt.prefix, insn);
		return false;
	}
	return true;
}

/* Which function in front of this one reaches behind the entry? */
static const struct function *find_overlap(const struct file *file, const struct place *entry,
					   const struct place *start)
{
	size_t index = functions_before(file, start);
	const struct function *func;

	if (!index)
		return NULL;

	func = &file->functions[file->functions[index - 1].reach];
	if (func->label || func->start.section != entry->section || func->end <= entry->offset)
		return NULL;
	return func;
}

static bool check_overlap(struct file *file, const struct place *entry,
			  const struct place *start, const struct function *func)
{
	const struct function *other = find_overlap(file, entry, start);

	if (!other)
		return true;

	finding(file, ADVICE_OVERWRITTEN,
		"%s: expected padding in front of %s, found that %s (0x%llx bytes) overlaps its entry",
		describe(file, entry), func->name, other->name,
		other->end - other->start.offset);
	return false;
}

static bool check_site(struct file *file, struct place start, const struct function *func)
{
	const struct section *sec = &file->sections[start.section];
	bool bti = get_insn(file, &start) == INSN_BTI_C;

	if (bti && !opt.bti) {
		finding(file, ADVICE_BTI, "%s: expected NOP, found BTI C",
			describe(file, &start));
		return false;
	}
	if (bti)
		start.offset += INSN_SIZE;

	if (!in_range(start.offset, 2 * INSN_SIZE, sec->size)) {
		finding(file, ADVICE_FLAGS,
			"%s: expected two NOPs at the start of %s, found the end of section %s",
			describe(file, &start), func->name, sec->name);
		return false;
	}

	for (int i = 0; i < 2; i++, start.offset += INSN_SIZE) {
		u32 insn = get_insn(file, &start);

		if (insn == INSN_NOP)
			continue;
		finding(file, ADVICE_FLAGS,
			"%s: expected %sNOP, NOP at the start of %s, found 0x%08x as %s",
			describe(file, &start), bti ? "BTI C, " : "", func->name, insn,
			i ? "the patch site" : "the first one");
		return false;
	}

	file->nr_bti += bti;
	return true;
}

/*
 * When the linker makes one object of many, a weak function that another one
 * overrides loses its symbol, but neither its code nor its entry. sorttable
 * drops such entries of vmlinux; those of a module stay. Whatever is patched
 * there is never executed, if only it looks like a function in full.
 */
static bool is_left_over(struct file *file, const struct place *entry)
{
	const struct section *sec = &file->sections[entry->section];
	const struct function *behind = function_behind(file, entry);
	u64 nops = opt.prefix + 2 * INSN_SIZE;
	struct place place = *entry;

	/* A function that begins in there has a prefix of another length. */
	if (file->linked || function_around(file, entry) ||
	    (behind && behind->start.offset <= entry->offset + nops) ||
	    place_address(file, entry) % (opt.prefix ? ENTRY_ALIGN : INSN_SIZE) ||
	    !in_range(entry->offset, nops + INSN_SIZE, sec->size))
		return false;

	for (u64 i = 0; i < nops; i += INSN_SIZE, place.offset += INSN_SIZE) {
		if (opt.bti && i == opt.prefix && get_insn(file, &place) == INSN_BTI_C)
			place.offset += INSN_SIZE;
		if (get_insn(file, &place) != INSN_NOP)
			return false;
	}
	return true;
}

static void check_entry(struct file *file, struct entry *entry)
{
	const struct function *func;
	struct place start;

	/* Pessimistic, so that duplicates of what is bad are not reported too */
	entry->bad = true;

	if (!check_section(file, entry))
		return;
	func = find_function(file, &entry->place, &start);
	if (!func && is_left_over(file, &entry->place)) {
		file->nr_left_over++;
		entry->bad = false;
		return;
	}
	if (!func) {
		report_no_function(file, &entry->place);
		return;
	}
	entry->bad = !(check_alignment(file, &entry->place, func) &&
		       check_overlap(file, &entry->place, &start, func) &&
		       check_prefix(file, &entry->place, func) &&
		       check_site(file, start, func));
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;

	return compare_places(&ea->place, &eb->place);
}

static void check_unique(struct file *file)
{
	const struct entry *entries = file->entries;

	for (size_t i = 1; i < file->nr_entries; i++) {
		if (entries[i].place.section == NOWHERE || entries[i].bad ||
		    compare_entries(&entries[i - 1], &entries[i]))
			continue;
		finding(file, ADVICE_TABLE, "%s: expected one entry, found another one",
			describe(file, &entries[i].place));
	}
}

/*
 * Does a function have what the compiler reserves? NOPs ahead of it may be mere
 * padding, but then it is the function that is aligned and not its prefix.
 */
static bool looks_patchable(struct file *file, const struct function *func)
{
	struct place entry = func->start;
	struct place site = func->start;

	if (entry.offset < opt.prefix)
		return false;
	entry.offset -= opt.prefix;
	if (place_address(file, &entry) % opt.align ||
	    find_overlap(file, &entry, &func->start))
		return false;

	for (u64 i = 0; i < opt.prefix; i += INSN_SIZE) {
		if (get_insn_at(file, entry, i) != INSN_NOP)
			return false;
	}

	if (opt.bti && get_insn(file, &site) == INSN_BTI_C)
		site.offset += INSN_SIZE;
	return get_insn(file, &site) == INSN_NOP &&
	       get_insn_at(file, site, INSN_SIZE) == INSN_NOP;
}

/* Without a prefix, there is too little to tell */
static void check_complete(struct file *file)
{
	for (size_t i = 0; opt.prefix && i < file->nr_functions; i++) {
		const struct function *func = &file->functions[i];
		struct entry key = { .place = func->start };

		if (func->label || (i && !compare_places(&func[-1].start, &func->start)) ||
		    !looks_patchable(file, func))
			continue;

		key.place.offset -= opt.prefix;
		if (bsearch(&key, file->entries, file->nr_entries, sizeof(key), compare_entries))
			continue;
		finding(file, ADVICE_TABLE, "%s: expected an entry for %s, found none in the table",
			describe(file, &key.place), func->name);
	}
}

static void check_entries(struct file *file)
{
	for (size_t i = 0; i < file->nr_entries && !file->broken; i++) {
		struct entry *entry = &file->entries[i];

		if (!entry->bad && (!file->linked || entry->value))
			check_entry(file, entry);
	}

	qsort(file->entries, file->nr_entries, sizeof(*file->entries), compare_entries);
	check_unique(file);
	check_complete(file);
}

/* ------------------------------------------------------------------------- */

static void summarize(const struct file *file)
{
	if (!file->nr_findings) {
		if (opt.verbose)
			printf("%s: %zu entries OK (%zu with BTI, %zu discarded)\n", file->name,
			       file->nr_entries - file->nr_zeroed - file->nr_left_over,
			       file->nr_bti, file->nr_zeroed + file->nr_left_over);
		return;
	}

	if (opt.quiet)
		return;
	if (file->nr_findings > MAX_REPORTS)
		fprintf(stderr, "%s: ... and %u more\n", file->name,
			file->nr_findings - MAX_REPORTS);
	fprintf(stderr, "%s: patchable function entries: %u findings, %zu entries\n", file->name,
		file->nr_findings, file->nr_entries);
	for (int i = 0; i < NR_ADVICE; i++) {
		if (file->advice[i])
			fprintf(stderr, "%s: hint: %s\n", file->name, advice_text[i]);
	}
}

static bool open_file(struct file *file)
{
	struct stat st;

	file->fd = open(file->name, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st)) {
		broken(file, "%s", strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		broken(file, "not a regular file");
		return false;
	}
	file->size = st.st_size;
	return true;
}

static void close_file(struct file *file)
{
	for (u32 i = 0; i < file->nr_sections; i++)
		free(file->sections[i].data);
	free(file->sections);
	free(file->functions);
	free(file->entries);
	if (file->fd >= 0)
		close(file->fd);
}

static enum exit_status check_file(const char *name)
{
	struct file file = { .name = name, .fd = -1 };

	if (open_file(&file) && read_sections(&file) && read_symbols(&file)) {
		collect_functions(&file);
		file.entries = xcalloc(0, sizeof(*file.entries));
		if (file.linked)
			collect_linked_entries(&file);
		else
			collect_object_entries(&file);
		if (!file.broken)
			check_entries(&file);
	}
	if (!file.broken)
		summarize(&file);
	close_file(&file);

	if (file.broken)
		return EXIT_UNUSABLE;
	return file.nr_findings ? EXIT_FINDINGS : EXIT_OK;
}

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: check-patch-sites [OPTION]... FILE...\n"
		"Check the patchable function entries of arm64 vmlinux, module and object files.\n"
		"\n"
		"  -p, --prefix BYTES  NOPs that are reserved ahead of a function: 24 with a PLT\n"
		"                      slot (default), 8 with CALL_OPS only, or 0\n"
		"  -a, --align BYTES   function alignment of the configuration (default 8)\n"
		"  -b, --bti           functions may begin with BTI C\n"
		"  -q, --quiet         report by exit status alone\n"
		"  -v, --verbose       also say what was checked\n"
		"  -h, --help          show this text\n"
		"\n"
		"Exit status: 0 all entries are good, 1 there are findings, 2 a file or an option\n"
		"is unusable.\n");
}

static u64 parse_number(const char *what, const char *arg, u64 min)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || value % ENTRY_ALIGN || value > MAX_PREFIX ||
	    value < min) {
		fprintf(stderr,
			"check-patch-sites: %s: expected a multiple of %d from %llu to %d, found '%s'\n",
			what, ENTRY_ALIGN, min, MAX_PREFIX, arg);
		exit(EXIT_UNUSABLE);
	}
	return value;
}

static void parse_options(int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "prefix",	required_argument,	NULL, 'p' },
		{ "align",	required_argument,	NULL, 'a' },
		{ "bti",	no_argument,		NULL, 'b' },
		{ "quiet",	no_argument,		NULL, 'q' },
		{ "verbose",	no_argument,		NULL, 'v' },
		{ "help",	no_argument,		NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:a:bqvh", long_options, NULL)) != -1) {
		switch (c) {
		case 'p':
			opt.prefix = parse_number("--prefix", optarg, 0);
			break;
		case 'a':
			opt.align = parse_number("--align", optarg, ENTRY_ALIGN);
			break;
		case 'b':
			opt.bti = true;
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case 'h':
			usage(stdout);
			exit(EXIT_OK);
		default:
			usage(stderr);
			exit(EXIT_UNUSABLE);
		}
	}
}

int main(int argc, char *argv[])
{
	enum exit_status status = EXIT_OK;

	parse_options(argc, argv);
	if (optind == argc) {
		usage(stderr);
		return EXIT_UNUSABLE;
	}

	for (int i = optind; i < argc; i++) {
		enum exit_status ret = check_file(argv[i]);

		if (ret > status)
			status = ret;
	}
	return status;
}
