// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one instruction does to the stack pointer, the frame pointer, the link
 * register and the places where the latter two are saved.
 *
 * Decoding follows the Arm ARM (DDI 0487), C4.1 "A64 instruction set encoding".
 * It is complete in one direction only: an instruction that is not known to
 * leave X29, X30 and SP alone is taken to destroy what its register fields
 * name, and one of an unknown group destroys everything.
 */
#include "unwind-table.h"
#include <asm/unwind-table-format.h>

#define FP	29
#define LR	30
#define SP	31		/* where the field means SP and not XZR */

/* Shadow call stack: STR X30, [X18], #8 and LDR X30, [X18, #-8]! */
#define SCS_PUSH	0xf800865e
#define SCS_POP		0xf85f8e5e

static unsigned int field(u32 word, unsigned int lsb, unsigned int bits)
{
	return (word >> lsb) & ((1u << bits) - 1);
}

static s64 signed_field(u32 word, unsigned int lsb, unsigned int bits)
{
	s64 value = field(word, lsb, bits);

	return value & (1 << (bits - 1)) ? value - (1 << bits) : value;
}

void flow_entry(struct flow *flow)
{
	*flow = (struct flow) {
		.reached = true,
		.sp = BELOW_CFA,
		.fp = IN_ENTRY,
		.lr = IN_ENTRY,
	};
}

/* As it has to be when a function returns or jumps to another one */
bool flow_is_entry(const struct flow *flow)
{
	return flow->sp == BELOW_CFA && !flow->sp_off &&
	       flow->fp == IN_ENTRY && flow->lr == IN_ENTRY;
}

/* X29 points to a frame record (AAPCS64, 6.4.6) that leads to the caller */
bool flow_has_frame(const struct flow *flow)
{
	return flow->fp == BELOW_CFA && flow->fp_off == flow->fp_slot &&
	       flow->fp_slot > 8 && flow->ra_slot == flow->fp_slot - 8;
}

bool flow_agrees(const struct flow *flow, const struct rule *rule)
{
	switch (rule->cfa_base) {
	case UNWIND_CFA_SP:
		if (flow->sp != BELOW_CFA || flow->sp_off != rule->cfa_off)
			return false;
		break;
	case UNWIND_CFA_FP:
		if (flow->fp != BELOW_CFA || flow->fp_off != rule->cfa_off)
			return false;
		break;
	default:
		return false;
	}

	if (rule->ra_off ? flow->ra_slot != rule->ra_off : flow->lr != IN_ENTRY)
		return false;
	return rule->fp_off ? flow->fp_slot == rule->fp_off : flow->fp == IN_ENTRY;
}

static bool merge_where(enum where *to, s32 *to_off, enum where from,
			s32 from_off)
{
	if (*to == UNKNOWN)
		return false;
	if (*to == from && (*to != BELOW_CFA || *to_off == from_off))
		return false;
	*to = UNKNOWN;
	*to_off = 0;
	return true;
}

static bool merge_slot(s32 *to, s32 from)
{
	if (!*to || *to == from)
		return false;
	*to = 0;
	return true;
}

static bool merge_value(struct value *to, const struct value *from)
{
	if (!to->valid || (from->valid && from->reg == to->reg &&
			   from->number == to->number))
		return false;
	to->valid = false;
	return true;
}

/* Where something else than instructions may have changed registers */
void flow_forget_values(struct flow *flow)
{
	flow->constant.valid = false;
	flow->label.valid = false;
}

/* Keep what is true on both ways. Returns whether anything changed. */
bool flow_merge(struct flow *to, const struct flow *from)
{
	s32 none = 0;
	bool changed = false;

	if (!to->reached) {
		*to = *from;
		return true;
	}
	changed |= merge_where(&to->sp, &to->sp_off, from->sp, from->sp_off);
	changed |= merge_where(&to->fp, &to->fp_off, from->fp, from->fp_off);
	changed |= merge_where(&to->lr, &none, from->lr, 0);
	changed |= merge_slot(&to->ra_slot, from->ra_slot);
	changed |= merge_slot(&to->fp_slot, from->fp_slot);
	changed |= merge_value(&to->constant, &from->constant);
	changed |= merge_value(&to->label, &from->label);
	if (to->scs && !from->scs) {
		to->scs = false;
		changed = true;
	}
	return changed;
}

/* NOPs of the patchable entry, or the landing pad */
bool insn_is_entry_filler(u32 word)
{
	/* NOP and BTI with any of its operands */
	return word == 0xd503201f || (word & 0xffffff3f) == 0xd503241f;
}

void insn_classify(struct insn *insn, u32 word, u64 addr)
{
	insn->kind = INSN_OTHER;
	insn->target = 0;
	insn->reg = field(word, 5, 5);

	if ((word & 0xfc000000) == 0x14000000) {
		insn->kind = INSN_BRANCH;
		insn->target = addr + signed_field(word, 0, 26) * 4;
	} else if ((word & 0xfc000000) == 0x94000000) {
		insn->kind = INSN_CALL;
		insn->target = addr + signed_field(word, 0, 26) * 4;
	} else if ((word & 0xff000000) == 0x54000000 ||
		   (word & 0x7e000000) == 0x34000000) {
		insn->kind = INSN_COND_BRANCH;
		insn->target = addr + signed_field(word, 5, 19) * 4;
	} else if ((word & 0x7e000000) == 0x36000000) {
		insn->kind = INSN_COND_BRANCH;
		insn->target = addr + signed_field(word, 5, 14) * 4;
	} else if ((word & 0xfe000000) == 0xd6000000) {
		/* Bit 24: with a modifier for authentication */
		switch (field(word, 21, 3)) {
		case 0:
			insn->kind = INSN_INDIRECT_BRANCH;
			break;
		case 1:
			insn->kind = INSN_CALL;
			break;
		case 2:
			/* RET through another register is an indirect branch */
			if (field(word, 5, 5) == LR || field(word, 11, 1))
				insn->kind = INSN_RETURN;
			else
				insn->kind = INSN_INDIRECT_BRANCH;
			break;
		default:
			insn->kind = INSN_END;
			break;
		}
	} else if ((word & 0xffe0001f) == 0xd4200000) {
		insn->kind = INSN_TRAP;
	} else if (!(word & 0xffff0000) || (word & 0xffe0001f) == 0xd4400000) {
		/* UDF, HLT */
		insn->kind = INSN_END;
	} else if (field(word, 26, 3) == 5 && (word & 0xfe000000) != 0xd4000000) {
		/* Branches, exceptions, system: of these, all branches are known */
		insn->kind = INSN_UNKNOWN;
	}
}

static void know_nothing(struct flow *flow)
{
	*flow = (struct flow) { .reached = true };
}

/* Below SP an interrupt overwrites everything */
static void sp_moved(struct flow *flow)
{
	if (flow->sp != BELOW_CFA)
		return;
	if (flow->ra_slot > flow->sp_off)
		flow->ra_slot = 0;
	if (flow->fp_slot > flow->sp_off)
		flow->fp_slot = 0;
}

static void sp_is(struct flow *flow, enum where where, s64 off)
{
	/* More than a table can tell, or above the CFA */
	if (where != BELOW_CFA || off < 0 || off > UINT16_MAX) {
		flow->sp = UNKNOWN;
		flow->sp_off = 0;
	} else {
		flow->sp = where;
		flow->sp_off = off;
		sp_moved(flow);
	}
}

static void fp_is(struct flow *flow, enum where where, s64 off)
{
	if (where == BELOW_CFA && (off < 0 || off > UINT16_MAX))
		where = UNKNOWN;
	flow->fp = where;
	flow->fp_off = where == BELOW_CFA ? off : 0;
}

static void written(struct flow *flow, unsigned int reg)
{
	if (reg == FP)
		fp_is(flow, UNKNOWN, 0);
	else if (reg == LR)
		flow->lr = UNKNOWN;
}

/* MOVZ, MOVN and MOVK of 64 bits: what "mov x16, #0x12340" becomes */
static bool step_constant(struct value *constant, u32 word)
{
	unsigned int reg = field(word, 0, 5), shift = field(word, 21, 2) * 16;
	u64 imm = (u64)field(word, 5, 16) << shift;

	if ((word & 0x9f800000) != 0x92800000)
		return false;

	switch (field(word, 29, 2)) {
	case 0:
		*constant = (struct value) { true, reg, ~imm };
		return true;
	case 2:
		*constant = (struct value) { true, reg, imm };
		return true;
	case 3:
		if (constant->valid && constant->reg == reg) {
			constant->number &= ~(0xffffULL << shift);
			constant->number |= imm;
		}
		return true;
	default:
		return false;
	}
}

/*
 * ADR and what is added to it. All jump tables of GCC, and those of clang whose
 * entries are compressed, hold distances from a label in their function.
 */
static bool step_label(struct value *label, u32 word, u64 addr)
{
	unsigned int reg = field(word, 0, 5);

	if ((word & 0x9f000000) == 0x10000000) {
		s64 imm = signed_field(word, 5, 19) * 4 + field(word, 29, 2);

		*label = (struct value) { true, reg, addr + imm };
		return true;
	}
	/* ADD of 64 bits with a shifted or an extended register */
	if ((word & 0xff000000) == 0x8b000000 && label->valid &&
	    label->reg == field(word, 5, 5)) {
		label->reg = reg;
		return true;
	}
	return false;
}

/* Whether an instruction may write X<reg>: one of its fields names that */
static bool may_write(u32 word, unsigned int reg)
{
	return field(word, 0, 5) == reg || field(word, 5, 5) == reg ||
	       field(word, 10, 5) == reg || field(word, 16, 5) == reg;
}

static void step_values(struct flow *flow, u32 word, u64 addr)
{
	unsigned int group = field(word, 25, 4);

	/*
	 * System instructions, exclusives, atomics and SIMD structures: some
	 * write registers that they do not name. FP and SIMD, but for their
	 * loads and stores, may write only one that they do.
	 */
	if (group == 0xa || group == 0xb ||
	    ((group & 5) == 4 &&
	     (((word & 0x3a000000) != 0x28000000 &&
	       (word & 0x3a000000) != 0x38000000) ||
	      (word & 0x3b200c00) == 0x38200000))) {
		flow_forget_values(flow);
		return;
	}
	if (!step_constant(&flow->constant, word) &&
	    may_write(word, flow->constant.reg))
		flow->constant.valid = false;
	if (!step_label(&flow->label, word, addr) &&
	    may_write(word, flow->label.reg))
		flow->label.valid = false;
}

/* Distance below the CFA of what X<reg> + @imm points to */
static bool below_cfa(const struct flow *flow, unsigned int reg, s64 imm,
		      s64 *off)
{
	if (reg == SP && flow->sp == BELOW_CFA)
		*off = flow->sp_off - imm;
	else if (reg == FP && flow->fp == BELOW_CFA)
		*off = flow->fp_off - imm;
	else
		return false;
	return true;
}

static void add_sub(struct flow *flow, unsigned int rd, unsigned int rn,
		    s64 imm)
{
	s64 off;
	bool known = below_cfa(flow, rn, imm, &off);

	if (rd == SP)
		sp_is(flow, known ? BELOW_CFA : UNKNOWN, known ? off : 0);
	else if (rd == FP)
		fp_is(flow, known ? BELOW_CFA : UNKNOWN, known ? off : 0);
	else
		written(flow, rd);
}

static void step_immediate(struct flow *flow, u32 word)
{
	unsigned int rd = field(word, 0, 5), rn = field(word, 5, 5);
	bool is64 = word >> 31;

	switch (field(word, 23, 3)) {
	case 2:		/* ADD, ADDS, SUB, SUBS */
		if (word & (1 << 29)) {
			/* Flags are set: register 31 is XZR */
			if (rd != SP)
				written(flow, rd);
		} else if (is64) {
			s64 imm = field(word, 10, 12);

			if (word & (1 << 22))
				imm <<= 12;
			add_sub(flow, rd, rn, word & (1 << 30) ? -imm : imm);
		} else if (rd == SP) {
			sp_is(flow, UNKNOWN, 0);
		} else {
			written(flow, rd);
		}
		break;
	case 3:		/* ADDG, SUBG, MIN, MAX: the first two can write SP */
		if (rd == SP)
			sp_is(flow, UNKNOWN, 0);
		written(flow, rd);
		break;
	case 4:		/* AND, ORR, EOR, ANDS: all but the last can write SP */
		if (rd == SP && field(word, 29, 2) != 3)
			sp_is(flow, UNKNOWN, 0);
		written(flow, rd);
		break;
	default:	/* ADR, ADRP, MOVN, MOVZ, MOVK, bit fields, EXTR */
		written(flow, rd);
		break;
	}
}

static void step_register(struct flow *flow, u32 word)
{
	unsigned int rd = field(word, 0, 5), rn = field(word, 5, 5);

	/* ADD and SUB with an extended register, without flags: 31 is SP */
	if ((word & 0x3fe00000) == 0x0b200000 && (rd == SP || rd == FP)) {
		const struct value *constant = &flow->constant;

		/* UXTX or LSL, not shifted: what "sub sp, sp, x16" is */
		if (word >> 31 && field(word, 10, 6) == 0x18 &&
		    constant->valid && constant->reg == field(word, 16, 5) &&
		    constant->number <= INT32_MAX) {
			s64 imm = constant->number;

			add_sub(flow, rd, rn, word & (1 << 30) ? -imm : imm);
			return;
		}
		if (rd == SP)
			sp_is(flow, UNKNOWN, 0);
	}
	if (rd != SP)
		written(flow, rd);
}

/* A store of @size bytes: is it where something was saved? */
static void stored(struct flow *flow, unsigned int base, s64 imm,
		   unsigned int size)
{
	s64 off;

	if (!below_cfa(flow, base, imm, &off))
		return;
	/* The store is to [CFA - off, CFA - off + size) */
	if (flow->ra_slot && off > flow->ra_slot - 8 &&
	    off - (s64)size < flow->ra_slot)
		flow->ra_slot = 0;
	if (flow->fp_slot && off > flow->fp_slot - 8 &&
	    off - (s64)size < flow->fp_slot)
		flow->fp_slot = 0;
}

static void saved(struct flow *flow, unsigned int reg, unsigned int base,
		  s64 imm)
{
	s64 off;

	if (!below_cfa(flow, base, imm, &off) || off < 8 || off > UINT16_MAX)
		return;
	/* A slot below SP does not last */
	if (flow->sp == BELOW_CFA && off > flow->sp_off)
		return;
	/*
	 * The first one counts: __builtin_return_address() makes copies. One
	 * that was overwritten or released is forgotten already.
	 */
	if (reg == LR && flow->lr == IN_ENTRY && !flow->ra_slot)
		flow->ra_slot = off;
	else if (reg == FP && flow->fp == IN_ENTRY && !flow->fp_slot)
		flow->fp_slot = off;
}

/* How many bytes a SIMD structure takes, at most */
static unsigned int simd_size(u32 word)
{
	unsigned int bytes = word & (1 << 30) ? 16 : 8;

	/* One lane of each register */
	if (word & (1 << 24))
		return 8 * (field(word, 13, 1) * 2 + field(word, 21, 1) + 1);

	switch (field(word, 12, 4)) {
	case 7:
		return bytes;
	case 8:
	case 10:
		return bytes * 2;
	case 4:
	case 6:
		return bytes * 3;
	default:
		return bytes * 4;
	}
}

/*
 * Atomics, exclusives, SIMD structures and the like. Where these have an address
 * that is known they can hit a save slot like any other store. Where they have
 * an index it is that of a variable.
 */
static void stored_otherwise(struct flow *flow, u32 word)
{
	unsigned int base = field(word, 5, 5), size = 1u << field(word, 30, 2);
	bool load = word & (1 << 22);
	s64 off;

	if ((word & 0x3f000000) == 0x08000000) {
		bool o1 = word & (1 << 21), o2 = word & (1 << 23);

		/* All but CAS and CASP are either loads or stores */
		if (load && !(o1 && (o2 || !(word >> 31))))
			return;
		stored(flow, base, 0, o1 && !o2 ? 16 : size);
	} else if ((word & 0x3b200c00) == 0x38200000) {
		/* LDAPR is the only load, but for 64 bytes at once */
		if ((word & 0xf000) == 0xc000)
			return;
		stored(flow, base, 0, word & 0x8000 && word & 0x7000 ? 64 : size);
	} else if ((word & 0xbe000000) == 0x0c000000) {
		if (!load)
			stored(flow, base, 0, simd_size(word));
	} else if (below_cfa(flow, base, 0, &off)) {
		flow->ra_slot = 0;
		flow->fp_slot = 0;
	}
}

/* Returns what @reg is after a load of 8 bytes */
static bool restored(const struct flow *flow, unsigned int reg,
		     unsigned int base, s64 imm)
{
	s64 off;

	if (!below_cfa(flow, base, imm, &off))
		return false;
	if (reg == LR)
		return flow->ra_slot && off == flow->ra_slot;
	return flow->fp_slot && off == flow->fp_slot;
}

static void step_load_store(struct flow *flow, u32 word)
{
	unsigned int rt = field(word, 0, 5), rn = field(word, 5, 5);
	unsigned int rt2 = field(word, 10, 5), rs = field(word, 16, 5);
	unsigned int nr = 1, size, i, regs[2] = { rt, rt2 };
	bool vector = word & (1 << 26), load, exact, single;
	bool pre = false, post = false;
	s64 imm = 0, access;
	struct flow old;

	if ((word & 0x3a000000) == 0x28000000) {
		/* Pairs */
		unsigned int opc = field(word, 30, 2), mode = field(word, 23, 2);

		nr = 2;
		load = word & (1 << 22);
		size = vector ? 4 << opc : opc == 2 ? 8 : 4;
		/* STGP: a granule is written, the offset counts granules */
		imm = signed_field(word, 15, 7) *
		      (!vector && opc == 1 && !load ? 16 : (s64)size);
		if (!vector && opc == 1 && !load)
			size = 8;
		exact = !vector && opc == 2;
		pre = mode == 3;
		post = mode == 1;
		single = true;
	} else if ((word & 0x3b000000) == 0x39000000) {
		/* One register, unsigned offset */
		size = vector && word & (1 << 23) ? 16 : 1 << field(word, 30, 2);
		load = field(word, 22, 2) && !(vector && field(word, 22, 2) == 2);
		imm = (s64)field(word, 10, 12) * size;
		exact = !vector && field(word, 30, 2) == 3;
		single = true;
	} else if ((word & 0x3b200000) == 0x38000000) {
		/* One register, unscaled, post-, pre-indexed, unprivileged */
		size = vector && word & (1 << 23) ? 16 : 1 << field(word, 30, 2);
		load = field(word, 22, 2) && !(vector && field(word, 22, 2) == 2);
		imm = signed_field(word, 12, 9);
		exact = !vector && field(word, 30, 2) == 3;
		pre = field(word, 10, 2) == 3;
		post = field(word, 10, 2) == 1;
		single = true;
	} else {
		/*
		 * Literals, register offsets, exclusives, atomics, tags, memory
		 * copies, SIMD structures and what is not allocated yet.
		 */
		single = false;
		load = true;
		exact = false;
		size = 0;
	}

	if (!single) {
		bool literal = (word & 0x3b000000) == 0x18000000;
		bool offset = (word & 0x3b200c00) == 0x38200800;
		bool exclusive = (word & 0x3f000000) == 0x08000000;
		bool atomic = (word & 0x3b200c00) == 0x38200000;
		bool simd = (word & 0xbe800000) == 0x0c000000;

		if (!literal && !offset)
			stored_otherwise(flow, word);
		/* Any register that is named may be written ... */
		written(flow, rt);
		if (!literal) {
			written(flow, rs);
			if (!offset)
				written(flow, rt2);
		}
		/* ... the base, too, unless the form has no writeback */
		if (!literal && !offset && !exclusive && !atomic && !simd) {
			written(flow, rn);
			if (rn == SP)
				sp_is(flow, UNKNOWN, 0);
		}
		/* CASP and LD64B write more than they name */
		if (exclusive || atomic) {
			written(flow, (rs | 1));
			if (rt >= FP - 8 && rt <= LR &&
			    (word & 0xfffffc00) == 0xf83fd000)
				know_nothing(flow);
		}
		return;
	}

	old = *flow;
	access = post ? 0 : imm;

	if (!load) {
		/* SP moves first: then the slot lies above it */
		if ((pre || post) && rn == SP)
			add_sub(flow, SP, SP, imm);
		stored(&old, rn, access, size * nr);
		flow->ra_slot = flow->ra_slot ? old.ra_slot : 0;
		flow->fp_slot = flow->fp_slot ? old.fp_slot : 0;
		if (exact) {
			for (i = 0; i < nr; i++) {
				s64 from = access + 8 * i;

				/* Relative to where SP is now */
				if ((pre || post) && rn == SP)
					from -= imm;
				if (regs[i] == LR || regs[i] == FP)
					saved(flow, regs[i], rn, from);
			}
		}
		if (word == SCS_PUSH)
			flow->scs = flow->lr == IN_ENTRY;
		if ((pre || post) && rn != SP)
			written(flow, rn);
		return;
	}

	if (!vector) {
		for (i = 0; i < nr; i++) {
			bool back = exact && restored(&old, regs[i], rn,
						      access + 8 * i);

			if (regs[i] == LR)
				flow->lr = back ? IN_ENTRY : UNKNOWN;
			else if (regs[i] == FP)
				fp_is(flow, back ? IN_ENTRY : UNKNOWN, 0);
		}
		if (word == SCS_POP) {
			flow->lr = old.scs ? IN_ENTRY : UNKNOWN;
			flow->scs = false;
		}
	}
	if (pre || post) {
		if (rn == SP)
			add_sub(flow, SP, SP, imm);
		else
			written(flow, rn);
	}
}

static void step_system(struct flow *flow, u32 word)
{
	/* MRS and SYSL write a register, MSR to SPSel changes which SP is SP */
	if ((word & 0xffe00000) == 0xd5200000)
		written(flow, field(word, 0, 5));
	if ((word & 0xfffff0ff) == 0xd50040bf)
		know_nothing(flow);
	/* MRRS and SYSP write two; RETAASPPC and the like are branches */
	if ((word & 0xff400000) == 0xd5400000) {
		written(flow, field(word, 0, 5));
		written(flow, field(word, 0, 5) + 1);
	}
	/*
	 * Hints: PACIASP and AUTIASP change LR, but only bits that the walker
	 * strips.
	 */
}

void insn_step(struct flow *flow, u32 word, u64 addr)
{
	struct insn insn;

	insn_classify(&insn, word, addr);
	if (insn.kind == INSN_CALL || insn.kind == INSN_TRAP)
		flow_forget_values(flow);
	if (insn.kind == INSN_CALL) {
		/* AAPCS64, 6.1.1: the callee preserves X29 and SP, not LR */
		flow->lr = UNKNOWN;
		return;
	}
	if (insn.kind != INSN_OTHER)
		return;

	switch (field(word, 25, 4)) {
	case 0x8:
	case 0x9:
		step_immediate(flow, word);
		break;
	case 0xa:
	case 0xb:
		/* SVC, HVC and SMC come back with all registers but X0-X17 */
		if ((word & 0xff000000) == 0xd5000000)
			step_system(flow, word);
		break;
	case 0x4:
	case 0x6:
	case 0xc:
	case 0xe:
		step_load_store(flow, word);
		break;
	case 0x5:
	case 0xd:
		step_register(flow, word);
		break;
	case 0x7:
	case 0xf:
		/* FP and SIMD: some write a general register */
		if (field(word, 0, 5) != SP)
			written(flow, field(word, 0, 5));
		break;
	default:
		/* SME, SVE, unallocated */
		know_nothing(flow);
		break;
	}
	step_values(flow, word, addr);
}
