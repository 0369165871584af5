#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Direct calls of ftrace on arm64: all that a function goes through, from being
# attached to under load and CPU hotplug, what that leaves in the code, what
# happens where a slot cannot be prepared, and modules that come and go.
#
# Most results are those of test_function_plt.ko, which prints KTAP to the log.
#
# Usage: test-function-plt.sh [ROUNDS]

. "$(dirname "$0")/ktap.sh"

rounds=${1:-100}
MOD=test_function_plt
here=$(dirname "$0")/test_modules
cpu=/sys/devices/system/cpu/cpu1/online

# results NAME ARGS... - load the module and report its results
results() {
	local mark="$MOD $$ $RANDOM $RANDOM" name=$1 status status_of line count=0 plan=''

	shift
	echo "$mark" >/dev/kmsg
	insmod "$here/$MOD.ko" ${tramp:+tramp=$tramp} "$@" 2>/run/$MOD.err
	status=$?
	rmmod $MOD 2>/dev/null

	while read -r line; do
		case "$line" in
		"ok "* | "not ok "*)
			((++count))
			[[ $line == ok* ]]
			status_of=$?
			line="$name: ${line#*ok * }"
			if [[ $line == *" # SKIP "* ]]; then
				skipped "${line%% # SKIP *}" "${line#* # SKIP }"
			else
				result $status_of "$line"
			fi
			;;
		"1.."*)	plan=${line#1..} ;;
		"#"*)	echo "$line" ;;
		esac
	done < <(dmesg | sed "1,/$mark/d" | sed -n "s/^\(\[[^]]*\] *\)*$MOD: //p")

	[ "$status" = 0 ] || sed 's/^/# /' /run/$MOD.err
	[ "$status" = 0 ] && [ "$count" -gt 0 ] && [ "$count" = "$plan" ]
	result $? "$name: the module is done"
}

# unplug - take a CPU away and bring it back until the file is gone
unplug() {
	while [ -e "$1" ]; do
		echo 0 >$cpu && echo 1 >$cpu && echo . >>"$1.times"
	done
}

text_of() {
	cat "/sys/module/$1/sections/.text"
}

# offset_of MODULE TEXT - of its function
offset_of() {
	local addr

	addr=$(awk -v module="[$1]" '$3 == "victim" && $4 == module { print $1 }' \
		/proc/kallsyms)
	echo $((0x$addr - $2))
}

# Modules with direct calls, one after the other at the same address
come_and_go() {
	local i a b offset_a offset_b same=0

	for ((i = 0; i < 50; i++)); do
		insmod "$here/${MOD}_self.ko" "tramp=$tramp" || return 1
		a=$(text_of ${MOD}_self)
		offset_a=$(offset_of ${MOD}_self "$a")
		rmmod ${MOD}_self || return 1
		insmod "$here/${MOD}_self2.ko" "tramp=$tramp" || return 1
		b=$(text_of ${MOD}_self2)
		offset_b=$(offset_of ${MOD}_self2 "$b")
		rmmod ${MOD}_self2 || return 1
		if [ "$offset_a" = "$offset_b" ]; then
			echo "# both modules have the function at .text+$offset_a"
			return 1
		fi
		[ "$a" != "$b" ] || ((++same))
	done
	echo "# $same of $i times at the same address"
	[ "$same" -gt 0 ] || return $KSFT_SKIP
}

# pool_pays - do modules have a pool of slots if, and only if, there is no region
# for them all of which is near the kernel? There, its pool will do.
pool_pays() {
	local far=near pool=with

	case "$(dmesg | sed -n 's/.*[^0-9]\([0-9]\+\) pages in range for non-PLT usage.*/\1/p')" in
	'')	return $KSFT_SKIP ;;
	0)	far=far ;;
	esac
	insmod "$here/${MOD}_self.ko" "tramp=$tramp" || return 1
	[ -e "/sys/module/${MOD}_self/sections/.text.function_plt_entries" ] ||
		pool=without
	rmmod ${MOD}_self || return 1
	echo "# the region of modules is $far, a module is $pool a pool of its own"
	case "$far $pool" in
	"far with" | "near without") ;;
	*) return 1 ;;
	esac
}

# Each entry of the kprobe blacklist has to begin with the symbol it names.
blacklist() {
	local list=/sys/kernel/debug/kprobes/blacklist

	awk 'FNR == NR { known[$1] = 1; next }
	     { n++; sub(/^0x/, ""); split($1, range, "-") }
	     !(range[1] in known) { print "# not the start of a symbol: 0x" $0; bad = 1 }
	     END { exit bad || !n }' /proc/kallsyms $list
}

# --------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || skip_all "must be run as root"
[ "$(uname -m)" = aarch64 ] || skip_all "for arm64 only"
grep -q ' function_plt_prepare$' /proc/kallsyms ||
	skip_all "the kernel is without CONFIG_ARM64_FUNCTION_PLT"

ktap_print_header
[ ! -e $kmemleak ] || echo clear >$kmemleak

# The module's own functions get a trampoline of the kernel.
tramp=$(awk '$3 == "ftrace_stub_direct_tramp" { print "0x" $1; exit }' \
	/proc/kallsyms)

for ko in $MOD ${MOD}_self ${MOD}_self2; do
	[ -e "$here/$ko.ko" ]
	result $? "there is $ko.ko"
done
[ -n "$tramp" ]
result $? "there is a trampoline in the kernel"

if [ -w $cpu ]; then
	running=/run/$MOD.running
	: >$running.times
	: >$running
	unplug $running &
	results "CPU hotplug" hotplug=1 rounds=$((rounds / 5 + 1))
	rm $running
	wait
	echo "# a CPU came and went $(wc -l <$running.times) times"
	[ -s $running.times ]
	result $? "CPU hotplug: the CPU came and went"
else
	skipped "CPU hotplug" "no second CPU that can go"
fi

# After hotplug, when there has to be no detour any more
results "direct calls" rounds="$rounds"

come_and_go
status=$?
if [ $status = $KSFT_SKIP ]; then
	skipped "modules come and go" "never at the same address"
else
	result $status "modules come and go"
fi

if grep -q ' function_plt_pool_take$' /proc/kallsyms; then
	pool_pays
	status=$?
	if [ $status = $KSFT_SKIP ]; then
		skipped "modules pay for a pool only if they are far" \
			"the log does not say any more where modules may be"
	else
		result $status "modules pay for a pool only if they are far"
	fi
else
	skipped "modules pay for a pool only if they are far" "there are no pools"
fi

if [ -e /sys/kernel/debug/kprobes/blacklist ]; then
	blacklist
	result $? "kprobe blacklist"
else
	skipped "kprobe blacklist" "no kprobes"
fi

# Pools of modules that came and went, and what else there was
if [ -e $kmemleak ]; then
	no_leak
	result $? "no memory is leaked"
else
	skipped "no memory is leaked" "no kmemleak"
fi

results_end
