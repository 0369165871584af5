// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the PLT entries of functions: what is computed for them, and
 * the states of a slot.
 */

#include <kunit/test.h>

#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/text-patching.h>

#include <asm/function-plt.h>
#include <asm/sections.h>

#include "../../../../kernel/trace/ftrace_internal.h"

/* Encodings as printed by an assembler */
#define INSN_LDR_X16_M8		0x58ffffd0	/* ldr	x16, .-8 */
#define INSN_LDR_X16_P8		0x58000050	/* ldr	x16, .+8 */
#define INSN_BR_X16		0xd61f0200	/* br	x16 */
#define INSN_NOP		0xd503201f
#define INSN_BTI		0xd503241f
#define INSN_BTI_C		0xd503245f
#define INSN_BTI_J		0xd503249f
#define INSN_BTI_JC		0xd50324df
#define INSN_PACIASP		0xd503233f
#define INSN_PACIBSP		0xd503237f
#define INSN_AUTIASP		0xd50323bf
#define INSN_MOV_X9_LR		0xaa1e03e9
#define INSN_RET		0xd65f03c0

#define BASE			0xffff800080000000UL

static void layout(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(struct function_plt), 16);
	KUNIT_EXPECT_EQ(test, __alignof__(struct function_plt), 8);
	KUNIT_EXPECT_EQ(test, offsetof(struct function_plt, target), 0);
	KUNIT_EXPECT_EQ(test, offsetof(struct function_plt, ldr), 8);
	KUNIT_EXPECT_EQ(test, offsetof(struct function_plt, br), 12);
}

static void encodings(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, function_plt_ldr(), INSN_LDR_X16_M8);
	KUNIT_EXPECT_EQ(test, function_plt_br(), INSN_BR_X16);
	KUNIT_EXPECT_EQ(test, ftrace_plt_ldr(), INSN_LDR_X16_P8);
}

static const struct {
	const char *what;
	long distance;
	bool reachable;
} ranges[] = {
	{ "to itself",			0,		true },
	{ "next instruction",		4,		true },
	{ "previous instruction",	-4,		true },
	{ "furthest ahead",		SZ_128M - 4,	true },
	{ "one too far ahead",		SZ_128M,	false },
	{ "furthest back",		-(long)SZ_128M,	true },
	{ "one too far back",		-(long)SZ_128M - 4, false },
	{ "2 GiB ahead",		SZ_2G,		false },
	{ "2 GiB back",			-(long)SZ_2G,	false },
	{ "4 GiB ahead",		SZ_4G,		false },
	{ "to user space",		-(long)BASE,	false },
};

static void branch_range(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(ranges); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    reachable_by_bl(BASE + ranges[i].distance, BASE),
				    ranges[i].reachable, "%s", ranges[i].what);
}

static const struct {
	const char *what;
	u32 insn;
	bool pad;
} pads[] = {
	{ "BTI",	INSN_BTI,		false },
	{ "BTI C",	INSN_BTI_C,		true },
	{ "BTI J",	INSN_BTI_J,		true },
	{ "BTI JC",	INSN_BTI_JC,		true },
	{ "PACIASP",	INSN_PACIASP,		true },
	{ "PACIBSP",	INSN_PACIBSP,		true },
	{ "AUTIASP",	INSN_AUTIASP,		false },
	{ "NOP",	INSN_NOP,		false },
	{ "MOV X9, LR",	INSN_MOV_X9_LR,		false },
	{ "RET",	INSN_RET,		false },
	{ "zero",	0,			false },
};

static void landing_pads(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(pads); i++)
		KUNIT_EXPECT_EQ_MSG(test, function_plt_is_landing_pad(pads[i].insn),
				    pads[i].pad, "%s", pads[i].what);
}

static void skip_without_slots(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS))
		kunit_skip(test, "slots are not ahead of functions here");
}

/* The patch site is one word further on if the function has a landing pad. */
static void slot_of_patch_site(struct kunit *test)
{
	unsigned long func = BASE + 0x1238, slot = func - PATCHABLE_PREFIX_BYTES;

	skip_without_slots(test);
	for (unsigned long ip = func + 4; ip <= func + 8; ip += 4) {
		KUNIT_EXPECT_EQ(test, (unsigned long)function_plt_slot(ip), slot);
		KUNIT_EXPECT_EQ(test, function_plt_entry(ip), slot + 8);
	}
}

/* From func+4 or func+8 back to func-16 */
static void branch_to_slot(struct kunit *test)
{
	unsigned long func = BASE + 0x1238;

	skip_without_slots(test);
	KUNIT_EXPECT_EQ(test, function_plt_branch(func + 4, FUNCTION_PLT_CALL),
			0x97fffffb);	/* bl	.-20 */
	KUNIT_EXPECT_EQ(test, function_plt_branch(func + 8, FUNCTION_PLT_CALL),
			0x97fffffa);	/* bl	.-24 */
	KUNIT_EXPECT_EQ(test, function_plt_branch(func + 4, FUNCTION_PLT_JUMP),
			0x17fffffb);	/* b	.-20 */
	KUNIT_EXPECT_EQ(test, function_plt_branch(func + 8, FUNCTION_PLT_JUMP),
			0x17fffffa);	/* b	.-24 */
}

/* Looks like a slot, but is not code */
static __aligned(8) const __le32 data[] = {
	cpu_to_le32(INSN_LDR_X16_M8), cpu_to_le32(INSN_BR_X16),
};

static void contains(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, function_plt_contains((unsigned long)data));
	KUNIT_EXPECT_FALSE(test, function_plt_contains(0));
	KUNIT_EXPECT_FALSE(test, function_plt_contains(~3UL));
}

/* Nobody calls or traces these, so this test has their slots for itself. */
static noinline void victim(void)
{
	barrier();
}

static noinline void bystander(void)
{
	barrier();
}

static unsigned long patch_site(struct kunit *test, void (*func)(void))
{
	unsigned long ip = ftrace_location((unsigned long)func);

	if (!ip)
		kunit_skip(test, "ftrace does not know %ps", func);

	return ip;
}

/* Something that may be landed on */
static unsigned long target(unsigned int i)
{
	return i ? (unsigned long)ftrace_stub_direct_tramp : FTRACE_ADDR;
}

static int prepare(unsigned long ip, unsigned int i, enum function_plt_kind kind)
{
	return function_plt_prepare(ip, target(i), kind);
}

static unsigned long find(unsigned long ip, unsigned int i,
			  enum function_plt_kind kind)
{
	return function_plt_find(ip, target(i), kind);
}

/*
 * Wait until a slot may change its kind. The lock is what callers hold; it is
 * not held for the whole time, as somebody else may need it meanwhile.
 */
static bool is_free(unsigned long ip, enum function_plt_kind kind)
{
	for (int i = 0; i < 300; i++) {
		scoped_guard(mutex, &ftrace_lock) {
			if (prepare(ip, 0, kind) != -EBUSY)
				return true;
		}
		msleep(100);
	}

	return false;
}

/* CPU hotplug can be in the way for a moment. */
static int sync(void)
{
	int ret;

	for (int i = 0; i < 100; i++) {
		ret = function_plt_sync();
		if (ret != -EBUSY)
			break;
		msleep(20);
	}

	return ret;
}

/* Let grace periods of earlier tests end, of which there are up to two. */
static void wait_for_grace(void)
{
	rcu_barrier_tasks();
	rcu_barrier_tasks();
}

/*
 * What runs at boot can be run again by debugfs: start from the same state. The
 * slot of a pool that is given back is the next one that is taken, as nobody
 * else can take one meanwhile.
 */
static int reset(unsigned long ip)
{
	unsigned long entry;
	int ret;

	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL)) {
		function_plt_forget(ip, ip + 4);
		wait_for_grace();
		ret = prepare(ip, 0, FUNCTION_PLT_CALL);
		if (ret < 0)
			return ret;
	}

	entry = function_plt_entry(ip);
	ret = aarch64_insn_write_literal_u64((void *)entry - 8, 0);
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL)) {
		function_plt_forget(ip, ip + 4);
		wait_for_grace();
	} else {
		function_plt_forget(entry - 8, entry + 8);
	}

	return ret;
}

static void states(struct kunit *test)
{
	unsigned long ip = patch_site(test, victim);
	unsigned long other = patch_site(test, bystander);
	unsigned long entry, end;

	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, reset(ip), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);

	/* Not to be used before all CPUs see it, which preparing again is not */
	KUNIT_EXPECT_EQ(test, prepare(ip, 0, FUNCTION_PLT_CALL), 1);
	entry = function_plt_entry(ip);
	KUNIT_EXPECT_TRUE(test, reachable_by_bl(entry, ip));
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, prepare(ip, 0, FUNCTION_PLT_CALL), 1);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);

	/* Written once, then found as it is */
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), entry);
	KUNIT_EXPECT_EQ(test, prepare(ip, 0, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), entry);

	/* What counts as a slot is its instructions, not the literals. */
	end = entry + (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS) ? 24 : 8);
	for (unsigned long pc = entry - 8; pc < end; pc++)
		KUNIT_EXPECT_EQ_MSG(test, function_plt_contains(pc),
				    pc == entry || pc == entry + 4,
				    "entry%+ld", (long)(pc - entry));

	/* For this target, this kind, and this function only */
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_JUMP), 0);
	KUNIT_EXPECT_EQ(test, find(other, 0, FUNCTION_PLT_CALL), 0);

	/* Another target for the same arrivals */
	KUNIT_EXPECT_EQ(test, prepare(ip, 1, FUNCTION_PLT_CALL), 1);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), entry);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);

	/* What one slot waits for, all of them do. */
	KUNIT_EXPECT_EQ(test, reset(other), 0);
	KUNIT_EXPECT_EQ(test, prepare(other, 0, FUNCTION_PLT_CALL), 1);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), entry);

	/* Left, and at once used again for the same arrivals */
	function_plt_retire(ip);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, prepare(ip, 1, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), entry);

	/* The grace period that began then must not free it. */
	function_plt_retire(other);
	mutex_unlock(&ftrace_lock);
	synchronize_rcu_tasks();
	msleep(100);
	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, find(ip, 1, FUNCTION_PLT_CALL), entry);

	/* Left for good: other arrivals have to wait. */
	function_plt_retire(ip);
	KUNIT_EXPECT_EQ(test, prepare(ip, 1, FUNCTION_PLT_JUMP), -EBUSY);
	mutex_unlock(&ftrace_lock);
	KUNIT_EXPECT_TRUE(test, is_free(ip, FUNCTION_PLT_JUMP));
	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_JUMP), entry);

	/* Prepared and then not used: nothing stays. */
	KUNIT_EXPECT_EQ(test, prepare(ip, 0, FUNCTION_PLT_CALL), -EBUSY);
	mutex_unlock(&ftrace_lock);
	KUNIT_EXPECT_TRUE(test, is_free(ip, FUNCTION_PLT_CALL));
	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, sync(), 0);

	/* The text is freed. */
	if (IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_SLOTS)) {
		function_plt_forget(ip, ip + 4);
		KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), entry);
		function_plt_forget(entry - 8, ip + 4);
		KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);
	} else {
		/* The slot is not, and has to wait. */
		function_plt_forget(ip + 8, ip + 12);
		KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), entry);
		function_plt_forget(ip, ip + 4);
		KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), 0);
		KUNIT_EXPECT_EQ(test, function_plt_entry(ip), entry);
		wait_for_grace();
		KUNIT_EXPECT_EQ(test, function_plt_entry(ip), 0);
	}

	reset(other);
	mutex_unlock(&ftrace_lock);
}

struct period {
	struct rcu_head rcu;
	struct completion over;
	unsigned long ip;
	bool busy;
};

/*
 * In the order of calls of call_rcu_tasks() on one CPU: behind the callback of
 * the slots that was queued before, and ahead of the next one of them, which
 * that callback queues.
 */
static void period_is_over(struct rcu_head *rcu)
{
	struct period *period = container_of(rcu, struct period, rcu);

	period->busy = function_plt_is_busy(period->ip, FUNCTION_PLT_JUMP);
	complete(&period->over);
}

/*
 * A slot that is left while a grace period is on its way needs another one: a
 * thread may have entered the slot after the first one began.
 */
static void two_grace_periods(struct kunit *test)
{
	unsigned long ip = patch_site(test, victim);
	struct period period = { .ip = ip };

	init_completion(&period.over);
	init_rcu_head_on_stack(&period.rcu);

	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, reset(ip), 0);

	wait_for_grace();
	KUNIT_EXPECT_GE(test, prepare(ip, 0, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_FALSE(test, function_plt_is_busy(ip, FUNCTION_PLT_CALL));
	migrate_disable();
	function_plt_retire(ip);
	call_rcu_tasks(&period.rcu, period_is_over);
	migrate_enable();
	KUNIT_EXPECT_GE(test, prepare(ip, 0, FUNCTION_PLT_CALL), 0);
	function_plt_retire(ip);
	wait_for_completion(&period.over);
	KUNIT_EXPECT_TRUE(test, period.busy);
	mutex_unlock(&ftrace_lock);

	/* ... but not for ever */
	KUNIT_EXPECT_TRUE(test, is_free(ip, FUNCTION_PLT_JUMP));

	mutex_lock(&ftrace_lock);
	reset(ip);
	sync();
	mutex_unlock(&ftrace_lock);
	destroy_rcu_head_on_stack(&period.rcu);
}

/*
 * The slots of pools are found by the function that has them, and no two
 * functions have the same one.
 */
static void slots_of_pool(struct kunit *test)
{
	unsigned long ip = patch_site(test, victim);
	unsigned long other = patch_site(test, bystander);
	unsigned long entry, last;

	if (!IS_ENABLED(CONFIG_ARM64_FUNCTION_PLT_POOL))
		kunit_skip(test, "there is no pool");

	mutex_lock(&ftrace_lock);
	KUNIT_EXPECT_EQ(test, reset(ip), 0);
	KUNIT_EXPECT_EQ(test, reset(other), 0);

	/* Without a slot */
	KUNIT_EXPECT_EQ(test, function_plt_entry(ip), 0);
	KUNIT_EXPECT_EQ(test, function_plt_branch(ip, FUNCTION_PLT_CALL),
			AARCH64_BREAK_FAULT);
	KUNIT_EXPECT_FALSE(test, function_plt_leads(ip, FUNCTION_PLT_CALL));
	function_plt_retire(ip);

	KUNIT_EXPECT_EQ(test, prepare(ip, 0, FUNCTION_PLT_CALL), 1);
	KUNIT_EXPECT_EQ(test, prepare(other, 1, FUNCTION_PLT_JUMP), 1);
	entry = function_plt_entry(ip);
	last = function_plt_entry(other);
	KUNIT_EXPECT_NE(test, entry, last);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, find(ip, 0, FUNCTION_PLT_CALL), entry);
	KUNIT_EXPECT_EQ(test, find(other, 1, FUNCTION_PLT_JUMP), last);

	/* Left, but not for another function until a grace period has passed */
	function_plt_retire(ip);
	KUNIT_EXPECT_EQ(test, function_plt_entry(ip), entry);
	wait_for_grace();
	KUNIT_EXPECT_EQ(test, function_plt_entry(ip), 0);
	KUNIT_EXPECT_EQ(test, function_plt_entry(other), last);

	reset(other);
	KUNIT_EXPECT_GE(test, prepare(other, 1, FUNCTION_PLT_CALL), 0);
	KUNIT_EXPECT_EQ(test, function_plt_entry(other), entry);

	reset(other);
	sync();
	mutex_unlock(&ftrace_lock);
}

static struct kunit_case function_plt_cases[] = {
	KUNIT_CASE(layout),
	KUNIT_CASE(encodings),
	KUNIT_CASE(branch_range),
	KUNIT_CASE(landing_pads),
	KUNIT_CASE(slot_of_patch_site),
	KUNIT_CASE(branch_to_slot),
	KUNIT_CASE(contains),
	KUNIT_CASE_SLOW(states),
	KUNIT_CASE_SLOW(two_grace_periods),
	KUNIT_CASE_SLOW(slots_of_pool),
	{}
};

static struct kunit_suite function_plt_suite = {
	.name = "arm64-function-plt",
	.test_cases = function_plt_cases,
};

kunit_test_suite(function_plt_suite);

MODULE_DESCRIPTION("KUnit tests of per-function PLT entries on arm64");
MODULE_LICENSE("GPL");
