#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install the Debian packages that are missing.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--check] [--with LIST]

Installs the Debian packages that building and testing need and that this
machine does not have, with apt-get, as root or through sudo.

  --check      only say what is missing; exit status 1 if anything is
  --with LIST  also packages of these groups, separated by commas:
               check (static analysis for series-check), clang, bench, bpf, kpatch,
               deb (the kernel as Debian packages)
  -h, --help   this text
USAGE
}

check=
groups=
while [ $# -gt 0 ]; do
	case $1 in
	--check) check=y ;;
	--with) groups=${2:-}; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage_error "unknown argument '$1'" ;;
	esac
	shift
done

# package, and what it is for
packages()
{
	cat <<'LIST'
gcc	the kernel's host programs
libc6-dev	the kernel's host programs
make	the build
flex	kconfig
bison	kconfig
bc	the kernel build
libelf-dev	the kernel's objtool
libssl-dev	the kernel build
perl	the kernel build and checkpatch
git	the patched source
patch	the kernel build
cpio	the guest's initramfs
zstd	the guest's initramfs
xz-utils	the kernel source package
kmod	installing modules
rsync	installing selftests
ccache	fast second builds
qemu-system-arm	the guest
mmdebstrap	the guest's user land
debian-archive-keyring	signatures of Debian's packages
LIST
	if [ "$(uname -m)" != aarch64 ]; then
		printf '%s\t%s\n' gcc-aarch64-linux-gnu 'the cross compiler' \
			libc6-dev-arm64-cross "the selftests' programs"
	fi
	case ,$groups, in *,check,*)
		printf '%s\t%s\n' sparse 'make series-check' shellcheck 'make series-check' \
			python3-ply "checkpatch's licence check" python3-git "checkpatch's licence check" ;;
	esac
	case ,$groups, in *,bench,*)
		printf '%s\t%s\n' gnuplot-nox 'the picture of make bench' ;;
	esac
	case ,$groups, in *,kpatch,*)
		printf '%s\t%s\n' gawk 'kpatch-build' patchutils 'kpatch-build'
		[ "$(uname -m)" = aarch64 ] || printf '%s\t%s\n' lld 'kpatch-build, which links with it for arm64' ;;
	esac
	case ,$groups, in *,deb,*)
		printf '%s\t%s\n' debhelper 'make deb' dpkg-dev 'make deb' \
			python3 'make deb' openssl 'make deb' ;;
	esac
	case ,$groups, in *,bpf,*)
		printf '%s\t%s\n' dwarves 'the types of the kernel, for the profile bpf' ;;
	esac
	case ,$groups, in *,clang,*)
		printf '%s\t%s\n' clang-19 'profiles built by clang' lld-19 'profiles built by clang' \
			llvm-19 'profiles built by clang' ;;
	esac
}

command -v dpkg-query >/dev/null ||
	die "this is not a Debian system: install by hand what $0 lists in its source"

missing=()
while IFS=$'\t' read -r name why; do
	if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null |
		grep 'ok installed' >/dev/null; then
		missing+=("$name")
		say "missing: $name ($why)"
	fi
done < <(packages)

[ ${#missing[@]} -gt 0 ] || exit 0
[ -z "$check" ] || exit 1

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "packages are missing and this is neither root nor a machine with sudo: apt-get install ${missing[*]}"
	as_root=(sudo)
fi

step "Installing ${#missing[@]} packages"
log=$BUILD/logs/setup.log
export DEBIAN_FRONTEND=noninteractive
logged "$log" 'apt-get update' "${as_root[@]}" apt-get -q update ||
	die "apt-get update failed: is the network up, and does 'apt-get update' work by hand?"
logged "$log" 'apt-get install' "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -q -y --no-install-recommends install "${missing[@]}" ||
	die "apt-get could not install ${missing[*]}"
