#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a kernel, its modules and its selftests for QEMU.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [OPTION]... SRC OBJ FRAGMENT...

Configures the kernel source tree SRC from the config fragments (everything
that they do not name is off), builds it in OBJ and installs there

  arch/arm64/boot/Image   the kernel
  root/lib/modules/       its modules
  tests/                  the livepatch selftests

  --base FILE     configure on top of this configuration, a distribution's, so
                  that what the fragments do not name is as it says; with the
                  compiler and kernel at hand some of it may differ
  --llvm SUFFIX   build with clang, as kbuild's LLVM= ('-19' takes clang-19)
  --config-only   only make the configuration, and check it
  --kernel-only   leave out the selftests
  --vmlinux       make vmlinux and nothing else, to see how large it is
  --tests TREE    build the selftests of TREE, another kernel source, for this
                  kernel, too, as far as they can be: in tests-of-series/
  -h, --help      this text

Does nothing if nothing changed since the last time. ccache is used if it is
there; its cache lies in the build folder unless CCACHE_DIR says otherwise.
USAGE
}

llvm=
kernel_only=
vmlinux=
config_only=
others=
base=
while [ $# -gt 0 ]; do
	case $1 in
	--base) base=${2:-}; shift ;;
	--llvm) llvm=${2:-}; shift ;;
	--config-only) config_only=y ;;
	--kernel-only) kernel_only=y ;;
	--vmlinux) vmlinux=y ;;
	--tests) others=${2:-}; shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage_error "unknown option '$1'" ;;
	*) break ;;
	esac
	shift
done
[ $# -ge 3 ] || usage_error 'SRC, OBJ and at least one FRAGMENT are needed'
src=$1
obj=$2
shift 2
is_kernel "$src" || die "$src is not a kernel source tree with arch/arm64"
[ -z "$base" ] || base=$(realpath -m "$base")
for fragment in ${base:+"$base"} "$@"; do
	[ -r "$fragment" ] || die "there is no config fragment $fragment"
done

cross=
[ "$(uname -m)" = aarch64 ] || cross=aarch64-linux-gnu-
ccache=
! command -v ccache >/dev/null || ccache='ccache '
args=(ARCH=arm64 "CROSS_COMPILE=$cross" LOCALVERSION=)
if [ -n "$llvm" ]; then
	clang=clang$llvm
	command -v "$clang" >/dev/null || die "$clang is missing: apt-get install $clang lld$llvm llvm$llvm"
	args+=("LLVM=$llvm" "CC=$ccache$clang")
	compiler=$clang
else
	command -v "${cross}gcc" >/dev/null || die "${cross}gcc is missing: run series/setup.sh"
	args+=("CC=$ccache${cross}gcc")
	compiler=${cross}gcc
fi
export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache} CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
# The same source makes the same kernel, today and tomorrow.
export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=vmtest
unset MAKEFLAGS MFLAGS MAKELEVEL ARCH CROSS_COMPILE LLVM CC O

name=$(basename "$obj")
logs=$BUILD/logs
jobs=$(nproc)
mkdir -p "$obj"

# What went into the last build that ended well
state()
{
	"$compiler" --version | head -n 1
	printf '%s\n' "${args[@]}" "kernel_only=$kernel_only"
	cat ${base:+"$base"} "$@"
	git -C "$src" rev-parse 'HEAD^{tree}'
	git -C "$src" diff HEAD
	[ -z "$others" ] || git -C "$others" rev-parse 'HEAD^{tree}'
}
state=$(state "$@" | sha256sum)
if [ "$(cat "$obj/.built" 2>/dev/null)" = "$state" ] && [ -f "$obj/arch/arm64/boot/Image" ] &&
   [ -d "$obj/root/lib/modules" ] && { [ -n "$kernel_only" ] || [ -d "$obj/tests" ]; }; then
	exit 0
fi
one_at_a_time "$obj"
rm -f "$obj/.built"

need_space "$obj" 3 'a kernel build'

kbuild() { make -C "$src" "O=$obj" "${args[@]}" "$@"; }

# An option that nothing names: off, or with a base what Kconfig says
configure()
{
	local nothing=-n

	[ -z "$base" ] || nothing=
	(cd "$src" && env "${args[@]:0:2}" ${llvm:+LLVM="$llvm"} \
		scripts/kconfig/merge_config.sh $nothing -O "$obj" ${base:+"$base"} "$@") \
		>"$logs/$name-config.log" 2>&1 ||
		die "the configuration failed: see $logs/$name-config.log"
	cat ${base:+"$base"} "$@" >"$obj/.fragments"
}

# lost FRAGMENT... - options that are not as asked for, the last fragment's word counting
lost()
{
	awk -v config="$obj/.config" '
	     /^# CONFIG_[A-Z0-9_]+ is not set$/ { name = $2; value = "n" }
	     /^CONFIG_[A-Z0-9_]+=/ { name = $0; sub(/=.*/, "", name); value = substr($0, length(name) + 2) }
	     !/^(# )?CONFIG_[A-Z0-9_]+[= ]/ { next }
	     FILENAME != config { want[name] = value; next }
	     { have[name] = value }
	     END { for (name in want)
			if (want[name] != (name in have ? have[name] : "n"))
				printf "%s ", name }' "$@" "$obj/.config"
}

mkdir -p "$logs"
if [ ! -f "$obj/.config" ] || ! cat ${base:+"$base"} "$@" | cmp -s - "$obj/.fragments"; then
	step "Configuring $name"
	rm -f "$obj/.fragments"
	configure "$@"
fi

kbuild olddefconfig >>"$logs/$name-config.log" 2>&1 || die "the configuration failed: see $logs/$name-config.log"
# An option that silently stays off would make a test of it a lie.
[ -z "$(lost "$@")" ] ||
	die "these options could not be set: $(lost "$@")(a dependency is missing, see $logs/$name-config.log)"
[ -z "$config_only" ] || exit 0

step "Building Linux $(kernel_version "$src") ($name, $("$compiler" --version | head -n 1))"
[ -z "$vmlinux" ] || {
	logged "$logs/$name-build.log" 'kernel build' kbuild "-j$jobs" vmlinux ||
		die "the kernel does not build: see $logs/$name-build.log"
	exit 0
}
took='about 6 minutes on two without a warm cache'
[ -z "$base" ] || took='hours on two'
say "on $jobs CPUs; $took; log: $logs/$name-build.log"
logged "$logs/$name-build.log" 'kernel build' kbuild "-j$jobs" Image modules ||
	die "the kernel does not build: see $logs/$name-build.log"
rm -rf "$obj/root.tmp" "$obj/root"
logged "$logs/$name-modules.log" 'modules' kbuild INSTALL_MOD_PATH="$obj/root.tmp" \
	INSTALL_MOD_STRIP=1 modules_install || die "modules_install failed"
mv "$obj/root.tmp" "$obj/root"

# selftests TREE NAME - build the livepatch selftests of TREE, install them in NAME
selftests()
{
	local from=$1 to=$obj/$2 st=tools/testing/selftests arg tools=()

	# With clang their makefiles put the target into CC, for programs.
	for arg in "${args[@]}"; do
		case $llvm:$arg in
		?*:CC=*) ;;
		*) tools+=("$arg") ;;
		esac
	done

	# test_modules is built where it lies: build a copy, not the source tree.
	rm -rf "$to.tmp" "$to" "$obj/kselftest" "$to.src"
	mkdir -p "$to.src"
	(cd "$from" && cp -a --parents scripts/subarch.include $st/{Makefile,lib.mk,kselftest} \
		$st/{run_kselftest.sh,kselftest.h,kselftest_harness.h,livepatch} "$to.src")
	# objtool post-links some of the modules; it is built beside them, too.
	ln -s "$from/tools/objtool" "$to.src/tools/objtool"
	logged "$logs/$name-kselftest.log" 'selftests' make -C "$to.src/$st" \
		"${tools[@]}" "O=$obj" "KDIR=$obj" TARGETS=livepatch FORCE_TARGETS=1 \
		"INSTALL_PATH=$to.tmp" install ||
		die "the livepatch selftests of $from do not build"
	mv "$to.tmp" "$to"
}

[ -n "$kernel_only" ] || selftests "$src" tests
[ -z "$others" ] || selftests "$others" tests-of-series
printf '%s\n' "$state" >"$obj/.built"
