// SPDX-License-Identifier: GPL-2.0-only
/*
 * unwind-table: make a table of return addresses for arm64 from .eh_frame
 *
 * The kernel uses the table to go on behind an exception: it tells for exactly
 * the interrupted instruction where the return address and the caller's frame
 * pointer are. Only what was verified against the instructions is in it.
 */
#include <elf.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unwind-table.h"
#include <asm/unwind-table-format.h>

#define VMLINUX_TEXT	".text"
#define VMLINUX_TABLE	".unwind_table"

static void usage(void)
{
	fprintf(stderr,
		"Usage: %s [-v] VMLINUX TABLE     write the table of .text to TABLE\n"
		"       %s [-v] --check VMLINUX   compare it with the one that was linked in\n"
		"       %s [-v] --module MODULE   add a table for each text section\n"
		"       %s [-v] --dump FILE       print what is believed\n",
		progname, progname, progname, progname);
	exit(2);
}

static void report(const struct object *obj, const struct statistics *stat,
		   const struct fdes *fdes)
{
	fprintf(stderr,
		"%s: %zu functions, %zu refused, %zu skipped; %zu of %zu instructions believed\n",
		obj->path, stat->functions, stat->refused, fdes->skipped,
		stat->believed, stat->insns);
}

static void write_file(const char *path, const struct table *table)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(table->data, 1, table->size, f) != table->size ||
	    fclose(f))
		die("%s: cannot be written", path);
}

static void report_table(const char *name, const struct table *table)
{
	fprintf(stderr, "%s: %zu bytes, %zu rules, %zu functions, %zu rows\n",
		name, table->size, table->nr_rules, table->nr_funcs,
		table->nr_rows);
}

static void do_vmlinux(const struct object *obj, const struct fdes *fdes,
		       const char *out, bool verbose)
{
	const struct section *text = object_section(obj, VMLINUX_TEXT);
	struct table table;

	if (!text || !table_make(&table, obj, text, fdes))
		die("%s: no call frame information for %s", obj->path,
		    VMLINUX_TEXT);
	if (verbose)
		report_table(out, &table);
	write_file(out, &table);
	free(table.data);
}

static void do_check(const struct object *obj, const struct fdes *fdes)
{
	const struct section *text = object_section(obj, VMLINUX_TEXT);
	const struct section *linked = object_section(obj, VMLINUX_TABLE);
	struct table table;

	if (!text || !linked || !table_make(&table, obj, text, fdes))
		die("%s: no table, or nothing to compare it with", obj->path);
	if (linked->size < table.size ||
	    memcmp(linked->data, table.data, table.size))
		die("%s: %s does not describe the final %s", obj->path,
		    VMLINUX_TABLE, VMLINUX_TEXT);
	free(table.data);
}

static bool is_table(const char *name)
{
	size_t len = strlen(name), suffix = strlen(UNWIND_TABLE_SUFFIX);

	return len > suffix && !strcmp(name + len - suffix, UNWIND_TABLE_SUFFIX);
}

/* The kernel could not tell which of them has the table */
static bool name_is_taken(const struct object *obj, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < index; i++) {
		if ((obj->sections[i].flags & SHF_EXECINSTR) &&
		    !strcmp(obj->sections[i].name, obj->sections[index].name))
			return true;
	}
	return false;
}

static void do_module(struct object *obj, const struct fdes *fdes, bool verbose)
{
	struct section *add = xcalloc(obj->nr_sections, sizeof(*add));
	unsigned int i, nr = 0;

	for (i = 0; i < obj->nr_sections; i++) {
		const struct section *text = &obj->sections[i];
		struct table table;
		size_t size;
		char *name;

		if (is_table(text->name)) {
			/* Made by an earlier run */
			nr = 0;
			break;
		}
		if (!(text->flags & SHF_EXECINSTR) ||
		    !(text->flags & SHF_ALLOC) || !text->data ||
		    name_is_taken(obj, i) ||
		    !table_make(&table, obj, text, fdes))
			continue;
		size = strlen(text->name) + sizeof(UNWIND_TABLE_SUFFIX);
		name = xcalloc(size, 1);
		snprintf(name, size, "%s%s", text->name, UNWIND_TABLE_SUFFIX);
		add[nr].name = name;
		add[nr].data = table.data;
		add[nr++].size = table.size;
		if (verbose)
			report_table(name, &table);
	}
	if (nr)
		object_add_sections(obj, add, nr);
	for (i = 0; i < nr; i++) {
		free((char *)add[i].name);
		free(add[i].data);
	}
	free(add);
}

/* Where a value is according to the rule, and where it is, too */
static void dump_place(s32 off, const char *reg, s32 slot, bool in_reg)
{
	if (off) {
		printf("cfa-%d", off);
		if (in_reg)
			printf(",%s", reg);
	} else {
		printf("%s", reg);
		if (slot)
			printf(",cfa-%d", slot);
	}
}

static void do_dump(const struct fdes *fdes)
{
	size_t i, j;

	for (i = 0; i < fdes->nr; i++) {
		const struct fde *fde = &fdes->fde[i];

		printf("%s", fde->sym->name);
		if (fde->complaint)
			printf(": +%#llx %s",
			       (unsigned long long)(fde->complaint_at - fde->sym->addr),
			       fde->complaint);
		putchar('\n');
		for (j = 0; j < (fde->end - fde->start) / 4; j++) {
			const struct rule *rule = &fde->rules[j];
			const struct flow *flow = &fde->flow[j];

			printf("  +%#llx ", (unsigned long long)
			       (fde->start + j * 4 - fde->sym->addr));
			if (!fde->believed[j]) {
				printf("?\n");
				continue;
			}
			printf("cfa=%s+%d ra=", rule->cfa_base == UNWIND_CFA_SP ?
			       "sp" : "x29", rule->cfa_off);
			dump_place(rule->ra_off, "lr", flow->ra_slot,
				   flow->lr == IN_ENTRY);
			printf(" fp=");
			dump_place(rule->fp_off, "x29", flow->fp_slot,
				   flow->fp == IN_ENTRY);
			putchar('\n');
		}
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check",	no_argument, NULL, 'c' },
		{ "module",	no_argument, NULL, 'm' },
		{ "dump",	no_argument, NULL, 'd' },
		{ "verbose",	no_argument, NULL, 'v' },
		{ }
	};
	bool verbose = false;
	struct statistics stat;
	struct object obj;
	struct edges edges;
	struct fdes fdes;
	int opt, mode = 0;

	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (opt == 'v')
			verbose = true;
		else if (opt == '?' || mode)
			usage();
		else
			mode = opt;
	}
	if (argc - optind != (mode ? 1 : 2))
		usage();

	object_open(&obj, argv[optind]);
	cfi_read(&fdes, &obj);
	edges_read(&edges, &obj);
	verify(&fdes, &obj, &edges, &stat, verbose);
	if (verbose)
		report(&obj, &stat, &fdes);

	switch (mode) {
	case 'c':
		do_check(&obj, &fdes);
		break;
	case 'm':
		do_module(&obj, &fdes, verbose);
		break;
	case 'd':
		do_dump(&fdes);
		break;
	default:
		do_vmlinux(&obj, &fdes, argv[optind + 1], verbose);
		break;
	}
	edges_free(&edges);
	fdes_free(&fdes);
	object_close(&obj);
	return 0;
}
