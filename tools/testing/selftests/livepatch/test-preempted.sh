#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A task that is preempted in a tracer after livepatch has told it where to go is
# not yet in the replacement, nor anywhere that a search of its stack for the
# replacement finds. It must not change over to another version there. Neither must
# one that is preempted in a tracer of a function that has just returned to the
# replacement.

. "$(dirname "$0")"/functions.sh

MOD=test_klp_window_mod
LP=test_klp_window_patch
PAR=/sys/module/$MOD/parameters

setup_config
# It says why a task does not change over.
echo 'func klp_try_switch_task +p' >"$SYSFS_DEBUG_DIR/dynamic_debug/control"

if [[ $(nproc) -lt 2 ]]; then
	skip "needs two CPUs"
fi

# window TEXT WAITS [PARAM]: WAITS is why the caller does not change over
window() {
	local text=$1 waits=$2 caught='' attempt i pid preempted result state

	shift 2
	start_test "$text"

	load_mod $MOD "$@"
	load_lp $LP
	pid=$(cat $PAR/pid)

	# The caller gets its CPU back after a second at the latest, from what the
	# scheduler reserves for tasks like it. Nothing in here forks, to be done by
	# then.
	for attempt in {1..10}; do
		echo 1 >$PAR/go
		for ((i = 0; i < 10000; i++)); do
			read -r preempted <$PAR/preempted
			read -r result <$PAR/result
			[[ "$preempted" == N && "$result" == 0 ]] || break
		done
		echo 0 >"$SYSFS_KLP_DIR/$LP/enabled"
		read -r state <"/proc/$pid/patch_state"
		read -r preempted <$PAR/preempted
		read -r result <$PAR/result
		[[ "$preempted" == Y && "$result" == 0 ]] && caught=1
		echo 1 >$PAR/release
		loop_until "[[ \$(cat $PAR/result) != 0 ]]" ||
			die "not ok: the caller does not come back"
		result=$(cat $PAR/result)
		[[ -z "$caught" ]] || break

		# It was late: once more, with the patch enabled
		log "% attempt $attempt was late"
		loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP ]]" || die "not ok: $LP stays"
		unload_lp $LP
		load_lp $LP
	done
	log "% caught the caller: ${caught:-0}"
	if [[ -z "$caught" ]]; then
		disable_lp $LP
		unload_lp $LP
		unload_mod $MOD
		skip "the caller was never caught on its way"
	fi

	[[ "$state" == 1 ]] || die "not ok: the caller's state is $state"
	dmesg | grep -Eq "klp_try_switch_task: klp-caller.*:$pid $waits" ||
		die "not ok: the caller has another reason not to change over"
	[[ "$result" == 2 ]] ||
		die "not ok: result $result, the caller has met two versions"

	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP ]]" || die "not ok: $LP stays"
	unload_lp $LP
	unload_mod $MOD
	echo "ok"
}

SLEEPS="is sleeping on function test_klp_window_func"

window "transition while a task is on its way to a replacement" "$SLEEPS"

# It may be known where the task is going to return to, or that it is not known
if grep -q ' fprobe_return$' /proc/kallsyms; then
	window "transition while a task is on its way back to a replacement" \
		"($SLEEPS|has an unreliable stack)" at_exit=1
fi

exit 0
