#!/bin/sh
# SPDX-License-Identifier: MIT
# run-fanalyzer.sh - gcc's analyzer over the program's sources, unoptimized: with
# inlined halves of functions gcc 12 loses what they return.
#
# One of its warnings is off: of a pointer that memcpy() reads or writes by its address it
# says that it was never set. valgrind looks after that (tests/run valgrind).
set -eu
cd "$(dirname "$0")/../.."

# A header that the build makes.
GENERATED=$(mktemp -d)
export GENERATED
trap 'rm -rf "$GENERATED"' EXIT
protoc-c --c_out="$GENERATED" --proto_path=lib lib/cache/action_result.proto

# shellcheck disable=SC2016
find lib cmd agent init -name '*.c' | sort | xargs -r -n 8 -P "$(nproc)" sh -c '
	for file; do
		gcc -std=c17 -D_GNU_SOURCE -DBUILDR_VERSION="\"0\"" \
			-DBUILDR_INIT_PATH="\"init\"" \
			-DBUILDR_FARM_PATH="\"farm\"" \
			-DBUILDR_SCHEMA_PATH="\"schema\"" -I. -Ilib -I"$GENERATED" -O0 -Werror -fanalyzer \
			-Wno-analyzer-use-of-uninitialized-value -S -o /dev/null "$file" ||
			exit 255
	done
' sh
