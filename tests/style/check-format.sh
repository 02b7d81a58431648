#!/bin/sh
# SPDX-License-Identifier: MIT
# check-format.sh TREE - fails where a source is not as .clang-format has it.
set -eu
cd "$1"
find lib cmd agent init tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
