# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What the patches in tests/ change, as seen in the guest. For each patch one
# function that returns 0 if the machine is in the STATE it is given, which is
# 'original' or 'patched'. Sourced by guest.sh.

# expect WHAT GOT - compare, and show the difference
expect()
{
	[ "$1" != "$2" ] || return 0
	echo "# expected '$1', got '$2'"
	return 1
}

check_meminfo_string()
{
	case $1 in
	original) expect MemTotal: "$(head -n 1 /proc/meminfo | cut -d ' ' -f 1)" ;;
	patched) expect MEMTOTAL: "$(head -n 1 /proc/meminfo | cut -d ' ' -f 1)" ;;
	esac
}

# The values come from the module's static data, and go there.
check_module_data()
{
	local dir=/sys/kernel/kobject_example

	echo 7 >$dir/foo && echo 8 >$dir/bar && echo 9 >$dir/baz || return 1
	case $1 in
	original) expect 7 "$(cat $dir/foo)" ;;
	patched) expect 'foo 7 bar 8 baz 9' "$(cat $dir/foo)" ;;
	esac
}

check_new_function()
{
	case $1 in
	original) expect '' "$(cut -d ' ' -f 3- /proc/uptime)" ;;
	patched) expect '0 days' "$(cut -d ' ' -f 3- /proc/uptime)" ;;
	esac
}

check_new_globals()
{
	local i

	case $1 in
	original) expect '' "$(grep read /proc/version)" ;;
	patched)
		for i in 1 2 3; do
			cat /proc/cmdline >/dev/null
			expect "cmdline was read $i times" "$(grep read /proc/version)" || return
		done ;;
	esac
}

check_new_data()
{
	case $1 in
	original) expect '' "$(cut -d ' ' -f 6- /proc/loadavg)" ;;
	patched)
		expect 'read 41' "$(cut -d ' ' -f 6- /proc/loadavg)" &&
			expect 'read 42' "$(cut -d ' ' -f 6- /proc/loadavg)" ;;
	esac
}

# The boot_id of before: not another variable that happens to have the name
check_static_local()
{
	local now

	now=$(cat /proc/sys/kernel/random/boot_id)
	case $1 in
	original)
		boot_id=${boot_id:-$now}
		expect "${boot_id,,}" "$now" ;;
	patched) expect "${boot_id^^}" "$now" ;;
	esac
}

check_special_elf()
{
	local status=0

	cp /usr/bin/true /run/blocked
	/run/blocked 2>/dev/null || status=$?
	/usr/bin/true || return
	case $1 in
	original) expect 0 $status ;;
	patched) expect 126 $status ;;
	esac
}

check_syscall()
{
	case $1 in
	original) expect "$(cat /proc/sys/kernel/version)" "$(uname -v)" ;;
	patched) expect kpatch "$(uname -v)" ;;
	esac
}

# A bad address makes put_user() fault within the replacement.
check_syscall_special()
{
	case $1 in
	original) expect '0 EFAULT' "$(/kpatch/helper pdeathsig)" ;;
	patched) expect '100 EFAULT' "$(/kpatch/helper pdeathsig)" ;;
	esac && switched_tracepoint
}

# The jump label of a tracepoint in prctl() is switched on and off again.
switched_tracepoint()
{
	local event=/sys/kernel/tracing/events/task/task_prctl_unknown

	unknown_options 0 "before it is on" && echo 1 >$event/enable &&
		unknown_options 1 "when it is on" && echo 0 >$event/enable &&
		unknown_options 0 "after it was switched off"
}

# unknown_options NUMBER WHEN - so many events come of one call
unknown_options()
{
	echo >/sys/kernel/tracing/trace
	/kpatch/helper prctl || return
	expect "$1 events $2" "$(grep -c 'task_prctl_unknown: .*option=28784 ' \
		/sys/kernel/tracing/trace) events $2"
}

# What a WARN() says is found by the module's own table of bugs.
check_warn()
{
	local level said

	level=$(awk '{ print $1 }' /proc/sys/kernel/printk)
	dmesg -C
	# vmtest.sh looks for warnings that nobody wants on the console.
	dmesg -n 1
	cat /proc/softirqs >/dev/null
	dmesg -n "$level"
	said=$(dmesg | grep -E -c 'WARNING: .*fs/proc/softirqs\.c:[0-9]+ .*show_softirqs.*\[livepatch_warn\]' || true)
	case $1 in
	original) expect '0 warnings' "$said warnings" ;;
	patched) expect '1 warnings' "$said warnings" && dmesg | grep -q 'kpatch: warned' ;;
	esac
}

check_shadow()
{
	local i

	case $1 in
	original) expect '' "$(grep Reads: /proc/$$/status)" ;;
	patched)
		# Each task has a counter of its own, and exiting frees it.
		for i in 1 2 3; do
			expect "Reads:	$i" "$(grep Reads: /proc/$$/status)" &&
				expect 'Reads:	1' "$(grep Reads: /proc/self/status)" || return
		done ;;
	esac
}

check_callbacks()
{
	case $1 in
	original) expect 'Character devices:' "$(head -n 1 /proc/devices)" ;;
	patched) expect 'Character devices (2 callbacks):' "$(head -n 1 /proc/devices)" ;;
	esac
}

after_callbacks()
{
	expect 'pre-patch post-patch pre-unpatch post-unpatch' \
		"$(dmesg | sed -n 's/.*kpatch: \(.*\) of vmlinux$/\1/p' | paste -s -d ' ')"
}

check_multiple()
{
	local dir=/sys/kernel/kobject_example

	echo 9 >$dir/bar
	case $1 in
	original)
		expect MemTotal: "$(head -n 1 /proc/meminfo | cut -d ' ' -f 1)" &&
			expect '' "$(grep -o kpatch=1 /proc/cmdline)" &&
			expect 9 "$(cat $dir/bar)" ;;
	patched)
		expect Mem-Total: "$(head -n 1 /proc/meminfo | cut -d ' ' -f 1)" &&
			expect kpatch=1 "$(grep -o kpatch=1 /proc/cmdline)" &&
			expect 'b 9' "$(cat $dir/bar)" ;;
	esac
}

# The answer is the same, and all 14 arguments have arrived.
check_stack_args()
{
	local now said

	dmesg -C
	now=$(/kpatch/helper getlink) || return
	said=$(dmesg | sed -n 's/.*kpatch: type /type /p' | tail -n 1)
	link=${link:-$now}
	expect "$link" "$now" || return
	case $1 in
	original) expect '' "$said" ;;
	# NLM_F_MULTI, GFP_KERNEL; sequence number and mask are the helper's.
	patched) expect 'type 16 seq 4660 change 0 flags 0x2 mask 0x5 event 0 nsid 0 index 0 netnsid -1 gfp 0xcc0' "$said" ;;
	esac
}

check_cost()
{
	case $1 in
	original) expect 777 "$(/kpatch/helper umask)" ;;
	patched) expect 776 "$(/kpatch/helper umask)" ;;
	esac
}

check_sleep()
{
	local said

	sleep 0.05
	said=$(dmesg | tail -n 1 | grep -o 'kpatch: sleep sleeps')
	case $1 in
	original) expect '' "$said" ;;
	patched) expect 'kpatch: sleep sleeps' "$said" ;;
	esac
}

check_vfork()
{
	local said

	/kpatch/helper vfork 0
	said=$(dmesg | tail -n 1 | grep -o 'kpatch: helper waits')
	case $1 in
	original) expect '' "$said" ;;
	patched) expect 'kpatch: helper waits' "$said" ;;
	esac
}
