// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * redirect.c - Branch to replacement functions instead of calling a handler
 *
 * Every call of a patched function calls klp_ftrace_handler(), which chooses
 * among the replacements. Outside of transitions there is nothing to choose:
 * all tasks use the replacement at the top of the function's stack. So once a
 * transition is complete the functions are promoted, ftrace makes them branch
 * to that replacement. Before the next transition that involves them they are
 * demoted and call the handler again.
 *
 * What keeps this in line with the consistency model:
 *
 * - A function is promoted when no transition is in progress. The handler and
 *   the branch lead to the same replacement, it does not matter which one a
 *   call meets.
 *
 * - It is demoted before klp_init_transition(), and ftrace_redirect_clear()
 *   returns when no CPU takes the branch any more. A task that has taken it
 *   before is in the replacement or about to enter it, like one that the handler
 *   has just sent there. It is the stack check that finds both.
 *
 * - Nothing is promoted until klp_complete_transition() is through, be it of
 *   the same patch, of one that was reversed, or of one that was cancelled.
 *
 * Promotion is an optimisation. Where it fails the handler remains in charge.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include "core.h"
#include "patch.h"
#include "redirect.h"
#include "transition.h"

/* Protected by klp_mutex */
static bool klp_redirect_enabled = true;

/*
 * A transition was forced: tasks that the stack check would have found can be
 * anywhere on the way to a replacement. They are not to end up in another one,
 * so nothing is promoted until a grace period of RCU-tasks has passed. Nobody
 * waits for it, for it can take for ever. Protected by klp_mutex.
 */
static bool klp_redirect_held, klp_redirect_held_anew;
static bool klp_redirect_release_queued;
static struct rcu_head klp_redirect_rcu;

/**
 * klp_redirect_note_stacks - note which replacements are not used any more
 *
 * For sysfs. To be called when a transition has begun, and through
 * klp_redirect_promote() when it is over or a module was patched.
 *
 * Context: klp_mutex held.
 */
void klp_redirect_note_stacks(void)
{
	struct klp_func *func;
	struct klp_ops *ops;
	bool used;

	lockdep_assert_held(&klp_mutex);

	klp_for_each_ops(ops) {
		used = true;
		list_for_each_entry(func, &ops->func_stack, stack_node) {
			WRITE_ONCE(func->shadowed, !used);
			/* In a transition, others use the one below */
			if (!func->transition)
				used = false;
		}
	}
}

static void klp_redirect_add(struct klp_ops *ops, struct list_head *list)
{
	struct klp_func *top;

	top = list_first_entry(&ops->func_stack, struct klp_func, stack_node);

	if (!klp_redirect_enabled || ops->fops.redirect.target)
		return;

	/* A nop runs the original function, which cannot branch to itself */
	if (top->nop || WARN_ON_ONCE(top->transition))
		return;

	ops->fops.redirect.target = (unsigned long)top->new_func;
	list_add_tail(&ops->fops.redirect.node, list);
}

static void klp_redirect_release(struct work_struct *work)
{
	guard(mutex)(&klp_mutex);

	klp_redirect_release_queued = false;
	/* The grace period may have begun before another one was forced */
	if (!klp_redirect_held_anew)
		klp_redirect_held = false;
	klp_redirect_promote();
}

static DECLARE_WORK(klp_redirect_work, klp_redirect_release);

static void klp_redirect_release_rcu(struct rcu_head *rcu)
{
	schedule_work(&klp_redirect_work);
}

/**
 * klp_redirect_hold - promote nothing while tasks may be on their way
 *
 * For a transition that is being forced.
 *
 * Context: klp_mutex held.
 */
void klp_redirect_hold(void)
{
	lockdep_assert_held(&klp_mutex);

	klp_redirect_held = true;
	klp_redirect_held_anew = true;
}

/**
 * klp_redirect_promote - let all patched functions branch to their replacements
 *
 * To be called whenever functions may have been demoted or patched since. All
 * of them are changed in one pass. Does nothing while a transition is in
 * progress, its end will do it.
 *
 * Context: klp_mutex held, may sleep.
 */
void klp_redirect_promote(void)
{
	struct ftrace_ops *fops, *tmp;
	struct klp_ops *ops;
	LIST_HEAD(list);

	klp_redirect_note_stacks();

	if (klp_transition_patch)
		return;

	if (klp_redirect_held) {
		if (!klp_redirect_release_queued) {
			klp_redirect_release_queued = true;
			klp_redirect_held_anew = false;
			call_rcu_tasks(&klp_redirect_rcu, klp_redirect_release_rcu);
		}
		return;
	}

	klp_for_each_ops(ops)
		klp_redirect_add(ops, &list);
	if (list_empty(&list))
		return;

	ftrace_redirect_set(&list);

	list_for_each_entry_safe(fops, tmp, &list, redirect.node)
		list_del_init(&fops->redirect.node);
}

/*
 * Demote what is on @list and empty it. If that fails, some of the functions
 * still branch to their replacements, which was said in the log: it is the
 * caller who knows whether to promote the others again.
 */
static int klp_redirect_demote_list(struct list_head *list)
{
	struct ftrace_ops *fops, *tmp;
	int ret;

	if (list_empty(list))
		return 0;

	ret = ftrace_redirect_clear(list);

	list_for_each_entry_safe(fops, tmp, list, redirect.node)
		list_del_init(&fops->redirect.node);

	if (ret)
		pr_warn("failed to demote redirected functions (%d)\n", ret);

	return ret;
}

static void klp_redirect_collect_object(struct klp_object *obj,
					struct list_head *list)
{
	struct klp_func *func;
	struct klp_ops *ops;

	if (!klp_is_object_loaded(obj))
		return;

	klp_for_each_func(obj, func) {
		ops = klp_find_ops(func->old_func);

		/* A function can occur more than once */
		if (ops && ops->fops.redirect.target &&
		    list_empty(&ops->fops.redirect.node))
			list_add_tail(&ops->fops.redirect.node, list);
	}
}

/**
 * klp_redirect_demote - let the functions of a patch call the handler again
 * @patch: the patch that a transition is going to be about
 *
 * Includes functions for which another patch is in effect. To be called before
 * klp_init_transition().
 *
 * Context: klp_mutex held, no transition in progress, may sleep.
 * Return: 0 if no CPU bypasses the handler for any function of @patch any more;
 * otherwise an error of ftrace_redirect_clear(), everything is as before, and
 * there must be no transition.
 */
int klp_redirect_demote(struct klp_patch *patch)
{
	struct klp_object *obj;
	LIST_HEAD(list);
	int ret;

	lockdep_assert_held(&klp_mutex);

	klp_for_each_object(patch, obj)
		klp_redirect_collect_object(obj, &list);

	if (list_empty(&list)) {
		/* Of what ftrace gave up, there may have been branches until now. */
		ftrace_redirect_sync();
		return 0;
	}

	ret = klp_redirect_demote_list(&list);
	if (ret)
		klp_redirect_promote();

	return ret;
}

/**
 * klp_redirect_demote_module - let the functions of a module call the handler
 * @mod: module that is about to go
 *
 * All in one pass. Nobody runs the functions of @mod any more, so should that
 * fail, they keep their branches until the handlers are unregistered one by one.
 * There is no caller who could refuse, and nothing is promoted again: what is
 * left are functions that are about to go.
 *
 * Context: klp_mutex held, may sleep.
 */
void klp_redirect_demote_module(struct module *mod)
{
	struct klp_patch *patch;
	struct klp_object *obj;
	LIST_HEAD(list);

	lockdep_assert_held(&klp_mutex);

	klp_for_each_patch(patch)
		klp_for_each_object(patch, obj)
			if (obj->mod == mod)
				klp_redirect_collect_object(obj, &list);

	klp_redirect_demote_list(&list);
}

/*
 * Sysfs, see Documentation/ABI/testing/sysfs-kernel-livepatch. The files must
 * not take klp_mutex: it is held while they are removed.
 */
static void *klp_func_in_effect(struct klp_func *func)
{
	if (!READ_ONCE(func->patched) || func->nop || READ_ONCE(func->shadowed))
		return NULL;

	/* It goes with the module of the function */
	return READ_ONCE(func->old_func);
}

static ssize_t redirect_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct klp_func *func = container_of(kobj, struct klp_func, kobj);
	void *old_func = klp_func_in_effect(func);
	unsigned long target;
	const char *how;
	int error;

	if (!old_func)
		return sysfs_emit(buf, "none\n");

	switch (ftrace_redirect_state((unsigned long)old_func, &target, &error)) {
	case FTRACE_REDIRECT_NEAR:
		how = "near";
		break;
	case FTRACE_REDIRECT_FAR:
		how = "far";
		break;
	default:
		how = "handler";
		break;
	}

	return sysfs_emit(buf, "%s\n", how);
}

static ssize_t redirect_error_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	struct klp_func *func = container_of(kobj, struct klp_func, kobj);
	void *old_func = klp_func_in_effect(func);
	unsigned long target;
	int error = 0;

	if (old_func)
		ftrace_redirect_state((unsigned long)old_func, &target, &error);

	return sysfs_emit(buf, "%d\n", error);
}

static struct kobj_attribute redirect_kobj_attr = __ATTR_RO(redirect);
static struct kobj_attribute redirect_error_kobj_attr = __ATTR_RO(redirect_error);
static struct attribute *klp_redirect_func_attrs[] = {
	&redirect_kobj_attr.attr,
	&redirect_error_kobj_attr.attr,
	NULL
};

static const struct attribute_group klp_redirect_func_group = {
	.attrs = klp_redirect_func_attrs,
};

const struct attribute_group *klp_redirect_func_groups[] = {
	&klp_redirect_func_group,
	NULL
};

/* The switch: livepatch.redirect= and /sys/module/livepatch/parameters/redirect */
static int klp_redirect_param_set(const char *val, const struct kernel_param *kp)
{
	struct klp_ops *ops;
	LIST_HEAD(list);
	bool enable;
	int ret;

	/* "livepatch.redirect" alone, see KERNEL_PARAM_OPS_FL_NOARG */
	ret = kstrtobool(val ?: "1", &enable);
	if (ret)
		return ret;

	guard(mutex)(&klp_mutex);

	if (enable) {
		klp_redirect_enabled = true;
		klp_redirect_promote();
		return 0;
	}

	klp_for_each_ops(ops)
		if (ops->fops.redirect.target)
			list_add_tail(&ops->fops.redirect.node, &list);

	ret = klp_redirect_demote_list(&list);
	if (ret)
		klp_redirect_promote();
	else
		klp_redirect_enabled = false;

	return ret;
}

static const struct kernel_param_ops klp_redirect_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = klp_redirect_param_set,
	.get = param_get_bool,
};
module_param_cb(redirect, &klp_redirect_param_ops, &klp_redirect_enabled, 0644);
MODULE_PARM_DESC(redirect, "Branch to replacement functions outside of transitions (default: on)");
