#!/bin/sh
# SPDX-License-Identifier: MIT
# run-cppcheck.sh BUILD - cppcheck over the program's sources. It keeps what it found
# out in BUILD, so that a second run only looks at what changed. It does not know the
# cleanup attribute: leaks are what the sanitizers and clang-tidy are there for. It wants
# readdir_r(), which is deprecated. And it takes a NULL at the end of arguments for an int:
# everywhere that this runs it is a pointer, and gcc checks that it is there.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "$1/cppcheck"
cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 -D_GNU_SOURCE -I. -Ilib \
	-j 2 --cppcheck-build-dir="$1/cppcheck" --inline-suppr \
	--enable=warning,performance,portability \
	--suppress=missingIncludeSystem --suppress=resourceLeak --suppress=memleak \
	--suppress=ctuuninitvar --suppress=readdirCalled --suppress=varFuncNullUB --library=posix lib cmd agent init
