// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mixed load for stack traces to be taken of: processes that come and go, files,
 * pipes, and TCP and UDP over the loopback device. Runs until it is killed, or for
 * as many seconds as it is told.
 *
 * Usage: test_unwind-load [SECONDS]
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		err(1, "lo");
	ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		err(1, "lo");
	close(fd);
}

static void run_processes(void)
{
	char *const argv[] = { "/bin/true", NULL };

	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			execv(argv[0], argv);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

static void run_files(void)
{
	char name[] = "/tmp/test_unwind.XXXXXX", buf[10000];
	int fd = mkstemp(name), i;
	struct stat st;

	if (fd < 0)
		err(1, "%s", name);
	unlink(name);
	memset(buf, 1, sizeof(buf));
	for (;;) {
		char *p;

		for (i = 0; i < 20; i++) {
			if (pwrite(fd, buf, sizeof(buf), i * sizeof(buf)) < 0 ||
			    pread(fd, buf, sizeof(buf), i * sizeof(buf)) < 0)
				err(1, "%s", name);
		}
		p = mmap(NULL, sizeof(buf), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			err(1, "mmap");
		p[5000] ^= 1;
		munmap(p, sizeof(buf));
		stat("/proc/self/status", &st);
		if (ftruncate(fd, 0))
			err(1, "%s", name);
	}
}

static void run_udp(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(to);
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[1000] = "";

	if (in < 0 || out < 0 || bind(in, (struct sockaddr *)&to, len) ||
	    getsockname(in, (struct sockaddr *)&to, &len))
		err(1, "UDP");
	for (;;) {
		if (sendto(out, buf, sizeof(buf), 0, (struct sockaddr *)&to, len) < 0 ||
		    recv(in, buf, sizeof(buf), 0) < 0)
			err(1, "UDP");
	}
}

static void run_tcp(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	char buf[5000] = "";

	if (listener < 0 || bind(listener, (struct sockaddr *)&to, len) ||
	    getsockname(listener, (struct sockaddr *)&to, &len) || listen(listener, 8))
		err(1, "TCP");
	for (;;) {
		int out = socket(AF_INET, SOCK_STREAM, 0), in, i;

		if (out < 0 || connect(out, (struct sockaddr *)&to, len))
			err(1, "TCP");
		in = accept(listener, NULL, NULL);
		for (i = 0; i < 50; i++) {
			if (write(out, buf, sizeof(buf)) < 0 ||
			    read(in, buf, sizeof(buf)) < 0)
				err(1, "TCP");
		}
		close(in);
		close(out);
	}
}

static void run_pipe(void)
{
	char buf[100] = "";
	int fds[2];

	if (pipe(fds))
		err(1, "pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			if (read(fds[0], buf, sizeof(buf)) <= 0)
				_exit(0);
		}
	}
	for (;;) {
		if (write(fds[1], buf, sizeof(buf)) < 0)
			err(1, "pipe");
	}
}

int main(int argc, char **argv)
{
	static void (*const runs[])(void) = {
		run_processes, run_files, run_udp, run_tcp, run_pipe,
	};
	unsigned int i;

	loopback_up();
	for (i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			runs[i]();
		}
	}
	if (argc > 1) {
		sleep(atoi(argv[1]));
		return 0;
	}
	/* None of them ends unless something is wrong */
	wait(NULL);
	return 1;
}
