/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For live patches of the tests: how many bytes of the patch differ from its
 * module file, and how many PLT entries it uses. Include it once in a module.
 */
#ifndef _RELOC_COPIES_H
#define _RELOC_COPIES_H

#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/slab.h>

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

	/* A section has red zones between its variables. */
	kasan_disable_current();
	memcpy(c->bytes, c->sec, c->size);
	kasan_enable_current();
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

/* No pr_debug(): that would warn when an allocation of its own fails. */
static unsigned int differ(const char *what, const void *now, const void *then,
			   size_t size)
{
	unsigned int changed = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		if (((u8 *)now)[i] == ((u8 *)then)[i])
			continue;
		if (!changed++)
			pr_info("%s: byte %zu is %02x\n", what, i, ((u8 *)now)[i]);
	}

	return changed;
}

/* How many bytes of these sections have changed */
static unsigned int copies_changed(void)
{
	unsigned int i, changed = 0;

	kasan_disable_current();
	for (i = 0; i < num_copies; i++)
		changed += differ(copies[i].name, copies[i].sec,
				  copies[i].bytes, copies[i].size);
	kasan_enable_current();

	return changed;
}

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

#endif /* _RELOC_COPIES_H */
