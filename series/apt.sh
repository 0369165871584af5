# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# An apt of our own, whose lists, cache and sources lie in a folder: the machine's
# own stays as it is, and says only where Debian is to be had. Sourced, after
# lib.sh; never run.

apt_key=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_init DIR [ARCH] - in DIR, for packages of ARCH; sets $apt and $apt_main
apt_init()
{
	[ -r "$apt_key" ] || die "$apt_key is missing: apt-get install debian-archive-keyring"
	apt=$1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	apt_main=$(apt_mirror Debian)
	[ -n "$apt_main" ] || die "apt knows no Debian mirror on this machine: run 'apt-get update' and try again"
	cat >"$apt/apt.conf" <<CONF
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
CONF
	[ -z "${2:-}" ] || cat >>"$apt/apt.conf" <<CONF
APT::Architecture "$2";
APT::Architectures { "$2"; };
Dir::State::status "/dev/null";
CONF
}

# apt_mirror LABEL - where this machine gets that archive from
apt_mirror()
{
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(LABEL)|$(SITE)' 'Created-By: Packages' |
		awk -F '|' -v label="$1" '$1 == label { print $2; exit }'
}

# apt_source TYPE SUITE [MIRROR] - a line of sources.list, TYPE being deb or deb-src
apt_source() { echo "$1 [signed-by=$apt_key] ${3:-$apt_main} $2 main"; }

apt_private() { APT_CONFIG=$apt/apt.conf "$@"; }
