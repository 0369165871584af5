// SPDX-License-Identifier: GPL-2.0
/*
 * Load a module while the Nth allocation of its loading fails, and nothing else
 * does:
 *
 *   test_klp-failnth N MODULE.ko
 *
 * Exit status: 0 if it was loaded and had fewer allocations than N, 1 if it was
 * not loaded, 2 if it was loaded although one failed, 3 if nothing could be
 * tried.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(3);
}

int main(int argc, char **argv)
{
	char nth[16], left[16] = "";
	int module, fail, ret, err;

	if (argc != 3) {
		fprintf(stderr, "usage: %s N MODULE.ko\n", argv[0]);
		return 3;
	}

	module = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (module < 0)
		die(argv[2]);

	fail = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail < 0)
		die("fail-nth");

	snprintf(nth, sizeof(nth), "%d", atoi(argv[1]));

	/* From here to the system call, nothing may need memory. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	if (write(fail, nth, strlen(nth)) < 0)
		die("write to fail-nth");

	ret = syscall(SYS_finit_module, module, "", 0);
	err = errno;

	/* What is left of N, which is not 0 if N was not reached */
	if (pread(fail, left, sizeof(left) - 1, 0) < 0)
		die("read from fail-nth");
	if (pwrite(fail, "0", 1, 0) < 0)
		die("write to fail-nth");

	if (ret) {
		if (atoi(left)) {
			errno = err;
			die("failed by itself");
		}
		return 1;
	}

	return atoi(left) ? 0 : 2;
}
