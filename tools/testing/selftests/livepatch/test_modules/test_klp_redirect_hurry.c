// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/workqueue.h>

/*
 * A transition that does not complete at once is looked after once a second.
 * This makes it @ms milliseconds, for tests that make thousands of them:
 * nothing else of livepatch is changed.
 */
static unsigned int ms = 10;
module_param(ms, uint, 0600);
MODULE_PARM_DESC(ms, "time between two looks at a transition in milliseconds");

static unsigned int hits;
module_param(hits, uint, 0400);
MODULE_PARM_DESC(hits, "how often a look was brought forward");

/* Where klp_transition_work_fn() begins, or its patch site soon after that */
static unsigned long work_fn;

static int hurry(struct kprobe *kp, struct pt_regs *regs)
{
	struct delayed_work *work;

	work = (struct delayed_work *)regs_get_kernel_argument(regs, 2);
	if (work_fn - (unsigned long)work->work.func > 16)
		return 0;

	hits++;
#ifdef CONFIG_ARM64
	regs->regs[3] = msecs_to_jiffies(ms);
#endif
	return 0;
}

static struct kprobe kp = {
	.symbol_name = "queue_delayed_work_on",
	.pre_handler = hurry,
};

static int test_klp_redirect_hurry_init(void)
{
	struct kprobe find = { .symbol_name = "klp_transition_work_fn" };
	int ret;

	if (!IS_ENABLED(CONFIG_ARM64))
		return -EOPNOTSUPP;

	ret = register_kprobe(&find);
	if (ret)
		return ret;
	work_fn = (unsigned long)find.addr;
	unregister_kprobe(&find);

	return register_kprobe(&kp);
}

static void test_klp_redirect_hurry_exit(void)
{
	unregister_kprobe(&kp);
}

module_init(test_klp_redirect_hurry_init);
module_exit(test_klp_redirect_hurry_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: look more often whether a transition is complete");
