#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Show unwind-table functions that it has to believe and others that it must
# not. Prints KTAP.
#
# Arguments: the unwind-table program, and perhaps a compiler

set -u

tool=$1
cc=${2:-${CROSS_COMPILE:-aarch64-linux-gnu-}gcc}
here=$(dirname "$0")
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT

$cc -c -o "$dir/cases.o" "$here/cases.S" || exit 2

# .klp.rela sections are for "objtool klp post-link" to make, which wants a whole
# live patch. A name of the same length does here.
LC_ALL=C sed 's/\.rela\.text\.klp/.klp.rela.t.kl/' "$dir/cases.o" > "$dir/klp.o"

"$tool" --dump "$dir/klp.o" > "$dir/dump" || exit 2

# name, whether refused, instructions that are not believed
awk '
/^[^ ]/ {
	if (name != "")
		print name, refused, unknown
	refused = sub(/:.*/, "")
	name = $0
	unknown = 0
}
/ \?$/ { unknown++ }
END { print name, refused, unknown }' "$dir/dump" > "$dir/results"

# All that there are, or a tool that prints nothing would pass
$cc -E -P "$here/cases.S" | sed -n 's/^[[:space:]]*begin \([a-z0-9_]*\)$/\1/p
	s/^[[:space:]]*bad_atomic \([a-z0-9_]*\),.*/bad_overwrites_slot_\1/p
	s/^good_entry:$/good_entry/p' > "$dir/cases"

sort "$dir/cases" > "$dir/sorted"
nr=$(wc -l < "$dir/cases")
if [ "$nr" -lt 60 ]; then
	echo "${0##*/}: $nr cases are too few" >&2
	exit 2
fi
echo "KTAP version 1"
echo "1..$((nr + 1))"
i=0 failed=0

# result WHETHER NAME [WHY]
result() {
	i=$((i + 1))
	if [ "$1" = 1 ]; then
		echo "ok $i $2"
	else
		echo "not ok $i $2 # $3"
		failed=1
	fi
}

while read -r name; do
	got=$(sed -n "s/^$name //p" "$dir/results")
	case $name in
	good_*) want="0 0" ;;
	bad_*) want="1 ${got#* }" ;;
	part_*) want=${name#part_}; want="0 ${want%%_*}" ;;
	esac
	ok=0
	[ -n "$got" ] && [ "$got" = "$want" ] && ok=1
	result $ok "$name" "refused, unknown: ${got:-it is not there}"
done < "$dir/cases"

# Names that this script does not find are not tested
others=$(cut -d' ' -f1 "$dir/results" | sort | comm -13 "$dir/sorted" - | tr '\n' ' ')
ok=0
[ -z "$others" ] && ok=1
result $ok "all functions are cases" "$others"
exit $failed
