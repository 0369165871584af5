#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Report the KUnit tests of per-function PLT slots on arm64, which ran when the
# kernel booted, and run them once more.

. "$(dirname "$0")/ktap.sh"

kunit=/sys/kernel/debug/kunit

# report WHEN - print the results of the suite
report() {
	local line name count=0 plan='' last=''

	while IFS= read -r line; do
		case "$line" in
		# Results of the tests in the suite, which are nested
		"    ok "* | "    not ok "*)
			((++count))
			name="$1: ${line#*ok * }"
			case "$line" in
			# KUnit knows the reason the first time only.
			*"# SKIP" | *"# SKIP ")
				skipped "${name% # SKIP*}" "as at boot" ;;
			*"# SKIP "*)	skipped "${name% # SKIP*}" "${name#*# SKIP }" ;;
			"    ok "*)	result 0 "$name" ;;
			*)		result 1 "$name" ;;
			esac
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

ktap_print_header
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
		if echo 1 >"$suite/run"; then
			report "${prefix}again"
		else
			result 1 "${prefix}again: it runs"
		fi
	else
		result 1 "$suite/results is there"
	fi
done
results_end
