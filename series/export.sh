#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Write the mails and the new files from the patched git tree.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me TREE [DEST]

Writes, from the commits between the tag 'base' and HEAD of TREE, into DEST
(default: this project)

  series/NNNN-*.patch         a mail for each commit
  series/cover-letter.txt     its list of patches (the text is kept)
  arch/..., Kconfig.livepatch, ...  every file that the series adds

and removes there what the series no longer has.
USAGE
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac
tree=${1:-}
dest=${2:-$TOP}
[ -n "$tree" ] || usage_error 'the tree is missing'
git -C "$tree" rev-parse -q --verify base >/dev/null || die "$tree holds no tag 'base': is it a tree that 'make' set up?"
[ -z "$(git -C "$tree" status --porcelain -uno | head -n 1)" ] ||
	die "$tree has changes that are not committed: commit them first (git commit --fixup, git rebase --autosquash)"
if [ -d "$tree/.git/rebase-merge" ] || [ -d "$tree/.git/rebase-apply" ]; then
	die "a rebase is under way in $tree: end it first"
fi
[ -n "$(git -C "$tree" rev-list -n 1 base..HEAD)" ] || die "$tree has no commits after 'base'"
! git -C "$tree" log --format=%s base..HEAD | grep -E '^(fixup|squash|amend)! ' ||
	die "fold these commits in first: git -C $tree rebase -i --autosquash base"

mkdir -p "$dest/series"
new=$(mktemp -d "$dest/series/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

# The same commits give the same bytes, whatever git's version and settings.
git_tree "$tree" format-patch -q -o "$new" --zero-commit --no-signature \
	--no-numbered --no-base --no-ext-diff --no-renames --full-index \
	--diff-algorithm=myers --stat=76 --no-attach --no-thread \
	--no-cover-letter --src-prefix=a/ --dst-prefix=b/ base..HEAD

rm -f "$dest"/series/[0-9]*.patch
mv "$new"/*.patch "$dest/series/"

# The cover letter's text is written by hand, its list of patches is not.
cover=$dest/series/cover-letter.txt
if [ -f "$cover" ]; then
	subjects=$(git -C "$tree" log --reverse --format=%s base..HEAD |
		awk '{ printf "  %02d  %s\n", NR, $0 }')
	awk -v list="$subjects" '
		/^Patches$/	{ print; getline; print; print ""; print list; skip = 1; next }
		skip && /^$/	{ if (seen) { skip = 0; print }; next }
		skip && /^  [0-9][0-9]  /	{ seen = 1; next }
		skip		{ skip = 0; print "" }
		{ print }' "$cover" >"$new/cover"
	cmp -s "$new/cover" "$cover" || cp "$new/cover" "$cover"
fi

# New files, and no others, in the folders that mirror the kernel's.
git_tree "$tree" diff --name-only --no-renames --diff-filter=A base HEAD >"$new/added"
mirror=$(cut -d / -f 1 "$new/added" | sort -u)
for place in $mirror arch scripts samples tools Documentation include kernel lib Kconfig.livepatch; do
	rm -rf "${dest:?}/$place"
done
while read -r file; do
	mkdir -p "$dest/$(dirname "$file")"
	git -C "$tree" cat-file blob "HEAD:$file" >"$dest/$file"
	case $(git -C "$tree" ls-tree HEAD "$file") in
	100755*) chmod +x "$dest/$file" ;;
	esac
done <"$new/added"

if [ "$dest" = "$TOP" ] && [ -d "$tree/.git" ]; then
	echo "$(series_id) $(git -C "$tree" rev-parse HEAD)" >"$tree/.git/series-applied"
fi
count=$(git -C "$tree" rev-list --count base..HEAD)
say "$count mails and $(wc -l <"$new/added") files written"
