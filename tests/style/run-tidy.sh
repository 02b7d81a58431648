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
	cat .clang-tidy "$build/build.ninja"
	find lib init tests cmd agent -name '*.h' | sort | xargs cat
} | sha256sum | cut -d ' ' -f 1)

# The build folder's database names options of gcc that clang does not know.
database=$stamps/database
mkdir -p "$database"
sed -e 's/ -W[^ ]*//g' -e 's/ -fstack-clash-protection//' -e 's/ -ftrivial-auto-var-init=[a-z]*//' \
	"$build/compile_commands.json" >"$database/compile_commands.json"

find lib cmd agent init tests -name '*.c' | sort | while read -r file; do
	# init is built outside of meson's compilers and is in no database.
	case $file in
	init/*) ;;
	*) grep -qF "$file\"" "$database/compile_commands.json" || continue ;;
	esac
	stamp=$stamps/$(printf '%s' "$common" | cat - "$file" | sha256sum | cut -d ' ' -f 1)
	[ -e "$stamp" ] || printf '%s %s\n' "$file" "$stamp"
done >"$stamps/wanted"

# shellcheck disable=SC2016
xargs -a "$stamps/wanted" -r -L 1 -P "$(nproc)" sh -c '
	case $1 in
	init/*) set -- "$1" "$2" -- -std=c17 -D_GNU_SOURCE -I. ;;
	*) set -- "$1" "$2" -p "$0" ;;
	esac
	file=$1
	stamp=$2
	shift 2
	if ! clang-tidy --quiet "$file" "$@" >"$stamp.log" 2>&1; then
		cat "$stamp.log"
		rm -f "$stamp.log"
		exit 1
	fi
	rm -f "$stamp.log"
	touch "$stamp"
' "$database"
