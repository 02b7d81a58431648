# SPDX-License-Identifier: MIT
# Reads headers and complains about each prototype without a comment, and about each
# comment that is silent about ownership where a pointer changes hands. A comment is good
# for the prototypes that follow it without an empty line.

function complain(text) {
	printf "%s:%d: %s: %s\n", FILENAME, start, name, text
	bad = 1
}

function check(statement,    is_owning) {
	name = statement
	sub(/[ \t]*\(.*/, "", name)
	before = name
	sub(/.*[ \t*]/, "", name)
	if (comment == "") {
		complain("has no comment")
		return
	}
	sub(/[A-Za-z0-9_]+$/, "", before)
	is_owning = before ~ /\*/ && before !~ /^(static )?(const|BR_[A-Z_]+ const) /
	is_owning = is_owning || statement ~ /[a-z0-9_] \*\*[a-z]/
	if (is_owning && comment !~ /[Oo]wn|[Bb]orrow|arena|[Ff]ree/)
		complain("does not say who owns what is given")
}

FNR == 1 {
	comment = ""
	statement = ""
	depth = 0
	in_comment = 0
}

in_comment {
	comment = comment " " $0
	if (/\*\//)
		in_comment = 0
	next
}

/^[ \t]*\/\*/ && statement == "" {
	comment = $0
	in_comment = !/\*\//
	next
}

/^#/ { next }

/^[ \t]*$/ && statement == "" && depth == 0 {
	comment = ""
	next
}

{
	line = $0
	gsub(/\/\*[^*]*\*\//, "", line)
	if (statement == "")
		start = FNR
	if (depth == 0)
		statement = statement (statement == "" ? "" : " ") line
	depth += gsub(/\{/, "{", line) - gsub(/\}/, "}", line)
	if (depth > 0)
		next
	if (line ~ /;[ \t]*$/ || line ~ /^\}/) {
		if (statement ~ /\(/ && statement !~ /\{/ && statement !~ /^(typedef|extern|_Static_assert)/ &&
			statement !~ /^BR_DEFINE/)
			check(statement)
		if (statement ~ /\{/ || statement ~ /^(typedef|extern)/)
			comment = ""
		statement = ""
	} else if (statement ~ /^BR_[A-Z_]+\([^()]*\)[ \t]*$/) {
		# A macro that stands alone, or an attribute in front of a prototype.
		if (statement ~ /^BR_DEFINE/)
			statement = ""
	}
}

END { exit bad }
