// SPDX-License-Identifier: GPL-2.0
/*
 * Takes up module space, so that what is loaded after it is not within branch
 * range (128 MiB) of what was loaded before it. The Makefile builds it in
 * several sizes, test_klp_filler<MiB>.
 */

#include <linux/module.h>
#include <linux/sizes.h>

static char filler[FILLER_MIB * SZ_1M] __used;

static int __init test_klp_filler_init(void)
{
	return 0;
}

static void __exit test_klp_filler_exit(void)
{
}

module_init(test_klp_filler_init);
module_exit(test_klp_filler_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: takes up module space");
