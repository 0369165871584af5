/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Version VERSION of the functions, under the names that FN() makes. Included
 * by the module that has the originals and by the live patches.
 */

LINKAGE noinline __noclone int FN(none)(void)
{
	return KLP_REDIRECT_OK(VERSION, true);
}

LINKAGE noinline __noclone int FN(eight)(long a, long b, long c, long d, long e, long f, long g,
					 long h)
{
	return KLP_REDIRECT_OK(VERSION, a == 1 && b == 2 && c == 3 && d == 4 &&
					e == 5 && f == 6 && g == 7 && h == 8);
}

LINKAGE noinline __noclone int FN(nine)(long a, long b, long c, long d, long e, long f, long g,
					long h, long i)
{
	return KLP_REDIRECT_OK(VERSION, a == 1 && b == 2 && c == 3 && d == 4 &&
					e == 5 && f == 6 && g == 7 && h == 8 &&
					i == 9);
}

/* Arguments on the stack of different sizes, and a struct among them */
LINKAGE noinline __noclone int FN(twelve)(long a, int b, char c, long d, long e, long f,
					  struct klp_redirect_pair g, char h, short i, int j,
					  long k, u64 l)
{
	return KLP_REDIRECT_OK(VERSION, a == 1 && b == 2 && c == 3 && d == 4 &&
					e == 5 && f == 6 && g.a == 7 &&
					g.b == 70 && h == 8 && i == 9 &&
					j == 10 && k == 11 && l == 12);
}

LINKAGE noinline __noclone struct klp_redirect_big FN(big)(struct klp_redirect_big arg,
							   long last)
{
	struct klp_redirect_big ret = arg;
	int i;

	for (i = 0; i < 8; i++)
		if (arg.word[i] != i + 1)
			last = 0;
	ret.word[8] = KLP_REDIRECT_OK(VERSION, last == 99);
	return ret;
}

LINKAGE noinline __noclone int FN(variadic)(int nr, ...)
{
	bool good = true;
	va_list args;
	int i;

	va_start(args, nr);
	for (i = 1; i <= nr; i++)
		if (va_arg(args, long) != i)
			good = false;
	va_end(args);

	return KLP_REDIRECT_OK(VERSION, good);
}

LINKAGE noinline __noclone int FN(irq)(void *data)
{
	return KLP_REDIRECT_OK(VERSION, data && (in_hardirq() || irqs_disabled()));
}

/* Called by the idle tasks */
LINKAGE noinline __noclone int FN(idle)(unsigned int state, unsigned int cpu)
{
	return KLP_REDIRECT_OK(VERSION, is_idle_task(current) &&
					cpu == raw_smp_processor_id() && state);
}

LINKAGE noinline __noclone int FN(leaf)(struct klp_redirect_chain *chain)
{
	if (chain->nap)
		usleep_range(50, 200);
	return KLP_REDIRECT_OK(VERSION, true);
}

LINKAGE noinline __noclone int FN(mid)(struct klp_redirect_chain *chain)
{
	if (chain->leaf(chain) != VERSION)
		chain->mixed++;
	return KLP_REDIRECT_OK(VERSION, true);
}

/*
 * The first function of a chain. A task cannot change over to another version
 * while it is in here, so everything that it calls has to be of the same one.
 */
LINKAGE noinline __noclone int FN(first)(struct klp_redirect_chain *chain)
{
	int i;

	while (chain->stall && READ_ONCE(*chain->stall))
		msleep(20);

	for (i = 0; i < 20; i++) {
		if (chain->mid(chain) != VERSION || chain->leaf(chain) != VERSION)
			chain->mixed++;
		if (i % 8 == 7)
			cond_resched();
	}
	return KLP_REDIRECT_OK(VERSION, true);
}
