#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What kpatch.sh and kpatch-test.sh run in a guest of vmtest.sh:
#
#   guest.sh one MODULE [CHECK]    load it, look with CHECK, unload it
#   guest.sh set                   each module in /kpatch/set with its check
#   guest.sh utility               the kpatch utility's commands
#   guest.sh stall                 transitions that do not end by themselves
#   guest.sh cost MODULE           what a call of a patched function costs
#   guest.sh install MODULE        for the next boot; prints what it installed
#   guest.sh booted NAME           the boot after that one
#
# REDIRECTS in the environment says whether the kernel is configured to branch to
# replacements (1), or has only the handler (0).

klp=/sys/kernel/livepatch
installed=/var/lib/kpatch/$(uname -r)
service=/usr/lib/systemd/system/kpatch.service
export PATH=$PATH:/usr/sbin:/usr/bin LC_ALL=C
shopt -s nullglob

# --------------------------------------------------------------------------
# Results: KTAP lines and a closing count

number=0
passed=0
failed=0

ok() { number=$((number + 1)); passed=$((passed + 1)); echo "ok $number $1"; }
not_ok() { number=$((number + 1)); failed=$((failed + 1)); echo "not ok $number $1"; }

# result NAME COMMAND... - a test is a command
result()
{
	local name=$1

	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

finish()
{
	echo "$passed passed, $failed failed, 0 skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

# says TEXT COMMAND... - the command prints TEXT and does not fail
says() { answers 0 "$@"; }

# refuses TEXT COMMAND... - the command prints TEXT and fails
refuses() { answers 1 "$@"; }

indent() { printf '%s\n' "$1" | sed 's/^/#   /'; }

answers()
{
	local want=$1 text=$2 got status=0

	shift 2
	got=$("$@" 2>&1) || status=1
	if [ "$status" -ne "$want" ]; then
		echo "# '$*' ended with status $status, not $want"
	elif ! grep -q -e "$text" <<<"$got"; then
		echo "# '$*' did not print '$text'"
	else
		return 0
	fi
	indent "$got"
	return 1
}

# --------------------------------------------------------------------------
# The state of the machine

loaded() { [ "$(cat "$klp/$1/enabled" 2>/dev/null)" = 1 ] && [ "$(cat "$klp/$1/transition")" = 0 ]; }
gone() { [ ! -e "$klp/$1" ] && [ ! -e "/sys/module/$1" ]; }
clean() { [ -z "$(ls "$klp")" ]; }

# wait_for COMMAND... - up to a minute
wait_for()
{
	local i

	for ((i = 0; i < 600; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	echo "# this did not come true within a minute: $*"
	return 1
}

module_name() { basename "$1" .ko | tr - _; }

has_redirects() { [ "${REDIRECTS:?must be 0 or 1}" = 1 ]; }

# paths MODULE - each replaced function and how it is reached, which the kernel
# says in a file of its own if it can do more than call the handler
paths()
{
	local dir object function path

	for dir in "$klp/$1"/*/*,*; do
		object=$(basename "$(dirname "$dir")")
		function=$(basename "$dir")
		if [ -e "$dir/redirect" ]; then
			path=$(cat "$dir/redirect")
		elif enabled "${function%,*}" "$object" | grep -q klp_ftrace_handler; then
			path=handler
		else
			path=none
		fi
		case $path in
		near) path='by a branch' ;;
		far) path='by a branch to its PLT slot' ;;
		handler) path='through the handler' ;;
		none) path='not patched' ;;
		esac
		echo "$object:${function%,*}: $path"
	done
}

# enabled FUNCTION OBJECT - what ftrace says that it calls
enabled()
{
	awk -v f="$1" -v m="${2/vmlinux/}" '
		$1 == f && (m == "" || $2 == "[" m "]") { print; exit }' \
		/sys/kernel/tracing/enabled_functions
}

# on_its_way MODULE - all of the functions of loaded objects, the right way
on_its_way()
{
	local found

	found=$(paths "$1")
	indent "$found"
	if [ -z "$found" ]; then
		echo "# $1 replaces no function"
		return 1
	fi
	! grep -q 'not patched' <<<"$found" &&
		{ ! has_redirects || ! grep -q 'through the handler' <<<"$found"; }
}

# --------------------------------------------------------------------------
# one: what make kpatch does

fail() { echo "FAILED: $*"; exit 1; }

# look CHECK - what the user's command says
look()
{
	local status=0 got

	got=$(bash -c "$1" 2>&1) || status=$?
	printf '%s\n' "$got"
	[ "$status" -eq 0 ] || echo "(status $status)"
}

# modules_of MODULE - load what it patches, which it says once it is loaded itself
modules_of()
{
	local dir objects=''

	kpatch load "$1" >/dev/null || fail 'kpatch cannot load it'
	for dir in "$klp/$(module_name "$1")"/*/; do
		dir=$(basename "$dir")
		[ "$dir" = vmlinux ] || objects+=" $dir"
	done
	kpatch unload "$(module_name "$1")" >/dev/null || fail 'kpatch cannot unload it'
	for dir in $objects; do
		if modprobe "$dir"; then
			echo "  patches:     module $dir"
		else
			echo "  patches:     module $dir, which cannot be loaded in this guest"
		fi
	done
}

one()
{
	local ko=$1 check=$2 name before='' after

	name=$(module_name "$ko")
	echo "Linux $(uname -r) on $(uname -m)"
	kpatch info "$ko" | sed -n 's/^\(description\|depends\|vermagic\):/  \1:/p'
	modules_of "$ko"
	if [ -n "$check" ]; then
		before=$(look "$check")
		echo "--- before: $check"
		echo "$before"
	fi
	kpatch load "$ko" || fail 'kpatch cannot load it'
	loaded "$name" || fail 'it is not enabled'
	kpatch list
	after=$(paths "$name")
	echo "$after"
	# Not by a branch is slower, not wrong.
	! grep -q 'not patched' <<<"$after" || fail 'not all of its functions are in force'
	if [ -n "$check" ]; then
		after=$(look "$check")
		echo "--- with $name: $check"
		echo "$after"
		[ "$after" != "$before" ] || fail 'the check says the same as before'
	fi
	kpatch unload "$name" || fail 'kpatch cannot unload it'
	gone "$name" || fail 'it is still there'
	if [ -n "$check" ]; then
		after=$(look "$check")
		echo "--- after: $check"
		echo "$after"
		[ "$after" = "$before" ] || fail 'the check does not say what it said before'
	fi
	echo '1 passed, 0 failed, 0 skipped'
}

# --------------------------------------------------------------------------
# set

# cycle CHECK KO - load, look, unload, look
cycle()
{
	local check=$1 name

	name=$(module_name "$2")
	"check_$check" original || { echo '# before it is loaded'; return 1; }
	says 'loading patch module' kpatch load "$2" || return
	loaded "$name" || { echo "# $name is not enabled"; return 1; }
	if ! "check_$check" patched || ! on_its_way "$name"; then
		kpatch unload "$name" >/dev/null 2>&1
		return 1
	fi
	says 'unloading patch module' kpatch unload "$name" || return
	gone "$name" || { echo "# $name is still there"; return 1; }
	"check_$check" original || { echo '# after it was unloaded'; return 1; }
	! declare -F "after_$check" >/dev/null || "after_$check"
}

# The target is loaded before the patch, after it, and once more.
with_module()
{
	local check=$1 ko=$2 module=$3 name

	name=$(module_name "$ko")
	modprobe "$module" || return
	cycle "$check" "$ko" || return
	rmmod "$module" || return
	says 'loading patch module' kpatch load "$ko" || return
	modprobe "$module" || return
	"check_$check" patched || { echo '# target loaded after the patch'; return 1; }
	on_its_way "$name" || return
	rmmod "$module" && modprobe "$module" || return
	"check_$check" patched || { echo '# target reloaded'; return 1; }
	on_its_way "$name" || return
	says 'unloading patch module' kpatch unload "$name" || return
	"check_$check" original || { echo '# after it was unloaded'; return 1; }
	rmmod "$module"
}

set_of_patches()
{
	local kos=(/kpatch/set/*.ko) ko check

	# shellcheck source=/dev/null
	. /kpatch/checks.sh
	echo 'KTAP version 1'
	echo "1..$((${#kos[@]} + 1))"
	for ko in "${kos[@]}"; do
		check=$(module_name "$ko")
		check=${check#livepatch_}
		case $check in
		callback_says_no)
			result "$check" refuses 'No such device' kpatch load "$ko" ;;
		module_data | multiple)
			result "$check" with_module "$check" "$ko" kobject-example ;;
		*)
			result "$check" cycle "$check" "$ko" ;;
		esac
	done
	result 'nothing is left behind' clean
	finish
}

# --------------------------------------------------------------------------
# utility: every command of it, and what it says when it cannot

utility()
{
	local a b kpatch_set=(/kpatch/set/*.ko) name_a name_b

	a=${kpatch_set[0]}
	b=${kpatch_set[1]}
	name_a=$(module_name "$a")
	name_b=$(module_name "$b")
	echo 'KTAP version 1'
	echo 1..31
	result 'version' says '^0\.9\.' kpatch version
	result 'info of a file' says "$(uname -r)" kpatch info "$a"
	result 'list when there is none' says '^Installed patch modules:' kpatch list
	result 'load of a file' says 'loading patch module' kpatch load "$a"
	result 'list shows it' says "^$name_a \[enabled\]" kpatch list
	result 'loaded twice: said so' says 'already loaded and enabled' kpatch load "$a"
	result 'loaded twice: still enabled' loaded "$name_a"
	result 'another build of what is loaded' another_build "$a"
	result 'unload by name' says "unloading patch module: $name_a" kpatch unload "$name_a"
	result 'unloaded' gone "$name_a"
	result 'unload of what is not loaded' refuses "$name_a is not loaded" kpatch unload "$name_a"
	result 'load of a name that is not installed' refuses "can't find $name_a" kpatch load "$name_a"
	result 'install' says 'installing' kpatch install "$a"
	result 'install twice' refuses 'is already installed' kpatch install "$a"
	result 'list shows what is installed' says "^$name_a ($(uname -r))" kpatch list
	result 'info by name' says 'vermagic' kpatch info "$name_a"
	result 'load by name' says 'loading patch module' kpatch load "$name_a"
	result 'unload --all' says "disabling patch module: $name_a" kpatch unload --all
	result 'all are gone' clean
	kpatch install "$b" >/dev/null
	result 'load --all' says "loading patch module: .*$(basename "$b")" kpatch load --all
	# Each replaces those before it: cumulative patches, kpatch's default.
	result 'the last one of them is in force' loaded "$name_b"
	kpatch unload --all >/dev/null
	result 'uninstall' says 'uninstalling' kpatch uninstall "$(basename "$a")"
	result 'uninstall by name' says 'uninstalling' kpatch uninstall "$name_b"
	result 'uninstall twice' refuses 'is not installed' kpatch uninstall "$name_b"
	result 'signal without a transition' says '' kpatch signal
	result 'force is none of its commands' refuses 'subcommand force not recognized' kpatch force
	result 'module for another kernel: install' other_kernel install
	result 'module for another kernel: load' other_kernel load
	result 'module for another kernel: the kernel' other_kernel insmod
	result 'module that was cut off' cut_off "$a"
	result 'nothing is left behind' clean
	finish
}

# A module whose vermagic says another release, as if built for that one
other_kernel()
{
	local ko=/run/other.ko release other

	release=$(uname -r)
	# as long as that is
	other=9${release#?}
	sed "s/vermagic=$release/vermagic=${other}/" "${kpatch_set[0]}" >$ko
	case $1 in
	install) refuses "invalid module version $other for kernel $release" kpatch install $ko ;;
	load) refuses "invalid module version $other for kernel $release" kpatch load $ko ;;
	insmod)
		# It then looks at each symbol, and not at the release.
		if zcat /proc/config.gz | grep -q '^CONFIG_MODVERSIONS=y'; then
			echo '# not looked at: the kernel goes by the versions of symbols'
			return 0
		fi
		refuses 'Invalid module format' insmod $ko &&
			dmesg | tail -n 3 | grep -q "version magic '$other .*should be '$release " ;;
	esac
}

# A fix that was corrected has the same name and is another module.
another_build()
{
	local ko=/run/another.ko id

	id=$(readelf -n "$1" | sed -n 's/.*Build ID: //p')
	[ -n "$id" ] || { echo "# $1 has no build id"; return 1; }
	cp "$1" $ko
	# The last byte of the note is another one.
	printf '\x%02x' $((0x${id: -2} ^ 1)) >/run/byte
	objcopy --dump-section .note.gnu.build-id=/run/note $ko /dev/null
	dd if=/run/byte of=/run/note bs=1 seek=$(($(stat -c %s /run/note) - 1)) conv=notrunc 2>/dev/null
	objcopy --update-section .note.gnu.build-id=/run/note $ko
	refuses "another build of $(module_name "$1") is loaded" kpatch load $ko
}

cut_off()
{
	head -c 20000 "$1" >/run/cut.ko
	refuses "^kpatch: /run/cut.ko isn't a kernel module, or it is damaged" kpatch load /run/cut.ko
}

# --------------------------------------------------------------------------
# stall: a task that sleeps in a function when it is patched, or unpatched

since() { dmesg | sed -n "/$mark/,\$p" | grep -q -e "$1"; }

mark()
{
	mark="kpatch-test mark $RANDOM$RANDOM"
	echo "$mark" >/dev/kmsg
}

# A task that a signal wakes: the kernel sends one after 15 seconds.
signalled()
{
	local pid ko=/kpatch/set/livepatch-sleep.ko name=livepatch_sleep

	# The old function is on its stack.
	sleep 300 &
	pid=$!
	sleep 1
	mark
	says 'transition complete' kpatch load $ko && loaded $name || return
	if ! since "'$name': patching complete" || ! since 'signaling remaining tasks'; then
		echo '# the kernel did not signal the task'
		return 1
	fi
	kill -0 $pid || { echo '# the signal has ended the task'; return 1; }
	kill $pid
	# And the same way back, with a task in the replacement
	sleep 300 &
	pid=$!
	sleep 1
	mark
	says 'unloading patch module' kpatch unload $name && gone $name || return
	if ! since "'$name': unpatching complete" || ! since 'signaling remaining tasks'; then
		echo '# the kernel did not signal the task in the replacement'
		return 1
	fi
	kill $pid
}

# A task that no signal wakes, until its child has gone
stuck()
{
	/kpatch/helper vfork 100000 &
	helper=$!
	wait_for pgrep -P "$helper" >/dev/null
	sleep 1
}

release() { pkill -KILL -P "$helper" && wait "$helper"; }

unload_refused()
{
	local helper name=livepatch_vfork

	says 'loading patch module' kpatch load /kpatch/set/livepatch-vfork.ko || return
	stuck
	refuses "transition stalled for $name" kpatch unload $name || return
	says "^$name \[disabling...\]" kpatch list && says 'helper' kpatch list || return
	says 'automatically on your system' kpatch signal || return
	# Nothing was lost: as soon as the task has left, the patch is out.
	release || return
	wait_for not_in_transition || return
	says 'unloading patch module' kpatch unload $name && gone $name
}

not_in_transition() { ! in_transition; }

# The same when the patch is loaded: kpatch takes it back.
load_taken_back()
{
	local helper name=livepatch_vfork

	stuck
	refuses "failed to load module $name (transition stalled)" \
		kpatch load /kpatch/set/livepatch-vfork.ko || return
	gone $name || { echo "# $name is still there"; return 1; }
	release
}

# force, which is the kernel's: the way to the replacement can be taken back later,
# but after the way back from it a task may be in there, and the module must stay.
forced()
{
	local helper name=livepatch_vfork pid

	stuck
	kpatch load /kpatch/set/livepatch-vfork.ko >/dev/null &
	pid=$!
	wait_for in_transition || return
	sleep 2
	expect_state enabling $name || return
	echo 1 >$klp/$name/force || return
	wait $pid && loaded $name || return
	release || return
	wait_for branches $name || return
	stuck
	kpatch unload $name >/run/unload 2>&1 &
	pid=$!
	wait_for in_transition || return
	sleep 2
	expect_state disabling $name || return
	echo 1 >$klp/$name/force || return
	if wait $pid; then
		echo '# the module was removed in spite of force'
		return 1
	fi
	says "failed to unload module $name (refcnt)" cat /run/unload || return
	release || return
	[ -e /sys/module/$name ] || { echo '# the module was removed in spite of force'; return 1; }
}

in_transition() { grep -q 1 "$klp"/*/transition 2>/dev/null; }

# After force, that takes until all tasks have slept.
branches() { ! has_redirects || ! paths "$1" | grep -q 'through the handler'; }

expect_state() { says "^$2 \[$1...\]" kpatch list; }

stall()
{
	echo 'KTAP version 1'
	echo 1..5
	result 'a task that sleeps in the function is signalled, both ways' signalled
	result 'a load that stalls is taken back' load_taken_back
	result 'an unload that stalls says so and ends later' unload_refused
	result 'force ends a transition and keeps the module' forced
	result 'nothing is left behind' clean
	finish
}

# --------------------------------------------------------------------------
# cost: instructions, counted by qemu -icount

cost()
{
	local before with name more

	name=$(module_name "$1")
	echo 'KTAP version 1'
	echo 1..3
	/kpatch/helper cost >/dev/null
	before=$(/kpatch/helper cost)
	kpatch load "$1" >/dev/null || { not_ok 'cost: it cannot be loaded'; finish; }
	# shellcheck source=/dev/null
	. /kpatch/checks.sh
	result 'cost: the replacement is in force' patched_cost "$name"
	/kpatch/helper cost >/dev/null
	with=$(/kpatch/helper cost)
	kpatch unload "$name" >/dev/null
	result 'cost: instructions are counted' counted "$before" "$with"
	more=$(awk -v a="$before" -v b="$with" 'BEGIN { printf "%.0f", b - a }')
	echo "# a system call takes $before instructions, live patched $with: $more more"
	if has_redirects; then
		# MOV and B, then LDR and BR when far; one more each with BTI
		result "a call of a patched function goes by a branch: $more instructions" between "$more" 1 8
	else
		result "a call of a patched function goes through the handler: $more instructions" between "$more" 20 2000
	fi
	finish
}

patched_cost() { on_its_way "$1" && check_cost patched; }

# counted VALUE... - are they the counts of a system call, which takes more than a
# few instructions and far less than 100,000?
counted()
{
	local value

	for value in "$@"; do
		[[ $value =~ ^[0-9]+\.[0-9]$ ]] && between "${value%.*}" 50 100000 || return
	done
}

between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

# --------------------------------------------------------------------------
# A reboot

install_module()
{
	kpatch install "$1" || exit
	# To the host, which puts it into the next guest
	echo "kpatch-installed: $(tar -c -C /var/lib kpatch | gzip -9 | base64 -w 0)"
}

# What systemd would do with the service
start_service()
{
	local condition command

	condition=$(sed -n 's/^ConditionKernelCommandLine=!//p' $service)
	command=$(sed -n 's/^ExecStart=//p' $service)
	echo "# $service: not with $condition, else $command"
	if tr ' ' '\n' </proc/cmdline | grep -q -x -F "$condition"; then
		return 0
	fi
	# shellcheck disable=SC2086 # a command line
	$command
}

booted()
{
	local name=$1

	echo 'KTAP version 1'
	echo 1..3
	result 'the module survived the reboot' [ -f "$installed/${name//_/-}.ko" ]
	start_service || echo '# the service failed'
	if tr ' ' '\n' </proc/cmdline | grep -q -x kpatch.enable=0; then
		result 'kpatch.enable=0 keeps the service from loading it' clean
	else
		result 'the service has loaded it' loaded "$name"
	fi
	result 'unload --all' says '' kpatch unload --all
	finish
}

# --------------------------------------------------------------------------

case ${1:-} in
one) one "$2" "${3:-}" ;;
set) set_of_patches ;;
utility) utility ;;
stall) stall ;;
cost) cost "$2" ;;
install) install_module "$2" ;;
booted) booted "$2" ;;
*) echo "guest.sh: unknown command '${1:-}'" >&2; exit 2 ;;
esac
