#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test check-patch-sites with good and with damaged arm64 objects.
#
# Runs on the build machine, in less than a minute. CROSS_COMPILE is
# aarch64-linux-gnu- unless it is set, also to nothing; CC, LD, READELF, CLANG
# and HOSTCC name other tools. The program is built for
# the test, with sanitizers where the host compiler has them; PROGRAM names
# one that is built already. The output is KTAP.

set -u
export LC_ALL=C

dir=$(cd "$(dirname "$0")" && pwd)
: "${CROSS_COMPILE=aarch64-linux-gnu-}"
: "${CC:=${CROSS_COMPILE}gcc}"
: "${LD:=${CROSS_COMPILE}ld}"
: "${READELF:=${CROSS_COMPILE}readelf}"
: "${CLANG:=clang}"
: "${HOSTCC:=cc}"
: "${PROGRAM:=}"

# A crash must not look like findings, which are exit status 1
crashed=99
export ASAN_OPTIONS="exitcode=$crashed" UBSAN_OPTIONS="exitcode=$crashed"

# Flipped bytes are the same in every run
RANDOM=1542419

nr_tests=0
nr_failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# -----------------------------------------------------------------------------
# Results

result() {
	local ok=$1 name=$2

	nr_tests=$((nr_tests + 1))
	if [ "$ok" -eq 0 ]; then
		echo "ok $nr_tests $name"
		return
	fi
	nr_failed=$((nr_failed + 1))
	echo "not ok $nr_tests $name"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
}

skip() {
	nr_tests=$((nr_tests + 1))
	echo "ok $nr_tests $1 # SKIP $2"
}

run() {
	local ret

	timeout 20 "$PROGRAM" "$@" > "$tmp/out" 2> "$tmp/err"
	ret=$?
	cat "$tmp/err" >> "$tmp/out"
	return $ret
}

# expect STATUS REGEX NAME ARGUMENT...: what the program says and returns
expect() {
	local status=$1 regex=$2 name=$3 ret
	shift 3

	run "$@"
	ret=$?
	if [ $ret -ne "$status" ]; then
		echo "exit status $ret, expected $status" >> "$tmp/out"
		result 1 "$name"
	elif [ -n "$regex" ] && ! grep -Eq -- "$regex" "$tmp/out"; then
		echo "expected: $regex" >> "$tmp/out"
		result 1 "$name"
	else
		result 0 "$name"
	fi
}

# The object that was assembled last
good() {
	local name=$1 nr=$2
	shift 2
	expect 0 "t\.o: $nr entries OK" "$name" -v "$@" "$tmp/t.o"
}

# Exactly one finding, so that no other check covers for the one that is meant
bad() {
	local name=$1 regex=$2
	shift 2
	expect 1 "$regex" "$name" "$@" "$tmp/t.o"
	expect 1 ": 1 findings," "$name, nothing else" "$@" "$tmp/t.o"
}

# -----------------------------------------------------------------------------
# Objects

asm() {
	cat > "$tmp/t.s"
	"$CC" "$@" -c -o "$tmp/t.o" "$tmp/t.s" || exit 1
}

# func NAME [NOPS [BODY]]: a function with NOPs ahead of it
func() {
	local name=$1 nops=${2:-6} body=${3:-nop; nop; ret}

	cat <<-END
		.balign 8
		.Lslot_$name:
		.rept $nops
		nop
		.endr
		.globl $name
		.type $name, %function
		$name: $body
		.size $name, . - $name
	END
}

# table ENTRY...
table() {
	echo '.section __patchable_function_entries, "aw", %progbits'
	echo '.balign 8'
	printf '.8byte %s\n' "$@"
	echo '.text'
}

# entry ENTRY: two good functions around what a test adds, and its entry
entry() {
	func first
	cat
	func last
	table ".Lslot_first" "$@" ".Lslot_last"
}

# poke FILE OFFSET BYTE...
poke() {
	local file=$1 offset=$2
	shift 2
	# shellcheck disable=SC2059 # The format is made here
	printf "$(printf '\\x%02x' "$@")" |
		dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
}

# -----------------------------------------------------------------------------
# Tests

build() {
	local flags=(-O1 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter)
	local sanitize=('-fsanitize=address,undefined' -fno-sanitize-recover=all)
	local source="$dir/check-patch-sites.c"

	flags+=(-I"$dir/../tools/include" -o "$tmp/check-patch-sites")
	PROGRAM=$tmp/check-patch-sites
	if "$HOSTCC" "${flags[@]}" "${sanitize[@]}" "$source" 2> "$tmp/log" &&
	   "$PROGRAM" --help > "$tmp/log" 2>&1; then
		echo "# with sanitizers"
	else
		echo "# without sanitizers"
		"$HOSTCC" "${flags[@]}" "$source" || exit 1
	fi
}

test_usage() {
	expect 0 "^Usage:" "help" --help
	expect 2 "^Usage:" "no file"
	expect 2 "^Usage:" "unknown option" --no-such-option "$tmp/t.o"
	expect 2 "prefix: expected .* found '12'" "odd prefix" --prefix 12 "$tmp/t.o"
	expect 2 "prefix: expected .* found 'x'" "prefix is no number" --prefix x "$tmp/t.o"
	expect 2 "prefix: expected .* found '264'" "huge prefix" --prefix 264 "$tmp/t.o"
	expect 2 "align: expected .* found '0'" "no alignment" --align 0 "$tmp/t.o"
}

test_good() {
	{ func f; func g; table .Lslot_f .Lslot_g; } | asm
	good "two functions" 2
	good "two functions, BTI is optional" 2 --bti

	{ func f 6 "hint #34; nop; nop; ret"; func g; table .Lslot_f .Lslot_g; } | asm
	expect 0 "2 entries OK \(1 with BTI" "BTI C" -v --bti "$tmp/t.o"
	bad "BTI C is unexpected" "expected NOP, found BTI C"

	{ func f 2; table .Lslot_f; } | asm
	good "CALL_OPS alone" 1 --prefix 8

	{ func f 0; table .Lslot_f; } | asm
	good "no prefix" 1 --prefix 0
	{ func f 0 "hint #34; nop; nop; ret"; table "f + 4"; } | asm
	good "no prefix, behind BTI C" 1 --prefix 0 --bti
	bad "no prefix, behind unexpected BTI C" "in the middle of f" --prefix 0
	{ func f 0 "nop; nop; nop; ret"; table "f + 4"; } | asm
	bad "no prefix, behind what is not BTI C" "in the middle of f" --prefix 0 --bti

	{ func f; echo 'nop; nop; nop'; func g; table .Lslot_f .Lslot_g; } | asm
	good "padding between functions" 2

	{ func f 6 "nop; nop; nop; ret"; table .Lslot_f; } | asm
	good "another NOP behind the patch site" 1

	{ func f; echo '.set alias, f; .type alias, %function'; table .Lslot_f; } | asm
	good "a function with an alias" 1

	{ echo '.balign 8; .Lslot: .rept 6; nop; .endr; f: nop; nop; ret'; table .Lslot; } | asm
	good "assembly code with a mere label" 1

	echo 'ret' | asm
	good "no table" 0

	{ func f; table .Lslot_f; echo '.section .text.g, "ax"'; func g
	  echo '.section __patchable_function_entries, "awo", %progbits, .text.g, unique, 1'
	  echo '.8byte .Lslot_g'; } | asm
	good "two tables" 2
}

# A weak function that another object of the same module overrides
test_weak() {
	{ func f; func g | sed 's/globl/weak/'; func h
	  table .Lslot_f .Lslot_g .Lslot_h; } | asm
	cp "$tmp/t.o" "$tmp/weak.o"
	{ func g; table .Lslot_g; } | asm
	"$LD" -r -o "$tmp/both.o" "$tmp/weak.o" "$tmp/t.o" && mv "$tmp/both.o" "$tmp/t.o"
	expect 0 "3 entries OK \(0 with BTI, 1 disc" "overridden weak function" -v "$tmp/t.o"

	{ func f; func g 4 | sed 's/globl/weak/'; func h
	  table .Lslot_f .Lslot_g .Lslot_h; } | asm
	cp "$tmp/t.o" "$tmp/weak.o"
	{ func g; table .Lslot_g; } | asm
	"$LD" -r -o "$tmp/both.o" "$tmp/weak.o" "$tmp/t.o" && mv "$tmp/both.o" "$tmp/t.o"
	bad "overridden weak function, prefix too short" "expected a (prefix|function)"
}

test_flags() {
	func wrong 4 | entry .Lslot_wrong | asm
	bad "prefix too short" \
		"expected a prefix of 24 bytes, found one of 16 bytes in front of wrong"
	func wrong 8 | entry .Lslot_wrong | asm
	expect 1 "expected a prefix of 24 bytes, found one of 32 bytes in front of wrong" \
		"prefix too long" "$tmp/t.o"

	func wrong 6 "ret; nop; ret" | entry .Lslot_wrong | asm
	bad "first NOP is missing" "start of wrong, found 0xd65f03c0 as the first one"
	func wrong 6 "nop; ret; ret" | entry .Lslot_wrong | asm
	bad "NOP at the patch site is missing" \
		"\(wrong\+0x4\).* found 0xd65f03c0 as the patch site"
	func wrong 6 "hint #34; nop; ret" | entry .Lslot_wrong | asm
	bad "NOP at the patch site is missing behind BTI C" \
		"expected BTI C, NOP, NOP at the start of wrong" --bti
	func wrong 6 "hint #25; nop; nop; ret" | entry .Lslot_wrong | asm
	bad "PACIASP in front of the NOPs" "found 0xd503233f as the first one" --bti
}

test_alignment() {
	{ echo '.balign 8; nop; .Lslot: .rept 6; nop; .endr'
	  echo '.type wrong, %function; wrong: nop; nop; ret; .size wrong, . - wrong'
	} | entry .Lslot | asm
	bad "misaligned slot" "expected an entry of wrong on a boundary of 8 bytes"

	{ echo '.section .text.wrong, "ax"; .Lslot: .rept 6; nop; .endr'
	  echo '.type wrong, %function; wrong: nop; nop; ret'; table .Lslot; } | asm
	bad "section with too small an alignment" \
		"section .text.wrong to be aligned to 8 .* found 4"
}

test_prefix() {
	local i

	for i in 0 1 2 3 4 5; do
		{ echo ".balign 8; .Lslot: .rept $i; nop; .endr; brk #1; .rept 5 - $i; nop; .endr"
		  echo '.type wrong, %function; wrong: nop; nop; ret; .size wrong, . - wrong'
		} | entry .Lslot | asm
		bad "no NOP in word $i of the prefix" \
			"expected NOP at wrong-$(printf '0x%x' $((24 - i * 4))),.* found 0xd4200020"
	done

	{ func before; echo '.size before, . - before + 8'; func wrong
	} | entry .Lslot_before .Lslot_wrong | asm
	bad "another function reaches into the prefix" "found that before .* overlaps"
	{ func before; echo '.size before, . - before + 256'; func wrong
	} | entry .Lslot_before .Lslot_wrong | asm
	expect 1 "in front of last, found that before .* overlaps" \
		"another function surrounds two" "$tmp/t.o"
	{ func wrong; echo '.type inside, %function; .set inside, wrong - 16'
	} | entry .Lslot_wrong | asm
	bad "another function starts in the prefix" "found that inside .* overlaps"
}

test_places() {
	local far="found one outside of its"

	: | entry "first + 0x1000" | asm
	bad "entry behind the section's end" "$far"
	: | entry "first - 0x1000" | asm
	bad "entry in front of the section" "$far"
	{ func f; echo '.balign 8; .Lslot: .rept 6; nop; .endr; .type end, %function; end: nop'
	  table .Lslot_f .Lslot; } | asm
	bad "section ends within the patch site" "found the end of section .text"
	echo '.data; d: .space 64; .text' | entry d | asm
	bad "entry in a data section" "expected an entry in a text section"
	: | entry "undefined" | asm
	bad "entry at an undefined symbol" "expected an address in the file's text"
	echo '.set absolute, 0x1000' | entry absolute | asm
	bad "entry at an absolute address" "expected"

	func f 6 'nop; nop; .rept 64; nop; .endr; ret' | entry .Lslot_f "f + 64" | asm
	bad "entry in the middle of a function" "the entry is in the middle of f"
	func f 6 'nop; nop; .rept 64; nop; .endr; label: nop; nop; ret' |
		entry .Lslot_f "label - 24" | asm
	bad "entry of a label in the middle of a function" "the entry is in the middle of f"
	echo '.balign 8; hole: .rept 128; ret; .endr' | entry hole | asm
	bad "entry in no function" "the entry is in no function"
}

test_table() {
	local rela='.section __patchable_function_entries, "aw", %progbits'

	{ func f; table .Lslot_f; echo "$rela; .4byte 0"; } | asm
	bad "table cut off" "expected a multiple of 8 bytes, found 0xc"
	: | entry 0 | asm
	bad "no relocation" "expected a relocation for entry 1, found none"
	func f | entry ".Lslot_f - ." | asm
	expect 1 "expected relocations of type 257 .* found type 260" "relocation of a wrong type" \
		"$tmp/t.o"
	{ func f; echo "$rela; 0: .8byte 0; .reloc 0b, R_AARCH64_ABS64, .Lslot_f"
	  echo '.reloc 0b, R_AARCH64_ABS64, .Lslot_f'; } | asm
	bad "two relocations" "expected one relocation, found two"
	{ func f; echo "$rela; 0: .8byte .Lslot_f; .4byte 0, 0, 0, 0, 0, 0"
	  echo '.reloc 0b + 12, R_AARCH64_ABS64, .Lslot_f'; } | asm
	expect 1 "0xc: expected relocations of type 257 at multiples of 8" \
		"relocation between entries" "$tmp/t.o"

	func f | entry .Lslot_f .Lslot_f | asm
	bad "entry twice" "\(first\+0x10\): expected one entry, found another one"
	{ func f | entry .Lslot_f; table .Lslot_last; } | asm
	bad "entry twice, not side by side" "expected one entry, found another one"

	func f | entry | asm
	bad "an entry is missing" "expected an entry for f, found none in the table"
	func f 6 'hint #34; nop; nop; ret' | entry | asm
	bad "an entry is missing for BTI C" "expected an entry for f" --bti
	func f | asm
	bad "the table is missing" "expected an entry for f, found none in the table"
	{ func f; echo '.balign 64, 0; nop; ret; .balign 64'
	  echo '.type g, %function; g: nop; nop; ret'; table .Lslot_f; } | asm
	good "padding ahead of a function is no prefix" 1 --align 64

	{ func f; table .Lslot_f; echo '.section .text.g, "ax"'; func g 4
	  echo '.section __patchable_function_entries, "awo", %progbits, .text.g, unique, 1'
	  echo '.8byte .Lslot_g'; } | asm
	bad "only the second table is wrong" "found one of 16 bytes in front of g"
}

test_output() {
	local i entries=()

	{ for i in $(seq 13); do
		func "f$i" 4
		entries+=(".Lslot_f$i")
	  done
	  table "${entries[@]}"; } | asm
	expect 1 "and 3 more" "many findings" "$tmp/t.o"
	expect 1 "13 findings, 13 entries" "their number" "$tmp/t.o"
	[ "$(grep -c 'expected a prefix' "$tmp/out")" -eq 10 ]
	result $? "ten of them in full"
	expect 1 "hint: " "advice" "$tmp/t.o"
	expect 1 "" "quiet" --quiet "$tmp/t.o"
	[ ! -s "$tmp/out" ]
	result $? "nothing is said"

	cp "$tmp/t.o" "$tmp/bad.o"
	{ func f; table .Lslot_f; } | asm
	expect 1 "t.o: 1 entries OK" "findings in one of two files" -v "$tmp/bad.o" "$tmp/t.o"
	expect 2 "13 findings" "one of two files is missing" "$tmp/bad.o" "$tmp/missing.o"
	expect 0 "" "silent without findings" "$tmp/t.o"
	[ ! -s "$tmp/out" ]
	result $? "nothing is said without findings"
}

test_unusable() {
	{ func f; table .Lslot_f; } | asm

	expect 2 "No such file" "missing file" "$tmp/missing.o"
	expect 2 "not a regular file" "directory" "$tmp"
	: > "$tmp/x"
	expect 2 "truncated\?" "empty file" "$tmp/x"
	cp "$tmp/t.s" "$tmp/x"
	expect 2 "not an ELF file" "no ELF file" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 18 62 0
	expect 2 "not an ELF file for arm64" "wrong machine" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 4 1
	expect 2 "not an ELF file for arm64" "32 bits" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 5 3
	expect 2 "not an ELF file for arm64" "unknown byte order" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 16 4
	expect 2 "neither vmlinux nor an object" "core dump" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 58 32
	expect 2 "unknown size" "section header size" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 40 255 255 255 255 255 255 255 255
	expect 2 "outside of the file" "section headers outside" "$tmp/x"
	cp "$tmp/t.o" "$tmp/x"; poke "$tmp/x" 62 99
	expect 2 "no section names" "section names outside" "$tmp/x"
	mcount_loc .Lslot_f .Lslot_g .Lslot_h | linked -s
	expect 2 "no symbol table" "stripped file" "$tmp/vmlinux"
}

# Beyond 0xff00 sections, their numbers are elsewhere
test_many_sections() {
	{ seq -f '.section .d%.0f, "a"' 66000; echo '.section .text.f, "ax"'; func f
	  table .Lslot_f; } | asm
	good "very many sections" 1
	{ seq -f '.section .d%.0f, "a"' 66000; echo '.section .text.f, "ax"'; func f 4
	  table .Lslot_f; } | asm
	bad "very many sections, one wrong entry" "found one of 16 bytes in front of f"
}

test_big_endian() {
	if ! echo nop | "$CC" -mbig-endian -c -o "$tmp/t.o" -x assembler - 2> "$tmp/out"; then
		skip "big-endian object" "the assembler cannot"
		return
	fi
	{ func f; table .Lslot_f; } | asm -mbig-endian
	good "big-endian object" 1
	func wrong 4 | entry .Lslot_wrong | asm -mbig-endian
	bad "big-endian object, prefix too short" "found one of 16 bytes"
}

# test_compiler NAME COMPILER...: what compilers make of the kernel's flags
test_compiler() {
	local name=$1 protection prefix sum
	shift

	cat > "$tmp/c.c" <<-END
		int g(int);
		static __attribute__((__noinline__)) int s(int a) { return g(a) * 3; }
		int f(int a) { return s(a) + s(a + 1); }
		__attribute__((patchable_function_entry(0, 0))) int n(int a) { return a; }
		int h(int a) { return g(a) + n(1); }
	END
	for protection in none bti pac-ret+leaf+bti; do
		for prefix in 24 8 0; do
			sum=$((prefix / 4 + 2)),$((prefix / 4))
			if ! "$@" -O2 -falign-functions=8 -mbranch-protection=$protection \
			     -fpatchable-function-entry=$sum -c -o "$tmp/t.o" "$tmp/c.c" \
			     2> "$tmp/out"; then
				skip "$name, $protection, $prefix bytes" "does not compile"
				continue
			fi
			good "$name, $protection, $prefix bytes" 3 --bti --prefix $prefix
			"$@" -O2 -ffunction-sections -falign-functions=8 \
				-mbranch-protection=$protection \
				-fpatchable-function-entry=$sum -c -o "$tmp/t.o" "$tmp/c.c"
			good "$name, $protection, $prefix bytes, sections" 3 --bti --prefix $prefix
		done
	done
}

# linked FLAGS...: a miniature of vmlinux with the table from standard input
linked() {
	{ echo '.globl _start; _start: ret'
	  func f; func g; func h
	  echo '.section .init.data, "aw"; .balign 8'
	  echo '.globl __start_mcount_loc, __stop_mcount_loc'
	  cat
	} | asm
	"$LD" "$@" -o "$tmp/vmlinux" "$tmp/t.o" 2> "$tmp/log" || { cat "$tmp/log"; exit 1; }
}

mcount_loc() {
	echo '__start_mcount_loc:'
	[ $# -eq 0 ] || printf '.8byte %s\n' "$@"
	echo '__stop_mcount_loc: .8byte 0'
}

section_offset() {
	local offset

	offset=$("$READELF" -SW "$1" | sed 's/\[ */[/' |
		 awk -v name="$2" '$2 == name { print $5 }')
	echo $((16#$offset))
}

test_linked() {
	local pie=(-pie --no-dynamic-linker -z notext -Bsymbolic)
	local offset

	mcount_loc .Lslot_f .Lslot_g .Lslot_h | linked
	expect 0 "3 entries OK \(0 with BTI, 0 disc" "linked, fixed address" -v "$tmp/vmlinux"
	mcount_loc 0 0 .Lslot_f .Lslot_g .Lslot_h | linked
	expect 0 "3 entries OK \(0 with BTI, 2 disc" "linked, two zeroed" -v "$tmp/vmlinux"
	mcount_loc 0 0 | linked
	expect 1 "found 2, all of them zero" "linked, all zeroed" "$tmp/vmlinux"
	mcount_loc | linked
	expect 1 "found 0, all of them zero" "linked, empty table" "$tmp/vmlinux"
	mcount_loc .Lslot_f .Lslot_h | linked
	expect 1 "expected an entry for g, found none" "linked, one missing" "$tmp/vmlinux"
	mcount_loc 0 .Lslot_f .Lslot_h | linked
	expect 1 "expected an entry for g, found none" "linked, one zeroed wrongly" "$tmp/vmlinux"
	mcount_loc .Lslot_f .Lslot_g .Lslot_h 0x1000 | linked
	expect 1 "address in the file's text, found 0x1000" "linked, outside" "$tmp/vmlinux"
	mcount_loc .Lslot_f .Lslot_g ".Lslot_g + 8" .Lslot_h | linked
	expect 1 "found one of 16 bytes in front of g" "linked, wrong distance" "$tmp/vmlinux"
	{ echo '__start_mcount_loc: .8byte .Lslot_f, .Lslot_g, .Lslot_h; .4byte 0'
	  echo '__stop_mcount_loc:'; } | linked
	expect 1 "expected a multiple of 8 bytes, found 0x1c" "linked, cut off" "$tmp/vmlinux"
	{ echo '__stop_mcount_loc: .8byte .Lslot_f, .Lslot_g, .Lslot_h'
	  echo '__start_mcount_loc:'; } | linked
	expect 2 "is not within section" "linked, ends before it starts" "$tmp/vmlinux"
	{ echo '__start_mcount_loc: .8byte .Lslot_f, .Lslot_g, .Lslot_h'
	  echo '.set __stop_mcount_loc, . + 0x1000'; } | linked
	expect 2 "is not within section" "linked, leaves its section" "$tmp/vmlinux"
	echo '__start_mcount_loc: .8byte .Lslot_f' | linked
	expect 2 "no symbols __start_mcount_loc and __stop" "linked, no end" "$tmp/vmlinux"

	mcount_loc .Lslot_f .Lslot_g .Lslot_h | linked "${pie[@]}" --no-apply-dynamic-relocs
	expect 0 "3 entries OK" "relocatable" -v "$tmp/vmlinux"
	mcount_loc .Lslot_f .Lslot_g .Lslot_h | linked "${pie[@]}"
	expect 0 "3 entries OK" "relocatable, relocations in place" -v "$tmp/vmlinux"
	mcount_loc .Lslot_f 0 .Lslot_h .Lslot_g | linked "${pie[@]}"
	expect 1 "expected a relocation for entry 1" "relocatable, none for one" "$tmp/vmlinux"
	mcount_loc .Lslot_f .Lslot_g .Lslot_h undefined | linked "${pie[@]}" -shared
	expect 1 "expected relocations of type 1027 " "relocatable, wrong type" "$tmp/vmlinux"

	mcount_loc .Lslot_f .Lslot_f .Lslot_g .Lslot_h | linked "${pie[@]}"
	expect 1 "expected one entry, found another" "relocatable, twice" "$tmp/vmlinux"
	offset=$(section_offset "$tmp/vmlinux" .rela.dyn)
	poke "$tmp/vmlinux" $((offset + 16)) 0 0 0 0 0 0 0 0
	expect 0 "3 entries OK \(0 with BTI, 1 disc" "relocatable, zeroed" -v "$tmp/vmlinux"
}

# truncate_file FILE: at about 400 places, beginning with an empty file
truncate_file() {
	local file=$1 name=$2 size i step nr=0 ret

	size=$(stat -c %s "$file")
	step=$((size / 400 + 1))
	rm -rf "$tmp/many"; mkdir "$tmp/many"
	for ((i = 0; i < size; i += step)); do
		head -c $i "$file" > "$tmp/many/$i"
		nr=$((nr + 1))
	done

	run "$tmp/many"/*
	ret=$?
	# shellcheck disable=SC2012 # The names are numbers
	[ $ret -eq 2 ] && [ "$(cut -d: -f1 "$tmp/out" | sort -u | wc -l)" -eq $nr ] &&
		[ "$(ls "$tmp/many" | wc -l)" -eq "$(wc -l < "$tmp/out")" ]
	result $? "$name, truncated at $nr places"
}

# flip_bytes FILE: one to three of them, or all of a word
flip_bytes() {
	local file=$1 name=$2 size i j nr=300 ret

	size=$(stat -c %s "$file")
	rm -rf "$tmp/many"; mkdir "$tmp/many"
	for ((i = 0; i < nr; i++)); do
		cp "$file" "$tmp/many/$i"
		if ((i % 4 == 0)); then
			poke "$tmp/many/$i" $((RANDOM % (size / 8) * 8)) \
				255 255 255 255 255 255 255 $((RANDOM % 2 * 255))
			continue
		fi
		for ((j = 0; j < i % 4; j++)); do
			poke "$tmp/many/$i" $((RANDOM % size)) $((RANDOM % 256))
		done
	done

	run -v --bti "$tmp/many"/*
	ret=$?
	[ $ret -le 2 ] && [ "$(cut -d: -f1 "$tmp/out" | sort -u | wc -l)" -eq $nr ]
	result $? "$name, $nr times with flipped bytes"
}

test_damaged() {
	func f 6 'hint #34; nop; nop; ret' | entry .Lslot_f | asm
	truncate_file "$tmp/t.o" "object"
	flip_bytes "$tmp/t.o" "object"
	mcount_loc .Lslot_f .Lslot_g .Lslot_h |
		linked -pie --no-dynamic-linker -z notext -z max-page-size=64
	truncate_file "$tmp/vmlinux" "linked"
	flip_bytes "$tmp/vmlinux" "linked"
}

echo "KTAP version 1"

if ! echo nop | "$CC" -c -o "$tmp/t.o" -x assembler - 2> "$tmp/log" ||
   ! "$READELF" -h "$tmp/t.o" 2> "$tmp/log" | grep -q AArch64; then
	echo "1..0 # SKIP $CC does not build for arm64, set CROSS_COMPILE or CC"
	exit 4
fi

[ -n "$PROGRAM" ] || build
test_usage
test_good
test_weak
test_flags
test_alignment
test_prefix
test_places
test_table
test_output
test_unusable
test_many_sections
test_big_endian
test_compiler gcc "$CC"
if command -v "$CLANG" > /dev/null; then
	test_compiler clang "$CLANG" --target=aarch64-linux-gnu
else
	skip "clang" "there is none"
fi
test_linked
test_damaged

echo "1..$nr_tests"
echo "# $((nr_tests - nr_failed)) passed, $nr_failed failed"
[ $nr_failed -eq 0 ]
