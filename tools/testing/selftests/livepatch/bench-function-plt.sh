#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What calls of patched functions cost, and loading modules with many of them.
# Prints lines of the form
#
#	BENCH name near|far value
#
# in nanoseconds, which are instructions if the machine is QEMU with
# -icount shift=0 -smp 1. Needs nothing that an unpatched kernel does not have.
#
# Usage: bench-function-plt.sh near|far [DIR], where DIR has what
# gen-function-plt-bench.sh generated, built

here=$(cd "$(dirname "$0")" && pwd)
place=${1:?near or far?}
dir=${2:-}

tramp=$(awk '$3 == "ftrace_stub_direct_tramp" { print "0x" $1; exit }' \
	/proc/kallsyms)
mark="bench-function-plt $$ $RANDOM"
echo "$mark" >/dev/kmsg
insmod "$here/test_modules/bench_function_plt.ko" "tramp=$tramp" || exit 1
lines=$(dmesg | sed "1,/$mark/d" | sed -n 's/^.*\(BENCH .*\)$/\1/p')
rmmod bench_function_plt
[ -n "$lines" ] || exit 1

# The module knows where it is.
actual=$(awk '{ print $3; exit }' <<<"$lines")
if [ "$actual" != "$place" ]; then
	echo "the module is $actual, not $place" >&2
	exit 1
fi
echo "$lines"

for n in 1000 10000 50000; do
	ko=$dir/bench_load_$n.ko
	[ -n "$dir" ] && [ -e "$ko" ] || continue
	# The first time is for everything to be in memory.
	best=
	for i in 1 2 3 4; do
		start=$(date +%s%N)
		insmod "$ko" || exit 1
		end=$(date +%s%N)
		rmmod "bench_load_$n" || exit 1
		((i > 1)) || continue
		[ -n "$best" ] && [ "$best" -le $((10#$end - 10#$start)) ] ||
			best=$((10#$end - 10#$start))
	done
	echo "BENCH load_${n}_functions_ns $place $best"
done
