// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the pools of PLT slots.
 */

#include <kunit/test.h>

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/sizes.h>

#include <asm/function-plt.h>

#define BASE			0xffff800080000000UL

static const struct {
	const char *what;
	u64 table, text;
	long size;
} sizes[] = {
	{ "no functions",		0,	0,	0 },
	{ "text without functions",	0,	SZ_4K,	0 },
	{ "one function",		8,	8,	16 },
	{ "one in too little text",	8,	7,	-ENOEXEC },
	{ "one without text",		8,	0,	-ENOEXEC },
	{ "a page full",		SZ_4K,	SZ_4K,	SZ_8K },
	{ "one too many for a page",	SZ_4K + 8, SZ_4K, -ENOEXEC },
	{ "a table that is truncated",	20,	SZ_4K,	32 },
	{ "as many as can be",		SZ_2G,	SZ_2G,	2L * SZ_2G },
	{ "too many for any module",	SZ_4G,	SZ_4G,	-ENOEXEC },
	{ "a text of any size",		8,	~0ULL,	16 },
	{ "a table of any size",	~7ULL,	~0ULL,	-ENOEXEC },
};

static void pool_size(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    function_plt_pool_size(sizes[i].table,
							   sizes[i].text),
				    sizes[i].size, "%s", sizes[i].what);
}

/* From the patch site to the first slot, which is at BASE. */
static const struct {
	const char *what;
	unsigned int nr;
	long distance;
	bool reaches;
} ranges[] = {
	{ "an empty pool next to it",	0,	64,		false },
	{ "one slot next to it",	1,	64,		true },
	{ "furthest ahead",		1,	SZ_128M - 12,	true },
	{ "one too far ahead",		1,	SZ_128M - 8,	false },
	{ "the last one furthest ahead", 3,	SZ_128M - 44,	true },
	{ "the last one too far ahead",	3,	SZ_128M - 40,	false },
	{ "furthest back",		1,	-(long)SZ_128M - 8, true },
	{ "one too far back",		1,	-(long)SZ_128M - 12, false },
	{ "the first one furthest back", 3,	-(long)SZ_128M - 8, true },
	{ "the first one too far back",	3,	-(long)SZ_128M - 12, false },
	{ "on both sides",		SZ_4M,	-(long)SZ_32M,	true },
	{ "2 GiB ahead",		1,	SZ_2G,		false },
	{ "2 GiB back",			1,	-(long)SZ_2G,	false },
};

static void pool_reaches(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct function_plt_pool pool = {
			.plts = (struct function_plt *)BASE,
			.nr = ranges[i].nr,
		};

		KUNIT_EXPECT_EQ_MSG(test,
				    function_plt_pool_reaches(&pool,
							      BASE - ranges[i].distance),
				    ranges[i].reaches, "%s", ranges[i].what);
	}
}

#define NR	70	/* more than a word of the bitmap, and not two */

static void pool_take_and_give(struct kunit *test)
{
	struct function_plt_pool pool = {
		.plts = (struct function_plt *)BASE,
		.nr = NR,
		.used = kunit_kcalloc(test, BITS_TO_LONGS(NR), sizeof(long),
				      GFP_KERNEL),
	};
	const unsigned long ip = BASE - SZ_64M;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pool.used);

	KUNIT_EXPECT_NULL(test, function_plt_pool_take(&pool, BASE - SZ_1G));
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_PTR_EQ(test, function_plt_pool_take(&pool, ip),
				    &pool.plts[i]);

	/* There are bits left, but no slots. */
	KUNIT_EXPECT_NULL(test, function_plt_pool_take(&pool, ip));
	KUNIT_EXPECT_NULL(test, function_plt_pool_take(&pool, ip));

	for (i = 0; i < NR; i += NR - 1) {
		KUNIT_EXPECT_TRUE(test, function_plt_pool_give(&pool, &pool.plts[i]));
		KUNIT_EXPECT_PTR_EQ(test, function_plt_pool_take(&pool, ip),
				    &pool.plts[i]);
		KUNIT_EXPECT_NULL(test, function_plt_pool_take(&pool, ip));
	}

	/* Slots of other pools */
	KUNIT_EXPECT_FALSE(test, function_plt_pool_give(&pool, pool.plts - 1));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_give(&pool, pool.plts + NR));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_give(&pool, function_plt_entries));
	KUNIT_EXPECT_NULL(test, function_plt_pool_take(&pool, ip));
}

/* What the assembler made has to be what function_plt_prepare() looks for. */
static void kernel_pool(struct kunit *test)
{
	const unsigned int nr = CONFIG_ARM64_FUNCTION_PLT_POOL_ENTRIES;
	unsigned long start = (unsigned long)function_plt_entries;
	unsigned long end = (unsigned long)&function_plt_entries[nr];

	for (unsigned int i = 0; i < nr; i += max(nr - 1, 1)) {
		struct function_plt *plt = &function_plt_entries[i];

		KUNIT_EXPECT_EQ(test, le32_to_cpu(plt->ldr), function_plt_ldr());
		KUNIT_EXPECT_EQ(test, le32_to_cpu(plt->br), function_plt_br());
		KUNIT_EXPECT_FALSE(test, function_plt_contains((unsigned long)&plt->target));
		KUNIT_EXPECT_FALSE(test, function_plt_contains((unsigned long)&plt->target + 4));
		KUNIT_EXPECT_TRUE(test, function_plt_contains((unsigned long)&plt->ldr));
		KUNIT_EXPECT_TRUE(test, function_plt_contains((unsigned long)&plt->br));
	}

	for (unsigned long addr = start; addr < end; addr += 4)
		KUNIT_ASSERT_TRUE(test, function_plt_pool_contains(addr));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_contains(start - 1));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_contains(end));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_contains(0));
	KUNIT_EXPECT_FALSE(test, function_plt_pool_contains(~0UL));
}

static struct kunit_case function_plt_pool_cases[] = {
	KUNIT_CASE(pool_size),
	KUNIT_CASE(pool_reaches),
	KUNIT_CASE(pool_take_and_give),
	KUNIT_CASE(kernel_pool),
	{}
};

static struct kunit_suite function_plt_pool_suite = {
	.name = "arm64-function-plt-pool",
	.test_cases = function_plt_pool_cases,
};

kunit_test_suite(function_plt_pool_suite);

MODULE_DESCRIPTION("KUnit tests of the pools of PLT slots on arm64");
MODULE_LICENSE("GPL");
