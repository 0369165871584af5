#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What live-patched calls and live patches cost.  Prints lines of the form
#
#	BENCH name near|far value
#
# Values of call_* are nanoseconds, which are instructions if the machine is QEMU
# with -icount shift=0 -smp 1; others have their unit in the name.  Needs nothing
# that a kernel without redirects does not have.

cd "$(dirname "$0")" || exit 1
place=${1:?near or far?}
par=/sys/module/test_klp_bench/parameters
klp=/sys/kernel/livepatch
lp=test_klp_bench_patch

say() {
	echo "BENCH $1 $place $2"
}

die() {
	echo "$*" >&2
	exit 1
}

# What follows does not fork: that would be most of what is measured.
exec {never}<> <(:)

nap() {
	read -r -t 0.001 -u "$never"
}

now() {
	read -r time <$par/now
}

# settled PATCH FUNCTION: the transition is complete, and the function, of the
# last one that changes, is promoted where that exists
settled() {
	local i state how

	for ((i = 0; i < 100000; i++)); do
		read -r state <"$klp/$1/transition"
		how=near
		[[ ! -e $klp/$1/$2/redirect ]] || read -r how <"$klp/$1/$2/redirect"
		[[ $state == 1 || $how == handler ]] || return 0
		nap
	done
	die "$1: transition $state, reached by $how"
}

gone() {
	local i

	for ((i = 0; i < 100000; i++)); do
		[[ -e $klp/$1 ]] || return 0
		nap
	done
	die "$1 stays"
}

unload() {
	local i refs

	for ((i = 0; i < 100000; i++)); do
		read -r refs <"/sys/module/$1/refcnt"
		[[ $refs == 0 ]] && break
		nap
	done
	rmmod "$1" || exit 1
}

disable() {
	echo 0 >"$klp/$1/enabled" || exit 1
	gone "$1"
}

# --------------------------------------------------------------------------

calls() {
	say call_plain "$(cat $par/call)"
	echo 1 >$par/tracer
	say call_traced "$(cat $par/call)"
	echo 0 >$par/tracer

	insmod test_modules/$lp.ko || exit 1
	settled $lp vmlinux/jiffies64_to_nsecs,1
	say call_patched "$(cat $par/call)"
	echo 1 >$par/tracer
	say call_patched_traced "$(cat $par/call)"
	echo 0 >$par/tracer
	say call_patched_again "$(cat $par/call)"
	disable $lp
	unload $lp

	echo 1 >$par/stall
	sleep 0.2
	insmod test_modules/$lp.ko || exit 1
	grep -q 1 $klp/$lp/transition || die "no transition"
	say call_transition "$(cat $par/call)"
	echo 0 >$par/stall
	settled $lp vmlinux/jiffies64_to_nsecs,1
	disable $lp
	unload $lp
}

# patches N NAME: a patch of N functions
patches() {
	local n=$1 name=$2 lp=klp_bench_patch$1 start end from

	insmod "test_modules/klp_bench_target$n.ko" || exit 1
	insmod "test_modules/$lp.ko" || exit 1
	# All are promoted in one pass
	settled "$lp" "klp_bench_target$n/klp_bench_$n,1"
	now
	read -r start <"/sys/module/$lp/parameters/start"
	read -r end <"/sys/module/$lp/parameters/end"
	say "enable_${name}_us" $(((time - start) / 1000))
	say "enable_call_${name}_us" $(((end - start) / 1000))

	now
	from=$time
	echo 0 >"$klp/$lp/enabled" || exit 1
	now
	say "disable_call_${name}_us" $(((time - from) / 1000))
	gone "$lp"
	now
	say "disable_${name}_us" $(((time - from) / 1000))
	unload "$lp"
	rmmod "klp_bench_target$n" || exit 1
}

insmod test_modules/test_klp_bench.ko || exit 1
calls

for tasks in 1 100 1000; do
	exec {ready}< <(exec ./test_klp-tasks $tasks)
	pid=$!
	read -r _ <&"$ready"
	for n in 1 10 100 1000; do
		patches $n "${n}_functions_${tasks}_tasks"
	done
	kill $pid
	exec {ready}<&-
done

rmmod test_klp_bench
