#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ftracetest.sh DIR [TEST...] - what the kernel has to test its tracers, in a
# guest: the startup tests, samples/ftrace/ftrace-ops with all registers, the
# KUnit tests of kprobes and fprobes, and those of DIR, a copy of
# tools/testing/selftests/ftrace, with its "poll" built. A TEST is a path in DIR
# (default: kprobes, fprobes and functions). Each that is skipped says why, and
# all of them are listed at the end.

dir=${1:?where is selftests/ftrace?}
shift
[[ $# -gt 0 ]] || set -- test.d/00basic test.d/direct test.d/dynevent test.d/ftrace \
	test.d/kprobe test.d/tracer

status=0

# result NUMBER NAME STATUS [SKIP]
result() {
	local not='not '

	[[ "$3" != 0 ]] || not=''
	[[ -z "$not" ]] || status=1
	echo "${not}ok $1 $2${4:+ # SKIP $4}"
}

configured() {
	zcat /proc/config.gz | grep -q "^CONFIG_$1=y"
}

# startup NAME - has the kernel log that this startup test passed? What it has to
# say about it may go over several lines.
startup() {
	dmesg | awk -v name="Testing $1" '
		index($0, "Testing ") { on = index($0, name) }
		on && /FAILED/ { failed++ }
		on && /PASSED/ { passed++ }
		END { exit failed || !passed }'
}

echo "KTAP version 1"
echo "1..6"

if configured FTRACE_STARTUP_TEST; then
	dmesg | grep -e 'Testing ' -e PASSED -e FAILED | sed 's/^/# /'
	startup 'tracer function' && startup 'dynamic ftrace ops #2' &&
		startup 'ftrace recursion' && startup ''
	result 1 'startup tests' $?
	if configured ARM64_FTRACE_WITH_REGS; then
		startup 'ftrace regs: '
	else
		startup 'ftrace regs'
	fi
	result 2 'startup test of registers' $?
else
	result 1 'startup tests' 0 'needs CONFIG_FTRACE_STARTUP_TEST'
	result 2 'startup test of registers' 0 'needs CONFIG_FTRACE_STARTUP_TEST'
fi

# The sample never stays: it fails to load when it is done. Each of its calls
# is counted, by each of the tracers.
sample() {
	local log

	dmesg -C
	modprobe ftrace-ops check_count=1 nr_function_calls=10000 "$@" 2>/dev/null
	log=$(dmesg)
	grep -e registers -e Attempted <<< "$log" | sed 's/^/# /'
	grep -q 'Attempted 10000 calls' <<< "$log" &&
		! grep -q 'Counter called' <<< "$log" &&
		grep -q "saving registers: $regs" <<< "$log"
}

regs=NO
configured ARM64_FTRACE_WITH_REGS && regs=YES
sample nr_ops_relevant=1 save_regs=1 &&
	sample nr_ops_relevant=3 nr_ops_irrelevant=2 save_regs=1
result 3 'samples/ftrace/ftrace-ops with registers' $?

# unit NUMBER SUITE OPTION - the KUnit tests of a suite, which ran at boot
unit() {
	local results=/sys/kernel/debug/kunit/$2/results

	if ! configured "$3"; then
		result "$1" "KUnit: $2" 0 "needs CONFIG_$3"
		return
	fi
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	sed 's/^/# /' "$results"
	grep -q '^    ok ' "$results" && ! grep -q '^ *not ok ' "$results"
	result "$1" "KUnit: $2" $?
}

unit 4 kprobes_test KPROBES_SANITY_TEST
unit 5 fprobe_test FPROBE_SANITY_TEST

logs=$(mktemp -d)

# why LOG - what a test has said last, or else the last of its steps
why() {
	local said

	said=$(grep -v -e '^+' -e '^execute' -e '^ *$' "$1" | tail -n 1)
	if [[ -z "$said" ]]; then
		said=$(grep '^+' "$1" | grep -v -e exit_unsupported -e '+ kill' -e '+ exit' |
			tail -n 1)
		said="it ended at: ${said##*+ }"
	fi
	echo "$said"
}

# Two of them give files of tracefs to somebody else than root.
grep -qsv ':0:' /etc/group || echo 'nogroup:x:65534:' >>/etc/group
grep -qsv ':0:' /etc/passwd || echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd

# The kernel is chatty while these run, and says nothing that matters here.
echo '  KTAP version 1'
(cd "$dir" && ./ftracetest -K -k -l "$logs" "$@") | sed -u 1d |
while IFS= read -r line; do
	nr=${line#not }
	nr=${nr#ok }
	nr=${nr%% *}
	log=("$logs/$nr"-*)
	case "$line" in
	*'# SKIP')
		line+=" $(why "${log[0]}")"
		echo "${line#ok "$nr" }" >>"$logs/skipped"
		;;
	'not ok '*'# UNRESOLVED')
		# No failure by ftracetest's own standards: something that the
		# test needs is not there
		line="ok ${line#not ok }"
		line="${line%# UNRESOLVED}# SKIP unresolved: $(why "${log[0]}")"
		echo "${line#ok "$nr" }" >>"$logs/skipped"
		;;
	'not ok '*)
		tail -n 40 "${log[0]}" | sed 's/^/  # /'
		;;
	esac
	echo "  $line"
done
result 6 'selftests/ftrace' "${PIPESTATUS[0]}"

if [[ -s "$logs/skipped" ]]; then
	echo '# Of selftests/ftrace, these were skipped:'
	sed -e 's/ # SKIP /: /' -e 's/^/#   /' "$logs/skipped"
fi

exit $status
