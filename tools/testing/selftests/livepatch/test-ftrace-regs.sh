#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The registers that tracers and kprobes get at the entry of a function, and
# what they can change. The module has the test cases; it does not load when
# one of them fails.

. "$(dirname "$0")/functions.sh"

MOD_TEST=test_ftrace_regs

[[ $(uname -m) == aarch64 ]] || skip "test-ftrace-regs is for arm64"
grep -q ' ftrace_regs_caller$' /proc/kallsyms ||
	skip "test-ftrace-regs requires CONFIG_ARM64_FTRACE_WITH_REGS"
grep -q ' kprobe_ftrace_ops$' /proc/kallsyms ||
	skip "test-ftrace-regs requires CONFIG_KPROBES_ON_FTRACE"

setup_config

echo 1 > "$SYSFS_KPROBES_DIR/enabled"

NAMES='^(ftrace_(regs_)?call(er.*)?|ftrace_stub.*|ftrace_overridden'
NAMES+='|return_to_handler.*|just_return_func)$'

# All of the symbols that lead to tracers, as pairs of a start and an end. Each of
# them ends where the next one in kallsyms begins.
trampolines() {
	awk -v names="$NAMES" 'name { printf "%s0x%s,0x%s", sep, addr, $1; sep = "," }
	     { name = "" }
	     /\[/ { exit }
	     $3 ~ names {
		addr = $1; name = $3
	     }' /proc/kallsyms
}

# symbol NAME OFFSET - an address in hexadecimal digits
symbol() {
	local addr

	addr=$(awk -v name="$1" '$3 == name { print $1; exit }' /proc/kallsyms)
	[[ -n "$addr" ]] || die "not ok: no symbol $1"
	printf '0x%x' $((0x$addr + $2))
}

# Run the module's test cases: what they found is in the kernel log. It says whether
# the tracers are in reach of a branch; vmtest.sh --near and --far see to both.
run_module() {
	local ret results

	ret=$(insmod test_modules/$MOD_TEST.ko "refused=$(trampolines)" \
		"kernel_func=$(symbol cmdline_proc_show 0)" 2>&1)
	results=$(dmesg | awk -v last="$LAST_DMESG" 'p; $0 == last { p = 1 }' |
		sed -n "s/.*$MOD_TEST: //p")
	echo -e "\n# ${results//$'\n'/$'\n'# }"
	if [[ -n "$ret" ]] || ! grep -q ' fail:0$' <<< "$results" ||
			grep -q '^not ok' <<< "$results"; then
		die "not ok: $ret"
	fi
	rmmod $MOD_TEST
	place=$(sed -n 's/^# \(near\|far\): pass:.*/\1/p' <<< "$results")
}

start_test "registers at the entry of functions"
run_module
echo "TEST: registers at the entry of functions, $place ... ok"

# A probe at a function's entry is an ftrace user, one further on is not.

start_test "kprobes at and behind the entry in debugfs"

events=$SYSFS_TRACING_DIR/kprobe_events
list=$SYSFS_KPROBES_DIR/list
trace=$SYSFS_TRACING_DIR/trace

echo > "$trace"
echo 'p:regs/entry cmdline_proc_show' > "$events"
echo 'p:regs/body cmdline_proc_show+0x10' >> "$events"
echo 1 > "$SYSFS_TRACING_DIR/events/regs/enable"
found=$(grep -w cmdline_proc_show "$list")
cat /proc/cmdline > /dev/null
# hits EVENT [OFFSET] - those of cat: others read that file, too
hits() {
	grep -cE "^ *cat-[0-9]+ .* $1: \(cmdline_proc_show\+$2" "$trace"
}
entry_hits=$(hits entry '0x[48]/')
body_hits=$(hits body '0x10/')
grep -q cmdline_proc_show "$SYSFS_TRACING_DIR/enabled_functions"
enabled=$?

# All kprobes off and on, then the events
echo 0 > "$SYSFS_KPROBES_DIR/enabled"
cat /proc/cmdline > /dev/null
off_hits="$(hits entry) $(hits body)"
grep -q cmdline_proc_show "$SYSFS_TRACING_DIR/enabled_functions"
off_enabled=$?
echo 1 > "$SYSFS_KPROBES_DIR/enabled"
cat /proc/cmdline > /dev/null
on_hits="$(hits entry) $(hits body)"
echo 0 > "$SYSFS_TRACING_DIR/events/regs/enable"
cat /proc/cmdline > /dev/null
disabled_hits="$(hits entry) $(hits body)"
disabled=$(grep -w cmdline_proc_show "$list")
echo > "$events"
echo > "$trace"
gone=$(grep -cw cmdline_proc_show "$list")

[[ $(grep -c 'cmdline_proc_show+0x[48] .*\[FTRACE\]' <<< "$found") == 1 ]] ||
	die "not ok: no kprobe on ftrace: $found"
[[ $(grep -c 'cmdline_proc_show+0x10' <<< "$found") == 1 ]] ||
	die "not ok: no kprobe in the body: $found"
[[ $(grep 'cmdline_proc_show+0x10' <<< "$found") != *FTRACE* ]] ||
	die "not ok: a kprobe in the body on ftrace: $found"
[[ "$enabled" == 0 && "$entry_hits" == 1 && "$body_hits" == 1 && "$gone" == 0 ]] ||
	die "not ok: enabled $enabled, $entry_hits and $body_hits hits, $gone left"
[[ "$off_hits" == "1 1" && "$off_enabled" != 0 && "$on_hits" == "2 2" ]] ||
	die "not ok: all off: $off_hits hits, on again: $on_hits"
[[ "$disabled_hits" == "2 2" ]] || die "not ok: disabled: $disabled_hits hits"
[[ $(grep -c '\[DISABLED\]' <<< "$disabled") == 2 &&
   $(grep -c '+0x[48] .*\[DISABLED\].*\[FTRACE\]' <<< "$disabled") == 1 ]] ||
	die "not ok: disabled: $disabled"
echo "ok"

# A module that comes and goes with two probes at an entry of its own

start_test "kprobes on a module that comes and goes"

MOD_TARGET=test_klp_mod_target

insmod test_modules/$MOD_TARGET.ko
echo "p:regs/one $MOD_TARGET:${MOD_TARGET}_show" > "$events"
echo "p:regs/two $MOD_TARGET:${MOD_TARGET}_show" >> "$events"
echo 1 > "$SYSFS_TRACING_DIR/events/regs/enable"
cat /proc/$MOD_TARGET > /dev/null
for ((i = 0; i < 10; i++)); do
	rmmod $MOD_TARGET
	grep -q "${MOD_TARGET}_show" "$SYSFS_TRACING_DIR/enabled_functions" &&
		die "not ok: ftrace is still on a function of the module"
	insmod test_modules/$MOD_TARGET.ko
	cat /proc/$MOD_TARGET > /dev/null
done
one=$(grep -c "one: (${MOD_TARGET}_show+0x[48]/" "$trace")
two=$(grep -c "two: (${MOD_TARGET}_show+0x[48]/" "$trace")
rmmod $MOD_TARGET
echo 0 > "$SYSFS_TRACING_DIR/events/regs/enable"
echo > "$events"
# Nothing is left that would find the function in another load of the module
insmod test_modules/$MOD_TARGET.ko
cat /proc/$MOD_TARGET > /dev/null
grep -q "${MOD_TARGET}_show" "$SYSFS_TRACING_DIR/enabled_functions" &&
	die "not ok: ftrace is on a function that has no kprobe any more"
rmmod $MOD_TARGET
echo > "$trace"
[[ "$one" == 11 && "$two" == 11 ]] || die "not ok: $one and $two hits"
[[ $(grep -c "${MOD_TARGET}_show" "$list") == 0 ]] || die "not ok: $(cat "$list")"
echo "ok"

# Probes in init text go when that is freed, and come again with the module: a
# kprobe and a kretprobe at the entry, and one further on.

start_test "kprobes in the init text of a module"

MOD_INIT=test_klp_kprobe

{
	echo "p:regs/init $MOD_INIT:init_module"
	echo "r:regs/init_return $MOD_INIT:init_module"
	echo "p:regs/init_body $MOD_INIT:init_module+0x10"
} > "$events"
echo 1 > "$SYSFS_TRACING_DIR/events/regs/enable"
for ((i = 1; i <= 3; i++)); do
	insmod test_modules/$MOD_INIT.ko has_post_handler=n ||
		die "not ok: $MOD_INIT does not load"
	grep -q "\[$MOD_INIT\]" "$SYSFS_TRACING_DIR/enabled_functions" &&
		die "not ok: ftrace is still on init text"
	gone=$(grep -c '\[GONE\]' "$list")
	rmmod $MOD_INIT
	counts=$(for event in init init_return init_body; do
			grep -c " $event: (" "$trace"
		 done)
	[[ "${counts//$'\n'/ }" == "$i $i $i" && "$gone" == 3 ]] ||
		die "not ok: hits ${counts//$'\n'/ } of $i, $gone gone"
done
echo 0 > "$SYSFS_TRACING_DIR/events/regs/enable"
echo > "$events"
echo > "$trace"
[[ $(grep -c "$MOD_INIT" "$list") == 0 ]] || die "not ok: $(cat "$list")"
echo "ok"

# Fault injection replaces a function while function graph follows it, whichever
# of them comes first.

inject=$SYSFS_DEBUG_DIR/fail_function
func=__arm64_sys_mkdirat

inject_mkdir() {
	echo $func > "$inject/inject" || die "not ok: cannot inject into $func"
	echo 100 > "$inject/probability"
	echo -1 > "$inject/times"
	echo 0 > "$inject/verbose"
	echo 0xffffffffffffffe4 > "$inject/$func/retval"	# -ENOSPC
}

graph_mkdir() {
	echo $func > "$SYSFS_TRACING_DIR/set_ftrace_filter"
	echo function_graph > "$SYSFS_TRACING_DIR/current_tracer"
}

try_mkdir() {
	local dir err

	for ((i = 0; i < 20; i++)); do
		dir=$(mktemp -u)
		err=$(LC_ALL=C mkdir "$dir" 2>&1)
		[[ "$err" == *"No space left"* && ! -d "$dir" ]] ||
			die "not ok: mkdir was not overridden: $err"
	done
	[[ $(grep -c "$func" "$trace") -ge 20 ]] ||
		die "not ok: function graph has not seen $func"
}

if [[ -e "$inject/inject" ]]; then
	start_test "fault injection and function graph on one function"
	inject_mkdir
	graph_mkdir
	try_mkdir
	echo > "$inject/inject"
	echo nop > "$SYSFS_TRACING_DIR/current_tracer"
	echo > "$trace"
	graph_mkdir
	inject_mkdir
	try_mkdir
	echo nop > "$SYSFS_TRACING_DIR/current_tracer"
	echo > "$inject/inject"
	echo > "$SYSFS_TRACING_DIR/set_ftrace_filter"
	dir=$(mktemp -d) && rmdir "$dir" || die "not ok: mkdir does not work"
	echo "ok"
else
	echo "# fault injection: SKIP, requires CONFIG_FAIL_FUNCTION"
fi

# A BPF program, a kprobe and a live patch on one function: the program gets
# the address of the function, and the live patch works.

MOD_LIVEPATCH=test_klp_livepatch

run_bpf() {
	local out

	out=$(./test_klp-bpf cmdline_proc_show /proc/cmdline)
	case $? in
	0) ;;
	$ksft_skip) bpf_skip=$out; return ;;
	*) die "not ok: $out" ;;
	esac
	[[ "$out" == "1 hits, function $(symbol cmdline_proc_show 0)" ]] ||
		die "not ok: $out, not $(symbol cmdline_proc_show 0)"
}

start_test "BPF, a kprobe and a live patch on one function"
bpf_skip=
run_bpf
if [[ -z "$bpf_skip" ]]; then
	echo 'p:regs/entry cmdline_proc_show' > "$events"
	echo 1 > "$SYSFS_TRACING_DIR/events/regs/enable"
	run_bpf
	load_lp $MOD_LIVEPATCH
	run_bpf
	[[ $(cat /proc/cmdline) == *"has been live patched"* ]] ||
		die "not ok: not live patched"
	# insmod reads that file, too.
	hits=$(grep -cE '^ *(cat|test_klp-bpf)-[0-9]+ .* entry: \(' "$trace")
	[[ "$hits" == 3 ]] || die "not ok: $hits hits of the kprobe"
	echo 0 > "$SYSFS_TRACING_DIR/events/regs/enable"
	echo > "$events"
	run_bpf
	disable_lp $MOD_LIVEPATCH
	unload_lp $MOD_LIVEPATCH
	run_bpf
	echo > "$trace"
	echo "ok"
else
	echo "SKIP: $bpf_skip"
fi

# Both a live patch and a kprobe with a post handler set the PC of a function.
# test-kprobe.sh has the kprobe first, here it is second.

MOD_KPROBE=test_klp_kprobe

start_test "kprobe with post_handler on a livepatched function"

load_lp $MOD_LIVEPATCH
load_failing_mod $MOD_KPROBE has_post_handler=y
load_mod $MOD_KPROBE has_post_handler=n
echo "test_klp: $(cat /proc/cmdline)" > /dev/kmsg
unload_mod $MOD_KPROBE
disable_lp $MOD_LIVEPATCH
unload_lp $MOD_LIVEPATCH

check_result "% insmod test_modules/$MOD_LIVEPATCH.ko
livepatch: enabling patch '$MOD_LIVEPATCH'
livepatch: '$MOD_LIVEPATCH': initializing patching transition
livepatch: '$MOD_LIVEPATCH': starting patching transition
livepatch: '$MOD_LIVEPATCH': completing patching transition
livepatch: '$MOD_LIVEPATCH': patching complete
% insmod test_modules/$MOD_KPROBE.ko has_post_handler=y
insmod: ERROR: could not insert module test_modules/$MOD_KPROBE.ko: Device or resource busy
% insmod test_modules/$MOD_KPROBE.ko has_post_handler=n
test_klp: $MOD_LIVEPATCH: this has been live patched
% rmmod $MOD_KPROBE
% echo 0 > $SYSFS_KLP_DIR/$MOD_LIVEPATCH/enabled
livepatch: '$MOD_LIVEPATCH': initializing unpatching transition
livepatch: '$MOD_LIVEPATCH': starting unpatching transition
livepatch: '$MOD_LIVEPATCH': completing unpatching transition
livepatch: '$MOD_LIVEPATCH': unpatching complete
% rmmod $MOD_LIVEPATCH"

# One that was disarmed with all others cannot be armed again if the function was
# live patched meanwhile.

start_test "kprobe with post_handler that cannot be armed again"

load_mod $MOD_KPROBE has_post_handler=y
echo 0 > "$SYSFS_KPROBES_DIR/enabled"
load_lp $MOD_LIVEPATCH
if (echo 1 > "$SYSFS_KPROBES_DIR/enabled") 2> /dev/null; then
	die "not ok: all kprobes are enabled"
fi
grep -q 'cmdline_proc_show.*\[DISABLED\]' "$list" ||
	die "not ok: it is not shown as disabled"
unload_mod $MOD_KPROBE
! grep -q 'cmdline_proc_show' "$list" || die "not ok: the kprobe stays"
disable_lp $MOD_LIVEPATCH
unload_lp $MOD_LIVEPATCH
# Were the count of such kprobes wrong now, this one would not be armed.
load_mod $MOD_KPROBE has_post_handler=y
grep -q 'cmdline_proc_show.*R' "$SYSFS_TRACING_DIR/enabled_functions" ||
	die "not ok: a later kprobe is not armed"
unload_mod $MOD_KPROBE
dmesg | awk -v last="$LAST_DMESG" 'p; $0 == last { p = 1 }' |
	grep -E 'WARNING|Failed to' && die "not ok: see above"
echo "ok"

exit 0
