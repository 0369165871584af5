#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages of a built kernel, for arm64 servers.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

usage()
{
	cat <<USAGE
Usage: $me [--check] SRC OBJ [OUT]

Makes the Debian packages linux-image-RELEASE, linux-headers-RELEASE and
linux-libc-dev (and linux-image-RELEASE-dbg with the debug information that
kpatch needs, if the kernel has it) from the kernel that was built from SRC in
OBJ, with kbuild's own bindeb-pkg, into OUT (default: deb/ in OBJ), and checks
what is in them. Other files in OUT stay as they are. To install them on a server,
also over those of an earlier build:

  apt install --reinstall ./linux-image-RELEASE_*.deb ./linux-headers-RELEASE_*.deb

  --check      only check the packages that are there
  -h, --help   this text

Exit status: 0 all is in the packages, 1 not, 2 wrong usage.
USAGE
}

check=
case ${1:-} in
-h | --help) usage; exit 0 ;;
--check) check=y; shift ;;
-*) usage_error "unknown option '$1'" ;;
esac
[ $# -ge 2 ] || usage_error 'SRC and OBJ are needed'
src=$(realpath "$1")
obj=$(realpath "$2")
out=$(realpath -m "${3:-$obj/deb}")
is_kernel "$src" || die "$src is not a kernel source tree with arch/arm64"
[ -f "$obj/vmlinux" ] || die "there is no built kernel in $obj: run make kernel first"
for tool in dpkg-buildpackage dh_builddeb rsync openssl; do
	command -v "$tool" >/dev/null || die "$tool is missing: run series/setup.sh --with deb"
done
need_space "$(dirname "$out")" 4 'making packages'

cross=
[ "$(uname -m)" = aarch64 ] || cross=aarch64-linux-gnu-
ccache=
! command -v ccache >/dev/null || ccache='ccache '
export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache} CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
export KBUILD_BUILD_TIMESTAMP='2026-01-01' KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=vmtest
export KDEB_COMPRESS=zstd KDEB_PKGVERSION DEBEMAIL=maintainers@localhost DEBFULLNAME=series
release=$(cat "$obj/include/config/kernel.release")
KDEB_PKGVERSION=$(kernel_version "$src")-1
unset MAKEFLAGS MFLAGS MAKELEVEL ARCH CROSS_COMPILE LLVM CC O

# The package of the headers has programs for the server, and if modules can be
# signed one of them is linked with OpenSSL: when it is built on another machine,
# with Debian's for arm64, which is unpacked in the build folder. Prints a command
# that stands in for pkg-config. What it adds is looked at after the machine's own.
openssl_for_arm64()
{
	local dir=$BUILD/openssl-arm64 suite

	log=$BUILD/logs/deb-openssl.log
	if [ ! -x "$dir/pkg-config" ]; then
		: >"$log"
		apt_init "$dir" arm64
		suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
		apt_source deb "$suite" >"$apt/sources.list"
		rm -rf "$dir"/*.deb "$dir/usr"
		{ apt_private apt-get -q update &&
			(cd "$dir" && apt_private apt-get -q download libssl-dev libssl3 ||
				apt_private apt-get -q download libssl-dev libssl3t64); } >>"$log" 2>&1 ||
			die "OpenSSL for arm64 could not be downloaded: is the network up? (log: $log)"
		for package in "$dir"/*.deb; do
			dpkg-deb -x "$package" "$dir"
		done
		cat >"$dir/pkg-config.new" <<CONFIG
#!/bin/sh
case "\$*" in
'--cflags libcrypto') echo -idirafter $dir/usr/include -idirafter $dir/usr/include/aarch64-linux-gnu ;;
'--libs libcrypto') echo -L$dir/usr/lib/aarch64-linux-gnu -lcrypto ;;
*) exec pkg-config "\$@" ;;
esac
CONFIG
		chmod +x "$dir/pkg-config.new"
		mv "$dir/pkg-config.new" "$dir/pkg-config"
	fi
	echo "$dir/pkg-config"
}

make_packages()
{
	local pkg_config=()

	if [ -n "$cross" ] && grep -q '^CONFIG_MODULE_SIG_FORMAT=y' "$obj/.config"; then
		pkg_config=("HOSTPKG_CONFIG=$(openssl_for_arm64)") || exit
	fi
	step "Making packages of Linux $release"
	# They come out beside the objects.
	rm -f "$obj"/../linux-{image,headers,libc-dev,upstream}*_"$KDEB_PKGVERSION"_*
	log=$BUILD/logs/$(basename "$obj")-deb.log
	logged "$log" 'packages' make -C "$src" "O=$obj" ARCH=arm64 "CROSS_COMPILE=$cross" \
		"CC=$ccache${cross}gcc" LOCALVERSION= DPKG_FLAGS=-d "${pkg_config[@]}" "-j$(nproc)" bindeb-pkg ||
		die "the packages could not be made: see $log"
	mkdir -p "$out"
	rm -f "$out"/linux-{image,headers}-"$release"{,-dbg}_"$KDEB_PKGVERSION"_arm64.deb \
		"$out/linux-libc-dev_${KDEB_PKGVERSION}_arm64.deb"
	mv "$obj"/../linux-{image,headers,libc-dev}*_"$KDEB_PKGVERSION"_*.deb "$out/"
	rm -f "$obj"/../linux-upstream_"$KDEB_PKGVERSION"_*.{buildinfo,changes}
}

[ -n "$check" ] || make_packages

# --------------------------------------------------------------------------

bad=0

# has WHAT COMMAND...
has()
{
	local what=$1

	shift
	if "$@" >/dev/null 2>&1; then
		say "ok: $what"
	else
		bad=$((bad + 1))
		printf '%s: not so: %s\n' "$me" "$what" >&2
	fi
}

deb() { printf '%s\n' "$out/linux-$1-${release}_${KDEB_PKGVERSION}_arm64.deb"; }

# All that runs on the server is for arm64.
all_arm64()
{
	local file machines

	machines=$(find "$1" -type f -perm -100 -size +1k | while read -r file; do
		[ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || od -An -tx1 -j18 -N2 "$file"
	done | sort -u)
	[ "$machines" = ' b7 00' ]
}

step "Checking the packages"
tmp=$(mktemp -d "$obj/deb-check.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
image=$tmp/image
headers=$tmp/headers
dpkg-deb -x "$(deb image)" "$image" || die "there is no package linux-image-$release in $out"
dpkg-deb -x "$(deb headers)" "$headers" || die "there is no package linux-headers-$release in $out"
modules=$image/lib/modules/$release
tree=$headers/usr/src/linux-headers-$release
has 'the kernel, byte for byte' cmp "$image/boot/vmlinuz-$release" "$obj/$(make -s -C "$src" "O=$obj" ARCH=arm64 "CROSS_COMPILE=$cross" image_name | tail -n 1)"
has 'its configuration' cmp "$image/boot/config-$release" "$obj/.config"
has 'System.map' cmp "$image/boot/System.map-$release" "$obj/System.map"
has "all $(wc -l <"$obj/modules.order") modules" \
	[ "$(find "$modules" -name '*.ko*' | wc -l)" -eq "$(wc -l <"$obj/modules.order")" ]
has 'the list of modules' [ -f "$modules/modules.order" ]
has 'Module.symvers' cmp "$tree/Module.symvers" "$obj/Module.symvers"
has 'the configuration of out-of-tree modules' cmp "$tree/include/config/auto.conf" "$obj/include/config/auto.conf"
has 'autoconf.h' cmp "$tree/include/generated/autoconf.h" "$obj/include/generated/autoconf.h"
has "arm64's Makefile" cmp "$tree/arch/arm64/Makefile" "$src/arch/arm64/Makefile"
has 'modpost' [ -x "$tree/scripts/mod/modpost" ]
has 'programs for arm64 only' all_arm64 "$tree/scripts"
has '/lib/modules/.../build' [ -L "$headers/lib/modules/$release/build" ]
if grep -q '^CONFIG_DEBUG_INFO=y' "$obj/.config"; then
	dpkg-deb -c "$out/linux-image-$release-dbg_${KDEB_PKGVERSION}_arm64.deb" >"$tmp/dbg" 2>/dev/null || true
	has 'vmlinux with debug information, for kpatch' grep -q "usr/lib/debug/boot/vmlinux-$release" "$tmp/dbg"
fi
[ "$bad" -eq 0 ] || die "$bad things are wrong with the packages in $out"
for file in "$out"/linux-*_"$KDEB_PKGVERSION"_arm64.deb; do
	say "$file ($(($(stat -c %s "$file") >> 20)) MiB)"
done
