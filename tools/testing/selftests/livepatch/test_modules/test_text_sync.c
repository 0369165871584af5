// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

/*
 * Does any CPU still run an instruction that was replaced, after all of them
 * were synchronised? The instruction is that of a static key, so that nothing of
 * ftrace or livepatch has a part in this. A machine on which the answer is yes
 * mixes versions of live-patched functions, too; emulators were seen to.
 */
static DEFINE_STATIC_KEY_FALSE(key);

static unsigned int seconds = 60;
module_param(seconds, uint, 0);
MODULE_PARM_DESC(seconds, "how long the instruction is replaced over and over");

/* Even while the instruction is settled; bit 1 then says which one it is. */
static unsigned int generation;
static atomic_long_t calls;
static atomic_long_t stale;

/* As many places as one change replaces: it is rare that one of them stays. */
static noinline int new_instructions(void)
{
	return static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key) +
	       static_branch_unlikely(&key) + static_branch_unlikely(&key);
}

#define PLACES	16

static void look(void)
{
	/* Pairs with the release in replace(): the instructions are there, too. */
	unsigned int before = smp_load_acquire(&generation);
	int new = new_instructions();

	/* The call comes before this load; pairs with smp_mb() in replace(). */
	smp_mb();
	if (before & 1 || READ_ONCE(generation) != before)
		return;
	atomic_long_inc(&calls);
	if (new != (before & 2 ? PLACES : 0) && atomic_long_inc_return(&stale) == 1)
		pr_info("CPU %d ran a replaced instruction after change %u\n",
			raw_smp_processor_id(), before / 2);
}

static int reader(void *unused)
{
	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 100; i++)
			look();
		cond_resched();
	}
	return 0;
}

static void replace(void)
{
	WRITE_ONCE(generation, generation + 1);
	/* Pairs with that in look(): who sees the new instruction sees this. */
	smp_mb();
	if (generation & 2)
		static_branch_disable(&key);
	else
		static_branch_enable(&key);
	/* Also where the architecture does not do that for static keys */
	kick_all_cpus_sync();
	/* Pairs with the acquire in look(). */
	smp_store_release(&generation, generation + 1);
	cond_resched();
}

static int test_text_sync_init(void)
{
	unsigned long end = jiffies + seconds * HZ;
	struct task_struct **readers;
	unsigned int changes = 0;
	int cpu;

	readers = kcalloc(nr_cpu_ids, sizeof(*readers), GFP_KERNEL);
	if (!readers)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		readers[cpu] = kthread_create_on_cpu(reader, NULL, cpu, "text-sync/%u");
		if (!IS_ERR(readers[cpu]))
			wake_up_process(readers[cpu]);
	}
	for (; time_before(jiffies, end); changes++)
		replace();
	for_each_possible_cpu(cpu)
		if (!IS_ERR_OR_NULL(readers[cpu]))
			kthread_stop(readers[cpu]);
	kfree(readers);
	pr_info("%u changes, %ld calls checked, %ld stale\n", changes,
		atomic_long_read(&calls), atomic_long_read(&stale));
	if (!atomic_long_read(&calls))
		return -ENODATA;
	return atomic_long_read(&stale) ? -EIO : 0;
}

static void test_text_sync_exit(void)
{
}

module_init(test_text_sync_init);
module_exit(test_text_sync_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: are replaced instructions gone?");
