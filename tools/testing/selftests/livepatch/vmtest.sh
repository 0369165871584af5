#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot an arm64 kernel in QEMU, run the livepatch selftests or any other
# command there, and tell by the exit status how that went.  Needs no root and
# runs on any machine with qemu-system-aarch64; see --help and README.

set -u -o pipefail
export LC_ALL=C

PROG=${0##*/}
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P) || exit 2
PARTS=$HERE/vmtest

PASS=0 TESTS_FAILED=1 USAGE=2 CRASHED=3 TIMED_OUT=4 NOT_FAR=5

usage() {
	cat <<-END
	Usage: $PROG --image FILE --userland FILE [options] [-- COMMAND...]

	Boot an arm64 kernel in QEMU and run COMMAND, or with --tests the kernel's
	selftests, in it.

	What to boot:
	  --image FILE        the kernel: arch/arm64/boot/Image or Image.gz
	  --userland FILE     what vmtest/userland.sh has made
	  --modules DIR       the kernel's modules, as put there by
	                      make INSTALL_MOD_PATH=DIR modules_install
	  --tests DIR         installed selftests, as put there by
	                      make -C tools/testing/selftests TARGETS=livepatch
	                      INSTALL_PATH=DIR install; all of them are run unless
	                      there is a COMMAND, which then starts in DIR
	  --test NAME         only this one of --tests (repeatable)
	  --copy FILE[:PATH]  put a file or directory into the guest, at PATH or
	                      else into /root, where COMMAND starts (repeatable)
	  --shell             an interactive shell instead of a COMMAND

	Where the kernel and its modules are:
	  --near              turn KASLR off: modules within reach of a branch
	  --far               boot until modules are more than 128 MiB away from
	                      the kernel, with another seed each time
	  --tries N           ... but no more than N times (default 10)
	  --seed N            seed of what is random in the virtual machine: fixes
	                      the address of the kernel, though not those of the
	                      modules (default: a random one)

	How to boot:
	  --smp N             number of CPUs (default 2)
	  --memory SIZE       memory (default 1G)
	  --cpu MODEL         CPU model (default max)
	  --icount            count instructions: the guest's clock advances by 1 ns
	                      with each of them; implies --smp 1
	  --one-thread        emulate all CPUs in one thread, by turns: otherwise
	                      older QEMUs (7.2 was seen to) at times go on with an
	                      instruction that was replaced
	  --append STR        more kernel parameters (repeatable)
	  --qemu-arg ARG      one more argument of QEMU (repeatable)
	  --timeout SECONDS   end everything after that time (default 120, with
	                      --tests 1800)

	What to say:
	  --allow REGEX       tolerate lines of the console that match (repeatable)
	  --log FILE          keep the console and the output of COMMAND in FILE
	                      (default: only when something fails, in a new file)
	  --verbose           show the console, too
	  -h, --help          this text

	Output of COMMAND goes to the standard output, everything else to the
	standard error.  If it is KTAP, its results decide, and the exit status of
	COMMAND as well; else only that.  A kernel that complains on its console is
	a failure in any case.

	Exit status:
	  $PASS    passed
	  $TESTS_FAILED    a test failed, or the results are incomplete
	  $USAGE    wrong usage, or something is missing on this machine
	  $CRASHED    the kernel crashed, complained, or printed nothing
	  $TIMED_OUT    not done within the time limit
	  $NOT_FAR    --far found no seed with far modules, or --near far ones
	  130, 143  interrupted

	Environment: QEMU (default qemu-system-aarch64), TMPDIR.
	END
}

say() {
	echo "$PROG: $*" >&2
}

die() {
	local status=$1

	shift
	say "$*"
	exit "$status"
}

# --------------------------------------------------------------------------
# Command line

image='' userland='' modules='' tests='' log='' place='' seed='' shell=''
icount='' one_thread='' verbose='' timeout='' tries=10 smp=2 memory=1G cpu=max
append='' qemu_args=() copies=() names=() allow=() command=()

arg() {
	[[ $# -ge 2 && -n "$2" ]] || die $USAGE "$1 needs a value, see --help"
}

number() {
	arg "$@"
	[[ "$2" =~ ^[1-9][0-9]{0,8}$ ]] ||
		die $USAGE "$1 needs a number above 0, not \"$2\""
}

while [[ $# -gt 0 ]]; do
	case "$1" in
	--image)	arg "$@"; image=$2; shift ;;
	--userland)	arg "$@"; userland=$2; shift ;;
	--modules)	arg "$@"; modules=$2; shift ;;
	--tests)	arg "$@"; tests=$2; shift ;;
	--test)		arg "$@"; names+=("$2"); shift ;;
	--copy)		arg "$@"; copies+=("$2"); shift ;;
	--shell)	shell=1 ;;
	--near | --far)
		[[ -z "$place" || "$place" == "${1#--}" ]] ||
			die $USAGE "--near and --far exclude each other"
		place=${1#--} ;;
	--tries)	number "$@"; tries=$2; shift ;;
	--seed)		number "$@"; seed=$2; shift ;;
	--smp)		number "$@"; smp=$2; shift ;;
	--memory)	arg "$@"; memory=$2; shift ;;
	--cpu)		arg "$@"; cpu=$2; shift ;;
	--icount)	icount=1 ;;
	--one-thread)	one_thread=1 ;;
	--append)	arg "$@"; append+=" $2"; shift ;;
	--qemu-arg)	arg "$@"; qemu_args+=("$2"); shift ;;
	--timeout)	number "$@"; timeout=$2; shift ;;
	--allow)	arg "$@"; allow+=("$2"); shift ;;
	--log)		arg "$@"; log=$2; shift ;;
	--verbose)	verbose=1 ;;
	-h | --help)	usage; exit 0 ;;
	--)		shift; command=("$@"); break ;;
	*)		die $USAGE "unknown argument \"$1\", see --help" ;;
	esac
	shift
done

# --------------------------------------------------------------------------
# What is there, and is it what it should be?

qemu=${QEMU:-qemu-system-aarch64}

# Documentation/arch/arm64/booting.rst: image_size at offset 16, "ARM\x64" at 56
check_image() {
	local cat=cat header wanted size

	[[ -n "$image" ]] || die $USAGE "which kernel? Give --image FILE"
	[[ -f "$image" && -r "$image" ]] ||
		die $USAGE "$image: no such kernel: build it, or correct --image"
	if [[ $(head -c 2 "$image" | od -An -tx1 | tr -d ' \n') == 1f8b ]]; then
		gzip -t "$image" 2>/dev/null ||
			die $USAGE "$image: broken gzip file: build the kernel again"
		cat="gzip -dc"
	fi
	header=$($cat <"$image" 2>/dev/null | head -c 64 |
		od -An -v -tx1 | tr -d ' \n')
	[[ ${header:112:8} == 41524d64 ]] || die $USAGE \
		"$image: not an arm64 Image: take arch/arm64/boot/Image of the build"
	# The file lacks .bss, which does not make up the bigger part.
	wanted=$((0x${header:38:2}${header:36:2}${header:34:2}${header:32:2}))
	size=$($cat <"$image" | wc -c)
	((size >= wanted / 4)) || die $USAGE \
		"$image: truncated to $size bytes of a kernel that takes $wanted: build it again"
}

check_userland() {
	[[ -n "$userland" ]] ||
		die $USAGE "which user land? Make one by vmtest/userland.sh FILE" \
			"and give --userland FILE"
	[[ -f "$userland" && -r "$userland" ]] ||
		die $USAGE "$userland: no such user land: make it by vmtest/userland.sh $userland"
	case $(head -c 6 "$userland" | od -An -tx1 | tr -d ' \n') in
	28b52ffd* | 1f8b* | 303730373031) ;;
	*)	die $USAGE "$userland: not an initramfs: make it by vmtest/userland.sh $userland" ;;
	esac
}

check_tests() {
	local name line

	if [[ -z "$tests" ]]; then
		[[ ${#names[@]} -eq 0 ]] || die $USAGE "--test needs --tests"
		return
	fi
	[[ -f "$tests/run_kselftest.sh" && -f "$tests/kselftest-list.txt" ]] ||
		die $USAGE "$tests: no installed selftests: make -C" \
			"tools/testing/selftests TARGETS=livepatch" \
			"INSTALL_PATH=$tests install"
	[[ ${#names[@]} -eq 0 || ${#command[@]} -eq 0 ]] ||
		die $USAGE "either --test or a COMMAND"
	[[ ${#command[@]} -eq 0 && -z "$shell" ]] || return

	# The output of all that is run goes through pipes.  No time limit
	# for single tests, which were set for real hardware.
	command=(stdbuf -oL ./run_kselftest.sh --override-timeout 0)
	for name in "${names[@]}"; do
		line=$(grep -Fx -e "$name" "$tests/kselftest-list.txt" ||
			awk -F: -v n="$name" '$2 == n' "$tests/kselftest-list.txt")
		[[ -n "$line" && "$line" != *$'\n'* ]] || die $USAGE \
			"$name: no such test in $tests/kselftest-list.txt, or more than one"
		command+=(--test "$line")
	done
	ktap_wanted=1
}

ktap_wanted=''
command -v "$qemu" >/dev/null ||
	die $USAGE "$qemu is missing: install QEMU for arm64 (Debian: qemu-system-arm), or set QEMU"
for tool in cpio awk od timeout; do
	command -v $tool >/dev/null || die $USAGE "$tool is missing: install it"
done
for part in init ktap.awk; do
	[[ -r "$PARTS/$part" ]] ||
		die $USAGE "$PARTS/$part is missing: take all of the kernel tree"
done
check_image
check_userland
if [[ -n "$modules" ]]; then
	[[ -d "$modules/lib/modules" && -n $(ls -A "$modules/lib/modules") ]] ||
		die $USAGE "$modules: no lib/modules in there: make" \
			"INSTALL_MOD_PATH=$modules modules_install"
fi
check_tests
for c in "${copies[@]}"; do
	[[ -e "${c%%:*}" ]] ||
		die $USAGE "${c%%:*}: no such file: correct --copy"
	[[ "$c" != *:* || "$c" == *:/?* ]] ||
		die $USAGE "--copy $c: the path in the guest has to begin with /"
done
for re in "${allow[@]}"; do
	grep -qE -e "$re" </dev/null 2>/dev/null
	[[ $? -le 1 ]] || die $USAGE "--allow $re: not a regular expression"
done
if [[ -n "$shell" ]]; then
	[[ ${#command[@]} -eq 0 ]] || die $USAGE "either --shell or a COMMAND"
	[[ -t 0 ]] || die $USAGE "--shell needs a terminal"
elif [[ ${#command[@]} -eq 0 ]]; then
	die $USAGE "run what? Give --tests DIR, -- COMMAND, or --shell"
fi
if [[ -n "$log" ]]; then
	: >"$log" || die $USAGE "$log: cannot write there: correct --log"
	log=$(realpath -- "$log")
fi
timeout=${timeout:-$([[ -n "$tests" ]] && echo 1800 || echo 120)}
seed=${seed:-$((RANDOM + 1))}

# --------------------------------------------------------------------------
# Temporary files

work='' qemu_pid='' tail_pids=() keep_log=''

stop_qemu() {
	local i

	[[ -n "$qemu_pid" ]] || return
	kill -TERM "$qemu_pid" 2>/dev/null
	for ((i = 0; i < 20; i++)); do
		kill -0 "$qemu_pid" 2>/dev/null || break
		nap 0.1
	done
	# timeout leads a process group of its own.
	kill -KILL -- "-$qemu_pid" 2>/dev/null
	wait "$qemu_pid" 2>/dev/null
	qemu_pid=''
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	trap '' INT TERM HUP
	if [[ -n "$qemu_pid" ]]; then
		stop_qemu
		kill "${tail_pids[@]}" 2>/dev/null
		fold_output >/dev/null
		save_log
	fi
	[[ -n "$work" ]] && rm -rf "$work"
}

trap cleanup EXIT
trap 'say "interrupted"; exit 130' INT
trap 'say "terminated"; exit 143' TERM HUP

work=$(mktemp -d "${TMPDIR:-/tmp}/vmtest.XXXXXXXX") ||
	die $USAGE "cannot create a directory in ${TMPDIR:-/tmp}: is it full? Set TMPDIR"
console=$work/console out=$work/output
if ! { mkfifo "$work/never" && exec 9<>"$work/never"; }; then
	die $USAGE "cannot create a pipe in $work"
fi

# sleep without a process
nap() {
	read -r -t "$1" -u 9
}

nonce=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
[[ ${#nonce} -eq 32 ]] || die $USAGE "cannot read /dev/urandom"

# --------------------------------------------------------------------------
# The initramfs: the user land, and an overlay for this run

no_space() {
	die $USAGE "cannot write $work:" \
		"$(df -h "$work" | awk 'END { print $4 }') are left in" \
		"${TMPDIR:-/tmp}, free some or set TMPDIR"
}

make_overlay() {
	local root=$work/root c from to i=0

	mkdir -p "$root/vmtest/files" || no_space
	install -m 755 "$PARTS/init" "$root/init" || no_space
	if [[ -n "$modules" ]]; then
		cp -a "$modules/lib/modules" "$root/vmtest/modules" || no_space
		# Links into the source and build directories of the host
		rm -rf "$root"/vmtest/modules/*/{build,source}
	fi
	if [[ -n "$tests" ]]; then
		mkdir "$root/vmtest/tests" || no_space
		cp -a "$tests/." "$root/vmtest/tests" || no_space
	fi
	: >"$root/vmtest/moves"
	for c in "${copies[@]}"; do
		from=${c%%:*}
		to=/root/$(basename -- "$from")
		[[ "$c" == *:* ]] && to=${c#*:}
		# init moves them, as the overlay must not replace a link like
		# /lib of the user land by a directory.
		cp -aL -- "$from" "$root/vmtest/files/$i" || no_space
		printf '%d\t%s\n' $i "$to" >>"$root/vmtest/moves"
		((++i))
	done
	{
		echo "nonce=$nonce"
		# Init's own limit comes first, so that it can tell what hangs.
		echo "limit=$((timeout - timeout / 10 - 5))"
		echo "mode=${shell:+shell}"
		echo "place=$place"
	} >"$root/vmtest/settings" || no_space
	printf '%q ' "${command[@]}" >"$root/vmtest/command" || no_space

	# Uncompressed archives have to begin at a multiple of 4 bytes.
	cat -- "$userland" >"$work/initrd" || no_space
	truncate -s %4 "$work/initrd" || no_space
	(cd "$root" && find . -print0 |
		cpio --quiet -0 -o -H newc -R 0:0) >>"$work/initrd" || no_space
	chmod -R u+rwX "$root" && rm -rf "$root"
}

# --------------------------------------------------------------------------
# One boot

# Commas separate QEMU's options, a double one stands for itself.
quote() {
	echo "${1//,/,,}"
}

# What the command printed, without the reports of the guest's init and the
# newline ahead of each of them.  sed, as mawk would wait for whole blocks.
unreported() {
	local report="vmtest-[a-z]* $nonce"

	sed -u -e 's/\r$//' -e "/^\$/{N;/^\n$report/d;P;D}" -e "/^$report/d"
}

# Take apart what the console and the channel of the output have got.  If the
# kernel drives no second channel, all is on the console: the output as it
# came, which counts if the guest could not repeat it all at the end.
fold_output() {
	local stamp='\[ *[0-9]+\.[0-9]{6}\]'

	# A message of the kernel is printed in one go, but it may begin in the
	# middle of a line of ours.
	tr -d '\r' <"$console" |
		sed -E "s/^([^[].*)($stamp)/\1\n\2/" >"$console.txt"
	if [[ ! -s "$out" ]]; then
		if ! grep -qa "^vmtest-end $nonce" "$console.txt"; then
			sed -i "s/^vmtest-live $nonce/vmtest-out $nonce/" "$console.txt"
		fi
		sed -n "s/^vmtest-out $nonce //p" "$console.txt" | tee "$out"
		grep -aE "^vmtest-[a-z]+ $nonce" "$console.txt" |
			grep -avE "^vmtest-(out|live) " >>"$out"
	fi
	sed -i "/^vmtest-[a-z]* $nonce/d" "$console.txt"
	unreported <"$out" >"$out.txt"
}

# report KIND: what the guest had to say about KIND, if it did
report() {
	sed -n "s/^vmtest-$1 $nonce //p" "$out" 2>/dev/null | head -n 1
}

# Has the guest nothing more to say though it did not power itself off?
is_over() {
	tail -qc 300 "$out" "$console" 2>/dev/null | grep -qaE \
		-e "^vmtest-(end|setup) $nonce" -e '-\[ end Kernel panic'
}

too_much() {
	stat -c %s "$out" "$console" |
		awk '{ sum += $1 } END { exit sum < 256 * 1024 * 1024 }'
}

boot() {
	local params accel=tcg,thread=multi deadline over='' checked start
	local model=$cpu cpus=$smp args=()

	# Pointer authentication by QARMA5 is slow to emulate.
	[[ "$model" == max ]] && model=max,pauth-impdef=on
	# Early messages are there, too, and a panic ends QEMU at once.
	params="console=ttyAMA0 earlycon panic=-1 oops=panic"
	[[ "$place" == near ]] && params+=" nokaslr"
	[[ -z "$one_thread" ]] || accel=tcg,thread=single
	if [[ -n "$icount" ]]; then
		accel=tcg,thread=single cpus=1
		# An idle guest's clock goes on to the next timer at once.
		args+=(-icount shift=0,sleep=off)
	fi
	# shellcheck disable=SC2054 # QEMU wants the comma
	args+=(-M virt,gic-version=3 -accel "$accel" -cpu "$model"
		-smp "$cpus" -m "$memory" -seed "$seed"
		-nodefaults -no-user-config -no-reboot -display none
		-kernel "$image" -initrd "$work/initrd" -append "$params$append")

	if [[ -n "$shell" ]]; then
		say "starting a shell, Ctrl-A X ends QEMU"
		"$qemu" "${args[@]}" -serial mon:stdio "${qemu_args[@]}" ||
			die $USAGE "QEMU ended with status $?"
		return
	fi

	: >"$console" || no_space
	: >"$out" || no_space
	# The guard ends QEMU even if this script cannot.
	timeout --kill-after=5 $((timeout + 30)) "$qemu" "${args[@]}" \
		-chardev "file,id=con,path=$(quote "$console")" -serial chardev:con \
		-device virtio-serial-device \
		-chardev "file,id=out,path=$(quote "$out")" \
		-device virtserialport,chardev=out,name=vmtest \
		"${qemu_args[@]}" \
		</dev/null >"$work/qemu" 2>&1 9>&- &
	qemu_pid=$!
	start=$SECONDS checked=$SECONDS
	deadline=$((SECONDS + timeout))
	tail -n +1 -s 0.2 --pid=$qemu_pid -f "$out" 2>/dev/null 9>&- |
		unreported 9>&- &
	tail_pids=($!)
	if [[ -n "$verbose" ]]; then
		tail -n +1 -s 0.2 --pid=$qemu_pid -f "$console" >&2 2>/dev/null 9>&- &
		tail_pids+=($!)
	fi

	ended='' qemu_status=0
	while kill -0 "$qemu_pid" 2>/dev/null; do
		nap 0.1
		((SECONDS > checked)) || continue
		checked=$SECONDS
		if ((SECONDS >= deadline)); then
			ended=timeout
		elif too_much; then
			ended=size
		elif [[ -n "$over" ]]; then
			ended=over
		elif is_over; then
			over=1
			continue
		else
			continue
		fi
		stop_qemu
		break
	done
	if [[ -n "$qemu_pid" ]]; then
		wait "$qemu_pid"
		qemu_status=$?
		qemu_pid=''
	fi
	# They end by themselves once QEMU is gone.
	wait "${tail_pids[@]}" 2>/dev/null
	tail_pids=()
	took=$((SECONDS - start))
	fold_output
}

# --------------------------------------------------------------------------
# The verdict

# What a kernel says when something is wrong with it.  Only at the beginning
# of a message, so that the name of a test or of a module may contain it.
BAD='WARNING:|-+\[ (cut here|ftrace bug) \]-|(watchdog: )?BUG[ :]|kernel BUG at'
BAD+='|Kernel panic|Oops|Internal error:|Unable to handle |Unhandled .*exception'
BAD+='|Bad mode in|Insufficient stack space|SError Interrupt|.*hard LOCKUP'
BAD+='|(rcu: )?INFO: .*(stall|blocked for more than|trying to register)'
BAD+='|rcu: .*(detected.* stall|kthread starved|kthread timer wakeup)'
BAD+='|INFO: (possible|suspicious|inconsistent) |DEBUG_LOCKS_WARN_ON'
BAD+='|refcount_t:|UBSAN:|KASAN:|kmemleak: [0-9]+ new|unreferenced object'
BAD+='|list_(add|del) corruption'
STAMP='^(\[ *[0-9]+\.[0-9]+\])?(\[ *[TC][0-9]+\])? ?'

bad_lines() {
	local re

	cp "$console.txt" "$work/watched" || no_space
	for re in "${allow[@]}"; do
		# An empty line, so that the others keep their numbers
		sed -i -E $'\\\001'"$re"$'\001s/.*//' "$work/watched"
	done
	grep -anE "$STAMP($BAD)" "$work/watched"
}

show() {
	sed "s/^/  | /" >&2
}

# Lines of the console around the first bad one, else its end
show_console() {
	local at=${1:-}

	if [[ ! -s "$console.txt" ]]; then
		[[ -s "$work/qemu" ]] && tail -n 10 "$work/qemu" | show
	elif [[ -n "$at" ]]; then
		sed -n "$((at > 3 ? at - 3 : 1)),$((at + 25))p" "$console.txt" | show
	else
		tail -n 15 "$console.txt" | show
	fi
}

save_log() {
	if [[ -z "$log" ]]; then
		[[ -n "$keep_log" ]] || return 0
		log=$(mktemp "${TMPDIR:-/tmp}/vmtest-log.XXXXXXXX") || return
	fi
	{
		echo "==== $PROG: console of $image, seed $seed"
		cat "$console.txt"
		echo "==== $PROG: output of ${command[*]}"
		cat "$out.txt"
		echo "==== $PROG: output of QEMU"
		cat "$work/qemu"
	} >>"$log" || say "$log: cannot write all of it: is there space?"
}

fail() {
	verdict=$1
	shift
	sentences+=("$*")
}

# The kernel is what is wrong, so the rest only follows from that.
crashed() {
	sentences=()
	fail $CRASHED "$*"
}

judge() {
	local end status taint bad first kind text free
	local ktap='' passed=0 failed=0 skipped=0 xfailed=0

	verdict=$PASS sentences=()
	end=$(report end)
	read -r status taint <<<"$end"
	bad=$(bad_lines)
	first=${bad%%:*}

	# The results, as far as there are any
	awk -f "$PARTS/ktap.awk" <"$out.txt" >"$work/results" || no_space
	while read -r kind text; do
		case "$kind" in
		ktap)	ktap=1 ;;
		fail)	say "failed: $text" ;;
		skip)	say "skipped: $text" ;;
		xfail)	say "failed as expected: $text" ;;
		count)	read -r passed failed skipped xfailed <<<"$text" ;;
		esac
	done <"$work/results"

	if [[ -n "$end" ]]; then
		if [[ -n "$ktap_wanted" && -z "$ktap" ]]; then
			fail $TESTS_FAILED "the selftests printed no KTAP"
		elif ((failed)); then
			fail $TESTS_FAILED "$failed failed"
		elif [[ -n "$ktap_wanted" ]] && ((!passed)); then
			fail $TESTS_FAILED "not one test passed"
		elif [[ "$status" == [1-9]* ]]; then
			fail $TESTS_FAILED "the command ended with status $status"
		fi
		if [[ "$status" == timeout ]]; then
			fail $TIMED_OUT "the command did not end within the" \
				"time limit of $timeout s"
		fi
		# A bad page, an Oops, a warning, a soft lockup
		if [[ -z "$bad" && ${#allow[@]} -eq 0 ]] &&
		   ((taint &= 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14)); then
			crashed "the kernel is tainted ($taint) by a complaint" \
				"that the console does not show"
		fi
	elif [[ "$ended" == size ]]; then
		fail $CRASHED "the guest printed more than 256 MiB"
	elif [[ ! -s "$console.txt" && ! -s "$out" ]]; then
		text="the kernel printed nothing"
		[[ "$ended" == timeout ]] && text+=" within $timeout s"
		fail $CRASHED "$text: is $image whole, and has it a driver for the console?"
	elif [[ "$ended" == timeout ]]; then
		fail $TIMED_OUT "the guest hung: it was not done after $timeout s"
	elif ((qemu_status)); then
		fail $CRASHED "QEMU ended with status $qemu_status: $(tail -n 1 "$work/qemu")"
	else
		fail $CRASHED "the guest died before the command had ended"
	fi
	if [[ -n "$bad" ]]; then
		bad=$(sed -E "s/^[0-9]+://;s/$STAMP//" <<<"$bad")
		if text=$(grep -m1 "^Kernel panic" <<<"$bad"); then
			crashed "the kernel panicked: $text"
		else
			crashed "the kernel complained: ${bad%%$'\n'*}"
		fi
	fi
	free=$(df --output=avail -k "$work" | tail -n 1)
	if [[ $verdict -ne $PASS ]] && ((free < 64)); then
		sentences=()
		fail $USAGE "no space is left in ${TMPDIR:-/tmp}: free some or set TMPDIR"
	fi

	[[ $verdict -eq $PASS ]] || keep_log=1
	save_log
	if [[ $verdict -eq $CRASHED || $verdict -eq $TIMED_OUT ]]; then
		show_console "$first"
	elif [[ $verdict -ne $PASS && -z "$ktap" ]]; then
		tail -n 15 "$out.txt" | show
	fi
	if [[ -n "$ktap" ]]; then
		text="$passed passed, $failed failed, $skipped skipped"
		((xfailed)) && text+=", $xfailed failed as expected"
		say "$text"
	fi
	if [[ $verdict -eq $PASS ]]; then
		say "PASS: ${command[*]} ($took s, seed $seed)"
	else
		text=$(printf '; %s' "${sentences[@]}")
		say "FAIL: ${text#; } ($took s, seed $seed, log: $log)"
	fi
	exit "$verdict"
}

# --------------------------------------------------------------------------

make_overlay
for ((try = 1; ; try++, seed++)); do
	boot
	[[ -z "$shell" ]] || exit $PASS
	if [[ ! -s "$console.txt" && "$qemu_status" -ne 0 && -z "$ended" ]]; then
		die $USAGE "$qemu did not start: $(tail -n 1 "$work/qemu")"
	fi
	setup=$(report setup)
	if [[ -n "$setup" ]]; then
		keep_log=1
		save_log
		die $USAGE "$setup (log: $log)"
	fi
	distance=$(report distance)
	if [[ -n "$distance" ]]; then
		read -r gap offset <<<"$distance"
		say "modules are $((offset / 1048576)) MiB from _text," \
			"$((gap / 1048576)) MiB from the kernel's nearest end" \
			"(seed $seed)"
		if [[ "$place" == near ]] && ((gap > 128 << 20)); then
			save_log
			die $NOT_FAR "that is far in spite of --near"
		fi
	fi
	[[ "$(report end)" == again* && -z $(bad_lines) ]] || break
	save_log
	((try < tries)) || die $NOT_FAR \
		"no boot of $tries had modules farther than 128 MiB: give another --seed or more --tries"
done
judge
