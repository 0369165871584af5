# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts in this folder share. Sourced, never run.

set -euo pipefail
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
case $TOP$BUILD in
*[[:space:]]*) echo "the kernel's make takes no path with a space: $TOP, $BUILD" >&2; exit 1 ;;
esac
# Called from a git hook, these would name another repository; and a folder of
# ours that lost its .git must not be taken for a part of this project.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
# Nor is a make that one of the scripts calls to have the options of the one that
# has called the script: LINUX= would make it work on the user's own tree.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES LINUX PROFILE LLVM BASELINE
export GIT_CEILING_DIRECTORIES=$TOP:$BUILD${GIT_CEILING_DIRECTORIES:+:$GIT_CEILING_DIRECTORIES}
# The kernel version that the mails are made for, as Debian names its package.
export DEFAULT_BASE=7.3

me=$(basename "$0")

step() { printf '== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
die() { printf '%s: error: %s\n' "$me" "$*" >&2; exit 1; }
usage_error() { printf '%s: %s (see %s --help)\n' "$me" "$*" "$me" >&2; exit 2; }

# one_at_a_time [DIR] - two of these scripts would get into each other's way
one_at_a_time()
{
	local dir=${1:-$BUILD}

	mkdir -p "$dir" || die "cannot write to $dir"
	# also held by what a closed terminal left running
	exec 8>"$dir/.lock"
	flock -n 8 || die "another make is at work in $dir: wait for it, or end it (fuser $dir/.lock names it)"
}

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
	local log=$1 what=$2 start=$SECONDS last=0 pid group lines

	shift 2
	mkdir -p "$(dirname "$log")"
	# In a process group of its own, so that all of it can be ended: what runs in
	# the background of a script does not see a Ctrl-C. Not what may ask on the
	# terminal, as sudo does.
	[ "$1" = sudo ] || set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	group=$pid
	if [[ $- == *m* ]]; then group=-$pid; set +m; fi
	# shellcheck disable=SC2064 # the pid of now
	trap "kill -- $group 2>/dev/null || true; exit 130" INT TERM HUP
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ $((SECONDS - start - last)) -ge 20 ]; then
			last=$((SECONDS - start))
			lines=$(wc -l <"$log")
			say "$what: $last s, $lines lines, now: $(tail -n 1 "$log" | cut -c 1-60)"
		fi
	done
	trap - INT TERM HUP
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

# is_checkout DIR - is DIR itself, and not a folder around it, a git checkout?
is_checkout()
{
	[ -d "$1" ] && [ "$(git -C "$1" rev-parse --show-toplevel 2>/dev/null)" = "$(realpath "$1")" ] &&
		git -C "$1" rev-parse -q --verify HEAD >/dev/null
}

# in_progress DIR - the git operation that stopped half-way in DIR, if any
in_progress()
{
	local what

	for what in rebase-apply rebase-merge CHERRY_PICK_HEAD MERGE_HEAD REVERT_HEAD BISECT_LOG; do
		[ ! -e "$(git -C "$1" rev-parse --absolute-git-dir)/$what" ] || echo "$what"
	done
}

# git_tree DIR ARGS... - git as the series wants it, whatever the user has configured
git_tree()
{
	local dir=$1

	shift
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		git -c safe.directory='*' -C "$dir" -c core.autocrlf=false -c core.fileMode=true \
		-c core.abbrev=12 -c core.hooksPath=/dev/null -c gc.auto=0 \
		-c advice.detachedHead=false -c commit.gpgSign=false \
		-c am.threeWay=false -c apply.whitespace=nowarn \
		-c user.name="${GIT_COMMITTER_NAME:-series}" \
		-c user.email="${GIT_COMMITTER_EMAIL:-series@localhost}" "$@"
}

# tree_at DIR REPOSITORY COMMIT - a worktree that holds exactly COMMIT, made anew if it is broken
tree_at()
{
	if ! is_checkout "$1"; then
		rm -rf "$1"
		git_tree "$2" worktree prune
		git_tree "$2" worktree add -q --detach "$1" "$3" || return 1
	fi
	git_tree "$1" am --abort >/dev/null 2>&1 || true
	git_tree "$1" checkout -q --force --detach "$3" && git_tree "$1" clean -q -fdx
}
