# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts in this folder share. Sourced, never run.

set -euo pipefail
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
# The kernel version that the mails are made for, as Debian names its package.
export DEFAULT_BASE=7.3

me=$(basename "$0")

step() { printf '== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
die() { printf '%s: error: %s\n' "$me" "$*" >&2; exit 1; }
usage_error() { printf '%s: %s (see %s --help)\n' "$me" "$*" "$me" >&2; exit 2; }

# need_space DIR GIB WHAT - stop before a long job that cannot end well
need_space()
{
	local free

	mkdir -p "$1" || die "cannot write to $1"
	free=$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$2" ] ||
		die "$3 needs $2 GiB of disk space and $1 has $free GiB: make room, or set BUILD= to another disk"
}

# logged LOG WHAT COMMAND... - run a long command, show that it lives, keep its output
logged()
{
	local log=$1 what=$2 start=$SECONDS last=0 pid lines

	shift 2
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	# shellcheck disable=SC2064 # the pid of now
	trap "kill $pid 2>/dev/null || true; exit 130" INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ $((SECONDS - start - last)) -ge 20 ]; then
			last=$((SECONDS - start))
			lines=$(wc -l <"$log")
			say "$what: $last s, $lines lines, now: $(tail -n 1 "$log" | cut -c 1-60)"
		fi
	done
	trap - INT TERM
	if ! wait "$pid"; then
		printf '%s: error: %s failed; the end of %s:\n' "$me" "$what" "$log" >&2
		{ grep -E -i -B2 -A6 'error|fatal' "$log" | head -n 30; echo ...; tail -n 8 "$log"; } >&2
		return 1
	fi
	say "$what: done in $((SECONDS - start)) s"
}

# is_kernel DIR - does DIR hold a kernel source tree?
is_kernel()
{
	[ -f "$1/Makefile" ] && [ -f "$1/Kbuild" ] && [ -d "$1/arch/arm64" ] &&
		grep -q '^VERSION = ' "$1/Makefile"
}

# kernel_version DIR - VERSION.PATCHLEVEL.SUBLEVEL of a source tree
kernel_version()
{
	awk -F ' *= *' '$1 == "VERSION" { v = $2 } $1 == "PATCHLEVEL" { p = $2 }
			$1 == "SUBLEVEL" { print v "." p "." $2; exit }' "$1/Makefile"
}

# series_id - a name for the mails as they are now
series_id()
{
	local mail

	for mail in "$TOP"/series/[0-9]*.patch; do
		[ -e "$mail" ] && sha256sum <"$mail"
	done | sha256sum | cut -c 1-16
}

# git_tree DIR ARGS... - git as the series wants it, whatever the user has configured
git_tree()
{
	local dir=$1

	shift
	git -C "$dir" -c core.autocrlf=false -c core.fileMode=true -c core.abbrev=12 \
		-c gc.auto=0 -c advice.detachedHead=false -c commit.gpgSign=false \
		-c am.threeWay=false -c apply.whitespace=nowarn \
		-c user.name="${GIT_COMMITTER_NAME:-series}" \
		-c user.email="${GIT_COMMITTER_EMAIL:-series@localhost}" "$@"
}
