#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Get the configuration that Debian builds its own arm64 kernels with.

. "$(dirname "$0")/lib.sh"

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

apt=$BUILD/debian-config
log=$BUILD/logs/debian-config.log
key=/usr/share/keyrings/debian-archive-keyring.gpg
package=linux-config-$base

[ -r "$key" ] || die "$key is missing: apt-get install debian-archive-keyring"
# shellcheck disable=SC2016 # apt expands it
mirror=$(apt-get indextargets --format '$(LABEL)|$(SITE)' 'Created-By: Packages' |
	awk -F '|' '$1 == "Debian" { print $2; exit }')
[ -n "$mirror" ] || die "apt knows no Debian mirror on this machine: run 'apt-get update' and try again"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$BUILD/logs" "$(dirname "$file")"
: >"$log"
cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::State::status "/dev/null";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$apt/apt.conf

step "Getting Debian's configuration of $flavour"
found=
for suite in trixie-backports trixie forky sid; do
	echo "deb [signed-by=$key] $mirror $suite main" >"$apt/sources.list"
	apt-get -q update >>"$log" 2>&1 || continue
	if apt-cache show "$package" >/dev/null 2>&1; then
		found=y
		break
	fi
done
[ -n "$found" ] || die "no Debian suite offers $package for arm64: is the network up? (log: $log)"
rm -f "$apt"/*.deb
(cd "$apt" && apt-get -q download "$package") >>"$log" 2>&1 ||
	die "the download of $package failed: is the network up? Run again to try once more (log: $log)"
dpkg-deb --fsys-tarfile "$apt"/linux-config-*.deb |
	tar -x -O --wildcards "./usr/src/*/config.arm64_none_$flavour.xz" 2>>"$log" |
	xz -d >"$file.tmp" 2>>"$log" || { rm -f "$file.tmp"; die "$package has no configuration for '$flavour'"; }
mv "$file.tmp" "$file"
# shellcheck disable=SC2016 # dpkg-deb expands it
say "$file: $(dpkg-deb -W --showformat '${Package} ${Version}' "$apt"/linux-config-*.deb), $(grep -c '=[ym]$' "$file") options"
