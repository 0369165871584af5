#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How long does it take until a live patch is complete?
#
# Usage: bench-transition.sh near|far [SECONDS]
#
# Prints "BENCH name near|far value" for each case: rounds of the transition
# until then, stack traces that were unreliable on the way, and seconds. A case
# that is not complete within SECONDS (45) has "never" for the first and the last.
# On one CPU, and on more, the cases are not the same. Needs nothing that a
# kernel without unwind tables does not have.

. "$(dirname "$0")/functions.sh"

PLACE=${1:?near or far?}
LIMIT=${2:-45}
# How many tasks that are in long system calls
BENCH_TASKS=${BENCH_TASKS-1 10 100}
MODULES=$(dirname "$0")/test_modules
PATCH=test_klp_livepatch
TRACE=$SYSFS_TRACING_DIR
JOBS=()

is_root

bench() {
	echo "BENCH transition_$1 $PLACE $2"
}

finish() {
	unload
	echo 0 > "$TRACE/events/kprobes/enable" 2>/dev/null
	echo > "$TRACE/kprobe_events"
}

# unload: end the load, then the patch
unload() {
	[[ ${#JOBS[@]} == 0 ]] || kill -KILL "${JOBS[@]}" 2>/dev/null
	JOBS=()
	wait
	rmmod test_unwind_load 2>/dev/null
	if [[ -e $SYSFS_KLP_DIR/$PATCH ]]; then
		loop_until '[[ $(cat $SYSFS_KLP_DIR/$PATCH/transition) == 0 ]]'
		echo 0 > "$SYSFS_KLP_DIR/$PATCH/enabled"
		loop_until '[[ ! -e $SYSFS_KLP_DIR/$PATCH ]]'
		rmmod $PATCH
	fi
}

# load PARAMETER...: load the module that makes it difficult
load() {
	insmod "$MODULES/test_unwind_load.ko" "$@" || die "test_unwind_load"
}

# readers NR FILE: so many tasks that read the file, one byte at a time
readers() {
	local i

	for ((i = 0; i < $1; i++)); do
		dd if="$2" of=/dev/null bs=1 2>/dev/null &
		JOBS+=($!)
	done
}

# measure NAME [CPU]: the transition, started on that CPU. Its later rounds are
# on the same one.
measure() {
	local start now rounds=never seconds=never unreliable

	sleep 1
	echo > "$TRACE/trace"
	start=${EPOCHREALTIME/./}
	${2:+taskset -c "$2"} insmod "$MODULES/$PATCH.ko" || die "$PATCH"
	while now=${EPOCHREALTIME/./}; ((now - start < LIMIT * 1000000)); do
		if [[ $(cat "$SYSFS_KLP_DIR/$PATCH/transition") == 0 ]]; then
			now=${EPOCHREALTIME/./}
			rounds=$(grep -c bench_round "$TRACE/trace")
			seconds=$(printf '%d.%02d' $(((now - start) / 1000000)) \
				$(((now - start) / 10000 % 100)))
			break
		fi
		sleep .05
	done
	unreliable=$(grep -c bench_unreliable "$TRACE/trace")
	bench "$1_rounds" "$rounds"
	bench "$1_unreliable" "$unreliable"
	bench "$1_seconds" "$seconds"
	unload
}

trap finish EXIT
trap 'exit 1' INT TERM HUP

echo 'p:bench_round klp_try_complete_transition' > "$TRACE/kprobe_events" &&
echo 'r:bench_unreliable stack_trace_save_tsk_reliable ret=$retval:s32' >> "$TRACE/kprobe_events" ||
	die "cannot count"
echo 'ret < 0' > "$TRACE/events/kprobes/bench_unreliable/filter"
echo 1 > "$TRACE/events/kprobes/enable"

if [[ $(nproc) == 1 ]]; then
	measure idle_on_one_cpu

	load threads=1 cpu=0
	measure busy_kthread_on_one_cpu
	exit
fi

measure idle

load threads=1 cpu=1
measure busy_kthread_shares_cpu 1

# Nobody can look at the one that runs: each round is an even chance
load threads=2 cpu=1
measure two_busy_kthreads_share_cpu

load
readers 1 /dev/test_unwind_fault
measure sleeps_in_user_fault

for nr in $BENCH_TASKS; do
	load
	readers $nr /dev/test_unwind_spin
	measure ${nr}_long_syscalls
done
