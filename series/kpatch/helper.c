// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's shell cannot do: system calls that a live patch changes, and
 * a task that no signal wakes. Static, for arm64; see usage().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void usage(void)
{
	fputs("usage: helper pdeathsig      PR_GET_PDEATHSIG, and with a bad address\n"
	      "       helper prctl          prctl() with an option that there is not\n"
	      "       helper umask          what umask(0777) sets\n"
	      "       helper cost           instructions of one such call (qemu -icount)\n"
	      "       helper vfork SECONDS  wait in vfork() for a child that takes so long\n"
	      "       helper getlink        name, index and MTU of the network interfaces\n",
	      stderr);
	exit(2);
}

static int pdeathsig(void)
{
	int sig = -1;

	if (prctl(PR_GET_PDEATHSIG, &sig)) {
		perror("PR_GET_PDEATHSIG");
		return 1;
	}
	printf("%d ", sig);
	if (!prctl(PR_GET_PDEATHSIG, 8))
		puts("no error");
	else
		puts(errno == EFAULT ? "EFAULT" : strerror(errno));
	return 0;
}

static uint64_t ticks(void)
{
	uint64_t t;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r" (t) :: "memory");
	return t;
}

static int cost(void)
{
	enum { CALLS = 20000, ROUNDS = 9 };
	uint64_t freq, best = ~0ULL, t;
	int i, round;

	asm("mrs %0, cntfrq_el0" : "=r" (freq));
	for (round = 0; round < ROUNDS; round++) {
		t = ticks();
		for (i = 0; i < CALLS; i++)
			syscall(SYS_umask, 022);
		t = ticks() - t;
		if (t < best)
			best = t;
	}
	/* One instruction is one nanosecond of the guest's time. */
	printf("%.1f\n", (double)best * (1e9 / (double)freq) / CALLS);
	return 0;
}

/* No exec: that would let the parent go on. */
static int wait_in_vfork(int seconds)
{
	struct timespec ts = { .tv_sec = seconds };
	pid_t pid = vfork();

	if (!pid) {
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
		perror("vfork");
		return 1;
	}
	return 0;
}

static int getlink(void)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifm;
		struct rtattr rta;
		uint32_t mask;
	} req = {
		.nlh = {
			.nlmsg_len = sizeof(req),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = 0x1234,
		},
		.rta = { .rta_len = RTA_LENGTH(4), .rta_type = IFLA_EXT_MASK },
		.mask = 5,
	};
	static char buf[65536];
	struct nlmsghdr *nlh;
	struct rtattr *rta;
	int fd, len, left, mtu;
	char *name;

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &req, sizeof(req), 0) != sizeof(req)) {
		perror("netlink");
		return 1;
	}
	for (;;) {
		len = (int)recv(fd, buf, sizeof(buf), 0);
		if (len < 0) {
			perror("netlink");
			return 1;
		}
		for (nlh = (struct nlmsghdr *)buf; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			struct ifinfomsg *ifm = NLMSG_DATA(nlh);

			if (nlh->nlmsg_seq != 0x1234)
				continue;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				fputs("netlink: the kernel says no\n", stderr);
				return 1;
			}
			left = (int)IFLA_PAYLOAD(nlh);
			name = "?";
			mtu = -1;
			for (rta = IFLA_RTA(ifm); RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
				if (rta->rta_type == IFLA_IFNAME)
					name = RTA_DATA(rta);
				else if (rta->rta_type == IFLA_MTU)
					mtu = *(int *)RTA_DATA(rta);
			}
			printf("%d: %s mtu %d\n", ifm->ifi_index, name, mtu);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "pdeathsig"))
		return pdeathsig();
	/* An event of task_prctl_unknown, if that is on */
	if (argc == 2 && !strcmp(argv[1], "prctl"))
		return prctl(28784, 1, 2, 3, 4) != -1 || errno != EINVAL;
	if (argc == 2 && !strcmp(argv[1], "umask")) {
		umask(0777);
		return printf("%o\n", umask(022)) < 0;
	}
	if (argc == 2 && !strcmp(argv[1], "cost"))
		return cost();
	if (argc == 3 && !strcmp(argv[1], "vfork"))
		return wait_in_vfork(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "getlink"))
		return getlink();
	usage();
}
