#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Get the kernel source that the series is for, as a git tree with one commit.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

usage()
{
	cat <<USAGE
Usage: $me [--base VERSION | --linux DIR-OR-TARBALL] DEST

Makes DEST a git tree with the kernel source as its only commit, tagged
'base'. Does nothing if DEST is there already.

  --base VERSION  take Debian's package linux-source-VERSION (default: $DEFAULT_BASE)
                  with apt, from this machine's own mirror, signature checked;
                  the machine's apt configuration stays as it is
  --linux PATH    take this kernel source tree or tarball instead
  -h, --help      this text
USAGE
}

base=$DEFAULT_BASE
linux=
dest=
while [ $# -gt 0 ]; do
	case $1 in
	--base) base=${2:-}; shift ;;
	--linux) linux=${2:-}; shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage_error "unknown option '$1'" ;;
	*) dest=$1 ;;
	esac
	shift
done
[ -n "$dest" ] || usage_error 'DEST is missing'
case $base in
[1-9]*.[0-9]*) ;;
*) usage_error "'$base' is not a kernel version such as $DEFAULT_BASE" ;;
esac

[ -z "$linux" ] || [ -e "$linux" ] || die "LINUX=$linux: no such directory or file"

# what_source - what DEST is made from
what_source()
{
	if [ -z "$linux" ]; then
		echo "Debian linux-source-$base"
	elif is_checkout "$linux"; then
		echo "$(realpath "$linux") $(git -C "$linux" rev-parse HEAD)"
	else
		echo "$(realpath "$linux") $(stat -c %Y "$linux")"
	fi
}

if [ -d "$dest" ]; then
	git_tree "$dest" rev-parse -q --verify base >/dev/null ||
		die "$dest is not a tree that this script made (no tag 'base'): move it away and run again"
	[ ! -f "$dest/.git/series-source" ] || [ "$(cat "$dest/.git/series-source")" = "$(what_source)" ] ||
		die "$dest was made from '$(cat "$dest/.git/series-source")', and that is not '$(what_source)' any more: save your commits in it (make export), remove it and run again"
	exit 0
fi

one_at_a_time
work=$(dirname "$dest")
mkdir -p "$work"
tmp=$dest.tmp
rm -rf "$tmp"

# The suites that can hold a linux-source package, likeliest first.
suites='trixie-backports trixie-security trixie forky sid'

# all_sources - a line for each of them
all_sources()
{
	local suite security

	security=$(apt_mirror Debian-Security)
	for suite in $suites; do
		case $suite in
		*-security) [ -z "$security" ] || apt_source deb "$suite" "$security" ;;
		*) apt_source deb "$suite" ;;
		esac
	done
}

# Look into one suite at a time: later ones are not asked if the first has it.
find_package()
{
	local source newest=

	while read -r source; do
		printf '%s\n' "$source" >"$apt/sources.list"
		apt_private apt-get -q update >>"$log" 2>&1 || continue
		if apt_private apt-cache show "linux-source-$base" >/dev/null 2>&1; then
			package=linux-source-$base
			return
		fi
	done <"$apt/sources.all"

	[ "$base" = "$DEFAULT_BASE" ] ||
		die "no Debian suite offers linux-source-$base: take another BASE=, or LINUX= with a source tree (log: $log)"

	# The version that the mails were made for is gone: take what comes nearest.
	cp "$apt/sources.all" "$apt/sources.list"
	apt_private apt-get -q update >>"$log" 2>&1 || true
	newest=$(apt_private apt-cache pkgnames linux-source- 2>/dev/null |
		grep -E '^linux-source-[0-9]+\.[0-9]+$' | sort -V | tail -n 1) || true
	[ -n "$newest" ] ||
		die "no kernel source could be had from the Debian mirror of this machine: is the network up? (log: $log)"
	package=$newest
	say "the base moved: linux-source-$base is gone, the newest is $newest; the series may not apply to it"
}

from_debian()
{
	local package tarball

	log=$BUILD/logs/source.log
	mkdir -p "$(dirname "$log")"
	: >"$log"
	step "Getting Debian's linux-source-$base"
	apt_init "$work/apt"
	all_sources >"$apt/sources.all"
	find_package
	rm -rf "$work/deb"
	mkdir -p "$work/deb"
	(cd "$work/deb" && logged "$log" "download of $package" \
		env APT_CONFIG="$apt/apt.conf" apt-get -q download "$package") ||
		die "the download of $package failed: is the network up? Run again to try once more"
	dpkg-deb --fsys-tarfile "$work"/deb/*.deb | tar -x -C "$work/deb" --wildcards './usr/src/*' ||
		die "$package cannot be unpacked: run again to download it once more"
	tarball=$(find "$work/deb/usr/src" -name 'linux-source-*.tar.*' | head -n 1)
	[ -n "$tarball" ] || die "$package holds no source tarball"
	# shellcheck disable=SC2016 # dpkg-deb expands it
	origin=$(dpkg-deb -W --showformat '${Package} ${Version}' "$work"/deb/*.deb)
	unpack "$tarball"
	rm -rf "$work/deb"
}

# unpack TARBALL - into $tmp, without the folder that it brings
unpack()
{
	mkdir -p "$tmp"
	step "Unpacking $(basename "$1")"
	tar -x --no-same-owner -f "$1" -C "$tmp" --strip-components=1 || die "$1 is not a tarball that tar can read"
}

need_space "$work" 6 'a kernel source tree and one build'

if [ -z "$linux" ]; then
	from_debian
elif [ -d "$linux" ]; then
	is_kernel "$linux" || die "$linux is not a kernel source tree with arch/arm64"
	origin="LINUX=$(basename "$linux")"
	mkdir -p "$tmp"
	step "Copying $linux"
	if is_checkout "$linux"; then
		[ -z "$(git -C "$linux" status --porcelain -uno | head -n 1)" ] ||
			say "note: changes in $linux that are not committed are left out"
		git_tree "$linux" archive HEAD | tar -x --no-same-owner -C "$tmp"
	else
		tar -c -C "$linux" --exclude=./.git . | tar -x --no-same-owner -C "$tmp"
	fi
elif [ -f "$linux" ]; then
	origin="LINUX=$(basename "$linux")"
	unpack "$linux"
else
	die "LINUX=$linux: no such directory or file"
fi
is_kernel "$tmp" || die "${linux:-the package} holds no kernel source with arch/arm64"

# Debian's .gitignore hides every file that its package does not bring, and so
# would hide the new files of a commit. Take that part out.
if [ -f "$tmp/.gitignore" ]; then
	sed -i -e '/^\/\*$/d' -e '/^!\/debian\/$/d' "$tmp/.gitignore"
fi

step "Importing Linux $(kernel_version "$tmp") into git"
git_tree "$tmp" init -q -b series .
git_tree "$tmp" add -A -f
# One tree, one commit id, on every machine and every day.
GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base@localhost \
GIT_COMMITTER_NAME=base GIT_COMMITTER_EMAIL=base@localhost \
	git_tree "$tmp" commit -q \
	-m "Linux $(kernel_version "$tmp")" -m "Source: $origin"
git_tree "$tmp" tag base
what_source >"$tmp/.git/series-source"
mv "$tmp" "$dest"
say "$dest: Linux $(kernel_version "$dest"), $origin"
