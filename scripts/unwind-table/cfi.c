// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read .eh_frame: for each instruction of each function one rule that says how
 * to find the CFA, the return address and the caller's frame pointer.
 *
 * The format is that of the Linux Standard Base, "Exception Frames", with the
 * registers and the operations of "DWARF for the Arm 64-bit Architecture"
 * (AADWARF64). What is not understood makes its function unknown.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tools/le_byteshift.h>

#include "unwind-table.h"
#include <asm/unwind-table-format.h>

#define REG_FP				29
#define REG_LR				30
#define REG_SP				31

/* DWARF 5, 7.24; LSB; AADWARF64, "Call frame instructions" */
#define DW_CFA_nop			0x00
#define DW_CFA_set_loc			0x01
#define DW_CFA_advance_loc1		0x02
#define DW_CFA_advance_loc2		0x03
#define DW_CFA_advance_loc4		0x04
#define DW_CFA_offset_extended		0x05
#define DW_CFA_restore_extended		0x06
#define DW_CFA_undefined		0x07
#define DW_CFA_same_value		0x08
#define DW_CFA_register			0x09
#define DW_CFA_remember_state		0x0a
#define DW_CFA_restore_state		0x0b
#define DW_CFA_def_cfa			0x0c
#define DW_CFA_def_cfa_register		0x0d
#define DW_CFA_def_cfa_offset		0x0e
#define DW_CFA_def_cfa_expression	0x0f
#define DW_CFA_expression		0x10
#define DW_CFA_offset_extended_sf	0x11
#define DW_CFA_def_cfa_sf		0x12
#define DW_CFA_def_cfa_offset_sf	0x13
#define DW_CFA_val_offset		0x14
#define DW_CFA_val_offset_sf		0x15
#define DW_CFA_val_expression		0x16
#define DW_CFA_AARCH64_negate_ra_state	0x2d
#define DW_CFA_GNU_args_size		0x2e
#define DW_CFA_advance_loc		0x40
#define DW_CFA_offset			0x80
#define DW_CFA_restore			0xc0

#define DW_EH_PE_absptr			0x00
#define DW_EH_PE_pcrel_sdata4		0x1b
#define DW_EH_PE_pcrel_sdata8		0x1c

#define MAX_REMEMBERED			16
#define MAX_OFFSET			UINT16_MAX

/* BTI C, MOV X9, LR and the patch site */
#define MAX_ENTRY_FILLERS		3

/* Bytes of .eh_frame. Reading past the end gives zeros and sets @bad. */
struct cursor {
	const struct section	*sec;
	u64		off;
	u64		end;
	bool			bad;
};

struct cie {
	u64		code_align;
	s64			data_align;
	u64		ra_reg;
	u8			fde_encoding;
	bool			has_augmentation;
	struct cursor		initial;
};

static const u8 *take(struct cursor *c, u64 size)
{
	static const u8 zeros[8];
	const u8 *p;

	if (c->bad || size > c->end - c->off) {
		c->bad = true;
		return size <= sizeof(zeros) ? zeros : NULL;
	}
	p = c->sec->data + c->off;
	c->off += size;
	return p;
}

static u8 take8(struct cursor *c)
{
	return *take(c, 1);
}

static u64 take_uleb(struct cursor *c)
{
	unsigned int shift = 0;
	u64 value = 0;
	u8 byte;

	do {
		byte = take8(c);
		if (shift < 64)
			value |= (u64)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !c->bad);
	return value;
}

static s64 take_sleb(struct cursor *c)
{
	unsigned int shift = 0;
	u64 value = 0;
	u8 byte;

	do {
		byte = take8(c);
		if (shift < 64)
			value |= (u64)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !c->bad);
	if (shift < 64 && (byte & 0x40))
		value |= -(1ULL << shift);
	return value;
}

/* An address where a relocation, if there has to be one, was present */
static bool take_address(struct cursor *c, const struct object *obj,
			 u8 encoding, u64 *addr)
{
	u64 off = c->off;

	switch (encoding) {
	case DW_EH_PE_absptr:
		*addr = get_unaligned_le64(take(c, 8));
		break;
	case DW_EH_PE_pcrel_sdata4:
		*addr = c->sec->addr + off +
			(s32)get_unaligned_le32(take(c, 4));
		break;
	case DW_EH_PE_pcrel_sdata8:
		*addr = c->sec->addr + off + get_unaligned_le64(take(c, 8));
		break;
	default:
		return false;
	}
	if (obj->relocatable && !object_relocated(c->sec, off))
		return false;
	return !c->bad;
}

static u64 take_length(struct cursor *c, u8 encoding)
{
	if (encoding == DW_EH_PE_pcrel_sdata4)
		return get_unaligned_le32(take(c, 4));
	return get_unaligned_le64(take(c, 8));
}

static bool read_cie(struct cie *cie, struct cursor *c)
{
	const char *aug;
	u64 size;
	u8 version;

	memset(cie, 0, sizeof(*cie));
	version = take8(c);
	if (version != 1 && version != 3)
		return false;

	aug = (const char *)c->sec->data + c->off;
	while (take8(c))
		;
	if (c->bad)
		return false;

	cie->code_align = take_uleb(c);
	cie->data_align = take_sleb(c);
	cie->ra_reg = version == 1 ? take8(c) : take_uleb(c);
	cie->fde_encoding = DW_EH_PE_absptr;

	if (*aug == 'z') {
		u64 end;

		cie->has_augmentation = true;
		size = take_uleb(c);
		if (size > c->end - c->off)
			return false;
		end = c->off + size;
		while (*++aug) {
			switch (*aug) {
			case 'R':
				cie->fde_encoding = take8(c);
				break;
			case 'B':	/* signed with the B key */
			case 'G':	/* MTE stack */
				break;
			default:	/* personality, signal frames, ... */
				return false;
			}
		}
		c->off = end;
	} else if (*aug) {
		return false;
	}

	cie->initial = *c;
	return !c->bad && cie->code_align && cie->code_align <= 4 &&
	       cie->ra_reg == REG_LR;
}

static void set_offset(struct rule *rule, bool *valid, u64 reg, s64 off)
{
	if (reg != REG_FP && reg != REG_LR)
		return;
	/* Above the CFA is the caller's: nothing is saved there */
	if (off >= 0 || off < -MAX_OFFSET || off & 7)
		*valid = false;
	else if (reg == REG_LR)
		rule->ra_off = -off;
	else
		rule->fp_off = -off;
}

/* Offsets are counted in units. One that is too large is out of range, too. */
static s64 scaled(s64 off, const struct cie *cie)
{
	return __builtin_mul_overflow(off, cie->data_align, &off) ? INT64_MIN : off;
}

static void set_cfa_base(struct rule *rule, bool *valid, u64 reg)
{
	if (reg == REG_SP)
		rule->cfa_base = UNWIND_CFA_SP;
	else if (reg == REG_FP)
		rule->cfa_base = UNWIND_CFA_FP;
	else
		*valid = false;
}

static void set_cfa_offset(struct rule *rule, bool *valid, s64 off)
{
	if (off < 0 || off > MAX_OFFSET)
		*valid = false;
	else
		rule->cfa_off = off;
}

/* Give the rule to all instructions up to a distance from the start */
static bool advance(struct fde *fde, u64 *done, u64 delta,
		    const struct rule *rule)
{
	u64 nr = (fde->end - fde->start) / 4, to;

	if (delta & 3 || delta / 4 > nr - *done)
		return false;
	for (to = *done + delta / 4; *done < to; ++*done)
		fde->rules[*done] = *rule;
	return true;
}

static bool run(struct fde *fde, u64 *done, struct cursor c,
		const struct cie *cie, struct rule *rule,
		const struct rule *initial)
{
	struct rule remembered[MAX_REMEMBERED];
	unsigned int depth = 0;
	u64 reg, size;
	bool valid = true;

	while (valid && !c.bad && c.off < c.end) {
		u8 op = take8(&c), low = op & 0x3f;

		if ((op & 0xc0) == DW_CFA_advance_loc) {
			valid = fde && advance(fde, done, low * cie->code_align,
					       rule);
			continue;
		}
		if ((op & 0xc0) == DW_CFA_offset) {
			set_offset(rule, &valid, low,
				   scaled(take_uleb(&c), cie));
			continue;
		}
		if ((op & 0xc0) == DW_CFA_restore) {
			if (low == REG_FP)
				rule->fp_off = initial->fp_off;
			else if (low == REG_LR)
				rule->ra_off = initial->ra_off;
			continue;
		}

		switch (op) {
		case DW_CFA_nop:
		case DW_CFA_AARCH64_negate_ra_state:
			/* The walker strips signatures whether or not one is there */
			break;
		case DW_CFA_advance_loc1:
			valid = fde && advance(fde, done,
					       take8(&c) * cie->code_align, rule);
			break;
		case DW_CFA_advance_loc2:
			valid = fde && advance(fde, done,
					       get_unaligned_le16(take(&c, 2)) *
					       cie->code_align, rule);
			break;
		case DW_CFA_advance_loc4:
			valid = fde && advance(fde, done,
					       get_unaligned_le32(take(&c, 4)) *
					       cie->code_align, rule);
			break;
		case DW_CFA_offset_extended:
			reg = take_uleb(&c);
			set_offset(rule, &valid, reg,
				   scaled(take_uleb(&c), cie));
			break;
		case DW_CFA_offset_extended_sf:
			reg = take_uleb(&c);
			set_offset(rule, &valid, reg,
				   scaled(take_sleb(&c), cie));
			break;
		case DW_CFA_restore_extended:
			reg = take_uleb(&c);
			if (reg == REG_FP)
				rule->fp_off = initial->fp_off;
			else if (reg == REG_LR)
				rule->ra_off = initial->ra_off;
			break;
		case DW_CFA_same_value:
			reg = take_uleb(&c);
			if (reg == REG_FP)
				rule->fp_off = 0;
			else if (reg == REG_LR)
				rule->ra_off = 0;
			break;
		case DW_CFA_undefined:
			reg = take_uleb(&c);
			if (reg == REG_FP || reg == REG_LR)
				valid = false;
			break;
		case DW_CFA_register:
		case DW_CFA_val_offset:
		case DW_CFA_val_offset_sf:
			reg = take_uleb(&c);
			take_uleb(&c);
			if (reg == REG_FP || reg == REG_LR)
				valid = false;
			break;
		case DW_CFA_expression:
		case DW_CFA_val_expression:
			/* Clang tells the shadow call stack's X18 this way */
			reg = take_uleb(&c);
			size = take_uleb(&c);
			if (size > c.end - c.off || reg == REG_FP ||
			    reg == REG_LR)
				valid = false;
			else
				c.off += size;
			break;
		case DW_CFA_remember_state:
			if (depth == MAX_REMEMBERED)
				valid = false;
			else
				remembered[depth++] = *rule;
			break;
		case DW_CFA_restore_state:
			if (!depth)
				valid = false;
			else
				*rule = remembered[--depth];
			break;
		case DW_CFA_def_cfa:
			set_cfa_base(rule, &valid, take_uleb(&c));
			set_cfa_offset(rule, &valid, take_uleb(&c));
			break;
		case DW_CFA_def_cfa_sf:
			set_cfa_base(rule, &valid, take_uleb(&c));
			set_cfa_offset(rule, &valid, scaled(take_sleb(&c), cie));
			break;
		case DW_CFA_def_cfa_register:
			set_cfa_base(rule, &valid, take_uleb(&c));
			break;
		case DW_CFA_def_cfa_offset:
			set_cfa_offset(rule, &valid, take_uleb(&c));
			break;
		case DW_CFA_def_cfa_offset_sf:
			set_cfa_offset(rule, &valid, scaled(take_sleb(&c), cie));
			break;
		case DW_CFA_GNU_args_size:
			take_uleb(&c);
			break;
		default:
			valid = false;
			break;
		}
	}
	return valid && !c.bad;
}

static bool read_fde(struct fde *fde, const struct object *obj,
		     const struct cie *cie, struct cursor *c)
{
	struct rule initial = { 0 }, rule;
	const struct section *text;
	u64 size, done = 0;

	memset(fde, 0, sizeof(*fde));
	/*
	 * kpatch keeps .eh_frame as a whole, but only the relocations of what
	 * it keeps of the text. The rest is about functions that are not here.
	 */
	if (!take_address(c, obj, cie->fde_encoding, &fde->start))
		return false;
	size = take_length(c, cie->fde_encoding);
	if (cie->has_augmentation) {
		u64 skip = take_uleb(c);

		if (skip > c->end - c->off)
			return false;
		c->off += skip;
	}
	if (c->bad || !size || (size | fde->start) & 3)
		return false;
	text = object_section_at(obj, fde->start, size);
	if (!text || !(text->flags & 4 /* SHF_EXECINSTR */))
		return false;
	fde->end = fde->start + size;

	fde->rules = xcalloc(size / 4, sizeof(*fde->rules));
	if (!run(NULL, NULL, cie->initial, cie, &initial, &initial)) {
		free(fde->rules);
		return false;
	}
	rule = initial;
	if (run(fde, &done, *c, cie, &rule, &initial)) {
		advance(fde, &done, size - done * 4, &rule);
	} else {
		/* A part that is believed is worse than nothing */
		memset(fde->rules, 0, size / 4 * sizeof(*fde->rules));
		fde->complaint = "call frame information that is not understood";
		fde->complaint_at = fde->start;
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct fde *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Two descriptions of one instruction: neither is believed */
static void drop_overlaps(struct fdes *fdes)
{
	bool overlaps;
	u64 end = 0;
	size_t i, nr = 0;

	for (i = 0; i < fdes->nr; i++) {
		struct fde *fde = &fdes->fde[i];

		/* With what came before, or with what comes next */
		overlaps = fde->start < end;
		if (fde->end > end)
			end = fde->end;
		if (overlaps || (i + 1 < fdes->nr && fde[1].start < end)) {
			free(fde->rules);
			fdes->skipped++;
		} else {
			fdes->fde[nr++] = *fde;
		}
	}
	fdes->nr = nr;
}

void cfi_read(struct fdes *fdes, const struct object *obj)
{
	static const struct symbol unnamed = { .name = "?" };
	const struct section *sec = object_section(obj, ".eh_frame");
	struct cie cie = { 0 };
	u64 off = 0, cie_off = UINT64_MAX;
	bool cie_ok = false;
	size_t i, room = 0;

	memset(fdes, 0, sizeof(*fdes));
	if (!sec)
		sec = object_section(obj, ".init.eh_frame");
	if (!sec || !sec->data)
		return;

	while (sec->size - off >= 4) {
		u64 length = get_unaligned_le32(sec->data + off), id_off;
		struct cursor c = { .sec = sec };
		u32 id;

		/*
		 * Each object's part can end with a zero; 64-bit lengths do not
		 * occur in .eh_frame of this architecture.
		 */
		if (!length) {
			off += 4;
			continue;
		}
		id_off = off + 4;
		if (length < 4 || length > sec->size - id_off)
			die("%s: damaged %s at %#llx", obj->path, sec->name,
			    (unsigned long long)off);
		id = get_unaligned_le32(sec->data + id_off);
		c.off = id_off + 4;
		c.end = id_off + length;

		if (!id) {
			cie_off = off;
			cie_ok = read_cie(&cie, &c);
		} else {
			u64 want = id_off - id;

			if (want != cie_off) {
				struct cursor d = { .sec = sec };

				if (id > id_off || sec->size - want < 8)
					die("%s: damaged %s at %#llx", obj->path,
					    sec->name, (unsigned long long)off);
				length = get_unaligned_le32(sec->data + want);
				d.off = want + 8;
				d.end = want + 4 + length;
				cie_off = want;
				cie_ok = length >= 4 &&
					 length <= sec->size - want - 4 &&
					 !get_unaligned_le32(sec->data + want + 4) &&
					 read_cie(&cie, &d);
			}
			if (fdes->nr == room) {
				room = room ? room * 2 : 1024;
				fdes->fde = xrealloc(fdes->fde, room,
						     sizeof(*fdes->fde));
			}
			if (cie_ok && read_fde(&fdes->fde[fdes->nr], obj, &cie, &c))
				fdes->nr++;
			else
				fdes->skipped++;
		}
		off = c.end;
	}

	if (fdes->nr)
		qsort(fdes->fde, fdes->nr, sizeof(*fdes->fde), by_start);
	drop_overlaps(fdes);

	for (i = 0; i < fdes->nr; i++) {
		struct fde *fde = &fdes->fde[i];

		fde->sym = object_symbol_before(obj, fde->start);
		if (!fde->sym) {
			fde->sym = &unnamed;
			fde->complaint = "no symbol";
			fde->complaint_at = fde->start;
		}
	}
}

struct fde *fdes_at(const struct fdes *fdes, u64 addr)
{
	size_t low = 0, high = fdes->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (fdes->fde[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr >= fdes->fde[low - 1].end)
		return NULL;
	return &fdes->fde[low - 1];
}

void fdes_free(struct fdes *fdes)
{
	size_t i;

	for (i = 0; i < fdes->nr; i++) {
		free(fdes->fde[i].rules);
		free(fdes->fde[i].flow);
		free(fdes->fde[i].returned);
		free(fdes->fde[i].believed);
	}
	free(fdes->fde);
}

bool rule_equal(const struct rule *a, const struct rule *b)
{
	return a->cfa_base == b->cfa_base && a->cfa_off == b->cfa_off &&
	       a->ra_off == b->ra_off && a->fp_off == b->fp_off;
}

/*
 * Can the description start with what is true at the entry of a function? There
 * has to be a symbol, and nothing in between but the NOPs that are reserved for
 * tracing, and the landing pad.
 */
bool fde_is_function(const struct fde *fde, const struct object *obj)
{
	const struct rule entry = { .cfa_base = UNWIND_CFA_SP };
	u64 addr;
	u32 word;

	if (!rule_equal(&fde->rules[0], &entry) ||
	    fde->start - fde->sym->addr > 4 * MAX_ENTRY_FILLERS)
		return false;
	for (addr = fde->sym->addr; addr < fde->start; addr += 4) {
		if (!object_insn(obj, addr, &word) || !insn_is_entry_filler(word))
			return false;
	}
	return true;
}
