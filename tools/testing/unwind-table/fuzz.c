// SPDX-License-Identifier: GPL-2.0-only
/*
 * Feed damaged tables and damaged stacks to the code that reads them in the
 * kernel. The sanitizers see what is read outside of a table or a stack; the
 * assertions see everything else that must not happen.
 *
 * Usage: fuzz TABLE [ROUNDS [SEED]]
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm/unwind-table.h>

#define TEXT		0xffff800080010000UL
#define LOOKUPS		64
#define STACK_WORDS	512

static u64 state;

static u64 rnd(void)
{
	/* xorshift64*: the same on every machine */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data;

	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(2);
	}
	*size = ftell(f);
	rewind(f);
	data = malloc(*size);
	if (!data || fread(data, 1, *size, f) != *size) {
		perror(path);
		exit(2);
	}
	fclose(f);
	return data;
}

/* Interesting numbers are more often wrong than others */
static u32 odd_number(u32 old)
{
	switch (rnd() % 8) {
	case 0: return 0;
	case 1: return old + 1;
	case 2: return old - 1;
	case 3: return 0xffff;
	case 4: return 0x7fffffff;
	case 5: return 0xffffffff;
	case 6: return old ^ 1u << rnd() % 32;
	default: return rnd();
	}
}

static void damage(unsigned char *data, size_t size)
{
	unsigned int i, nr = 1 + rnd() % 8;
	u32 word;
	size_t at;

	for (i = 0; i < nr && size >= 4; i++) {
		/* Headers and rules are small: hit them as often as the rest */
		at = rnd() % (rnd() % 2 ? size : size < 256 ? size : 256) & ~3UL;
		if (at > size - 4)
			at = (size - 4) & ~3UL;
		memcpy(&word, data + at, 4);
		word = odd_number(word);
		memcpy(data + at, &word, 4);
	}
}

/* What the program that made a damaged table would have written */
static void fix_sum(unsigned char *data, size_t size)
{
	struct unwind_table_header *hdr = (void *)data;
	u32 sum = UNWIND_TABLE_SUM;
	size_t at, end;

	if (size < sizeof(*hdr))
		return;
	end = sizeof(*hdr) + hdr->nr_rules * sizeof(struct unwind_rule) +
	      hdr->nr_funcs * sizeof(struct unwind_func) +
	      hdr->nr_rows * sizeof(struct unwind_row);
	if (end > size)
		return;
	hdr->sum = 0;
	for (at = 0; at < end; at += 4)
		sum = unwind_table_sum(sum, *(u32 *)(data + at));
	hdr->sum = sum;
}

static u64 reliable, unreliable;

static void walk_one(const struct unwind_rule *rule)
{
	size_t words = 2 * (1 + rnd() % (STACK_WORDS / 2)), i;
	/* Of exactly the size that may be read */
	unsigned long *stack = aligned_alloc(16, words * 8);
	unsigned long low = (unsigned long)stack, end = low + words * 8;
	struct unwind_frame frame, old;

	for (i = 0; i < words; i++)
		stack[i] = rnd() % 4 ? low + rnd() % (words * 8) : rnd();
	frame.pc = rnd();
	frame.lr = rnd();
	frame.sp = rnd() % 8 ? low + (rnd() % (words * 8) & ~15UL) : low + words * 8;
	frame.fp = rnd() % 4 ? low + rnd() % (words * 8 + 32) : rnd();
	old = frame;

	if (unwind_rule_apply(rule, &frame, end)) {
		assert(frame.sp >= old.sp && frame.sp <= end);
		assert(frame.sp % 16 == 0);
		reliable++;
	} else {
		unreliable++;
	}
	free(stack);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 10000, i, j;
	u64 refused = 0, accepted = 0, found = 0, none = 0, changed = 0;
	const struct unwind_table_header *hdr;
	struct unwind_table good, bad;
	struct unwind_rule a, b;
	unsigned char *data;
	size_t size;

	if (argc < 2) {
		fprintf(stderr, "Usage: %s TABLE [ROUNDS [SEED]]\n", argv[0]);
		return 2;
	}
	state = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	state = state * 2 + 1;
	data = read_file(argv[1], &size);
	hdr = (void *)data;
	good = (struct unwind_table) {
		.data = data, .size = size,
		.text = TEXT, .text_size = hdr->text_size,
	};
	assert(!unwind_table_check(&good));
	assert(!unwind_table_find(&good, TEXT - 4, &a));
	assert(!unwind_table_find(&good, TEXT + hdr->text_size, &a));
	assert(!unwind_table_find(&good, 0, &a));
	assert(!unwind_table_find(&good, ~0UL, &a));

	for (i = 0; i < rounds; i++) {
		unsigned char *copy;
		bool fixed = false;
		int ok;

		bad = good;
		if (rnd() % 4 == 0)
			bad.size = rnd() % size;
		/* Exactly as much as there is, or reads beyond it pass unseen */
		copy = malloc(bad.size ? bad.size : 1);
		memcpy(copy, data, bad.size);
		bad.data = copy;
		if (rnd() % 8)
			damage(copy, bad.size);
		if (rnd() % 2) {
			fix_sum(copy, bad.size);
			fixed = true;
		}
		if (rnd() % 16 == 0)
			bad.text_size = rnd() % (2 * good.text_size);

		ok = !unwind_table_check(&bad);
		if (ok)
			accepted++;
		else
			refused++;
		/* A look-up has to bear even what the check refuses */
		for (j = 0; j < LOOKUPS; j++) {
			unsigned long pc = TEXT + (rnd() % (hdr->text_size + 64) & ~3UL);
			bool was = unwind_table_find(&good, pc, &a);

			if (rnd() % 64 == 0)
				pc = rnd();
			if (!unwind_table_find(&bad, pc, &b)) {
				none++;
				continue;
			}
			found++;
			if (ok && (!was || memcmp(&a, &b, sizeof(a)))) {
				/* Damage that nobody meant passes unseen never */
				assert(fixed);
				changed++;
			}
			unwind_rule_has_frame_record(&b);
			walk_one(&b);
		}
		free(copy);
	}
	free(data);
	printf("%lu damaged tables: %lu refused, %lu accepted\n", rounds,
	       (unsigned long)refused, (unsigned long)accepted);
	printf("%lu look-ups with a rule, %lu without\n", (unsigned long)found,
	       (unsigned long)none);
	printf("%lu rules were others, all of tables whose sums were made right\n",
	       (unsigned long)changed);
	printf("%lu steps on damaged stacks, %lu refused\n",
	       (unsigned long)reliable, (unsigned long)unreliable);
	return 0;
}
