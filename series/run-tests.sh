#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run test suites one after the other and add up what they say.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me SUITES

SUITES is a file with one suite a line: a name, a TAB, a shell command. Each
is run from the project's folder; what it prints is kept in
build/logs/test-NAME.log. The number of results is taken from its last line of
the form 'N passed, N failed, N skipped', or else counted from its KTAP lines.
A suite that reports nothing, or ends with a non-zero status and no failed
test, counts as one failure.

Ends with one such line for all suites; exit status 0 only if nothing failed.
USAGE
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac
[ -r "${1:-}" ] || usage_error 'a file with the suites is needed'

# counts LOG - the three figures of a suite
counts()
{
	awk '/^(vmtest.sh: )?[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ {
		sub(/^vmtest.sh: /, ""); last = $1 " " $3 " " $5 }
	     /^not ok [0-9]/ { bad++; next }
	     /^ok [0-9].*# SKIP/ { skip++; next }
	     /^ok [0-9]/ { good++ }
	     END { if (last != "") print last; else print good + 0, bad + 0, skip + 0 }' "$1"
}

passed=0
failed=0
skipped=0
cd "$TOP" || exit 1
mkdir -p "$BUILD/logs"
while IFS=$'\t' read -r name command; do
	log=$BUILD/logs/test-$name.log
	start=$SECONDS
	step "Test: $name"
	status=0
	bash -o pipefail -c "$command" </dev/null 2>&1 | tee "$log" | sed 's/^/   | /' || status=$?
	read -r p f s < <(counts "$log")
	why=
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		why=", it ended with status $status"
	elif [ $((p + f + s)) -eq 0 ]; then
		f=1
		why=', it reported no result'
	fi
	say "$name: $p passed, $f failed, $s skipped$why ($((SECONDS - start)) s)"
	[ "$f" -eq 0 ] || say "$name: see $log"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	total="${total:-}$(printf '\n   %-14s %4d passed %4d failed %4d skipped' "$name" "$p" "$f" "$s")"
done <"$1"

step "Results$total"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ $((passed + failed)) -gt 0 ]
