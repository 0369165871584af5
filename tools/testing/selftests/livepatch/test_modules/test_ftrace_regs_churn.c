// SPDX-License-Identifier: GPL-2.0
/*
 * Tracers and probes that come and go at a patch site while tasks and an
 * interrupt are on their way through it: more tasks than CPUs, so that some of
 * them are preempted in ftrace_caller and ftrace_regs_caller and go on when
 * somebody else owns the site.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ftrace.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>

#include "test_ftrace_regs.h"

#define MAX_TASKS	8

static unsigned int rounds = 60;
module_param(rounds, uint, 0);
MODULE_PARM_DESC(rounds, "how many tracers and probes come or go under load");

/* The ninth argument is on the stack */
static noinline u64 churned(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g,
			    u64 h, u64 i)
{
	barrier();
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}

static atomic64_t calls, wrong;

static void call_churned(u64 a)
{
	u64 ret = churned(a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7,
			  a + 8);

	/* 1 * 0 + 2 * 1 + ... + 9 * 8 */
	if (ret != 45 * a + 240)
		atomic64_inc(&wrong);
	atomic64_inc(&calls);
}

static int caller_task(void *unused)
{
	u64 a = 0;

	while (!kthread_should_stop()) {
		for (int i = 0; i < 2000; i++)
			call_churned(a++);
		/* Whoever leaves the patch site waits for tasks to sleep */
		usleep_range(20, 50);
	}

	return 0;
}

static struct hrtimer timer;

static enum hrtimer_restart call_in_irq(struct hrtimer *t)
{
	call_churned(7);
	hrtimer_forward_now(t, us_to_ktime(300));

	return HRTIMER_RESTART;
}

/* Are these the registers of such a call? */
static bool args_agree(const struct pt_regs *regs)
{
	for (int i = 1; i < 8; i++) {
		if (regs->regs[i] != regs->regs[0] + i)
			return false;
	}

	return *(u64 *)regs->sp == regs->regs[0] + 8;
}

enum { ARGS, REGS, DIRECT, PLAIN, WITH_POST, RETURNS, NR_USERS };

static struct ftrace_ops args_ops, regs_ops;
static atomic_t hits[NR_USERS], post_hits, bad_hits;

static void notrace count_args(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	/* Without call ops, the ops is loaded apart from the call */
	if (IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS) && ops != &args_ops)
		atomic_inc(&bad_hits);
	if (ftrace_regs_get_argument(fregs, 1) !=
	    ftrace_regs_get_argument(fregs, 0) + 1)
		atomic_inc(&bad_hits);
	atomic_inc(&hits[ARGS]);
}

static void notrace count_regs(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);

	if (IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS) && ops != &regs_ops)
		atomic_inc(&bad_hits);
	if (regs && !args_agree(regs))
		atomic_inc(&bad_hits);
	atomic_inc(&hits[REGS]);
}

static struct ftrace_ops args_ops = {
	.func = count_args,
};

static struct ftrace_ops regs_ops = {
	.func = count_regs,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
};

static struct ftrace_ops direct_ops;

static struct kprobe plain, with_post;
static struct kretprobe returns;

static int __kprobes count_pre(struct kprobe *p, struct pt_regs *regs)
{
	if (!args_agree(regs))
		atomic_inc(&bad_hits);
	atomic_inc(&hits[p == &plain ? PLAIN : WITH_POST]);

	return 0;
}

static void __kprobes count_post(struct kprobe *p, struct pt_regs *regs,
				 unsigned long flags)
{
	atomic_inc(&post_hits);
}

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	atomic_inc(&hits[RETURNS]);
	return 0;
}

static bool is_on[NR_USERS];
static int left_at[NR_USERS];

static int user_on(int user)
{
	switch (user) {
	case ARGS:
		return test_regs_trace(&args_ops, churned);
	case REGS:
		return test_regs_trace(&regs_ops, churned);
	case DIRECT:
		return ftrace_set_filter_ip(&direct_ops, (unsigned long)churned, 0, 0) ?:
			register_ftrace_direct(&direct_ops,
					       (unsigned long)test_regs_direct);
	case PLAIN:
		plain = (struct kprobe) {
			.addr = (kprobe_opcode_t *)churned,
			.pre_handler = count_pre,
		};
		return register_kprobe(&plain);
	case WITH_POST:
		with_post = (struct kprobe) {
			.addr = (kprobe_opcode_t *)churned,
			.pre_handler = count_pre,
			.post_handler = count_post,
		};
		return register_kprobe(&with_post);
	case RETURNS:
		returns = (struct kretprobe) {
			.kp.addr = (kprobe_opcode_t *)churned,
			.handler = count_return,
			.maxactive = 2 * MAX_TASKS,
		};
		return register_kretprobe(&returns);
	}

	return -EINVAL;
}

static void user_off(int user)
{
	switch (user) {
	case ARGS:
		test_regs_untrace(&args_ops, churned);
		break;
	case REGS:
		test_regs_untrace(&regs_ops, churned);
		break;
	case DIRECT:
		unregister_ftrace_direct(&direct_ops,
					 (unsigned long)test_regs_direct, true);
		break;
	case PLAIN:
		unregister_kprobe(&plain);
		break;
	case WITH_POST:
		unregister_kprobe(&with_post);
		break;
	case RETURNS:
		unregister_kretprobe(&returns);
		break;
	}
}

static int hits_of(int user)
{
	return user == DIRECT ? READ_ONCE(test_regs_direct_calls) :
				atomic_read(&hits[user]);
}

/* Both can set PC, which ftrace allows to one of them */
static bool refused(int user)
{
	return (user == WITH_POST && is_on[DIRECT]) ||
	       (user == DIRECT && is_on[WITH_POST]);
}

void test_regs_churn(void)
{
	int nr_tasks = min_t(int, num_online_cpus() + 2, MAX_TASKS);
	struct task_struct *tasks[MAX_TASKS] = {};
	unsigned long site = 0;
	struct rnd_state rnd;
	bool bad = false;
	u64 before;

	test_regs_direct_calls = 0;
	prandom_seed_state(&rnd, 0x5eed);
	hrtimer_setup(&timer, call_in_irq, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	for (int i = 0; i < nr_tasks; i++) {
		tasks[i] = kthread_run(caller_task, NULL, "test_ftrace_regs/%d", i);
		if (!check(!IS_ERR(tasks[i])))
			goto out;
	}
	hrtimer_start(&timer, us_to_ktime(300), HRTIMER_MODE_REL_HARD);

	for (unsigned int i = 0; i < rounds && !bad; i++) {
		/* Each of them first, and then any */
		int user = i < NR_USERS ? i : prandom_u32_state(&rnd) % NR_USERS;
		int ret;

		if (is_on[user]) {
			user_off(user);
			is_on[user] = false;
			left_at[user] = hits_of(user);
		} else {
			/* Nobody is called who has left, a direct call excepted */
			if (!check(user == DIRECT || hits_of(user) == left_at[user]))
				pr_info("# round %u: %d is called still\n", i, user);
			ret = user_on(user);
			is_on[user] = !ret;
			if (!check(refused(user) ? ret < 0 : ret == 0))
				pr_info("# round %u: %d is %d\n", i, user, ret);
			if (user == PLAIN && !ret)
				site = (unsigned long)plain.addr;
		}

		before = atomic64_read(&calls);
		for (int j = 0; j < 100 && atomic64_read(&calls) < before + 1000; j++)
			msleep(20);
		if (!check(atomic64_read(&calls) >= before + 1000))
			pr_info("# round %u: calls have stopped\n", i);
	}
	for (int user = 0; user < NR_USERS; user++) {
		if (is_on[user])
			user_off(user);
		is_on[user] = false;
		check(hits_of(user) != 0);
	}
out:
	hrtimer_cancel(&timer);
	for (int i = 0; i < nr_tasks; i++) {
		if (!IS_ERR_OR_NULL(tasks[i]))
			kthread_stop(tasks[i]);
	}
	check(atomic64_read(&wrong) == 0);
	check(atomic_read(&bad_hits) == 0);
	check(atomic_read(&post_hits) != 0);
	check(site && test_regs_branch_target(site) == 0);
	pr_info("# %lld calls, hits %d %d %d %d %d %d\n", (s64)atomic64_read(&calls),
		hits_of(ARGS), hits_of(REGS), hits_of(DIRECT), hits_of(PLAIN),
		hits_of(WITH_POST), hits_of(RETURNS));
	ftrace_free_filter(&args_ops);
	ftrace_free_filter(&regs_ops);
	ftrace_free_filter(&direct_ops);
	test_regs_report(bad, "tracers and kprobes that come and go under load");
}
