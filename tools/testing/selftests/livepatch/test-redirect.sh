#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Functions that branch to their replacements instead of calling livepatch's
# handler.  Prints KTAP.
#
# Usage: test-redirect.sh [TEST...]
#
# Environment: TRANSITIONS, how many transitions the stress test makes (default
# 30), SEED, the seed of what it does, FAR, to begin it with patches that are more
# than a branch away from what they patch, PREEMPT, the preemption model that it
# must not be run without (full or lazy), and LIMIT, the seconds after which it is
# content with fewer transitions.
#
# Four tests are run only if they are named. Nothing else can be run after "dead",
# which makes ftrace turn itself off with a warning on the console, and after
# "init_function", which leaves a patch that livepatch cannot remove without a
# warning, with redirects or without. "stress" finds mistakes of emulators, too,
# which "text_sync" looks for without any live patch: with a thread for each CPU
# QEMU 7.2 goes on with static keys' instructions that were replaced, on a kernel
# without redirects as well. It has to emulate all CPUs in one thread (vmtest.sh
# --one-thread).

HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE" || exit 1
. ./functions.sh
. ./ktap.sh

MOD=test_klp_redirect_mod
USERMOD=test_klp_redirect_user
FAULT=test_klp_redirect_fault
DIRECT=test_klp_redirect_direct
LP2=test_klp_redirect2
LP3=test_klp_redirect3
LP4=test_klp_redirect_replace
LP5=test_klp_redirect_replace2
EARLY=test_klp_redirect_early
BAD=test_klp_redirect_bad
HOLD=test_klp_redirect_hold
SPIN=test_klp_redirect_spin
HURRY=test_klp_redirect_hurry
SWITCH=/sys/module/livepatch/parameters/redirect
TRACE=$SYSFS_TRACING_DIR
ALL="none eight nine twelve big variadic recursive exported irq idle leaf mid first"

ktap_print_header

[[ $(id -u) -eq 0 ]] || skip_all "must be run as root"
[[ -e $SWITCH ]] || skip_all "needs CONFIG_LIVEPATCH_REDIRECT"

# --------------------------------------------------------------------------
# What the tests are made of. Each step that fails says so, and fails its test.

fail() {
	ktap_print_msg "$*"
	why=${why:-$*}
	return 1
}

ins() {
	local mod=$1 out

	shift
	out=$(insmod "test_modules/$mod.ko" "$@" 2>&1) || fail "insmod $mod: $out"
}

# unload a module that somebody may still be about to leave
del() {
	loop_until "[[ \$(cat /sys/module/$1/refcnt) == 0 ]]" && rmmod "$1" ||
		fail "rmmod $1"
}

settled() {
	loop_until "! grep -qs 1 $SYSFS_KLP_DIR/*/transition" ||
		fail "a transition does not complete"
}

patch() {
	ins "$1" && settled
}

unpatch() {
	echo 0 >"$SYSFS_KLP_DIR/$1/enabled" || fail "cannot disable $1" || return 1
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$1 ]]" || fail "$1 stays" || return 1
	del "$1"
}

# expect VERSION: all functions of the module, called in all ways
expect() {
	echo "$1" >/sys/module/$MOD/parameters/expect ||
		fail "not version $1"
}

# how PATCH FUNCTION: by what calls get to the replacement
how() {
	cat "$SYSFS_KLP_DIR/$1/$MOD/redirect_$2,1/redirect"
}

# place FUNCTION PATCH [MODULE]: near or far, by where the two functions are.
# Nothing of what is tested has a part in this.
place() {
	local new old

	new=$(awk -v f="patched_${1#redirect_}" -v m="[$2]" '$3 == f && $4 == m { print $1 }' \
		/proc/kallsyms)
	old=$(awk -v f="$1" -v m="${3:+[$3]}" '$3 == f && $4 == m { print $1 }' /proc/kallsyms)
	old=$((0x$new - 0x$old))
	[[ ${old#-} -lt $((128 << 20)) ]] && echo near || echo far
}

# placed PATCH: all functions are reached by what their place calls for
placed() {
	local f how

	for f in none nine first; do
		reached "$1" "$(place redirect_$f "$1" $MOD)" "$f"
	done
	how=$(cat "$SYSFS_KLP_DIR/$1/vmlinux/cmdline_proc_show,1/redirect")
	[[ $how == "$(place cmdline_proc_show "$1")" ]] ||
		fail "cmdline_proc_show() is reached by $how"
}

# section MODULE NAME: where it lies
section() {
	cat "/sys/module/$1/sections/$2"
}

FILLERS="132 64 32 16 8 4 2 1"

# make_far MODULE: fill all places from which it could be reached by a branch
make_far() {
	local m d

	for m in $FILLERS; do
		ins "test_klp_filler$m" || return
		d=$(($(section "test_klp_filler$m" .bss) - $(section "$1" .text)))
		if [[ ${d#-} -lt $((128 << 20)) ]]; then
			# More than there is within range
			[[ $m -ne 132 ]] || break
		elif [[ $m -ne 132 ]]; then
			rmmod "test_klp_filler$m"
		fi
	done
}

unmake_far() {
	local m

	for m in $FILLERS; do
		[[ ! -e /sys/module/test_klp_filler$m ]] || rmmod "test_klp_filler$m"
	done
}

# slotless MODULE: it has no pool of slots, and is too far for that of the kernel.
# That happens to those which find no room in range where others do.
slotless() {
	grep -q ' function_plt_pool_take$' /proc/kallsyms &&
		[[ ! -e /sys/module/$1/sections/.text.function_plt_entries ]]
}

# reached PATCH REGEX [FUNCTION...]: ... is it what the test expects?
reached() {
	local lp=$1 re=$2 f

	shift 2
	# shellcheck disable=SC2086 # words
	[[ $# -gt 0 ]] || set -- $ALL
	for f; do
		[[ $(how "$lp" "$f") =~ ^($re)$ ]] ||
			fail "$lp: $f() is reached by $(how "$lp" "$f"), not $re" \
			     "(error $(cat "$SYSFS_KLP_DIR/$lp/$MOD/redirect_$f,1/redirect_error"))"
	done
	[[ -z "$why" ]]
}

# An attempt that ran into a slot of another kind is repeated
branch() {
	loop_until "[[ \$(how $1 ${2:-none}) =~ ^(near|far)\$ ]]"
	if [[ -n "$2" ]]; then
		reached "$1" "near|far" "$2"
	else
		reached "$1" "near|far"
	fi
}

# entry FUNCTION: what tracefs says about it, of more than one line maybe
entry() {
	awk -v f="redirect_$1" '/^[^\t]/ { p = $1 == f } p' "$TRACE/enabled_functions"
}

# redirected FUNCTION PATCH: tracefs agrees that it branches there
redirected() {
	entry "$1" | grep -Eq "redirect(\(far\))?-->patched_$1\+0x0/.* \[$2\]" ||
		fail "enabled_functions: no redirect of $1() to $2"
}

called() {
	entry "$1" | grep -q "redirect.*-->" &&
		fail "enabled_functions: redirect of $1()"
	[[ -z "$why" ]]
}

# mark NAME: what the kernel says from now on belongs to NAME
mark() {
	canary="redirect kselftest $1 $RANDOM$RANDOM"
	echo "$canary" >/dev/kmsg
}

quiet() {
	dmesg | awk -v from="$canary" '
		p && /WARNING:|BUG:|Oops|ftrace bug|Call trace:|INFO: possible/ { bad = 1; print }
		index($0, from) { p = 1 }
		END { exit !p ? 2 : bad }'
	case $? in
	0) ;;
	1) fail "the kernel complains" ;;
	*) fail "the kernel has said more than it keeps" ;;
	esac
}

reset() {
	local lp mod

	echo 0 >/sys/module/$MOD/parameters/stall
	jobs -p | xargs -r kill
	[[ -e /sys/module/$USERMOD ]] && rmmod $USERMOD
	echo nop >"$TRACE/current_tracer"
	echo >"$TRACE/set_ftrace_filter"
	echo 0 >"$TRACE/events/enable" 2>/dev/null
	echo >"$TRACE/dynamic_events" 2>/dev/null
	for mod in $HURRY $HOLD $SPIN $DIRECT $FAULT; do
		[[ -e /sys/module/$mod ]] && rmmod $mod
	done
	echo 1 >$SWITCH
	settled
	for lp in $BAD $EARLY $LP5 $LP4 $LP3 $LP2; do
		# Those that took part in a forced transition stay
		[[ " $pinned " != *" $lp "* ]] || continue
		[[ -e $SYSFS_KLP_DIR/$lp ]] && echo 0 >"$SYSFS_KLP_DIR/$lp/enabled"
		settled
		[[ -e /sys/module/$lp ]] && del $lp
	done
	[[ -e /sys/module/$MOD && " $pinned " != *" $MOD "* ]] && rmmod $MOD
	unmake_far
} 2>/dev/null

pinned=''
trap reset EXIT

# run NAME: the function test_NAME, with the module that is going to be patched
run() {
	why='' skip=''
	mark "$1"
	ins $MOD
	[[ -z "$why" ]] && "test_$1"
	reset
	quiet
	if [[ -n "$why" ]]; then
		ktap_test_fail "$1: $why"
	elif [[ -n "$skip" ]]; then
		skipped "$1" "$skip"
	else
		ktap_test_pass "$1"
	fi
}

# --------------------------------------------------------------------------

test_basic() {
	local f

	expect 1
	patch $LP2 || return
	branch $LP2
	for f in $ALL; do
		redirected "$f" $LP2
	done
	expect 2
	[[ $(cat /proc/cmdline) == "$LP2: version 2" ]] || fail "/proc/cmdline"
	echo 2 >/sys/module/$MOD/parameters/expect_idle || fail "not version 2 when idle"
	placed $LP2
	ktap_print_msg "reached by: $(how $LP2 none) in a module," \
		"$(cat $SYSFS_KLP_DIR/$LP2/vmlinux/cmdline_proc_show,1/redirect) in the kernel"
	unpatch $LP2
	expect 1
	echo 1 >/sys/module/$MOD/parameters/expect_idle || fail "not version 1 when idle"
	[[ $(cat /proc/cmdline) != "$LP2"* ]] || fail "/proc/cmdline stays patched"
}

test_module_to_module() {
	ins $USERMOD || return
	patch $LP2 || return
	branch $LP2 exported
	echo 2 >/sys/module/$USERMOD/parameters/expect ||
		fail "not version 2"
	unpatch $LP2
	echo 1 >/sys/module/$USERMOD/parameters/expect ||
		fail "not version 1"
}

test_switch() {
	echo 0 >$SWITCH
	patch $LP2 || return
	reached $LP2 handler
	expect 2
	echo 1 >$SWITCH
	branch $LP2
	expect 2
	echo 0 >$SWITCH
	reached $LP2 handler
	called nine
	expect 2
	[[ $(cat $SWITCH) == N ]] || fail "the switch reads $(cat $SWITCH)"
}

# Mainline refuses that whether anything is patched or not.
test_ftrace_enabled() {
	patch $LP2 || return
	sysctl -q kernel.ftrace_enabled=0 2>/dev/null && fail "it was accepted"
	sysctl -q kernel.ftrace_enabled=1
	branch $LP2
	expect 2
}

# traced TRACER: by a function tracer that comes and goes
traced() {
	patch $LP2 || return
	for _ in 1 2 3; do
		branch $LP2
		echo redirect_nine >"$TRACE/set_ftrace_filter"
		echo "$1" >"$TRACE/current_tracer"
		reached $LP2 handler nine
		reached $LP2 "near|far" eight
		called nine
		expect 2
		grep -q "$2" "$TRACE/trace" || fail "nothing was traced"
		echo nop >"$TRACE/current_tracer"
		redirected nine $LP2
	done
	branch $LP2
	expect 2
}

test_function() {
	traced function redirect_nine
}

test_function_graph() {
	traced function_graph 'redirect_nine\|patched_nine'
}

test_traced_before() {
	echo redirect_nine >"$TRACE/set_ftrace_filter"
	echo function >"$TRACE/current_tracer"
	patch $LP2 || return
	reached $LP2 handler nine
	reached $LP2 "near|far" eight
	expect 2
	echo nop >"$TRACE/current_tracer"
	branch $LP2
	expect 2
	# ... and the patch leaves first
	echo function >"$TRACE/current_tracer"
	unpatch $LP2
	expect 1
}

# A kprobe at the entry either uses ftrace or is a breakpoint ahead of the branch
kprobe_state() {
	if grep -q 'redirect_nine.*\[FTRACE\]' "$SYSFS_KPROBES_DIR/list"; then
		echo handler
	else
		echo "near|far"
	fi
}

# probed DEFINITION STATE: by a probe with an event of its own
probed() {
	patch $LP2 || return
	branch $LP2
	echo "$1" >"$TRACE/dynamic_events" || fail "cannot set $1" || return
	echo >"$TRACE/trace"
	echo 1 >"$TRACE/events/klptest/enable"
	if [[ $2 == kprobe ]]; then
		grep -q redirect_nine "$SYSFS_KPROBES_DIR/list" ||
			fail "no kprobe in debugfs"
		reached $LP2 "$(kprobe_state)" nine
	else
		reached $LP2 "$2" nine
	fi
	expect 2
	grep -q ' probe_nine:' "$TRACE/trace" || fail "no event"
	echo 0 >"$TRACE/events/klptest/enable"
	echo >"$TRACE/dynamic_events"
	branch $LP2
	expect 2
}

test_kprobe() {
	[[ -e $TRACE/kprobe_events ]] || skip="no kprobe events"
	[[ -n "$skip" ]] || probed "p:klptest/probe_nine redirect_nine" kprobe
}

test_kretprobe() {
	[[ -e $TRACE/kprobe_events ]] || skip="no kprobe events"
	[[ -n "$skip" ]] || probed "r:klptest/probe_nine redirect_nine" kprobe
}

test_fprobe() {
	grep -q '^ *f\[' "$TRACE/README" 2>/dev/null ||
		grep -q 'f\[:' "$TRACE/README" || skip="no fprobe events"
	[[ -n "$skip" ]] || probed "f:klptest/probe_nine redirect_nine" handler
}

test_fprobe_exit() {
	grep -q 'f\[' "$TRACE/README" || skip="no fprobe events"
	[[ -n "$skip" ]] || probed "f:klptest/probe_nine redirect_nine%return" handler
}

# counted NAME: calls that the direct call's trampoline has seen
counted() {
	cat "/sys/module/$DIRECT/parameters/$1"
}

# Like BPF's fentry and fexit
test_direct() {
	local before

	if [[ $(uname -m) != aarch64 ]]; then
		skip="no trampoline for $(uname -m)"
		return
	fi
	patch $LP2 || return
	branch $LP2 eight
	ins $DIRECT || return
	[[ $(counted again) == 1 ]] || fail "registered without -EAGAIN"
	reached $LP2 handler eight
	expect 2
	[[ $(counted hits) -gt 0 ]] || fail "the direct call was not made"
	[[ $(counted returns) -gt 0 ]] || fail "the replacement did not return"
	for _ in 1 2; do
		before=$(counted hits)
		echo 1 >/sys/module/$DIRECT/parameters/modify || fail "cannot modify"
		reached $LP2 handler eight
		expect 2
		[[ $(counted hits) -gt $before ]] || fail "no call after modifying"
	done
	# A third one, and the tracer leaves last
	echo redirect_eight >"$TRACE/set_ftrace_filter"
	echo function >"$TRACE/current_tracer"
	expect 2
	del $DIRECT
	reached $LP2 handler eight
	expect 2
	echo nop >"$TRACE/current_tracer"
	branch $LP2 eight
	expect 2
	unpatch $LP2
	# ... and the other way round
	ins $DIRECT || return
	expect 1
	[[ $(counted returns) == 0 ]] || fail "the trampoline for a patch is in use"
	patch $LP2 || return
	reached $LP2 handler eight
	before=$(counted hits)
	expect 2
	[[ $(counted hits) -gt $before && $(counted returns) -gt 0 ]] ||
		fail "no call after patching"
	unpatch $LP2
	before=$(counted hits)
	expect 1
	[[ $(counted hits) -gt $before ]] || fail "no call after unpatching"
	patch $LP2 || return
	del $DIRECT
	branch $LP2 eight
	expect 2
}

# line: what test_klp-fentry has to say
line() {
	line=''
	read -r -t 60 line <&"${BPF[0]}" || fail "test_klp-fentry says nothing"
}

# ran ENTRY EXIT: how often BPF programs run when the function is called once
ran() {
	local out

	# What came before does not count: insmod and rmmod read the file, too
	echo >&"${BPF[1]}"
	line
	out=$(cat /proc/cmdline)
	echo >&"${BPF[1]}"
	line
	[[ $line == "$1 $2" ]] || fail "BPF programs ran $line times, not $1 $2"
	if [[ -e $SYSFS_KLP_DIR/$LP2 ]]; then
		[[ $out == "$LP2: version 2" ]] || fail "/proc/cmdline is $out"
		[[ $(how_cmdline) == handler ]] || fail "reached by $(how_cmdline)"
	else
		[[ $out != "$LP2"* ]] || fail "/proc/cmdline stays patched"
	fi
}

how_cmdline() {
	cat "$SYSFS_KLP_DIR/$LP2/vmlinux/cmdline_proc_show,1/redirect"
}

# BPF's fentry and fexit, on a function of the kernel
test_bpf() {
	local which hits pid in

	if [[ ! -e /sys/kernel/btf/vmlinux ]]; then
		skip="no BTF"
		return
	fi
	for which in entry:1:0 exit:0:1 both:1:1; do
		hits=${which#*:}
		patch $LP2 || return
		loop_until "[[ \$(how_cmdline) =~ ^(near|far)\$ ]]" || fail "not redirected"
		coproc BPF { exec ./test_klp-fentry cmdline_proc_show "${which%%:*}"; }
		pid=$! in=${BPF[1]}
		line
		[[ $line == attached ]] || fail "BPF: $line" || return
		ran "${hits%:*}" "${hits#*:}"
		# The patch goes and comes back below it
		unpatch $LP2
		ran "${hits%:*}" "${hits#*:}"
		patch $LP2 || return
		ran "${hits%:*}" "${hits#*:}"
		# A third one
		echo cmdline_proc_show >"$TRACE/set_ftrace_filter"
		echo function >"$TRACE/current_tracer"
		ran "${hits%:*}" "${hits#*:}"
		echo nop >"$TRACE/current_tracer"
		ran "${hits%:*}" "${hits#*:}"
		exec {in}>&-
		wait $pid || fail "test_klp-fentry failed"
		loop_until "[[ \$(how_cmdline) =~ ^(near|far)\$ ]]" || fail "not redirected again"
		[[ $(cat /proc/cmdline) == "$LP2: version 2" ]] || fail "/proc/cmdline"
		unpatch $LP2
	done
}

test_stacked() {
	patch $LP2 && patch $LP3 || return
	branch $LP3
	reached $LP2 none
	expect 3
	unpatch $LP3
	branch $LP2
	expect 2
	patch $LP3 || return
	expect 3
}

test_out_of_order() {
	patch $LP2 && patch $LP3 || return
	unpatch $LP2
	branch $LP3
	expect 3
	unpatch $LP3
	expect 1
}

test_replaced() {
	patch $LP2 && patch $LP3 && patch $LP4 || return
	branch $LP4
	expect 4
	del $LP2
	del $LP3
	patch $LP5 || return
	branch $LP5
	expect 5
	del $LP4
	unpatch $LP5
	expect 1
}

# Functions that the next patch does not have get a nop for the transition
test_replaced_by_nops() {
	local f

	patch $LP2 && branch $LP2 || return
	hold_up || return
	ins $BAD how=good replace=1 || return
	grep -q 1 $SYSFS_KLP_DIR/$BAD/transition || fail "no transition"
	reached $LP2 handler
	[[ $(cat "$SYSFS_KLP_DIR/$BAD/$MOD/redirect_eight,1/redirect") == none ]] ||
		fail "the nop is not reached by \"none\""
	echo 0 >$SWITCH
	echo 1 >$SWITCH
	called eight
	let_go
	settled
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP2 ]]" || fail "$LP2 was not replaced"
	for f in $ALL; do
		if [[ $f == none ]]; then
			redirected $f $BAD
		else
			[[ -z "$(entry "$f")" ]] || fail "$f() is still patched"
		fi
	done
	[[ $(cat /proc/cmdline) != "$LP2"* ]] || fail "/proc/cmdline stays patched"
	unpatch $BAD
	expect 1
}

# keep the next transition from completing, by a task that does not use the
# module with the other functions
hold_up() {
	[[ -e /sys/module/$HOLD ]] || ins $HOLD || return
	echo 1 >/sys/module/$HOLD/parameters/hold
	sleep 0.5
}

let_go() {
	echo 0 >/sys/module/$HOLD/parameters/hold
}

# keep a task in the function that begins a chain
stall() {
	echo 1 >/sys/module/$MOD/parameters/stall
	head -c 2000 /dev/zero >/tmp/redirect.stall
	dd if=/tmp/redirect.stall of=/proc/test_klp_redirect bs=2000 status=none &
	stalled=$!
	sleep 0.5
}

# let that task go on
released() {
	echo 0 >/sys/module/$MOD/parameters/stall
	wait $stalled
}

# Its chain has to have been of one version
unmixed() {
	released || fail "the chain was mixed"
}

test_reversed_enable() {
	stall
	ins $LP2 || return
	grep -q 1 $SYSFS_KLP_DIR/$LP2/transition || fail "no transition"
	reached $LP2 handler
	echo 0 >$SYSFS_KLP_DIR/$LP2/enabled || fail "cannot reverse"
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP2 ]]"
	unmixed
	del $LP2
	expect 1
}

test_reversed_disable() {
	patch $LP2 || return
	branch $LP2
	stall
	echo 0 >$SYSFS_KLP_DIR/$LP2/enabled || fail "cannot disable"
	grep -q 1 $SYSFS_KLP_DIR/$LP2/transition || fail "no transition"
	reached $LP2 handler
	echo 1 >$SYSFS_KLP_DIR/$LP2/enabled || fail "cannot reverse"
	settled
	unmixed
	branch $LP2
	expect 2
}

# A patch below another one: nothing of the kind is on anybody's stack
test_reversed_below() {
	patch $LP2 && patch $LP3 || return
	branch $LP3
	ins $SPIN || return
	echo 0 >$SYSFS_KLP_DIR/$LP2/enabled || fail "cannot disable"
	grep -q 1 $SYSFS_KLP_DIR/$LP2/transition || fail "no transition"
	echo 1 >$SYSFS_KLP_DIR/$LP2/enabled || fail "cannot reverse"
	rmmod $SPIN || fail "rmmod $SPIN"
	settled
	branch $LP3
	expect 3
	unpatch $LP3
	branch $LP2
	expect 2
}

# Not while a task is on its way: with one that never sleeps, never
test_forced() {
	patch $LP2 || return
	branch $LP2

	# Enable
	stall
	ins $SPIN || return
	ins $LP3 || return
	pinned="$LP3"
	grep -q 1 $SYSFS_KLP_DIR/$LP3/transition || fail "no transition"
	echo 1 >$SYSFS_KLP_DIR/$LP3/force
	settled
	expect 3
	sleep 2
	reached $LP3 handler
	reached $LP2 none
	echo 0 >$SWITCH
	echo 1 >$SWITCH
	reached $LP3 handler
	rmmod $SPIN || fail "rmmod $SPIN"
	branch $LP3
	expect 3
	# Who was forced may well have met both
	released

	# Disable
	stall
	echo 0 >$SYSFS_KLP_DIR/$LP3/enabled || fail "cannot disable $LP3"
	grep -q 1 $SYSFS_KLP_DIR/$LP3/transition || fail "no transition"
	echo 1 >$SYSFS_KLP_DIR/$LP3/force
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP3 ]]" || fail "$LP3 stays"
	expect 2
	branch $LP2
	expect 2
	rmmod $LP3 2>/dev/null && fail "$LP3 could be removed"
	released

	# Replace
	stall
	pinned="$pinned $LP2 $LP4"
	ins $LP4 || return
	grep -q 1 $SYSFS_KLP_DIR/$LP4/transition || fail "no transition"
	echo 1 >$SYSFS_KLP_DIR/$LP4/force
	settled
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP2 ]]" || fail "$LP2 was not replaced"
	expect 4
	branch $LP4
	expect 4
	rmmod $LP2 2>/dev/null && fail "$LP2 could be removed"
	released
	echo 0 >$SYSFS_KLP_DIR/$LP4/enabled
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP4 ]]" || fail "$LP4 stays"
	expect 1
}

test_module_reloaded() {
	rmmod $MOD
	patch $LP2 || return
	for _ in 1 2 3; do
		ins $MOD || return
		branch $LP2
		expect 2
		rmmod $MOD || fail "rmmod $MOD"
	done
	ins $MOD
	expect 2
}

# The target comes and goes while a transition of its patch is under way
test_reloaded_in_transition() {
	patch $LP2 || return
	branch $LP2
	hold_up || return
	ins $LP3 || return
	grep -q 1 $SYSFS_KLP_DIR/$LP3/transition || fail "no transition"
	rmmod $MOD || fail "rmmod $MOD"
	reached $LP3 none
	ins $MOD || return
	reached $LP3 handler
	let_go
	settled
	branch $LP3
	expect 3
	hold_up || return
	echo 0 >$SYSFS_KLP_DIR/$LP3/enabled || fail "cannot disable"
	grep -q 1 $SYSFS_KLP_DIR/$LP3/transition || fail "no transition"
	rmmod $MOD || fail "rmmod $MOD"
	ins $MOD || return
	let_go
	loop_until "[[ ! -e $SYSFS_KLP_DIR/$LP3 ]]" || fail "$LP3 stays"
	branch $LP2
	expect 2
}

# The record of the function is gone once the module is initialized
test_init_function() {
	rmmod $MOD
	patch $LP2 && patch $EARLY || return
	pinned="$MOD $EARLY"
	ins $MOD || return
	[[ $(cat /sys/module/$MOD/parameters/early) == 2 ]] ||
		fail "the __init function was not patched"
	branch $LP2
	grep -qx handler "$SYSFS_KLP_DIR/$EARLY/$MOD/redirect_early,1/redirect" ||
		fail "the __init function is redirected"
	expect 2
	echo 0 >$SWITCH
	echo 1 >$SWITCH
	echo redirect_nine >"$TRACE/set_ftrace_filter"
	echo function >"$TRACE/current_tracer"
	echo nop >"$TRACE/current_tracer"
	branch $LP2
	patch $LP3 || return
	branch $LP3
	unpatch $LP3
	unpatch $LP2
	expect 1
}

# More than a branch away from the patches
test_far_module() {
	rmmod $MOD
	patch $LP2 || return
	make_far $LP2 || return
	ins $MOD || return
	if slotless $MOD; then
		ktap_print_msg "$MOD has no slots"
		reached $LP2 handler
		[[ $(cat $SYSFS_KLP_DIR/$LP2/$MOD/redirect_none,1/redirect_error) == -28 ]] ||
			fail "that it has no slots is not shown"
	else
		branch $LP2
		reached $LP2 far
		placed $LP2
	fi
	expect 2
	rmmod $MOD
	unmake_far
	ins $MOD || return
	branch $LP2
	placed $LP2
	expect 2
}

# bad KIND ERROR: a replacement that cannot be branched to
bad() {
	ins $BAD how="$1" && settled || return
	[[ $(cat "$SYSFS_KLP_DIR/$BAD/$MOD/redirect_none,1/redirect") == handler ]] ||
		fail "$1: redirected"
	[[ $(cat "$SYSFS_KLP_DIR/$BAD/$MOD/redirect_none,1/redirect_error") == "$2" ]] ||
		fail "$1: error $(cat "$SYSFS_KLP_DIR/$BAD/$MOD/redirect_none,1/redirect_error")"
	called none
	unpatch $BAD
}

test_bad_data() {
	bad data -14
}

test_bad_init() {
	bad init -14
}

test_bad_misaligned() {
	bad misaligned -22
}

# promote_fault SYMBOL ERROR SKIP: two functions in the middle of a batch cannot
# be promoted
promote_fault() {
	ins $FAULT symbol="$1" error="$2" skip="$3" times=2 || return
	patch $LP2 || return
	[[ $(cat /sys/module/$FAULT/parameters/hits) == 2 ]] || fail "$1: no fault"
	[[ $(cat $SYSFS_KLP_DIR/$LP2/*/*/redirect | grep -c handler) == 2 ]] ||
		fail "$1: not just two functions on the handler"
	[[ $(cat $SYSFS_KLP_DIR/$LP2/*/*/redirect_error | grep -cx -e "$2") == 2 ]] ||
		fail "$1: the error is not shown"
	expect 2
	del $FAULT
	# They get another chance
	echo 0 >$SWITCH
	echo 1 >$SWITCH
	branch $LP2
	expect 2
	[[ $(cat $SYSFS_KLP_DIR/$LP2/*/*/redirect_error | grep -cvx 0) == 0 ]] ||
		fail "an error stays"
	unpatch $LP2
	expect 1
}

test_fault_promote() {
	promote_fault ftrace_make_redirect -1 3
}

# What all changes of a patch site go through: 14 calls, then the branches
test_fault_poke() {
	local f

	skip="all functions are inlined"
	for f in ftrace_modify_code ftrace_rec_set_ops ftrace_rec_update_ops; do
		if grep -q " t $f\$" /proc/kallsyms; then
			skip=''
			promote_fault $f -1 17
		else
			ktap_print_msg "$f() is inlined"
		fi
	done
}

test_fault_repromote() {
	patch $LP2 || return
	ins $FAULT symbol=ftrace_make_redirect error=-1 || return
	echo redirect_nine >"$TRACE/set_ftrace_filter"
	echo function >"$TRACE/current_tracer"
	echo nop >"$TRACE/current_tracer"
	reached $LP2 handler nine
	expect 2
	del $FAULT
	echo function >"$TRACE/current_tracer"
	echo nop >"$TRACE/current_tracer"
	branch $LP2
	expect 2
}

# Refused with an error, and the old state stays whole
test_fault_demote() {
	patch $LP2 || return
	ins $FAULT symbol=ftrace_undo_redirect error=-1 skip=4 times=1 || return
	insmod test_modules/$LP3.ko 2>/dev/null && fail "$LP3 was enabled"
	[[ -e $SYSFS_KLP_DIR/$LP3 ]] && fail "$LP3 stays"
	branch $LP2
	expect 2
	echo 6 >/sys/module/$FAULT/parameters/skip
	echo -1 >/sys/module/$FAULT/parameters/times
	(echo 0 >$SYSFS_KLP_DIR/$LP2/enabled) 2>/dev/null && fail "$LP2 was disabled"
	[[ $(cat $SYSFS_KLP_DIR/$LP2/enabled) == 1 ]] || fail "$LP2 is not enabled"
	branch $LP2
	(echo 0 >$SWITCH) 2>/dev/null && fail "the switch was turned"
	branch $LP2
	expect 2
	del $FAULT
	patch $LP3 || return
	expect 3
}

# The tracer has to be called, so this is a bug of ftrace, which turns itself off.
# Nothing may be believed to be demoted then.
test_dead() {
	patch $LP2 || return
	branch $LP2
	ins $FAULT symbol=ftrace_undo_redirect error=-1 || return
	echo redirect_nine >"$TRACE/set_ftrace_filter"
	echo function >"$TRACE/current_tracer"
	del $FAULT
	reached $LP2 "near|far" nine
	insmod test_modules/$LP3.ko 2>/dev/null && fail "$LP3 was enabled"
	(echo 0 >$SYSFS_KLP_DIR/$LP2/enabled) 2>/dev/null && fail "$LP2 was disabled"
	reached $LP2 "near|far" nine
	expect 2
	mark "dead, and has said so"
}

# A module goes although its functions cannot be demoted
test_fault_going() {
	local times

	patch $LP2 || return
	for times in 1 -1; do
		branch $LP2
		ins $FAULT symbol=ftrace_undo_redirect error=-1 times=$times || return
		rmmod $MOD || fail "rmmod $MOD"
		[[ $(cat /sys/module/$FAULT/parameters/hits) != 0 ]] || fail "no fault"
		reached $LP2 none
		del $FAULT
		ins $MOD || return
		branch $LP2
		expect 2
	done
	unpatch $LP2
	expect 1
}

# The slot cannot be had
test_fault_slot() {
	local error

	rmmod $MOD
	patch $LP2 || return
	make_far $LP2 || return
	ins $MOD || return
	if slotless $MOD; then
		skip="$MOD has no slots"
		return
	fi
	branch $LP2
	reached $LP2 far
	rmmod $MOD || fail "rmmod $MOD"
	for error in -12 -14 -22; do
		ins $FAULT symbol=function_plt_prepare error=$error skip=3 times=2 || return
		ins $MOD || return
		[[ $(cat $SYSFS_KLP_DIR/$LP2/*/*/redirect | grep -c handler) == 2 ]] ||
			fail "$error: not just two functions on the handler"
		[[ $(cat $SYSFS_KLP_DIR/$LP2/*/*/redirect_error | grep -cx -e $error) == 2 ]] ||
			fail "$error is not shown"
		expect 2
		del $FAULT
		rmmod $MOD || fail "rmmod $MOD"
	done
	ins $FAULT symbol=function_plt_may_land error=0 || return
	ins $MOD || return
	reached $LP2 handler
	expect 2
	del $FAULT
	echo 0 >$SWITCH
	echo 1 >$SWITCH
	branch $LP2
	reached $LP2 far
	expect 2
}

# Is this a machine that mixed chains can be blamed on the kernel on?
test_text_sync() {
	ins test_text_sync || fail "this machine runs instructions that were replaced" || return
	rmmod test_text_sync
	ktap_print_msg "$(dmesg | sed -n 's/.*test_text_sync: \([0-9]* changes\)/\1/p' | tail -n 1)"
}

# Chains of calls on all CPUs while everything changes. Not forced transitions:
# they are allowed to mix versions.
test_stress() {
	local model=$SYSFS_DEBUG_DIR/sched/preempt pid

	if [[ -n "$PREEMPT" ]]; then
		grep -q "($PREEMPT)" "$model" ||
			fail "the preemption model is $(cat "$model"), not $PREEMPT" || return
		ktap_print_msg "preemption: $(cat "$model")"
	fi
	ins $HURRY || return
	[[ -z "$FAR" ]] || make_far $MOD || return
	# They get the time that is left by those who patch
	nice -n 5 ./test_klp-chain 4 >/tmp/redirect.chains &
	pid=$!
	./test_klp-stress "${TRANSITIONS:-30}" "${SEED:-1}" ${LIMIT:+"$LIMIT"} ||
		fail "the stress did not come to its end"
	# It has listened to the kernel, which said more than it keeps
	mark "stress is over"
	kill $pid 2>/dev/null
	wait $pid || fail "mixed chains"
	ktap_print_msg "$(cat /tmp/redirect.chains);" \
		"$(cat /sys/module/$HURRY/parameters/hits) looks were brought forward"
}

TESTS="basic module_to_module switch ftrace_enabled function function_graph
	traced_before kprobe kretprobe fprobe fprobe_exit direct bpf stacked
	out_of_order replaced replaced_by_nops reversed_enable reversed_disable
	reversed_below module_reloaded reloaded_in_transition far_module bad_data
	bad_init bad_misaligned fault_promote fault_poke fault_repromote fault_demote
	fault_going fault_slot forced"
# The last one leaves patch modules that cannot be removed any more

[[ $# -eq 0 ]] || TESTS=$*
# shellcheck disable=SC2086 # words
set -- $TESTS
ktap_set_plan $#
for t in "$@"; do
	run "$t"
done
ktap_finished
