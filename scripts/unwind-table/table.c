// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write down what is believed: see <asm/unwind-table-format.h>.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tools/le_byteshift.h>

#include "unwind-table.h"
#include <asm/unwind-table-format.h>

#define HASH_BITS	16

struct rows {
	struct unwind_row	*row;
	size_t			nr;
	size_t			room;
};

struct funcs {
	struct unwind_func	*func;
	size_t			nr;
	size_t			room;
};

struct maker {
	const struct object	*obj;
	const struct section	*text;
	struct rule		rules[UNWIND_ROW_END];
	size_t			nr_rules;
	struct funcs		funcs;
	struct rows		rows;
	/* Rows of one function; and where equal ones may be already */
	struct rows		now;
	u32		hash[1 << HASH_BITS];
	u64		start;
};

static void add_row(struct rows *rows, unsigned int insn, unsigned int rule)
{
	if (rows->nr == rows->room) {
		rows->room = rows->room ? rows->room * 2 : 1024;
		rows->row = xrealloc(rows->row, rows->room, sizeof(*rows->row));
	}
	rows->row[rows->nr].insn = insn;
	rows->row[rows->nr++].rule = rule;
}

static unsigned int find_rule(struct maker *m, const struct rule *rule)
{
	size_t i;

	for (i = 1; i < m->nr_rules; i++) {
		if (rule_equal(&m->rules[i], rule))
			return i;
	}
	if (i == UNWIND_ROW_END)
		return 0;
	m->rules[m->nr_rules++] = *rule;
	return i;
}

/* The rows of a function, where they are or where they go */
static size_t place_rows(struct maker *m)
{
	u32 hash = 2166136261u;
	size_t i, at;

	for (i = 0; i < m->now.nr; i++) {
		hash = (hash ^ m->now.row[i].insn) * 16777619u;
		hash = (hash ^ m->now.row[i].rule) * 16777619u;
	}
	hash = (hash ^ hash >> HASH_BITS) & ((1 << HASH_BITS) - 1);

	at = m->hash[hash];
	if (at) {
		at--;
		if (at + m->now.nr <= m->rows.nr &&
		    !memcmp(&m->rows.row[at], m->now.row,
			    m->now.nr * sizeof(*m->now.row)))
			return at;
	}
	at = m->rows.nr;
	m->hash[hash] = at + 1;
	for (i = 0; i < m->now.nr; i++)
		add_row(&m->rows, m->now.row[i].insn, m->now.row[i].rule);
	return at;
}

static void end_function(struct maker *m, u64 end)
{
	struct funcs *funcs = &m->funcs;

	if (!m->now.nr)
		return;
	add_row(&m->now, (end - m->start) / 4, UNWIND_ROW_END);
	if (funcs->nr == funcs->room) {
		funcs->room = funcs->room ? funcs->room * 2 : 1024;
		funcs->func = xrealloc(funcs->func, funcs->room,
				       sizeof(*funcs->func));
	}
	funcs->func[funcs->nr].start = m->start - m->text->addr;
	funcs->func[funcs->nr++].row = place_rows(m);
	m->now.nr = 0;
}

static void add_insn(struct maker *m, u64 addr, unsigned int rule)
{
	if (m->now.nr && (addr - m->start) / 4 >= UNWIND_FUNC_INSNS)
		end_function(m, addr);
	if (!m->now.nr) {
		/* What is not known is not worth a function */
		if (!rule)
			return;
		m->start = addr;
	}
	if (!m->now.nr || m->now.row[m->now.nr - 1].rule != rule)
		add_row(&m->now, (addr - m->start) / 4, rule);
}

/*
 * NOPs and the landing pad at the entry are in no description. The kernel puts
 * there nothing but MOV X9, LR and branches: the return address is in LR.
 */
static u64 entry_of(const struct object *obj, const struct fde *fde)
{
	if (fde->believed[0] && fde_is_function(fde, obj))
		return fde->sym->addr;
	return fde->start;
}

static void put(u8 **p, unsigned int size, u32 value)
{
	if (size == 4)
		put_unaligned_le32(value, *p);
	else if (size == 2)
		put_unaligned_le16(value, *p);
	else
		**p = value;
	*p += size;
}

static void write_table(struct table *table, const struct maker *m)
{
	u32 sum = UNWIND_TABLE_SUM;
	u8 *p;
	size_t i;

	table->nr_rules = m->nr_rules;
	table->nr_funcs = m->funcs.nr;
	table->nr_rows = m->rows.nr;
	table->size = sizeof(struct unwind_table_header) +
		      m->nr_rules * sizeof(struct unwind_rule) +
		      m->funcs.nr * sizeof(struct unwind_func) +
		      m->rows.nr * sizeof(struct unwind_row);
	table->data = xcalloc(table->size, 1);
	p = table->data;

	put(&p, 4, UNWIND_TABLE_MAGIC);
	put(&p, 4, m->text->size);
	put(&p, 4, m->nr_rules);
	put(&p, 4, m->funcs.nr);
	put(&p, 4, m->rows.nr);
	put(&p, 4, 0);
	for (i = 0; i < m->nr_rules; i++) {
		put(&p, 2, m->rules[i].cfa_off);
		put(&p, 2, m->rules[i].ra_off);
		put(&p, 2, m->rules[i].fp_off);
		put(&p, 1, m->rules[i].cfa_base);
		put(&p, 1, 0);
	}
	for (i = 0; i < m->funcs.nr; i++) {
		put(&p, 4, m->funcs.func[i].start);
		put(&p, 4, m->funcs.func[i].row);
	}
	for (i = 0; i < m->rows.nr; i++) {
		put(&p, 2, m->rows.row[i].insn);
		put(&p, 2, m->rows.row[i].rule);
	}

	for (i = 0; i < table->size; i += 4)
		sum = unwind_table_sum(sum, get_unaligned_le32(table->data + i));
	put_unaligned_le32(sum, table->data +
			   offsetof(struct unwind_table_header, sum));
}

/* Returns false where there is nothing to tell about a text section */
bool table_make(struct table *table, const struct object *obj,
		const struct section *text, const struct fdes *fdes)
{
	struct maker *m = xcalloc(1, sizeof(*m));
	const struct rule entry = { .cfa_base = UNWIND_CFA_SP };
	u64 last = text->addr;
	bool any;
	size_t i;

	m->obj = obj;
	m->text = text;
	m->nr_rules = 1;

	for (i = 0; i < fdes->nr; i++) {
		const struct fde *fde = &fdes->fde[i];
		u64 addr;

		if (fde->complaint || fde->start < text->addr ||
		    fde->end - text->addr > text->size)
			continue;
		addr = entry_of(obj, fde);
		if (addr < last)
			addr = fde->start;
		if (addr < last)
			die("%s: %s overlaps", obj->path, fde->sym->name);
		for (; addr < fde->start; addr += 4)
			add_insn(m, addr, find_rule(m, &entry));
		for (; addr < fde->end; addr += 4) {
			size_t n = (addr - fde->start) / 4;

			add_insn(m, addr, fde->believed[n] ?
				 find_rule(m, &fde->rules[n]) : 0);
		}
		end_function(m, fde->end);
		last = fde->end;
	}
	any = m->funcs.nr;
	if (any)
		write_table(table, m);
	free(m->funcs.func);
	free(m->rows.row);
	free(m->now.row);
	free(m);
	return any;
}
