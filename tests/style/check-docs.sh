#!/bin/sh
# SPDX-License-Identifier: MIT
# check-docs.sh TREE - fails where the documentation and the tree differ:
#
# - a prototype in a header under lib/ or in init/protocol.h has no comment,
# - a function that gives a non-const pointer or takes a `T **` does not say who owns
#   what it points to,
# - ARCHITECTURE.md, CONTRIBUTING.md or README.md names a path or a function that is not there,
# - ARCHITECTURE.md leaves a folder of lib/ out,
# - a command has no place in buildr(1), or no page of its own, or a page is not built.
set -eu
cd "$1"
bad=0

complain() {
	echo "$*"
	bad=1
}

find lib -name '*.h' | sort | xargs awk -f tests/style/prototypes.awk init/protocol.h || bad=1

documents='ARCHITECTURE.md CONTRIBUTING.md README.md'
for document in $documents; do
	# What stands in backquotes and starts with a folder of the tree.
	# shellcheck disable=SC2016
	for path in $(grep -o '`[^` ]*`' "$document" | tr -d '`' |
		grep -E '^(\.ci|cmd|docs|init|lib|samples|schemas|tests)/' |
		grep -v '[<…*]' | sort -u); do
		[ -e "$path" ] || complain "$document: there is no $path"
	done
	for function in $(grep -oE '\bbr_[a-z0-9_]+\(\)' "$document" | tr -d '()' | sort -u); do
		grep -rqE --include='*.[ch]' "\\b$function\\(" lib init ||
			complain "$document: there is no function $function()"
	done
	# shellcheck disable=SC2016
	for name in $(grep -oE '`struct br_[a-z0-9_]+`' "$document" | tr -d '`' |
		sed 's/struct //' | sort -u); do
		grep -rqE --include='*.[ch]' "^struct $name \\{" lib ||
			complain "$document: there is no struct $name"
	done
done

for folder in lib/*/; do
	grep -qF "\`${folder%/}\`" ARCHITECTURE.md ||
		complain "ARCHITECTURE.md does not name ${folder%/}"
done

for file in cmd/cmd_*.c agent/cmd_*.c; do
	command=${file#*/cmd_}
	command=${command%.c}
	grep -qF "*buildr $command*" docs/buildr.1.scd ||
		complain "docs/buildr.1.scd: nothing on the command '$command'"
	[ -e "docs/buildr-$command.1.scd" ] ||
		complain "docs: the command '$command' has no page"
done

for page in docs/*.scd; do
	page=${page#docs/}
	grep -qF "'${page%.scd}'" docs/meson.build ||
		complain "docs/meson.build does not list ${page%.scd}"
done

exit $bad
