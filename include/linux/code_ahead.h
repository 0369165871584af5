/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function can have code of its own ahead of its entry, where an address seems
 * to belong to the function in front.
 */
#ifndef _LINUX_CODE_AHEAD_H
#define _LINUX_CODE_AHEAD_H

#include <linux/kconfig.h>

/* For CONFIG_ARCH_HAS_CODE_AHEAD_OF_FUNCTIONS, callable in any context */
unsigned long arch_code_ahead_of_function(unsigned long addr);

/**
 * code_ahead_of_function() - find the function that code ahead of one belongs to
 * @addr: any address
 *
 * Return: the distance in bytes from @addr to the entry of the function if the
 *	   instruction at @addr belongs to it and is ahead of its entry, else 0.
 */
static inline unsigned long code_ahead_of_function(unsigned long addr)
{
	if (!IS_ENABLED(CONFIG_ARCH_HAS_CODE_AHEAD_OF_FUNCTIONS))
		return 0;

	return arch_code_ahead_of_function(addr);
}

#endif /* _LINUX_CODE_AHEAD_H */
