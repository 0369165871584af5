// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compare what .eh_frame claims with what the instructions do.
 *
 * What is true at the entry of a function is known: AAPCS64, 6.2. From there it
 * is followed through every instruction and over every branch, and where ways
 * meet only that is kept which is true on all of them. An instruction is
 * believed if it was reached and the claim follows from what is true there. One
 * contradiction and nothing of the function is believed: inline assembly that
 * moves LR or SP is found like this.
 *
 * Assumed and not checked: a callee preserves X29 and SP, the compiler's stores
 * through other pointers and with an index do not hit its own save slots, and
 * its jump tables lead to where .eh_frame has the frame of the branch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unwind-table.h"
#include <asm/unwind-table-format.h>

struct work {
	const struct object	*obj;
	const struct edges	*edges;
	struct fdes		*fdes;
	u64		*queue;
	size_t			nr;
	size_t			room;
};

static void complain(struct fde *fde, u64 addr, const char *what)
{
	if (fde->complaint)
		return;
	fde->complaint = what;
	fde->complaint_at = addr;
}

static void enqueue(struct work *work, u64 addr)
{
	if (work->nr == work->room) {
		work->room = work->room ? work->room * 2 : 4096;
		work->queue = xrealloc(work->queue, work->room,
				       sizeof(*work->queue));
	}
	work->queue[work->nr++] = addr;
}

static void reach(struct work *work, struct fde *fde, u64 addr,
		  const struct flow *flow)
{
	if (flow_merge(&fde->flow[(addr - fde->start) / 4], flow))
		enqueue(work, addr);
}

/* Follow a way that is certainly there */
static void follow(struct work *work, struct fde *from, u64 at,
		   u64 target, const struct flow *flow)
{
	struct fde *fde = from;
	const struct rule *rule;

	if (target < from->start || target >= from->end)
		fde = fdes_at(work->fdes, target);

	if (fde && !(target & 3)) {
		rule = &fde->rules[(target - fde->start) / 4];
		/*
		 * Into another description: a part of the same function, or
		 * the start of a function that may be called like this.
		 */
		if (fde == from || flow_agrees(flow, rule)) {
			reach(work, fde, target, flow);
			return;
		}
		complain(fde, target, "entered in a way that was not described");
		complain(from, at, "jumps to where something else was described");
		return;
	}
	/* Assembly, the entry NOPs, another module: only as a tail call */
	if (!flow_is_entry(flow))
		complain(from, at, "leaves with its frame");
}

/*
 * Follow a way that is there only if the instruction at @at ever comes back. If it
 * does for one who gets there, it does for the next one, who may know less.
 */
static void follow_if_described(struct work *work, struct fde *fde, u64 at,
				const struct flow *flow)
{
	u8 *returned = &fde->returned[(at - fde->start) / 4];

	if (at + 4 < fde->end &&
	    flow_agrees(flow, &fde->rules[(at + 4 - fde->start) / 4])) {
		*returned = 1;
		reach(work, fde, at + 4, flow);
	} else if (*returned) {
		complain(fde, at, "comes back to what is not true on all ways");
	}
}

/* Where a branch between replacements leads once they are in place */
static u64 moved(const struct edges *edges, u64 target)
{
	size_t i;

	for (i = 0; i < edges->nr_repls; i++) {
		if (edges->repl[i].by == target)
			return edges->repl[i].at;
		if (edges->repl[i].by + 4 == target)
			return edges->repl[i].at + 4;
	}
	return target;
}

static bool is_replacement_text(const struct object *obj, u64 addr)
{
	const struct section *sec = object_section_at(obj, addr, 4);

	return sec && strstr(sec->name, "altinstr_replacement");
}

/* A branch to a label of this function, and a distance that was added to it */
static bool is_jump_table(const struct fde *fde, const struct insn *insn,
			  const struct flow *flow)
{
	return insn->kind == INSN_INDIRECT_BRANCH && flow->label.valid &&
	       flow->label.reg == insn->reg &&
	       flow->label.number >= fde->start && flow->label.number < fde->end;
}

/* Do @word, which is linked at @link and runs at @at */
static void step(struct work *work, struct fde *fde, u64 at, u32 word,
		 u64 link)
{
	struct flow flow = fde->flow[(at - fde->start) / 4];
	struct insn insn;

	insn_classify(&insn, word, link);
	if (insn.target && link != at &&
	    is_replacement_text(work->obj, insn.target))
		insn.target = moved(work->edges, insn.target);
	insn_step(&flow, word, link);

	switch (insn.kind) {
	case INSN_OTHER:
		follow(work, fde, at, at + 4, &flow);
		break;
	case INSN_BRANCH:
		follow(work, fde, at, insn.target, &flow);
		break;
	case INSN_COND_BRANCH:
		follow(work, fde, at, insn.target, &flow);
		follow(work, fde, at, at + 4, &flow);
		break;
	case INSN_CALL:
		/* Not a call: inline assembly that trains branch predictors */
		if (insn.target > fde->start && insn.target < fde->end)
			complain(fde, at, "calls its own middle");
		/*
		 * Where the description says that LR has the return address
		 * behind a call, it is either wrong, or there is no behind.
		 * No compiler calls without saving LR: so it is wrong.
		 */
		if (at + 4 < fde->end &&
		    !flow_agrees(&flow, &fde->rules[(at + 4 - fde->start) / 4]) &&
		    flow_agrees(&fde->flow[(at - fde->start) / 4],
				&fde->rules[(at + 4 - fde->start) / 4]))
			complain(fde, at, "calls without saving LR");
		follow_if_described(work, fde, at, &flow);
		break;
	case INSN_TRAP:
		follow_if_described(work, fde, at, &flow);
		break;
	case INSN_RETURN:
		if (!flow_is_entry(&flow))
			complain(fde, at, "returns with its frame");
		break;
	case INSN_INDIRECT_BRANCH:
		/* What it leads to is not known: another function, if anything */
		if (!is_jump_table(fde, &insn, &flow) && !flow_is_entry(&flow))
			complain(fde, at, "branches indirectly with its frame");
		break;
	case INSN_END:
		break;
	case INSN_UNKNOWN:
		complain(fde, at, "an instruction that is not known");
		break;
	}
}

static void step_all(struct work *work, struct fde *fde, u64 at)
{
	const struct edges *edges = work->edges;
	size_t low, high;
	u32 word;

	if (!object_insn(work->obj, at, &word)) {
		complain(fde, at, "not in text");
		return;
	}
	step(work, fde, at, word, at);

	for (low = 0, high = edges->nr_repls; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (edges->repl[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < edges->nr_repls && edges->repl[low].at == at; low++) {
		if (object_insn(work->obj, edges->repl[low].by, &word))
			step(work, fde, at, word, edges->repl[low].by);
		else
			complain(fde, at, "replaced by what is not there");
	}

	for (low = 0, high = edges->nr_edges; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (edges->edge[mid].from < at)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < edges->nr_edges && edges->edge[low].from == at; low++) {
		struct flow flow = fde->flow[(at - fde->start) / 4];

		/* Fixups and callbacks of alternatives write registers */
		flow_forget_values(&flow);
		follow(work, fde, at, edges->edge[low].to, &flow);
	}
}

static void drain(struct work *work)
{
	while (work->nr) {
		u64 addr = work->queue[--work->nr];

		step_all(work, fdes_at(work->fdes, addr), addr);
	}
}

static bool ends_block(const struct object *obj, u64 addr)
{
	struct insn insn;
	u32 word;

	if (!object_insn(obj, addr, &word))
		return true;
	insn_classify(&insn, word, addr);
	return insn.kind != INSN_OTHER && insn.kind != INSN_COND_BRANCH;
}

/* Instructions that a branch of the function leads to */
static u8 *find_targets(const struct object *obj, const struct fde *fde)
{
	u8 *is_target = xcalloc((fde->end - fde->start) / 4, 1);
	u64 at;

	for (at = fde->start; at < fde->end; at += 4) {
		struct insn insn;
		u32 word;

		if (!object_insn(obj, at, &word))
			continue;
		insn_classify(&insn, word, at);
		if ((insn.kind == INSN_BRANCH || insn.kind == INSN_COND_BRANCH) &&
		    insn.target >= fde->start && insn.target < fde->end)
			is_target[(insn.target - fde->start) / 4] = 1;
	}
	return is_target;
}

/*
 * The entries of a jump table are not read. Each leads to where .eh_frame claims
 * the frame of the branch, so what is claimed there has to be true for the branch
 * as well: it is merged into all starts of blocks that were reached and have such
 * a claim, and reaches those that nothing else leads to. Only an entry into code
 * that nothing else but the code ahead of it leads to is missed.
 *
 * This is repeated until nothing changes, since branches are found on the way
 * and know less than before.
 */
static bool follow_jump_tables(struct work *work, struct fde *fde)
{
	u8 *is_target = NULL;
	u64 from, to;
	bool any = false;

	for (from = fde->start; from < fde->end; from += 4) {
		const struct flow *flow = &fde->flow[(from - fde->start) / 4];
		struct insn insn;
		u32 word;

		if (!flow->reached || !object_insn(work->obj, from, &word))
			continue;
		insn_classify(&insn, word, from);
		if (!is_jump_table(fde, &insn, flow))
			continue;
		if (!is_target)
			is_target = find_targets(work->obj, fde);
		for (to = fde->start + 4; to < fde->end; to += 4) {
			size_t i = (to - fde->start) / 4;
			struct flow now = *flow;

			if (!flow_agrees(flow, &fde->rules[i]) ||
			    (!ends_block(work->obj, to - 4) &&
			     !(is_target[i] && fde->flow[i].reached)))
				continue;
			flow_forget_values(&now);
			if (!flow_merge(&fde->flow[i], &now))
				continue;
			enqueue(work, to);
			drain(work);
			any = true;
		}
	}
	free(is_target);
	return any;
}

/*
 * Where SP goes up ahead of LR: between the pops of a shadow call stack and of a
 * frame record, or ahead of AUTIASP, where LR is described late.
 */
static bool rule_is_below_sp(const struct rule *rule)
{
	return rule->cfa_base == UNWIND_CFA_SP &&
	       (rule->ra_off > rule->cfa_off || rule->fp_off > rule->cfa_off);
}

/* SP is aligned wherever frames are left to others, AAPCS64, 6.4.5.1 */
static bool rule_is_misaligned(const struct rule *rule)
{
	return rule->cfa_base == UNWIND_CFA_SP && rule->cfa_off % 16;
}

static void judge(struct fde *fde, const struct object *obj)
{
	size_t nr = (fde->end - fde->start) / 4, i;

	for (i = 0; i < nr; i++) {
		u64 at = fde->start + i * 4;
		const struct flow *flow = &fde->flow[i];
		struct insn insn;
		u32 word;

		if (!flow->reached)
			continue;
		/* True when it was stored, but the next interrupt overwrites it */
		if (rule_is_below_sp(&fde->rules[i]))
			continue;
		/* The kernel believes no table that has one of these */
		if (rule_is_misaligned(&fde->rules[i]))
			continue;
		if (!flow_agrees(flow, &fde->rules[i])) {
			complain(fde, at, "does not do what was described");
			break;
		}
		if (!object_insn(obj, at, &word))
			continue;
		insn_classify(&insn, word, at);
		/* The caller could not be found from inside of the callee */
		if (insn.kind == INSN_CALL && !flow_has_frame(flow))
			continue;
		fde->believed[i] = 1;
	}
	if (fde->complaint)
		memset(fde->believed, 0, nr);
}

void verify(struct fdes *fdes, const struct object *obj,
	    const struct edges *edges, struct statistics *stat, bool verbose)
{
	struct work work = { .obj = obj, .edges = edges, .fdes = fdes };
	struct flow entry;
	bool more;
	size_t i;

	memset(stat, 0, sizeof(*stat));
	flow_entry(&entry);

	for (i = 0; i < fdes->nr; i++) {
		struct fde *fde = &fdes->fde[i];
		size_t nr = (fde->end - fde->start) / 4;

		fde->flow = xcalloc(nr, sizeof(*fde->flow));
		fde->believed = xcalloc(nr, 1);
		fde->returned = xcalloc(nr, 1);
	}
	for (i = 0; i < fdes->nr; i++) {
		if (fde_is_function(&fdes->fde[i], obj))
			reach(&work, &fdes->fde[i], fdes->fde[i].start, &entry);
	}
	drain(&work);
	/* A jump table may lead to a cold part with another one */
	do {
		more = false;
		for (i = 0; i < fdes->nr; i++)
			more |= follow_jump_tables(&work, &fdes->fde[i]);
	} while (more);
	free(work.queue);

	for (i = 0; i < fdes->nr; i++) {
		struct fde *fde = &fdes->fde[i];
		size_t nr = (fde->end - fde->start) / 4, j;

		judge(fde, obj);
		stat->functions++;
		stat->insns += nr;
		for (j = 0; j < nr; j++)
			stat->believed += fde->believed[j];
		if (!fde->complaint)
			continue;
		stat->refused++;
		if (verbose)
			fprintf(stderr, "%s: %s+%#llx: %s\n", obj->path,
				fde->sym->name,
				(unsigned long long)(fde->complaint_at - fde->sym->addr),
				fde->complaint);
	}
}
