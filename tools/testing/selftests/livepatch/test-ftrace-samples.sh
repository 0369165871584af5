#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules of samples/ftrace with direct calls: load each of them, see that
# its functions are attached to and its trampolines called, unload it.

. "$(dirname "$0")/ktap.sh"

tracing=/sys/kernel/tracing

# attached NUMBER - are that many functions attached to?
attached() {
	local n

	n=$(grep -c 'direct-->' $tracing/enabled_functions)
	[ "$n" = "$1" ] && return
	echo "# $n functions have direct calls"
	sed 's/^/#   /' $tracing/enabled_functions
	return 1
}

# traced REGEX... - does each of them get into the trace within 10 seconds, after
# the one before it?
traced() {
	local i re

	for re in "$@"; do
		echo >$tracing/trace
		for ((i = 0; i < 100; i++)); do
			grep -qE "$re" $tracing/trace && continue 2
			sleep 0.1
		done
		echo "# nothing in the trace looks like '$re'"
		return 1
	done
}

# sample MODULE FUNCTIONS REGEX... - with that many functions
sample() {
	local module=$1 functions=$2

	shift 2
	if ! modinfo "$module" >/dev/null 2>&1; then
		skipped "$module" "not in this kernel"
		return
	fi
	modprobe "$module" && attached "$functions" && traced "$@"
	result $? "$module"
	rmmod "${module//-/_}" && attached 0
	result $? "$module is gone"
}

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
mountpoint -q $tracing || mount -t tracefs none $tracing
[ -e $tracing/enabled_functions ] || skip_all "no dynamic ftrace"

ktap_print_header
sample ftrace-direct 1 'my_direct_func: waking up'
sample ftrace-direct-too 1 'my_direct_func: handle mm fault'
# These change their trampoline every two seconds.
sample ftrace-direct-modify 1 'my direct func1' 'my direct func2' 'my direct func1'
sample ftrace-direct-multi 2 'my_direct_func: ip '
sample ftrace-direct-multi-modify 2 'my direct func1 ip' 'my direct func2 ip'

! dmesg | grep -qE 'ftrace failed|\[ ftrace bug \]'
result $? "ftrace did not complain"
results_end
