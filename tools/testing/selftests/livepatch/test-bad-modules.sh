#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load modules whose patchable functions were damaged, in all the ways that
# test_function_plt-damage knows. All of them have to be refused with ENOEXEC
# and the message that it says, with the section and the offset, and nothing may
# stay behind. So has one that says it was built without slots.

. "$(dirname "$0")/ktap.sh"

here=$(dirname "$0")
damage=$here/test_function_plt-damage
good=$here/test_modules/test_klp_mod_target.ko
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
tracing=/sys/kernel/tracing

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
[ "$(uname -m)" = aarch64 ] || skip_all "for arm64 only"
grep -q ' function_plt_prepare$' /proc/kallsyms ||
	skip_all "the kernel is without CONFIG_ARM64_FUNCTION_PLT"

mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
mountpoint -q $tracing || mount -t tracefs none $tracing

# refused FILE MESSAGE - is it, in the right way?
refused() {
	local mark="bad-modules $RANDOM $RANDOM" name out

	name=$(modinfo -F name "$good")
	echo "$mark" >/dev/kmsg
	if out=$(insmod "$1" 2>&1); then
		echo "# it was loaded"
		rmmod "$name"
		return 1
	fi
	dmesg | sed "1,/$mark/d" | sed 's/^/# /'
	case "$out" in
	*"Invalid module format"* | *"Exec format error"*) ;;
	*) echo "# $out"; return 1 ;;
	esac
	[ ! -e "/sys/module/$name" ] || { echo "# the module stays"; return 1; }
	dmesg | sed "1,/$mark/d" | grep -qE "$2" && return
	echo "# that is not '$2'"
	return 1
}

loads() {
	insmod "$1" && rmmod "$(modinfo -F name "$good")"
}

# Has ftrace switched itself off?
traces() {
	local lines

	echo do_sys_openat2 >$tracing/set_ftrace_filter &&
		echo function >$tracing/current_tracer || return 1
	cat /proc/version >/dev/null
	lines=$(grep -c do_sys_openat2 $tracing/trace)
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
	[ "$lines" -gt 0 ] && dmesg | grep -qF "$start" || return 1
	lines=$(dmesg | sed "1,/$start/d" | grep -E 'ftrace failed|WARNING|ftrace_bug')
	[ -z "$lines" ] || { sed 's/^/# /' <<<"$lines"; return 1; }
}

# noticed - does kmemleak see what a module leaks that does nothing else?
noticed() {
	local level leaked

	# The console is where vmtest.sh looks for leaks nobody wants.
	level=$(awk '{ print $1 }' /proc/sys/kernel/printk)
	dmesg -n 1
	echo clear >$kmemleak
	modprobe kmemleak-test && rmmod kmemleak_test && leaked=$(leaks)
	echo clear >$kmemleak
	dmesg -n "$level"
	[ -n "$leaked" ] || return 1
	echo "# $(grep -c '^unreferenced object' <<<"$leaked") leaks of kmemleak-test"
}

ktap_print_header
start="bad-modules starts $RANDOM $RANDOM"
echo "$start" >/dev/kmsg
kinds=$("$damage" --list) || ktap_exit_fail_msg "$damage does not run"
ktap_set_plan $(($(wc -w <<<"$kinds") + 3))

[ ! -e $kmemleak ] || echo clear >$kmemleak
for kind in $kinds; do
	bad=$dir/$kind.ko
	why=$("$damage" "$kind" "$good" "$bad" 2>&1)
	case $? in
	0) ;;
	"$KSFT_SKIP")
		skipped "$kind" "$why"
		continue
		;;
	*)
		echo "# $why"
		result 1 "$kind"
		continue
		;;
	esac
	case $kind in
	good)	loads "$bad" ;;
	layout)	refused "$bad" ": version magic '.*' should be '.* function_plt" ;;
	*)	refused "$bad" "module $(modinfo -F name "$good"): ${why:?}\$" ;;
	esac
	result $? "$kind"
done

traces
result $? "ftrace still works"

if [ ! -e $kmemleak ]; then
	skipped "no memory is leaked" "no kmemleak"
	skipped "a leak would be noticed" "no kmemleak"
	ktap_finished
fi

no_leak
result $? "no memory is leaked"

if modinfo kmemleak-test >/dev/null 2>&1; then
	noticed
	result $? "a leak would be noticed"
else
	skipped "a leak would be noticed" "no kmemleak-test.ko"
fi

ktap_finished
