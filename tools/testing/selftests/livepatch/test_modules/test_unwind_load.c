// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that a live patch has to come to terms with:
 *
 * - kernel threads that never sleep, interrupts are all that ever takes the CPU
 *   from them: parameters "threads" and "cpu";
 * - a system call that computes for 20 ms: read /dev/test_unwind_spin;
 * - a task that sleeps in a fault on user memory until it is killed, as it
 *   would in one that waits for a FUSE server or for userfaultfd:
 *   read /dev/test_unwind_fault.
 */
#define pr_fmt(fmt) "test_unwind_load: " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

static unsigned int threads;
module_param(threads, uint, 0400);
MODULE_PARM_DESC(threads, "how many threads");

static unsigned int cpu;
module_param(cpu, uint, 0400);
MODULE_PARM_DESC(cpu, "the CPU that all of them are bound to");

static struct task_struct *tasks[16];
static volatile unsigned long counter;

/* Deep enough to be interrupted with and without a frame */
static noinline unsigned long load_leaf(unsigned long n)
{
	return n * 31 + counter;
}

static noinline void load_work(void)
{
	unsigned long n = counter;
	int i;

	for (i = 0; i < 1000; i++)
		n = load_leaf(n);
	counter = n;
}

/* No cond_resched(): with PREEMPT an interrupt preempts it, and nothing else */
static int load_thread(void *unused)
{
	while (!kthread_should_stop())
		load_work();
	return 0;
}

static ssize_t spin_read(struct file *file, char __user *buf, size_t len,
			 loff_t *pos)
{
	ktime_t end = ktime_add_ms(ktime_get(), 20);

	do {
		load_work();
	} while (ktime_before(ktime_get(), end));
	return len;
}

static const struct file_operations spin_fops = {
	.owner	= THIS_MODULE,
	.read	= spin_read,
};

static struct miscdevice spin_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "test_unwind_spin",
	.fops	= &spin_fops,
};

static vm_fault_t never_fault(struct vm_fault *vmf)
{
	set_current_state(TASK_KILLABLE);
	while (!fatal_signal_pending(current)) {
		schedule();
		set_current_state(TASK_KILLABLE);
	}
	__set_current_state(TASK_RUNNING);
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct never_vm_ops = {
	.fault	= never_fault,
};

static int never_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &never_vm_ops;
	return 0;
}

static ssize_t never_read(struct file *file, char __user *buf, size_t len,
			  loff_t *pos)
{
	unsigned long addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 0);
	char c[64];

	if (IS_ERR_VALUE(addr))
		return addr;
	if (copy_from_user(c, (void __user *)addr, sizeof(c)))
		return -EFAULT;
	return len;
}

static const struct file_operations never_fops = {
	.owner	= THIS_MODULE,
	.read	= never_read,
	.mmap	= never_mmap,
};

static struct miscdevice never_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "test_unwind_fault",
	.fops	= &never_fops,
};

static void stop_threads(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tasks) && tasks[i]; i++)
		kthread_stop(tasks[i]);
}

static int __init test_unwind_load_init(void)
{
	struct task_struct *task;
	unsigned int i;
	int ret;

	ret = misc_register(&spin_dev);
	if (ret)
		return ret;
	ret = misc_register(&never_dev);
	if (ret) {
		misc_deregister(&spin_dev);
		return ret;
	}

	for (i = 0; i < threads && i < ARRAY_SIZE(tasks); i++) {
		task = kthread_create(load_thread, NULL, "load/%u", i);
		if (IS_ERR(task)) {
			stop_threads();
			misc_deregister(&never_dev);
			misc_deregister(&spin_dev);
			return PTR_ERR(task);
		}
		kthread_bind(task, cpu);
		wake_up_process(task);
		tasks[i] = task;
	}
	return 0;
}

static void __exit test_unwind_load_exit(void)
{
	stop_threads();
	misc_deregister(&never_dev);
	misc_deregister(&spin_dev);
}

module_init(test_unwind_load_init);
module_exit(test_unwind_load_exit);
MODULE_DESCRIPTION("Tasks that keep a live patch in transition");
MODULE_LICENSE("GPL");
