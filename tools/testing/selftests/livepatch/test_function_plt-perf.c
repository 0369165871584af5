// SPDX-License-Identifier: GPL-2.0
/*
 * What perf samples at one instruction of the kernel.
 *
 * Usage: test_function_plt-perf ADDRESS FILE
 *
 * Reads FILE while a hardware breakpoint at ADDRESS takes samples of this process,
 * and prints one line for each of them: the address that the sample is for, then
 * those of its callchain within the kernel, from the inside to the outside.
 *
 * Exits with 4 if the kernel or the machine has no such breakpoints.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIP	4
#define PAGES	8	/* of samples, a power of two */

struct sample {
	struct perf_event_header header;
	uint64_t ip;
	uint32_t pid, tid;
	uint64_t nr;
	uint64_t chain[];
};

static int give_up(const char *what, int status)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return status;
}

static void print_sample(const struct sample *sample)
{
	if (sample->pid != (uint32_t)getpid())
		return;

	printf("%llx", (unsigned long long)sample->ip);
	for (uint64_t i = 0; i < sample->nr; i++) {
		/* PERF_CONTEXT_* say whose addresses follow. */
		if (sample->chain[i] < (uint64_t)PERF_CONTEXT_MAX)
			printf(" %llx", (unsigned long long)sample->chain[i]);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_X,
		.bp_len = sizeof(long),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
		.exclude_user = 1,
		.exclude_callchain_user = 1,
		.disabled = 1,
	};
	size_t page = sysconf(_SC_PAGESIZE), size = PAGES * page;
	struct perf_event_mmap_page *meta;
	uint64_t head, tail;
	char buf[4096];
	cpu_set_t cpus;
	char *data;
	int event, fd;

	if (argc != 3) {
		fprintf(stderr, "usage: %s ADDRESS FILE\n", argv[0]);
		return 1;
	}

	attr.bp_addr = strtoull(argv[1], NULL, 16);
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		return give_up(argv[2], 1);

	/* Breakpoints in the kernel are for a CPU, not for a task. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return give_up("CPU 0", 1);

	event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	if (event < 0)
		return give_up("perf_event_open", errno == ENOENT || errno == ENODEV ||
			       errno == EOPNOTSUPP ? SKIP : 1);

	meta = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (meta == MAP_FAILED)
		return give_up("mmap", 1);

	ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	ioctl(event, PERF_EVENT_IOC_DISABLE, 0);

	/* Few enough to fit, so none is split or lost. */
	data = (char *)meta + page;
	head = __atomic_load_n(&meta->data_head, __ATOMIC_ACQUIRE);
	for (tail = 0; tail < head && head <= size;) {
		struct perf_event_header *header = (void *)(data + tail);

		if (header->type == PERF_RECORD_SAMPLE)
			print_sample((void *)header);
		tail += header->size;
	}

	return head > size;
}
