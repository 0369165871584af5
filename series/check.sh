#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is the series fit to be sent? One KTAP result for each question.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--full | --only QUESTION] TREE

Checks the mails and the new files of this project against TREE's 'base':

  git am applies every mail to the pristine base; mails and files are the same
  bytes that export.sh would write; checkpatch --strict finds nothing; no hunk
  leans on a line that only Debian's source has; MAINTAINERS covers every new
  file; messages are complete; the project's top level holds nothing else.

With --full also

  git am applies every mail to the source that upstream released, without
  Debian's changes;
  every commit builds and boots (done once for each tree and toolchain, so an
  interrupted run goes on where it was); sparse and W=1 add no line to what
  the base prints; with the new options off the touched objects hold
  mainline's instructions and read-only data; a kernel for x86_64 builds and
  links with live patching and without, and W=1 adds no line there either; the
  shell scripts pass shellcheck.

With --only, after the first question, just one of them: same_bytes,
top_level, checkpatch, debian_lines, maintainers, messages, upstream,
every_commit, static_analysis, options_off, x86 or shell_scripts.

Exit status 0 only if every answer is yes. Details are in build/logs/check-*.
USAGE
}

full=
only=
while [ $# -gt 0 ]; do
	case $1 in
	--full) full=y ;;
	--only)
		only=${2:-}
		case $only in
		same_bytes | top_level | checkpatch | debian_lines | maintainers | messages | \
		upstream | every_commit | static_analysis | options_off | x86 | shell_scripts) ;;
		*) usage_error "there is no question '$only'" ;;
		esac
		shift
		;;
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

	[ -z "$only" ] || [ "$only" = "$2" ] || [ "$2" = applies ] || return 0
	# in a shell of its own, and not in a condition: there, set -e would be off
	set +e
	(set -e; "$2") >"$log" 2>&1
	status=$?
	set -e
	if [ "$status" -eq 0 ] && grep -q '^SKIP ' "$log"; then
		n=$((n + 1))
		skipped=$((skipped + 1))
		echo "ok $n $1 # $(grep -m 1 '^SKIP ' "$log")"
		return
	fi
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
# lockdown code, as far as is known; upstream() asks upstream. Mails that touch their lines would not apply to upstream.
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

# The whole of that question: what upstream released, which Debian's source
# package brings beside Debian's changes, takes the mails as they are.
upstream()
{
	local apt orig=$work/upstream version
	local -a files

	apt=$(dirname "$tree")/apt/apt.conf
	version=$(git -C "$tree" log -1 --format=%b base | sed -n 's/^Source: linux-source-[^ ]* //p')
	if [ ! -r "$apt" ] || [ -z "$version" ]; then
		echo "SKIP the base is not a package of Debian, there is no other source to compare with"
		return
	fi
	rm -rf "$orig"
	mkdir -p "$orig/lists/partial" "$orig/linux"
	sed 's/^deb /deb-src /' "$(dirname "$apt")/sources.list" >"$orig/sources.list"
	cd "$orig"
	export APT_CONFIG=$apt
	local opts=(-q -o "Dir::Etc::SourceList=$orig/sources.list" -o "Dir::State::Lists=$orig/lists")
	if ! apt-get "${opts[@]}" update ||
	   ! apt-get "${opts[@]}" source --download-only --tar-only "linux=$version"; then
		echo "SKIP the mirror has no source package linux $version"
		return
	fi
	mapfile -t files < <(git -C "$am" diff --name-only --no-renames --diff-filter=MDT base "$head")
	tar -x -f linux_*.orig.tar.xz -C linux --strip-components=1 --wildcards "${files[@]/#/*/}"
	rm -f linux_*.orig.tar.xz
	git_tree linux init -q
	git_tree linux add -A -f
	git_tree linux -c user.name=base -c user.email=base@localhost commit -q -m 'upstream'
	GIT_COMMITTER_NAME=series GIT_COMMITTER_EMAIL=series@localhost \
		git_tree linux am -q "${mails[@]}"
}

# Every new file has a section of its own in MAINTAINERS, or its folder's.
maintainers()
{
	local file bad=0 sections

	while read -r file; do
		sections=$(cd "$am" && scripts/get_maintainer.pl --no-git --no-git-fallback \
			--sections --no-email --no-l -f "$file")
		case $sections in
		*'ARM64 FUNCTION PLTS'* | *'ARM64 FTRACE REGISTERS'* | *'ARM64 UNWIND TABLES'* | *'LIVE PATCHING'* | *'OBJTOOL'* | *'TRACING'*) ;;
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

# known COMMIT - those lines of function-plt.config whose option the commit has
known()
{
	local line name

	while IFS= read -r line; do
		name=$(sed -n -E 's/^(# )?CONFIG_([A-Z0-9_]+)[= ].*/\2/p' <<<"$line")
		[ -z "$name" ] || ! git -C "$am" grep -q -E "^(menu)?config $name\$" "$1" -- '*Kconfig*' ||
			printf '%s\n' "$line"
	done <"$work/function-plt.config"
}

# Each commit, oldest first, with the options on as soon as there are any
one_commit() # COMMIT
{
	tree_at "$am" "$tree" "$1" || return 1
	[ "$(git -C "$am" rev-parse HEAD)" = "$1" ] || return 1
	"$TOP/series/build.sh" --kernel-only "$am" "$work/obj" \
		"$work/default.config" "$work/known.config" || return 1
	"$work/vmtest.sh" --image "$work/obj/arch/arm64/boot/Image" --modules "$work/obj/root" \
		--userland "$BUILD/userland.cpio.zst" --far --timeout 300 \
		--copy "$work/demo.sh" -- bash ./demo.sh
}

every_commit()
{
	local commit id subject log toolchain

	[ -z "$only" ] || [ "$only" = every_commit ] || return 0
	toolchain=$("${cross}gcc" -dumpfullversion)
	# the runner of the last commit, for all of them
	rm -rf "$work/vmtest" && cp -r "$am/$vmt.sh" "$am/$vmt" "$work/"
	cp "$work/vmtest/demo.sh" "$work/"
	mkdir -p "$work/ok"
	for commit in $(git -C "$am" rev-list --reverse base.."$head"); do
		subject=$(git -C "$am" log -1 --format=%s "$commit")
		known "$commit" >"$work/known.config"
		id=$(git -C "$am" rev-parse "$commit^{tree}")-gcc$toolchain-$(
			cat "$work/default.config" "$work/known.config" | sha256sum | cut -c 1-8)
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

# at the same path as seen from its objects, which hold names of source files
base_tree()
{
	basetree=$work/base/linux
	mkdir -p "$work/base"
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
	# Debian 12's sparse does not know this word, and the build then does
	# without sparse, which must not pass for a check.
	kmake "$1" "$2" W=1 C=1 "CHECK=sparse -D__typeof_unqual__=__typeof__" "$obj" \
		>"$work/w.out" 2>&1 || { cat "$work/w.out" >&2; return 1; }
	! grep -F 'is not available or not up to date' "$work/w.out" >&2 || return 1
	sed -n -E '/warning|error|not found/I { s/:[0-9]+(:[0-9]+)?:/:/; s,^(\.\./)*,,; p }' \
		"$work/w.out" | sed "s,$1/,," | sort
}

# host_warnings TREE FILE - the same for a program of the host
host_warnings()
{
	[ -f "$1/$2" ] || return 0
	(cd "$1" && gcc -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
		-Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition \
		-Iscripts/include -Itools/include -Itools/include/uapi -Iarch/arm64/include "$2" 2>&1) |
		sed -n -E '/warning|error/ { s/:[0-9]+(:[0-9]+)?:/:/; p }' | sort
}

static_analysis()
{
	local file bad=0

	command -v sparse
	base_tree
	prepared "$basetree" "$work/base/w1" "$work/default.config" >&2
	prepared "$am" "$work/w1" "$work/default.config" "$work/function-plt.config" >&2
	# kbuild knows no W=1 for programs of the host
	for file in $(git -C "$am" diff --name-only base "$head" -- 'scripts/*.c'); do
		host_warnings "$basetree" "$file" >"$work/w.base"
		host_warnings "$am" "$file" >"$work/w.new"
		comm -13 "$work/w.base" "$work/w.new" >"$work/w.added"
		[ ! -s "$work/w.added" ] || { cat "$work/w.added"; bad=1; }
		echo "looked at $file"
	done
	for file in $(touched); do
		warnings "$basetree" "$work/base/w1" "$file" >"$work/w.base"
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
	prepared "$basetree" "$work/base/off" "$work/off.config" >&2
	prepared "$am" "$work/off" "$work/off.config" >&2
	for file in $(touched); do
		obj=${file%.*}.o
		[ -f "$basetree/$file" ] || continue
		if ! kmake "$basetree" "$work/base/off" "$obj" >&2; then
			echo "note: $file is not built by the base with the options off"
			continue
		fi
		kmake "$am" "$work/off" "$obj" >&2
		code "$work/base/off/$obj" >"$work/code.base"
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

# What is not arm64's is built on x86_64 as well, the other architecture that
# most people patch live.
x86_config() # y or n: live patching
{
	cat <<-CONFIG
	CONFIG_64BIT=y
	CONFIG_SMP=y
	CONFIG_EXPERT=y
	CONFIG_MULTIUSER=y
	CONFIG_PRINTK=y
	CONFIG_BUG=y
	CONFIG_PROC_FS=y
	CONFIG_SYSFS=y
	CONFIG_MODULES=y
	CONFIG_MODULE_UNLOAD=y
	CONFIG_KALLSYMS=y
	CONFIG_KALLSYMS_ALL=y
	CONFIG_PERF_EVENTS=y
	CONFIG_NET=y
	CONFIG_BPF_SYSCALL=y
	CONFIG_BPF_JIT=y
	CONFIG_DEBUG_KERNEL=y
	CONFIG_KGDB=y
	CONFIG_KGDB_KDB=y
	CONFIG_FTRACE=y
	CONFIG_FUNCTION_TRACER=y
	CONFIG_FUNCTION_GRAPH_TRACER=y
	CONFIG_DYNAMIC_FTRACE=y
	CONFIG_FPROBE=y
	CONFIG_KPROBES=y
	CONFIG_KPROBE_EVENTS=y
	CONFIG_UNWINDER_ORC=y
	CONFIG_LIVEPATCH=$1
	CONFIG_WERROR=n
	CONFIG
}

x86()
{
	local compiler=x86_64-linux-gnu- livepatch obj src where bad=0
	local objects=(kernel/livepatch/ kernel/trace/ kernel/module/ kernel/kprobes.o kernel/kallsyms.o
		kernel/debug/ arch/x86/kernel/ftrace.o arch/x86/kernel/kprobes/)

	[ "$(uname -m)" != x86_64 ] || compiler=
	command -v "${compiler}gcc" || { echo "SKIP there is no compiler for x86_64, ${compiler}gcc"; return; }
	xmake()
	{
		kmake "$1" "$2" "-j$(nproc)" ARCH=x86_64 CROSS_COMPILE=$compiler \
			CC="$(command -v ccache >/dev/null && echo 'ccache ')${compiler}gcc" "${@:3}"
	}
	base_tree
	for livepatch in y n; do
		x86_config $livepatch >"$work/x86.config"
		for where in base new; do
			src=$am obj=$work/x86-$livepatch
			[ $where = new ] || src=$basetree obj=$work/base/x86-$livepatch
			rm -rf "$obj" && mkdir -p "$obj"
			(cd "$src" && ARCH=x86_64 CROSS_COMPILE=$compiler \
				scripts/kconfig/merge_config.sh -n -O "$obj" "$work/x86.config") >&2
			[ "$(sed -n 's/^CONFIG_LIVEPATCH=//p' "$obj/.config")" = "${livepatch#n}" ] ||
				{ echo "CONFIG_LIVEPATCH is not $livepatch"; return 1; }
			if [ $where = new ]; then
				xmake "$src" "$obj" vmlinux >&2 || { echo "LIVEPATCH=$livepatch: no vmlinux"; return 1; }
				echo "linked with LIVEPATCH=$livepatch"
			else
				xmake "$src" "$obj" prepare >&2
			fi
			set -- "${objects[@]}"
			[ $livepatch = y ] || shift
			xmake "$src" "$obj" W=1 "$@" >"$work/w.out" 2>&1 || { cat "$work/w.out"; return 1; }
			sed -n -E '/warning|error|not found/I { s/:[0-9]+(:[0-9]+)?:/:/; s,^(\.\./)*,,; p }' \
				"$work/w.out" | sed "s,$src/,," | sort >"$work/w.$where"
		done
		comm -13 "$work/w.base" "$work/w.new" >"$work/w.added"
		[ ! -s "$work/w.added" ] || { cat "$work/w.added"; bad=1; }
		echo "looked at $* with LIVEPATCH=$livepatch"
	done
	return "$bad"
}

shell_scripts()
{
	local files bad=0

	command -v shellcheck
	cd "$TOP"
	# The guest's and lib.sh's files are not followed, nor known what they set;
	# and functions that are called by name are taken for unreachable.
	local not=(-x -e 'SC1091,SC2154,SC2317')
	mapfile -t files < <(git ls-files -co --exclude-standard '.ci/run' 'series/*.sh')
	shellcheck "${not[@]}" "${files[@]}" || bad=1
	# The kernel's selftests leave names without a space unquoted.
	mapfile -t files < <(git ls-files -co --exclude-standard '*.sh' | grep -v '^series/')
	shellcheck -S warning "${not[@]}" "${files[@]}" || bad=1
	return "$bad"
}

if [ -n "$full$only" ]; then
	for config in default function-plt; do
		git -C "$am" show "$head:$vmt/$config.config" >"$work/$config.config"
	done
	# and what is not part of every profile
	echo CONFIG_ARM64_UNWIND_TABLE=y >>"$work/function-plt.config"
	question "git am applies every mail to upstream's own source" upstream
	every_commit
	question 'sparse and W=1 add nothing to what the base prints' static_analysis
	question 'with the options off, touched objects are as in mainline' options_off
	grep -h '^differs, as' "$logs/check-options_off.log" 2>/dev/null | sed 's/^/# /' || true
	question 'x86_64 builds, W=1 adds nothing' x86
	question 'shellcheck finds nothing in the scripts' shell_scripts
fi
echo "1..$n"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
