#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Write the mails and the new files from the patched git tree.

. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<USAGE
Usage: $me [--force] TREE [DEST]

Writes, from the commits between the tag 'base' and HEAD of TREE, into DEST
(default: this project)

  series/NNNN-*.patch         a mail for each commit
  series/cover-letter.txt     its list of patches (the text is kept)
  arch/..., Kconfig.livepatch, ...  every file that the series adds

and removes there what the series no longer has. Without --force, it stops when
that would lose an edit in this project that is not committed, or most of the
mails.
USAGE
}

force=
case ${1:-} in
-h | --help) usage; exit 0 ;;
--force) force=y; shift ;;
esac
tree=${1:-}
dest=${2:-$TOP}
[ -n "$tree" ] || usage_error 'the tree is missing'
git -C "$tree" rev-parse -q --verify base >/dev/null || die "$tree holds no tag 'base': is it a tree that 'make' set up?"
[ -z "$(git -C "$tree" status --porcelain -uno | head -n 1)" ] ||
	die "$tree has changes that are not committed: commit them first (git commit --fixup, git rebase --autosquash)"
[ -z "$(in_progress "$tree")" ] ||
	die "a git operation is under way in $tree ($(in_progress "$tree")): end it first"
[ -n "$(git -C "$tree" rev-list -n 1 base..HEAD)" ] || die "$tree has no commits after 'base'"
! git -C "$tree" log --format=%s base..HEAD | grep -E '^(fixup|squash|amend)! ' ||
	die "fold these commits in first: git -C $tree rebase -i --autosquash base"

if [ "$dest" = "$TOP" ] && [ -z "$force" ]; then
	last=HEAD
	[ ! -f "$tree/.git/series-applied" ] || read -r _ last <"$tree/.git/series-applied"
	same() { git -C "$tree" cat-file blob "$1:$2" 2>/dev/null | cmp -s - "$TOP/$2"; }
	edited=$(git -C "$TOP" status --porcelain -- arch scripts samples tools Documentation include \
		kernel lib Kconfig.livepatch | cut -c 4- | while read -r file; do
			[ -f "$TOP/$file" ] || continue
			same HEAD "$file" || same "$last" "$file" || echo "$file"
		done)
	[ -z "$edited" ] ||
		die "these files were edited here, and export would overwrite them: make the change there, commit or remove them here, or use --force: $(echo "$edited" | tr '\n' ' ')"
	have=$(find "$TOP/series" -maxdepth 1 -name '[0-9]*.patch' | wc -l)
	[ $((2 * $(git -C "$tree" rev-list --count base..HEAD))) -ge "$have" ] ||
		die "$tree has far fewer commits than there are mails ($have): is the series applied there? (--force writes them all the same)"
fi

mkdir -p "$dest/series"
new=$(mktemp -d "$dest/series/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

# The same commits give the same bytes, whatever git's version and settings.
git_tree "$tree" format-patch -q -o "$new" --zero-commit --no-signature \
	--no-numbered --no-base --no-ext-diff --no-renames --full-index -U3 \
	--subject-prefix=PATCH --suffix=.patch --filename-max-length=64 \
	--diff-algorithm=myers --stat=76 --no-attach --no-thread \
	--no-cover-letter --src-prefix=a/ --dst-prefix=b/ base..HEAD

rm -f "$dest"/series/[0-9]*.patch
mv "$new"/*.patch "$dest/series/"

# The cover letter's text is written by hand, its list of patches is not.
cover=$dest/series/cover-letter.txt
if [ -f "$cover" ]; then
	subjects=$(git -C "$tree" log --reverse --format=%s base..HEAD |
		awk '{ printf "  %02d  %s\n", NR, $0 }')
	awk -v list="$subjects" -v count="$(wc -l <<<"$subjects")" '
		/^Subject: \[PATCH / { sub(/\[PATCH [0-9]+\/[0-9]+\]/, "[PATCH 00/" count "]") }
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
