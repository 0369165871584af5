#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the series costs and saves, counted in guest instructions.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--keep | --transitions] TREE USERLAND OUT BASE PATCHED
       $me --sizes BASE PATCHED

Boots the kernels whose objects lie in BASE and PATCHED, each once near and
once far, under QEMU's -icount, and runs there every bench-*.sh that the
selftests of TREE, the patched source, bring ('build.sh --tests' puts them
into BASE). They print lines of the form

  BENCH <what> <near|far> <value>

and a value is a number of instructions unless its name says otherwise; sizes
are read from the objects. How long transitions take depends on the clock, not on
instructions: bench-transition.sh runs without -icount, near, on one CPU and on
two, if PATCHED has unwind tables (make PROFILE=unwind bench); targets that need
it are skipped otherwise. Writes

  OUT/bench.tsv   all values: kernel, what, place, value
  OUT/bench.txt   the table, which is printed, too
  OUT/bench.svg   a picture of the calls, if gnuplot is there

and compares them with series/bench-targets.tsv, one KTAP result for each line.
Exit status 0 only if every target is met.

  --keep         compare the values of the last time, without measuring again
  --transitions  measure how long transitions take, nothing else
  --sizes        print how large vmlinux is in BASE and PATCHED, nothing else
USAGE
}

keep=
only=
sizes=
case ${1:-} in
-h | --help) usage; exit 0 ;;
--keep) keep=y; shift ;;
--transitions) only=y; shift ;;
--sizes)
	[ $# -eq 3 ] || usage_error '--sizes needs BASE and PATCHED'
	sizes=y
	shift
	set -- . . . "$@" ;;
esac
[ $# -eq 5 ] || usage_error 'five arguments are needed'
selftests=$1/tools/testing/selftests/livepatch
userland=$2
out=$3
declare -A objects=([base]=$4 [patched]=$5)
declare -A tests=([base]=$4/tests-of-series [patched]=$5/tests)
targets=$TOP/series/bench-targets.tsv
cross=
[ "$(uname -m)" = aarch64 ] || cross=aarch64-linux-gnu-
[ -n "$sizes" ] || mkdir -p "$out" "$BUILD/logs"

# modules KERNEL - modules with many functions, which are measured as they load
modules()
{
	local dir=${tests[$1]}/livepatch/load src

	src=$(sed -n 's/^include \(.*\)\/Makefile$/\1/p' "${objects[$1]}/Makefile")
	[ -e "$dir/bench_load_50000.ko" ] && return
	"$selftests/gen-function-plt-bench.sh" "$dir.src"
	logged "$BUILD/logs/bench-modules-$1.log" "modules of up to 50,000 functions, $1" \
		make -C "$src" O="${objects[$1]}" ARCH=arm64 CROSS_COMPILE="$cross" \
		M="$dir.src" "-j$(nproc)" modules || die 'the modules to load do not build'
	mkdir -p "$dir"
	"${cross}strip" --strip-debug "$dir.src"/*.ko
	cp "$dir.src"/*.ko "$dir/"
	rm -rf "$dir.src"
}

# vmlinux_sizes KERNEL - bytes of the kernel, and how many of its functions can be patched
vmlinux_sizes()
{
	local vmlinux=${objects[$1]}/vmlinux from to

	"${cross}size" -A -d "$vmlinux" | awk -v kernel="$1" -v OFS='\t' '
		$1 == ".text" || $1 == ".rodata" {
			print kernel, "vmlinux_" substr($1, 2) "_bytes", "near", $2 }'
	from=$("${cross}nm" "$vmlinux" | sed -n 's/ . __start_mcount_loc$//p')
	to=$("${cross}nm" "$vmlinux" | sed -n 's/ . __stop_mcount_loc$//p')
	printf '%s\tvmlinux_functions\tnear\t%s\n' "$1" $(((16#$to - 16#$from) / 8))
}

# sizes KERNEL - the same, and of a module
sizes()
{
	local ko=${tests[$1]}/livepatch/load/bench_load_10000.ko

	vmlinux_sizes "$1"
	printf '%s\tvmlinux_file_bytes\tnear\t%s\n' "$1" "$(stat -c %s "${objects[$1]}/arch/arm64/boot/Image")"
	"${cross}size" -A -d "$ko" | awk -v kernel="$1" -v OFS='\t' '
		$1 == ".text" { print kernel, "module_10000_text_bytes", "near", $2 }'
}

# growth - bytes that a function that can be patched takes more than in mainline
growth()
{
	awk -F '\t' -v OFS='\t' '{ v[$1, $2] = $4 }
		function per(what, functions) {
			return sprintf("%.1f", (v["patched", what] - v["base", what]) / functions) }
		END {
			print "patched", "vmlinux_growth_bytes_per_function", "near",
				per("vmlinux_text_bytes", v["patched", "vmlinux_functions"])
			print "patched", "module_growth_bytes_per_function", "near",
				per("module_10000_text_bytes", 10000) }' "$out/bench.tsv"
}

if [ -n "$sizes" ]; then
	for kernel in base patched; do
		[ -f "${objects[$kernel]}/vmlinux" ] || die "there is no vmlinux in ${objects[$kernel]}"
		vmlinux_sizes $kernel
	done | awk -F '\t' '
		{ v[$1, $2] = $4; if (!($2 in seen)) { seen[$2] = 1; name[++n] = $2 } }
		END {
			printf "%-22s %12s %12s\n", "", "base", "patched"
			for (i = 1; i <= n; i++) {
				a = v["base", name[i]]; b = v["patched", name[i]]
				printf "%-22s %12d %12d %+11d %+6.1f %%\n", name[i], a, b, b - a, 100 * (b - a) / a
			}
			grown = v["patched", "vmlinux_text_bytes"] - v["base", "vmlinux_text_bytes"]
			printf "text, bytes for each function: %.1f\n", grown / v["patched", "vmlinux_functions"]
		}'
	exit
fi

# collect KERNEL LOG
collect()
{
	grep -q '^BENCH ' "$2" || die "nothing was measured: see $2"
	awk -v OFS='\t' -v kernel="$1" '$1 == "BENCH" && NF == 4 { print kernel, $2, $3, $4 }' \
		"$2" >>"$out/bench.tsv"
}

# measure KERNEL PLACE
measure()
{
	local log=$BUILD/logs/bench-$1-$2.log

	step "Counting: $1, $2"
	# shellcheck disable=SC2016 # the guest expands it
	"$selftests/vmtest.sh" --icount "--$2" --timeout 3000 --image "${objects[$1]}/arch/arm64/boot/Image" \
		--modules "${objects[$1]}/root" --userland "$userland" --tests "${tests[$1]}" \
		-- bash -c 'cd livepatch && for b in bench-*.sh; do
			[[ $b == bench-transition.sh ]] || "./$b" '"$2"' load || exit 1; done' \
		>"$log" 2>&1 || die "the measurement failed: see $log"
	collect "$1" "$log"
}

# transitions KERNEL CPUS
transitions()
{
	local log=$BUILD/logs/bench-$1-transitions-$2.log

	step "Transitions: $1, $2 CPUs"
	"$selftests/vmtest.sh" --near --smp "$2" --timeout 1200 --image "${objects[$1]}/arch/arm64/boot/Image" \
		--modules "${objects[$1]}/root" --userland "$userland" --tests "${tests[$1]}" \
		-- bash -c 'cd livepatch && exec ./bench-transition.sh near' \
		>"$log" 2>&1 || die "the measurement failed: see $log"
	collect "$1" "$log"
}

unwind=$(grep -cx CONFIG_ARM64_UNWIND_TABLE=y "${objects[patched]}/.config") || true

if [ -z "$keep" ]; then
	rm -f "$out"/bench.*
	if [ -z "$only" ]; then
		for kernel in base patched; do
			modules $kernel
			sizes $kernel >>"$out/bench.tsv"
		done
		# It reads all before it prints
		growth >>"$out/bench.tsv"
		# Two at a time: -icount takes one CPU, and counts the same however
		# slow it is
		for kernel in base patched; do
			measure $kernel near & first=$!
			measure $kernel far
			wait "$first"
		done
	fi
	if [ "$unwind" -gt 0 ]; then
		for kernel in base patched; do
			transitions $kernel 1
			transitions $kernel 2
		done
	fi
fi
[ -s "$out/bench.tsv" ] || die "there are no values in $out: run it without --keep"

awk -F '\t' '{
		value[$1, $2, $3] = $4
		if (!($2 in seen)) { seen[$2] = 1; name[++n] = $2 }
		if (length($2) > wide) wide = length($2)
	}
	function get(kernel, what, place) {
		return ((kernel, what, place) in value) ? value[kernel, what, place] : "-"
	}
	END {
		format = "%-" wide "s %12s %12s %12s %12s\n"
		printf format, "", "base near", "base far", "patched near", "patched far"
		for (i = 1; i <= n; i++)
			printf format, name[i], get("base", name[i], "near"), get("base", name[i], "far"),
				get("patched", name[i], "near"), get("patched", name[i], "far")
	}' "$out/bench.tsv" | tee "$out/bench.txt"

# The calls alone: what is not counted in instructions has another scale.
if command -v gnuplot >/dev/null; then
	awk -F '\t' -v OFS='\t' '$2 ~ /^call/ && $4 ~ /^[0-9.-]+$/ {
			v[$2, $1, $3] = $4; if (!($2 in s)) { s[$2] = 1; n[++c] = $2 } }
		END { for (i = 1; i <= c; i++)
			print n[i], v[n[i], "base", "near"] + 0, v[n[i], "base", "far"] + 0,
				v[n[i], "patched", "near"] + 0, v[n[i], "patched", "far"] + 0 }' \
		"$out/bench.tsv" >"$out/bench.dat"
	gnuplot <<-PLOT || die 'gnuplot failed'
		set terminal svg size 1000,500 background 'white'
		set output '$out/bench.svg'
		set datafile separator "\t"
		set style data histograms
		set style histogram clustered gap 2
		set style fill solid 0.8 border
		set title 'Guest instructions per call'
		set ylabel 'instructions'
		set grid ytics
		set key top left
		set xtics rotate by -30 noenhanced
		plot '$out/bench.dat' using 2:xtic(1) title 'base, near', \\
			'' using 3 title 'base, far', \\
			'' using 4 title 'patched, near', \\
			'' using 5 title 'patched, far'
	PLOT
	rm -f "$out/bench.dat"
	say "$out/bench.svg"
fi

# See bench-targets.tsv for what a target is.
awk -F '\t' -v unwind="$unwind" -v only="$only" '
	BEGIN { forever = 1e9 }
	function term(t,    part, factor) {
		if (t ~ /^-?[0-9.]+$/)
			return t + 0
		if (t == "never")
			return forever
		factor = 1
		if (split(t, part, "*") == 2)
			factor = part[2]
		split(part[1], part, ":")
		if ((part[1], part[2], part[3]) in value &&
		    value[part[1], part[2], part[3]] == "never")
			return forever
		if (!((part[1], part[2], part[3]) in value) ||
		    value[part[1], part[2], part[3]] !~ /^-?[0-9.]+$/) {
			missing = missing " " t
			return 0
		}
		return value[part[1], part[2], part[3]] * factor
	}
	FNR == NR { value[$1, $2, $3] = $4; next }
	/^#/ || NF == 0 { next }
	{
		if (only && $0 !~ /:transition_/)
			next
		if (!unwind && $0 ~ /:transition_/) {
			printf "ok %d %s # SKIP the kernel has no unwind tables\n", ++count, $1
			skipped++
			next
		}
		missing = ""
		a = term($2); b = term($3); limit = term($4)
		count++
		if (missing == "" && a - b <= limit)
			printf "ok %d %s: %s <= %s\n", count, $1, a - b, limit
		else {
			bad++
			printf "not ok %d %s: %s\n", count, $1, \
				missing != "" ? "not measured:" missing : (a - b) " > " limit
		}
	}
	END {
		printf "1..%d\n%d passed, %d failed, %d skipped\n", count, \
			count - bad - skipped, bad, skipped
		exit bad > 0 || count == skipped
	}' "$out/bench.tsv" "$targets"
