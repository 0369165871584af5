// SPDX-License-Identifier: GPL-2.0-only
/*
 * Branches that do not show in the instructions, and instructions that do not
 * show in the text: jump labels, exception fixups and alternatives.
 */
#include <stdlib.h>
#include <string.h>

#include <tools/le_byteshift.h>

#include "unwind-table.h"

/* struct jump_entry with HAVE_ARCH_JUMP_LABEL_RELATIVE */
#define JUMP_ENTRY_SIZE		16
/* struct exception_table_entry */
#define EX_ENTRY_SIZE		12
/* struct alt_instr */
#define ALT_ENTRY_SIZE		12
#define ALT_ORIG_LEN		10
#define ALT_NEW_LEN		11

/* A table is a section of its own, or lies between two symbols */
static const u8 *find_table(const struct object *obj, const char *section,
			    const char *start, const char *stop,
			    u64 *addr, u64 *size)
{
	const struct section *sec = object_section(obj, section);
	u64 end;

	if (sec && sec->data) {
		*addr = sec->addr;
		*size = sec->size;
		return sec->data;
	}
	*addr = object_symbol_addr(obj, start);
	end = object_symbol_addr(obj, stop);
	if (!*addr || end < *addr)
		return NULL;
	*size = end - *addr;
	sec = object_section_at(obj, *addr, *size);
	if (!sec)
		die("%s: %s is not in any section", obj->path, start);
	return sec->data + (*addr - sec->addr);
}

static u64 relative(const u8 *p, u64 addr)
{
	return addr + (s32)get_unaligned_le32(p);
}

static void add_edge(struct edges *edges, size_t *room, u64 from, u64 to)
{
	if (edges->nr_edges == *room) {
		*room = *room ? *room * 2 : 1024;
		edges->edge = xrealloc(edges->edge, *room, sizeof(*edges->edge));
	}
	edges->edge[edges->nr_edges].from = from;
	edges->edge[edges->nr_edges++].to = to;
}

static int by_from(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static int by_at(const void *a, const void *b)
{
	const struct replacement *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

void edges_read(struct edges *edges, const struct object *obj)
{
	u64 addr, size, off;
	size_t room = 0, repl_room = 0;
	const u8 *p;

	memset(edges, 0, sizeof(*edges));

	p = find_table(obj, "__jump_table", "__start___jump_table",
		       "__stop___jump_table", &addr, &size);
	for (off = 0; p && size - off >= JUMP_ENTRY_SIZE; off += JUMP_ENTRY_SIZE) {
		u64 from = relative(p + off, addr + off);

		/* NOP or B, now this and now that */
		add_edge(edges, &room, from, from + 4);
		add_edge(edges, &room, from,
			 relative(p + off + 4, addr + off + 4));
	}

	p = find_table(obj, "__ex_table", "__start___ex_table",
		       "__stop___ex_table", &addr, &size);
	for (off = 0; p && size - off >= EX_ENTRY_SIZE; off += EX_ENTRY_SIZE)
		add_edge(edges, &room, relative(p + off, addr + off),
			 relative(p + off + 4, addr + off + 4));

	p = find_table(obj, ".altinstructions", "__alt_instructions",
		       "__alt_instructions_end", &addr, &size);
	for (off = 0; p && size - off >= ALT_ENTRY_SIZE; off += ALT_ENTRY_SIZE) {
		u64 at = relative(p + off, addr + off);
		u64 by = relative(p + off + 4, addr + off + 4);
		unsigned int len = p[off + ALT_ORIG_LEN], i;

		for (i = 0; i < len; i += 4) {
			struct replacement *r;

			/*
			 * Without new instructions a callback makes them. All
			 * callbacks keep the destination register or write NOP.
			 */
			if (i >= p[off + ALT_NEW_LEN]) {
				add_edge(edges, &room, at + i, at + i + 4);
				continue;
			}
			if (edges->nr_repls == repl_room) {
				repl_room = repl_room ? repl_room * 2 : 1024;
				edges->repl = xrealloc(edges->repl, repl_room,
						       sizeof(*edges->repl));
			}
			r = &edges->repl[edges->nr_repls++];
			r->at = at + i;
			r->by = by + i;
		}
	}
	if (edges->nr_edges)
		qsort(edges->edge, edges->nr_edges, sizeof(*edges->edge), by_from);
	if (edges->nr_repls)
		qsort(edges->repl, edges->nr_repls, sizeof(*edges->repl), by_at);
}

void edges_free(struct edges *edges)
{
	free(edges->edge);
	free(edges->repl);
}
