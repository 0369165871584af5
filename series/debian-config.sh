#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Get the configuration that Debian builds its own arm64 kernels with.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

usage()
{
	cat <<USAGE
Usage: $me [--base VERSION] [--flavour NAME] FILE

Writes the configuration of Debian's linux-image-...-NAME to FILE, from the
package linux-config-VERSION, with apt, from this machine's own mirror,
signature checked; the machine's apt configuration stays as it is. Does nothing
if FILE is there.

  --base VERSION  as in series/source.sh (default: $DEFAULT_BASE)
  --flavour NAME  cloud-arm64, arm64, arm64-16k or rt-arm64 (default: cloud-arm64)
  -h, --help      this text
USAGE
}

base=$DEFAULT_BASE
flavour=cloud-arm64
file=
while [ $# -gt 0 ]; do
	case $1 in
	--base | --flavour)
		[ $# -ge 2 ] || usage_error "$1 needs a value"
		declare "${1#--}=$2"
		shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage_error "unknown option '$1'" ;;
	*) file=$1 ;;
	esac
	shift
done
[ -n "$file" ] || usage_error 'FILE is missing'
[ ! -s "$file" ] || exit 0

log=$BUILD/logs/debian-config.log
package=linux-config-$base
mkdir -p "$BUILD/logs" "$(dirname "$file")"
: >"$log"
apt_init "$BUILD/debian-config" arm64

step "Getting Debian's configuration of $flavour"
found=
for suite in trixie-backports trixie forky sid; do
	apt_source deb "$suite" >"$apt/sources.list"
	apt_private apt-get -q update >>"$log" 2>&1 || continue
	if apt_private apt-cache show "$package" >/dev/null 2>&1; then
		found=y
		break
	fi
done
[ -n "$found" ] || die "no Debian suite offers $package for arm64: is the network up? (log: $log)"
rm -f "$apt"/*.deb
(cd "$apt" && apt_private apt-get -q download "$package") >>"$log" 2>&1 ||
	die "the download of $package failed: is the network up? Run again to try once more (log: $log)"
dpkg-deb --fsys-tarfile "$apt"/linux-config-*.deb |
	tar -x -O --wildcards "./usr/src/*/config.arm64_none_$flavour.xz" 2>>"$log" |
	xz -d >"$file.tmp" 2>>"$log" || { rm -f "$file.tmp"; die "$package has no configuration for '$flavour'"; }
mv "$file.tmp" "$file"
# shellcheck disable=SC2016 # dpkg-deb expands it
say "$file: $(dpkg-deb -W --showformat '${Package} ${Version}' "$apt"/linux-config-*.deb), $(grep -c '=[ym]$' "$file") options"
