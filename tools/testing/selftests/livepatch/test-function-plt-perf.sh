#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel tells perf of a task that is in a PLT slot, on its way from a
# live-patched function to the replacement: where it is, and who called it.

HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE" || exit 1
. ./functions.sh
. ./ktap.sh

klp=$SYSFS_KLP_DIR/livepatch_sample
entry='' there='' between=''

# address SYMBOL [MODULE]
address() {
	awk -v name="$1" -v mod="${2:+[$2]}" \
		'$3 == name && $4 == mod { print $1; exit }' /proc/kallsyms
}

# shellcheck disable=SC2317 # called by the trap
leave() {
	[ ! -e "$klp" ] || echo 0 >"$klp/enabled"
	loop_until "[ ! -e $klp ]" && rmmod livepatch-sample
}

# sampled ADDRESS WHAT - is a sample taken there when the function is called?
sampled() {
	local status

	# An interrupt that comes before the instruction is stepped over makes two.
	out=$(set -o pipefail; ./test_function_plt-perf "$1" /proc/cmdline 2>&1 | uniq)
	status=$?
	[ $status != "$KSFT_SKIP" ] || skip_all "$out"
	[ $status = 0 ] && [ "$(wc -w <<<"$out")" -gt 2 ] && [ "$(wc -l <<<"$out")" = 1 ]
	status=$?
	ktap_print_msg "$2: $out"
	result $status "$2 is sampled"
	return $status
}

ktap_print_header

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
[ "$(uname -m)" = aarch64 ] || skip_all "for arm64 only"
[ -e /sys/module/livepatch/parameters/redirect ] ||
	skip_all "needs CONFIG_LIVEPATCH_REDIRECT"
[ -e /proc/sys/kernel/perf_event_paranoid ] || skip_all "needs CONFIG_PERF_EVENTS"
modinfo livepatch-sample >/dev/null 2>&1 ||
	skip_all "needs livepatch-sample.ko (CONFIG_SAMPLE_LIVEPATCH)"

modprobe livepatch-sample || exit 1
trap leave EXIT
how=$klp/vmlinux/cmdline_proc_show,1/redirect
loop_until "grep -qE '^(near|far)$' $how" || ktap_exit_fail_msg "no branch to the replacement"
[ "$(cat $how)" = far ] || skip_all "near: the branch goes without a slot"

old=$(address cmdline_proc_show)
new=$(address livepatch_cmdline_proc_show livepatch_sample)
pool=$(address function_plt_entries)
# The slot of a pool: the only one that is in use, so the first one
slot=$(printf %x $((pool ? 0x$pool + 8 : 0x$old - 16)))

ktap_set_plan 5
sampled "$old" "the function" && entry=$out
sampled "$new" "its replacement" && there=$out
sampled "$slot" "the slot in between" && between=$out

# Where it is comes twice: as that of the sample, and first in its callchain.
[[ "$between" == "$slot $slot "* ]]
result $? "a sample in the slot has the address of the slot"

callers=${between#* * }
[ -n "$callers" ] && [ "$callers" = "${entry#* * }" ] && [ "$callers" = "${there#* * }" ]
result $? "its callers are those of the function, and of the replacement"

ktap_finished
