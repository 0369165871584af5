#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# git am of the whole series.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me TREE         put the series onto a tree that source.sh made
       $me --am DIR     put the series onto your own git checkout of Linux

TREE is brought up to date with the mails only while it holds nothing else:
work that is not exported yet (make export) is never thrown away.
USAGE
}

own=
case ${1:-} in
-h | --help) usage; exit 0 ;;
--am) own=y; shift ;;
esac
tree=${1:-}
[ -n "$tree" ] || usage_error 'the tree is missing'
is_kernel "$tree" || die "$tree is not a kernel source tree with arch/arm64"
is_checkout "$tree" ||
	die "$tree is not a git checkout, or it belongs to another user: git am needs one of your own"

mails=("$TOP"/series/[0-9]*.patch)
[ -e "${mails[0]}" ] || die "there are no mails in $TOP/series"

# refuse_partial TREE - a tree that has some of the mails already
refuse_partial()
{
	local mail subject

	for mail in "${mails[@]}"; do
		subject=$(git mailinfo /dev/null /dev/null <"$mail" | sed -n 's/^Subject: //p')
		if git -C "$1" log -n 500 --format=%s | grep -x -F "$subject" >/dev/null; then
			die "$1 already has a part of the series ('$subject'): take that out first (git rebase, git reset), or use another checkout"
		fi
	done
}

# refuse_applied TREE - the same for a tree without history
refuse_applied()
{
	local mail

	for mail in "${mails[@]}"; do
		! git -C "$1" apply --check -R "$mail" 2>/dev/null ||
			die "$1 already has a part of the series ($(basename "$mail")): use a source tree without it"
	done
}

if [ -n "$own" ]; then
	[ -z "$(git -C "$tree" status --porcelain -uno | head -n 1)" ] ||
		die "$tree has changes that are not committed: commit or stash them first"
	[ -z "$(in_progress "$tree")" ] ||
		die "a git operation is under way in $tree ($(in_progress "$tree")): end it first (git am --abort, git rebase --abort)"
	git -C "$tree" var GIT_COMMITTER_IDENT >/dev/null 2>&1 ||
		die "git does not know who you are, and git am records it: git config --global user.name and user.email"
	refuse_partial "$tree"
	if ! git -C "$tree" am -q "${mails[@]}"; then
		git -C "$tree" am --abort || true
		die "the series does not apply to Linux $(kernel_version "$tree") in $tree (nothing was changed there); it is made for $DEFAULT_BASE"
	fi
	say "$tree: ${#mails[@]} patches applied to Linux $(kernel_version "$tree")"
	exit 0
fi

stamp=$tree/.git/series-applied
base=$(git -C "$tree" rev-parse 'base^{commit}')
id=$(series_id)

# The id of the mails and the commit that they made the last time
old_id=none
old_head=$base
[ ! -f "$stamp" ] || read -r old_id old_head <"$stamp"

# Our own git am that was interrupted: nobody has worked on top of that.
if [ -f "$stamp.applying" ]; then
	git_tree "$tree" am --abort >/dev/null 2>&1 || true
	git_tree "$tree" reset -q --hard "$old_head"
	rm -f "$stamp.applying"
fi

head=$(git -C "$tree" rev-parse HEAD)
if [ "$old_id" = "$id" ] && [ "$old_head" = "$head" ]; then
	exit 0
fi

[ -z "$(in_progress "$tree")" ] ||
	die "a git operation is under way in $tree ($(in_progress "$tree")): end it (--continue or --abort) and run again"
if [ "$head" != "$old_head" ] && [ "$head" != "$base" ]; then
	# Somebody works in this tree: it is ahead of the mails, which is fine.
	if [ "$old_id" = "$id" ]; then
		say "note: $tree has commits that series/ does not: make export writes them out"
		exit 0
	fi
	die "both $tree and series/ have changed: run 'make export' to take the tree, or 'git -C $tree reset --hard $old_head' to take the mails"
fi
[ -z "$(git -C "$tree" status --porcelain -uno | head -n 1)" ] ||
	die "$tree has changes that are not committed and series/ has changed: commit or stash them first"

# The same committer and the author's date: one series, one commit id.
one_at_a_time
step "Applying ${#mails[@]} patches with git am"
: >"$stamp.applying"
git_tree "$tree" reset -q --hard "$base"
if ! GIT_COMMITTER_NAME=series GIT_COMMITTER_EMAIL=series@localhost \
	git_tree "$tree" am -q --committer-date-is-author-date "${mails[@]}"; then
	git_tree "$tree" am --abort || true
	refuse_applied "$tree"
	git_tree "$tree" reset -q --hard "$old_head"
	rm -f "$stamp.applying"
	die "the series does not apply to Linux $(kernel_version "$tree"): it is made for $DEFAULT_BASE"
fi
echo "$id $(git -C "$tree" rev-parse HEAD)" >"$stamp.tmp"
mv "$stamp.tmp" "$stamp"
rm -f "$stamp.applying"
say "$tree: $(git -C "$tree" log -1 --format=%s)"
