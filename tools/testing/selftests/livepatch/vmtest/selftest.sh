#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prove that vmtest.sh can fail: a test runner that says "passed" when the
# kernel did not even boot is worse than none.  Prints KTAP.

# shellcheck disable=SC2016 # what is in single quotes is for the guest
set -u -o pipefail
export LC_ALL=C

PROG=${0##*/}
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P) || exit 2
VMTEST=$HERE/../vmtest.sh

usage() {
	cat <<-END
	Usage: $PROG --image FILE --userland FILE [options] [NAME...]

	Test vmtest.sh with a kernel that works; NAME: only these of the tests.

	  --image FILE      an arm64 kernel
	  --userland FILE   what userland.sh has made
	  --modules DIR     modules of that kernel, or
	  --tests DIR       selftests for that kernel: for --near and --far
	  --jobs N          so many at the same time (default 2)
	  --list            print the names of the tests
	  -h, --help        this text

	Exit status: 0 all is well, 1 vmtest.sh is wrong somewhere, 2 usage.
	END
}

die() {
	echo "$PROG: $*" >&2
	exit 2
}

image='' userland='' modules=() jobs=2 list='' names=()
while [[ $# -gt 0 ]]; do
	case "$1" in
	--image | --userland | --modules | --tests | --jobs)
		[[ $# -ge 2 ]] || die "$1 needs a value, see --help" ;;&
	--image)	image=$2; shift ;;
	--userland)	userland=$2; shift ;;
	--modules | --tests)	modules+=("$1" "$2"); shift ;;
	--jobs)		jobs=$2; shift ;;
	--list)		list=1 ;;
	-h | --help)	usage; exit 0 ;;
	-*)		die "unknown option $1, see --help" ;;
	*)		names+=("$1") ;;
	esac
	shift
done

# --------------------------------------------------------------------------
# Helpers.  Each test runs in a subshell, in an empty directory of its own that
# is TMPDIR as well; it fails by a return status other than 0, and what it has
# printed is shown then.  4 skips.

# vmtest STATUS TEXT ARGUMENT...: vmtest.sh exits with STATUS and prints TEXT,
# an extended regular expression, on its standard error
vmtest() {
	local want=$1 text=$2 got

	shift 2
	echo "\$ vmtest.sh $*"
	"$VMTEST" "$@" >out 2>err
	got=$?
	cat out err
	if [[ $got -ne $want ]]; then
		echo "exit status is $got, not $want"
		return 1
	fi
	if ! grep -qE -e "$text" err; then
		echo "it does not say: $text"
		return 1
	fi
	# Only the log that it has named may be left.
	if compgen -G "vmtest.*" >vmtest-left; then
		echo "left behind: $(tr '\n' ' ' <vmtest-left)"
		return 1
	fi
}

# boot STATUS TEXT ARGUMENT...: the same with the kernel and the user land
boot() {
	local want=$1 text=$2

	shift 2
	vmtest "$want" "$text" --image "$image" --userland "$userland" \
		--timeout "${limit:-100}" "$@"
}

# guest STATUS TEXT SCRIPT [ARGUMENT...]: the same, SCRIPT runs in the guest
guest() {
	local want=$1 text=$2 script=$3

	shift 3
	boot "$want" "$text" "$@" -- sh -c "$script"
}

# ktap COUNT... TEXT: these are the counts, and TEXT is among the reasons
ktap() {
	local counts="count $1 $2 $3 $4"

	awk -f "$HERE/ktap.awk" >results
	cat results
	grep -qx "$counts" results || { echo "not: $counts"; return 1; }
	[[ -z "${5:-}" ]] || grep -qE -e "$5" results ||
		{ echo "not: $5"; return 1; }
}

lines() {
	printf '%s\n' "$@"
}

# An Image with nothing in it but a branch to itself
spin_image() {
	printf '\x00\x00\x00\x14\x00\x00\x00\x00'	# b .
	printf '\x00\x00\x00\x00\x00\x00\x00\x00'	# text_offset
	printf '\x00\x10\x00\x00\x00\x00\x00\x00'	# image_size: 4096
	printf '\x0a\x00\x00\x00\x00\x00\x00\x00'	# flags: 4K, anywhere
	head -c 24 /dev/zero
	printf 'ARM\x64\x00\x00\x00\x00'
	head -c 4032 /dev/zero
}

# Wait until the vmtest.sh in the background has shown something.
wait_shown() {
	local i

	for ((i = 0; i < 600; i++)); do
		grep -qs -e "$1" err && return
		sleep 0.1
	done
	echo "it did not show: $1"
	return 1
}

# --------------------------------------------------------------------------
# Usage and inputs: no boot

test_help() {
	"$VMTEST" --help >out && grep -q -- --userland out
}

test_no_arguments() {
	vmtest 2 "which kernel"
}

test_unknown_option() {
	vmtest 2 "unknown argument \"--fast\"" --fast
}

test_missing_value() {
	vmtest 2 "--image needs a value" --image &&
	vmtest 2 "--timeout needs a number" --timeout soon
}

test_near_and_far() {
	vmtest 2 "exclude each other" --near --far
}

test_missing_image() {
	vmtest 2 "$PWD/Image: no such kernel" --image "$PWD/Image" \
		--userland "$userland" -- true
}

test_not_an_image() {
	head -c 100000 /dev/zero >Image
	vmtest 2 "Image: not an arm64 Image" --image Image \
		--userland "$userland" -- true
}

test_empty_image() {
	: >Image
	vmtest 2 "Image: not an arm64 Image" --image Image \
		--userland "$userland" -- true
}

test_truncated_image() {
	head -c 65536 "$image" >Image
	vmtest 2 "Image: truncated" --image Image --userland "$userland" -- true
}

test_broken_gzip_image() {
	gzip -1 <"$image" | head -c 65536 >Image.gz
	vmtest 2 "Image.gz: broken gzip" --image Image.gz \
		--userland "$userland" -- true
}

test_missing_userland() {
	vmtest 2 "ul.cpio: no such user land.*userland.sh" --image "$image" \
		--userland ul.cpio -- true
}

test_not_a_userland() {
	echo hello >ul.cpio
	vmtest 2 "ul.cpio: not an initramfs" --image "$image" \
		--userland ul.cpio -- true
}

test_no_modules() {
	mkdir mods
	boot 2 "mods: no lib/modules" --modules mods -- true
}

test_no_selftests() {
	mkdir inst
	boot 2 "inst: no installed selftests" --tests inst
}

test_unknown_selftest() {
	mkdir inst
	touch inst/run_kselftest.sh
	echo livepatch:test-a.sh >inst/kselftest-list.txt
	boot 2 "test-b.sh: no such test" --tests inst --test test-b.sh
}

test_missing_copy() {
	boot 2 "nothing: no such file" --copy nothing -- true
}

test_no_command() {
	boot 2 "run what"
}

test_bad_regex() {
	boot 2 "not a regular expression" --allow '(' -- true
}

test_no_qemu() {
	QEMU=qemu-system-none boot 2 "qemu-system-none is missing" -- true
}

test_qemu_refuses() {
	boot 2 "did not start: .*no-such-cpu" --cpu no-such-cpu -- true
}

test_no_space() {
	# A file size limit of 1 MiB for what is written
	(ulimit -f 1024; trap '' XFSZ; boot 2 "cannot write" -- true)
}

# --------------------------------------------------------------------------
# KTAP: no boot either

test_ktap_passed() {
	lines "KTAP version 1" "1..2" "ok 1 a" "ok 2 - b # took 3 s" |
		ktap 2 0 0 0 ^ktap
}

test_ktap_failed() {
	lines "TAP version 13" "1..2" "ok 1 a" "not ok 2 b # exit=1" |
		ktap 1 1 0 0 "^fail b: exit=1"
}

test_ktap_skipped() {
	lines "TAP version 13" "1..3" "ok 1 a # SKIP no frobs" \
		"# SKIP: needs CONFIG_B" "ok 2 b # SKIP" "not ok 3 c # skip: bad" |
		ktap 0 0 3 0 "^skip b: needs CONFIG_B" &&
	grep -q "^skip a: no frobs" results && grep -q "^skip c: bad" results
}

test_ktap_all_skipped() {
	lines "TAP version 13" "1..0 # SKIP not here" |
		ktap 0 0 1 0 "^skip all tests: not here"
}

test_ktap_xfail() {
	lines "TAP version 13" "1..2" "ok 1 a # XFAIL" "not ok 2 b # XFAIL" |
		ktap 0 0 0 2 "^xfail b"
}

test_ktap_timeout() {
	lines "TAP version 13" "1..2" "not ok 1 a # TIMEOUT 45 seconds" \
		"ok 2 b # ERROR lost" |
		ktap 0 2 0 0 "^fail a: TIMEOUT 45 seconds"
}

test_ktap_missing() {
	lines "TAP version 13" "1..3" "ok 1 a" |
		ktap 1 1 0 0 "2 of 3 planned results missing after .a"
}

test_ktap_too_many() {
	lines "TAP version 13" "1..1" "ok 1 a" "ok 2 b" |
		ktap 2 1 0 0 "2 results, but 1 were planned"
}

test_ktap_empty() {
	lines "TAP version 13" | ktap 0 1 0 0 "no results at all" &&
	lines "TAP version 13" "1..0" | ktap 0 1 0 0 "no results at all"
}

test_ktap_wrong_number() {
	lines "TAP version 13" "1..2" "ok 1 a" "ok 1 b" |
		ktap 2 1 0 0 "is number 1, but number 2 was due"
}

test_ktap_bail_out() {
	lines "TAP version 13" "1..1" "ok 1 a" "Bail out! no more" |
		ktap 1 1 0 0 "no more"
}

test_ktap_none() {
	lines "1..2" "ok 1 a" "not ok 2 b" | ktap 0 0 0 0 &&
	! grep -q ^ktap results
}

test_ktap_nested() {
	# The example of Documentation/dev-tools/ktap.rst
	lines "KTAP version 1" "1..1" "  KTAP version 1" "  1..3" \
		"    KTAP version 1" "    1..1" "    # test_1: initializing" \
		"    ok 1 test_1" "  ok 1 example_test_1" \
		"    KTAP version 1" "    1..2" "    ok 1 test_1 # SKIP t" \
		"    ok 2 test_2" "  ok 2 example_test_2" \
		"    KTAP version 1" "    1..3" "    ok 1 test_1" \
		"    # test_2: FAIL" "    not ok 2 test_2" \
		"    ok 3 test_3 # SKIP test_3 skipped" \
		"  not ok 3 example_test_3" "not ok 1 main_test" |
		ktap 3 1 2 0 "^fail main_test: example_test_3: test_2: not ok"
}

test_ktap_nested_missing() {
	lines "TAP version 13" "1..1" "# TAP version 13" "# 1..2" "# ok 1 x" \
		"ok 1 a" | ktap 1 1 0 0 "a: subtests: 1 of 2 planned"
}

test_ktap_parent_failed() {
	lines "TAP version 13" "1..1" "# TAP version 13" "# 1..1" "# ok 1 x" \
		"not ok 1 a # exit=1" | ktap 1 1 0 0 "^fail a: exit=1"
}

test_ktap_nested_lookalike() {
	# No version line, so this is only output.
	lines "TAP version 13" "1..1" "# 1..9" "# not ok 1 x" "ok 1 a" |
		ktap 1 0 0 0
}

# --------------------------------------------------------------------------
# One boot each

test_pass() {
	mkdir d && echo inside >d/f && echo alone >g || return
	guest 0 "PASS" '
		set -e
		echo "TEST: a name with WARNING: and BUG: in it" >/dev/kmsg
		[ "$(cat /root/d/f)" = inside ]
		[ "$(cat /usr/lib/deep/er/h)" = alone ]
		[ -d /lib/modules/$(uname -r)/build ]
		grep -q debugfs /proc/mounts
		awk "BEGIN { exit 0 }" && modprobe --version >/dev/null
		echo "by name" >>/dev/stdout
		printf "%s\n" "$*" "" "a  b" "" end' \
		--copy d --copy g:/usr/lib/deep/er/h || return
	printf '%s\n' "by name" "" "" "a  b" "" end >want
	diff -u want out
}

test_ktap_in_guest() {
	guest 0 "1 passed, 0 failed, 1 skipped" '
		echo TAP version 13; echo 1..2
		echo ok 1 a; echo "ok 2 b # SKIP no frobs"' &&
	grep -q "skipped: b: no frobs" err
}

test_failing_test() {
	guest 1 "FAIL: 1 failed" '
		echo TAP version 13; echo 1..2; echo ok 1 a; echo not ok 2 b' &&
	grep -q "failed: b: not ok" err
}

test_incomplete() {
	guest 1 "failed: tests: 1 of 2 planned results missing" '
		echo TAP version 13; echo 1..2; echo ok 1 a'
}

test_nonzero_status() {
	guest 1 "FAIL: the command ended with status 3" 'echo fine; exit 3' &&
	grep -q "| fine" err
}

test_status_against_ktap() {
	guest 1 "FAIL: the command ended with status 1" '
		echo TAP version 13; echo 1..1; echo ok 1 a; exit 1'
}

test_missing_command() {
	boot 1 "FAIL: the command ended with status 127" -- no-such-command
}

test_fake_end() {
	guest 1 "FAIL: the command ended with status 1" '
		for n in 0 "" 00000000000000000000000000000000; do
			echo "vmtest-end $n 0 0"; echo "vmtest-end $n 0 0" >/dev/console
		done; exit 1'
}

test_fake_end_and_death() {
	guest 3 "FAIL: the guest died" '
		echo "vmtest-end 0 0"; echo "vmtest-end 0 0 0" >/dev/console
		echo 1 >/proc/sys/kernel/sysrq; echo o >/proc/sysrq-trigger
		sleep 100' || {
		grep -q "sysrq: No such file" out && return 4
		return 1
	}
}

test_results_then_death() {
	guest 3 "FAIL: the guest died" '
		echo TAP version 13; echo 1..1; echo ok 1 a
		echo 1 >/proc/sys/kernel/sysrq; echo b >/proc/sysrq-trigger
		sleep 100' || {
		grep -q "sysrq: No such file" out && return 4
		return 1
	}
}

test_panic_at_boot() {
	guest 3 "FAIL: the kernel panicked: Kernel panic" 'true' \
		--append "rdinit=/none init=/none"
}

test_panic_that_stays() {
	guest 3 "FAIL: the kernel panicked: Kernel panic" 'true' \
		--append "rdinit=/none init=/none panic=0"
}

test_oops() {
	guest 3 "FAIL: the kernel panicked: Kernel panic" '
		echo TAP version 13; echo 1..1; echo ok 1 a
		echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger
		sleep 100' || {
		grep -q "sysrq: No such file" out && return 4
		return 1
	}
}

test_hang_at_boot() {
	limit=30 guest 4 "FAIL: the guest hung" true \
		--append "rdinit=/bin/sleep -- 1000"
}

test_hanging_command() {
	limit=60 guest 4 "FAIL: the command did not end" \
		'echo begun; sleep 1000' && grep -q begun out
}

test_stubborn_command() {
	# Holds the pipe of the output and ignores signals
	guest 0 PASS 'trap "" TERM HUP INT; sleep 1000 & echo over' &&
	grep -q over out
}

test_stopped_guest() {
	limit=10 boot 3 "FAIL: the kernel printed nothing" --qemu-arg -S -- true
}

test_silent_kernel() {
	spin_image >Image
	vmtest 3 "FAIL: the kernel printed nothing" --image Image \
		--userland "$userland" --timeout 4 -- true
}

test_half_an_image() {
	local size

	size=$(stat -c %s "$image")
	head -c $((size / 2)) "$image" >Image
	vmtest 3 "FAIL: the kernel (printed nothing|panicked)" --image Image \
		--userland "$userland" --timeout 15 -- true
}

test_live_output() {
	local i

	limit=60 guest 0 PASS 'echo early; sleep 20' &
	for ((i = 0; i < 400; i++)); do
		grep -qs early out && break
		sleep 0.1
	done
	# Shown before the end?
	grep -qs early out && ! grep -q PASS err && wait $!
}

test_killed_qemu() {
	boot 3 "FAIL: QEMU ended with status 137" --log log --verbose \
		--qemu-arg -pidfile --qemu-arg pid -- sleep 1000 &
	wait_shown "Run /init" && kill -KILL "$(cat pid)" && wait $!
}

test_terminated() {
	"$VMTEST" --image "$image" --userland "$userland" --log log --verbose \
		--qemu-arg -pidfile --qemu-arg pid -- sleep 1000 >out 2>err &
	wait_shown "Run /init" || return
	cp pid qemu-pid
	kill -TERM $!
	wait $!
	[[ $? -eq 143 ]] || { cat err; return 1; }
	kill -0 "$(cat qemu-pid)" 2>/dev/null && { echo "QEMU lives"; return 1; }
	grep -q "Linux version" log || { echo "no log"; return 1; }
	! compgen -G "vmtest.*"
}

test_warning() {
	guest 3 "FAIL: the kernel complained: WARNING: CPU: 0" '
		echo TAP version 13; echo 1..1
		echo "WARNING: CPU: 0 PID: 1 at fs/a.c:1 b+0x0/0x4" >/dev/kmsg
		echo ok 1 a' && grep -q "1 passed, 0 failed" err
}

test_warning_allowed() {
	guest 0 PASS '
		echo "WARNING: CPU: 0 PID: 1 at fs/a.c:1 b+0x0/0x4" >/dev/kmsg
		echo "WARNING: CPU: 1 PID: 2 at fs/b.c:2 c+0x0/0x4" >/dev/kmsg' \
		--allow 'WARNING: .* at fs/(a|x)\.c' --allow ' fs/b\.c:[0-9]+'
}

test_other_warning() {
	guest 3 "complained: WARNING: CPU: 1" '
		echo "WARNING: CPU: 0 PID: 1 at fs/a.c:1 b+0x0/0x4" >/dev/kmsg
		echo "WARNING: CPU: 1 PID: 2 at fs/b.c:2 c+0x0/0x4" >/dev/kmsg' \
		--allow 'fs/a\.c'
}

test_complaints() {
	local line

	# shellcheck source=/dev/null
	. <(sed -n "/^BAD='/,/^STAMP=/p" "$VMTEST")
	while IFS= read -r line; do
		if ! grep -qE "$STAMP($BAD)" <<<"[    1.234567] $line" ||
		   ! grep -qE "$STAMP($BAD)" <<<"[   12.234567][  T123] $line"; then
			echo "not noticed: $line"
			return 1
		fi
	done <<-END
	------------[ cut here ]------------
	------------[ ftrace bug ]------------
	WARNING: possible circular locking dependency detected
	WARNING: suspicious RCU usage
	WARNING: kernel/livepatch/core.c:1 at klp_enable_patch+0x0/0x4, CPU#0: insmod/5
	BUG: sleeping function called from invalid context at mm/a.c:1
	BUG: KASAN: slab-out-of-bounds in f+0x0/0x4
	BUG kmalloc-64 (Not tainted): Redzone overwritten
	kernel BUG at mm/slub.c:1!
	Unable to handle kernel NULL pointer dereference at virtual address 0
	Internal error: Oops: 0000000096000004 [#1]  SMP
	Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	rcu: INFO: rcu_preempt self-detected stall on CPU
	rcu: rcu_preempt kthread starved for 2602 jiffies! g1 f0x0
	watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [swapper/0:1]
	watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 1
	INFO: task insmod:123 blocked for more than 120 seconds.
	INFO: trying to register non-static key.
	refcount_t: underflow; use-after-free.
	UBSAN: array-index-out-of-bounds in a.c:1:2
	kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
	list_del corruption. prev->next should be 0, but was 1
	Insufficient stack space to handle exception!
	END
	while IFS= read -r line; do
		if grep -qE "$STAMP($BAD)" <<<"[    1.234567] $line"; then
			echo "noticed: $line"
			return 1
		fi
	done <<-END
	===== TEST: WARNING: in a name =====
	livepatch: enabling patch 'BUG'
	rcu: Hierarchical SRCU implementation.
	rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
	test_klp: loading out-of-tree module taints kernel.
	kmemleak: Kernel memory leak detector initialized (mem pool available: 1)
	debug: DEBUGGING
	END
}

test_taint() {
	guest 3 "the kernel is tainted \(512\)" 'echo 512 >/proc/sys/kernel/tainted'
}

test_serial_only() {
	guest 1 "failed: b: not ok" '
		echo TAP version 13; echo 1..2
		echo "kernel message" >/dev/kmsg
		echo ok 1 a; echo not ok 2 b; exit 0' \
		--append initcall_blacklist=virtio_console_init &&
	diff <(lines "TAP version 13" "1..2" "ok 1 a" "not ok 2 b") out
}

test_serial_only_death() {
	# Nobody is left who could repeat the output.
	boot 3 "FAIL: QEMU ended with status 137" --log log --verbose \
		--append initcall_blacklist=virtio_console_init \
		--qemu-arg -pidfile --qemu-arg pid -- sh -c '
		echo TAP version 13; echo 1..3; echo ok 1 a; echo not ok 2 b
		sleep 1000' &
	wait_shown "not ok 2" && kill -KILL "$(cat pid)" && wait $! &&
	grep -q "failed: b: not ok" err && grep -q "^not ok 2 b" out
}

test_log() {
	echo old >log
	guest 0 PASS 'echo from the command; echo from the kernel >/dev/kmsg' \
		--log log &&
	grep -q "from the command" log && grep -q "from the kernel" log &&
	! grep -q old log
}

test_log_named() {
	guest 1 "log: $PWD/vmtest-log" 'false' &&
	grep -q "Linux version" vmtest-log.*
}

test_strange_paths() {
	mkdir "a, b 'c" && export TMPDIR="$PWD/a, b 'c" || return
	echo x >"$TMPDIR/f g"
	guest 0 PASS 'cat "/root/f g"' --copy "$TMPDIR/f g" --log "$TMPDIR/l o" &&
	[[ $(<out) == x ]]
}

test_wrong_modules() {
	mkdir -p mods/lib/modules/1.2.3
	boot 2 "no modules for this kernel.*1.2.3" --modules mods -- true
}

test_seed() {
	local a b c

	guest 0 PASS 'grep " _text$" /proc/kallsyms' --seed 5 || return
	a=$(<out)
	guest 0 PASS 'grep " _text$" /proc/kallsyms' --seed 5 || return
	b=$(<out)
	guest 0 PASS 'grep " _text$" /proc/kallsyms' --seed 6 || return
	c=$(<out)
	[[ "$a" == "$c" ]] && { echo "SKIP: the kernel has no KASLR"; return 4; }
	[[ "$a" == "$b" ]]
}

test_near() {
	if [[ ${#modules[@]} -eq 0 ]]; then
		echo "SKIP: needs --modules or --tests"
		return 4
	fi
	boot 0 "modules are -?[0-9]+ MiB from _text" --near "${modules[@]}" \
		-- grep -w nokaslr /proc/cmdline &&
	! grep "in spite of" err
}

test_far() {
	if [[ ${#modules[@]} -eq 0 ]]; then
		echo "SKIP: needs --modules or --tests"
		return 4
	fi
	boot 0 ", (1[3-9][0-9]|129|12[89]|[2-9][0-9][0-9]|[0-9]{4}) MiB from" \
		--far "${modules[@]}" -- true
}

test_far_not_found() {
	if [[ ${#modules[@]} -eq 0 ]]; then
		echo "SKIP: needs --modules or --tests"
		return 4
	fi
	boot 5 "no boot of 2 had modules farther" --far --tries 2 \
		--append nokaslr "${modules[@]}" -- true
}

test_icount() {
	guest 0 PASS '[ "$(nproc)" = 1 ]' --icount
}

test_smp() {
	guest 0 PASS '[ "$(nproc)" = 3 ]' --smp 3 --memory 512M
}

# --------------------------------------------------------------------------

# In the order of this file
mapfile -t all < <(sed -n 's/^test_\([a-z_]*\)() {$/\1/p' "${BASH_SOURCE[0]}")
if [[ -n "$list" ]]; then
	printf '%s\n' "${all[@]}"
	exit 0
fi
[[ -r "$image" && -r "$userland" ]] ||
	die "give --image FILE and --userland FILE, see --help"
image=$(realpath -- "$image") userland=$(realpath -- "$userland")
for ((i = 1; i < ${#modules[@]}; i += 2)); do
	modules[i]=$(realpath -- "${modules[i]}") || exit 2
done
for n in "${names[@]}"; do
	declare -F "test_$n" >/dev/null || die "$n: no such test, see --list"
done
[[ ${#names[@]} -eq 0 ]] || all=("${names[@]}")

work=$(mktemp -d) || die "cannot create a directory in ${TMPDIR:-/tmp}"
trap 'rm -rf "$work"' EXIT
# Each job has a process group of its own, as those that only ignored the
# interrupt from the terminal could not be told to end.
set -m
stop() {
	local pid

	trap '' INT TERM HUP
	for pid in $(jobs -p); do
		kill -TERM -- "-$pid" 2>/dev/null
	done
	wait
	exit 130
}
trap stop INT TERM HUP

run() {
	mkdir "$work/$1" && cd "$work/$1" || return
	export TMPDIR=$PWD
	"test_$1"
}

show_result() {
	local name=$1 status

	status=$(<"$work/$name.status")
	((++shown))
	case "$status" in
	0)	echo "ok $shown $name" ;;
	4)	echo "ok $shown $name # SKIP $(sed -n 's/^SKIP: //p' \
			"$work/$name.out" | grep . || echo "no sysrq in this kernel")" ;;
	*)
		sed 's/^/# /' "$work/$name.out"
		echo "not ok $shown $name"
		((++failures)) ;;
	esac
	rm -rf "${work:?}/$name"
}

echo "TAP version 13"
echo "1..${#all[@]}"
shown=0 failures=0 running=0
show_finished() {
	while [[ $shown -lt ${#all[@]} && -e "$work/${all[shown]}.status" ]]; do
		show_result "${all[shown]}"
	done
}
for n in "${all[@]}"; do
	if ((running >= jobs)); then
		wait -n
		((running--))
	fi
	show_finished
	{
		(run "$n") >"$work/$n.out" 2>&1 </dev/null
		echo $? >"$work/$n.tmp"
		mv "$work/$n.tmp" "$work/$n.status"
	} &
	((++running))
done
wait
show_finished
echo "# Totals: $((shown - failures)) of ${#all[@]} are well"
[[ $failures -eq 0 && $shown -eq ${#all[@]} ]]
