# SPDX-License-Identifier: GPL-2.0
#
# Count the results in KTAP (Documentation/dev-tools/ktap.rst) on the standard
# input.  Prints, one a line:
#
#	ktap			if there was any KTAP at all
#	fail NAME: REASON
#	skip NAME: REASON
#	xfail NAME
#	count PASSED FAILED SKIPPED XFAILED
#
# Nested results are indented by two spaces per level, or by "# " as in
# kselftest's runner.  Results only count below a version line: other lines
# that look like results are just output.  A test with subtests counts as its
# subtests, and as one failure more if it failed though none of them did.

function add(kind, name, why)
{
	total[kind]++
	n_rec++
	rec_kind[n_rec] = kind
	rec_name[n_rec] = name
	rec_why[n_rec] = why
}

# Close the blocks from the k-th on: has everything that was planned come?
function close_blocks(k,	d, due, what)
{
	for (d = depth; d >= k; d--) {
		due = plan[d] == "" ? seen[d] : plan[d]
		what = d > 1 ? "subtests" : "tests"
		if (due > seen[d])
			add("fail", what, due - seen[d] " of " due \
			    " planned results missing" \
			    (last[d] != "" ? " after \"" last[d] "\"" : ""))
		else if (due < seen[d])
			add("fail", what, seen[d] " results, but " due \
			    " were planned")
		else if (due == 0 && !skipped_all[d])
			add("fail", what, "no results at all")
	}
	if (depth >= k)
		depth = k - 1
}

function open_block(level)
{
	while (depth > 0 && indent[depth] >= level)
		close_blocks(depth)
	depth++
	indent[depth] = level
	plan[depth] = last[depth] = ""
	seen[depth] = skipped_all[depth] = 0
	recs[depth] = n_rec
	subtests[depth] = 0
	if (depth > 1)
		subtests[depth - 1] = 1
	ktap = 1
}

function result(d, line,	i, bad, num, name, why, directive, failures)
{
	close_blocks(d + 1)

	bad = line ~ /^not /
	sub(/^(not )?ok[ \t]*/, "", line)
	num = line
	sub(/[^0-9].*/, "", num)
	sub(/^[0-9]+ */, "", line)
	sub(/^- /, "", line)
	name = line
	why = ""
	if (match(line, /(^| )#( |$)/)) {
		name = substr(line, 1, RSTART - 1)
		why = substr(line, RSTART + RLENGTH)
	}
	sub(/ +$/, "", name)
	if (name == "")
		name = "test " num
	directive = ""
	if (why ~ /^[Ss][Kk][Ii][Pp]/)
		directive = "SKIP"
	else if (match(why, /^(XFAIL|TIMEOUT|ERROR)/))
		directive = substr(why, 1, RLENGTH)
	if (directive == "SKIP")
		sub(/^[A-Za-z]+[: ]*/, "", why)

	# The subtests came before their parent's name was known.
	failures = 0
	for (i = recs[d] + 1; i <= n_rec; i++) {
		rec_name[i] = name ": " rec_name[i]
		if (rec_kind[i] == "fail")
			failures++
	}

	seen[d]++
	last[d] = name
	if (num + 0 != seen[d])
		add("fail", name, "is number " num ", but number " seen[d] \
		    " was due")

	if (bad && directive !~ /^(SKIP|XFAIL)$/ ||
	    directive ~ /^(TIMEOUT|ERROR)$/) {
		if (!failures)
			add("fail", name, why != "" ? why : "not ok")
	} else if (!subtests[d]) {
		if (directive == "SKIP") {
			if (why == "")
				why = hint != "" ? hint : "no reason given"
			add("skip", name, why)
		} else if (directive == "XFAIL") {
			add("xfail", name, "")
		} else {
			total["pass"]++
		}
	}
	subtests[d] = 0
	recs[d] = n_rec
	hint = ""
}

function set_plan(d, line,	due)
{
	close_blocks(d + 1)

	sub(/^1\.\./, "", line)
	due = line
	sub(/[^0-9].*/, "", due)
	plan[d] = due + 0
	if (plan[d] > 0 || line !~ /# *[Ss][Kk][Ii][Pp]/)
		return
	sub(/^[^#]*# *[A-Za-z]+[: ]*/, "", line)
	add("skip", d > 1 ? "subtests" : "all tests",
	    line != "" ? line : "no reason given")
	skipped_all[d] = 1
}

{
	sub(/\r$/, "")
	level = 0
	while (/^(  |# )/) {
		$0 = substr($0, 3)
		level++
	}

	if (/^K?TAP version [0-9]+ *$/) {
		open_block(level)
		next
	}

	block = 0
	for (i = 1; i <= depth; i++)
		if (indent[i] == level)
			block = i

	# A failure counts, however sloppy its line is; a success has to be exact.
	if (block && (/^ok [0-9]+( |$)/ || /^not ok([^A-Za-z]|$)/))
		result(block, $0)
	else if (block && /^1\.\.[0-9]+/)
		set_plan(block, $0)
	else if (block && /^Bail out!/)
		add("fail", block > 1 ? "subtests" : "tests", $0)
	else if (/^[Ss][Kk][Ii][Pp]/) {
		# What a script says that skips itself: kselftest's runner
		# turns its exit status into a result without a reason.
		hint = $0
		sub(/^[A-Za-z]+[: ]*/, "", hint)
	}
}

END {
	close_blocks(1)
	if (ktap)
		print "ktap"
	for (i = 1; i <= n_rec; i++)
		print rec_kind[i] " " rec_name[i] \
			(rec_why[i] != "" ? ": " rec_why[i] : "")
	print "count " total["pass"] + 0 " " total["fail"] + 0 " " \
		total["skip"] + 0 " " total["xfail"] + 0
}
