#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Pack a small arm64 user land from the machine's own Debian mirror into a
# compressed initramfs for vmtest.sh.  Nothing is emulated and nothing needs
# root: the packages are only unpacked, never configured.

set -u -o pipefail
export LC_ALL=C

PROG=${0##*/}

# What functions.sh, the kselftest runner, ftracetest.sh and vmtest's own init call.
PACKAGES=bash,coreutils,diffutils,findutils,gawk,grep,gzip,hostname,kmod,libc-bin
PACKAGES+=,mount,procps,sed,util-linux

usage() {
	cat <<-END
	Usage: $PROG [options] FILE

	Build an arm64 user land for vmtest.sh and write it to FILE, an initramfs
	packed by zstd (FILE ends in .zst), by gzip (.gz) or not at all.

	  --include LIST    more packages, separated by commas
	  --mirror URI      take the packages from here
	  --suite NAME      ... and from this release
	  --keyring FILE    ... and check them against this keyring
	                    (the default for all three is what apt uses here)
	  -h, --help        this text

	Exit status: 0 FILE is there, 1 it could not be built, 2 usage.
	END
}

die() {
	echo "$PROG: $2" >&2
	exit "$1"
}

need() {
	command -v "$1" >/dev/null ||
		die 2 "$1 is missing: install the package of that name"
}

arg() {
	[[ $# -ge 2 && -n "$2" ]] || die 2 "$1 needs a value, see --help"
}

mirror='' suite='' keyring='' out=''
while [[ $# -gt 0 ]]; do
	case "$1" in
	--include)	arg "$@"; PACKAGES+=,$2; shift 2 ;;
	--mirror)	arg "$@"; mirror=$2; shift 2 ;;
	--suite)	arg "$@"; suite=$2; shift 2 ;;
	--keyring)	arg "$@"; keyring=$2; shift 2 ;;
	-h | --help)	usage; exit 0 ;;
	-*)		die 2 "unknown option $1, see --help" ;;
	*)
		[[ -z "$out" ]] || die 2 "one FILE only: $out or $1?"
		out=$1
		shift ;;
	esac
done
[[ -n "$out" ]] || die 2 "which FILE should be written? See --help"
outdir=$(dirname -- "$out")
[[ -d "$outdir" && -w "$outdir" ]] ||
	die 2 "$outdir is not a writable directory: create it first"

need mmdebstrap
need cpio
case "$out" in
*.zst)	need zstd; pack=(zstd -q -10 -T0 -c) ;;
*.gz)	need gzip; pack=(gzip -9 -c) ;;
*)	pack=(cat) ;;
esac

# The first Debian main archive among apt's sources, the release that the
# machine itself runs if there are several.
if [[ -z "$mirror" || -z "$suite" ]]; then
	# shellcheck source=/dev/null
	mine=$(. /etc/os-release 2>/dev/null; echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # expanded by apt-get
	read -r site codename < <(apt-get indextargets \
		--format '$(SITE) $(CODENAME) $(COMPONENT) $(LABEL)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v mine="$mine" '
			$3 == "main" && $4 == "Debian" && NF == 4 &&
			$2 !~ /-/ { if (!n++ || $2 == mine) best = $1 " " $2 }
			END { print best }')
	mirror=${mirror:-${site:-}}
	suite=${suite:-${codename:-}}
	[[ -n "$mirror" && -n "$suite" ]] || die 1 \
		"apt knows no Debian archive here: run apt-get update, or give --mirror and --suite"
fi

tmp=$(mktemp -d) || die 1 "cannot create a directory in ${TMPDIR:-/tmp}"
# In the directory of FILE, so that the rename at the end is atomic.
part=$(mktemp "$outdir/.${out##*/}.XXXXXX") || {
	rm -rf "$tmp"
	die 1 "cannot write to $outdir"
}
trap 'rm -rf "$tmp" "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

opts=()
[[ -n "$keyring" ]] && opts+=(--keyring="$keyring")
# mmdebstrap does not read the machine's apt.conf.
while IFS= read -r line; do
	opts+=(--aptopt="$line")
done < <(apt-config dump 2>/dev/null |
	grep -E '^Acquire::(http|https|ftp)::Proxy[^ ]* "..*";$')

# Older packages still ship /bin and /lib, newer ones only /usr: with the
# links in place before anything is unpacked, both end up in /usr.
# shellcheck disable=SC2016 # expanded by mmdebstrap's shell
merge='mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/lib" &&
	ln -s usr/bin usr/sbin usr/lib "$1/"'

echo "$PROG: unpacking arm64 packages of $suite" >&2
if ! mmdebstrap --quiet --mode=chrootless --variant=extract \
		--architectures=arm64 --include="$PACKAGES" "${opts[@]}" \
		--setup-hook="$merge" "$suite" "$tmp/root" "$mirror" \
		>"$tmp/log" 2>&1; then
	tail -n 20 "$tmp/log" >&2
	die 1 "mmdebstrap failed, see above (is the network up, is there space in ${TMPDIR:-/tmp}?)"
fi

# Keep what a boot has to unpack small (perl only came as a dependency), and
# do what the packages' own scripts would have done.
tidy() (
	cd "$tmp/root" || exit 1
	rm -rf boot dev etc/apt var/cache var/lib/apt var/lib/dpkg \
		usr/bin/{apt,dpkg,deb,perl}* usr/games usr/include \
		usr/lib/locale \
		usr/lib/*/{gconv,perl,perl-base,engines-3,ossl-modules} \
		usr/lib/*/{libperl.so,libdb-}* \
		usr/share/{bash-completion,bug,common-licenses,debconf} \
		usr/share/{doc,doc-base,dpkg,i18n,info,lintian,locale,man} \
		usr/share/{perl,perl5,zoneinfo} || exit 1
	mkdir -p dev etc proc root run sys tmp || exit 1
	[[ -e usr/bin/sh ]] || ln -s bash usr/bin/sh || exit 1
	[[ -e usr/bin/awk ]] || ln -s gawk usr/bin/awk || exit 1
	[[ -e etc/passwd ]] || echo "root:x:0:0:root:/root:/bin/bash" >etc/passwd
	[[ -e etc/group ]] || echo "root:x:0:" >etc/group
)
tidy || die 1 "cannot tidy $tmp/root: is there space in ${TMPDIR:-/tmp}?"

for f in awk bash dmesg getconf insmod modinfo mount setsid stat stdbuf sysctl; do
	[[ -e $tmp/root/usr/bin/$f || -e $tmp/root/usr/sbin/$f ||
	   -L $tmp/root/usr/sbin/$f ]] ||
		die 1 "$f did not come with the packages of $suite"
done

write_cpio() (
	cd "$tmp/root" && find . -print0 | sort -z |
		cpio --quiet -0 -o -H newc -R 0:0 --reproducible |
		"${pack[@]}"
)
if ! { write_cpio >"$part" && chmod 644 "$part" && mv -f -- "$part" "$out"; }; then
	die 1 "cannot write $out: is there space in $outdir?"
fi
echo "$PROG: $out is there, $(($(stat -c %s "$out") >> 20)) MiB" >&2
