#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh BUILD - install BUILD into a folder, move it elsewhere, and use what is there: the
# program on samples/hello, the man pages, and the library from a program of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/install-XXXXXX")
trap 'rm -rf "$folder"' EXIT

prefix=$(meson introspect --buildoptions "$build" |
	/usr/bin/python3 -c 'import json, sys
print(next(each["value"] for each in json.load(sys.stdin) if each["name"] == "prefix"))')
meson install -C "$build" --no-rebuild --quiet --destdir "$folder/staged"
mv "$folder/staged$prefix" "$folder/moved here"
installed="$folder/moved here"

"$installed/bin/buildr" --version
test -x "$installed/libexec/buildr/buildr-init"
for page in man1/buildr.1 man1/buildr-run.1 man1/buildr-init.1 man1/buildr-submit.1 man5/buildr.yml.5 man8/buildr-init.8; do
	test -s "$installed/share/man/$page"
done

# Shells find what completes command lines, and doctor the schema.
for file in bash-completion/completions/buildr zsh/site-functions/_buildr \
	fish/vendor_completions.d/buildr.fish; do
	test -s "$installed/share/$file"
done
{ "$installed/bin/buildr" doctor || true; } |
	grep -F "$installed/share/buildr/schemas/manifest.schema.json" >/dev/null

# The program that speaks to the broker is found, and finds none.
status=0
BUILDR_BROKER=amqp://127.0.0.1:1/ "$installed/bin/buildr" watch 2>"$folder/said" || status=$?
[ "$status" = 3 ] && grep -q '^buildr: broker: ' "$folder/said"

cp -R samples/hello "$folder/hello"
env -u BUILDR_INIT "$installed/bin/buildr" -C "$folder/hello" -o plain
grep -qx 'hello, world' "$folder/hello/out/hello.txt"

pc=$(find "$installed" -name buildr.pc)
test -n "$pc"
flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --define-variable=prefix=/moved --cflags --libs buildr)
flags=${flags//\/moved/$folder/link}
ln -s "$installed" "$folder/link"
cp tests/install/program.c "$folder/"
# The flags are words.
# shellcheck disable=SC2086
cc -Wall -Werror -o "$folder/program" "$folder/program.c" $flags
LD_LIBRARY_PATH=$(dirname "$(find "$installed" -name 'libbuildr.*' | head -n 1)") \
	BUILDR_INIT="$installed/libexec/buildr/buildr-init" "$folder/program" "$folder/hello"
