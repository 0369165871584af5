#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kpatch: get it, build a live patch module from a source patch, try the module
# in a guest.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

KPATCH=$BUILD/kpatch
MAILS=$TOP/series/kpatch
KPATCH_VERSION=0.9.11

usage()
{
	cat <<USAGE
Usage: $me get
       $me unit
       $me userland --src DIR --obj DIR
       $me build OPTIONS PATCH...
       $me try OPTIONS PATCH...

  get    fetch kpatch's source with apt from this machine's own mirror,
         signature and checksum checked, apply the mails in series/kpatch and
         build it, all in $KPATCH
  unit   run kpatch's unit tests of the arm64 entry layouts (KTAP)
  userland  make the user land of the guests, with what kpatch's utility calls
  build  build a live patch module for a built kernel from source patches
  try    build it, boot the kernel, load the module with the kpatch utility,
         look, unload it

Options of build and try:
  --src DIR        the kernel's source tree
  --obj DIR        where the kernel was built; it needs debug information
  --name NAME      the module is livepatch-NAME.ko (default: the first patch's)
  --types          the kernel has no debug information: compile the few types that
                   kpatch reads there, once more as the kernel was compiled
  --out DIR        where module and log go (default: kpatch/ in --obj)

Options of try:
  --vmtest DIR     the folder of vmtest.sh (default: that of --src)
  --check COMMAND  a shell command that the guest runs before the module is
                   loaded, with it, and after it was unloaded: what it prints
                   has to differ with the module and to be the same without
  --near, --far    modules within reach of a branch from the kernel, or not
                   (default: far)
  -h, --help       this text

Compiles the changed files and the modules that these are in; a patch that
changes a header file compiles the whole kernel. Several patches are applied in
the order given.

Exit status: 0 done, 1 failed, 2 wrong usage.
USAGE
}

# --------------------------------------------------------------------------
# get

# offered - version, tarball and SHA256 that the suite in sources.list has
offered()
{
	apt_private apt-get -q source --print-uris --tar-only kpatch 2>>"$log" |
		sed -n "s/^'[^']*' \(kpatch_\([0-9.]*\)\.orig\.tar\.[a-z0-9]*\) [0-9]* SHA256:\([0-9a-f]*\)\$/\2 \1 \3/p"
}

download()
{
	local suite version file sum seen=''

	step "Getting kpatch $KPATCH_VERSION"
	apt_init "$KPATCH/apt"
	# Not trixie: 0.9.10, which it has, knows no arm64.
	for suite in sid forky; do
		apt_source deb-src "$suite" >"$apt/sources.list"
		logged "$log.$suite" "index of $suite" env "APT_CONFIG=$apt/apt.conf" \
			apt-get -q -o APT::Get::List-Cleanup=0 update || continue
		read -r version file sum < <(offered) || continue
		seen+=", $suite has $version"
		if dpkg --compare-versions "$version" lt "$KPATCH_VERSION"; then
			continue
		fi
		[ "$version" = "$KPATCH_VERSION" ] ||
			say "note: $suite has kpatch $version, not $KPATCH_VERSION: the mails in series/kpatch may not apply to it"
		rm -rf "$KPATCH/dl"
		mkdir -p "$KPATCH/dl"
		(cd "$KPATCH/dl" && apt_private apt-get -q source --download-only --tar-only kpatch) \
			>>"$log" 2>&1 ||
			die "the download of $file failed: is the network up? Run again to try once more (log: $log)"
		check_tarball "$KPATCH/dl/$file" "$sum" ||
			die "$file does not have the checksum that the signed index of $suite says, and was thrown away: run again to download it once more"
		mv "$KPATCH/dl/$file" "$KPATCH/$file"
		echo "$version $file $sum" >"$KPATCH/tarball"
		return
	done
	[ -z "$seen" ] || die "no suite of the Debian mirror of this machine has kpatch $KPATCH_VERSION or later${seen}: older ones know no arm64"
	die "kpatch's source could not be had from the Debian mirror of this machine: is the network up? (log: $log)"
}

# check_tarball FILE SHA256
check_tarball()
{
	[ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$2" ] && return
	rm -f "$1"
	return 1
}

# kpatch_id - a name for the mails as they are now
kpatch_id()
{
	cat "$MAILS"/[0-9]*.patch "$MAILS"/unit-test-objs/[0-9]*.patch | sha256sum | cut -c 1-16
}

get()
{
	local log=$BUILD/logs/kpatch-get.log src=$KPATCH/src version="" file sum

	mkdir -p "$KPATCH" "$BUILD/logs"
	if [ "$(cat "$KPATCH/built" 2>/dev/null)" = "$(kpatch_id)" ]; then
		return
	fi
	exec 7>"$KPATCH/lock"
	flock -n 7 || die "kpatch is in use and cannot be built anew: wait for the patch that is being built"
	rm -f "$KPATCH/built"
	: >"$log"
	for file in gcc make git patch gawk strings lsdiff; do
		command -v "$file" >/dev/null ||
			die "$file is missing: run series/setup.sh --with kpatch"
	done
	need_space "$KPATCH" 1 'kpatch'
	if [ -f "$KPATCH/tarball" ]; then
		read -r version file sum <"$KPATCH/tarball"
		[ ! -f "$KPATCH/$file" ] || check_tarball "$KPATCH/$file" "$sum" ||
			say "$file does not have the checksum that it was downloaded with: getting it once more"
	fi
	if [ -z "$version" ] || [ ! -f "$KPATCH/$file" ]; then
		download
	fi
	read -r version file sum <"$KPATCH/tarball"

	step "Building kpatch $version"
	rm -rf "$src"
	mkdir -p "$src"
	tar -x -f "$KPATCH/$file" -C "$src" --strip-components=1 ||
		die "$file cannot be unpacked: remove it and run again"
	{
		git_tree "$src" init -q -b kpatch .
		git_tree "$src" add -A -f
		git_tree "$src" commit -q -m "kpatch $version"
		# As it comes, for the tests that have to fail with it
		make -C "$src/kpatch-build" create-diff-object
		cp "$src/kpatch-build/create-diff-object" "$KPATCH/create-diff-object.orig"
		git_tree "$src" am -q "$MAILS"/[0-9]*.patch &&
			git_tree "$src" am -q --directory=test/unit/objs \
				"$MAILS"/unit-test-objs/[0-9]*.patch
	} >>"$log" 2>&1 || {
		# The next run looks for the right one again.
		[ "$version" = "$KPATCH_VERSION" ] || rm -f "$KPATCH/tarball"
		die "the mails in series/kpatch do not apply to kpatch $version: they are made for $KPATCH_VERSION (log: $log)"
	}
	logged "$log.make" 'kpatch' make -C "$src/kpatch-build" ||
		die "kpatch does not build: is libelf-dev installed? (run series/setup.sh --with kpatch)"
	make -C "$src" install-kpatch install-contrib DESTDIR="$KPATCH/root" PREFIX=/usr >>"$log" 2>&1 ||
		die "the kpatch utility cannot be installed into $KPATCH/root (log: $log)"
	tools
	kpatch_id >"$KPATCH/built"
	exec 7>&-
	say "kpatch $version with $(find "$MAILS" -maxdepth 1 -name '*.patch' | wc -l) patches: $src"
}

# What kpatch's build calls and Debian does not have under that name, in a
# folder for PATH
tools()
{
	local cross lld

	cross=$(cross)
	rm -rf "${KPATCH:?}/bin"
	mkdir -p "$KPATCH/bin"
	if [ -n "$cross" ]; then
		# kpatch links with LLD when it builds for another machine.
		lld=$(command -v ld.lld || find /usr/lib/llvm-*/bin -name ld.lld 2>/dev/null | sort -V | tail -n 1) || true
		[ -n "$lld" ] || die "ld.lld is missing: apt-get install lld"
		ln -s "$lld" "$KPATCH/bin/${cross}ld.lld"
	fi
	# kpatch reads the debug information of the kernel that was built, none of
	# its own two builds: without it they take half of the time and disk.
	cat >"$KPATCH/bin/${cross}gcc" <<CC
#!/bin/sh
exec $(command -v ccache) $(command -v "${cross}gcc") "\$@" -g0
CC
	chmod +x "$KPATCH/bin/${cross}gcc"
}

cross()
{
	[ "$(uname -m)" = aarch64 ] || echo aarch64-linux-gnu-
}

# --------------------------------------------------------------------------
# unit

# unit_test TEST [CREATE-DIFF-OBJECT] - what a failure says is in $log.one
unit_test()
{
	make -s -C "$objs" clean
	if make -s -C "$objs" ${2:+"CDO=$2"} "$1.test.out" >"$log.one" 2>&1; then
		cat "$log.one" >>"$log"
		return
	fi
	cat "$log.one" >>"$log"
	grep -E 'ERROR|assertion' "$log.one" | sed 's/^/# /'
	return 1
}

unit()
{
	local objs=$KPATCH/src/test/unit/objs/aarch64 log=$BUILD/logs/kpatch-unit.log
	local without=(entry-nops-0-bti entry-nops-6 entry-nops-6-bti) tests test i=0 bad=0

	[ -d "$objs" ] || die "there are no unit test objects in $objs"
	# What upstream's folder of objects has
	cat >"$objs/Makefile" <<'MAKEFILE'
CDO_ENV = ALT_STRUCT_SIZE=12 BUG_STRUCT_SIZE=12 EX_STRUCT_SIZE=12 JUMP_STRUCT_SIZE=16 PRINTK_INDEX_STRUCT_SIZE=44

include ../../Makefile.include
MAKEFILE
	tests=("$objs"/*.test)
	echo 'KTAP version 1'
	echo "1..$((${#tests[@]} + ${#without[@]}))"
	: >"$log"
	for test in "${tests[@]}"; do
		test=$(basename "$test" .test)
		i=$((i + 1))
		if unit_test "$test"; then
			echo "ok $i $test"
		else
			echo "not ok $i $test"
			bad=$((bad + 1))
		fi
	done
	# kpatch as it comes gets these wrong, or else the tests show nothing.
	for test in "${without[@]}"; do
		i=$((i + 1))
		if unit_test "$test" "$KPATCH/create-diff-object.orig"; then
			echo "not ok $i $test passes without the mails, too"
			bad=$((bad + 1))
		elif ! grep -q -E 'ERROR|assertion' "$log.one"; then
			sed 's/^/# /' "$log.one"
			echo "not ok $i $test does not run without the mails"
			bad=$((bad + 1))
		else
			echo "ok $i $test fails without the mails"
		fi
	done
	printf '%d passed, %d failed, 0 skipped\n' $((i - bad)) "$bad"
	[ "$bad" -eq 0 ]
}

# --------------------------------------------------------------------------
# build

# config OPTION - is it y in the kernel that was built?
config()
{
	grep -q "^CONFIG_$1=y" "$obj/.config"
}

check_kernel()
{
	local file

	is_kernel "$src" || die "$src is not a kernel source tree with arch/arm64"
	for file in .config vmlinux vmlinux.o Module.symvers include/config/kernel.release; do
		[ -f "$obj/$file" ] || die "there is no built kernel in $obj: run make kernel first"
	done
	is_checkout "$src" || die "$src is not a git checkout, which is needed to see what is in it: run git init, git add and git commit there"
	config LIVEPATCH || die "the kernel in $obj is built without CONFIG_LIVEPATCH"
	! config CC_IS_CLANG ||
		die "the kernel in $obj was built by clang, which series/kpatch.sh cannot do yet: leave LLVM= out"
	vmlinux=$obj/vmlinux
	config DEBUG_INFO || [ -n "$types" ] ||
		die "the kernel in $obj is built without debug information (CONFIG_DEBUG_INFO), which kpatch needs: take a PROFILE that has it, such as kpatch"
}

# All that kpatch wants of debug information is how big the entries of a few
# tables are. One file of the kernel knows all of them: compile it by the command
# that the kernel was built with, add -g, and add that to a copy of vmlinux.
with_types()
{
	local cmd=$obj/arch/arm64/kernel/.alternative.o.cmd tmp=$work/types cross command section args=()

	vmlinux=$work/vmlinux
	[ "$(cat "$vmlinux.id" 2>/dev/null)" != "$(sha256sum <"$obj/vmlinux")" ] || return 0
	cross=$(cross)
	mkdir -p "$tmp"
	# without what it says of dependencies and what comes after the compiler
	command=$(sed -n '1s/^savedcmd_[^ ]* := //p' "$cmd" | sed 's/ ;.*//; s/-Wp,-MMD,[^ ]*//; s, -o [^ ]* , ,')
	(cd "$obj" && eval "$command -g -o $tmp/types.o" &&
		"${cross}ld" -e 0 --unresolved-symbols=ignore-all -o "$tmp/types" "$tmp/types.o") >"$log" 2>&1 ||
		die "the types that kpatch reads could not be compiled (log: $log)"
	for section in .debug_info .debug_abbrev .debug_str .debug_line_str; do
		"${cross}objcopy" -O binary --set-section-flags "$section=alloc" \
			--only-section="$section" "$tmp/types" "$tmp/$section"
		args+=(--add-section "$section=$tmp/$section")
	done
	"${cross}objcopy" "${args[@]}" "$obj/vmlinux" "$vmlinux" ||
		die "no debug information could be added to $vmlinux"
	sha256sum <"$obj/vmlinux" >"$vmlinux.id"
}

# Bring the tree that kpatch builds in to the state of SRC, whatever a build
# that was interrupted has left there. Only files that differ are touched.
sync_tree()
{
	local tree file index=$work/index.src

	cp "$(git -C "$src" rev-parse --absolute-git-dir)/index" "$index"
	GIT_INDEX_FILE=$index git_tree "$src" add -A
	tree=$(GIT_INDEX_FILE=$index git_tree "$src" write-tree)
	mkdir -p "$linux"
	GIT_INDEX_FILE=$work/index GIT_WORK_TREE=$linux \
		GIT_DIR=$(git -C "$src" rev-parse --absolute-git-dir) \
		git -c core.fileMode=true -c core.autocrlf=false -C "$linux" read-tree -u --reset "$tree"
	# What a patch has added, too
	files_of "${patches[@]}" | while read -r file; do
		[ -e "$src/$file" ] || rm -f "$linux/$file"
	done
	cmp -s "$obj/.config" "$linux/.config" || cp "$obj/.config" "$linux/.config"
	# Keys and certificates that the kernel build has made
	if [ -f "$obj/certs/signing_key.pem" ]; then
		cp -u "$obj"/certs/*.pem "$obj"/certs/*.x509 "$linux/certs/" 2>/dev/null || true
	fi
}

# try_patches PATCH... - do they apply, one after the other?
try_patches()
{
	local patch file tmp=$work/try

	rm -rf "$tmp"
	mkdir -p "$tmp"
	for patch in "$@"; do
		# A file that a patch of before has added is not in the tree.
		files_of "$patch" | while read -r file; do
			if [ -f "$linux/$file" ] && [ ! -f "$tmp/$file" ]; then
				mkdir -p "$tmp/$(dirname "$file")"
				cp "$linux/$file" "$tmp/$file"
			fi
		done
		patch -p1 -N -f -s -d "$tmp" <"$patch" >"$log" 2>&1 ||
			die "$patch does not apply to Linux $(kernel_version "$src") in $src: $(grep -m 1 -E 'FAILED|malformed|Ignoring|find file' "$log" || tail -n 1 "$log")"
	done
	rm -rf "$tmp"
}

# files_of PATCH... - those that they change, add or remove
files_of()
{
	# A line that is removed can begin with "-- ", too.
	awk '/^--- / { old = $0; next }
	     /^\+\+\+ / && old { print old; print; }
	     { old = "" }' "$@" |
		sed -n 's,^... [^/]*/\([^\t]*\).*,\1,p' | sed '/^\(dev\/\)\?null$/d' | sort -u
}

# targets PATCH... - what of the kernel has to be compiled to see what changes:
# the objects of the files and the modules that they are in. A changed header
# can change anything, documents and tools nothing.
targets()
{
	local file object

	files_of "$@" | while read -r file; do
		case $file in
		Documentation/* | tools/* | *.rst | *.txt | MAINTAINERS | CREDITS) continue ;;
		*.c) ;;
		*) echo vmlinux modules; continue ;;
		esac
		object=${file%.c}.o
		modules_of "$object" || built_in "$object"
	done | sort -u
}

# modules_of OBJECT
modules_of()
{
	local dir=$1

	# A module can be made in any folder above its objects'.
	while [[ $dir == */* ]]; do
		dir=${dir%/*}
		grep -s -l -F -x -e "$1" "$obj/$dir"/*.mod | sed "s,^$obj/,,; s/\.mod\$/.ko/" | grep . && return
	done
	return 1
}

# built_in OBJECT - or the whole folder, if one file includes the other
built_in()
{
	local dir

	dir=$(dirname "$1")
	if [ ! -f "$obj/$dir/.$(basename "$1").cmd" ] || [ ! -f "$obj/$dir/.built-in.a.cmd" ]; then
		echo "$dir/"
		return
	fi
	echo "$1"
	# kpatch reads there what the object ends up in.
	if [ ! -f "$linux/$dir/built-in.a" ]; then
		cp "$obj/$dir/.built-in.a.cmd" "$linux/$dir/"
		touch "$linux/$dir/built-in.a"
	fi
}

# reason LOG - the lines that say why kpatch-build failed
reason()
{
	local line

	# Its own summaries say less than what comes before them.
	line=$(sed -n 's/^create-diff-object: ERROR: //p; s/^ERROR: //p' "$1" |
		grep -v -E 'error\(s\) encountered|can not be patched$|unsupported section change|^Unsupported changes|^kpatch build failed' |
		sed 's/\. Check .* for more details\.*$//' | awk '!seen[$0]++' | head -n 3 | paste -s -d ';' | sed 's/;/; /g')
	if grep -q -E '^[^ ]*:[0-9]+:[0-9]+: error: ' "$1"; then
		line=$(grep -m 1 -E '^[^ ]*:[0-9]+:[0-9]+: error: ' "$1")
	fi
	# What make says at least
	echo "${line:-$(grep -m 1 -e '\*\*\* ' "$1" || echo 'it gave no reason')}"
}

# vermagic MODULE - the release that it was built for
vermagic() { PATH=$PATH:/usr/sbin:/sbin modinfo -F vermagic "$1" | cut -d ' ' -f 1; }

# build_module PATCH... - prints nothing but progress; the module is $ko then
build_module()
{
	local cross release patch target log=$out/livepatch-$name.log start=$SECONDS
	local targets=()

	for patch in "$@"; do
		[ -f "$patch" ] || die "there is no patch $patch"
		grep -q '^+++ ' "$patch" || die "$patch is not a patch: no line of it begins with +++"
		[ -n "$(files_of "$patch")" ] ||
			die "$patch names no file as a/FILE and b/FILE: make it with git, or with diff -u a b"
	done
	check_kernel
	get
	exec 7>"$KPATCH/lock"
	flock -s -n 7 || die "kpatch is being built: wait for that to end"
	mkdir -p "$work" "$out"
	exec 8>"$work/lock"
	flock -n 8 || die "another patch is being built in $work: wait for it to end"
	need_space "$work" 3 'building a live patch'
	config DEBUG_INFO || with_types
	sync_tree
	try_patches "$@"

	cross=$(cross)
	release=$(cat "$obj/include/config/kernel.release")
	export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache} CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
	export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=vmtest
	unset MAKEFLAGS MFLAGS MAKELEVEL ARCH LLVM CC O
	for target in $(targets "$@"); do
		targets+=(--target "$target")
	done
	[ ${#targets[@]} -gt 0 ] || die "$(basename "$1") changes nothing that is compiled"
	# What is exported, if the kernel is not compiled here; not to be written to
	rm -f "$linux/vmlinux.o" "$linux/Module.symvers"
	case ${targets[*]} in
	*vmlinux*)
		say 'a file that many include may change: compiling the whole kernel'
		find "$linux" -name built-in.a -size 0 -delete ;;
	*)
		cp "$obj/Module.symvers" "$linux/"
		ln -s "$obj/vmlinux.o" "$linux/vmlinux.o" ;;
	esac
	# kpatch makes a module even if the kernel's make makes none here.
	[ "$linux/scripts/module.lds" -nt "$linux/.config" ] || targets+=(--target modules_prepare)
	step "Building livepatch-$name for Linux $release with kpatch $(cut -d ' ' -f 1 "$KPATCH/tarball")"
	ko=$out/livepatch-$name.ko
	rm -f "$ko"
	if ! logged "$log" "livepatch-$name" env PATH="$KPATCH/bin:$PATH" \
		CROSS_COMPILE="$cross" TARGET_ARCH=aarch64 CACHEDIR="$work/cache" \
		LOCALVERSION= CONFIG_DEBUG_INFO=y \
		"$KPATCH/src/kpatch-build/kpatch-build" --sourcedir "$linux" \
		--vmlinux "$vmlinux" --name "livepatch-$name" --output "$out" \
		--jobs "$(nproc)" "${targets[@]}" "$@" 2>"$work/progress"; then
		[ ! -f "$work/cache/build.log" ] || cat "$work/cache/build.log" >>"$log"
		die "kpatch refuses $(basename "$1"): $(reason "$log") (log: $log)"
	fi
	[ -f "$ko" ] || die "kpatch-build made no $ko: see $log"
	# As build.sh, LOCALVERSION= leaves the release to the tree and its configuration.
	[ "$(vermagic "$ko")" = "$release" ] ||
		die "$ko is for Linux $(vermagic "$ko"), and the kernel in $obj is $release"
	say "$ko: $(stat -c %s "$ko") bytes, in $((SECONDS - start)) s"
}

# --------------------------------------------------------------------------
# try

userland_id() { (echo "$packages"; cat "$maker") | sha256sum; }

# A user land with what the kpatch utility calls
userland()
{
	local maker=$vmtest/vmtest/userland.sh packages=binutils,bsdextrautils,gzip

	userland=$KPATCH/userland.cpio.zst

	[ -f "$maker" ] || die "there is no vmtest/userland.sh in $vmtest"
	if [ "$(cat "$userland.id" 2>/dev/null)" != "$(userland_id)" ] || [ ! -s "$userland" ]; then
		step 'Making a user land for kpatch'
		logged "$BUILD/logs/kpatch-userland.log" 'user land' \
			"$maker" --include "$packages" "$userland" ||
			die 'the user land could not be made'
		userland_id >"$userland.id"
	fi
}

# guest ARGS... - the runner, with the kpatch utility and our guest script
guest()
{
	"$vmtest/vmtest.sh" --image "$obj/arch/arm64/boot/Image" --modules "$obj/root" \
		--userland "$userland" \
		--copy "$KPATCH/root/usr/sbin/kpatch:/usr/sbin/kpatch" \
		--copy "$KPATCH/root/usr/lib/systemd/system/kpatch.service:/usr/lib/systemd/system/kpatch.service" \
		--copy "$TOP/series/kpatch/guest.sh:/kpatch/guest.sh" "$@"
}

try_module()
{
	local redirects log=$out/livepatch-$name.guest.log

	userland
	redirects=$(grep -c '^CONFIG_LIVEPATCH_REDIRECT=y' "$obj/.config" || true)
	step "Trying livepatch-$name in a guest ($place)"
	guest --"$place" --timeout 900 --log "$log" --copy "$ko:/kpatch/livepatch-$name.ko" \
		-- env "REDIRECTS=$redirects" bash /kpatch/guest.sh one "/kpatch/livepatch-$name.ko" "$check" ||
		die "livepatch-$name failed in the guest (log: $log)"
	say "module: $ko"
	say "logs:   $out/livepatch-$name.log, $log"
}

# --------------------------------------------------------------------------

command=${1:-}
case $command in
-h | --help) usage; exit 0 ;;
get | unit | userland | build | try) shift ;;
'') usage_error 'say what to do' ;;
*) usage_error "unknown command '$command'" ;;
esac

src=
obj=
out=
name=
vmtest=
check=
types=
place=far
while [ $# -gt 0 ]; do
	case $1 in
	--src | --obj | --out | --name | --vmtest | --check)
		[ $# -ge 2 ] || usage_error "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	--types) types=y ;;
	--near | --far) place=${1#--} ;;
	-h | --help) usage; exit 0 ;;
	-*) usage_error "unknown option '$1'" ;;
	*) break ;;
	esac
	shift
done

case $command in
get) get; exit 0 ;;
unit) get >&2; unit; exit ;;
esac

vmtest=${vmtest:-$src/tools/testing/selftests/livepatch}
if [ "$command" = userland ]; then
	get
	userland
	exit 0
fi
[ $# -gt 0 ] || usage_error 'the patch is missing (PATCH=file.patch)'
if [ -z "$src" ] || [ -z "$obj" ]; then
	usage_error '--src and --obj are needed'
fi
src=$(realpath "$src")
obj=$(realpath "$obj")
work=$obj/kpatch
linux=$work/linux
out=$(realpath -m "${out:-$work}")
[ -n "$name" ] || name=$(basename "$1" | sed 's/\.\(patch\|diff\)$//')
# What a module may be called
name=$(printf '%s' "${name#livepatch-}" | tr -c 'a-zA-Z0-9_-' - | cut -c 1-45)
patches=()
for patch in "$@"; do
	[ -f "$patch" ] || die "there is no patch $patch"
	patches+=("$(realpath "$patch")")
done

build_module "${patches[@]}"
[ "$command" = build ] || try_module
