#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Relocations of live patches against modules, on arm64: all types, applied and
# cleared as the modules come and go in any order, near and out of branch range.
#
# KLP_CYCLES	how often a target is reloaded in one test (default 50)
# VENEERS	set if this CPU has erratum 843419, so that there must be veneers

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

KASAN=$(grep -m 1 -w kasan_report /proc/kallsyms)

# get FILE VARIABLE: without a process, as there are thousands of cycles
get() {
	read -r "$2" 2>/dev/null <"$1"
}

param() {
	local value

	get "/sys/module/$1/parameters/$2" value && echo "$value"
}

address() {
	local value

	get "/sys/module/$1/sections/${2:-.text}" value && echo $((value))
}

loaded() {
	[[ -e "/sys/module/$1" ]]
}

expect() {
	[[ "$2" == "$3" ]] || die "$1: got '$2', want '$3'"
}

# wait_for FILE VALUE: not in steps of 0.1 s, as loop_until does
wait_for() {
	local value start=$SECONDS

	while ((SECONDS - start < 60)); do
		value=gone
		[[ ! -e "$1" ]] || get "$1" value || continue
		[[ "$value" != "$2" ]] || return 0
		sleep 0.02
	done
	die "$1: still '$value', not '$2'"
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

wait_for_patch() {
	wait_for "$SYSFS_KLP_DIR/$1/transition" 0
}

insert_patch() {
	insert "$@"
	if ! loaded "$TARGET"; then
		PLT[$1]=$(param "$1" plt_used) || die "$1: no plt_used"
	fi
	wait_for_patch "$1"
}

remove_patch() {
	# A patch that was replaced is disabled already, and about to go.
	[[ -e "$SYSFS_KLP_DIR/$1" ]] && echo 0 2>/dev/null >"$SYSFS_KLP_DIR/$1/enabled"
	wait_for "$SYSFS_KLP_DIR/$1" gone
	wait_for "/sys/module/$1/refcnt" 0
	remove "$1"
}

is_applied() {
	expect "$TARGET: relocations found right" "$(param $TARGET run)" $NUM_CHECKS
}

# is_cleared PATCH: the bytes of the module file, no PLT entry lost, and no
# pointer into a module that is gone, which KASAN would report
is_cleared() {
	# That one has no pointers.
	[[ "$1" == "$MULTI" ]] ||
		expect "$1: stale pointers" "$(param "$1" stale)" 0
	expect "$1: changed bytes" "$(param "$1" changed)" 0
	expect "$1: PLT entries" "$(param "$1" plt_used)" "${PLT[$1]-not known}"
}

# has_changed PATCH MIN MAX: so many bytes differ from those of the module file
has_changed() {
	local changed

	changed=$(param "$1" changed) || die "$1: no changed"
	[[ $changed -ge $2 && $changed -le $3 ]] ||
		die "$1: $changed bytes changed, want $2 to $3"
}

distance() {
	local d=$(($(address "$1") - $(address "$2")))

	echo ${d#-}
}

# Be sure that the next big module is out of branch range of module $1: put
# more than this in between, or, if that found no room there, fill what is left
# of the region for direct branches, which a kernel without KASLR has. $FILLED
# tells if it was that.
make_far() {
	local m d

	FILLED=

	for m in 132 64 32 16 8 4 2 1; do
		insert "test_klp_filler$m"
		d=$(($(address "test_klp_filler$m" .bss) - $(address "$1")))
		if [[ $m -eq 132 ]]; then
			[[ ${d#-} -gt $BRANCH_RANGE ]] || break
			FILLED=1
		elif [[ ${d#-} -gt $BRANCH_RANGE ]]; then
			remove "test_klp_filler$m"
		fi
	done
}

is_far() {
	[[ $(distance "$1" "$2") -gt $BRANCH_RANGE ]] ||
		die "$1 and $2 are only $(distance "$1" "$2") bytes apart"
}

# For ADRP, far is what ADR does not reach: have at least 2 MiB in between.
make_gap() {
	insert test_klp_filler2
}

is_gap() {
	[[ $(distance "$1" "$2") -gt $((2 << 20)) ]] ||
		die "$1 and $2 are only $(distance "$1" "$2") bytes apart"
}

# Where a CPU needs veneers and ADR does not reach, there must be two. VENEERS=y
# says that this CPU does.
has_veneers() {
	local veneers

	veneers=$(param "$1" veneers)
	[[ "$veneers" == none && -z "$VENEERS" ]] || expect "$1: veneers" "$veneers" 2
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

# measure N: call it in cycle N of $CYCLES. What leaks does so in both halves of
# the time after the first fifth, in which caches fill up. What else comes and
# goes was seen to add 32 KiB to both, in few cycles or many. With a limit above
# that, what leaks 100 bytes per cycle is seen in a thousand, and what leaks
# 2 KiB in fifty: the reference counts of $PATCH are 4 KiB.
measure() {
	local half=$((CYCLES * 2 / 5)) limit=40 used

	# What KASAN has in quarantine is not in use, but counted.
	[[ -z "$KASAN" && $half -gt 0 ]] || return 0
	case $1 in
	$((CYCLES - 2 * half - 1)) | $((CYCLES - half - 1)) | $((CYCLES - 1)))
		# RCU frees some of it.
		sleep 1
		used=$(used_kib)
		USED+=("$used")
		;;
	esac
	[[ $1 -eq $((CYCLES - 1)) ]] || return 0

	echo "# memory: ${USED[*]} KiB, $half cycles in between, limit +$limit KiB"
	if ((USED[1] - USED[0] > limit && USED[2] - USED[1] > limit)); then
		die "memory grows: ${USED[*]} KiB, $half cycles in between"
	fi
}

# --------------------------------------------------------------------------

# spread WHERE MODULE: what is loaded next is near MODULE, or not
spread() {
	case $1 in
	near)	;;
	gap)	make_gap ;;
	far)	make_far "$2" ;;
	full)	make_far "$2"
		[[ -n "$FILLED" ]] || return "$ksft_skip" ;;
	esac
}

# is_spread WHERE: are $PATCH and $TARGET that far apart?
is_spread() {
	case $1 in
	gap)	is_gap "$PATCH" "$TARGET"
		has_veneers "$PATCH" ;;
	far | full)
		is_far "$PATCH" "$TARGET"
		has_veneers "$PATCH"
		# Unknown if the patch came second: another place, other entries
		[[ $(param "$PATCH" plt_used) -gt "${PLT[$PATCH]-0}" ]] ||
			die "far calls without PLT entries" ;;
	esac
}

# reload_target WHERE: the patch stays, the target comes and goes
reload_target() {
	local i used

	USED=()
	insert_patch "$PATCH"
	is_cleared "$PATCH"
	spread "$1" "$PATCH" || return

	for ((i = 0; i < CYCLES; i++)); do
		insert "$TARGET"
		is_spread "$1"
		is_applied
		[[ $i -gt 0 ]] && expect "PLT entries in use" \
			"$(param $PATCH plt_used)" "$used"
		used=$(param "$PATCH" plt_used)
		remove "$TARGET"
		is_cleared "$PATCH"
		measure "$i"
	done

	remove_patch "$PATCH"
}

# reload_patch WHERE: the target stays, the patch comes and goes
reload_patch() {
	local i used

	USED=()
	insert "$TARGET"
	spread "$1" "$TARGET" || return

	for ((i = 0; i < CYCLES; i++)); do
		insert_patch "$PATCH"
		is_spread "$1"
		is_applied
		[[ $i -gt 0 ]] && expect "PLT entries in use" \
			"$(param $PATCH plt_used)" "$used"
		used=$(param "$PATCH" plt_used)
		remove_patch "$PATCH"
		expect "run() of the target itself" "$(param $TARGET run)" -19
		measure "$i"
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
	is_cleared "$MULTI"
	make_far "$MULTI"
	for order in "$TARGET $TARGET2" "$TARGET2 $TARGET"; do
		for m in $order; do
			insert "$m"
			expect "$m" "$(param "$m" run)" $((0x1001))
		done
		expect "$MULTI: PLT entries" "$(param "$MULTI" plt_used)" \
			$((PLT[$MULTI] + 2))
		# shellcheck disable=SC2086 # two words
		set -- $order
		remove "$1"
		expect "$2" "$(param "$2" run)" $((0x1001))
		expect "$MULTI: PLT entries" "$(param "$MULTI" plt_used)" \
			$((PLT[$MULTI] + 1))
		insert "$1"
		expect "$1" "$(param "$1" run)" $((0x1001))
		remove "$2"
		remove "$1"
		is_cleared "$MULTI"
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
		# Not in the midst of a command, which would go on
		trap 'exit 1' TERM
		for ((i = 0; i < CYCLES; i++)); do
			insert "$TARGET"
			# One of the patches is there at any time.
			is_applied
			remove "$TARGET"
		done
	) &
	reloader=$!
	# shellcheck disable=SC2064 # the pid of now
	trap "kill $reloader 2>/dev/null; wait $reloader" EXIT
	i=0
	while kill -0 "$reloader" 2>/dev/null && ((i++ < CYCLES)); do
		insert_patch "$PATCH2" replace=1
		remove_patch "$PATCH"
		insert_patch "$PATCH" replace=1
		remove_patch "$PATCH2"
	done
	wait "$reloader" || die "reloading the target failed"
	trap - EXIT
	# What insert_patch noted may be from while the target was there.
	expect "$PATCH: changed bytes" "$(param "$PATCH" changed)" 0
	used=$(param "$PATCH" plt_used) || die "$PATCH: no plt_used"
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

# told MARK TEXT: is TEXT in the kernel's log, after the last line that ends in
# MARK? There may be more of these, as some tests do everything twice.
told() {
	dmesg | tac | sed "/$1\$/,\$d" | grep -qE -e "$2"
}

# Each allocation on the way fails once, in the loading of a target, while a
# patch waits for it, or in that of a patch whose target is there. The later
# ones are made for livepatch and ftrace, the others for the module itself.
failing_memory() {
	local dir=$SYSFS_DEBUG_DIR/failslab nth=0 failed=0 module=$1 text gfp_wait verbose

	[[ -e $dir && -e /proc/self/fail-nth && -x ./test_klp-failnth ]] ||
		return "$ksft_skip"
	get $dir/ignore-gfp-wait gfp_wait
	get $dir/verbose verbose
	# shellcheck disable=SC2064 # the values of now
	trap "echo $gfp_wait >$dir/ignore-gfp-wait; echo $verbose >$dir/verbose" EXIT
	echo N >$dir/ignore-gfp-wait
	echo 0 >$dir/verbose

	if [[ "$module" == "$TARGET" ]]; then
		insert_patch "$PATCH"
		make_far "$PATCH"
		text="patch '$PATCH' failed for module '$TARGET'"
	else
		insert "$TARGET"
		make_far "$TARGET"
		text="failed to patch object '$TARGET'"
	fi
	log "failing memory: $module"

	while :; do
		((++nth < 10000)) || die "no end to the failures"
		./test_klp-failnth "$nth" "test_modules/$module.ko" 2>/dev/null
		case $? in
		0)	break ;;
		1)	((++failed))
			loaded "$module" && die "$module is half loaded" ;;
		2)	# Something is missing, but nothing that matters.
			wait_for_patch "$PATCH"
			is_applied
			if [[ "$module" == "$PATCH" ]]; then
				remove_patch "$PATCH"
			else
				remove "$TARGET"
			fi ;;
		*)	die "cannot load $module, with no allocation failed" ;;
		esac
		if [[ "$module" == "$PATCH" ]]; then
			expect "run() of the target itself" "$(param "$TARGET" run)" -19
		else
			is_cleared "$PATCH"
		fi
	done

	echo "# $module: $nth allocations, $failed of them needed"
	[[ $failed -gt 20 ]] || die "only $failed failures injected"
	told "failing memory: $module" "$text" ||
		die "no failure went as far as to '$text'"
	wait_for_patch "$PATCH"
	is_applied
	if [[ "$module" == "$PATCH" ]]; then
		remove_patch "$PATCH"
		remove "$TARGET"
	else
		remove "$TARGET"
		is_cleared "$PATCH"
		remove_patch "$PATCH"
	fi
}

# probe 1: put a kprobe into a place, probe 2: a disabled one, probe 0: remove it
# probe 3 PATCH2: put one into the place of $PATCH that belongs to PATCH2
probe() {
	echo "$1" >"/sys/module/${2:-$PATCH}/parameters/probe"
}

kprobed_place() {
	local kind

	insert_patch "$PATCH"
	make_far "$PATCH"

	for kind in 1 2; do
		log "kprobe: $kind"
		# Not applied over a probe, and nothing else changes
		probe $kind || return "$ksft_skip"
		insert_fails "$TARGET"
		told "kprobe: $kind" "$PATCH: .*instruction has a kprobe" ||
			die "no message about the kprobe"
		told "kprobe: $kind" "were not cleared" &&
			die "not cleared what was not relocated"
		has_changed "$PATCH" 0 4
		probe 0
		is_cleared "$PATCH"
		insert "$TARGET"
		is_applied

		# Not cleared over a probe, which leaves this instruction and
		# its entry
		probe $kind
		log "kprobe: $kind, relocated"
		remove "$TARGET"
		told "kprobe: $kind, relocated" "1 relocations were not cleared" ||
			die "no message about what is not cleared"
		has_changed "$PATCH" 1 $((4 + 12))
		insert_fails "$TARGET"
		probe 0
		# The probe was not overwritten.
		has_changed "$PATCH" 1 $((4 + 12))

		# Then cleared with everything else
		insert "$TARGET"
		is_applied
		remove "$TARGET"
		is_cleared "$PATCH"
	done
	remove_patch "$PATCH"
}

# A kprobe that somebody has left behind, as kprobes do not keep a module from
# being unloaded, is none of the module that comes to lie there next.
gone_probe() {
	local at

	insert_patch "$PATCH"
	insert_patch "$PATCH2"
	probe 3 "$PATCH2" || return "$ksft_skip"
	at=$(address "$PATCH")
	remove_patch "$PATCH"
	insert_patch "$PATCH"
	[[ "$(address "$PATCH")" == "$at" ]] || return "$ksft_skip"
	make_far "$PATCH"

	insert "$TARGET"
	is_applied
	remove "$TARGET"
	is_cleared "$PATCH"
	insert "$TARGET"
	probe 0 "$PATCH2"
	is_applied
	remove "$TARGET"
	is_cleared "$PATCH"

	remove_patch "$PATCH"
	remove_patch "$PATCH2"
}

# damaged KIND [PATCH]: make a patch with that kind of damage
damaged() {
	./test_klp-damage "$1" "test_modules/${2:-$PATCH}.ko" "$BAD/${2:-$PATCH}.ko" ||
		die "cannot damage the patch: $1"
	log "damaged: $1"
}

# refuses KIND MESSAGE [PATCH]: a patch with that kind of damage is not loaded,
# tells where it is damaged, and leaves nothing behind.
refuses() {
	local patch=${3:-$PATCH}

	damaged "$1" "$patch"
	insmod "$BAD/$patch.ko" 2>/dev/null && die "damaged patch was loaded: $1"
	loaded "$patch" && die "damaged patch is half loaded: $1"
	[[ ! -e $SYSFS_KLP_DIR/$patch ]] || die "damaged patch is in sysfs: $1"
	told "damaged: $1" "$patch: \.?.*$2" || die "no message '$2' for damage '$1'"
	# The original is still good.
	loaded "$TARGET" || return 0
	expect "run() of the target itself" "$(param "$TARGET" run)" -19
}

# insert_damaged KIND: it takes the target to find the damage.
insert_damaged() {
	damaged "$1"
	insmod "$BAD/$PATCH.ko" || die "cannot load the patch: $1"
	wait_for_patch "$PATCH"
	PLT[$PATCH]=$(param "$PATCH" plt_used) || die "$PATCH: no plt_used"
}

# refuses_target KIND MESSAGE: the target is refused, again and again.
refuses_target() {
	local i

	for i in 1 2; do
		log "damaged: $1, try $i"
		insert_fails "$TARGET"
		told "damaged: $1, try $i" "$PATCH: \.?.*$2" ||
			die "no message '$2' for damage '$1'"
		is_cleared "$PATCH"
	done
}

# What takes the target to find, and the patch can be unloaded thereafter.
refuses_later() {
	insert_damaged "$1"
	refuses_target "$1" "$2"
	remove_patch "$PATCH"
}

# A relocation that comes after all calls of its section fails, and PLT entries
# that were taken for these are free again.
failing_late() {
	[[ -x ./test_klp-damage ]] || return "$ksft_skip"
	BAD=$(mktemp -d) || die "no temporary directory"

	insert_damaged adr-range
	make_far "$PATCH"
	# The target will be where its like is.
	insert "$TARGET2"
	is_far "$PATCH" "$TARGET2"
	remove "$TARGET2"
	refuses_target adr-range "offset 0x[0-9a-f]+,.*cannot be applied"
	remove_patch "$PATCH"

	rm -r "$BAD"
}

# All damage, with the target there and without
bad_input() {
	local sec="\.klp\.rela\.$TARGET\.\.text"
	local data="\.klp\.rela\.$TARGET\.\.data"
	local any="\.klp\.rela\.${TARGET}[0-9]*\.[a-z._]*"
	local off="offset 0x[0-9a-f]+" name

	[[ -x ./test_klp-damage ]] || return "$ksft_skip"
	BAD=$(mktemp -d) || die "no temporary directory"

	# What is known by the patch alone
	for _ in absent there; do
		refuses object "the patch has no object"
		refuses section-name "malformed name"
		refuses section-vmlinux "\.klp\.rela\.vmlinux: malformed name"
		refuses section-index "$sec: relocates a section that does not exist"
		refuses section-not-kept "$sec: is not kept in memory"
		refuses section-init "$sec: relocates a section that is freed after init"
		refuses section-bss "$sec: relocates a section without contents"
		refuses section-plt "$sec: relocates a section without contents"
		for name in .altinstructions .static_call_sites __ex_table __jump_table; do
			refuses used-up-$name "$sec: relocates a section that is used up"
		done
		refuses section-type "$sec: not a RELA section"
		refuses truncated "$sec: truncated"
		refuses symbol-index "$sec: $off: no such symbol"
		refuses "type" "$sec: $off,.*unsupported relocation type"
		refuses offset "$sec: $off: offset is outside of the section"
		refuses offset-end "$data: $off,.*offset is outside of the section"
		refuses unaligned "$sec: $off,.*unaligned instruction"
		refuses not-zero "$sec: $off,.*immediate is not zero"
		refuses not-branch "$sec: $off,.*wrong instruction for this type"
		refuses branch "$sec: $off,.*wrong instruction for this type"
		refuses not-adrp "$sec: $off,.*wrong instruction for this type"
		refuses not-movw "$sec: $off,.*wrong instruction for this type"
		refuses call-in-data "$data: $off,.*instruction outside of an executable section"
		refuses duplicate "$sec: $off,.*overlaps another relocation"
		refuses overlap "$data: $off,.*overlaps another relocation"
		refuses duplicate-object "$any: $off,.*overlaps another relocation" "$MULTI"
		refuses alternative "$sec: $off,.*in an alternative"
		refuses replacement "$sec: $off,.*in an alternative"
		loaded "$TARGET" && break
		insert "$TARGET"
	done

	# What it takes the symbols of the target to know
	make_far "$TARGET"
	for _ in there absent; do
		set -- refuses
		loaded "$TARGET" || set -- refuses_later
		"$1" call-range "$sec: $off,.*cannot be applied"
		"$1" data-range "$data: $off,.*cannot be applied"
		"$1" symbol-name "$sec: $off: symbol cannot be resolved"
		"$1" symbol-object "$sec: $off: symbol cannot be resolved"
		"$1" symbol-vmlinux "$sec: $off: symbol cannot be resolved"
		"$1" symbol-no-klp "$sec: $off: symbol cannot be resolved"

		loaded "$TARGET" || break
		# These are applied when the patch is loaded, or else never
		refuses offset-vmlinux "offset is outside of the section"
		insert_patch "$PATCH"
		is_applied
		remove_patch "$PATCH"
		remove "$TARGET"
	done

	rm -r "$BAD"
}

# --------------------------------------------------------------------------

is_root
[[ $(uname -m) == aarch64 ]] || skip "these relocations are arm64's"
[[ -e test_modules/$PATCH.ko ]] || skip "no test_modules/$PATCH.ko"

TESTS=(
	"reload_target near"
	"reload_target gap"
	"reload_target far"
	"reload_target full"
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
	"gone_probe"
	"failing_late"
	"bad_input"
)
why_not() {
	case $1 in
	*full)	echo "no region for direct branches that could be full" ;;
	*)	echo "not in this kernel" ;;
	esac
}

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
	"$ksft_skip") echo "ok $num $t # SKIP $(why_not "$t")" ;;
	*) echo "not ok $num $t"; status=1 ;;
	esac
	clean_up
done
exit $status
