/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unwind-table: make a table of return addresses for arm64 from .eh_frame
 */
#ifndef UNWIND_TABLE_H
#define UNWIND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/compiler.h>
#include <linux/types.h>

/* elf.c: an object as the kernel would have it in memory */

struct section {
	const char	*name;
	u8		*data;
	u64	addr;
	u64	size;
	u32	type;
	u64	flags;
	/* Of a relocatable file: one bit per byte that a relocation filled in */
	u8		*relocated;
};

struct symbol {
	const char	*name;
	u64	addr;
	bool		is_func;
};

struct object {
	const char	*path;
	u8		*file;
	size_t		file_size;
	bool		relocatable;
	struct section	*sections;
	unsigned int	nr_sections;
	struct symbol	*symbols;	/* defined functions, by address */
	size_t		nr_symbols;
};

/* Where branches to undefined symbols lead: outside of every section */
#define OUTSIDE		8

void object_open(struct object *obj, const char *path);
void object_close(struct object *obj);
const struct section *object_section(const struct object *obj, const char *name);
const struct section *object_section_at(const struct object *obj, u64 addr,
					u64 size);
const struct symbol *object_symbol_before(const struct object *obj,
					  u64 addr);
u64 object_symbol_addr(const struct object *obj, const char *name);
bool object_insn(const struct object *obj, u64 addr, u32 *insn);
bool object_relocated(const struct section *sec, u64 off);
void object_add_sections(struct object *obj, const struct section *add,
			 unsigned int nr);

/* rule.c: what .eh_frame says about one instruction */

struct rule {
	u8		cfa_base;	/* UNWIND_CFA_* */
	s32		cfa_off;
	s32		ra_off;
	s32		fp_off;
};

bool rule_equal(const struct rule *a, const struct rule *b);

/* cfi.c: .eh_frame */

struct fde {
	u64	start;
	u64	end;
	const struct symbol *sym;	/* the last one at or ahead of it */
	struct rule	*rules;		/* one per instruction */
	struct flow	*flow;		/* likewise */
	u8		*believed;	/* likewise */
	u8		*returned;	/* likewise: followed behind a call */
	const char	*complaint;
	u64	complaint_at;
};

struct fdes {
	struct fde	*fde;
	size_t		nr;
	size_t		skipped;
};

void cfi_read(struct fdes *fdes, const struct object *obj);
bool fde_is_function(const struct fde *fde, const struct object *obj);
struct fde *fdes_at(const struct fdes *fdes, u64 addr);
void fdes_free(struct fdes *fdes);

/* insn.c: what an instruction does to SP, X29 and X30 */

enum where {
	UNKNOWN,
	IN_ENTRY,	/* what it was when the function was entered */
	BELOW_CFA,	/* the CFA minus an offset */
};

/* A general register that holds a number that is known, or nothing */
struct value {
	bool		valid;
	u8		reg;
	u64	number;
};

/* What is true ahead of an instruction, however it was reached */
struct flow {
	bool		reached;
	bool		scs;		/* LR is on the shadow call stack */
	enum where	sp, fp, lr;
	s32		sp_off, fp_off;
	s32		ra_slot;	/* CFA - slot holds the return address */
	s32		fp_slot;	/* CFA - slot holds the caller's FP */
	struct value	constant;	/* made by MOVZ, MOVN and MOVK */
	struct value	label;		/* an ADR, or a distance from there */
};

enum kind {
	INSN_OTHER,
	INSN_BRANCH,		/* target only */
	INSN_COND_BRANCH,	/* target or next */
	INSN_INDIRECT_BRANCH,
	INSN_CALL,
	INSN_RETURN,
	INSN_TRAP,		/* next, or never comes back */
	INSN_END,
	INSN_UNKNOWN,		/* perhaps a branch */
};

struct insn {
	enum kind	kind;
	u64	target;
	unsigned int	reg;	/* of INSN_INDIRECT_BRANCH */
};

void flow_entry(struct flow *flow);
bool flow_is_entry(const struct flow *flow);
bool flow_has_frame(const struct flow *flow);
bool flow_agrees(const struct flow *flow, const struct rule *rule);
bool flow_merge(struct flow *to, const struct flow *from);
void flow_forget_values(struct flow *flow);
void insn_classify(struct insn *insn, u32 word, u64 addr);
bool insn_is_entry_filler(u32 word);
void insn_step(struct flow *flow, u32 word, u64 addr);

/* edges.c: control flow and code that the kernel's own sections describe */

struct edge {
	u64	from;
	u64	to;
};

struct replacement {
	u64	at;	/* this instruction ... */
	u64	by;	/* ... can become that one, moved here */
};

struct edges {
	struct edge		*edge;
	size_t			nr_edges;
	struct replacement	*repl;
	size_t			nr_repls;
};

void edges_read(struct edges *edges, const struct object *obj);
void edges_free(struct edges *edges);

/* verify.c: does .eh_frame match the instructions? */

struct statistics {
	size_t	functions;
	size_t	refused;
	size_t	insns;
	size_t	believed;
};

void verify(struct fdes *fdes, const struct object *obj,
	    const struct edges *edges, struct statistics *stat, bool verbose);

/* table.c: the result */

struct table {
	u8		*data;
	size_t		size;
	size_t		nr_rules;
	size_t		nr_funcs;
	size_t		nr_rows;
};

bool table_make(struct table *table, const struct object *obj,
		const struct section *text, const struct fdes *fdes);

/* util.c */

extern const char *progname;

__printf(1, 2) void __noreturn die(const char *fmt, ...);
void *xcalloc(size_t nr, size_t size);
void *xrealloc(void *p, size_t nr, size_t size);

#endif /* UNWIND_TABLE_H */
