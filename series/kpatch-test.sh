#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test kpatch on a built kernel: build a module from each patch in
# series/kpatch/tests, and run them all in guests.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me --src DIR --obj DIR [OPTION]... [TEST]...

Tests kpatch with the kernel that was built from --src in --obj. The tests:

  unit      kpatch's unit tests of the entry layouts
  modules   a module from each patch in series/kpatch/tests
  refused   patches that cannot become a module, and why
  set       all modules in a guest, near and far: loaded with the kpatch
            utility, seen to work, unloaded
  utility   the commands of the kpatch utility, and what it refuses
  stall     transitions that do not end by themselves (about 5 minutes)
  cost      what a call of a patched function costs, near and far
  reboot    a module that was installed is loaded by the service's command
            after a reboot
  input     bad input of series/kpatch.sh

  --quick        'unit' and two patches, near and far: for make test
  --types        for a kernel without debug information, as kpatch.sh has it
  --vmtest DIR   the folder of vmtest.sh (default: that of --src)
  --rebuild      build modules again that were built from the same patch,
                 kernel and kpatch
  -h, --help     this text

Prints KTAP, then one line 'N passed, N failed, N skipped'.
Exit status: 0 nothing failed, 1 something did, 2 wrong usage.
USAGE
}

src=
obj=
vmtest=
quick=
rebuild=
types=()
tests=()
while [ $# -gt 0 ]; do
	case $1 in
	--src | --obj | --vmtest)
		[ $# -ge 2 ] || usage_error "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	--quick) quick=y ;;
	--types) types=(--types) ;;
	--rebuild) rebuild=y ;;
	-h | --help) usage; exit 0 ;;
	unit | modules | refused | set | utility | stall | cost | reboot | input) tests+=("$1") ;;
	*) usage_error "unknown argument '$1'" ;;
	esac
	shift
done
if [ -z "$src" ] || [ -z "$obj" ]; then
	usage_error '--src and --obj are needed'
fi
src=$(realpath "$src")
obj=$(realpath "$obj")
vmtest=${vmtest:-$src/tools/testing/selftests/livepatch}
kpatch=$TOP/series/kpatch.sh
patches=$TOP/series/kpatch/tests
out=$obj/kpatch/test
logs=$BUILD/logs
if [ ${#tests[@]} -eq 0 ]; then
	if [ -n "$quick" ]; then
		tests=(unit modules set)
	else
		tests=(unit input modules refused set utility cost reboot stall)
	fi
fi

# --------------------------------------------------------------------------
# Results

number=0
passed=0
failed=0
skipped=0

# report STATUS NAME
report()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $number $2"
	else
		failed=$((failed + 1))
		echo "not ok $number $2"
	fi
}

# subtests NAME COMMAND... - a command that prints KTAP and a closing count
subtests()
{
	local name=$1 log=$logs/kpatch-test-$1.log status=0 p f s

	shift
	mkdir -p "$logs"
	echo "# Subtest: $name"
	"$@" 2>"$log.err" | tee "$log" | grep --line-buffered -v '^kpatch-installed:' | sed -u 's/^/    /' || status=$?
	read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1) ||
		{ status=1 p=0 f=0 s=0; }
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	number=$((number + 1))
	if [ "$status" -eq 0 ] && [ "$f" -eq 0 ]; then
		echo "ok $number $name"
	else
		[ "$f" -gt 0 ] || failed=$((failed + 1))
		grep -v '^vmtest.sh: [0-9]* passed' "$log.err" | tail -n 12 | sed 's/^/# /' || true
		echo "not ok $number $name"
	fi
	grep -h 'modules are .* MiB from' "$log.err" | tail -n 1 | sed 's/^vmtest.sh: /# /' || true
}

# --------------------------------------------------------------------------
# Modules

# What each patch that is refused is refused for
declare -A refusal=(
	[asm]='unsupported patch to assembly: arch/arm64/kernel/entry.S'
	[data-layout]='.bss.foo section header details differ'
	[data-value]='changed section .data.sysctl_poolsize not selected for inclusion'
	[init]='changed section .init.text not selected for inclusion'
	[lib]='unsupported patch to lib/: lib/hexdump.c'
	[nothing]='no functional changes found'
	[notrace]="function ktime_get_mono_fast_ns doesn't have patchable function entry"
	[section]='changed section .sched.text not selected for inclusion'
)

# the_patches - those of this run, by name
the_patches()
{
	local patch

	if [ -n "$quick" ]; then
		printf '%s\n' meminfo-string module-data
		return
	fi
	for patch in "$patches"/*.patch; do
		patch=$(basename "$patch" .patch)
		case $patch in
		*-FAIL) ;;
		*) echo "$patch" ;;
		esac
	done
}

# module_id NAME - what a module is made from
module_id()
{
	cat "$patches/$1.patch" "$obj/.config" "$obj/Module.symvers" "$BUILD/kpatch/built" |
		sha256sum | cut -c 1-16
	sha256sum <"$obj/vmlinux"
}

# module NAME - build it, or take the one that is there
module()
{
	local ko=$out/livepatch-$1.ko

	if [ -z "$rebuild" ] && [ -f "$ko" ] &&
		[ "$(cat "$ko.id" 2>/dev/null)" = "$(module_id "$1")" ]; then
		return 0
	fi
	rm -f "$ko.id"
	"$kpatch" build --src "$src" --obj "$obj" "${types[@]}" --out "$out" "$patches/$1.patch" \
		>"$logs/kpatch-test-build.log" 2>&1 || return 1
	module_id "$1" >"$ko.id"
}

test_modules()
{
	local name status start

	for name in $(the_patches); do
		start=$SECONDS
		status=0
		module "$name" || status=1
		[ "$status" -eq 0 ] || tail -n 3 "$logs/kpatch-test-build.log" | sed 's/^/# /'
		case $name in
		syscall-special | special-elf) tables "$out/livepatch-$name.ko" || status=1 ;;
		static-local) of_the_kernel "$out/livepatch-$name.ko" bootid_spinlock || status=1 ;;
		esac
		report "$status" "module: $name ($((SECONDS - start)) s)"
	done
}

# tables MODULE - has the changed function entries of each kind?
tables()
{
	local table status=0

	for table in .altinstructions __ex_table __jump_table __bug_table; do
		readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\] *//' |
			awk -v s="$table" '$1 == s && $5 !~ /^0+$/ { found = 1 } END { exit !found }' ||
			{ echo "# it has no $table"; status=1; }
	done
	return "$status"
}

# of_the_kernel MODULE VARIABLE - is it the kernel's that is used, and no other?
of_the_kernel()
{
	readelf -sW "$1" | awk -v want="^[.]klp[.]sym[.]vmlinux[.]$2([.][0-9]+)?,[0-9]+$" -v own="^$2([.][0-9]+)?$" '
		$NF ~ want { found = 1 } $NF ~ own { other = 1 } END { exit !found || other }' ||
		{ echo "# it does not use the kernel's $2"; readelf -sW "$1" | grep -F "$2" | sed 's/^/#   /'; return 1; }
}

test_refused()
{
	local patch name status

	for patch in "$patches"/*-FAIL.patch; do
		name=$(basename "$patch" -FAIL.patch)
		status=0
		! "$kpatch" build --src "$src" --obj "$obj" "${types[@]}" --out "$out" "$patch" \
			>"$logs/kpatch-test-build.log" 2>&1 || status=1
		grep '^kpatch.sh: error:' "$logs/kpatch-test-build.log" | sed 's/^/# /' || status=1
		grep -q "^kpatch.sh: error: .*${refusal[$name]:-no reason is known}" \
			"$logs/kpatch-test-build.log" || status=1
		report "$status" "refused: $name"
	done
}

# --------------------------------------------------------------------------
# Guests

prepare()
{
	local cross=aarch64-linux-gnu-

	redirects=$(grep -c '^CONFIG_LIVEPATCH_REDIRECT=y' "$obj/.config" || true)

	[ "$(uname -m)" != aarch64 ] || cross=
	"$kpatch" userland --src "$src" --obj "$obj" --vmtest "$vmtest" >"$logs/kpatch-test-userland.log" 2>&1 ||
		die "$(tail -n 1 "$logs/kpatch-test-userland.log")"
	mkdir -p "$out"
	"${cross}gcc" -O2 -static -o "$out/helper" "$TOP/series/kpatch/helper.c" ||
		die 'series/kpatch/helper.c does not compile: is libc6-dev-arm64-cross installed?'
	rm -rf "$out/set"
	mkdir -p "$out/set"
}

# guest OPTION... -- COMMAND... - of guest.sh, with the modules
guest()
{
	"$vmtest/vmtest.sh" --image "$obj/arch/arm64/boot/Image" --modules "$obj/root" \
		--userland "$BUILD/kpatch/userland.cpio.zst" \
		--copy "$BUILD/kpatch/root/usr/sbin/kpatch:/usr/sbin/kpatch" \
		--copy "$BUILD/kpatch/root/usr/lib/systemd/system/kpatch.service:/usr/lib/systemd/system/kpatch.service" \
		--copy "$TOP/series/kpatch/guest.sh:/kpatch/guest.sh" \
		--copy "$TOP/series/kpatch/checks.sh:/kpatch/checks.sh" \
		--copy "$out/helper:/kpatch/helper" "$@"
}

# put NAME... - these modules into /kpatch/set
put()
{
	local name

	rm -f "$out"/set/*.ko
	for name in "$@"; do
		if [ "$(cat "$out/livepatch-$name.ko.id" 2>/dev/null)" = "$(module_id "$name")" ]; then
			cp "$out/livepatch-$name.ko" "$out/set/"
		else
			report 1 "there is no module of $name as it is now (test 'modules' makes it)"
		fi
	done
}

test_set()
{
	local place

	# shellcheck disable=SC2046 # a list
	put $(the_patches)
	for place in near far; do
		subtests "set-$place" guest "--$place" --timeout 1500 --copy "$out/set:/kpatch/set" \
			-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh set
	done
}

test_utility()
{
	put meminfo-string new-function
	subtests utility guest --far --timeout 900 --copy "$out/set:/kpatch/set" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh utility
}

test_stall()
{
	put sleep vfork
	subtests stall guest --far --timeout 1800 --copy "$out/set:/kpatch/set" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh stall
}

test_cost()
{
	local place

	put cost
	for place in near far; do
		subtests "cost-$place" guest "--$place" --icount --timeout 900 \
			--copy "$out/set:/kpatch/set" \
			-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh cost /kpatch/set/livepatch-cost.ko
	done
}

test_reboot()
{
	local log=$logs/kpatch-test-install.log status=0

	put meminfo-string
	rm -rf "$out/reboot"
	mkdir -p "$out/reboot"
	guest --far --timeout 900 --copy "$out/set:/kpatch/set" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh install /kpatch/set/livepatch-meminfo-string.ko >"$log" 2>&1 || status=1
	sed -n 's/^kpatch-installed: //p' "$log" | base64 -d | tar -xz -C "$out/reboot" || status=1
	report "$status" 'reboot: install'
	[ "$status" -eq 0 ] || { tail -n 3 "$log" | sed 's/^/# /'; return; }
	subtests reboot guest --far --timeout 900 --copy "$out/reboot/kpatch:/var/lib/kpatch" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh booted livepatch_meminfo_string
	subtests reboot-disabled guest --far --timeout 900 --append kpatch.enable=0 \
		--copy "$out/reboot/kpatch:/var/lib/kpatch" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh booted livepatch_meminfo_string
}

# --------------------------------------------------------------------------
# Bad input

# says STATUS TEXT COMMAND... - ends so, and prints one line, which has TEXT
says()
{
	local want=$1 text=$2 status=0 log=$logs/kpatch-test-input.log

	shift 2
	"$@" >"$log" 2>&1 || status=$?
	grep '^[^ =]*: ' "$log" | sed 's/^/# /' || true
	[ "$status" -eq "$want" ] && [ "$(grep -c '^kpatch.sh: ' "$log")" -eq 1 ] &&
		grep -q "^kpatch.sh: .*$text" "$log"
}

input()
{
	local name=$1 status=0

	shift
	says "$@" || status=1
	report "$status" "input: $name"
}

test_input()
{
	local tmp=$out/input build=("$kpatch" build --src "$src" --obj "$obj" "${types[@]}" --out "$out/input")

	rm -rf "$tmp"
	mkdir -p "$tmp/obj/include/config"
	input 'no command' 2 'say what to do' "$kpatch"
	input 'unknown command' 2 "unknown command 'lod'" "$kpatch" lod
	input 'no patch' 2 'the patch is missing' "${build[@]}"
	input 'a patch that is not there' 1 'there is no patch /nowhere.patch' "${build[@]}" /nowhere.patch
	echo 'not a patch' >"$tmp/text.patch"
	input 'not a patch' 1 'is not a patch' "${build[@]}" "$tmp/text.patch"
	sed 's/MemTotal/MemTotalitarian/' "$patches/meminfo-string.patch" >"$tmp/other.patch"
	input 'a patch that does not apply' 1 'does not apply to Linux' "${build[@]}" "$tmp/other.patch"
	input 'a kernel that was not built' 1 'there is no built kernel' \
		"$kpatch" build --src "$src" --obj "$tmp" "$patches/meminfo-string.patch"
	grep -v '^CONFIG_DEBUG_INFO' "$obj/.config" >"$tmp/obj/.config"
	touch "$tmp"/obj/{vmlinux,vmlinux.o,Module.symvers,include/config/kernel.release}
	input 'a kernel without debug information' 1 'built without debug information' \
		"$kpatch" build --src "$src" --obj "$tmp/obj" "$patches/meminfo-string.patch"
	damaged_tarball
}

# A download that was damaged later is noticed and done again.
damaged_tarball()
{
	local copy=$out/input/build file status=0

	mkdir -p "$copy/kpatch"
	read -r _ file _ <"$BUILD/kpatch/tarball"
	head -c 100000 "$BUILD/kpatch/$file" >"$copy/kpatch/$file"
	cp "$BUILD/kpatch/tarball" "$copy/kpatch/"
	BUILD=$copy "$kpatch" get >"$logs/kpatch-test-input.log" 2>&1 || status=1
	grep 'checksum' "$logs/kpatch-test-input.log" | sed 's/^ */# /' || status=1
	[ -x "$copy/kpatch/src/kpatch-build/create-diff-object" ] || status=1
	rm -rf "$copy"
	report "$status" 'input: a checksum mismatch'
}

# --------------------------------------------------------------------------

mkdir -p "$logs"
"$kpatch" get >&2
echo 'KTAP version 1'
for t in "${tests[@]}"; do
	case $t in
	set | utility | stall | cost | reboot) prepare ;;
	esac
	case $t in
	unit) subtests unit "$kpatch" unit ;;
	*) "test_$t" ;;
	esac
done
echo "1..$number"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
