// SPDX-License-Identifier: GPL-2.0
/*
 * Damage the table of patchable functions of an arm64 module:
 *
 *   test_function_plt-damage KIND GOOD.ko BAD.ko
 *   test_function_plt-damage --list
 *
 * Copies the module and spoils __patchable_function_entries, its relocations, or
 * the code that they point to in one of the ways below, which --list names. A
 * kernel has to refuse the result, and to say what is printed here.
 *
 * Exits with 4 if the way does not apply to the module, as one without slots ahead
 * of its functions.
 */

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE		"__patchable_function_entries"
#define NOP		0xd503201f
#define BTI_C		0xd503245f
#define UDF		0x00000000
#define R_ABS64		257	/* R_AARCH64_ABS64 */
#define R_NONE		0
#define ENTRY		8

#define SKIP		4

/* What the first function has at least, see overlap() */
#define MIN_INSNS	9

/* -fpatchable-function-entry=8,6, or 2,0 without slots ahead of functions */
static unsigned int prefix_nops = 6;

static unsigned char *file;
static size_t size;
static Elf64_Shdr *table;
static Elf64_Rela *relas;
static size_t nr_relas;

/* Where the code that code() found lies */
static unsigned int text_shndx;
static size_t text_offset;

/* The entry that is found to be wrong, and why it is */
static size_t offset_of_damage;
static const char *refusal = "an entry holds unexpected instructions";

static void die(const char *what)
{
	fprintf(stderr, "test_function_plt-damage: %s\n", what);
	exit(2);
}

static Elf64_Shdr *shdr(unsigned int i)
{
	Elf64_Ehdr *hdr = (void *)file;

	if (i >= hdr->e_shnum || hdr->e_shoff > size ||
	    size - hdr->e_shoff < hdr->e_shnum * sizeof(Elf64_Shdr))
		die("no such section");

	return (Elf64_Shdr *)(file + hdr->e_shoff) + i;
}

static void load(const char *name)
{
	FILE *f = fopen(name, "rb");

	long end;

	if (!f || fseek(f, 0, SEEK_END))
		die("cannot read the module");
	end = ftell(f);
	if (end <= 0)
		die("cannot read the module");
	size = end;
	file = malloc(size);
	rewind(f);
	if (!file || fread(file, 1, size, f) != size)
		die("cannot read the module");
	fclose(f);
}

static void find_table(void)
{
	Elf64_Ehdr *hdr = (void *)file;
	const char *names;

	if (size < sizeof(*hdr) || memcmp(hdr->e_ident, ELFMAG, SELFMAG) ||
	    hdr->e_machine != EM_AARCH64 || hdr->e_type != ET_REL)
		die("not an arm64 module");

	names = (char *)file + shdr(hdr->e_shstrndx)->sh_offset;
	for (unsigned int i = 0; i < hdr->e_shnum; i++) {
		Elf64_Shdr *s = shdr(i);

		if (!strcmp(names + s->sh_name, TABLE))
			table = s;
		if (s->sh_type == SHT_RELA &&
		    !strcmp(names + s->sh_name, ".rela" TABLE)) {
			relas = (void *)(file + s->sh_offset);
			nr_relas = s->sh_size / sizeof(*relas);
		}
	}
	if (!table || !relas || nr_relas < 2)
		die("the module has too few patchable functions");
	if (ELF64_R_TYPE(relas[0].r_info) != R_ABS64 ||
	    ELF64_R_TYPE(relas[1].r_info) != R_ABS64)
		die("unexpected relocations");
}

/* The code that the first entry of the table points to, all of it in the file */
static unsigned int *code(void)
{
	Elf64_Ehdr *hdr = (void *)file;
	Elf64_Shdr *symtab = NULL, *text;
	unsigned int *insns;
	Elf64_Sym *sym;
	size_t offset;

	for (unsigned int i = 0; i < hdr->e_shnum; i++) {
		if (shdr(i)->sh_type == SHT_SYMTAB)
			symtab = shdr(i);
	}
	if (!symtab ||
	    ELF64_R_SYM(relas[0].r_info) >= symtab->sh_size / sizeof(*sym))
		die("no symbol table");
	sym = (Elf64_Sym *)(file + symtab->sh_offset) +
	      ELF64_R_SYM(relas[0].r_info);

	text = shdr(sym->st_shndx);
	offset = sym->st_value + relas[0].r_addend;
	text_shndx = sym->st_shndx;
	text_offset = offset;
	if (text->sh_type != SHT_PROGBITS || offset > text->sh_size ||
	    text->sh_size - offset < (prefix_nops + MIN_INSNS) * sizeof(*insns) ||
	    text->sh_offset + text->sh_size > size)
		die("the first entry is not in the text");

	insns = (void *)(file + text->sh_offset + offset);
	if (insns[0] == NOP && insns[1] == NOP && insns[2] != NOP)
		prefix_nops = 0;
	for (unsigned int i = 0; i < prefix_nops; i++) {
		if (insns[i] != NOP)
			die("the first entry is damaged already");
	}

	return insns;
}

/* The last entry is cut in half. */
static void cut(void)
{
	table->sh_size -= ENTRY / 2;
	offset_of_damage = table->sh_size / ENTRY * ENTRY;
	refusal = "the table is truncated";
}

/* An entry that no relocation fills */
static void unrelocated(void)
{
	relas[0].r_info = ELF64_R_INFO(0, R_NONE);
	refusal = "an entry is outside of the module's text";
}

/* An entry that leads far away */
static void far_away(void)
{
	relas[0].r_addend += 1L << 30;
	refusal = "an entry is outside of the module's text";
}

/* An entry that leads to the module's data */
static void data(void)
{
	Elf64_Ehdr *hdr = (void *)file;
	const char *names = (char *)file + shdr(hdr->e_shstrndx)->sh_offset;

	for (unsigned int i = 0; i < hdr->e_shnum; i++) {
		Elf64_Shdr *s = shdr(i);
		Elf64_Sym *sym = (Elf64_Sym *)(file + s->sh_offset);

		if (s->sh_type != SHT_SYMTAB)
			continue;
		for (size_t n = 1; n < s->sh_size / sizeof(*sym); n++) {
			if (sym[n].st_shndx >= hdr->e_shnum ||
			    strcmp(names + shdr(sym[n].st_shndx)->sh_name,
				   ".gnu.linkonce.this_module"))
				continue;
			relas[0].r_info = ELF64_R_INFO(n, R_ABS64);
			relas[0].r_addend = 0;
			refusal = "an entry is outside of the module's text";
			return;
		}
	}
	die("no symbol in .gnu.linkonce.this_module");
}

/* An entry that begins in the middle of a literal, or of an instruction */
static void not_aligned(void)
{
	code();
	relas[0].r_addend += prefix_nops ? 4 : 2;
	refusal = prefix_nops ? "a slot is misaligned" : "an entry is misaligned";
}

/* The second entry is found to be wrong. */
static void second(void)
{
	offset_of_damage = relas[1].r_offset;
}

/* Two entries for the same function */
static void duplicate(void)
{
	relas[1].r_info = relas[0].r_info;
	relas[1].r_addend = relas[0].r_addend;
	second();
}

/* Make NOPs of instructions of the first function, and keep them NOPs. */
static void make_nops(unsigned int *insns, size_t n)
{
	Elf64_Ehdr *hdr = (void *)file;

	for (size_t i = 0; i < n; i++)
		insns[i] = NOP;

	for (unsigned int i = 0; i < hdr->e_shnum; i++) {
		Elf64_Shdr *s = shdr(i);
		Elf64_Rela *rela = (void *)(file + s->sh_offset);

		if (s->sh_type != SHT_RELA || s->sh_info != text_shndx)
			continue;
		for (; rela < (Elf64_Rela *)(file + s->sh_offset + s->sh_size); rela++) {
			if (rela->r_offset >= text_offset &&
			    rela->r_offset < text_offset + n * sizeof(*insns))
				rela->r_info = ELF64_R_INFO(0, R_NONE);
		}
	}
}

/*
 * An entry that begins @bytes behind the first one, of which it is the first or
 * the second one in the table, and NOPs wherever one of them needs some, so that
 * there is nothing wrong with either of them alone.
 */
static void overlap(unsigned int bytes, int back)
{
	make_nops(code(), prefix_nops + 2 + bytes / sizeof(unsigned int));

	relas[1].r_info = relas[0].r_info;
	relas[1].r_addend = relas[0].r_addend;
	relas[back ? 0 : 1].r_addend += bytes;
	second();
}

static void with_slot(void)
{
	code();
	if (!prefix_nops) {
		fprintf(stderr, "there is no slot ahead of functions\n");
		exit(SKIP);
	}
}

/* Two entries that overlap by half */
static void overlapping(void)
{
	code();
	overlap(prefix_nops ? 8 : 4, 0);
}

static void overlapping_back(void)
{
	code();
	overlap(prefix_nops ? 8 : 4, 1);
}

/* ... where nothing of the slots overlaps, but the slot and the function do */
static void overlapping_function(void)
{
	with_slot();
	overlap(16, 0);
}

static void overlapping_function_back(void)
{
	with_slot();
	overlap(16, 1);
}

/* ... where the second literal is the first patch site */
static void overlapping_site(void)
{
	with_slot();
	overlap(24, 0);
}

static void overlapping_site_back(void)
{
	with_slot();
	overlap(24, 1);
}

/* Something else than a NOP where the slot is, or the patch site */
static void bad_slot(void)
{
	with_slot();
	code()[0] = UDF;
}

static void bad_site(void)
{
	unsigned int *insns = code();

	insns += prefix_nops;
	/* With branch protection, the landing pad is in between. */
	if (insns[0] == BTI_C)
		insns++;
	if (insns[0] != NOP || insns[1] != NOP)
		die("no patch site");
	insns[1] = UDF;
}

/*
 * A section of the same name ahead of the damaged one, which the kernel does not
 * keep in memory
 */
static void decoy(void)
{
	for (Elf64_Shdr *s = shdr(1); s < table; s++) {
		if (s->sh_type == SHT_NOTE ||
		    (s->sh_type == SHT_PROGBITS && !(s->sh_flags & SHF_ALLOC))) {
			s->sh_name = table->sh_name;
			s->sh_flags &= ~SHF_ALLOC;
			unrelocated();
			return;
		}
	}
	fprintf(stderr, "there is no section ahead of the table that could be spared\n");
	exit(SKIP);
}

/* More entries than the text can hold */
static void overflow(void)
{
	const size_t count = 100000;

	file = realloc(file, size + count * ENTRY);
	if (!file)
		die("out of memory");
	find_table();
	memset(file + size, 0, count * ENTRY);
	table->sh_offset = size;
	table->sh_size = count * ENTRY;
	size += count * ENTRY;
	refusal = "the table has more entries than the text has room for";
}

/* The module says that it has no slots. */
static void layout(void)
{
	static const char magic[] = "vermagic=", slots[] = " function_plt";
	char *at = memmem(file, size, magic, strlen(magic));

	if (at)
		at = strstr(at, slots);
	if (!at)
		die("there is nothing about slots in the version magic");
	memset(at, 0, strlen(at));
	refusal = NULL;
}

/* Nothing: to see that what is refused is the damage */
static void good(void)
{
	refusal = NULL;
}

static const struct {
	const char *name;
	void (*damage)(void);
} kinds[] = {
	{ "good",		good },
	{ "truncated",		cut },
	{ "unrelocated",	unrelocated },
	{ "outside",		far_away },
	{ "data",		data },
	{ "misaligned",		not_aligned },
	{ "duplicate",		duplicate },
	{ "overlapping",	overlapping },
	{ "overlapping-back",	overlapping_back },
	{ "overlapping-function",	overlapping_function },
	{ "overlapping-function-back",	overlapping_function_back },
	{ "overlapping-site",	overlapping_site },
	{ "overlapping-site-back",	overlapping_site_back },
	{ "bad-slot",		bad_slot },
	{ "bad-site",		bad_site },
	{ "overflow",		overflow },
	{ "decoy",		decoy },
	{ "layout",		layout },
	{ }
};

int main(int argc, char **argv)
{
	unsigned int i;
	FILE *f;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; kinds[i].name; i++)
			puts(kinds[i].name);
		return 0;
	}

	for (i = 0; argc == 4 && kinds[i].name; i++) {
		if (!strcmp(argv[1], kinds[i].name))
			break;
	}
	if (argc != 4 || !kinds[i].name) {
		fprintf(stderr, "usage: test_function_plt-damage KIND GOOD.ko BAD.ko\nKIND:");
		for (i = 0; kinds[i].name; i++)
			fprintf(stderr, " %s", kinds[i].name);
		fprintf(stderr, "\n");
		return 2;
	}

	load(argv[2]);
	find_table();
	kinds[i].damage();

	f = fopen(argv[3], "wb");
	if (!f || fwrite(file, 1, size, f) != size || fclose(f))
		die(strerror(errno));

	if (refusal)
		printf("section %s, offset 0x%zx: %s\n", TABLE, offset_of_damage,
		       refusal);
	return 0;
}
