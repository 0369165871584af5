// SPDX-License-Identifier: GPL-2.0
/*
 * Attach BPF programs to the entry and to the exit of a function of the kernel
 * and keep them there until the standard input ends. For each line of input,
 * print how often both have run since the last one. Needs no libbpf and no
 * compiler for BPF, but the kernel's BTF.
 *
 * Usage: test_klp-fentry FUNCTION [PROGRAMS]
 *
 * PROGRAMS are "entry", "exit" or "both" (the default).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIP	4
#define BTF	"/sys/kernel/btf/vmlinux"

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

/* How much follows the description of a type */
static size_t rest(const struct btf_type *type)
{
	unsigned int nr = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return nr * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return nr * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return nr * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return nr * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	case BTF_KIND_ENUM64:
		return nr * sizeof(struct btf_enum64);
	default:
		return 0;
	}
}

static __u32 find(const char *func)
{
	static char buf[32 << 20];
	const struct btf_header *head = (void *)buf;
	const struct btf_type *type;
	const char *at, *names;
	size_t len = 0;
	ssize_t got;
	__u32 id;
	int fd;

	fd = open(BTF, O_RDONLY);
	if (fd < 0) {
		printf("%s is not there\n", BTF);
		exit(SKIP);
	}
	while ((got = read(fd, buf + len, sizeof(buf) - len)) > 0)
		len += got;
	close(fd);
	if (got < 0 || len < sizeof(*head) || head->magic != BTF_MAGIC) {
		printf("%s cannot be read\n", BTF);
		exit(1);
	}

	names = buf + head->hdr_len + head->str_off;
	at = buf + head->hdr_len + head->type_off;
	for (id = 1; at < buf + head->hdr_len + head->type_off + head->type_len; id++) {
		type = (void *)at;
		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(names + type->name_off, func))
			return id;
		at += sizeof(*type) + rest(type);
	}

	printf("no function %s in %s\n", func, BTF);
	exit(1);
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u64),
		.max_entries = 2,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		fail("BPF_MAP_CREATE");

	return fd;
}

/* map[key]++ */
static void attach(int map, int key, __u32 id)
{
	static char log[65536];
	struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, key),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = key ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY,
		.attach_btf_id = id,
		.insns = (__u64)(unsigned long)insns,
		.insn_cnt = sizeof(insns) / sizeof(struct bpf_insn),
		.license = (__u64)(unsigned long)"GPL",
		.log_buf = (__u64)(unsigned long)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	union bpf_attr open = {};
	int fd;

	fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0) {
		printf("%s\n", log);
		fail("BPF_PROG_LOAD");
	}

	open.raw_tracepoint.prog_fd = fd;
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &open) < 0)
		fail("BPF_RAW_TRACEPOINT_OPEN");
}

static __u64 take(int map, __u32 key)
{
	__u64 value = 0, zero = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (__u64)(unsigned long)&key,
		.value = (__u64)(unsigned long)&value,
	};

	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) < 0)
		fail("BPF_MAP_LOOKUP_ELEM");
	attr.value = (__u64)(unsigned long)&zero;
	attr.flags = BPF_ANY;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		fail("BPF_MAP_UPDATE_ELEM");

	return value;
}

int main(int argc, char **argv)
{
	const char *which = argc > 2 ? argv[2] : "both";
	char line[256];
	__u32 id;
	int map;

	if (argc < 2) {
		fprintf(stderr, "Usage: %s FUNCTION [entry|exit|both]\n", argv[0]);
		return 2;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	id = find(argv[1]);
	map = make_map();
	if (strcmp(which, "exit"))
		attach(map, 0, id);
	if (strcmp(which, "entry"))
		attach(map, 1, id);
	printf("attached\n");

	while (fgets(line, sizeof(line), stdin)) {
		__u64 entry = take(map, 0);

		printf("%llu %llu\n", (unsigned long long)entry,
		       (unsigned long long)take(map, 1));
	}

	return 0;
}
