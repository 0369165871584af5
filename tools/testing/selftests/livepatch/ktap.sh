# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Results of tests that are known by an exit status: kselftest's own helpers,
# with the few words around them that such tests share.

# shellcheck disable=SC2034 # the helpers' counters
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/ktap_helpers.sh"

# skip_all REASON - nothing of it can be tested here
skip_all() {
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

# result STATUS NAME
result() {
	if [ "$1" = 0 ]; then ktap_test_pass "$2"; else ktap_test_fail "$2"; fi
}

# skipped NAME REASON
skipped() {
	__ktap_test ok "$1" "SKIP $2"
	KTAP_CNT_SKIP=$((KTAP_CNT_SKIP + 1))
}

# results_end - for tests that do not know beforehand how many results they have
results_end() {
	ktap_set_plan $((KTAP_TESTNO - 1))
	ktap_finished
}

kmemleak=/sys/kernel/debug/kmemleak

# leaks - print what kmemleak holds for leaked: nothing, if all is well
leaks() {
	# What was freed lately can look like a leak at first.
	sleep 6; echo scan >$kmemleak; sleep 6; echo scan >$kmemleak
	cat $kmemleak
}

# no_leak - is nothing leaked?
no_leak() {
	local leaked

	leaked=$(leaks)
	[ -n "$leaked" ] || return 0
	echo "# ${leaked//$'\n'/$'\n'# }"
	return 1
}
