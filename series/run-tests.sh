#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run test suites and add up what they say.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--jobs N] SUITES

SUITES is a file with one suite a line: a name, a TAB, a shell command. Each
is run from the project's folder; what it prints is kept in
build/logs/test-NAME.log. The number of results is taken from its last line of
the form 'N passed, N failed, N skipped', or else counted from its KTAP lines.
A suite that reports nothing, or ends with a non-zero status and no failed
test, counts as one failure.

  --jobs N    run so many suites at a time; what they print is shown as it
              comes, behind the suite's name

Ends with one such line for all suites; exit status 0 only if nothing failed.
USAGE
}

jobs=1
case ${1:-} in
-h | --help) usage; exit 0 ;;
--jobs)
	jobs=${2:-}
	[[ $jobs =~ ^[1-9][0-9]*$ ]] || usage_error '--jobs needs a number'
	shift 2
	;;
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

# run NAME COMMAND - leaves log, exit status and duration in build/logs
run()
{
	local log=$BUILD/logs/test-$1.log start=$SECONDS status=0 prefix='   | '

	[ "$jobs" -eq 1 ] || prefix="   $1 | "
	bash -o pipefail -c "$2" </dev/null 2>&1 | tee "$log" | sed -u "s/^/$prefix/" || status=$?
	echo "$status $((SECONDS - start))" >"$log.status"
}

# report NAME - what came of it; adds to the figures
report()
{
	local log=$BUILD/logs/test-$1.log status took why='' p f s

	# There is none if even the shell around the suite was killed.
	read -r status took 2>/dev/null <"$log.status" || { status=1; took=0; }
	rm -f "$log.status"
	read -r p f s < <(counts "$log")
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		why=", it ended with status $status"
	elif [ $((p + f + s)) -eq 0 ]; then
		f=1
		why=', it reported no result'
	fi
	say "$1: $p passed, $f failed, $s skipped$why ($took s)"
	[ "$f" -eq 0 ] || say "$1: see $log"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	total="${total:-}$(printf '\n   %-14s %4d passed %4d failed %4d skipped' "$1" "$p" "$f" "$s")"
}

passed=0
failed=0
skipped=0
declare -A running=()

# Each suite has a process group of its own, or Ctrl-C would leave guests behind.
stop()
{
	local pid

	for pid in "${!running[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	exit 130
}
trap stop INT TERM HUP

# finish - wait for one of the suites that run, and report it
finish()
{
	local pid=

	wait -n -p pid "${!running[@]}" 2>/dev/null || true
	# bash does not say which one if it was killed.
	if [ -z "${pid:-}" ]; then
		for pid in "${!running[@]}"; do
			kill -0 "$pid" 2>/dev/null || break
		done
	fi
	report "${running[$pid]}"
	unset "running[$pid]"
}

cd "$TOP" || exit 1
mkdir -p "$BUILD/logs"
while IFS=$'\t' read -r name command; do
	[ -n "$name" ] || continue
	[ "${#running[@]}" -lt "$jobs" ] || finish
	step "Test: $name"
	set -m
	run "$name" "$command" &
	set +m
	running[$!]=$name
done <"$1"
while [ "${#running[@]}" -gt 0 ]; do
	finish
done

step "Results$total"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ $((passed + failed)) -gt 0 ]
