#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load modules whose patchable functions were damaged, in all the ways that
# test_function_plt-damage knows. All of them have to be refused with ENOEXEC
# and a message that names the module, the section and the offset, and nothing
# may stay behind. So has one that says it was built without slots.

KSFT_SKIP=4
here=$(dirname "$0")
damage=$here/test_function_plt-damage
good=$here/test_modules/test_klp_mod_target.ko
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
tracing=/sys/kernel/tracing
kmemleak=/sys/kernel/debug/kmemleak
nr=0 failed=0

skip_all() {
	echo "1..0 # SKIP $1"
	exit $KSFT_SKIP
}

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
[ "$(uname -m)" = aarch64 ] || skip_all "for arm64 only"
grep -q ' function_plt_prepare$' /proc/kallsyms ||
	skip_all "the kernel is without CONFIG_ARM64_FUNCTION_PLT"

mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
mountpoint -q $tracing || mount -t tracefs none $tracing

result() {
	local ok='not ok'

	if [ "$1" = 0 ]; then ok=ok; else failed=1; fi
	echo "$ok $((++nr)) $2"
}

# refused FILE [MESSAGE] - is it, in the right way?
refused() {
	local mark="bad-modules $RANDOM $RANDOM" name out message

	name=$(modinfo -F name "$good")
	message="module $name: section __patchable_function_entries, offset 0x[0-9a-f]+: "
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
	dmesg | sed "1,/$mark/d" | grep -qE "${2:-$message}"
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
	[ "$lines" -gt 0 ] &&
		! dmesg | grep -qE 'ftrace failed|WARNING|ftrace_bug'
}

# leaks - print what kmemleak holds for leaked: nothing, if all is well
leaks() {
	# What was freed lately can look like a leak at first.
	sleep 6; echo scan >$kmemleak; sleep 6; echo scan >$kmemleak
	cat $kmemleak
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

echo "KTAP version 1"
kinds=$("$damage" --list)
echo "1..$(($(wc -w <<<"$kinds") + 3))"

[ ! -e $kmemleak ] || echo clear >$kmemleak
for kind in $kinds; do
	bad=$dir/$kind.ko
	why=$("$damage" "$kind" "$good" "$bad" 2>&1)
	case $? in
	0) ;;
	"$KSFT_SKIP")
		echo "ok $((++nr)) $kind # SKIP $why"
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
	*)	refused "$bad" ;;
	esac
	result $? "$kind"
done

traces
result $? "ftrace still works"

if [ ! -e $kmemleak ]; then
	echo "ok $((++nr)) no memory is leaked # SKIP no kmemleak"
	echo "ok $((++nr)) a leak would be noticed # SKIP no kmemleak"
	exit $failed
fi

leaked=$(leaks)
[ -z "$leaked" ] || echo "# ${leaked//$'\n'/$'\n'# }"
[ -z "$leaked" ]
result $? "no memory is leaked"

if modinfo kmemleak-test >/dev/null 2>&1; then
	noticed
	result $? "a leak would be noticed"
else
	echo "ok $((++nr)) a leak would be noticed # SKIP no kmemleak-test.ko"
fi

exit $failed
