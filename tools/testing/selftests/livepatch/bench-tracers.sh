#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a call costs with tracers, kprobes and direct calls on the function.
# Prints lines of the form
#
#	BENCH name near|far value
#
# in nanoseconds over a call without any, which are instructions if the machine
# is QEMU with -icount shift=0 -smp 1. The value is n/a for what the kernel
# does not have. Needs nothing that an unpatched kernel does not have.
#
# Usage: bench-tracers.sh near|far

here=$(cd "$(dirname "$0")" && pwd)
place=${1:?near or far?}
module=test_ftrace_bench

insmod "$here/test_modules/$module.ko" || exit 1
rmmod $module
results=$(dmesg | sed -n "s/.*$module: \(BENCH .*\)/\1/p")
if [[ -z "$results" ]] || grep -qv "^BENCH [a-z_0-9]* $place " <<< "$results"; then
	echo "the module was not $place: ${results:-no results}" >&2
	exit 1
fi
echo "$results"
