#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reliable stack traces through exceptions: stop at every instruction of
# functions with all kinds of frames, by kprobes and by interrupts, while they
# are as they are, traced, graph-traced, return-probed and live patched.

. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/ktap.sh"

[[ $(uname -m) == aarch64 ]] || skip "only arm64 has this"
is_root
grep -q ' unwind_find_rule$' /proc/kallsyms ||
	skip "CONFIG_ARM64_UNWIND_TABLE is not set"

# Milliseconds of interrupts for each state of the functions
IRQ_MSECS=${IRQ_MSECS:-3000}
# How many of them have to come while these run; where tracers are in the way most
# of the time, few hit the functions themselves
MIN_STOPS=${MIN_STOPS:-200}
# What of the instructions that the compiler made has to be reliable, in percent
MIN_RELIABLE=95
# What of the interrupts in functions that no tracer has changed, in percent
MIN_IRQ_RELIABLE=95
# What has to be seen of the code that tracers put into the way of a call, in
# percent. An emulator stops between two instructions in a row only if it counts
# them, so this is for those that do.
MIN_ENTRY_CODE=${MIN_ENTRY_CODE:-0}

MODULES=$(dirname "$0")/test_modules
RUN=/sys/module/test_unwind/parameters/run

# give VALUE FILE: a state that is not there must not be taken for one that works
give() {
	echo "$1" > "$2" && return
	echo "# $2 does not take '$1'"
	bail
}

# append VALUE FILE
append() {
	echo "$1" >> "$2" && return
	echo "# $2 does not take '$1'"
	bail
}

bail() {
	echo "Bail out!"
	exit 1
}

finish() {
	echo nop > "$SYSFS_TRACING_DIR/current_tracer"
	echo > "$SYSFS_TRACING_DIR/set_ftrace_filter"
	[[ ! -e $SYSFS_TRACING_DIR/events/kprobes ]] ||
		echo 0 > "$SYSFS_TRACING_DIR/events/kprobes/enable"
	echo > "$SYSFS_TRACING_DIR/kprobe_events"
	if [[ -e $SYSFS_KLP_DIR/test_unwind_patch ]]; then
		echo 0 > "$SYSFS_KLP_DIR/test_unwind_patch/enabled"
		loop_until '[[ ! -e $SYSFS_KLP_DIR/test_unwind_patch ]]'
		rmmod test_unwind_patch
	fi
	rmmod test_unwind 2>/dev/null
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# numbers WORDS: those in the line of the module's log that WORDS begin
numbers() {
	dmesg | sed -n "s/.*test_unwind: $1//p" | tail -n 1 | tr -c '0-9\n' ' '
}

# run NAME step|irq [PERCENT]: let the module do that and judge its last words
run() {
	local name=$1 how=$2 min=${3:-$MIN_RELIABLE} reliable all yes no wrong elsewhere
	local ok=0 stopped insns other_yes other_no in_the_way

	dmesg -C
	if [[ $how == step ]]; then
		give step "$RUN"
	else
		give "irq $IRQ_MSECS" "$RUN"
	fi
	dmesg | sed -n 's/.*test_unwind: /# /p'

	# The functions have a line each. This one is about all of them:
	# "step: A of B instructions reliable, C seen; stops: D reliable, ..."
	reliable=$(dmesg | sed -n "s/.*test_unwind: $how: \([0-9]*\) of .*/\1/p")
	read -r all _ yes no wrong < <(numbers "$how: [0-9]* of ")
	if [[ -z $wrong || -z $reliable ]]; then
		result 1 "$name, $how: no result"
		return
	fi
	[[ $wrong == 0 && $all -gt 0 ]] || ok=1
	if [[ $how == step ]]; then
		# Of all that there are, seen or not
		[[ $((reliable * 100)) -ge $((all * min)) ]] || ok=1
		result $ok "$name, step: $reliable of $all instructions reliable, $wrong wrong"
		return
	fi

	read -r other_yes other_no elsewhere < <(numbers "irq: elsewhere: ")
	[[ $elsewhere == 0 && $((yes + no)) -gt 0 &&
	   $((yes + no + other_yes + other_no)) -ge $MIN_STOPS ]] || ok=1
	[[ $name != plain || $((yes * 100)) -ge $(((yes + no) * MIN_IRQ_RELIABLE)) ]] ||
		ok=1
	# Only what was stopped in has a line. That of kretprobes is a breakpoint,
	# and nothing behind it is executed.
	while read -r stopped insns; do
		[[ $((stopped * 100)) -ge $((insns * MIN_ENTRY_CODE)) ]] || ok=1
	done < <(dmesg | sed -n -E '/__kretprobe_trampoline:/d
		s/.*test_unwind: irq: .*: stopped at ([0-9]+) of ([0-9]+) .*/\1 \2/p')
	# Who wants to see that code wants to see the one that is in the way.
	if [[ $MIN_ENTRY_CODE != 0 ]]; then
		case $name in
		traced)		in_the_way=ftrace_caller: ;;
		graph-traced)	in_the_way=return_to_handler: ;;
		return-probed)	in_the_way=ftrace_regs_caller: ;;
		*)		in_the_way= ;;
		esac
		dmesg | grep -q "test_unwind: irq: $in_the_way" || ok=1
	fi
	result $ok "$name, irq: $yes of $((yes + no)) reliable, $wrong wrong, $elsewhere elsewhere"
}

ktap_print_header
ktap_set_plan 9

insmod "$MODULES/test_unwind.ko" || bail

run "plain" step
run "plain" irq

give 'unwind_*:mod:test_unwind' "$SYSFS_TRACING_DIR/set_ftrace_filter"
give function "$SYSFS_TRACING_DIR/current_tracer"
run "traced" step
run "traced" irq

give function_graph "$SYSFS_TRACING_DIR/current_tracer"
run "graph-traced" step
run "graph-traced" irq
give nop "$SYSFS_TRACING_DIR/current_tracer"
give '' "$SYSFS_TRACING_DIR/set_ftrace_filter"

for func in leaf nonleaf callee tail_caller tail_callee large_frame recursive; do
	append "r:unwind_$func test_unwind:unwind_$func" "$SYSFS_TRACING_DIR/kprobe_events"
done
give 1 "$SYSFS_TRACING_DIR/events/kprobes/enable"
run "return-probed" irq
give 0 "$SYSFS_TRACING_DIR/events/kprobes/enable"
give '' "$SYSFS_TRACING_DIR/kprobe_events"

if insmod "$MODULES/test_unwind_patch.ko"; then
	loop_until '[[ $(cat $SYSFS_KLP_DIR/test_unwind_patch/transition) == 0 ]]'
	# What was replaced does not run
	run "live patched" step 85
	run "live patched" irq
else
	result 1 "live patched, step"
	result 1 "live patched, irq"
fi

ktap_finished
