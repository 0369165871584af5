// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>

#include "test_klp_redirect.h"

/* Calls functions of another module that are live patched. See the other one. */

static int expect_set(const char *val, const struct kernel_param *kp)
{
	int ret, expect;

	ret = kstrtoint(val, 0, &expect);
	if (ret)
		return ret;

	if (redirect_recursive(3) != expect || redirect_exported(1, 2) != expect) {
		pr_err("versions %d and %d, not %d\n", redirect_recursive(3),
		       redirect_exported(1, 2), expect);
		return -EINVAL;
	}

	return 0;
}

static const struct kernel_param_ops expect_ops = {
	.set = expect_set,
};
module_param_cb(expect, &expect_ops, NULL, 0200);
MODULE_PARM_DESC(expect, "Call the functions and check their version");

static int test_klp_redirect_user_init(void)
{
	return 0;
}

static void test_klp_redirect_user_exit(void)
{
}

module_init(test_klp_redirect_user_init);
module_exit(test_klp_redirect_user_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch test: calls of redirected functions of a module");
