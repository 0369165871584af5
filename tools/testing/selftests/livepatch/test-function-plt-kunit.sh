#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Report the KUnit tests of per-function PLT slots on arm64, which ran when the
# kernel booted, and run them once more.

KSFT_SKIP=4
kunit=/sys/kernel/debug/kunit
nr=0 failed=0

skip_all() {
	echo "1..0 # SKIP $1"
	exit $KSFT_SKIP
}

result() {
	local ok='not ok'

	if [ "$1" = 0 ]; then ok=ok; else failed=1; fi
	echo "$ok $((++nr)) $2"
}

# report WHEN - print the results of the suite
report() {
	local line count=0 plan='' last=''

	while IFS= read -r line; do
		case "$line" in
		# Results of the tests in the suite, which are nested
		"    ok "* | "    not ok "*)
			line=${line#    }
			((++count))
			[ "${line%%ok *}" ] && failed=1
			# KUnit knows the reason the first time only.
			[[ $line != *"# SKIP "* || $line == *"# SKIP "?* ]] ||
				line+="as at boot"
			echo "${line%%ok *}ok $((++nr)) $1: ${line#*ok * }"
			;;
		"    1.."*)	plan=${line#    1..} ;;
		"ok "* | "not ok "*)	last=$line ;;
		# Not to be taken for results within the one in front
		*"KTAP version "* | "1.."*) ;;
		*)	echo "# $line" ;;
		esac
	done <"$suite/results"

	[ "$count" -gt 0 ] && [ "$count" = "$plan" ] && [[ "$last" == "ok "* ]]
	result $? "$1: the suite is complete"
}

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
grep -q ' function_plt_prepare$' /proc/kallsyms ||
	skip_all "the kernel is without CONFIG_ARM64_FUNCTION_PLT"
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
[ -d $kunit ] || skip_all "the kernel is without CONFIG_KUNIT=y"

echo "KTAP version 1"
# Slots from a pool have a suite of their own.
suites=arm64-function-plt
! grep -q ' function_plt_pool_take$' /proc/kallsyms ||
	suites+=" arm64-function-plt-pool"
for suite in $suites; do
	prefix=${suite#arm64-function-plt}
	prefix=${prefix:+pool: }
	suite=$kunit/$suite
	if [ -e "$suite/results" ]; then
		report "${prefix}at boot"
		echo 1 >"$suite/run"
		report "${prefix}again"
	else
		result 1 "$suite/results is there"
	fi
done
echo "1..$nr"
exit $failed
