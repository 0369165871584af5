// SPDX-License-Identifier: GPL-2.0
/*
 * Live patch with relocations of every type against its target. The replaced
 * function checks them all, and parameters tell if the patch has the bytes of
 * its module file.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stringify.h>
#include <linux/unaligned.h>

#include "reloc.h"

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

/*
 * Copies of the sections that have late relocations and of the PLT, from the
 * time when no late relocation had been applied.
 */
struct copy {
	const char *name;
	const void *sec;
	void *bytes;
	size_t size;
};

static const char zeroes[8];
static struct copy copies[16];
static unsigned int num_copies;

static int __init copy_section(const Elf_Shdr *sec)
{
	struct copy *c = &copies[num_copies];
	unsigned int i;

	for (i = 0; i < num_copies; i++) {
		if (copies[i].sec == (void *)sec->sh_addr)
			return 0;
	}

	if (num_copies == ARRAY_SIZE(copies))
		return -ENOSPC;

	c->name = THIS_MODULE->klp_info->secstrings + sec->sh_name;
	c->sec = (void *)sec->sh_addr;
	c->size = sec->sh_size;
	c->bytes = kvmalloc(c->size, GFP_KERNEL);
	if (!c->bytes)
		return -ENOMEM;

	memcpy(c->bytes, c->sec, c->size);
	num_copies++;
	return 0;
}

static void free_copies(void)
{
	while (num_copies)
		kvfree(copies[--num_copies].bytes);
}

static const Elf_Shdr *plt_section(void)
{
	return &THIS_MODULE->klp_info->sechdrs[THIS_MODULE->arch.core.plt_shndx];
}

static int __init make_copies(void)
{
	struct klp_modinfo *info = THIS_MODULE->klp_info;
	unsigned int i;
	int ret;

	ret = copy_section(plt_section());
	for (i = 1; i < info->hdr.e_shnum && !ret; i++) {
		const Elf_Shdr *place = &info->sechdrs[info->sechdrs[i].sh_info];

		/* Variables change, by and by. */
		if ((info->sechdrs[i].sh_flags & SHF_RELA_LIVEPATCH) &&
		    strcmp(info->secstrings + place->sh_name, ".data"))
			ret = copy_section(place);
	}

	if (ret)
		free_copies();
	return ret;
}

static unsigned int differ(const char *what, const void *now, const void *then,
			   size_t size)
{
	unsigned int changed = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		if (((u8 *)now)[i] == ((u8 *)then)[i])
			continue;
		if (!changed++)
			pr_debug("%s: byte %zu is %02x\n", what, i, ((u8 *)now)[i]);
	}

	return changed;
}

/* How many bytes of all places, and of the sections around them, have changed */
static int changed_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int i, changed = 0;

	for (i = 0; i < num_copies; i++)
		changed += differ(copies[i].name, copies[i].sec,
				  copies[i].bytes, copies[i].size);

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

static int plt_used_get(char *buffer, const struct kernel_param *kp)
{
	const struct plt_entry *plt = (void *)plt_section()->sh_addr;
	size_t i, used = 0;

	for (i = 0; i < plt_section()->sh_size / sizeof(*plt); i++)
		used += !!memchr_inv(&plt[i], 0, sizeof(*plt));

	return sysfs_emit(buffer, "%zu\n", used);
}

static const struct kernel_param_ops plt_used_ops = {
	.get = plt_used_get,
};
module_param_cb(plt_used, &plt_used_ops, NULL, 0400);
MODULE_PARM_DESC(plt_used, "Read: number of PLT entries in use");

/* A kprobe in the place of a relocation: nothing may overwrite that. */
static int probe_handler(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe kprobe;

static int probe_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;

	if (!on) {
		unregister_kprobe(&kprobe);
		return 0;
	}

	memset(&kprobe, 0, sizeof(kprobe));
	kprobe.addr = (kprobe_opcode_t *)&klp_p_jump26;
	kprobe.pre_handler = probe_handler;
	return register_kprobe(&kprobe);
}

static const struct kernel_param_ops probe_ops = {
	.set = probe_set,
};
module_param_cb(probe, &probe_ops, NULL, 0200);
MODULE_PARM_DESC(probe, "Write: 1 puts a kprobe into a place, 0 removes it");

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
	free_copies();
}

module_init(test_klp_reloc_patch_init);
module_exit(test_klp_reloc_patch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Livepatch test: relocations of all types");
