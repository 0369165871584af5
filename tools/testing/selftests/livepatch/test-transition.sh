#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tasks with an exception on their stacks must not keep a live patch in
# transition: kernel threads that never sleep, but are preempted by interrupts,
# and a task that sleeps in a fault on user memory.

. "$(dirname "$0")/functions.sh"

[[ $(uname -m) == aarch64 ]] || skip "only arm64 has this"
is_root
grep -q ' unwind_find_rule$' /proc/kallsyms ||
	skip "CONFIG_ARM64_UNWIND_TABLE is not set"

# A task that runs at this very moment takes one more round. Of two threads that
# share a CPU one does, unless the transition itself has that CPU: each round is
# an even chance.
declare -A max_rounds=(
	[idle]=2
	[idle_on_one_cpu]=2
	[busy_kthread_on_one_cpu]=2
	[busy_kthread_shares_cpu]=2
	[two_busy_kthreads_share_cpu]=15
	[sleeps_in_user_fault]=2
)

cases=(idle busy_kthread_shares_cpu two_busy_kthreads_share_cpu sleeps_in_user_fault)
[[ $(nproc) != 1 ]] || cases=(idle_on_one_cpu busy_kthread_on_one_cpu)

results=$(BENCH_TASKS='' "$(dirname "$0")/bench-transition.sh" test 20 2>&1)

echo "KTAP version 1"
echo "1..${#cases[@]}"
echo "# ${results//$'\n'/$'\n'# }"
nr=0 ret=0
for case in "${cases[@]}"; do
	nr=$((nr + 1))
	rounds=$(sed -n "s/^BENCH transition_${case}_rounds test //p" <<< "$results")
	if [[ $rounds =~ ^[0-9]+$ && $rounds -ge 1 && $rounds -le ${max_rounds[$case]} ]]; then
		echo "ok $nr $case: $rounds rounds"
	else
		echo "not ok $nr $case: ${rounds:-no result} rounds"
		ret=1
	fi
done
exit $ret
