// SPDX-License-Identifier: GPL-2.0
/*
 * Run chains of calls of live-patched functions on all CPUs until told to stop
 * by SIGTERM. Prints how many were run, and fails if one of them mixed versions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct count {
	unsigned long chains, mixed, failed;
};

static int stop;

static int stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void on_term(int sig)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static void run(struct count *count, int nr, int cpu)
{
	char buf[2] = "xx";
	cpu_set_t set;
	int fd;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* Every third one may move */
	if (nr % 3)
		sched_setaffinity(0, sizeof(set), &set);

	while (!stopped()) {
		fd = open("/proc/test_klp_redirect", O_WRONLY);
		/* The module is being reloaded */
		if (fd < 0) {
			usleep(1000);
			continue;
		}
		for (int i = 0; i < 50 && !stopped(); i++) {
			if (write(fd, buf, 1 + (nr + i) % 2) >= 0)
				count->chains++;
			else if (errno == EUCLEAN)
				count->mixed++;
			else if (errno != EIO && errno != EINTR)
				count->failed++;
		}
		close(fd);
	}
}

int main(int argc, char **argv)
{
	int nr = argc > 1 ? atoi(argv[1]) : 4;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct count *count, sum = { 0 };
	struct sigaction sa = { .sa_handler = on_term };

	count = mmap(NULL, nr * sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count == MAP_FAILED) {
		perror("mmap");
		return 2;
	}

	/* For kill() below */
	setpgid(0, 0);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);

	for (int i = 0; i < nr; i++) {
		switch (fork()) {
		case -1:
			perror("fork");
			kill(0, SIGTERM);
			return 2;
		case 0:
			run(&count[i], i, i % cpus);
			_exit(0);
		}
	}

	while (!stopped())
		pause();
	kill(0, SIGTERM);
	while (wait(NULL) > 0 || errno == EINTR)
		;

	for (int i = 0; i < nr; i++) {
		sum.chains += count[i].chains;
		sum.mixed += count[i].mixed;
		sum.failed += count[i].failed;
	}
	printf("%lu chains, %lu mixed, %lu failed\n", sum.chains, sum.mixed,
	       sum.failed);

	return sum.mixed || sum.failed || !sum.chains;
}
