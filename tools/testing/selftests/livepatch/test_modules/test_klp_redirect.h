/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that the redirect tests patch: one of each kind of argument,
 * linkage and context. Each function is called with the same arguments as its
 * original, has to find them intact, and tells its version.
 */
#ifndef _TEST_KLP_REDIRECT_H
#define _TEST_KLP_REDIRECT_H

#include <linux/types.h>

/* Passed by reference to a copy of the caller's, and returned through X8 */
struct klp_redirect_big {
	long word[9];
};

/* Passed in two registers, or on the stack when these are used up */
struct klp_redirect_pair {
	long a, b;
};

/**
 * struct klp_redirect_chain - a chain of calls of patched functions
 * @mid: the second function of the chain, calls @leaf
 * @leaf: the last one, tells its version
 * @mixed: calls that met another version than the first function's
 * @nap: let @leaf sleep
 * @stall: the first function does not go on as long as this says so, or NULL
 */
struct klp_redirect_chain {
	int (*mid)(struct klp_redirect_chain *chain);
	int (*leaf)(struct klp_redirect_chain *chain);
	unsigned long mixed;
	bool nap;
	bool *stall;
};

/*
 * What a function returns: its version if it found its arguments intact. Nobody
 * who calls it may know that beforehand.
 */
#define KLP_REDIRECT_OK(version, good)			\
({							\
	int __version = (good) ? (version) : -1;	\
							\
	OPTIMIZER_HIDE_VAR(__version);			\
	__version;					\
})

/* Functions of one module that the other ones know */
int redirect_recursive(int depth);
int redirect_exported(long a, long b);

/* Trampolines for direct calls, and what they call */
void test_klp_redirect_hit(void);
void test_klp_redirect_return(void);
void test_klp_redirect_tramp(void *ptr);
void test_klp_redirect_shared_tramp(void *ptr);

#endif
