#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test the scripts in this folder: above all that bad input ends with one clear
# sentence and a non-zero status, and changes nothing.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me TREE

TREE is the patched source tree that 'make' set up. Prints KTAP; exit status 0
only if every test passed.
USAGE
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac
tree=${1:-}
[ -n "$tree" ] || usage_error 'the tree is missing'
tree=$(cd "$tree" && pwd)
S=$TOP/series
tmp=$(mktemp -d "$BUILD/selftest.XXXXXX")
cleanup()
{
	! mountpoint -q "$tmp/full" || umount "$tmp/full"
	rm -rf "$tmp"
}
trap cleanup EXIT

n=0
passed=0
failed=0
skipped=0
report() # ok|not-ok NAME
{
	n=$((n + 1))
	if [ "$1" = ok ]; then
		passed=$((passed + 1))
		echo "ok $n $2"
	else
		failed=$((failed + 1))
		echo "not ok $n $2"
		sed 's/^/# /' "$tmp/out" | tail -n 20
	fi
}

skip() { n=$((n + 1)); skipped=$((skipped + 1)); echo "ok $n $1 # SKIP $2"; }

# refused NAME REGEX COMMAND... - fails, with that sentence as the last thing it says
refused()
{
	local name=$1 regex=$2

	shift 2
	if "$@" >"$tmp/out" 2>&1 </dev/null; then
		report not-ok "$name (it succeeded)"
	elif tail -n 1 "$tmp/out" | grep -q -E -e "$regex"; then
		report ok "$name"
	else
		report not-ok "$name (another message)"
	fi
}

# works NAME COMMAND...
works()
{
	local name=$1

	shift
	if "$@" >"$tmp/out" 2>&1 </dev/null; then
		report ok "$name"
	else
		report not-ok "$name"
	fi
}

# a source tree that is just enough for source.sh
fake_kernel()
{
	mkdir -p "$1/arch/arm64"
	printf 'VERSION = 9\nPATCHLEVEL = 9\nSUBLEVEL = 9\n' >"$1/Makefile"
	echo 'config X' >"$1/Kbuild"
	echo x >"$1/arch/arm64/Kconfig"
}

echo 'KTAP version 1'
mkdir -p "$tmp/empty" "$tmp/w"
fake_kernel "$tmp/fake"

# Where the source comes from
refused 'a BASE that no suite has' "no Debian suite offers linux-source-9\.99" \
	"$S/source.sh" --base 9.99 "$tmp/w/linux"
refused 'a BASE that is no version' "'latest' is not a kernel version" \
	"$S/source.sh" --base latest "$tmp/w/linux"
refused 'no network' 'could be had from the Debian mirror|download of .* failed' \
	env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 \
	"$S/source.sh" "$tmp/w/linux"
refused 'LINUX= that is not a kernel' 'is not a kernel source tree' \
	"$S/source.sh" --linux "$tmp/empty" "$tmp/w/linux"
refused 'LINUX= that is not there' 'no such directory or file' \
	"$S/source.sh" --linux "$tmp/nowhere" "$tmp/w/linux"
head -c 100000 /dev/urandom >"$tmp/broken.tar.xz"
refused 'LINUX= that is a broken tarball' 'is not a tarball that tar can read' \
	"$S/source.sh" --linux "$tmp/broken.tar.xz" "$tmp/w/linux"
tar -cJf "$tmp/empty.tar.xz" -C "$tmp" empty
refused 'LINUX= tarball without a kernel' 'holds no kernel source' \
	"$S/source.sh" --linux "$tmp/empty.tar.xz" "$tmp/w/linux"
mkdir -p "$tmp/w/linux.tmp/left/over"
works 'a half-finished import is started anew' \
	"$S/source.sh" --linux "$tmp/fake" "$tmp/w/linux"
if [ ! -e "$tmp/w/linux.tmp" ] && [ ! -e "$tmp/w/linux/left" ] && [ -f "$tmp/w/linux/Kbuild" ]; then
	report ok 'and leaves nothing of the first one'
else
	report not-ok 'and leaves nothing of the first one'
fi
if [ "$(id -u)" -eq 0 ] && mkdir -p "$tmp/full" && mount -t tmpfs -o size=1m none "$tmp/full" 2>/dev/null; then
	refused 'no disk space' 'needs 6 GiB of disk space' \
		"$S/source.sh" --linux "$tmp/fake" "$tmp/full/linux"
	umount "$tmp/full"
else
	skip 'no disk space' 'mounting a small tmpfs needs root'
fi

# git am onto a user's tree
refused 'make am without LINUX=' 'Error|say which tree' make -C "$TOP" --no-print-directory am
refused 'am onto what is not a kernel' 'is not a kernel source tree' "$S/apply.sh" --am "$tmp/empty"
refused 'am onto what is not a git checkout' 'is not a git checkout' \
	"$S/apply.sh" --am "$tmp/fake"
git -C "$tmp/w/linux" checkout -q -b other
head=$(git -C "$tmp/w/linux" rev-parse HEAD)
refused 'am onto a kernel that it is not made for' 'does not apply' "$S/apply.sh" --am "$tmp/w/linux"
if [ "$(git -C "$tmp/w/linux" rev-parse HEAD)" = "$head" ] && [ ! -d "$tmp/w/linux/.git/rebase-apply" ]; then
	report ok 'and leaves that tree as it was'
else
	report not-ok 'and leaves that tree as it was'
fi
# A checkout of what the series touches is enough, and quicker than all of it.
git clone -q --shared --no-checkout "$tree" "$tmp/clone"
git -C "$tmp/clone" sparse-checkout set --cone arch/arm64 scripts
git -C "$tmp/clone" checkout -q --detach "$(git -C "$tree" rev-parse HEAD)"
git -C "$tmp/clone" config user.name 'A Tester'
git -C "$tmp/clone" config user.email tester@localhost
refused 'am onto a tree that has the series' 'already has a part of the series' \
	"$S/apply.sh" --am "$tmp/clone"
git -C "$tmp/clone" reset -q --hard base
echo >>"$tmp/clone/Kbuild"
refused 'am onto a tree with open changes' 'not committed' "$S/apply.sh" --am "$tmp/clone"
git -C "$tmp/clone" checkout -q Kbuild
works 'am onto a clean tree' "$S/apply.sh" --am "$tmp/clone"

# The user's own tree as the source, with a part of the series in it: the last
# mail, as far as the files go.
fake_kernel "$tmp/fake2"
for file in $(git -C "$tree" diff --name-only HEAD~1 HEAD); do
	mkdir -p "$tmp/fake2/$(dirname "$file")"
	git -C "$tree" show "HEAD:$file" >"$tmp/fake2/$file"
done
git -C "$tmp/fake2" init -q
git_tree "$tmp/fake2" add -A
git_tree "$tmp/fake2" commit -q -m x
works 'LINUX= that is a git checkout' "$S/source.sh" --linux "$tmp/fake2" "$tmp/part/linux"
refused 'LINUX= that has a part of the series' 'already has a part of the series' \
	"$S/apply.sh" "$tmp/part/linux"

# Mails and files
refused 'export of a tree that is not ours' "no tag 'base'" "$S/export.sh" "$tmp/empty" "$tmp/out.d"
echo >>"$tmp/part/linux/Kbuild"
refused 'export of a tree with open changes' 'not committed' "$S/export.sh" "$tmp/part/linux" "$tmp/out.d"

echo "1..$n"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
