#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Interrupt a mixed load - processes, files, the loopback network, changes of
# tracers and of a live patch - and compare each reliable stack trace with the
# shadow call stack.

. "$(dirname "$0")/functions.sh"

SAMPLES=${SAMPLES:-100000}
# What of them has to be reliable, in percent
MIN_RELIABLE=${MIN_RELIABLE:-80}

HERE=$(dirname "$0")
MODULES=$HERE/test_modules
PATCH=test_klp_livepatch
TRACE=$SYSFS_TRACING_DIR
STOP=$(mktemp -u)
JOBS=()

[[ $(uname -m) == aarch64 ]] || skip "only arm64 has this"
is_root
grep -q ' unwind_find_rule$' /proc/kallsyms ||
	skip "CONFIG_ARM64_UNWIND_TABLE is not set"
[[ -e $MODULES/test_unwind_sample.ko ]] ||
	skip "CONFIG_SHADOW_CALL_STACK is not set"

finish() {
	# The loops put back what they change
	touch "$STOP"
	[[ ${#JOBS[@]} == 0 ]] || kill "${JOBS[@]}" 2>/dev/null
	wait
	rm -f "$STOP"
	rmmod test_unwind_sample 2>/dev/null
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# A load without what is said here would prove less than it seems to.
prepare_tracers() {
	echo 'r:unwind_sample vfs_read' > "$TRACE/kprobe_events" &&
		echo 'vfs_*' > "$TRACE/set_ftrace_filter" &&
		echo 'tcp_*' >> "$TRACE/set_ftrace_filter" &&
		grep -qw function_graph "$TRACE/available_tracers"
}

change_tracers() {
	local tracer

	while [[ ! -e $STOP ]]; do
		echo 1 > "$TRACE/events/kprobes/enable"
		for tracer in function function_graph nop; do
			echo $tracer > "$TRACE/current_tracer"
			sleep .2
		done
		echo 0 > "$TRACE/events/kprobes/enable"
		sleep .2
	done
	echo > "$TRACE/set_ftrace_filter"
	echo > "$TRACE/kprobe_events"
}

change_patch() {
	while [[ ! -e $STOP ]]; do
		insmod "$MODULES/$PATCH.ko" || return
		cat /proc/cmdline > /dev/null
		loop_until '[[ $(cat $SYSFS_KLP_DIR/$PATCH/transition) == 0 ]]'
		cat /proc/cmdline > /dev/null
		echo 0 > "$SYSFS_KLP_DIR/$PATCH/enabled"
		loop_until '[[ ! -e $SYSFS_KLP_DIR/$PATCH ]]'
		rmmod $PATCH
		echo "$((++patches))" > "$STOP.patches"
	done
}

echo "KTAP version 1"
echo "1..1"

insmod "$MODULES/test_unwind_sample.ko" || { echo "Bail out!"; exit 1; }
prepare_tracers || { echo "Bail out!"; exit 1; }
"$HERE/test_unwind-load" & JOBS+=($!)
change_tracers &
change_patch &
sleep 1

dmesg -C
echo "$SAMPLES" > /sys/module/test_unwind_sample/parameters/run
dmesg | sed -n 's/.*test_unwind_sample: /# /p'
patches=$(cat "$STOP.patches" 2>/dev/null)
rm -f "$STOP.patches"
echo "# ${patches:-0} live patches came and went"

read -r reliable unreliable wrong _ < <(dmesg |
	sed -n 's/.*test_unwind_sample: \([0-9]* reliable\)/\1/p' | tr -c '0-9\n' ' ')
# "... had a return address in LR, ... one of a tracer, ... another exception"
read -r in_lr replaced nested < <(dmesg |
	sed -n 's/.*test_unwind_sample: of the reliable ones //p' | tr -c '0-9\n' ' ')
if [[ ${in_lr:-0} -gt 0 && ${replaced:-0} -gt 0 && ${nested:-0} -gt 0 ]] &&
		[[ -n $wrong && $wrong == 0 && ${patches:-0} -gt 0 ]] &&
		kill -0 "${JOBS[0]}" 2>/dev/null &&
		[[ $((reliable * 100)) -ge $(((reliable + unreliable) * MIN_RELIABLE)) ]]; then
	ok=ok ret=0
else
	ok="not ok" ret=1
fi
echo "$ok 1 $reliable of $((reliable + unreliable)) traces reliable, ${wrong:-no result} wrong"
exit $ret
