#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build and run all tests of the unwind tables that need no arm64 machine: the
# functions of cases.S, and damage that is different with each SEED.
#
# Usage: run.sh [TABLE OBJECT]
#
# TABLE is what a kernel build leaves in .tmp_vmlinux.unwind, OBJECT one of its
# object files. What needs them is skipped without. CROSS_COMPILE is
# aarch64-linux-gnu- unless it is set. The output is KTAP.

set -u
export LC_ALL=C
: "${CROSS_COMPILE=aarch64-linux-gnu-}"
: "${SEED:=1}"
export CROSS_COMPILE

here=$(cd "$(dirname "$0")" && pwd)
table=${1:+$(realpath "$1")}
object=${2:+$(realpath "$2")}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Without sanitizers a read outside of a table or a stack would pass unseen
make -s -C "$here" O="$tmp/" all >"$tmp/out" 2>&1 || {
	sed 's/^/# /' "$tmp/out"
	echo 'Bail out! the tests do not build'
	exit 1
}
cd "$tmp" || exit 1

"$here/check.sh" ./unwind-table-sanitized >"$tmp/check"
failed=$?
nr=$(grep -c -E '^(not )?ok ' "$tmp/check")
# The plan has to count what follows
sed "s/^1\.\.[0-9]*$/1..$((nr + 3))/" "$tmp/check"
[ "$nr" -gt 0 ] || failed=1

# result NAME COMMAND...
result() {
	local name=$1

	shift
	nr=$((nr + 1))
	if [ -z "$table" ] || [ -z "$object" ]; then
		echo "ok $nr $name # SKIP it needs the table and an object of a kernel"
	elif "$@" >"$tmp/out" 2>&1; then
		sed 's/^/# /' "$tmp/out"
		echo "ok $nr $name"
	else
		tail -n 30 "$tmp/out" | sed 's/^/# /'
		echo "not ok $nr $name"
		failed=1
	fi
}

result 'damaged tables' ./fuzz-table "$table" 2000 "$SEED"
result 'stacks made from a table, and damaged ones' ./fuzz-stacks "$table" 20000 "$SEED"
result 'objects with damaged call frame information' \
	"$here/fuzz-cfi.py" ./unwind-table-sanitized "$object" 300 "$SEED"
exit $failed
