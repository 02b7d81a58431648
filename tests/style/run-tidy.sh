#!/bin/sh
# SPDX-License-Identifier: MIT
# run-tidy.sh BUILD - clang-tidy over every source that BUILD compiles. A file that
# passed is looked at again when it, a header or the configuration changes.
set -eu
cd "$(dirname "$0")/../.."
build=$1
stamps=$build/tidy
mkdir -p "$stamps"

common=$({
	clang-tidy --version
	cat .clang-tidy tests/.clang-tidy "$build/build.ninja"
	find lib init tests cmd agent -name '*.h' | sort | xargs cat
} | sha256sum | cut -d ' ' -f 1)

# The build folder's database names options of gcc that clang does not know.
database=$stamps/database
mkdir -p "$database"
sed -e 's/ -W[^ ]*//g' -e 's/ -fstack-clash-protection//' -e 's/ -ftrivial-auto-var-init=[a-z]*//' \
	"$build/compile_commands.json" >"$database/compile_commands.json"

rm -f "$stamps"/wanted-*
touch "$stamps/wanted-init" "$stamps/wanted-others"
find lib cmd agent init tests -name '*.c' | sort | while read -r file; do
	# init is built outside of meson's compilers and is in no database.
	kind=others
	case $file in
	init/*) kind=init ;;
	*) grep -qF "$file\"" "$database/compile_commands.json" || continue ;;
	esac
	stamp=$stamps/$(printf '%s' "$common" | cat - "$file" | sha256sum | cut -d ' ' -f 1)
	[ -e "$stamp" ] || printf '%s %s\n' "$file" "$stamp" >>"$stamps/wanted-$kind"
done

# Look at the files of a kind, several in a process, whose start takes as long as a small
# file. Where one does not pass, each is looked at by itself: clang-tidy 14 takes a va_list that
# has been started for one that has not, in a process that has seen others: tidy KIND OPTION…
tidy() {
	list=$stamps/wanted-$1
	shift
	# What is to be split is words without spaces.
	# shellcheck disable=SC2016
	xargs -a "$list" -r -n 16 -P "$(nproc)" sh -c '
		files=
		passed=
		for word; do
			case $word in
			*.c) files="$files $word" ;;
			*) passed="$passed $word" ;;
			esac
		done
		if clang-tidy --quiet $files $0 >/dev/null 2>&1; then
			touch $passed
			exit 0
		fi
		status=0
		while [ $# -gt 0 ]; do
			log=$2.log
			if clang-tidy --quiet "$1" $0 >"$log" 2>&1; then
				touch "$2"
			else
				cat "$log"
				status=1
			fi
			rm -f "$log"
			shift 2
		done
		exit $status
	' "$*"
}

status=0
tidy others -p "$database" || status=1
tidy init -- -std=c17 -D_GNU_SOURCE -I. || status=1
exit $status
