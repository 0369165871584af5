// SPDX-License-Identifier: GPL-2.0
/*
 * Target module of the tests for live-patch relocations: test_klp_reloc_patch
 * replaces run() here, and refers to everything else that is in here.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>

#include "reloc.h"

static bool fail_init;
module_param(fail_init, bool, 0444);
MODULE_PARM_DESC(fail_init, "Fail the module's init function (default=false)");

/*
 * Modules are placed first-fit. Do not fit into a gap that init sections have
 * left ahead of the filler that a test has put in between.
 */
asm(".pushsection .text.pad, \"ax\", %progbits\n"
	".fill 327680, 4, 0xd503201f\n"
	".popsection");

static u8 test_klp_reloc_var[32] __used __aligned(16) = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

noinline int KLP_RELOC_EXPORTED(void)
{
	return TEST_KLP_RELOC_EXPORTED;
}
EXPORT_SYMBOL_GPL(KLP_RELOC_EXPORTED);

static noinline __used int test_klp_reloc_static(void)
{
	return TEST_KLP_RELOC_STATIC;
}

static noinline __used int test_klp_reloc_twin(void)
{
	return TEST_KLP_RELOC_TWIN1;
}

/* Returns how many relocations the patch has found right, or a negative error */
static noinline int test_klp_reloc_run(const struct test_klp_reloc_truth *truth)
{
	/* The compiler must not make a version without the argument. */
	OPTIMIZER_HIDE_VAR(truth);
	return truth ? -ENODEV : -EINVAL;
}

static int run_get(char *buffer, const struct kernel_param *kp)
{
	struct test_klp_reloc_truth truth = {
		.var = (unsigned long)test_klp_reloc_var,
		.exported = (unsigned long)KLP_RELOC_EXPORTED,
	};

	return sysfs_emit(buffer, "%d\n", test_klp_reloc_run(&truth));
}

static const struct kernel_param_ops run_ops = {
	.get = run_get,
};
module_param_cb(run, &run_ops, NULL, 0400);
MODULE_PARM_DESC(run, "Read: call the function that is to be patched");

static int __init test_klp_reloc_target_init(void)
{
	return fail_init ? -ENODEV : 0;
}

static void __exit test_klp_reloc_target_exit(void)
{
}

module_init(test_klp_reloc_target_init);
module_exit(test_klp_reloc_target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: target of relocations");
