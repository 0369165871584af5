#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Live-patch /proc/cmdline with samples/livepatch and show it. Runs in a guest
# of vmtest.sh; exit status 0 only if the change was seen to come and to go.

patched='this has been live patched'
klp=/sys/kernel/livepatch/livepatch_sample
tracing=/sys/kernel/tracing

fail() { echo "FAILED: $*"; exit 1; }

# wait_for COMMAND... - up to a minute
wait_for()
{
	local i

	for ((i = 0; i < 600; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

transition_ended() { [ "$(cat "$klp/transition" 2>/dev/null)" = 0 ]; }
patch_gone() { [ ! -e "$klp" ]; }

# where NAME - address of a symbol of the kernel or a module
where() { awk -v n="$1" '$3 == n { print "0x" $1; exit }' /proc/kallsyms; }

before=$(cat /proc/cmdline)
echo "Linux $(uname -r) on $(uname -m), $(nproc) CPUs"
echo "before:  $before"
[ "$before" != "$patched" ] || fail 'the function is patched already'

modprobe livepatch-sample || fail 'the live patch cannot be loaded'
wait_for transition_ended || fail 'the transition does not end'
after=$(cat /proc/cmdline)
echo "patched: $after"
[ "$after" = "$patched" ] || fail '/proc/cmdline is not what the live patch prints'

old=$(where cmdline_proc_show)
new=$(where livepatch_cmdline_proc_show)
[ -n "$old" ] || fail 'cmdline_proc_show is not in /proc/kallsyms'
[ -n "$new" ] || fail 'its replacement is not in /proc/kallsyms'
distance=$(( (new > old ? new - old : old - new) >> 20 ))
echo "path:    cmdline_proc_show -> livepatch_cmdline_proc_show, $distance MiB away"
reached=$(grep '^cmdline_proc_show ' "$tracing/enabled_functions" | tr -s ' \t' ' ')
[ -n "$reached" ] || fail 'ftrace knows nothing of the patched function'
echo "         ftrace: $reached"

echo 0 >"$klp/enabled" || fail 'the live patch cannot be disabled'
wait_for patch_gone || fail 'the live patch does not go'
rmmod livepatch_sample || fail 'the module cannot be removed'
[ "$(cat /proc/cmdline)" = "$before" ] || fail '/proc/cmdline stays patched'
echo "after:   $before"
echo '1 passed, 0 failed, 0 skipped'
