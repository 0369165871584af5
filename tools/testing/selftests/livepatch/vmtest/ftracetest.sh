#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ftracetest.sh DIR [TEST...] - what the kernel has to test its tracers, in a
# guest: the startup tests, samples/ftrace/ftrace-ops with all registers, and
# those of DIR, a copy of tools/testing/selftests/ftrace, with its "poll" built.
# A TEST is a path in DIR (default: kprobes, fprobes and functions).

dir=${1:?where is selftests/ftrace?}
shift
[[ $# -gt 0 ]] || set -- test.d/00basic test.d/direct test.d/dynevent test.d/ftrace \
	test.d/functions test.d/kprobe test.d/tracer

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

# startup NAME - has the kernel log that this startup test passed?
startup() {
	dmesg | grep -q "Testing $1.*: PASSED"
}

echo "KTAP version 1"
echo "1..4"

if configured FTRACE_STARTUP_TEST; then
	dmesg | sed -n 's/.*\(Testing .*\(PASSED\|FAILED\).*\)/# \1/p'
	startup 'tracer function' && startup 'dynamic ftrace ops' &&
		startup 'ftrace recursion' && ! dmesg | grep -q 'Testing .*FAILED'
	result 1 'startup tests' $?
	startup 'ftrace regs'
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

# The kernel is chatty while these run, and says nothing that matters here.
echo '  KTAP version 1'
(cd "$dir" && ./ftracetest -K "$@") | sed -u -e 1d -e 's/^/  /'
result 4 'selftests/ftrace' "${PIPESTATUS[0]}"

exit $status
