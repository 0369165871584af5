#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Generate modules with many patchable functions, for bench-function-plt.sh,
# which measures how long it takes to load them.

usage() {
	echo "Usage: ${0##*/} DIR [N...]"
	echo "Generate bench_load_N.c (default 1000, 10000, 50000) and a Makefile in DIR."
	echo "Build them by make -C KERNEL M=DIR modules."
}

case ${1:-} in
'' | -h | --help) usage; [[ -n ${1:-} ]]; exit ;;
esac

dir=$1
shift
[[ $# -gt 0 ]] || set -- 1000 10000 50000
mkdir -p "$dir" || exit 1
: >"$dir/Makefile"

for n in "$@"; do
	[[ $n =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
	echo "obj-m += bench_load_$n.o" >>"$dir/Makefile"
	{
		echo '#include <linux/module.h>'
		for ((i = 0; i < n; i++)); do
			echo "static noinline __used int f$i(int x) { return x + $i; }"
		done
		cat <<-END
		static int __init bench_load_init(void) { return 0; }
		static void __exit bench_load_exit(void) { }
		module_init(bench_load_init);
		module_exit(bench_load_exit);
		MODULE_DESCRIPTION("Livepatch benchmark: $n patchable functions");
		MODULE_LICENSE("GPL");
		END
	} >"$dir/bench_load_$n.c"
done
