// SPDX-License-Identifier: GPL-2.0
/*
 * Put a BPF program on a kprobe at the entry of a function, read a file whose
 * reading calls the function, and print how often the program has run and what
 * bpf_get_func_ip() has told it. Needs no libbpf, no BTF and no compiler for BPF.
 *
 * Usage: test_klp-bpf FUNCTION FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIP	4

#define INSN(c, d, s, o, i) \
	{ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static void fail(const char *what)
{
	int err = errno;

	printf("%s: %s\n", what, strerror(err));
	/* Not in this kernel? */
	exit(err == ENOSYS ? SKIP : 1);
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = 2 * sizeof(__u64),
		.max_entries = 1,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		fail("BPF_MAP_CREATE");

	return fd;
}

/* value = map[0]; value[0]++; value[1] = bpf_get_func_ip(ctx); */
static int load_program(int map)
{
	static char log[65536];
	struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 7, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_func_ip),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 0, 8, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (__u64)(unsigned long)insns,
		.insn_cnt = sizeof(insns) / sizeof(struct bpf_insn),
		.license = (__u64)(unsigned long)"GPL",
		.log_buf = (__u64)(unsigned long)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0) {
		printf("%s\n", log);
		fail("BPF_PROG_LOAD");
	}

	return fd;
}

static int make_kprobe(const char *func)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.kprobe_func = (__u64)(unsigned long)func,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	const char *path = "/sys/bus/event_source/devices/kprobe/type";
	FILE *file = fopen(path, "r");
	int fd;

	if (!file || fscanf(file, "%u", &attr.type) != 1) {
		printf("%s is not there\n", path);
		exit(SKIP);
	}
	fclose(file);

	fd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		fail("perf_event_open");

	return fd;
}

int main(int argc, char **argv)
{
	__u64 value[2] = {};
	__u32 key = 0;
	union bpf_attr attr = {
		.key = (__u64)(unsigned long)&key,
		.value = (__u64)(unsigned long)value,
	};
	char buf[4096];
	int map, fd;

	if (argc != 3) {
		fprintf(stderr, "Usage: %s FUNCTION FILE\n", argv[0]);
		return 2;
	}

	map = make_map();
	fd = make_kprobe(argv[1]);
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, load_program(map)) < 0)
		fail("PERF_EVENT_IOC_SET_BPF");
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		fail("PERF_EVENT_IOC_ENABLE");

	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || read(fd, buf, sizeof(buf)) < 0)
		fail(argv[2]);

	attr.map_fd = map;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) < 0)
		fail("BPF_MAP_LOOKUP_ELEM");

	printf("%llu hits, function 0x%llx\n", value[0], value[1]);

	return 0;
}
