// SPDX-License-Identifier: GPL-2.0
/*
 * Live patch for two modules, each with a relocation of its own. Both replaced
 * functions return what the one they call in their module returns.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#include "reloc.h"
#include "reloc_copies.h"

#define CALLER(func, target, symbol)						\
asm(".pushsection .text, \"ax\"\n"						\
	".weak \".klp.sym." target "." symbol ",0\"\n"				\
	".set " #func "_callee, \".klp.sym." target "." symbol ",0\"\n"		\
	".globl " #func "\n"							\
	#func ":\n"								\
	"9:	b " #func "_callee\n"						\
	".pushsection __klp_relocs." target ", \"a\"\n"				\
	".balign 8\n"								\
	".quad 9b, " #func "_callee\n"						\
	".long 282, 0\n"	/* R_AARCH64_JUMP26 */					\
	".popsection\n"								\
	".popsection\n")

CALLER(call_target, "test_klp_reloc_target", "test_klp_reloc_exported");
CALLER(call_target2, "test_klp_reloc_target2", "test_klp_reloc_exported2");

static int klp_reloc_run(const struct test_klp_reloc_truth *truth)
{
	return call_target();
}

static int klp_reloc_run2(const struct test_klp_reloc_truth *truth)
{
	return call_target2();
}

static int changed_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n", copies_changed());
}

static const struct kernel_param_ops changed_ops = {
	.get = changed_get,
};
module_param_cb(changed, &changed_ops, NULL, 0400);
MODULE_PARM_DESC(changed, "Read: number of bytes that differ from the module file");

static struct klp_func funcs[] = {
	{
		.old_name = "test_klp_reloc_run",
		.new_func = klp_reloc_run,
	}, {}
};

static struct klp_func funcs2[] = {
	{
		.old_name = "test_klp_reloc_run",
		.new_func = klp_reloc_run2,
	}, {}
};

static struct klp_object objs[] = {
	{
		.name = "test_klp_reloc_target",
		.funcs = funcs,
	}, {
		.name = "test_klp_reloc_target2",
		.funcs = funcs2,
	}, {}
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init test_klp_reloc_multi_init(void)
{
	int ret;

	ret = make_copies();
	if (ret)
		return ret;

	ret = klp_enable_patch(&patch);
	if (ret)
		free_copies();
	return ret;
}

static void __exit test_klp_reloc_multi_exit(void)
{
	free_copies();
}

module_init(test_klp_reloc_multi_init);
module_exit(test_klp_reloc_multi_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: relocations for two modules");
