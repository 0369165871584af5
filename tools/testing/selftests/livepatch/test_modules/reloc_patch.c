// SPDX-License-Identifier: GPL-2.0
/*
 * Live patch with relocations of every type against its target. The replaced
 * function checks them all, and parameters tell if the patch has the bytes of
 * its module file.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpufeature.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/stringify.h>
#include <linux/unaligned.h>

#include <asm/insn.h>

#include "reloc.h"
#include "reloc_copies.h"

static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "Replace all other live patches (default=false)");

static bool fail_pre_patch;
module_param(fail_pre_patch, bool, 0644);
MODULE_PARM_DESC(fail_pre_patch, "Fail the pre-patch callback (default=false)");

/* One relocation type and how it went */
static int passed, failed;

static void check(const char *name, u64 got, u64 want)
{
	if (got == want) {
		passed++;
		return;
	}

	failed++;
	pr_err("%s: got %#llx, want %#llx\n", name, got, want);
}

#define CHECK(got, want) check(#got, (u64)(got), (u64)(want))
#define GET(var) get_unaligned((const typeof(var) *)({			\
	const void *p = &(var);						\
	OPTIMIZER_HIDE_VAR(p);						\
	p; }))

#define CHECK_DATA(prefix)						\
do {									\
	CHECK(GET(prefix##_abs64), truth->var);				\
	CHECK(GET(prefix##_prel64), truth->var - (u64)&prefix##_prel64);\
	CHECK(GET(prefix##_prel32), truth->var - (u64)&prefix##_prel32);\
	CHECK(GET(prefix##_abs32), TEST_KLP_RELOC_ABS32);		\
	CHECK(GET(prefix##_abs16), TEST_KLP_RELOC_ABS16);		\
	CHECK(GET(prefix##_odd_abs64), truth->exported);		\
	CHECK(GET(prefix##_odd_prel32),					\
	      truth->var - (u64)&prefix##_odd_prel32);			\
	CHECK(GET(prefix##_odd_abs16), TEST_KLP_RELOC_ABS16);		\
} while (0)

static int klp_reloc_run(const struct test_klp_reloc_truth *truth)
{
	passed = 0;
	failed = 0;

	CHECK(klp_t_call26(), TEST_KLP_RELOC_EXPORTED);
	CHECK(klp_t_call26_again(), TEST_KLP_RELOC_EXPORTED);
	CHECK(klp_t_jump26(), TEST_KLP_RELOC_STATIC);
	CHECK(klp_t_twin1(), TEST_KLP_RELOC_TWIN1);
	CHECK(klp_t_twin2(), TEST_KLP_RELOC_TWIN2);
	CHECK(klp_t_condbr19(), TEST_KLP_RELOC_BEFORE);
	CHECK(klp_t_cbz(), TEST_KLP_RELOC_AFTER);
	CHECK(klp_t_tstbr14(), TEST_KLP_RELOC_AFTER);

	CHECK(klp_t_adrp_add(), truth->var);
	CHECK(klp_t_erratum(), truth->var);
	CHECK(klp_t_ldst8(), 0x01);
	CHECK(klp_t_ldst16(), 0x0201);
	CHECK(klp_t_ldst32(), 0x04030201);
	CHECK(klp_t_ldst64(), 0x0807060504030201);
	CHECK((GET(klp_p_ldst128) >> 10) & 0xfff, (truth->var & 0xfff) >> 4);
	CHECK(klp_t_adr(), &klp_local_word);
	CHECK(klp_t_ld_lo19(), TEST_KLP_RELOC_WORD);

	CHECK(klp_t_uabs_g3(), truth->var);
	CHECK(klp_t_uabs_g0(), TEST_KLP_RELOC_ABS16);
	CHECK(klp_t_uabs_g1(), TEST_KLP_RELOC_ABS32 & ~0xffffULL);
	CHECK(klp_t_uabs_g2(), TEST_KLP_RELOC_ABS48 & ~0xffffffffULL);
	CHECK(klp_t_sabs_g0(), TEST_KLP_RELOC_ABS16);
	CHECK(klp_t_sabs_g0_neg(), TEST_KLP_RELOC_NEG16);
	CHECK(klp_t_sabs_g1_neg(), ~(0x1234ULL << 16));
	CHECK(klp_t_sabs_g2_neg(), ~(0x1234ULL << 32));
	CHECK(klp_t_prel_g3(), truth->var);
	CHECK(klp_t_prel_g2(), klp_local_before);
	CHECK(klp_t_prel_g1(), klp_local_after);
	CHECK(klp_t_prel_g0(), klp_local_before);

	CHECK_DATA(klp_data);
	CHECK_DATA(klp_rodata);
	CHECK_DATA(klp_roai);
	CHECK(GET(klp_data_prel16), klp_local_data - (char *)&klp_data_prel16);

	return failed ? -failed : passed;
}

static const char zeroes[8];

/* How many bytes of all places, and of the sections around them, have changed */
static int changed_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int changed = copies_changed();

	/* .data has places, too, all of which were zero. */
#define DIFFER(var)	differ(#var, &(var), zeroes, sizeof(var))
	changed += DIFFER(klp_data_abs64);
	changed += DIFFER(klp_data_prel64);
	changed += DIFFER(klp_data_prel32);
	changed += DIFFER(klp_data_abs32);
	changed += DIFFER(klp_data_abs16);
	changed += DIFFER(klp_data_odd_abs64);
	changed += DIFFER(klp_data_odd_prel32);
	changed += DIFFER(klp_data_odd_abs16);
	changed += DIFFER(klp_data_prel16);

	return sysfs_emit(buffer, "%u\n", changed);
}

static const struct kernel_param_ops changed_ops = {
	.get = changed_get,
};
module_param_cb(changed, &changed_ops, NULL, 0400);
MODULE_PARM_DESC(changed, "Read: number of bytes that differ from the module file");

/*
 * The first pointer of each kind of data, which has to be NULL as long as the
 * target is not there: nobody may use what it pointed to.
 */
static int stale_get(char *buffer, const struct kernel_param *kp)
{
	const u64 ptrs[] = {
		GET(klp_data_abs64), GET(klp_rodata_abs64), GET(klp_roai_abs64)
	};
	unsigned int i, stale = 0;

	for (i = 0; i < ARRAY_SIZE(ptrs); i++) {
		if (ptrs[i])
			stale += 1 + READ_ONCE(*(u8 *)ptrs[i]);
	}

	return sysfs_emit(buffer, "%u\n", stale);
}

static const struct kernel_param_ops stale_ops = {
	.get = stale_get,
};
module_param_cb(stale, &stale_ops, NULL, 0400);
MODULE_PARM_DESC(stale, "Read: follow pointers to the target, 0 if there are none");

/* Does this CPU need the workaround, and at how many of the two places is it? */
static int veneers_get(char *buffer, const struct kernel_param *kp)
{
	const u32 *places = &klp_p_erratum;
	unsigned int i, branches = 0;

	if (!IS_ENABLED(CONFIG_ARM64_ERRATUM_843419) ||
	    !cpus_have_cap(ARM64_WORKAROUND_843419))
		return sysfs_emit(buffer, "none\n");

	OPTIMIZER_HIDE_VAR(places);
	for (i = 0; i < 2; i++)
		branches += aarch64_insn_is_b(le32_to_cpu((__force __le32)places[i]));

	return sysfs_emit(buffer, "%u\n", branches);
}

static const struct kernel_param_ops veneers_ops = {
	.get = veneers_get,
};
module_param_cb(veneers, &veneers_ops, NULL, 0400);
MODULE_PARM_DESC(veneers, "Read: how many ADRPs branch to veneers, or none: the CPU needs none");

/* A kprobe in the place of a relocation: nothing may overwrite that. */
static int probe_handler(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe kprobe;

static int probe_set(const char *val, const struct kernel_param *kp)
{
	unsigned int how;
	int ret;

	ret = kstrtouint(val, 0, &how);
	if (ret)
		return ret;

	if (!how) {
		unregister_kprobe(&kprobe);
		return 0;
	}

	memset(&kprobe, 0, sizeof(kprobe));
	if (how == 3)
		kprobe.symbol_name = "test_klp_reloc_patch:klp_p_jump26";
	else
		kprobe.addr = (kprobe_opcode_t *)&klp_p_jump26;
	kprobe.pre_handler = probe_handler;
	if (how == 2)
		kprobe.flags = KPROBE_FLAG_DISABLED;
	return register_kprobe(&kprobe);
}

static const struct kernel_param_ops probe_ops = {
	.set = probe_set,
};
module_param_cb(probe, &probe_ops, NULL, 0200);
MODULE_PARM_DESC(probe, "Write: 1 puts a kprobe into a place, 2 a disabled one, 3 one into that of test_klp_reloc_patch, 0 removes it");

static int pre_patch(struct klp_object *obj)
{
	return fail_pre_patch ? -ENODEV : 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "test_klp_reloc_run",
		.new_func = klp_reloc_run,
	}, {}
};

static struct klp_object objs[] = {
	{
		.name = __stringify(KLP_TARGET),
		.funcs = funcs,
		.callbacks.pre_patch = pre_patch,
	}, {}
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init test_klp_reloc_patch_init(void)
{
	int ret;

	ret = make_copies();
	if (ret)
		return ret;

	patch.replace = replace;
	ret = klp_enable_patch(&patch);
	if (ret)
		free_copies();
	return ret;
}

static void __exit test_klp_reloc_patch_exit(void)
{
	/* It would outlive the module. Nothing happens if there is none. */
	unregister_kprobe(&kprobe);
	free_copies();
}

module_init(test_klp_reloc_patch_init);
module_exit(test_klp_reloc_patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: relocations of all types");
