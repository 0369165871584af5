#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Relocations of live patches against modules, on arm64: all types, applied and
# cleared as the modules come and go in any order, near and out of branch range.
#
# KLP_CYCLES	how often a target is reloaded in one test (default 50)

. "$(dirname "$0")/functions.sh"

CYCLES=${KLP_CYCLES:-50}
PATCH=test_klp_reloc_patch
PATCH2=test_klp_reloc_patch2
MULTI=test_klp_reloc_multi
TARGET=test_klp_reloc_target
TARGET2=test_klp_reloc_target2
BRANCH_RANGE=$((128 << 20))

# What $PATCH finds right when all is well
NUM_CHECKS=54

param() {
	cat "/sys/module/$1/parameters/$2"
}

address() {
	echo $(($(cat "/sys/module/$1/sections/${2:-.text}")))
}

loaded() {
	[[ -e "/sys/module/$1" ]]
}

expect() {
	[[ "$2" == "$3" ]] || die "$1: got '$2', want '$3'"
}

insert() {
	insmod "test_modules/$1.ko" "${@:2}" || die "cannot load $1"
}

insert_fails() {
	insmod "test_modules/$1.ko" "${@:2}" 2>/dev/null &&
		die "$1 was loaded though it should fail"
	loaded "$1" && die "$1 is half loaded"
	return 0
}

remove() {
	rmmod "$1" || die "cannot unload $1"
}

# PLT entries of a patch without those for its target
declare -A PLT

insert_patch() {
	insert "$@"
	loaded "$TARGET" || PLT[$1]=$(param "$1" plt_used 2>/dev/null)
	loop_until '[[ $(cat $SYSFS_KLP_DIR/'"$1"'/transition) == 0 ]]' ||
		die "$1: transition does not end"
}

remove_patch() {
	# A patch that was replaced is disabled already, and about to go.
	[[ -e "$SYSFS_KLP_DIR/$1" ]] && echo 0 2>/dev/null >"$SYSFS_KLP_DIR/$1/enabled"
	loop_until '[[ ! -e $SYSFS_KLP_DIR/'"$1"' ]]' ||
		die "$1: transition does not end"
	loop_until '[[ $(cat /sys/module/'"$1"'/refcnt) == 0 ]]' ||
		die "$1 is in use"
	remove "$1"
}

is_applied() {
	expect "$TARGET: relocations found right" "$(param $TARGET run)" $NUM_CHECKS
}

# is_cleared PATCH: the bytes of the module file, no PLT entry lost
is_cleared() {
	expect "$1: changed bytes" "$(param "$1" changed)" 0
	expect "$1: PLT entries" "$(param "$1" plt_used)" "${PLT[$1]-0}"
}

distance() {
	local d=$(($(address "$1") - $(address "$2")))

	echo ${d#-}
}

# Be sure that the next big module is out of branch range of module $1: put
# more than this in between, or, if that found no room there, fill what is left.
make_far() {
	local m d

	for m in 132 64 32 16 8 4 2 1; do
		insert "test_klp_filler$m"
		d=$(($(address "test_klp_filler$m" .bss) - $(address "$1")))
		if [[ $m -eq 132 ]]; then
			[[ ${d#-} -gt $BRANCH_RANGE ]] || break
		elif [[ ${d#-} -gt $BRANCH_RANGE ]]; then
			remove "test_klp_filler$m"
		fi
	done
}

is_far() {
	[[ $(distance "$1" "$2") -gt $BRANCH_RANGE ]] ||
		die "$1 and $2 are only $(distance "$1" "$2") bytes apart"
}

# Whatever a test leaves behind
clean_up() {
	local m

	for m in "$TARGET" "$TARGET2"; do
		loaded $m && rmmod $m
	done
	for m in "$PATCH" "$PATCH2" "$MULTI"; do
		loaded $m && (remove_patch $m)
	done
	for m in 132 64 32 16 8 4 2 1; do
		loaded test_klp_filler$m && rmmod test_klp_filler$m
	done
	return 0
} 2>/dev/null

used_kib() {
	awk '$1 == "SUnreclaim:" || $1 == "VmallocUsed:" || $1 == "Percpu:" {
		sum += $2 } END { print sum }' /proc/meminfo
}

# --------------------------------------------------------------------------

# reload_target FAR: the patch stays, the target comes and goes
reload_target() {
	local i before used

	insert_patch "$PATCH"
	is_cleared "$PATCH"
	[[ "$1" == far ]] && make_far $PATCH

	for ((i = 0; i < CYCLES; i++)); do
		insert "$TARGET"
		[[ "$1" == far ]] && is_far $PATCH $TARGET
		is_applied
		if [[ "$1" == far && $(param $PATCH plt_used) -le ${PLT[$PATCH]} ]]; then
			die "far calls without PLT entries"
		fi
		[[ $i -gt 0 ]] && expect "PLT entries in use" \
			"$(param $PATCH plt_used)" "$used"
		used=$(param "$PATCH" plt_used)
		remove "$TARGET"
		is_cleared "$PATCH"
		# Caches have filled up by then.
		[[ $i -eq $((CYCLES / 5)) ]] && before=$(used_kib)
	done

	(($(used_kib) - before < 1024 + CYCLES)) ||
		die "memory: $before KiB grew to $(used_kib)"
	remove_patch "$PATCH"
}

# reload_patch FAR: the target stays, the patch comes and goes
reload_patch() {
	local i

	insert "$TARGET"
	[[ "$1" == far ]] && make_far $TARGET
	for ((i = 0; i < CYCLES / 5 + 1; i++)); do
		insert_patch "$PATCH"
		[[ "$1" == far ]] && is_far $PATCH $TARGET
		is_applied
		remove_patch "$PATCH"
		expect "run() of the target itself" "$(param $TARGET run)" -19
	done
	remove "$TARGET"
}

# The patch finds its target near, and the next one comes far away.
near_then_far() {
	insert "$TARGET"
	insert_patch "$PATCH"
	is_applied
	remove "$TARGET"
	expect "$PATCH: changed bytes" "$(param $PATCH changed)" 0
	PLT[$PATCH]=$(param "$PATCH" plt_used)
	# Take the place that became free.
	insert "$TARGET2"
	make_far "$PATCH"
	insert "$TARGET"
	is_far "$PATCH" "$TARGET"
	is_applied
	remove "$TARGET"
	is_cleared "$PATCH"
	remove_patch "$PATCH"
}

two_targets() {
	local m order

	insert_patch "$MULTI"
	make_far "$MULTI"
	for order in "$TARGET $TARGET2" "$TARGET2 $TARGET"; do
		for m in $order; do
			insert "$m"
			expect "$m" "$(param "$m" run)" $((0x1001))
		done
		# shellcheck disable=SC2086 # two words
		set -- $order
		remove "$1"
		expect "$2" "$(param "$2" run)" $((0x1001))
		insert "$1"
		expect "$1" "$(param "$1" run)" $((0x1001))
		remove "$2"
		remove "$1"
	done
	remove_patch "$MULTI"
}

two_patches() {
	local i

	insert_patch "$PATCH"
	insert_patch "$PATCH2"
	make_far "$PATCH"
	for i in 1 2 3; do
		insert "$TARGET"
		is_far "$PATCH" "$TARGET"
		is_applied
		remove "$TARGET"
		is_cleared "$PATCH"
		is_cleared "$PATCH2"
	done
	remove_patch "$PATCH2"
	insert "$TARGET"
	is_applied
	remove_patch "$PATCH"
	remove "$TARGET"
}

# The target is reloaded all the time while the patches replace each other.
replace_patches() {
	local i reloader used

	insert_patch "$PATCH"
	make_far "$PATCH"
	(
		for ((i = 0; i < CYCLES; i++)); do
			insert "$TARGET"
			param "$TARGET" run >/dev/null
			remove "$TARGET"
		done
	) &
	reloader=$!
	i=0
	while kill -0 "$reloader" 2>/dev/null && ((i++ < CYCLES)); do
		insert_patch "$PATCH2" replace=1
		remove_patch "$PATCH"
		insert_patch "$PATCH" replace=1
		remove_patch "$PATCH2"
	done
	wait $reloader || die "reloading the target failed"
	# What insert_patch noted may be from while the target was there.
	expect "$PATCH: changed bytes" "$(param "$PATCH" changed)" 0
	used=$(param "$PATCH" plt_used)
	insert "$TARGET"
	is_applied
	remove "$TARGET"
	expect "$PATCH: PLT entries" "$(param "$PATCH" plt_used)" "$used"
	remove_patch "$PATCH"
}

failing_init() {
	local i

	insert_patch "$PATCH"
	make_far "$PATCH"
	for i in 1 2 3; do
		insert_fails "$TARGET" fail_init=1
		is_cleared "$PATCH"
	done
	insert "$TARGET"
	is_applied
	remove "$TARGET"
	remove_patch "$PATCH"
}

failing_pre_patch() {
	local i

	insert_patch "$PATCH"
	insert_patch "$PATCH2"
	make_far "$PATCH"
	for i in 1 2 3; do
		echo 1 >/sys/module/$PATCH2/parameters/fail_pre_patch
		insert_fails "$TARGET"
		is_cleared "$PATCH"
		is_cleared "$PATCH2"
		echo 0 >/sys/module/$PATCH2/parameters/fail_pre_patch
		insert "$TARGET"
		is_applied
		remove "$TARGET"
	done
	remove_patch "$PATCH2"
	remove_patch "$PATCH"
}

# Each allocation on the way fails once, in the loading of a target ...
failing_memory() {
	local dir=$SYSFS_DEBUG_DIR/failslab nth=0 failed=0 module=$1

	[[ -e $dir && -e /proc/self/fail-nth ]] || return "$ksft_skip"
	echo N >$dir/ignore-gfp-wait
	echo 0 >$dir/verbose

	if [[ "$module" == "$TARGET" ]]; then
		insert_patch "$PATCH"
		make_far "$PATCH"
	else
		insert "$TARGET"
		make_far "$TARGET"
	fi

	# The shell says so if not even insmod itself could be started.
	while ! { (
		echo $((nth + 1)) >/proc/self/fail-nth
		exec insmod "test_modules/$module.ko"
	); } 2>/dev/null; do
		((++nth, ++failed))
		loaded "$module" && die "$module is half loaded"
		[[ "$module" == "$PATCH" ]] || is_cleared $PATCH
	done

	[[ $failed -gt 20 ]] || die "only $failed failures injected"
	is_applied
	if [[ "$module" == "$PATCH" ]]; then
		loop_until '[[ $(cat $SYSFS_KLP_DIR/'$PATCH'/transition) == 0 ]]'
		remove_patch "$PATCH"
		remove "$TARGET"
	else
		remove "$TARGET"
		is_cleared "$PATCH"
		remove_patch "$PATCH"
	fi
}

# probe 1: put a kprobe into a place, probe 0: remove it
probe() {
	echo "$1" >"/sys/module/$PATCH/parameters/probe"
}

kprobed_place() {
	insert_patch "$PATCH"
	make_far "$PATCH"

	# Not applied over a probe, and nothing else changes
	probe 1 || return "$ksft_skip"
	insert_fails "$TARGET"
	[[ $(param "$PATCH" changed) -le 4 ]] || die "more than the probe changed"
	probe 0
	insert "$TARGET"
	is_applied

	# Not cleared over a probe, which leaves this instruction and its entry
	probe 1
	remove "$TARGET"
	[[ $(param "$PATCH" changed) -le $((4 + 12)) ]] || die "not cleared"
	insert_fails "$TARGET"
	probe 0
	[[ $(param "$PATCH" changed) -gt 0 ]] || die "the probe was overwritten"

	# Then cleared with everything else
	insert "$TARGET"
	is_applied
	remove "$TARGET"
	is_cleared "$PATCH"
	remove_patch "$PATCH"
}

# refuses KIND MESSAGE: a patch with that kind of damage is not loaded, tells
# where it is damaged, and leaves nothing behind.
refuses() {
	local line

	./test_klp-damage "$1" "test_modules/$PATCH.ko" "$BAD/$PATCH.ko" ||
		die "cannot damage the patch: $1"
	log "damaged: $1"
	insmod "$BAD/$PATCH.ko" 2>/dev/null && die "damaged patch was loaded: $1"
	loaded "$PATCH" && die "damaged patch is half loaded: $1"
	[[ ! -e $SYSFS_KLP_DIR/$PATCH ]] || die "damaged patch is in sysfs: $1"

	line=$(dmesg | sed "1,/damaged: $1\$/d" | grep -E -e "$PATCH: \.?.*$2")
	[[ -n "$line" ]] || die "no message '$2' for damage '$1'"
	# The original is still good.
	expect "run() of the target itself" "$(param "$TARGET" run)" -19
}

# All damage, seen with the target there; what is known by the patch alone is
# refused in just the same way without.
bad_input() {
	local sec="\.klp\.rela\.$TARGET\.\.text"
	local data="\.klp\.rela\.$TARGET\.\.data"
	local kind any="\.klp\.rela\.$TARGET\.[a-z._]*"
	local off="offset 0x[0-9a-f]+"

	[[ -x ./test_klp-damage ]] || return "$ksft_skip"
	BAD=$(mktemp -d) || die "no temporary directory"

	insert "$TARGET"
	make_far "$TARGET"

	refuses call-range "$sec: $off,.*cannot be applied"
	refuses data-range "$data: $off,.*cannot be applied"
	refuses symbol-name "$sec: $off: symbol cannot be resolved"
	refuses symbol-index "$sec: $off: no such symbol"
	refuses symbol-no-klp "$sec: $off: symbol cannot be resolved"
	refuses object "the patch has no object"
	refuses section-name "malformed name"
	refuses section-index "$sec: relocates a section that does not exist"
	refuses section-not-kept "$sec: is not kept in memory"
	refuses section-init "$sec: relocates a section that is freed after init"
	refuses section-type "$sec: not a RELA section"
	refuses truncated "$sec: truncated"
	refuses "type" "$sec: $off,.*unsupported relocation type"
	refuses offset "$sec: $off: offset is outside of the section"
	refuses offset-end "$data: $off,.*offset is outside of the section"
	refuses unaligned "$sec: $off,.*unaligned instruction"
	refuses not-zero "$sec: $off,.*immediate is not zero"

	insert_patch "$PATCH"
	is_applied
	remove_patch "$PATCH"
	remove "$TARGET"

	# Calls into a kernel that is near leave too many entries unused.
	insert_patch "$PATCH"
	remove_patch "$PATCH"
	if [[ ${PLT[$PATCH]} -gt 0 ]]; then
		insert "$TARGET"
		refuses pool "$any: $off,.*cannot be applied"
		remove "$TARGET"
	else
		echo "# more calls than the pool can hold: not with a near kernel"
	fi

	# Here it takes the target to find out. The patch can be unloaded then.
	for kind in call-range symbol-name; do
		./test_klp-damage "$kind" "test_modules/$PATCH.ko" "$BAD/$PATCH.ko"
		insmod "$BAD/$PATCH.ko" || die "cannot load the patch: $kind"
		PLT[$PATCH]=$(param "$PATCH" plt_used)
		insert_fails "$TARGET"
		is_cleared "$PATCH"
		remove_patch "$PATCH"
	done

	rm -r "$BAD"
}

# --------------------------------------------------------------------------

is_root
[[ $(uname -m) == aarch64 ]] || skip "these relocations are arm64's"
[[ -e test_modules/$PATCH.ko ]] || skip "no test_modules/$PATCH.ko"

TESTS=(
	"reload_target near"
	"reload_target far"
	"reload_patch near"
	"reload_patch far"
	"near_then_far"
	"two_targets"
	"two_patches"
	"replace_patches"
	"failing_init"
	"failing_pre_patch"
	"failing_memory $TARGET"
	"failing_memory $PATCH"
	"kprobed_place"
	"bad_input"
)
# Arguments select tests.
[[ $# -gt 0 ]] && TESTS=("$@")

echo "KTAP version 1"
echo "1..${#TESTS[@]}"
status=0
num=0
for t in "${TESTS[@]}"; do
	((++num))
	# shellcheck disable=SC2086 # words
	(set -- $t; "$@")
	case $? in
	0) echo "ok $num $t" ;;
	"$ksft_skip") echo "ok $num $t # SKIP not in this kernel" ;;
	*) echo "not ok $num $t"; status=1 ;;
	esac
	clean_up
done
exit $status
