#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is the series fit to be sent? One KTAP result for each question.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--full] TREE

Checks the mails and the new files of this project against TREE's 'base':

  git am applies every mail to the pristine base; mails and files are the same
  bytes that export.sh would write; checkpatch --strict finds nothing; no hunk
  leans on a line that only Debian's source has; MAINTAINERS covers every new
  file; messages are complete; the project's top level holds nothing else.

With --full also

  every commit builds and boots (done once for each tree and toolchain, so an
  interrupted run goes on where it was); sparse and W=1 add no line to what
  the base prints; with the new options off the touched objects hold
  mainline's instructions and read-only data; the shell scripts pass shellcheck.

Exit status 0 only if every answer is yes. Details are in build/logs/check-*.
USAGE
}

full=
while [ $# -gt 0 ]; do
	case $1 in
	--full) full=y ;;
	-h | --help) usage; exit 0 ;;
	-*) usage_error "unknown option '$1'" ;;
	*) break ;;
	esac
	shift
done
tree=${1:-}
[ -n "$tree" ] || usage_error 'the tree is missing'
git -C "$tree" rev-parse -q --verify base >/dev/null || die "$tree holds no tag 'base'"
tree=$(cd "$tree" && pwd)
work=$(dirname "$tree")/check
logs=$BUILD/logs
am=$work/linux
mkdir -p "$work" "$logs"
mails=("$TOP"/series/[0-9]*.patch)
[ -e "${mails[0]}" ] || die "there are no mails in $TOP/series"

n=0
passed=0
failed=0
skipped=0

# result STATUS NAME [LOG] - print one KTAP line, and the log of a failure
result()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $n $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $n $2"
	[ -z "${3:-}" ] || { head -n 40 "$3" | sed 's/^/# /'; echo "# all of it: $3"; }
}



# question NAME FUNCTION - FUNCTION prints what is wrong and fails for no
question()
{
	local log=$logs/check-$2.log status

	# in a shell of its own, and not in a condition: there, set -e would be off
	set +e
	(set -e; "$2") >"$log" 2>&1
	status=$?
	set -e
	result "$status" "$1" "$log"
}

applies()
{
	tree_at "$am" "$tree" base
	GIT_COMMITTER_NAME=series GIT_COMMITTER_EMAIL=series@localhost \
		git_tree "$am" am -q --committer-date-is-author-date "${mails[@]}"
}

same_bytes()
{
	local out=$work/export bad=0 file

	rm -rf "$out"
	mkdir -p "$out/series"
	cp "$TOP/series/cover-letter.txt" "$out/series/"
	"$TOP/series/export.sh" "$am" "$out"
	for file in "$TOP"/series/*.patch "$TOP/series/cover-letter.txt"; do
		cmp "$file" "$out/series/$(basename "$file")" || bad=1
	done
	rm -rf "$out/series"
	# every file in the folders that mirror the kernel's, both ways
	(cd "$out" && find . -type f -printf '%P\n' | modes) >"$work/expected"
	(cd "$TOP" && git ls-files -co --exclude-standard | own_files | modes) >"$work/present"
	diff -u "$work/expected" "$work/present" || bad=1
	while read -r file _; do
		cmp "$out/$file" "$TOP/$file" || bad=1
	done <"$work/expected"
	[ "$bad" -eq 0 ] || echo "run 'make export' if the tree is right; edit the tree, not the files, if they are"
	return "$bad"
}

# with an x behind those that can be executed, whatever the umask is
modes()
{
	while read -r file; do
		[ ! -e "$file" ] || echo "$file $([ ! -x "$file" ] || echo x)"
	done | sort
}

# the project's own files, which have no counterpart in the kernel tree
own_files() { grep -v -E '^(README\.md|COPYING|Makefile|series/.*|\.[^/]+(/.*)?)$'; }

top_level()
{
	local names bad=0

	names=$(cd "$TOP" && git ls-files -co --exclude-standard)
	[ -n "$names" ]
	if cut -d / -f 1 <<<"$names" | sort -u |
		grep -v -x -E 'README\.md|COPYING|Makefile|series|\..*|Kconfig\.livepatch|arch|scripts|samples|tools|Documentation|include|kernel|lib'; then
		echo 'these do not belong there'
		bad=1
	fi
	if grep -n '@[A-Z_]*@' "$TOP/README.md" "$TOP/series/cover-letter.txt"; then
		echo 'these were left to be filled in'
		bad=1
	fi
	return "$bad"
}

checkpatch_mail()
{
	cd "$am"
	# Debian's python3 first: spdxcheck.py needs its modules
	PATH=/usr/bin:/bin:$PATH scripts/checkpatch.pl --strict --terse --show-types \
		--no-summary --ignore FILE_PATH_CHANGES "$1" 2>&1 || true
}

checkpatch()
{
	local mail bad=0 line type text reason

	# FILE_PATH_CHANGES asks for a MAINTAINERS change in each mail that adds a
	# file; maintainers() looks whether the section covers it.
	for mail in "${mails[@]}"; do
		while IFS= read -r line; do
			case $line in
			*': ERROR:'* | *': WARNING:'* | *': CHECK:'*) ;;
			*) continue ;;
			esac
			reason=
			while IFS=$'\t' read -r type text reason; do
				case $line in
				*":$type: "*$text*) break ;;
				esac
				reason=
			done <"$TOP/series/checkpatch-leftovers.tsv"
			if [ -n "$reason" ]; then
				echo "left as it is: $line: $reason"
			else
				echo "$line"
				bad=1
			fi
		done < <(checkpatch_mail "$mail")
	done
	return "$bad"
}

# Debian patches the Makefile, .gitignore, scripts/Makefile.modfinal and the
# lockdown code. Mails that touch their lines would not apply to upstream.
debian_lines()
{
	local mail bad=0

	for mail in "${mails[@]}"; do
		if grep -n -E '^diff --git a/(Makefile|\.gitignore|security/lockdown/.*) ' "$mail"; then
			echo "$mail: changes a file that Debian changes too"
			bad=1
		fi
		if grep -n -i -E '^[ +-].*(ARCH_MODULE_LDS|LOCK_?DOWN)' "$mail"; then
			echo "$mail: has a line that Debian changes"
			bad=1
		fi
	done
	return "$bad"
}

# Every new file has a section of its own in MAINTAINERS, or its folder's.
maintainers()
{
	local file bad=0 sections

	while read -r file; do
		sections=$(cd "$am" && scripts/get_maintainer.pl --no-git --no-git-fallback \
			--sections --no-email --no-l -f "$file")
		case $sections in
		*'ARM64 FUNCTION PLTS'* | *'LIVE PATCHING'* | *'OBJTOOL'*) ;;
		*) echo "MAINTAINERS: no entry of this series covers $file"; bad=1 ;;
		esac
	done < <(git -C "$am" diff --name-only --no-renames --diff-filter=A base HEAD)
	return "$bad"
}

messages()
{
	local commit bad=0 body subject

	for commit in $(git -C "$am" rev-list --reverse base..HEAD); do
		subject=$(git -C "$am" log -1 --format=%s "$commit")
		body=$(git -C "$am" log -1 --format=%b "$commit")
		[ ${#subject} -le 75 ] || { echo "$subject: longer than 75 characters"; bad=1; }
		case $subject in
		*:\ [A-Z]*[!.]) ;;
		*) echo "$subject: not of the form 'subsystem: Do something'"; bad=1 ;;
		esac
		! grep -n -i 'this patch\|this commit' <<<"$body" || { echo "$subject: see above"; bad=1; }
		[ "$(wc -l <<<"$body")" -ge 6 ] || { echo "$subject: says too little"; bad=1; }
		grep -q '^Signed-off-by: .* <.*@.*>$' <<<"$body" || { echo "$subject: no Signed-off-by"; bad=1; }
	done
	return "$bad"
}

echo "KTAP version 1"
question 'git am applies every mail to the pristine base' applies
if [ "$failed" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
	exit 1
fi
head=$(git -C "$am" rev-parse HEAD)
question 'mails and files are the same' same_bytes
question 'the top level holds nothing else' top_level
question 'checkpatch --strict finds nothing' checkpatch
question 'no hunk leans on a line of Debian alone' debian_lines
question 'MAINTAINERS covers every new file' maintainers
question 'messages are complete' messages

vmt=tools/testing/selftests/livepatch/vmtest
cross=
[ "$(uname -m)" = aarch64 ] || cross=aarch64-linux-gnu-
kmake() # TREE OBJ ARGS
{
	local src=$1 obj=$2

	shift 2
	env CCACHE_DIR="${CCACHE_DIR:-$BUILD/ccache}" CCACHE_BASEDIR="$BUILD" CCACHE_NOHASHDIR=1 \
		make -s -C "$src" O="$obj" ARCH=arm64 CROSS_COMPILE=$cross \
		CC="$(command -v ccache >/dev/null && echo 'ccache ')${cross}gcc" "$@"
}

# Each commit, oldest first, with the options on as soon as there are any
one_commit() # COMMIT
{
	local fragments=("$work/default.config")

	tree_at "$am" "$tree" "$1" || return 1
	[ "$(git -C "$am" rev-parse HEAD)" = "$1" ] || return 1
	[ ! -f "$am/Kconfig.livepatch" ] || {
		# only what this commit knows
		grep -E "^(# )?CONFIG_($(known_options))[ =]" "$work/function-plt.config" \
			>"$work/known.config" || true
		[ ! -s "$work/known.config" ] || fragments+=("$work/known.config")
	}
	rm -f "$work/obj/.fragments"
	"$TOP/series/build.sh" --kernel-only "$am" "$work/obj" "${fragments[@]}" || return 1
	"$work/vmtest.sh" --image "$work/obj/arch/arm64/boot/Image" --modules "$work/obj/root" \
		--userland "$BUILD/userland.cpio.zst" --far --timeout 300 \
		--copy "$work/demo.sh" -- bash ./demo.sh
}

known_options() { sed -n 's/^config //p' "$am/Kconfig.livepatch" | paste -sd '|'; }

every_commit()
{
	local commit id subject log toolchain

	toolchain=$("${cross}gcc" -dumpfullversion)
	git -C "$am" show "$head:$vmt/default.config" >"$work/default.config"
	git -C "$am" show "$head:$vmt/function-plt.config" >"$work/function-plt.config"
	# the runner of the last commit, for all of them
	rm -rf "$work/vmtest" && cp -r "$am/$vmt.sh" "$am/$vmt" "$work/"
	cp "$work/vmtest/demo.sh" "$work/"
	mkdir -p "$work/ok"
	for commit in $(git -C "$am" rev-list --reverse base.."$head"); do
		subject=$(git -C "$am" log -1 --format=%s "$commit")
		id=$(git -C "$am" rev-parse "$commit^{tree}")-gcc$toolchain-$(cat "$work"/*.config | sha256sum | cut -c 1-8)
		if [ -f "$work/ok/$id" ]; then
			result 0 "builds and boots (seen earlier): $subject"
			continue
		fi
		log=$logs/check-commit-$(git -C "$am" rev-parse --short "$commit").log
		if one_commit "$commit" >"$log" 2>&1; then
			: >"$work/ok/$id"
			result 0 "builds and boots: $subject"
		else
			result 1 "builds and boots: $subject" "$log"
		fi
	done
	tree_at "$am" "$tree" "$head"
}

# touched SUFFIX... - objects of existing and new sources that this configuration builds
touched()
{
	git -C "$am" diff --name-only base "$head" -- '*.c' '*.S' |
		grep -E '^(arch/arm64|kernel|lib|mm|fs|include|init)/' | grep -v -E '/tests?/|_kunit\.c$' || true
}

base_tree()
{
	basetree=$work/base
	tree_at "$basetree" "$tree" base
}

# prepared TREE OBJ FRAGMENT... - configured, with the generated headers
prepared()
{
	local src=$1 obj=$2

	shift 2
	mkdir -p "$obj"
	(cd "$src" && ARCH=arm64 CROSS_COMPILE=$cross scripts/kconfig/merge_config.sh -n -O "$obj" "$@") &&
		kmake "$src" "$obj" "-j$(nproc)" prepare modules_prepare
}

# warnings TREE OBJ FILE - what W=1 and sparse say, without line numbers
warnings()
{
	local obj=${3%.*}.o

	[ -f "$1/$3" ] || return 0
	rm -f "$2/$obj"
	kmake "$1" "$2" W=1 C=1 "$obj" >"$work/w.out" 2>&1 || { cat "$work/w.out" >&2; return 1; }
	sed -n -E '/warning|error|not found/I { s/:[0-9]+(:[0-9]+)?:/:/; s,^(\.\./)*,,; p }' "$work/w.out" | sort
}

static_analysis()
{
	local file bad=0

	command -v sparse
	base_tree
	prepared "$basetree" "$work/w1-base" "$work/default.config" >&2
	prepared "$am" "$work/w1" "$work/default.config" "$work/function-plt.config" >&2
	for file in $(touched); do
		warnings "$basetree" "$work/w1-base" "$file" >"$work/w.base"
		warnings "$am" "$work/w1" "$file" >"$work/w.new"
		comm -13 "$work/w.base" "$work/w.new" >"$work/w.added"
		[ ! -s "$work/w.added" ] || { cat "$work/w.added"; bad=1; }
		[ ! -f "$work/w1/${file%.*}.o" ] || echo "looked at $file"
	done
	return "$bad"
}

# code OBJECT - all instructions and read-only data
code()
{
	local section

	"${cross}objdump" -d -r --no-show-raw-insn "$1" | tail -n +4
	"${cross}objdump" -h "$1" | awk '$2 ~ /^\.rodata/ { print $2 }' | while read -r section; do
		echo "$section"
		"${cross}objdump" -s -j "$section" "$1" | tail -n +4
	done
}

options_off()
{
	local file obj bad=0 reason

	base_tree
	grep -v -E 'CONFIG_(SAMPLE_)?LIVEPATCH=' "$work/default.config" >"$work/off.config"
	prepared "$basetree" "$work/off-base" "$work/off.config" >&2
	prepared "$am" "$work/off" "$work/off.config" >&2
	for file in $(touched); do
		obj=${file%.*}.o
		[ -f "$basetree/$file" ] || continue
		if ! kmake "$basetree" "$work/off-base" "$obj" >&2; then
			echo "note: $file is not built by the base with the options off"
			continue
		fi
		kmake "$am" "$work/off" "$obj" >&2
		code "$work/off-base/$obj" >"$work/code.base"
		code "$work/off/$obj" >"$work/code.new"
		[ -s "$work/code.base" ]
		cmp -s "$work/code.base" "$work/code.new" && { echo "same: $obj"; continue; }
		reason=$(awk -F '\t' -v f="$file" '$1 == f { print $2 }' "$TOP/series/off-differs.tsv")
		if [ -n "$reason" ]; then
			echo "differs, as it must: $obj: $reason"
		else
			echo "differs: $obj"
			diff "$work/code.base" "$work/code.new" | head -n 20 || true
			bad=1
		fi
	done
	return "$bad"
}

shell_scripts()
{
	local files

	command -v shellcheck
	mapfile -t files < <(cd "$TOP" && git ls-files -co --exclude-standard |
		grep -E '^(\.ci/run|series/.*\.sh|tools/.*\.sh|samples/.*\.sh|scripts/.*\.sh)$' |
		grep -v '^series/pending/')
	# the guest's and lib.sh's files are not followed, nor known what they set
	(cd "$TOP" && shellcheck -x -e SC1091,SC2154 "${files[@]}")
}

if [ -n "$full" ]; then
	every_commit
	question 'sparse and W=1 add nothing to what the base prints' static_analysis
	question 'with the options off, touched objects are as in mainline' options_off
	grep -h '^differs, as' "$logs/check-options_off.log" | sed 's/^/# /' || true
	question 'shellcheck finds nothing in the scripts' shell_scripts
fi
echo "1..$n"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
